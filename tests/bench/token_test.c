#include "tests/test.h"
#include "gateway/bench/token.h"

#define SECRET "a secret of the tests, long enough"

/* Made by another program from the same claims. */
static void a_token_is_what_others_make_of_the_same_claims(void **state)
{
    const struct {
        struct token token;
        struct slice text;
    } rows[] = {
        {{SLICE(SECRET), SLICE("https://issuer.example"), SLICE("chat"), SLICE("user-7"),
          2000000000},
         SLICE("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYX"
               "VkIjoiY2hhdCIsInN1YiI6InVzZXItNyIsImV4cCI6MjAwMDAwMDAwMH0.ryV8i9f-YKm2MzigW8Ybq6DM"
               "LXL6CdalXH3kAzg-21w")},
        {{SLICE(SECRET), SLICE(""), SLICE(""), SLICE("user-7"), 1},
         SLICE("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ1c2VyLTciLCJleHAiOjF9.bzrGIq2FO3PC"
               "5E-zXoffcSB5-_1bgNue40okK9BStXg")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf out;

        buf_init(&out, 4096);
        assert_true(buf_append(&out, (struct slice)SLICE("before")));
        assert_true(token_write(&out, &rows[i].token));
        assert_true(slice_eq(slice_skip(buf_slice(&out), 6), rows[i].text));
        buf_dispose(&out);
    }
}

static void what_does_not_fit_is_not_made(void **state)
{
    const struct token token = {.secret = SLICE(SECRET), .user = SLICE("user-7"), .expires_s = 1};
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    assert_false(token_write(&out, &token));
    buf_dispose(&out);
}

static void a_text_is_plain_when_json_needs_no_escape_for_it(void **state)
{
    (void)state;
    assert_true(token_is_plain((struct slice)SLICE("")));
    assert_true(token_is_plain((struct slice)SLICE("https://a/~ b")));
    assert_false(token_is_plain((struct slice)SLICE("a\"b")));
    assert_false(token_is_plain((struct slice)SLICE("a\\b")));
    assert_false(token_is_plain((struct slice)SLICE("a\nb")));
    assert_false(token_is_plain((struct slice)SLICE("a\x7f")));
    assert_false(token_is_plain((struct slice)SLICE("\xc3\xa4")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_what_others_make_of_the_same_claims),
        cmocka_unit_test(what_does_not_fit_is_not_made),
        cmocka_unit_test(a_text_is_plain_when_json_needs_no_escape_for_it),
    };

    return cmocka_run_group_tests_name("bench/token", tests, NULL, NULL);
}
