#include "tests/test.h"
#include "gateway/ops/metrics.h"

static void sets_are_summed(void **state)
{
    static struct metrics a, b;
    const struct metrics *const sets[] = {&a, &b};

    (void)state;
    metrics_add(&a, METRIC_PUSHED, 40);
    metrics_add(&b, METRIC_PUSHED, 2);
    metrics_add(&b, METRIC_SESSIONS, 5);
    metrics_sub(&b, METRIC_SESSIONS, 4);
    assert_int_equal(metrics_sum(sets, 2, METRIC_PUSHED), 42);
    assert_int_equal(metrics_sum(sets, 2, METRIC_SESSIONS), 1);
    assert_int_equal(metrics_sum(sets, 0, METRIC_PUSHED), 0);
}

static void all_are_printed_with_help_and_type(void **state)
{
    static struct metrics set;
    const struct metrics *const sets[] = {&set};
    size_t n_help = 0, n_type = 0;
    struct buf out;

    (void)state;
    metrics_add(&set, METRIC_UNROUTED, 7);
    buf_init(&out, 64 * 1024);
    assert_true(metrics_print(sets, 1, &out));
    assert_true(buf_append(&out, slice_of("", 1)));
    for (const char *p = out.base; (p = strstr(p, "# HELP stompgate_")) != NULL; p++)
        n_help++;
    for (const char *p = out.base; (p = strstr(p, "# TYPE stompgate_")) != NULL; p++)
        n_type++;
    assert_int_equal(n_help, METRIC_N);
    assert_int_equal(n_type, METRIC_N);
    assert_non_null(strstr(out.base, "# HELP stompgate_messages_unrouted_total Messages to "
                                     "destinations nobody routes.\n"
                                     "# TYPE stompgate_messages_unrouted_total counter\n"
                                     "stompgate_messages_unrouted_total 7\n"));
    assert_non_null(strstr(out.base, "# TYPE stompgate_connections gauge\n"
                                     "stompgate_connections 0\n"));
    buf_dispose(&out);
}

static void a_full_buffer_is_told(void **state)
{
    static struct metrics set;
    const struct metrics *const sets[] = {&set};
    struct buf out;

    (void)state;
    buf_init(&out, 500);
    assert_false(metrics_print(sets, 1, &out));
    buf_dispose(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_are_summed),
        cmocka_unit_test(all_are_printed_with_help_and_type),
        cmocka_unit_test(a_full_buffer_is_told),
    };

    return cmocka_run_group_tests_name("gateway/ops/metrics", tests, NULL, NULL);
}
