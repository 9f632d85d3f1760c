#include "tests/gateway/config/loading.h"

#define HEX "aa00000000000000000000000000000000000000000000000000000000000055"

static void every_type_reaches_its_field(void **state)
{
    const char *yaml =
        "workers: 3\n"
        "admin: {listen: '[::1]:7', api_keys: [{name: k, sha256: " HEX ", roles: [metrics]}]}\n"
        "listeners: [{address: localhost:1, proxy_protocol: true}]\n"
        "endpoints:\n"
        "  - {path: /e, protocol: echo, prefix: \"서버 응답:\\n\", idle_timeout: 2m}\n"
        "  - {path: /b, protocol: broadcast, echo_to_sender: true, anonymous: true,\n"
        "     message_size_limit: 64MiB, allowed_origins: [https://a, 'http://b:1/'],\n"
        "     allowed_origin_patterns: ['https://*.c:[1,2]']}\n"
        "routes: [{destination: /app/x, send_to: /topic/x, copy_headers: [a, b]},\n"
        "         {destination: /app/y, mode: echo, prefix: 'p '},\n"
        "         {destination: '/app/{z}', send_to_user: '/queue/{z}', broadcast: false,\n"
        "          headers: {x-from: '{user}', x-empty: ''}},\n"
        "         {destination: /app/hello, headers: {},\n"
        "          on_subscribe: {body: \"{}\\n\", content_type: application/json}}]\n"
        "broker:\n"
        "  heartbeat: 5s,0\n"
        "  user_destination_prefix: /me\n"
        "  unknown_destination: error\n"
        "  path_separator: .\n"
        "  selector_header: selector\n"
        "  refusals: soft\n"
        "  error_destination: /me/oops\n"
        "  sequence: [/topic/a.*, /topic/b]\n"
        "  sequence_limit: 1\n"
        "  queues: [{destinations: [/queue/x], mode: fanout},\n"
        "           {destinations: [/queue/**], mode: competing}]\n"
        "  slow_consumers: [{destinations: [/a], policy: latest, key_header: k},\n"
        "                   {destinations: [/b, /c], policy: drop_oldest, max_messages: 7,\n"
        "                    max_bytes: 2KiB}]\n"
        "  queue_limit: {messages: 2, bytes: 3KiB}\n"
        "  last_message_limit: {messages: 4, bytes: 5KiB}\n"
        "  ack_window: 6\n"
        "  cache_limit: 17\n"
        "  max_patterns: 0\n"
        "transport: {max_patterns_per_session: 0, max_transactions_per_session: 7,\n"
        "            max_transaction_frames: 8, max_transaction_bytes: 9KiB}\n"
        "auth: {query_parameter: access_token, issuers: [{issuer: i, leeway: 0,\n"
        "  secret: 0123456789abcdef0123456789abcdef, audience: [x]}]}\n"
        "access: [{operations: [send, connect], destinations: [/a/**], allow: none}]\n"
        "log: {level: warn, format: json}\n";
    struct loaded *l = load_good(yaml, NULL);
    const struct config *c = l->config;

    (void)state;
    assert_int_equal(c->workers, 3);
    assert_slice(c->admin.listen, "[::1]:7");
    assert_slice(c->admin.api_keys[0].name, "k");
    assert_int_equal(c->admin.api_keys[0].sha256[0], 0xaa);
    assert_int_equal(c->admin.api_keys[0].sha256[31], 0x55);
    assert_int_equal(c->admin.api_keys[0].roles, CONFIG_ROLE_METRICS);
    assert_slice(c->listeners[0].address, "localhost:1");
    assert_true(c->listeners[0].proxy_protocol);
    assert_false(c->listeners[0].tls);
    assert_int_equal(c->n_endpoints, 2);
    assert_int_equal(c->endpoints[0].protocol, CONFIG_PROTOCOL_ECHO);
    assert_slice(c->endpoints[0].prefix, "서버 응답:\n");
    assert_int_equal(c->endpoints[0].idle_timeout_ms, 120000);
    assert_int_equal(c->endpoints[0].message_size_limit, 65536);
    assert_int_equal(c->endpoints[1].protocol, CONFIG_PROTOCOL_BROADCAST);
    assert_true(c->endpoints[1].echo_to_sender);
    assert_true(c->endpoints[1].anonymous);
    assert_int_equal(c->endpoints[1].message_size_limit, 64 * 1024 * 1024);
    assert_int_equal(c->endpoints[1].allowed_origins.n, 2);
    assert_slice(c->endpoints[1].allowed_origins.items[1], "http://b:1/");
    assert_slice(c->endpoints[1].allowed_origin_patterns.items[0], "https://*.c:[1,2]");
    assert_slice(c->routes[0].send_to, "/topic/x");
    assert_slice(c->routes[0].copy_headers.items[1], "b");
    assert_int_equal(c->routes[1].mode, CONFIG_ROUTE_ECHO);
    assert_slice(c->routes[1].prefix, "p ");
    assert_int_equal(c->broker.heartbeat_send_ms, 5000);
    assert_int_equal(c->broker.heartbeat_receive_ms, 0);
    assert_int_equal(c->routes[2].send_to.len, 0);
    assert_slice(c->routes[2].send_to_user, "/queue/{z}");
    assert_false(c->routes[2].broadcast);
    assert_int_equal(c->routes[2].headers.n, 2);
    assert_slice(c->routes[2].headers.items[0].name, "x-from");
    assert_slice(c->routes[2].headers.items[0].value, "{user}");
    assert_slice(c->routes[2].headers.items[1].value, "");
    assert_true(c->routes[3].broadcast);
    assert_int_equal(c->routes[3].headers.n, 0);
    assert_slice(c->routes[3].on_subscribe.body, "{}\n");
    assert_slice(c->routes[3].on_subscribe.content_type, "application/json");
    assert_slice(c->broker.user_destination_prefix, "/me/");
    assert_int_equal(c->broker.unknown_destination, CONFIG_UNKNOWN_ERROR);
    assert_int_equal(c->broker.path_separator, '.');
    assert_slice(c->broker.selector_header, "selector");
    assert_int_equal(c->broker.refusals, CONFIG_REFUSALS_SOFT);
    assert_slice(c->broker.error_destination, "/me/oops");
    assert_int_equal(c->broker.sequence.n, 2);
    assert_slice(c->broker.sequence.items[0], "/topic/a.*");
    assert_int_equal(c->broker.sequence_limit, 1);
    assert_int_equal(c->broker.n_queues, 2);
    assert_slice(c->broker.queues[0].destinations.items[0], "/queue/x");
    assert_int_equal(c->broker.queues[0].mode, CONFIG_QUEUE_FANOUT);
    assert_int_equal(c->broker.queues[1].mode, CONFIG_QUEUE_COMPETING);
    assert_int_equal(c->broker.n_slow_consumers, 2);
    assert_slice(c->broker.slow_consumers[0].destinations.items[0], "/a");
    assert_int_equal(c->broker.slow_consumers[0].policy, CONFIG_SLOW_LATEST);
    assert_slice(c->broker.slow_consumers[0].key_header, "k");
    assert_int_equal(c->broker.slow_consumers[0].max_messages, 1000);
    assert_int_equal(c->broker.slow_consumers[0].max_bytes, 1 << 20);
    assert_int_equal(c->broker.slow_consumers[1].policy, CONFIG_SLOW_DROP_OLDEST);
    assert_slice(c->broker.slow_consumers[1].key_header, "");
    assert_int_equal(c->broker.slow_consumers[1].max_messages, 7);
    assert_int_equal(c->broker.slow_consumers[1].max_bytes, 2048);
    assert_int_equal(c->broker.queue_limit.messages, 2);
    assert_int_equal(c->broker.queue_limit.bytes, 3072);
    assert_int_equal(c->broker.last_message_limit.messages, 4);
    assert_int_equal(c->broker.last_message_limit.bytes, 5120);
    assert_int_equal(c->broker.ack_window, 6);
    assert_int_equal(c->broker.cache_limit, 17);
    assert_int_equal(c->broker.max_patterns, 0);
    assert_int_equal(c->transport.max_patterns_per_session, 0);
    assert_int_equal(c->transport.max_transactions_per_session, 7);
    assert_int_equal(c->transport.max_transaction_frames, 8);
    assert_int_equal(c->transport.max_transaction_bytes, 9216);
    assert_slice(c->auth.query_parameter, "access_token");
    assert_slice(c->auth.issuers[0].secret, "0123456789abcdef0123456789abcdef");
    assert_int_equal(c->auth.issuers[0].algorithms, 1U << CONFIG_ALGORITHM_HS256);
    assert_int_equal(c->auth.issuers[0].leeway_ms, 0);
    assert_slice(c->auth.issuers[0].user_claim, "sub");
    assert_slice(c->auth.issuers[0].audience.items[0], "x");
    assert_int_equal(c->access[0].operations, CONFIG_SEND | CONFIG_CONNECT);
    assert_slice(c->access[0].destinations.items[0], "/a/**");
    assert_int_equal(c->access[0].allow, CONFIG_ALLOW_NONE);
    assert_int_equal(c->log.level, CONFIG_LOG_WARN);
    assert_int_equal(c->log.format, CONFIG_LOG_JSON);
    unload(l);
}

static void defaults_are_spring_s_and_the_documented_ones(void **state)
{
    struct loaded *l = load_good(OPEN, NULL);
    const struct config *c = l->config;

    (void)state;
    assert_int_equal(c->n_listeners, 1);
    assert_slice(c->listeners[0].address, "0.0.0.0:8080");
    assert_in_range(c->workers, 1, 64);
    assert_slice(c->admin.listen, "127.0.0.1:9090");
    assert_int_equal(c->n_endpoints, 1);
    assert_slice(c->endpoints[0].path, "/ws");
    assert_int_equal(c->endpoints[0].protocol, CONFIG_PROTOCOL_STOMP);
    assert_int_equal(c->endpoints[0].message_size_limit, 65536);
    assert_int_equal(c->endpoints[0].allowed_origins.n, 0);
    assert_int_equal(c->n_routes, 0);
    assert_int_equal(c->broker.destination_prefixes.n, 0);
    assert_int_equal(c->broker.application_destination_prefixes.n, 1);
    assert_slice(c->broker.application_destination_prefixes.items[0], "/app");
    assert_slice(c->broker.user_destination_prefix, "/user/");
    assert_int_equal(c->broker.heartbeat_send_ms, 10000);
    assert_int_equal(c->broker.heartbeat_receive_ms, 10000);
    assert_false(c->broker.error_detail);
    assert_int_equal(c->broker.unknown_destination, CONFIG_UNKNOWN_DROP);
    assert_int_equal(c->broker.path_separator, '/');
    assert_int_equal(c->broker.selector_header.len, 0);
    assert_int_equal(c->broker.refusals, CONFIG_REFUSALS_STRICT);
    assert_slice(c->broker.error_destination, "/user/queue/errors");
    assert_int_equal(c->broker.sequence.n, 0);
    assert_int_equal(c->broker.sequence_limit, 100000);
    assert_int_equal(c->broker.n_queues, 0);
    assert_int_equal(c->broker.queue_limit.messages, 10000);
    assert_int_equal(c->broker.queue_limit.bytes, 64 * 1024 * 1024);
    assert_int_equal(c->broker.last_message_limit.messages, 10000);
    assert_int_equal(c->broker.last_message_limit.bytes, 16 * 1024 * 1024);
    assert_int_equal(c->broker.ack_window, 1000);
    assert_int_equal(c->broker.cache_limit, 10000);
    assert_int_equal(c->broker.max_patterns, 4096);
    assert_int_equal(c->transport.max_patterns_per_session, 32);
    assert_int_equal(c->transport.max_transactions_per_session, 16);
    assert_int_equal(c->transport.max_transaction_frames, 1000);
    assert_int_equal(c->transport.max_transaction_bytes, 1048576);
    assert_int_equal(c->transport.message_size_limit, 65536);
    assert_int_equal(c->transport.send_buffer_size_limit, 524288);
    assert_int_equal(c->transport.send_time_limit_ms, 10000);
    assert_int_equal(c->transport.time_to_first_message_ms, 60000);
    assert_int_equal(c->transport.ping_interval_ms, 30000);
    assert_int_equal(c->transport.max_header_count, 256);
    assert_int_equal(c->auth.query_parameter.len, 0);
    assert_int_equal(c->n_access, 0);
    assert_int_equal(c->log.level, CONFIG_LOG_INFO);
    assert_int_equal(c->log.format, CONFIG_LOG_AUTO);
    assert_false(c->web.demo);
    assert_int_equal(c->drain_time_ms, 5000);
    unload(l);
}

static void every_string_ends_with_a_nul(void **state)
{
    struct loaded *l = load_good("routes: [{destination: /d}]\nauth: {anonymous: true, issuers: "
                                 "[{secret: 0123456789abcdef0123456789abcdef}]}",
                                 NULL);
    const struct config *c = l->config;

    (void)state;
    assert_string_equal(c->routes[0].destination.base, "/d");
    assert_string_equal(c->routes[0].send_to.base, "");
    assert_string_equal(c->routes[0].send_to_user.base, "");
    assert_string_equal(c->routes[0].on_subscribe.body.base, "");
    assert_string_equal(c->auth.issuers[0].issuer.base, "");
    assert_string_equal(c->auth.issuers[0].public_key.base, "");
    assert_string_equal(c->auth.query_parameter.base, "");
    unload(l);
}

static void a_route_of_on_subscribe_alone_takes_nothing_sent(void **state)
{
    const struct {
        const char *route;
        bool has_body, is_for_subscribe_only;
    } rows[] = {
        {"{destination: /a}", false, false},
        {"{destination: /a, on_subscribe: {body: b}}", true, true},
        {"{destination: /a, on_subscribe: {body: ''}}", true, true},
        {"{destination: /a, on_subscribe: {last_of: b}}", false, true},
        {"{destination: /a, on_subscribe: {body: b}, headers: {c: d}}", true, true},
        {"{destination: /a, on_subscribe: {body: b}, mode: broadcast, send_to: /b}", true, false},
        {"{destination: /a, on_subscribe: {body: b}, send_to: /b}", true, false},
        {"{destination: /a, on_subscribe: {last_of: b}, send_to_user: /b}", false, false},
        {"{destination: /a, on_subscribe: ~}", false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char yaml[256];
        struct loaded *l;

        (void)snprintf(yaml, sizeof(yaml), OPEN "routes: [%s]\n", rows[i].route);
        l = load_good(yaml, NULL);
        assert_int_equal(l->config->routes[0].on_subscribe.has_body, rows[i].has_body);
        assert_int_equal(l->config->routes[0].is_for_subscribe_only, rows[i].is_for_subscribe_only);
        unload(l);
    }
}

static void names_with_texts_come_from_a_variable_too(void **state)
{
    const char *const envp[] = {"STOMPGATE_ROUTES_0_HEADERS=x-a={user}=1, x-b={a,b}", NULL};
    const char *const bad[] = {"STOMPGATE_ROUTES_0_HEADERS=x-a=1,x-b", NULL};
    struct loaded *l =
        load_good(OPEN "routes: [{destination: '/{a,b}', headers: {x-c: d}}]\n", envp);

    (void)state;
    assert_int_equal(l->config->routes[0].headers.n, 2);
    assert_slice(l->config->routes[0].headers.items[0].name, "x-a");
    assert_slice(l->config->routes[0].headers.items[0].value, "{user}=1");
    assert_slice(l->config->routes[0].headers.items[1].value, "{a,b}");
    unload(l);
    assert_errors(OPEN "routes: [{destination: /a}]\n", bad,
                  "environment STOMPGATE_ROUTES_0_HEADERS: routes[0].headers: got \"x-b\", "
                  "expected names with one line of 0 to 1024 bytes each, such as {x-a: b}, or "
                  "x-a=b in a flag or variable\n");
}

static void the_error_destination_follows_the_prefix_of_users(void **state)
{
    struct loaded *l = load_good(OPEN "broker: {user_destination_prefix: /me}\n", NULL);

    (void)state;
    assert_slice(l->config->broker.error_destination, "/me/queue/errors");
    unload(l);
}

static void defaults_that_follow_others(void **state)
{
    char *pem = temporary_file(slice_str("x"));
    char yaml[512];
    struct loaded *l;

    (void)state;
    (void)snprintf(yaml, sizeof(yaml),
                   "transport: {message_size_limit: 1MiB}\n"
                   "endpoints: [{path: /a}, {path: /b, message_size_limit: 1KiB}]\n"
                   "auth: {issuers: [{public_key: %s}, {public_key: %s, algorithms: [ES256]}]}\n",
                   pem, pem);
    l = load_good(yaml, NULL);
    assert_int_equal(l->config->endpoints[0].message_size_limit, 1048576);
    assert_int_equal(l->config->endpoints[1].message_size_limit, 1024);
    assert_int_equal(l->config->auth.issuers[0].algorithms,
                     1U << CONFIG_ALGORITHM_RS256 | 1U << CONFIG_ALGORITHM_ES256);
    assert_int_equal(l->config->auth.issuers[1].algorithms, 1U << CONFIG_ALGORITHM_ES256);
    unload(l);
    remove_file(pem);
}

static void wrong_values_name_what_was_expected(void **state)
{
    const struct {
        const char *yaml, *error;
    } rows[] = {
        {"workers: 0", "f.yaml:1:10: workers: got \"0\", expected a whole number, 1 to 64\n"},
        {"workers: four", "f.yaml:1:10: workers: got \"four\", expected a whole number, 1 to 64\n"},
        {"workers: -1", "f.yaml:1:10: workers: got \"-1\", expected a whole number, 1 to 64\n"},
        {"workers: [1]", "f.yaml:1:10: workers: got a list, expected a whole number, 1 to 64\n"},
        {"workers:", "f.yaml:1:9: workers: got nothing, expected a whole number, 1 to 64\n"},
        {"workers: {a: 1}",
         "f.yaml:1:10: workers: got settings, expected a whole number, 1 to 64\n"},
        {"web: {demo: yes}", "f.yaml:1:13: web.demo: got \"yes\", expected true or false\n"},
        {"transport:\n  send_time_limit: 10",
         "f.yaml:2:20: transport.send_time_limit: got \"10\", expected a duration such as 500ms, "
         "10s, 2m or 1h, 10ms to 1h\n"},
        {"transport:\n  send_time_limit: 2h",
         "f.yaml:2:20: transport.send_time_limit: got \"2h\", expected a duration such as 500ms, "
         "10s, 2m or 1h, 10ms to 1h\n"},
        {"transport: {message_size_limit: 65MiB}",
         "f.yaml:1:33: transport.message_size_limit: got \"65MiB\", expected a size such as 65536, "
         "64KiB or 1MiB, 64 to 64MiB\n"},
        {"broker: {heartbeat: 10s}",
         "f.yaml:1:21: broker.heartbeat: got \"10s\", expected two durations such as 10000,10000 "
         "or 10s,10s, each 0 to 24h\n"},
        {"broker:\n  heartbeat: 0,25h",
         "f.yaml:2:14: broker.heartbeat: got \"0,25h\", expected two durations such as 10000,10000 "
         "or 10s,10s, each 0 to 24h\n"},
        {"log: {level: wran}",
         "f.yaml:1:14: log.level: got \"wran\", expected one of debug, info, warn, error; did you "
         "mean warn?\n"},
        {"log: {level: loud}",
         "f.yaml:1:14: log.level: got \"loud\", expected one of debug, info, warn, error\n"},
        {"admin: {listen: 9090}",
         "f.yaml:1:17: admin.listen: got \"9090\", expected an address such as 127.0.0.1:8080 or "
         "[::1]:8080, or an empty text\n"},
        {"admin: {api_keys: [{name: a, sha256: abc}]}",
         "f.yaml:1:38: admin.api_keys[0].sha256: got 3 bytes, expected 64 hex digits, as sha256sum "
         "prints them\n"},
        {"access: [{allow: all, operations: [send, publish, send]}]",
         "f.yaml:1:42: access[0].operations: got \"publish\", expected a list of some of connect, "
         "send, subscribe\n"
         "f.yaml:1:51: access[0].operations: \"send\" stands there twice\n"},
        {"access: [{allow: all, operations: []}]",
         "f.yaml:1:35: access[0].operations: is empty, expected a list of some of connect, send, "
         "subscribe; leave the setting out for the default\n"},
        {"broker: {destination_prefixes: /topic}",
         "f.yaml:1:32: broker.destination_prefixes: got a single value, expected a list of strings "
         "of 1 to 1024 bytes, written as [a, b] or one per line after a dash\n"},
        {"broker: {destination_prefixes: [/a, [], '', ~]}",
         "f.yaml:1:37: broker.destination_prefixes: got a list in a list, expected a list of "
         "strings of 1 to 1024 bytes\n"
         "f.yaml:1:41: broker.destination_prefixes: got \"\", expected a list of strings of 1 to "
         "1024 bytes\n"
         "f.yaml:1:45: broker.destination_prefixes: got nothing in a list, expected a list of "
         "strings of 1 to 1024 bytes\n"},
        {"routes: [{destination: \"/a\\n\"}]",
         "f.yaml:1:24: routes[0].destination: got \"/a\\x0a\", expected one line of 1 to 1024 "
         "bytes\n"},
        {"routes: [{destination: \"/a\\0b\"}]",
         "f.yaml:1:24: routes[0].destination: got \"/a\\x00b\", expected one line of 1 to 1024 "
         "bytes\n"},
        {"endpoints: [{path: /a, sockjs: true}]",
         "f.yaml:1:32: endpoints[0].sockjs: \"true\" is not built in this version, expected "
         "false\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char yaml[256];

        (void)snprintf(yaml, sizeof(yaml), "%s\n" OPEN, rows[i].yaml);
        assert_errors(yaml, NULL, rows[i].error);
    }
}

static void secrets_are_never_shown(void **state)
{
    (void)state;
    assert_errors("auth: {issuers: [{secret: hunter2}]}", NULL,
                  "f.yaml:1:27: auth.issuers[0].secret: got a secret of 7 bytes, expected at least "
                  "32 for HS256\n");
    assert_errors("auth: {issuers: [{secret: \"hunter2\\0\"}]}", NULL,
                  "f.yaml:1:27: auth.issuers[0].secret: got 8 bytes, expected a secret of 1 to "
                  "65536 bytes\n");
    assert_errors("auth: {issuers: [{secret: [hunter2]}]}", NULL,
                  "f.yaml:1:27: auth.issuers[0].secret: got a list, expected a secret of 1 to "
                  "65536 bytes\n");
}

static void a_secret_at_the_place_of_its_hash_or_file_is_not_shown(void **state)
{
    (void)state;
    assert_errors(OPEN "admin: {api_keys: [{name: a, sha256: hunter2}]}", NULL,
                  "f.yaml:2:38: admin.api_keys[0].sha256: got 7 bytes, expected 64 hex digits, as "
                  "sha256sum prints them\n");
    assert_errors(
        OPEN "tls: {certificates: [{certificate: /dev/null, key: \"-----BEGIN\\nhunter2\"}]}", NULL,
        "f.yaml:2:52: tls.certificates[0].key: got 18 bytes, expected the path of a "
        "file\n");
}

static void lists_have_a_bound(void **state)
{
    static char yaml[200000];
    size_t at = (size_t)snprintf(yaml, sizeof(yaml), OPEN "routes:\n");
    struct loaded *l;

    (void)state;
    for (int i = 0; i < 1024; i++)
        at += (size_t)snprintf(yaml + at, sizeof(yaml) - at, "- destination: /%d\n", i);
    l = load_good(yaml, NULL);
    assert_int_equal(l->config->n_routes, 1024);
    unload(l);
    (void)snprintf(yaml + at, sizeof(yaml) - at, "- destination: /x\n- destination: /y\n");
    assert_errors(yaml, NULL, "f.yaml:1027:3: routes: has too many items, expected at most 1024\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_reaches_its_field),
        cmocka_unit_test(defaults_are_spring_s_and_the_documented_ones),
        cmocka_unit_test(every_string_ends_with_a_nul),
        cmocka_unit_test(defaults_that_follow_others),
        cmocka_unit_test(a_route_of_on_subscribe_alone_takes_nothing_sent),
        cmocka_unit_test(names_with_texts_come_from_a_variable_too),
        cmocka_unit_test(the_error_destination_follows_the_prefix_of_users),
        cmocka_unit_test(wrong_values_name_what_was_expected),
        cmocka_unit_test(secrets_are_never_shown),
        cmocka_unit_test(a_secret_at_the_place_of_its_hash_or_file_is_not_shown),
        cmocka_unit_test(lists_have_a_bound),
    };

    return cmocka_run_group_tests_name("gateway/config/draft", tests, NULL, NULL);
}
