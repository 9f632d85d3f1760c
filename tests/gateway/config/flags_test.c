#include "tests/gateway/config/loading.h"

static void later_sources_win(void **state)
{
    const char *yaml = OPEN "log: {level: warn}\nworkers: 2\ntransport: {ping_interval: 1s}\n";
    const char *const env[] = {"STOMPGATE_WORKERS=3", "STOMPGATE_TRANSPORT_PING_INTERVAL=2s", NULL};
    const char *const flags[] = {"transport.ping_interval=9s", "transport.ping_interval=3s",
                                 "endpoints[0].path=/flag", "routes[0].destination=/a=b"};
    struct loaded *l = load(yaml, env, flags, 4);

    (void)state;
    assert_non_null(l->config);
    assert_int_equal(l->config->transport.send_time_limit_ms, 10000); /* default */
    assert_int_equal(l->config->log.level, CONFIG_LOG_WARN);          /* file */
    assert_int_equal(l->config->workers, 3);                          /* environment */
    assert_int_equal(l->config->transport.ping_interval_ms, 3000);    /* the last flag */
    assert_int_equal(l->config->n_endpoints, 1);
    assert_slice(l->config->endpoints[0].path, "/flag");
    assert_slice(l->config->routes[0].destination, "/a=b");
    unload(l);
}

static void wrong_flags_are_errors(void **state)
{
    const struct {
        const char *flag, *error;
    } rows[] = {
        {"workers",
         "--set: got \"workers\", expected a name and a value, as in broker.heartbeat=0,0\n"},
        {"workers=x", "--set: workers: got \"x\", expected a whole number, 1 to 64\n"},
        {"worker=1", "--set: worker: unknown setting, did you mean workers?\n"},
        {"endpoint[0].path=/a", "--set: endpoint[0].path: unknown setting, did you mean "
                                "endpoints[0].path?\n"},
        {"endpoints[4].path=/a", "--set: endpoints[4].path: leaves a gap: the list has 0 items so "
                                 "far, expected an index of at most 0\n"},
        {"cluster.url=x", "--set: cluster.url: is not built in this version\n"},
        {"=x", "--set: unknown setting, expected one that docs/configuration.md names\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct loaded *l = load(OPEN, NULL, &rows[i].flag, 1);

        assert_string_equal(l->printed, rows[i].error);
        unload(l);
    }
}

static void a_wrong_value_in_the_file_stays_an_error(void **state)
{
    const char *const flags[] = {"workers=1"};
    struct loaded *l = load(OPEN "workers: x", NULL, flags, 1);

    (void)state;
    assert_null(l->config);
    assert_int_equal(l->errors.n, 1);
    unload(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_sources_win),
        cmocka_unit_test(wrong_flags_are_errors),
        cmocka_unit_test(a_wrong_value_in_the_file_stays_an_error),
    };

    return cmocka_run_group_tests_name("gateway/config/flags", tests, NULL, NULL);
}
