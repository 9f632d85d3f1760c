#include "tests/test.h"
#include "gateway/bench/names.h"

static struct options named(void)
{
    struct options o = {.mode = OPTIONS_USERS, .heart_beat = "0,0"};

    assert_true(target_parse(&o.target, (struct slice)SLICE("ws://a:81/ws")));
    return o;
}

static void assert_has(const struct buf *text, const char *part, bool expected)
{
    const void *found = memmem(text->base, text->len, part, strlen(part));

    if ((found != NULL) != expected)
        print_error("'%s' in '%.*s'\n", part, (int)text->len, text->base);
    assert_int_equal(found != NULL, expected);
}

static void the_users_name_stands_wherever_it_is_asked_for(void **state)
{
    struct options o = named();
    struct buf upgrade, connect;

    (void)state;
    o.token = "t-{user}";
    o.http_headers = (struct options_list){{"X-A:{user}{user}.", "X-B:b"}, 2};
    o.connect_headers = (struct options_list){{"login:<{user}>", "x:{use}r}"}, 2};
    buf_init(&upgrade, 4096);
    buf_init(&connect, 4096);
    assert_true(names_write_upgrade(&upgrade, &o, "user-7"));
    assert_true(names_write_connect(&connect, &o, "user-7"));
    assert_has(&upgrade, "\r\nAuthorization: Bearer t-user-7\r\n", true);
    assert_has(&upgrade, "\r\nX-A:user-7user-7.\r\nX-B:b\r\n\r\n", true);
    assert_has(&upgrade, "GET /ws HTTP/1.1\r\nHost: a:81\r\n", true);
    assert_has(&connect, "\nlogin:<user-7>\nx:{use}r}\n\n", true);
    assert_int_equal(connect.base[connect.len - 1], '\0');
    buf_dispose(&upgrade);
    buf_dispose(&connect);
}

/* A placeholder is only one where there are users. */
static void without_a_user_all_stays_as_it_is(void **state)
{
    struct options o = named();
    struct buf upgrade;

    (void)state;
    o.token = "t-{user}";
    o.secret = "unused";
    buf_init(&upgrade, 4096);
    assert_true(names_write_upgrade(&upgrade, &o, NULL));
    assert_has(&upgrade, "Bearer t-{user}\r\n", true);
    buf_dispose(&upgrade);
}

static void with_a_secret_the_token_is_made_for_the_user(void **state)
{
    struct options o = named();
    struct buf upgrade;

    (void)state;
    o.secret = "a secret";
    o.token = "another";
    buf_init(&upgrade, 4096);
    assert_true(names_write_upgrade(&upgrade, &o, "user-7"));
    /* {"alg":"HS256","typ":"JWT"} and the beginning of {"sub":"user-7" */
    assert_has(&upgrade, "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ1c2VyLTci", true);
    assert_has(&upgrade, "another", false);
    buf_dispose(&upgrade);
}

static void an_extension_is_offered_with_a_name_or_without(void **state)
{
    const char *const users[] = {NULL, "user-7"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct options o = named();
        struct buf upgrade;

        o.has_deflate = true;
        buf_init(&upgrade, 4096);
        assert_true(names_write_upgrade(&upgrade, &o, users[i]));
        assert_has(&upgrade, "\r\nSec-WebSocket-Extensions: permessage-deflate", true);
        buf_dispose(&upgrade);
    }
}

static void what_does_not_fit_is_refused(void **state)
{
    struct options o = named();
    struct buf small;

    (void)state;
    o.connect_headers = (struct options_list){{"login:{user}"}, 1};
    buf_init(&small, 60);
    assert_false(names_write_upgrade(&small, &o, "user-7"));
    assert_false(names_write_connect(&small, &o, "somebody-with-a-long-name"));
    buf_dispose(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_users_name_stands_wherever_it_is_asked_for),
        cmocka_unit_test(without_a_user_all_stays_as_it_is),
        cmocka_unit_test(with_a_secret_the_token_is_made_for_the_user),
        cmocka_unit_test(an_extension_is_offered_with_a_name_or_without),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests_name("bench/names", tests, NULL, NULL);
}
