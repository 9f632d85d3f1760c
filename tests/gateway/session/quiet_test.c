#include "tests/test.h"

#include <stdio.h>
#include "gateway/session/quiet.h"

static void so_many_lines_a_second_and_the_rest_is_counted(void **state)
{
    struct quiet quiet = {.window_ms = 0};
    uint64_t suppressed = 99;

    (void)state;
    for (int i = 0; i < QUIET_LINES_A_SECOND; i++) {
        assert_true(quiet_allows(&quiet, 5000 + (uint64_t)i, &suppressed));
        assert_int_equal(suppressed, 0);
    }
    for (int i = 0; i < 7; i++)
        assert_false(quiet_allows(&quiet, 5999, &suppressed));
    assert_true(quiet_allows(&quiet, 6000, &suppressed));
    assert_int_equal(suppressed, 7);
    assert_true(quiet_allows(&quiet, 6001, &suppressed));
    assert_int_equal(suppressed, 0);
}

static void a_destination_is_new_once(void **state)
{
    struct quiet quiet = {.hash_key = {5, 6}};
    char name[32];

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < QUIET_MAX_DESTINATIONS; i++) {
            int n = snprintf(name, sizeof(name), "/topic/%d", i);

            assert_int_equal(quiet_is_new(&quiet, slice_of(name, (size_t)n)), round == 0);
        }
    }
    /* No more than that are remembered, so no more are new. */
    assert_false(quiet_is_new(&quiet, slice_str("/topic/one-more")));
    assert_int_equal(quiet.n_seen, QUIET_MAX_DESTINATIONS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_many_lines_a_second_and_the_rest_is_counted),
        cmocka_unit_test(a_destination_is_new_once),
    };

    return cmocka_run_group_tests_name("gateway/session/quiet", tests, NULL, NULL);
}
