#include "tests/test.h"
#include <unistd.h>
#include "gateway/bench/procstat.h"

#define HEAD "5600-7ffc ---p 00000000 00:00 0    [rollup]\n"

static void adds_the_three_numbers(void **state)
{
    struct procstat stat = {.rss_bytes = 1};

    (void)state;
    assert_true(procstat_parse_memory(
        &stat, (struct slice)SLICE(HEAD "Rss:    2000 kB\nPss:     100 kB\nPss_Dirty:  7 kB\n"
                                        "Anonymous:     50 kB\nAnonHugePages:  9 kB\n")));
    assert_int_equal(stat.rss_bytes, 2000 * 1024 + 1);
    assert_int_equal(stat.pss_bytes, 100 * 1024);
    assert_int_equal(stat.anonymous_bytes, 50 * 1024);
}

static void a_missing_number_leaves_all_as_it_was(void **state)
{
    const struct slice bad[] = {SLICE(""), SLICE(HEAD "Rss:    2000 kB\nPss:     100 kB\n"),
                                SLICE("Rss: kB\nPss: 1 kB\nAnonymous: 1 kB\n")};
    struct procstat stat = {.rss_bytes = 1};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(procstat_parse_memory(&stat, bad[i]));
        assert_int_equal(stat.rss_bytes, 1);
    }
}

static void reads_a_living_process(void **state)
{
    struct procstat stat = {0};

    (void)state;
    assert_int_equal(procstat_add_cpu(&stat, getpid()), 0);
    assert_int_equal(procstat_add_memory(&stat, getpid()), 0);
    assert_true(stat.cpu_ns > 0);
    assert_true(stat.rss_bytes >= stat.anonymous_bytes && stat.anonymous_bytes > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_the_three_numbers),
        cmocka_unit_test(a_missing_number_leaves_all_as_it_was),
        cmocka_unit_test(reads_a_living_process),
    };

    return cmocka_run_group_tests_name("bench/procstat", tests, NULL, NULL);
}
