#include "tests/test.h"
#include "gateway/bench/progress.h"

#define SECOND UINT64_C(1000000000)

static void each_phase_has_its_line(void **state)
{
    const struct {
        struct progress progress;
        const char *line;
    } rows[] = {
        {{.mode = "echo", .n_ready = 0, .n_connections = 50}, "echo  connecting: 0 of 50"},
        {{.mode = "idle", .n_ready = 1234, .n_connections = 1000000},
         "idle  connecting: 1,234 of 1,000,000"},
        {{.mode = "idle",
          .n_connections = 10000,
          .is_running = true,
          .is_idle = true,
          .elapsed_ns = 3 * SECOND,
          .total_ns = 5 * SECOND,
          .since_ns = SECOND},
         "idle  3 of 5 s  10,000 connections"},
        {{.mode = "fanout",
          .is_running = true,
          .elapsed_ns = SECOND,
          .total_ns = 12 * SECOND,
          .n_deliveries = 617284,
          .since_ns = SECOND / 2},
         "fanout  1 of 12 s  1,234,568/s  warming up"},
        {{.mode = "fanout",
          .is_running = true,
          .elapsed_ns = 7 * SECOND,
          .total_ns = 12 * SECOND,
          .n_deliveries = 999,
          .since_ns = SECOND,
          .has_latency = true,
          .p50_ns = 110400,
          .p99_ns = 12345678,
          .has_cpu = true,
          .cpu_ns = SECOND * 98 / 100},
         "fanout  7 of 12 s  999/s  p50 110 us  p99 12.3 ms  server 98 % CPU"},
        {{.mode = "fanout",
          .is_running = true,
          .elapsed_ns = 13 * SECOND,
          .total_ns = 12 * SECOND,
          .since_ns = SECOND,
          .has_latency = true,
          .p50_ns = 999999,
          .p99_ns = 2 * SECOND},
         "fanout  13 of 12 s  0/s  p50 1000 us  p99 2.0 s"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char line[PROGRESS_MAX];

        progress_write(line, &rows[i].progress);
        assert_string_equal(line, rows[i].line);
        assert_true(strlen(line) < 80);
    }
}

static void the_largest_numbers_are_cut_off(void **state)
{
    const struct progress largest = {
        .mode = "destinations",
        .n_connections = SIZE_MAX,
        .is_running = true,
        .elapsed_ns = UINT64_MAX,
        .total_ns = UINT64_MAX,
        .n_deliveries = UINT64_MAX / 1000000000,
        .cpu_ns = UINT64_MAX,
        .since_ns = 1,
        .has_cpu = true,
        .has_latency = true,
        .p50_ns = UINT64_MAX,
        .p99_ns = UINT64_MAX,
    };
    char line[PROGRESS_MAX];

    (void)state;
    progress_write(line, &largest);
    assert_true(strlen(line) < PROGRESS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_phase_has_its_line),
        cmocka_unit_test(the_largest_numbers_are_cut_off),
    };

    return cmocka_run_group_tests_name("bench/progress", tests, NULL, NULL);
}
