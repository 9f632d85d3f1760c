#include "tests/gateway/config/loading.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define SHA256 "0000000000000000000000000000000000000000000000000000000000000000"
#define NOBODY                                                                                     \
    "auth: nobody could get in, expected auth.issuers, auth.anonymous: true, or anonymous: true "  \
    "at every endpoint\n"
#define PATH_EXPECTED "expected a path such as /ws, starting with a slash, without ? # or spaces\n"

static void what_does_not_go_together_is_an_error(void **state)
{
    const struct {
        const char *yaml, *errors;
    } rows[] = {
        {"listeners: [{address: 'h:1'}, {address: 'H:1'}]",
         "f.yaml:2:41: listeners[1].address: is the address of listeners[0] as well, expected "
         "another\n"},
        {"listeners: [{address: '127.0.0.1:9090'}]",
         "f.yaml:2:23: listeners[0].address: is the address of admin.listen as well, expected "
         "another\n"},
        {"listeners: [{tls: false}]", "f.yaml:2:13: listeners[0].address: is missing, expected an "
                                      "address such as 127.0.0.1:8080 or [::1]:8080\n"},
        {"listeners: [{address: 'h:1', tls: true}]",
         "f.yaml:2:35: listeners[0].tls: has no certificate, expected tls.certificates\n"},
        {"tls: {certificates: [{certificate: /nonexistent, key: /}]}",
         "f.yaml:2:36: tls.certificates[0].certificate: \"/nonexistent\": No such file or "
         "directory, expected a file that can be read\n"
         "f.yaml:2:55: tls.certificates[0].key: \"/\": Is a directory, expected a file that can be "
         "read\n"},
        {"admin: {listen: '0.0.0.0:1'}",
         "f.yaml:2:17: admin.listen: is no loopback address, so that others could push and read "
         "metrics: expected a key in admin.api_keys\n"},
        {"admin: {api_keys: [{name: a, sha256: "
         "0000000000000000000000000000000000000000000000000000000000000000}, {name: a, sha256: "
         "0000000000000000000000000000000000000000000000000000000000000001}]}",
         "f.yaml:2:112: admin.api_keys[1].name: is the name of admin.api_keys[0] as well, expected "
         "another\n"},
        {"endpoints: [{path: /a}, {path: /a}]",
         "f.yaml:2:32: endpoints[1].path: is the path of endpoints[0] as well, expected another\n"},
        {"endpoints: [{path: 'a'}]", "f.yaml:2:20: endpoints[0].path: got \"a\", " PATH_EXPECTED},
        {"endpoints: [{path: '/a?b'}]",
         "f.yaml:2:20: endpoints[0].path: got \"/a?b\", " PATH_EXPECTED},
        {"endpoints: [{path: /a, prefix: x}]",
         "f.yaml:2:32: endpoints[0].prefix: is for protocol echo only, expected it left out\n"},
        {"endpoints: [{path: /a, protocol: echo, echo_to_sender: false}]",
         "f.yaml:2:56: endpoints[0].echo_to_sender: is for protocol broadcast only, expected it "
         "left out\n"},
        {"endpoints: [{path: /a, allowed_origins: ['*', 'null', https://a/, https://a/b, a.com]}]",
         "f.yaml:2:41: endpoints[0].allowed_origins: got \"https://a/b\", expected an origin such "
         "as https://app.example.com, or *\n"
         "f.yaml:2:41: endpoints[0].allowed_origins: got \"a.com\", expected an origin such as "
         "https://app.example.com, or *\n"},
        {"routes: [{destination: /a}, {destination: /a}]",
         "f.yaml:2:43: routes[1].destination: is the destination of routes[0] as well, expected "
         "another\n"},
        {"routes: [{destination: /a, mode: echo, send_to: /b}]",
         "f.yaml:2:49: routes[0].send_to: does not go with mode echo, expected it left out\n"},
        {"routes: [{destination: /a, prefix: b}]",
         "f.yaml:2:36: routes[0].prefix: is for mode echo only, expected it left out\n"},
        {"routes: [{destination: /a, copy_headers: [b]}]",
         "f.yaml:2:42: routes[0].copy_headers: is for routes with send_to or send_to_user only, "
         "expected one\n"},
        {"broker: {error_destination: /topic/errors}",
         "f.yaml:2:29: broker.error_destination: got \"/topic/errors\", where others could "
         "subscribe, expected one below \"/user/\"\n"},
        {"broker: {error_destination: /user/queue/errors, user_destination_prefix: /me}",
         "f.yaml:2:29: broker.error_destination: got \"/user/queue/errors\", where others could "
         "subscribe, expected one below \"/me/\"\n"},
        {"broker: {selector_header: id}",
         "f.yaml:2:27: broker.selector_header: got \"id\", which SUBSCRIBE has anyway, expected "
         "another name\n"},
        {"transport: {process_buffer_limit: 1MiB, send_buffer_size_limit: 2MiB}",
         "f.yaml:2:65: transport.send_buffer_size_limit: is more than "
         "transport.process_buffer_limit, expected at most 1MiB\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char yaml[512];

        (void)snprintf(yaml, sizeof(yaml), OPEN "%s\n", rows[i].yaml);
        assert_errors(yaml, NULL, rows[i].errors);
    }
}

static void what_a_route_says_goes_together(void **state)
{
    const struct {
        const char *route, *errors;
    } rows[] = {
        {"destination: '/app/{room}/{id:[0-9]+}', send_to: '/topic/{room}.{id}.{user}', "
         "send_to_user: '/queue/{session}', broadcast: false, headers: {x-a: '{room}{user}'}, "
         "on_subscribe: {last_of: '/topic/{room}'}",
         ""},
        {"destination: /app/a, on_subscribe: {body: '{\"no\": [\"template\"', content_type: "
         "application/json}",
         ""},
        {"destination: '/user/a'", "f.yaml:2:24: routes[0].destination: got \"/user/a\", which is "
                                   "below broker.user_destination_prefix and so belongs to a "
                                   "user, expected another\n"},
        {"destination: '/app/{a'",
         "f.yaml:2:24: routes[0].destination: got \"/app/{a\" with a { without a name or a }, "
         "expected variables such as {room}\n"},
        {"destination: '/app/{a}/{b', send_to: '/{anything}'",
         "f.yaml:2:24: routes[0].destination: got \"/app/{a}/{b\" with a { without a name or a }, "
         "expected variables such as {room}\n"},
        {"destination: '/app/{user}'",
         "f.yaml:2:24: routes[0].destination: has the variable \"user\", which stands for the "
         "sender's own, expected another name\n"},
        {"destination: '/app/{a}/{a}', send_to: '/{a}'", ""}, /* one of both, as in Spring */
        {"destination: '/app/{a:(x)y}'",
         "f.yaml:2:24: routes[0].destination: got \"/app/{a:(x)y}\", whose variables cannot be "
         "told: expected names that do not begin with *, and no groups of their own in regular "
         "expressions but (?:...)\n"},
        {"destination: '/app/{}'",
         "f.yaml:2:24: routes[0].destination: got \"/app/{}\" with a { without a name or a }, "
         "expected variables such as {room}\n"},
        {"destination: '/{a}{b}{c}{d}{e}{f}{g}{h}{i}{j}{k}{l}{m}{n}{o}{p}{q}'",
         "f.yaml:2:24: routes[0].destination: has 17 variables, expected at most 16\n"},
        {"destination: '/app/{room}', send_to: '/topic/{rom}'",
         "f.yaml:2:48: routes[0].send_to: got \"/topic/{rom}\" with the variable \"rom\", expected "
         "one of room, user or session\n"},
        {"destination: /app/a, send_to: '/topic/{a}'",
         "f.yaml:2:41: routes[0].send_to: got \"/topic/{a}\" with the variable \"a\", expected one "
         "of user or session\n"},
        {"destination: /app/a, send_to: '/topic/{user'",
         "f.yaml:2:41: routes[0].send_to: got \"/topic/{user\" with a { without a }, expected "
         "places such as {user}\n"},
        {"destination: /app/a, send_to_user: '/queue/{}'",
         "f.yaml:2:46: routes[0].send_to_user: got \"/queue/{}\" with a {} without a name, "
         "expected places such as {user}\n"},
        {"destination: /app/a, send_to_user: queue/reply",
         "f.yaml:2:46: routes[0].send_to_user: got \"queue/reply\", expected it to start with a "
         "slash: /queue/reply\n"},
        {"destination: /app/a, mode: echo, send_to_user: /queue/reply",
         "f.yaml:2:58: routes[0].send_to_user: does not go with mode echo, expected it left "
         "out\n"},
        {"destination: /app/a, broadcast: true",
         "f.yaml:2:43: routes[0].broadcast: is for routes with send_to_user only, expected one\n"},
        {"destination: /app/a, send_to_user: /b, copy_headers: [a]", ""},
        {"destination: /app/a, headers: {Content-Length: 5, x-a: '{b}'}",
         "f.yaml:2:41: routes[0].headers: \"Content-Length\" is a header that has a meaning of its "
         "own, expected another name\n"
         "f.yaml:2:41: routes[0].headers: got \"{b}\" with the variable \"b\", expected one of "
         "user "
         "or session\n"},
        {"destination: /app/a, on_subscribe: {body: b, last_of: /c}",
         "f.yaml:2:65: routes[0].on_subscribe.last_of: stands beside a body, expected one of "
         "them\n"},
        {"destination: /app/a, on_subscribe: {content_type: text/plain}",
         "f.yaml:2:61: routes[0].on_subscribe.content_type: is for a body only, expected one\n"},
        {"destination: /app/a, on_subscribe: {last_of: '/{b}'}",
         "f.yaml:2:56: routes[0].on_subscribe.last_of: got \"/{b}\" with the variable \"b\", "
         "expected one of user or session\n"},
        {"destination: /app/a, mode: echo, on_subscribe: {body: b}",
         "f.yaml:2:38: routes[0].mode: keeps messages where on_subscribe lets nobody subscribe, "
         "expected send_to, send_to_user, or the mode left out\n"},
        {"destination: /app/a, send_to: '', on_subscribe: {body: b}, mode: broadcast",
         "f.yaml:2:41: routes[0].send_to: got \"\", expected one line of 1 to 1024 bytes\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char yaml[512];

        (void)snprintf(yaml, sizeof(yaml), OPEN "routes: [{%s}]\n", rows[i].route);
        if (rows[i].errors[0] == '\0')
            unload(load_good(yaml, NULL));
        else
            assert_errors(yaml, NULL, rows[i].errors);
    }
}

static void a_slow_consumers_policy_has_what_it_needs_and_no_more(void **state)
{
    const struct {
        const char *item, *errors;
    } rows[] = {
        {"destinations: [/a], policy: disconnect", ""},
        {"destinations: [/a], policy: drop_oldest, max_messages: 1, max_bytes: 1KiB", ""},
        {"destinations: [/a], policy: latest, key_header: k, max_messages: 1000000", ""},
        {"destinations: [/a], policy: drop_oldest, key_header: k",
         "f.yaml:2:81: broker.slow_consumers[0].key_header: is for the policy latest only, "
         "expected it left out\n"},
        {"destinations: [/a], policy: disconnect, max_messages: 5, max_bytes: 1KiB",
         "f.yaml:2:82: broker.slow_consumers[0].max_messages: does not go with the policy "
         "disconnect, whose limit is transport.send_buffer_size_limit, expected it left out\n"
         "f.yaml:2:96: broker.slow_consumers[0].max_bytes: does not go with the policy "
         "disconnect, whose limit is transport.send_buffer_size_limit, expected it left out\n"},
        {"destinations: [/a], policy: drop, key_header: k",
         "f.yaml:2:56: broker.slow_consumers[0].policy: got \"drop\", expected one of disconnect, "
         "drop_oldest, latest\n"},
        {"destinations: [/a], policy: latest, max_messages: 0",
         "f.yaml:2:78: broker.slow_consumers[0].max_messages: got \"0\", expected a whole number, "
         "1 to "
         "1000000\n"},
        {"destinations: [/a]", "f.yaml:2:27: broker.slow_consumers[0].policy: is missing, expected "
                               "one of disconnect, drop_oldest, latest\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char yaml[512];

        (void)snprintf(yaml, sizeof(yaml), OPEN "broker: {slow_consumers: [{%s}]}\n", rows[i].item);
        if (rows[i].errors[0] == '\0')
            unload(load_good(yaml, NULL));
        else
            assert_errors(yaml, NULL, rows[i].errors);
    }
}

static void patterns_compile_wherever_they_stand(void **state)
{
    const struct {
        const char *yaml, *where;
    } rows[] = {
        {"broker: {sequence: [/a/*, '/{a:[}']}", "f.yaml:2:20: broker.sequence"},
        {"broker: {queues: [{destinations: ['/{a:[}'], mode: fanout}]}",
         "f.yaml:2:34: broker.queues[0].destinations"},
        {"broker: {slow_consumers: [{destinations: ['/{a:[}'], policy: latest}]}",
         "f.yaml:2:42: broker.slow_consumers[0].destinations"},
        {"routes: [{destination: '/{a:[}'}]", "f.yaml:2:24: routes[0].destination"},
        {"access: [{destinations: ['/{a:[}'], allow: all}]", "f.yaml:2:25: access[0].destinations"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char yaml[256], start[256];
        struct loaded *l;

        (void)snprintf(yaml, sizeof(yaml), OPEN "%s\n", rows[i].yaml);
        (void)snprintf(
            start, sizeof(start),
            "%s: got \"/{a:[}\", expected an Ant pattern such as /topic/*: ", rows[i].where);
        l = load(yaml, NULL, NULL, 0);
        if (l->config != NULL || l->errors.total != 1 ||
            !slice_starts_with(slice_str(l->printed), slice_str(start)))
            fail_msg("%s: %s", yaml, l->printed);
        unload(l);
    }
}

static void an_issuer_has_exactly_the_key_its_algorithms_need(void **state)
{
    const struct {
        const char *issuer, *errors;
    } rows[] = {
        {"secret: " SECRET ", algorithms: [HS256]", ""},
        {"public_key: /dev/null, algorithms: [RS256, ES256]", ""},
        {"issuer: x", "f.yaml:1:18: auth.issuers[0]: has no key, expected secret (HS256) or "
                      "public_key (RS256, ES256)\n"},
        {"secret: " SECRET ", public_key: /dev/null",
         "f.yaml:1:73: auth.issuers[0].public_key: stands beside a secret, expected one key: write "
         "two issuers\n"},
        {"secret: " SECRET ", algorithms: [HS256, RS256]",
         "f.yaml:1:73: auth.issuers[0].algorithms: RS256 and ES256 need public_key, expected HS256 "
         "alone with a secret\n"},
        {"public_key: /dev/null, algorithms: [HS256]",
         "f.yaml:1:54: auth.issuers[0].algorithms: HS256 needs secret, expected RS256 or ES256 "
         "with a public key\n"},
        {"secret: 0123456789abcdef0123456789abcde",
         "f.yaml:1:27: auth.issuers[0].secret: got a secret of 31 bytes, expected at least 32 for "
         "HS256\n"},
        {"public_key: /nonexistent",
         "f.yaml:1:31: auth.issuers[0].public_key: \"/nonexistent\": No such file or directory, "
         "expected a file that can be read\n"},
        {"secret: " SECRET ", audience: []",
         "f.yaml:1:71: auth.issuers[0].audience: is empty, expected a list of strings of 1 to 1024 "
         "bytes; leave the setting out for the default\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char yaml[512];

        (void)snprintf(yaml, sizeof(yaml), "auth: {issuers: [{%s}]}\n", rows[i].issuer);
        if (rows[i].errors[0] == '\0')
            unload(load_good(yaml, NULL));
        else
            assert_errors(yaml, NULL, rows[i].errors);
    }
}

static void somebody_must_get_in_everywhere(void **state)
{
    const char *const good[] = {
        "auth: {anonymous: true}",
        "auth: {issuers: [{secret: " SECRET "}]}",
        "endpoints: [{path: /a, anonymous: true}, {path: /b, anonymous: true}]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        unload(load_good(good[i], NULL));
    assert_errors("", NULL, "f.yaml:1:1: " NOBODY);
    assert_errors("log: {level: info}\nauth: {anonymous: false}", NULL, "f.yaml:2:1: " NOBODY);
    assert_errors("endpoints: [{path: /a, anonymous: true}, {path: /b}]", NULL,
                  "f.yaml:1:1: " NOBODY);
}

static void an_admin_listener_for_others_needs_a_key(void **state)
{
    const char *const good[] = {
        "admin: {listen: ''}",
        "admin: {listen: 'localhost:9090'}",
        "admin: {listen: '0.0.0.0:9090', api_keys: [{name: a, sha256: " SHA256 "}]}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        char yaml[512];

        (void)snprintf(yaml, sizeof(yaml), OPEN "%s\n", good[i]);
        unload(load_good(yaml, NULL));
    }
}

static void a_query_parameter_is_a_plain_name(void **state)
{
    (void)state;
    assert_errors("auth: {anonymous: true, query_parameter: 'a&b'}", NULL,
                  "f.yaml:1:42: auth.query_parameter: got \"a&b\", expected a name of letters, "
                  "digits and - . _ ~, such as access_token\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_go_together_is_an_error),
        cmocka_unit_test(what_a_route_says_goes_together),
        cmocka_unit_test(a_slow_consumers_policy_has_what_it_needs_and_no_more),
        cmocka_unit_test(patterns_compile_wherever_they_stand),
        cmocka_unit_test(an_issuer_has_exactly_the_key_its_algorithms_need),
        cmocka_unit_test(somebody_must_get_in_everywhere),
        cmocka_unit_test(an_admin_listener_for_others_needs_a_key),
        cmocka_unit_test(a_query_parameter_is_a_plain_name),
    };

    return cmocka_run_group_tests_name("gateway/config/check", tests, NULL, NULL);
}
