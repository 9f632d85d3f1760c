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
         "f.yaml:2:42: routes[0].copy_headers: is for routes with send_to only, expected one\n"},
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
        cmocka_unit_test(an_issuer_has_exactly_the_key_its_algorithms_need),
        cmocka_unit_test(somebody_must_get_in_everywhere),
        cmocka_unit_test(an_admin_listener_for_others_needs_a_key),
        cmocka_unit_test(a_query_parameter_is_a_plain_name),
    };

    return cmocka_run_group_tests_name("gateway/config/check", tests, NULL, NULL);
}
