#include "tests/test.h"
#include <stdlib.h>
#include "gateway/bench/report.h"
#include "gateway/bench/verdict.h"

static void assert_printed(bool is_json, const char *expected)
{
    struct report report;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    report_init(&report, is_json);
    report_count(&report, "n", UINT64_MAX);
    report_number(&report, "x_us", 1.25, 1);
    report_flag(&report, "ok", false);
    report_string(&report, "why", "a \"b\"\\\n");
    report_print(&report, out);
    report_dispose(&report);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, expected);
    free(text);
}

static void one_list_is_a_table_or_json(void **state)
{
    (void)state;
    assert_printed(true, "{\"n\":18446744073709551615,\"x_us\":1.2,\"ok\":false,"
                         "\"why\":\"a \\\"b\\\"\\\\\\u000a\"}\n");
    assert_printed(false, "n                            18446744073709551615\n"
                          "x_us                         1.2\n"
                          "ok                           false\n"
                          "why                          a \"b\"\\\n\n");
}

static void a_run_is_good_only_when_all_came_once_and_in_order(void **state)
{
    const struct {
        struct team_counts counts;
        enum options_order order;
        bool has_failed;
        uint64_t n_missing;
    } rows[] = {
        {{.n_expected = 50, .n_received = 50}, ORDER_STRICT, false, 0},
        {{.n_expected = 50, .n_received = 49}, ORDER_STRICT, true, 1},
        {{.n_expected = 50, .n_received = 51}, ORDER_STRICT, true, 0},
        {{.n_expected = 50, .n_received = 50, .n_duplicates = 1}, ORDER_ANY, true, 0},
        {{.n_expected = 50, .n_received = 50, .n_too_far = 1}, ORDER_ANY, true, 0},
        {{.n_expected = 50, .n_received = 50, .n_late = 1}, ORDER_STRICT, true, 0},
        {{.n_expected = 50, .n_received = 50, .n_late = 1}, ORDER_ANY, false, 0},
        {{.n_expected = 0, .n_received = 0}, ORDER_STRICT, true, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct verdict verdict = {0};

        verdict_add(&verdict, &rows[i].counts);
        verdict_judge(&verdict, rows[i].order);
        assert_int_equal(verdict.has_failed, rows[i].has_failed);
        assert_int_equal(verdict.n_missing, rows[i].n_missing);
    }
}

static void the_first_reason_stays(void **state)
{
    struct verdict verdict = {0};

    (void)state;
    verdict_fail(&verdict, "first %d", 1);
    verdict_fail(&verdict, "second");
    assert_string_equal(verdict.why, "first 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_list_is_a_table_or_json),
        cmocka_unit_test(a_run_is_good_only_when_all_came_once_and_in_order),
        cmocka_unit_test(the_first_reason_stays),
    };

    return cmocka_run_group_tests_name("bench/report", tests, NULL, NULL);
}
