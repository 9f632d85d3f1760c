#include "auth/access.h"

#include "base/mem.h"
#include "tests/test.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ALL (AUTH_CONNECT | AUTH_SEND | AUTH_SUBSCRIBE)

static struct auth_access *compile(const struct auth_access_rule *rules, size_t n)
{
    char *error = NULL;
    struct auth_access *access = auth_access_new(rules, n, ANT_SEPARATOR, &error);

    if (access == NULL)
        fail_msg("%s", error);
    return access;
}

static void without_rules_all_is_allowed(void **state)
{
    struct auth_access *access = compile(NULL, 0);

    (void)state;
    assert_true(auth_access_allows(access, AUTH_CONNECT, slice_str(""), false));
    assert_true(auth_access_allows(access, AUTH_SEND, slice_str("/topic/a"), false));
    assert_true(auth_access_allows(access, AUTH_SUBSCRIBE, slice_str("/**"), false));
    assert_true(auth_access_allows(access, AUTH_SUBSCRIBE, slice_str("/{a:b}"), false));
    auth_access_free(access);
    auth_access_free(NULL);
}

static const struct slice secret[] = {SLICE("/topic/secret"), SLICE("/topic/*/secret/**")};
static const struct slice topics[] = {SLICE("/topic/**")};
static const struct slice own[] = {SLICE("/user/queue/*")};
static const struct slice app[] = {SLICE("/app/**")};
static const struct slice half_a[] = {SLICE("/half/a*"), SLICE("/half/a/**")};
static const struct slice half_b[] = {SLICE("/half/b*")};

static const struct auth_access_rule rules[] = {
    {ALL, AUTH_ALLOW_NONE, secret, 2},
    {AUTH_SUBSCRIBE, AUTH_ALLOW_ALL, topics, 1},
    {AUTH_SUBSCRIBE, AUTH_ALLOW_AUTHENTICATED, own, 1},
    {AUTH_SEND, AUTH_ALLOW_AUTHENTICATED, app, 1},
    {AUTH_CONNECT, AUTH_ALLOW_ALL, NULL, 0},
    {AUTH_SUBSCRIBE, AUTH_ALLOW_ALL, half_a, 2},
    {AUTH_SUBSCRIBE, AUTH_ALLOW_AUTHENTICATED, half_b, 1},
};

static void the_first_matching_rule_decides(void **state)
{
    const struct {
        struct slice destination;
        enum auth_operation operation;
        bool anonymous;
        bool user;
    } asked[] = {
        {SLICE("/topic/a"), AUTH_SUBSCRIBE, true, true},
        {SLICE("/topic/secret"), AUTH_SUBSCRIBE, false, false},
        {SLICE("/topic//secret"), AUTH_SUBSCRIBE, false, false},
        {SLICE("/topic/a/secret/b"), AUTH_SUBSCRIBE, false, false},
        {SLICE("/topic/a/b/secret"), AUTH_SUBSCRIBE, true, true},
        {SLICE("/topic/a"), AUTH_SEND, false, false},
        {SLICE("/app/a"), AUTH_SEND, false, true},
        {SLICE("/app/*"), AUTH_SEND, false, true}, /* sent, it is no pattern */
        {SLICE("/app/a"), AUTH_SUBSCRIBE, false, false},
        {SLICE("/user/queue/a"), AUTH_SUBSCRIBE, false, true},
        {SLICE("/user/queue/a/b"), AUTH_SUBSCRIBE, false, false},
        {SLICE("/elsewhere"), AUTH_SUBSCRIBE, false, false},
        {SLICE("topic/a"), AUTH_SUBSCRIBE, false, false},
        {SLICE(""), AUTH_SUBSCRIBE, false, false},
        {SLICE("/ws"), AUTH_CONNECT, true, true},
        {SLICE(""), AUTH_CONNECT, true, true},
        /* Patterns: all of it must be allowed. */
        {SLICE("/topic/a*"), AUTH_SUBSCRIBE, true, true},
        {SLICE("/topic/a/**"), AUTH_SUBSCRIBE, false, false}, /* /topic/a/secret */
        {SLICE("/topic/*"), AUTH_SUBSCRIBE, false, false},
        {SLICE("/topic/**"), AUTH_SUBSCRIBE, false, false},
        {SLICE("/topic/s?????"), AUTH_SUBSCRIBE, false, false},
        {SLICE("/topic/s????"), AUTH_SUBSCRIBE, true, true},
        {SLICE("/topic/{name}"), AUTH_SUBSCRIBE, false, false},
        {SLICE("/topic/x{name}"), AUTH_SUBSCRIBE, true, true},
        {SLICE("/topic/{name:[a-z]+}"), AUTH_SUBSCRIBE, false, false},
        {SLICE("/**"), AUTH_SUBSCRIBE, false, false},
        {SLICE("**"), AUTH_SUBSCRIBE, false, false},
        {SLICE("*/**"), AUTH_SUBSCRIBE, false, false},
        {SLICE("/user/queue/*"), AUTH_SUBSCRIBE, false, true},
        {SLICE("/user/queue/**"), AUTH_SUBSCRIBE, false, false},
        {SLICE("/user/*/a"), AUTH_SUBSCRIBE, false, false},
        {SLICE("/*/a"), AUTH_SUBSCRIBE, false, false},
        {SLICE("/half/a*"), AUTH_SUBSCRIBE, true, true},
        {SLICE("/half/b*"), AUTH_SUBSCRIBE, false, true},
        {SLICE("/half/?x"), AUTH_SUBSCRIBE, false, false}, /* by no rule alone */
    };
    struct auth_access *access = compile(rules, COUNT(rules));

    (void)state;
    for (size_t i = 0; i < COUNT(asked); i++) {
        bool anonymous =
            auth_access_allows(access, asked[i].operation, asked[i].destination, false);
        bool user = auth_access_allows(access, asked[i].operation, asked[i].destination, true);

        if (anonymous != asked[i].anonymous || user != asked[i].user)
            fail_msg("row %zu, \"%.*s\": anonymous %d, user %d", i, SLICE_FMT(asked[i].destination),
                     anonymous, user);
    }
    auth_access_free(access);
}

static void a_rule_of_authenticated_is_a_denial_to_others(void **state)
{
    const struct auth_access_rule two[] = {
        {ALL, AUTH_ALLOW_AUTHENTICATED, own, 1},
        {ALL, AUTH_ALLOW_ALL, NULL, 0},
    };
    struct auth_access *access = compile(two, 2);

    (void)state;
    assert_false(auth_access_allows(access, AUTH_SUBSCRIBE, slice_str("/user/queue/a"), false));
    assert_false(auth_access_allows(access, AUTH_SUBSCRIBE, slice_str("/user/**"), false));
    assert_true(auth_access_allows(access, AUTH_SUBSCRIBE, slice_str("/user/**"), true));
    assert_true(auth_access_allows(access, AUTH_SUBSCRIBE, slice_str("/other/**"), false));
    assert_true(auth_access_allows(access, AUTH_SUBSCRIBE, slice_str("relative/*"), false));
    auth_access_free(access);
}

static void a_rule_for_all_destinations_ends_the_list(void **state)
{
    const struct auth_access_rule two[] = {
        {AUTH_SUBSCRIBE, AUTH_ALLOW_NONE, NULL, 0},
        {ALL, AUTH_ALLOW_ALL, NULL, 0},
    };
    struct auth_access *access = compile(two, 2);

    (void)state;
    assert_false(auth_access_allows(access, AUTH_SUBSCRIBE, slice_str("/a"), true));
    assert_false(auth_access_allows(access, AUTH_SUBSCRIBE, slice_str("/*"), true));
    assert_true(auth_access_allows(access, AUTH_SEND, slice_str("/a"), false));
    auth_access_free(access);
}

/* Whatever a pattern that is allowed can match, is allowed. */
static void no_pattern_gets_more_than_its_destinations(void **state)
{
    const char *patterns[] = {"/topic/*",        "/topic/**",      "/topic/s*",     "/topic/?*",
                              "/half/**",        "/half/?",        "/half/{x}",     "/user/**",
                              "/user/queue/{x}", "/*/secret",      "/topic/a?",     "/**/secret",
                              "/topic/*/b",      "/half/a?",       "/half/a/**",    "/topic/{x}/*",
                              "/half/b*",        "/topic/{x:s.*}", "/topic/a{x:.}", "/half/a{x:.}"};
    const char *paths[] = {
        "/topic/secret", "/topic/s",        "/topic/ab",         "/topic/",
        "/topic",        "/half/a",         "/half/b",           "/half/c",
        "/half/a/b",     "/user/queue/a",   "/user/queue/",      "/user/queue/a/b",
        "/topic/a/b",    "/topic/a/secret", "/topic/a/secret/b", "/half/ab"};
    struct auth_access *access = compile(rules, COUNT(rules));
    size_t n_allowed = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(patterns); i++) {
        struct ant_pattern *asked = NULL;

        assert_int_equal(ant_pattern_new(slice_str(patterns[i]), ANT_SEPARATOR, &asked), ANT_OK);
        for (int user = 0; user < 2; user++) {
            bool allowed =
                auth_access_allows(access, AUTH_SUBSCRIBE, slice_str(patterns[i]), user == 1);

            n_allowed += allowed;
            for (size_t k = 0; k < COUNT(paths); k++) {
                if (allowed && ant_pattern_match(asked, slice_str(paths[k])) &&
                    !auth_access_allows(access, AUTH_SUBSCRIBE, slice_str(paths[k]), user == 1))
                    fail_msg("\"%s\" reaches \"%s\"", patterns[i], paths[k]);
            }
        }
        ant_pattern_free(asked);
    }
    assert_true(n_allowed > 3);
    auth_access_free(access);
}

static void a_bad_pattern_is_named(void **state)
{
    const struct slice bad[] = {SLICE("/fine"), SLICE("/topic/{id:[0-9}")};
    const struct auth_access_rule two[] = {
        {ALL, AUTH_ALLOW_ALL, NULL, 0},
        {ALL, AUTH_ALLOW_ALL, bad, 2},
    };
    char *error = NULL;

    (void)state;
    assert_null(auth_access_new(two, 2, ANT_SEPARATOR, &error));
    assert_non_null(strstr(error, "rule 2"));
    assert_non_null(strstr(error, "{id:[0-9}"));
    mem_free(error);
}

static void destinations_have_the_brokers_separator_and_paths_have_slashes(void **state)
{
    const struct slice one[] = {SLICE("/ws/*"), SLICE("/topic/a.*")};
    const struct auth_access_rule rule = {ALL, AUTH_ALLOW_ALL, one, 2};
    char *error = NULL;
    struct auth_access *access = auth_access_new(&rule, 1, '.', &error);

    (void)state;
    assert_non_null(access);
    assert_true(auth_access_allows(access, AUTH_CONNECT, slice_str("/ws/a.b"), false));
    assert_false(auth_access_allows(access, AUTH_CONNECT, slice_str("/ws/a/b"), false));
    assert_true(auth_access_allows(access, AUTH_SEND, slice_str("/topic/a.b/c"), false));
    assert_false(auth_access_allows(access, AUTH_SEND, slice_str("/topic/a.b.c"), false));
    assert_true(auth_access_allows(access, AUTH_SUBSCRIBE, slice_str("/topic/a.b?"), false));
    assert_false(auth_access_allows(access, AUTH_SUBSCRIBE, slice_str("/topic/a.**"), false));
    auth_access_free(access);
}

static void nobody_gets_past_a_denial_by_a_text_that_takes_too_long(void **state)
{
    const struct slice slow[] = {SLICE("/topic/{x:(a|a)*[bc]}")};
    const struct auth_access_rule deny[] = {{ALL, AUTH_ALLOW_NONE, slow, 1},
                                            {ALL, AUTH_ALLOW_ALL, NULL, 0}};
    const struct auth_access_rule allow[] = {{ALL, AUTH_ALLOW_ALL, slow, 1}};
    const char *takes_too_long = "/topic/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    struct auth_access *denying = compile(deny, 2), *allowing = compile(allow, 1);

    (void)state;
    assert_true(auth_access_allows(denying, AUTH_SEND, slice_str("/topic/d"), false));
    assert_false(auth_access_allows(denying, AUTH_SEND, slice_str("/topic/ab"), false));
    assert_false(auth_access_allows(denying, AUTH_SEND, slice_str(takes_too_long), false));
    assert_false(auth_access_allows(denying, AUTH_SUBSCRIBE, slice_str("/topic/a?"), false));
    assert_true(auth_access_allows(allowing, AUTH_SEND, slice_str("/topic/ab"), false));
    assert_false(auth_access_allows(allowing, AUTH_SEND, slice_str(takes_too_long), false));
    assert_false(auth_access_allows(allowing, AUTH_SUBSCRIBE, slice_str("/topic/?b"), false));
    auth_access_free(denying);
    auth_access_free(allowing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_rules_all_is_allowed),
        cmocka_unit_test(the_first_matching_rule_decides),
        cmocka_unit_test(a_rule_of_authenticated_is_a_denial_to_others),
        cmocka_unit_test(a_rule_for_all_destinations_ends_the_list),
        cmocka_unit_test(no_pattern_gets_more_than_its_destinations),
        cmocka_unit_test(a_bad_pattern_is_named),
        cmocka_unit_test(destinations_have_the_brokers_separator_and_paths_have_slashes),
        cmocka_unit_test(nobody_gets_past_a_denial_by_a_text_that_takes_too_long),
    };

    return cmocka_run_group_tests_name("auth/access", tests, NULL, NULL);
}
