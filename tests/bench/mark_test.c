#include "tests/test.h"
#include "gateway/bench/mark.h"

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

static void write_body(char *body, size_t len, uint64_t sequence, enum mark_pattern pattern)
{
    mark_write(body, &(struct mark){.sequence = sequence});
    mark_fill(body, len, pattern);
}

static void a_changed_byte_behind_the_mark_shows(void **state)
{
    const size_t lens[] = {MARK_LEN, MARK_LEN + 1, 100, 1000};

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(lens) / sizeof(lens[0]); i++) {
        enum mark_pattern pattern = i % 2 == 0 ? MARK_LETTERS : MARK_JSON;
        char body[1000];
        struct slice all = slice_of(body, lens[i / 2]);

        write_body(body, all.len, 7, pattern);
        assert_true(mark_is_filled(all, pattern));
        for (size_t at = MARK_LEN; at < all.len; at++) {
            body[at]++;
            assert_false(mark_is_filled(all, pattern));
            body[at]--;
        }
        body[3] = 'x';
        assert_false(mark_is_filled(all, pattern));
    }
}

static void json_is_other_objects_in_each_message(void **state)
{
    char first[1001] = {0}, other[1001] = {0}, *second, *third;

    (void)state;
    write_body(first, sizeof(first) - 1, 5, MARK_JSON);
    write_body(other, sizeof(other) - 1, 6, MARK_JSON);
    assert_memory_equal(first + MARK_LEN, "[{\"id\":", 7);
    assert_memory_equal(other + MARK_LEN, "[{\"id\":", 7);
    assert_memory_not_equal(first + MARK_LEN, other + MARK_LEN, 12);
    second = strstr(first + MARK_LEN, ",{\"id\":");
    assert_non_null(second);
    third = strstr(second + 1, ",{\"id\":");
    assert_non_null(third);
    assert_memory_not_equal(second, third, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(numbers_are_decimal_and_of_fixed_width),
        cmocka_unit_test(every_byte_must_be_a_digit),
        cmocka_unit_test(a_changed_byte_behind_the_mark_shows),
        cmocka_unit_test(json_is_other_objects_in_each_message),
    };

    return cmocka_run_group_tests_name("bench/mark", tests, NULL, NULL);
}
