#include "tests/gateway/session/rig.h"

#include <stdio.h>

/* User destinations: who gets what is sent to a user, and who does not. */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PRIVATE(n)                                                                                 \
    "MESSAGE\ndestination:/user/queue/x\nsubscription:s\nmessage-id:0000000000000abc-0-" n         \
    "\ncontent-length:1\n\nx^"

static struct peer *open_for(struct rig *rig, const char *user)
{
    struct peer *peer = rig_open(rig, RIG_STOMP, user);

    peer_connect(peer);
    return peer;
}

/* A frame with the id of a session in its destination, which `format` has a place for. */
static void say_with_id(struct peer *peer, const char *format, const struct peer *whose)
{
    struct session_id_text id;
    char frame[256];
    int n = snprintf(frame, sizeof(frame), format, (int)sizeof(id.hex),
                     session_id(&whose->session, &id).base);

    peer_say_(peer, slice_of(frame, (size_t)n + 1), false);
}

static void all_sessions_of_a_user_get_what_others_send(void **state)
{
    struct rig *rig = rig_started();
    struct peer *first = open_for(rig, "alice"), *second = open_for(rig, "alice");
    struct peer *bob = open_for(rig, "bob"), *nobody = open_for(rig, NULL);

    (void)state;
    peer_subscribe(first, "s", "/user/queue/x");
    peer_subscribe(second, "s", "/user/queue/x");
    peer_subscribe(bob, "s", "/user/queue/x");
    peer_say(nobody, "SEND\ndestination:/user/alice/queue/x\n\nx\0");
    assert_string_equal(peer_heard(first), PRIVATE("0"));
    assert_string_equal(peer_heard(second), PRIVATE("0"));
    assert_string_equal(peer_heard(bob), "");
    /* by one of them: to itself alone */
    peer_say(first, "SEND\ndestination:/user/alice/queue/x\n\nx\0");
    assert_string_equal(peer_heard(first), PRIVATE("1"));
    assert_string_equal(peer_heard(second), "");
    peer_end(second);
    peer_say(bob, "SEND\ndestination:/user/alice/queue/x\n\nx\0");
    assert_string_equal(peer_heard(first), PRIVATE("2"));
    rig_free(rig);
}

static void a_session_without_a_user_is_named_by_its_id_and_by_itself_only(void **state)
{
    struct rig *rig = rig_started();
    struct peer *self = open_for(rig, NULL), *other = open_for(rig, NULL);

    (void)state;
    peer_subscribe(self, "s", "/user/queue/x");
    say_with_id(self, "SEND\ndestination:/user/%.*s/queue/x\n\nx", self);
    assert_string_equal(peer_heard(self), PRIVATE("0"));
    say_with_id(other, "SEND\ndestination:/user/%.*s/queue/x\n\nx", self);
    assert_string_equal(peer_heard(self), "");
    rig_free(rig);
}

static void destinations_of_other_sessions_are_out_of_reach(void **state)
{
    static const char *const frames[] = {
        "SUBSCRIBE\nid:s\ndestination:/queue/x-user%.*s\n\n",
        "SUBSCRIBE\nid:s\ndestination:/queue/*-user%.*s\n\n",
        "SEND\ndestination:/queue/x-user%.*s\n\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(frames); i++) {
        struct rig *rig = rig_started();
        struct peer *alice = open_for(rig, "alice"), *bob = open_for(rig, "bob");

        peer_subscribe(alice, "s", "/user/queue/x");
        say_with_id(bob, frames[i], alice);
        assert_closed(bob, 1002, "ERROR\nmessage:Access denied\ncontent-length:0\n\n^");
        assert_string_equal(peer_heard(alice), "");
        rig_free(rig);
    }
}

static void patterns_of_others_never_match_what_is_private(void **state)
{
    static const char *const patterns[] = {"/queue/**", "/queue/*", "/queue/x-user*",
                                           "/queue/{a}-user{b}"};

    (void)state;
    for (size_t i = 0; i < COUNT(patterns); i++) {
        struct rig *rig = rig_started();
        struct peer *alice = open_for(rig, "alice"), *bob = open_for(rig, "bob");

        peer_subscribe(alice, "s", "/user/queue/x");
        peer_subscribe(bob, "p", patterns[i]);
        peer_say(alice, "SEND\ndestination:/user/alice/queue/x\n\nx\0");
        assert_string_equal(peer_heard(bob), "");
        assert_string_equal(peer_heard(alice), PRIVATE("0"));
        rig_free(rig);
    }
}

static void a_session_may_use_the_raw_name_of_its_own(void **state)
{
    struct rig *rig = rig_started();
    struct peer *alice = open_for(rig, "alice");

    (void)state;
    say_with_id(alice, "SUBSCRIBE\nid:s\ndestination:/queue/x-user%.*s\n\n", alice);
    peer_say(alice, "SEND\ndestination:/user/alice/queue/x\n\nx\0");
    assert_string_equal(peer_heard(alice), PRIVATE("0"));
    say_with_id(alice, "SEND\ndestination:/queue/x-user%.*s\n\n", alice);
    assert_non_null(strstr(peer_heard(alice), "subscription:s\n"));
    rig_free(rig);
}

static void a_pattern_below_the_prefix_is_over_the_sessions_own(void **state)
{
    struct rig *rig = rig_started();
    struct peer *alice = open_for(rig, "alice"), *bob = open_for(rig, "bob");

    (void)state;
    peer_subscribe(alice, "s", "/user/queue/*");
    peer_subscribe(bob, "s", "/user/queue/*");
    assert_int_equal(alice->receiver.n_patterns, 1);
    peer_say(bob, "SEND\ndestination:/user/alice/queue/x\n\nx\0");
    assert_string_equal(peer_heard(alice), PRIVATE("0"));
    assert_string_equal(peer_heard(bob), "");
    peer_say(bob, "SEND\ndestination:/user/alice/queue/x/y\n\nx\0");
    assert_string_equal(peer_heard(alice), "");
    peer_say(alice, "UNSUBSCRIBE\nid:s\n\n\0");
    assert_int_equal(alice->receiver.n_patterns, 0);
    rig_free(rig);
}

static void after_disconnect_a_user_is_not_there(void **state)
{
    struct rig *rig = rig_started();
    struct peer *alice = open_for(rig, "alice"), *bob = open_for(rig, "bob");

    (void)state;
    peer_subscribe(alice, "s", "/user/queue/x");
    peer_say(alice, "DISCONNECT\nreceipt:r\n\n\0");
    (void)peer_heard(alice);
    assert_false(users_has(&rig->broker_shared.users, slice_str("alice"), alice->session.id));
    assert_true(users_has(&rig->broker_shared.users, slice_str("bob"), bob->session.id));
    peer_say(bob, "SEND\ndestination:/user/alice/queue/x\n\nx\0");
    assert_string_equal(peer_heard(alice), "");
    rig_free(rig);
}

static void routes_send_to_the_user_or_the_session(void **state)
{
    struct config_route routes[] = {
        {.destination = SLICE("/app/all"), .send_to_user = SLICE("/queue/x"), .broadcast = true},
        {.destination = SLICE("/app/one"), .send_to_user = SLICE("/queue/x")},
        {.destination = SLICE("/app/{name}.in"), .send_to_user = SLICE("/queue/{name}")},
    };
    struct rig *rig = rig_new();
    struct peer *first, *second, *nobody;

    (void)state;
    rig->config.routes = routes;
    rig->config.n_routes = COUNT(routes);
    rig_start(rig);
    first = open_for(rig, "alice");
    second = open_for(rig, "alice");
    nobody = open_for(rig, NULL);
    peer_subscribe(first, "s", "/user/queue/x");
    peer_subscribe(second, "s", "/user/queue/x");
    peer_subscribe(nobody, "s", "/user/queue/x");
    peer_say(first, "SEND\ndestination:/app/all\n\nx\0");
    assert_string_equal(peer_heard(first), PRIVATE("0"));
    assert_string_equal(peer_heard(second), PRIVATE("0"));
    peer_say(first, "SEND\ndestination:/app/one\n\nx\0");
    assert_string_equal(peer_heard(first), PRIVATE("1"));
    peer_say(nobody, "SEND\ndestination:/app/all\n\nx\0");
    assert_string_equal(peer_heard(nobody), PRIVATE("2"));
    peer_say(nobody, "SEND\ndestination:/app/x.in\n\nx\0");
    assert_string_equal(peer_heard(nobody), PRIVATE("3"));
    assert_string_equal(peer_heard(second), "");
    rig_free(rig);
}

static void names_that_only_look_bound_are_anybodys(void **state)
{
    static const char *const names[] = {"/topic/new-user", "/topic/x-user0123456789abcdef",
                                        "/topic/x-user0123456789ABCDEF0123456789abcdef"};

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct rig *rig = rig_started();
        struct peer *alice = open_for(rig, "alice"), *bob = open_for(rig, "bob");
        char frame[128];
        int n = snprintf(frame, sizeof(frame), "SEND\ndestination:%s\n\nx", names[i]);

        peer_subscribe(alice, "s", names[i]);
        peer_say_(bob, slice_of(frame, (size_t)n + 1), false);
        assert_non_null(strstr(peer_heard(alice), names[i]));
        assert_int_equal(bob->n_closes, 0);
        rig_free(rig);
    }
}

static void a_foreign_name_is_out_of_reach_by_every_way(void **state)
{
    static const char *const frames[] = {
        "SEND\ndestination:/app/x-user%.*s\n\n",
        "SEND\ndestination:/user/alice/queue/x-user%.*s\n\n",
        "SUBSCRIBE\nid:s\ndestination:/queue/{a}-user%.*s\n\n",
        "SUBSCRIBE\nid:s\ndestination:/**-user%.*s\n\n",
        "BEGIN\ntransaction:t\n\n^SEND\ntransaction:t\ndestination:/queue/x-user%.*s\n\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(frames); i++) {
        struct rig *rig = rig_started();
        struct peer *alice = open_for(rig, "alice"), *bob = open_for(rig, "bob");
        struct session_id_text id;
        char frame[256];
        int n = snprintf(frame, sizeof(frame), frames[i], (int)sizeof(id.hex),
                         session_id(&alice->session, &id).base);

        for (char *at = frame; (at = strchr(at, '^')) != NULL;)
            *at = '\0';
        peer_subscribe(alice, "s", "/user/queue/x");
        peer_say_(bob, slice_of(frame, (size_t)n + 1), false);
        assert_closed(bob, 1002, "ERROR\nmessage:Access denied\ncontent-length:0\n\n^");
        assert_string_equal(peer_heard(alice), "");
        rig_free(rig);
    }
}

static void a_user_that_nobody_is_gets_nothing_and_is_no_error(void **state)
{
    static const char *const frames[] = {
        "SEND\ndestination:/user/nobody/queue/x\nreceipt:r\n\nx",
        "SEND\ndestination:/user/ALICE/queue/x\nreceipt:r\n\nx",
        "SEND\ndestination:/user/alice%20/queue/x\nreceipt:r\n\nx",
    };
    struct rig *rig = rig_new();
    struct peer *alice, *bob;

    (void)state;
    rig->config.broker.unknown_destination = CONFIG_UNKNOWN_ERROR;
    rig_start(rig);
    alice = open_for(rig, "alice");
    bob = open_for(rig, "bob");
    peer_subscribe(alice, "s", "/user/queue/x");
    for (size_t i = 0; i < COUNT(frames); i++) {
        peer_say_(bob, slice_of(frames[i], strlen(frames[i]) + 1), false);
        assert_string_equal(peer_heard(bob), "RECEIPT\nreceipt-id:r\n\n^");
        assert_string_equal(peer_heard(alice), "");
    }
    rig_free(rig);
}

static void a_name_with_a_slash_is_escaped(void **state)
{
    struct rig *rig = rig_started();
    struct peer *joe = open_for(rig, "a/b"), *ann = open_for(rig, "a"), *bob = open_for(rig, "bob");

    (void)state;
    peer_subscribe(joe, "s", "/user/queue/x");
    peer_subscribe(ann, "s", "/user/queue/x");
    peer_say(bob, "SEND\ndestination:/user/a%2Fb/queue/x\n\nx\0");
    assert_string_equal(peer_heard(joe), PRIVATE("0"));
    assert_string_equal(peer_heard(ann), "");
    rig_free(rig);
}

static void brokers_without_slashes_have_targets_without_one(void **state)
{
    static struct slice prefixes[] = {SLICE("jms.queue.")};
    struct config_route routes[] = {
        {.destination = SLICE("/app/one"), .send_to_user = SLICE("/jms.queue.x")},
    };
    struct rig *rig = rig_new();
    struct peer *alice, *bob;

    (void)state;
    rig->config.broker.destination_prefixes = (struct config_strings){prefixes, 1};
    rig->config.routes = routes;
    rig->config.n_routes = 1;
    rig_start(rig);
    alice = open_for(rig, "alice");
    bob = open_for(rig, "bob");
    peer_subscribe(alice, "s", "/user/jms.queue.x");
    peer_subscribe(bob, "s", "/user/jms.queue.x");
    peer_say(bob, "SEND\ndestination:/user/alice/jms.queue.x\n\nx\0");
    assert_string_equal(peer_heard(bob), "");
    assert_string_equal(peer_heard(alice),
                        "MESSAGE\ndestination:/user/jms.queue.x\nsubscription:s\n"
                        "message-id:0000000000000abc-0-0\ncontent-length:1\n\nx^");
    peer_say(bob, "SEND\ndestination:/app/one\n\nx\0");
    assert_string_equal(peer_heard(alice), "");
    assert_string_equal(peer_heard(bob), "MESSAGE\ndestination:/user/jms.queue.x\nsubscription:s\n"
                                         "message-id:0000000000000abc-0-1\ncontent-length:1\n\nx^");
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_sessions_of_a_user_get_what_others_send),
        cmocka_unit_test(a_session_without_a_user_is_named_by_its_id_and_by_itself_only),
        cmocka_unit_test(destinations_of_other_sessions_are_out_of_reach),
        cmocka_unit_test(patterns_of_others_never_match_what_is_private),
        cmocka_unit_test(a_session_may_use_the_raw_name_of_its_own),
        cmocka_unit_test(a_pattern_below_the_prefix_is_over_the_sessions_own),
        cmocka_unit_test(after_disconnect_a_user_is_not_there),
        cmocka_unit_test(routes_send_to_the_user_or_the_session),
        cmocka_unit_test(names_that_only_look_bound_are_anybodys),
        cmocka_unit_test(a_foreign_name_is_out_of_reach_by_every_way),
        cmocka_unit_test(a_user_that_nobody_is_gets_nothing_and_is_no_error),
        cmocka_unit_test(a_name_with_a_slash_is_escaped),
        cmocka_unit_test(brokers_without_slashes_have_targets_without_one),
    };

    return cmocka_run_group_tests_name("gateway/session/stomp_user", tests, NULL, NULL);
}
