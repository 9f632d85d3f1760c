#include "auth/bearer.h"

#include "tests/test.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct row {
    struct slice text;
    enum auth_status status;
    struct slice token;
};

static void authorization_holds_one_token(void **state)
{
    const struct row rows[] = {
        {SLICE("Bearer abc"), AUTH_OK, SLICE("abc")},
        {SLICE("bEARER   a.b-c_d~e+f/g=="), AUTH_OK, SLICE("a.b-c_d~e+f/g==")},
        {SLICE("\t Bearer abc \t"), AUTH_OK, SLICE("abc")},
        {SLICE(""), AUTH_ERR_NO_TOKEN, SLICE("")},
        {SLICE("   "), AUTH_ERR_NO_TOKEN, SLICE("")},
        {SLICE("Basic YTpi"), AUTH_ERR_NO_TOKEN, SLICE("")},
        {SLICE("Bearerabc"), AUTH_ERR_NO_TOKEN, SLICE("")},
        {SLICE("abc"), AUTH_ERR_NO_TOKEN, SLICE("")},
        {SLICE("Bearer"), AUTH_ERR_BEARER, SLICE("")},
        {SLICE("Bearer "), AUTH_ERR_BEARER, SLICE("")},
        {SLICE("Bearer \tabc"), AUTH_ERR_BEARER, SLICE("")},
        {SLICE("Bearer a b"), AUTH_ERR_BEARER, SLICE("")},
        {SLICE("Bearer a, Bearer b"), AUTH_ERR_BEARER, SLICE("")},
        {SLICE("Bearer token=\"abc\""), AUTH_ERR_BEARER, SLICE("")},
        {SLICE("Bearer ==="), AUTH_ERR_BEARER, SLICE("")},
        {SLICE("Bearer a=b"), AUTH_ERR_BEARER, SLICE("")},
        {SLICE("Bearer a\0b"), AUTH_ERR_BEARER, SLICE("")},
        {SLICE("Bearer \xc3\xa9"), AUTH_ERR_BEARER, SLICE("")},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice token = SLICE("");

        if (auth_bearer_from_header(rows[i].text, &token) != rows[i].status ||
            !slice_eq(token, rows[i].token))
            fail_msg("row %zu: \"%.*s\"", i, SLICE_FMT(rows[i].text));
    }
}

static void the_query_holds_the_parameter_once(void **state)
{
    const struct row rows[] = {
        {SLICE("access_token=abc"), AUTH_OK, SLICE("abc")},
        {SLICE("a=b&access_token=a.b-c&d"), AUTH_OK, SLICE("a.b-c")},
        {SLICE("access%5ftoken=%61%2E%62"), AUTH_OK, SLICE("a.b")},
        {SLICE("access_token=abc%3D%3d"), AUTH_OK, SLICE("abc==")},
        {SLICE("access_token=a=="), AUTH_OK, SLICE("a==")},
        {SLICE("&&access_token=abc&&"), AUTH_OK, SLICE("abc")},
        {SLICE("access_token=12345678"), AUTH_OK, SLICE("12345678")},
        {SLICE(""), AUTH_ERR_NO_TOKEN, SLICE("")},
        {SLICE("token=abc"), AUTH_ERR_NO_TOKEN, SLICE("")},
        {SLICE("Access_Token=abc"), AUTH_ERR_NO_TOKEN, SLICE("")},
        {SLICE("access_tokens=abc"), AUTH_ERR_NO_TOKEN, SLICE("")},
        {SLICE("access_toke=abc"), AUTH_ERR_NO_TOKEN, SLICE("")},
        {SLICE("a=access_token=abc"), AUTH_ERR_NO_TOKEN, SLICE("")},
        {SLICE("access%5token=abc"), AUTH_ERR_NO_TOKEN, SLICE("")},
        {SLICE("access_token=abc&access_token=abc"), AUTH_ERR_BEARER, SLICE("")},
        {SLICE("access_token=abc&access%5Ftoken=d"), AUTH_ERR_BEARER, SLICE("")},
        {SLICE("access_token"), AUTH_ERR_BEARER, SLICE("")},
        {SLICE("access_token="), AUTH_ERR_BEARER, SLICE("")},
        {SLICE("access_token=a%2"), AUTH_ERR_BEARER, SLICE("")},
        {SLICE("access_token=a%zz"), AUTH_ERR_BEARER, SLICE("")},
        {SLICE("access_token=a%"), AUTH_ERR_BEARER, SLICE("")},
        {SLICE("access_token=a%20b"), AUTH_ERR_BEARER, SLICE("")},
        {SLICE("access_token=a%00"), AUTH_ERR_BEARER, SLICE("")},
        {SLICE("access_token=123456789"), AUTH_ERR_LARGE, SLICE("")},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct slice token = SLICE("");
        char room[8];

        if (auth_bearer_from_query(rows[i].text, slice_str("access_token"), room, sizeof(room),
                                   &token) != rows[i].status ||
            !slice_eq(token, rows[i].token))
            fail_msg("row %zu: \"%.*s\"", i, SLICE_FMT(rows[i].text));
    }
}

static void without_a_name_the_query_is_not_read(void **state)
{
    struct slice token = SLICE("");
    char room[8];

    (void)state;
    assert_int_equal(
        auth_bearer_from_query(slice_str("=abc"), slice_str(""), room, sizeof(room), &token),
        AUTH_ERR_NO_TOKEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(authorization_holds_one_token),
        cmocka_unit_test(the_query_holds_the_parameter_once),
        cmocka_unit_test(without_a_name_the_query_is_not_read),
    };

    return cmocka_run_group_tests_name("auth/bearer", tests, NULL, NULL);
}
