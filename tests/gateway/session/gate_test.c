#include "tests/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "auth/sign.h"
#include "base/mem.h"
#include "gateway/session/gate.h"

static const struct slice secret = SLICE("a secret of thirty-two bytes, or more");

/* A gate that logs into a pipe. */
struct logged {
    struct log log;
    int fd;
};

static struct logged logged_open(void)
{
    struct logged logged;
    int fds[2];

    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    log_init(&logged.log, fds[1], LOG_LEVEL_DEBUG, false);
    logged.fd = fds[0];
    return logged;
}

/* Closes, and fails unless all that was logged has the text in it (NULL: nothing was logged). */
static void logged_close(struct logged *logged, const char *text)
{
    char lines[4096];
    ssize_t n = read(logged->fd, lines, sizeof(lines) - 1);

    lines[n < 0 ? 0 : n] = '\0';
    if (text == NULL ? n > 0 : strstr(lines, text) == NULL)
        fail_msg("unexpected log: %s", lines);
    (void)close(logged->log.fd);
    (void)close(logged->fd);
}

static char *sign(const char *user, const char *issuer, uint64_t lifetime_s)
{
    char *error = NULL, *token;
    struct auth_key *key = auth_key_from_secret(secret, &error);
    const struct auth_claims claims = {
        .user = slice_str(user),
        .issuer = slice_str(issuer),
        .issued_at_s = (uint64_t)time(NULL) - 100,
        .lifetime_s = lifetime_s,
    };

    assert_non_null(key);
    token = auth_sign(key, &claims, &error);
    assert_non_null(token);
    auth_key_free(key);
    return token;
}

static void a_token_is_judged_by_the_configured_issuers(void **state)
{
    static const struct {
        const char *issuer;
        uint64_t lifetime_s;
        enum auth_status status;
    } rows[] = {
        {"me", 3600, AUTH_OK},
        {"you", 3600, AUTH_ERR_ISSUER},
        {"me", 50, AUTH_ERR_EXPIRED},
    };
    struct config_issuer issuer = {
        .issuer = SLICE("me"),
        .secret = secret,
        .algorithms = 1U << CONFIG_ALGORITHM_HS256,
        .user_claim = SLICE("sub"),
    };
    struct config config = {.auth = {.issuers = &issuer, .n_issuers = 1}};
    struct logged logged = logged_open();
    struct auth_verifier *verifier;
    struct gate gate;
    char *error = NULL;

    (void)state;
    assert_int_equal(gate_init(&gate, &config, &logged.log), 0);
    verifier = auth_verifier_new(gate.keys, &error);
    assert_non_null(verifier);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *token = sign("alice", rows[i].issuer, rows[i].lifetime_s);
        const char *why = NULL;
        enum auth_status status;
        struct auth_identity *identity =
            gate_check_token(verifier, slice_str(token), &why, &status);

        assert_int_equal(status, rows[i].status);
        if (status == AUTH_OK) {
            assert_slice(identity->user, "alice");
        } else {
            assert_null(identity);
            assert_string_equal(why, auth_peer_text(status));
        }
        gate_identity_free(identity);
        mem_free(token);
    }
    auth_verifier_free(verifier);
    gate_dispose(&gate);
    gate_dispose(&gate); /* once more is fine */
    logged_close(&logged, NULL);
}

static void a_key_that_cannot_be_used_is_logged(void **state)
{
    static const struct {
        struct config_issuer issuer;
        const char *logged;
    } rows[] = {
        {{.issuer = SLICE("me"),
          .public_key = SLICE("/nowhere/key.pem"),
          .algorithms = 1U << CONFIG_ALGORITHM_RS256},
         "/nowhere/key.pem"},
        {{.issuer = SLICE("me"),
          .secret = SLICE("a secret of thirty-two bytes, or more"),
          .algorithms = 1U << CONFIG_ALGORITHM_ES256},
         "key_algorithm=HS256"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct config_issuer issuer = rows[i].issuer;
        const struct config config = {.auth = {.issuers = &issuer, .n_issuers = 1}};
        struct logged logged = logged_open();
        struct gate gate;

        assert_int_equal(gate_init(&gate, &config, &logged.log), -1);
        logged_close(&logged, rows[i].logged);
    }
}

static void access_rules_become_those_of_auth(void **state)
{
    struct slice news[] = {SLICE("/topic/news/*")};
    struct config_access_rule rules[] = {
        {.operations = CONFIG_SUBSCRIBE,
         .destinations = {news, 1},
         .allow = CONFIG_ALLOW_AUTHENTICATED},
        {.operations = CONFIG_SEND, .allow = CONFIG_ALLOW_NONE},
        {.operations = CONFIG_CONNECT, .allow = CONFIG_ALLOW_ALL},
    };
    const struct config config = {.access = rules, .n_access = 3};
    struct slice a = slice_str("/topic/news/a");
    struct logged logged = logged_open();
    struct gate gate;

    (void)state;
    assert_int_equal(gate_init(&gate, &config, &logged.log), 0);
    assert_true(auth_access_allows(gate.access, AUTH_SUBSCRIBE, a, true));
    assert_false(auth_access_allows(gate.access, AUTH_SUBSCRIBE, a, false));
    assert_false(auth_access_allows(gate.access, AUTH_SEND, a, true));
    assert_true(auth_access_allows(gate.access, AUTH_CONNECT, slice_str("/ws"), false));
    assert_false(auth_access_allows(gate.access, AUTH_SUBSCRIBE, slice_str("/topic/b"), true));
    gate_dispose(&gate);
    logged_close(&logged, NULL);
}

static void a_rule_with_a_bad_pattern_is_logged(void **state)
{
    struct slice bad[] = {SLICE("/topic/{a:[}")};
    struct config_access_rule rules[] = {
        {.operations = CONFIG_SEND, .destinations = {bad, 1}, .allow = CONFIG_ALLOW_ALL},
    };
    const struct config config = {.access = rules, .n_access = 1};
    struct logged logged = logged_open();
    struct gate gate;

    (void)state;
    assert_int_equal(gate_init(&gate, &config, &logged.log), -1);
    logged_close(&logged, "auth.bad_access_rule");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_judged_by_the_configured_issuers),
        cmocka_unit_test(a_key_that_cannot_be_used_is_logged),
        cmocka_unit_test(access_rules_become_those_of_auth),
        cmocka_unit_test(a_rule_with_a_bad_pattern_is_logged),
    };

    return cmocka_run_group_tests_name("gateway/session/gate", tests, NULL, NULL);
}
