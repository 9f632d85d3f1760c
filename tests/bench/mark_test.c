#include "tests/test.h"
#include "tests/bench/mark.h"

static void what_is_written_is_read(void **state)
{
    const struct mark marks[] = {
        {0, 0, 0},
        {1, 2, 3},
        {12345678, 1234567890123456, 9876543210987654},
        {99999999, MARK_PROBE, 9999999999999999},
        {10000000, 100000000, 99999999},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        char body[MARK_LEN];
        struct mark mark;

        mark_write(body, &marks[i]);
        assert_true(mark_read(body, &mark));
        assert_true(mark.publisher == marks[i].publisher);
        assert_true(mark.sequence == marks[i].sequence);
        assert_true(mark.time_ns == marks[i].time_ns);
    }
}

static void numbers_are_decimal_and_of_fixed_width(void **state)
{
    char body[MARK_LEN];

    (void)state;
    mark_write(body, &(struct mark){7, 4294967296, 1500});
    assert_memory_equal(body, "0000000700000042949672960000000000001500", MARK_LEN);
}

static void every_byte_must_be_a_digit(void **state)
{
    (void)state;
    for (size_t at = 0; at < MARK_LEN; at++) {
        for (int byte = 0; byte < 256; byte++) {
            char body[MARK_LEN];
            struct mark mark;

            mark_write(body, &(struct mark){99999999, 0, 5555555555555555});
            body[at] = (char)byte;
            assert_int_equal(mark_read(body, &mark), byte >= '0' && byte <= '9');
        }
    }
}

static void a_changed_byte_behind_the_mark_shows(void **state)
{
    (void)state;
    for (int pattern = MARK_LETTERS; pattern <= MARK_JSON; pattern++) {
        char body[1000] = {0};
        struct slice all = slice_of(body, sizeof(body));

        mark_fill(body, sizeof(body), (enum mark_pattern)pattern);
        assert_true(mark_is_filled(all, (enum mark_pattern)pattern));
        assert_false(mark_is_filled(all, (enum mark_pattern)(MARK_JSON - pattern)));
        for (size_t at = MARK_LEN; at < sizeof(body); at++) {
            body[at]++;
            assert_false(mark_is_filled(all, (enum mark_pattern)pattern));
            body[at]--;
        }
        assert_true(mark_is_filled(slice_of(body, MARK_LEN), (enum mark_pattern)pattern));
    }
}

static void json_is_objects_that_differ(void **state)
{
    char body[1001] = {0}, *second, *third;

    (void)state;
    mark_fill(body, sizeof(body) - 1, MARK_JSON);
    assert_memory_equal(body + MARK_LEN, "[{\"id\":", 7);
    second = strstr(body + MARK_LEN, ",{\"id\":");
    assert_non_null(second);
    third = strstr(second + 1, ",{\"id\":");
    assert_non_null(third);
    assert_memory_not_equal(second, third, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(numbers_are_decimal_and_of_fixed_width),
        cmocka_unit_test(every_byte_must_be_a_digit),
        cmocka_unit_test(a_changed_byte_behind_the_mark_shows),
        cmocka_unit_test(json_is_objects_that_differ),
    };

    return cmocka_run_group_tests_name("bench/mark", tests, NULL, NULL);
}
