#include "tests/test.h"
#include "gateway/ops/lograte.h"

static void an_interval_holds_so_many_lines(void **state)
{
    struct log_rate rate = {.n_lines = 0};
    uint64_t n_suppressed = 99;

    (void)state;
    for (unsigned i = 0; i < LOG_RATE_LINES; i++) {
        assert_true(log_rate_allow(&rate, 1000000, &n_suppressed));
        assert_int_equal(n_suppressed, 0);
    }
    assert_false(log_rate_allow(&rate, 1000000, &n_suppressed));
    assert_false(log_rate_allow(&rate, 1000000 + LOG_RATE_INTERVAL_MS - 1, &n_suppressed));
}

static void the_next_line_tells_what_was_held_back_once(void **state)
{
    struct log_rate rate = {.n_lines = 0};
    uint64_t n_suppressed = 99;

    (void)state;
    for (unsigned i = 0; i < LOG_RATE_LINES + 7; i++)
        (void)log_rate_allow(&rate, 1000000, &n_suppressed);
    assert_true(log_rate_allow(&rate, 1000000 + LOG_RATE_INTERVAL_MS, &n_suppressed));
    assert_int_equal(n_suppressed, 7);
    assert_true(log_rate_allow(&rate, 1000000 + LOG_RATE_INTERVAL_MS, &n_suppressed));
    assert_int_equal(n_suppressed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_interval_holds_so_many_lines),
        cmocka_unit_test(the_next_line_tells_what_was_held_back_once),
    };

    return cmocka_run_group_tests_name("gateway/ops/lograte", tests, NULL, NULL);
}
