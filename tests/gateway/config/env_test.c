#include "tests/gateway/config/loading.h"

#define SECRET "0123456789abcdef0123456789abcdef"

static void variables_win_over_the_file(void **state)
{
    const char *const env[] = {"STOMPGATE_BROKER_HEARTBEAT=0,1s",
                               "STOMPGATE_ENDPOINTS_1_PATH=/new",
                               "STOMPGATE_BROKER_DESTINATION_PREFIXES=/topic, /queue",
                               "PATH=/bin",
                               "STOMPGATE=x",
                               NULL};
    struct loaded *l = load_good(OPEN "broker: {heartbeat: '5,5', destination_prefixes: [/a]}\n"
                                      "endpoints: [{path: /a}, {path: /b, protocol: echo}]\n",
                                 env);
    const struct config *c = l->config;

    (void)state;
    assert_int_equal(c->broker.heartbeat_send_ms, 0);
    assert_int_equal(c->broker.heartbeat_receive_ms, 1000);
    assert_slice(c->endpoints[0].path, "/a");
    assert_slice(c->endpoints[1].path, "/new");
    assert_int_equal(c->endpoints[1].protocol, CONFIG_PROTOCOL_ECHO);
    assert_int_equal(c->broker.destination_prefixes.n, 2);
    assert_slice(c->broker.destination_prefixes.items[1], "/queue");
    unload(l);
}

static void items_may_come_from_variables_alone_in_any_order(void **state)
{
    const char *const env[] = {"STOMPGATE_ENDPOINTS_1_PATH=/b",
                               "STOMPGATE_ENDPOINTS_1_ALLOWED_ORIGIN_PATTERNS=http://a:[1,2],*",
                               "STOMPGATE_ENDPOINTS_0_PATH=/a",
                               "STOMPGATE_ENDPOINTS_0_ANONYMOUS=true",
                               "STOMPGATE_AUTH_ISSUERS_0_SECRET=" SECRET,
                               "STOMPGATE_ENDPOINTS_2_PATH=/c",
                               NULL};
    struct loaded *l = load_good("", env);
    const struct config *c = l->config;

    (void)state;
    assert_int_equal(c->n_endpoints, 3);
    assert_slice(c->endpoints[0].path, "/a");
    assert_slice(c->endpoints[1].path, "/b");
    assert_slice(c->endpoints[2].path, "/c");
    assert_int_equal(c->endpoints[1].allowed_origin_patterns.n, 2);
    assert_slice(c->endpoints[1].allowed_origin_patterns.items[0], "http://a:[1,2]");
    assert_slice(c->auth.issuers[0].secret, SECRET);
    unload(l);
}

static void wrong_variables_are_errors(void **state)
{
    const struct {
        const char *variable, *errors;
    } rows[] = {
        {"STOMPGATE_WORKERS=0",
         "environment STOMPGATE_WORKERS: workers: got \"0\", expected a whole number, 1 to 64\n"},
        {"STOMPGATE_WORKER=1",
         "environment STOMPGATE_WORKER: unknown variable, did you mean STOMPGATE_WORKERS?\n"},
        {"STOMPGATE_AUTH_ISSUERS_3_SECRT=x", "environment STOMPGATE_AUTH_ISSUERS_3_SECRT: unknown "
                                             "variable, did you mean "
                                             "STOMPGATE_AUTH_ISSUERS_3_SECRET?\n"},
        {"STOMPGATE_QWERTYUIOPASDFGHJKL=x",
         "environment STOMPGATE_QWERTYUIOPASDFGHJKL: unknown variable, expected one that "
         "docs/configuration.md names\n"},
        {"STOMPGATE_CLUSTER_URL=x", "environment STOMPGATE_CLUSTER_URL: is not built in this "
                                    "version, expected it unset\n"},
        {"STOMPGATE_ROUTES_1_DESTINATION=/x",
         "environment STOMPGATE_ROUTES_1_DESTINATION: routes[1].destination: leaves a gap: the "
         "list "
         "has 0 items so far, expected an index of at most 0\n"},
        {"STOMPGATE_ROUTES_0_SEND_TO=/x",
         "environment STOMPGATE_ROUTES_0_SEND_TO: routes[0].destination: is missing, expected one "
         "line of 1 to 1024 bytes\n"},
        {"STOMPGATE_LOG_LEVEL_FILE=/x", "environment STOMPGATE_LOG_LEVEL_FILE: unknown variable, "
                                        "did you mean STOMPGATE_LOG_LEVEL?\n"},
        {"STOMPGATE_ACCESS_0_OPERATIONS=",
         "environment STOMPGATE_ACCESS_0_OPERATIONS: access[0].operations: is empty, expected a "
         "list of some of connect, send, subscribe; leave the setting out for the default\n"
         "environment STOMPGATE_ACCESS_0_OPERATIONS: access[0].allow: is missing, expected one of "
         "all, none, authenticated\n"},
        {"STOMPGATE_BROKER_DESTINATION_PREFIXES=/a,",
         "environment STOMPGATE_BROKER_DESTINATION_PREFIXES: broker.destination_prefixes: got "
         "\"\", expected a list of strings of 1 to 1024 bytes\n"},
        {"STOMPGATE_BROKER_USER_DESTINATION_PREFIX=/\xff",
         "environment STOMPGATE_BROKER_USER_DESTINATION_PREFIX: broker.user_destination_prefix: "
         "got \"/\\xff\", expected one line of 1 to 256 bytes\n"},
        {"STOMPGATE_PORT=8080", "environment STOMPGATE_PORT: unknown variable, expected one that "
                                "docs/configuration.md names\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *const env[] = {rows[i].variable, NULL};

        assert_errors(OPEN, env, rows[i].errors);
    }
}

static void variables_of_others_are_left_alone(void **state)
{
    const char *const env[] = {"STOMPGATE_TEST_ENGINE=x",
                               "STOMPGATE_FUZZ_SECONDS=1",
                               "STOMPGATE_BENCH_PEER=bun",
                               "STOMPGATE_SERVICE_HOST=10.0.0.1",
                               "STOMPGATE_SERVICE_PORT=8080",
                               "STOMPGATE_SERVICE_PORT_HTTP=8080",
                               "STOMPGATE_PORT=tcp://10.0.0.1:8080",
                               "STOMPGATE_PORT_8080_TCP=tcp://10.0.0.1:8080",
                               "STOMPGATE_PORT_8080_TCP_ADDR=10.0.0.1",
                               "STOMPGATE_ADMIN_SERVICE_HOST=10.0.0.1",
                               "STOMPGATE_ADMIN_PORT_9090_TCP_PROTO=tcp",
                               NULL};

    (void)state;
    unload(load_good(OPEN, env));
}

static void secrets_come_from_files_too(void **state)
{
    const char *const endings[] = {"", "\n", "\r\n"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char text[128], variable[128];
        const char *env[] = {variable, NULL};
        char *path;
        struct loaded *l;

        (void)snprintf(text, sizeof(text), SECRET " %s", endings[i]);
        path = temporary_file(slice_str(text));
        (void)snprintf(variable, sizeof(variable), "STOMPGATE_AUTH_ISSUERS_0_SECRET_FILE=%s", path);
        l = load_good("", env);
        assert_slice(l->config->auth.issuers[0].secret, SECRET " ");
        unload(l);
        remove_file(path);
    }
}

static void a_key_s_hash_may_come_from_a_file(void **state)
{
    char *path = temporary_file(
        slice_str("ab00000000000000000000000000000000000000000000000000000000000000\n"));
    char variable[128];
    const char *env[] = {"STOMPGATE_ADMIN_API_KEYS_0_NAME=backend", variable, NULL};
    struct loaded *l;

    (void)state;
    (void)snprintf(variable, sizeof(variable), "STOMPGATE_ADMIN_API_KEYS_0_SHA256_FILE=%s", path);
    l = load_good(OPEN, env);
    assert_int_equal(l->config->admin.api_keys[0].sha256[0], 0xab);
    assert_int_equal(l->config->admin.api_keys[0].roles, CONFIG_ROLE_PUBLISH | CONFIG_ROLE_METRICS);
    unload(l);
    remove_file(path);
}

static void a_secret_and_its_file_are_too_much(void **state)
{
    const char *const env[] = {"STOMPGATE_AUTH_ISSUERS_0_SECRET_FILE=/dev/null",
                               "STOMPGATE_AUTH_ISSUERS_0_SECRET=" SECRET, NULL};

    (void)state;
    assert_errors("", env,
                  "environment STOMPGATE_AUTH_ISSUERS_0_SECRET_FILE: auth.issuers[0].secret: is "
                  "set by this variable and by \"STOMPGATE_AUTH_ISSUERS_0_SECRET\", expected one "
                  "of them\n");
}

static void a_secret_s_file_must_be_readable_and_not_empty(void **state)
{
    const char *const missing[] = {"STOMPGATE_AUTH_ISSUERS_0_SECRET_FILE=/nonexistent", NULL};
    const char *const empty[] = {"STOMPGATE_AUTH_ISSUERS_0_SECRET_FILE=/dev/null", NULL};
    const char *const folder[] = {"STOMPGATE_AUTH_ISSUERS_0_SECRET_FILE=/", NULL};

    (void)state;
    assert_errors("", missing,
                  "environment STOMPGATE_AUTH_ISSUERS_0_SECRET_FILE: auth.issuers[0].secret: "
                  "\"/nonexistent\": No such file or directory, expected a file\n");
    assert_errors("", empty,
                  "environment STOMPGATE_AUTH_ISSUERS_0_SECRET_FILE: auth.issuers[0].secret: got 0 "
                  "bytes, expected a secret of 1 to 65536 bytes\n");
    assert_errors("", folder,
                  "environment STOMPGATE_AUTH_ISSUERS_0_SECRET_FILE: auth.issuers[0].secret: "
                  "\"/\": Is a directory, expected a file\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_win_over_the_file),
        cmocka_unit_test(items_may_come_from_variables_alone_in_any_order),
        cmocka_unit_test(wrong_variables_are_errors),
        cmocka_unit_test(variables_of_others_are_left_alone),
        cmocka_unit_test(secrets_come_from_files_too),
        cmocka_unit_test(a_key_s_hash_may_come_from_a_file),
        cmocka_unit_test(a_secret_and_its_file_are_too_much),
        cmocka_unit_test(a_secret_s_file_must_be_readable_and_not_empty),
    };

    return cmocka_run_group_tests_name("gateway/config/env", tests, NULL, NULL);
}
