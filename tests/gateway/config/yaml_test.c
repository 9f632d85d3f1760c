#include "tests/gateway/config/loading.h"

#define PAIRS_EXPECTED                                                                             \
    "expected names with one line of 0 to 1024 bytes each, such as {x-a: b}, or x-a=b in a flag "  \
    "or variable\n"

#include "base/mem.h"
#include "gateway/config/yaml.h"

static void ten_mistakes_are_ten_errors(void **state)
{
    const char *yaml = "listeners:\n"
                       "  - adress: 0.0.0.0:8080\n"
                       "workers: many\n"
                       "endpoints:\n"
                       "  - path: ws\n"
                       "    protocol: stmop\n"
                       "  - path: /echo\n"
                       "    protocol: echo\n"
                       "    echo_to_sender: true\n"
                       "broker:\n"
                       "  heartbeat: 1,1\n"
                       "  heartbeat: 0,0\n"
                       "transport:\n"
                       "  send_time_limit: 10\n"
                       "cluster:\n"
                       "  url: nats://x\n"
                       "auth:\n"
                       "  issuers:\n"
                       "    - issuer: x\n"
                       "access:\n"
                       "  - operations: [send]\n";

    (void)state;
    assert_errors(
        yaml, NULL,
        "f.yaml:2:5: listeners[0].adress: unknown setting, did you mean address?\n"
        "f.yaml:3:10: workers: got \"many\", expected a whole number, 1 to 64\n"
        "f.yaml:5:11: endpoints[0].path: got \"ws\", expected a path such as /ws, starting with a "
        "slash, without ? # or spaces\n"
        "f.yaml:6:15: endpoints[0].protocol: got \"stmop\", expected one of stomp, echo, "
        "broadcast; did you mean stomp?\n"
        "f.yaml:9:21: endpoints[1].echo_to_sender: is for protocol broadcast only, expected it "
        "left out\n"
        "f.yaml:12:3: broker.heartbeat: stands there twice, expected once\n"
        "f.yaml:14:20: transport.send_time_limit: got \"10\", expected a duration such as 500ms, "
        "10s, 2m or 1h, 10ms to 1h\n"
        "f.yaml:15:1: cluster: is not built in this version, expected it left out\n"
        "f.yaml:19:7: auth.issuers[0]: has no key, expected secret (HS256) or public_key (RS256, "
        "ES256)\n"
        "f.yaml:21:5: access[0].allow: is missing, expected one of all, none, authenticated\n");
}

static void an_empty_document_sets_nothing(void **state)
{
    const char *const env[] = {"STOMPGATE_AUTH_ANONYMOUS=true", NULL};
    const char *const empty[] = {
        "", "# nothing\n", "---\n", "--- ~\n...\n", "{}", "broker:\nauth:\nlog:\n", "routes:\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
        unload(load_good(empty[i], env));
}

static void extras_of_yaml_are_refused(void **state)
{
    const struct {
        const char *yaml, *errors;
    } rows[] = {
        {"web: {demo: &a true}",
         "f.yaml:2:13: an anchor (&) is not allowed, expected plain values\n"},
        {"web: &a {demo: true}",
         "f.yaml:2:6: an anchor (&) is not allowed, expected plain values\n"},
        {"log: {level: &a info}\nweb: {demo: *a}",
         "f.yaml:2:14: an anchor (&) is not allowed, expected plain values\n"
         "f.yaml:3:13: an alias (*) is not allowed, expected plain values\n"},
        {"web: {demo: !!bool true}",
         "f.yaml:2:13: a tag (!) is not allowed, expected plain values\n"},
        {"web: !x {demo: true}", "f.yaml:2:6: a tag (!) is not allowed, expected plain values\n"},
        {"*a : 1", "f.yaml:2:1: an alias (*) is not allowed, expected plain values\n"},
        {"broker: {destination_prefixes: [*a]}",
         "f.yaml:2:33: an alias (*) is not allowed, expected plain values\n"},
        {"? [a]\n: 1", "f.yaml:2:3: got a list as a key, expected the name of a setting\n"},
        {"<<: {a: 1}",
         "f.yaml:2:1: <<: unknown setting, expected one of listeners, workers, admin, endpoints, "
         "routes, broker, transport, auth, access, tls, log, web, shutdown\n"},
        {"...\n---\nworkers: 1", "f.yaml:3:1: a second document begins here, expected one\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char yaml[256];

        (void)snprintf(yaml, sizeof(yaml), OPEN "%s\n", rows[i].yaml);
        assert_errors(yaml, NULL, rows[i].errors);
    }
}

static void values_of_the_wrong_shape_are_refused(void **state)
{
    const struct {
        const char *yaml, *errors;
    } rows[] = {
        {"broker: 5", "f.yaml:2:9: broker: got a single value, expected settings below it\n"},
        {"broker: [a]", "f.yaml:2:9: broker: got a list, expected settings below it\n"},
        {"endpoints: {path: /ws}",
         "f.yaml:2:12: endpoints: got settings, expected a list: each item begins with a dash\n"},
        {"endpoints: [/ws]",
         "f.yaml:2:13: endpoints: got a single value as an item, expected settings of its own\n"},
        {"endpoints: []", "f.yaml:2:12: endpoints: the list is empty, nobody could connect: name "
                          "one, or leave the setting out for /ws\n"},
        {"access:", "f.yaml:2:8: access: got nothing, expected a list: each item begins with a "
                    "dash\n"},
        {"access: []", "f.yaml:2:9: access: the list is empty, it would deny everything: write a "
                       "rule, or leave the setting out to have none\n"},
        {"broker: {}\nbroker: {}", "f.yaml:3:1: broker: stands there twice, expected once\n"},
        {"routes: []\nroutes: []", "f.yaml:3:1: routes: stands there twice, expected once\n"},
        {"endpoints: [{path: /a, path: /b}]",
         "f.yaml:2:24: endpoints[0].path: stands there twice, expected once\n"},
        {"broker.heartbeat: 0,0", "f.yaml:2:1: broker.heartbeat: unknown setting here, did you "
                                  "mean broker.heartbeat, in its own place?\n"},
        {"endpoints[].path: /a", "f.yaml:2:1: endpoints[].path: unknown setting here, did you mean "
                                 "endpoints[].path, in its own place?\n"},
        {"admin: {sha256: a}", "f.yaml:2:9: admin.sha256: unknown setting here, did you mean "
                               "admin.api_keys[].sha256, in its own place?\n"},
        {"transport: {io_uring: yes}",
         "f.yaml:2:23: transport.io_uring: got \"yes\", expected one of auto, on, off\n"},
        {"broker: {relay: [{a: b}]}",
         "f.yaml:2:10: broker.relay: is not built in this version, expected it left out\n"},
        {"broker: {queue_limit: 5}",
         "f.yaml:2:23: broker.queue_limit: got a single value, expected settings below it\n"},
        {"broker: {queue_limit: {messages: 0}}",
         "f.yaml:2:34: broker.queue_limit.messages: got \"0\", expected a whole number, 1 to "
         "100000000\n"},
        {"routes: [{destination: /a}, {destination: /b, on_subscribe: [x]}]",
         "f.yaml:2:61: routes[1].on_subscribe: got a list, expected settings below it\n"},
        {"routes: [{destination: /a}, {destination: /b, on_subscribe: {bodi: x}}]",
         "f.yaml:2:62: routes[1].on_subscribe.bodi: unknown setting, did you mean body?\n"},
        {"routes: [{destination: /a}, {destination: /b, on_subscribe: {body: x, body: y}}]",
         "f.yaml:2:71: routes[1].on_subscribe.body: stands there twice, expected once\n"},
        {"routes: [{destination: /a, headers: [a]}]",
         "f.yaml:2:37: routes[0].headers: got a list, " PAIRS_EXPECTED},
        {"routes: [{destination: /a, headers: a=b}]",
         "f.yaml:2:37: routes[0].headers: got a single value, " PAIRS_EXPECTED},
        {"routes: [{destination: /a, headers: {a: [b], c: ~, d: e}}]",
         "f.yaml:2:38: routes[0].headers: got a list for \"a\", " PAIRS_EXPECTED
         "f.yaml:2:46: routes[0].headers: got nothing for \"c\", " PAIRS_EXPECTED},
        {"routes: [{destination: /a, headers: {[a]: b, {c: d}: {e: f}}}]",
         "f.yaml:2:38: routes[0].headers: got a list as a name, " PAIRS_EXPECTED
         "f.yaml:2:46: routes[0].headers: got settings as a name, " PAIRS_EXPECTED},
        {"routes: [{destination: /a, headers: {a: b, c: d, a: ''}}]",
         "f.yaml:2:50: routes[0].headers: \"a\" stands there twice, expected once\n"},
        {"routes: [{destination: /a, headers: {'': b, c: \"d\\n\"}}]",
         "f.yaml:2:38: routes[0].headers: got \"\" with \"b\", " PAIRS_EXPECTED
         "f.yaml:2:45: routes[0].headers: got \"c\" with \"d\\x0a\", " PAIRS_EXPECTED},
        {"broker: {path_separator: ','}",
         "f.yaml:2:26: broker.path_separator: got \",\", expected one of /, .\n"},
        {"broker: {queues: [{mode: fanout}]}",
         "f.yaml:2:19: broker.queues[0].destinations: is missing, expected a list of strings of 1 "
         "to 1024 bytes\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char yaml[256];

        (void)snprintf(yaml, sizeof(yaml), OPEN "%s\n", rows[i].yaml);
        assert_errors(yaml, NULL, rows[i].errors);
    }
    assert_errors("hello", NULL,
                  "f.yaml:1:1: got a single value, expected settings\n"
                  "f.yaml:1:1: auth: nobody could get in, expected auth.issuers, "
                  "auth.anonymous: true, or anonymous: true at every endpoint\n");
}

static void broken_files_give_one_error_at_the_place(void **state)
{
    const struct {
        struct slice yaml;
        const char *errors;
    } rows[] = {
        {SLICE("workers: 1: c"),
         "f.yaml:1:11: is no valid YAML: mapping values are not allowed in this "
         "context\n"},
        {SLICE("web: {demo: true"), "f.yaml:2:1: is no valid YAML: while parsing a flow mapping, "
                                    "did not find expected ',' or "
                                    "'}'\n"},
        {SLICE("web:\n\tdemo: true"), "f.yaml:2:1: is no valid YAML: while scanning for the next "
                                      "token, found character that cannot start any token\n"},
        {SLICE("web:\n  de\0mo: true"),
         "f.yaml:2:5: is no text in UTF-8: control characters are not allowed\n"},
        {SLICE("# \xc3\xa9\n\xff: 1"),
         "f.yaml:2:1: is no text in UTF-8: invalid leading UTF-8 octet\n"},
        {SLICE("# \xc3\xa9 \xc0\x80"),
         "f.yaml:1:5: is no text in UTF-8: invalid length of a UTF-8 sequence\n"},
        {SLICE("\xff\xfe"
               "a\0"),
         "f.yaml:1:1: is no text in UTF-8: invalid leading UTF-8 octet\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct config_source source = {.path = "f.yaml", .bytes = rows[i].yaml};
        struct config_errors errors;
        char printed[512];
        FILE *out = fmemopen(printed, sizeof(printed), "w");

        config_errors_init(&errors);
        assert_null(config_load(&source, &errors));
        config_errors_print(&errors, out);
        (void)fclose(out);
        assert_string_equal(printed, rows[i].errors);
        config_errors_dispose(&errors);
    }
}

static void mistakes_before_a_broken_place_are_shown_too(void **state)
{
    (void)state;
    assert_errors(
        "log: {level: y}\nshutdown: x\nworkers: 1: c\n", NULL,
        "f.yaml:1:14: log.level: got \"y\", expected one of debug, info, warn, error\n"
        "f.yaml:2:11: shutdown: got a single value, expected settings below it\n"
        "f.yaml:3:11: is no valid YAML: mapping values are not allowed in this context\n");
}

static void depth_and_size_are_bounded(void **state)
{
    char deep[300];
    char *large = mem_alloc(YAML_MAX_BYTES + 2);

    (void)state;
    memset(deep, '[', sizeof(deep));
    memcpy(deep, "x: ", 3);
    deep[sizeof(deep) - 1] = '\0';
    assert_errors(deep, NULL,
                  "f.yaml:1:1: x: unknown setting, expected one of listeners, workers, admin, "
                  "endpoints, routes, broker, transport, auth, access, tls, log, web, shutdown\n"
                  "f.yaml:1:35: is nested too deep, expected at most 32 levels\n");
    memset(large, '#', YAML_MAX_BYTES + 1);
    memcpy(large, OPEN, sizeof(OPEN) - 1);
    large[YAML_MAX_BYTES + 1] = '\0';
    assert_errors(large, NULL, "f.yaml:1:1: is too large, expected at most 1MiB\n");
    large[YAML_MAX_BYTES] = '\0';
    unload(load_good(large, NULL));
    mem_free(large);
}

static void a_misspelt_name_is_not_missing_as_well(void **state)
{
    (void)state;
    assert_errors("auth: {anonymos: true}", NULL,
                  "f.yaml:1:8: auth.anonymos: unknown setting, did you mean anonymous?\n");
    assert_errors("atuh: {anonymous: true}", NULL,
                  "f.yaml:1:1: atuh: unknown setting, did you mean auth?\n");
    assert_errors(OPEN "listeners: [{address: a:1, tls: true}]\ntls: {certificate: []}\n", NULL,
                  "f.yaml:3:7: tls.certificate: unknown setting, did you mean certificates?\n");
}

static void the_key_of_an_error_is_made_safe(void **state)
{
    (void)state;
    assert_errors(OPEN "\"a\\e[31m\": 1\n", NULL,
                  "f.yaml:2:1: a?[31m: unknown setting, expected one of listeners, workers, admin, "
                  "endpoints, routes, broker, transport, auth, access, tls, log, web, shutdown\n");
    assert_errors(OPEN "\"auth\\0\": 1\n", NULL,
                  "f.yaml:2:1: auth: unknown setting, did you mean auth?\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_mistakes_are_ten_errors),
        cmocka_unit_test(an_empty_document_sets_nothing),
        cmocka_unit_test(extras_of_yaml_are_refused),
        cmocka_unit_test(values_of_the_wrong_shape_are_refused),
        cmocka_unit_test(broken_files_give_one_error_at_the_place),
        cmocka_unit_test(mistakes_before_a_broken_place_are_shown_too),
        cmocka_unit_test(depth_and_size_are_bounded),
        cmocka_unit_test(a_misspelt_name_is_not_missing_as_well),
        cmocka_unit_test(the_key_of_an_error_is_made_safe),
    };

    return cmocka_run_group_tests_name("gateway/config/yaml", tests, NULL, NULL);
}
