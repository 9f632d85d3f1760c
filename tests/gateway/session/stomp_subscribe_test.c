#include "tests/gateway/session/rig.h"

#include <stdio.h>

/* What a SUBSCRIBE may ask for, and the ways of refusing a SUBSCRIBE or SEND. The rig allows a
 * session 4 patterns, and the process 8. */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SORRY(text) "ERROR\nmessage:" text "\ncontent-length:0\n\n^"

static struct peer *open_one(struct rig *rig)
{
    struct peer *peer = rig_open(rig, RIG_STOMP, NULL);

    peer_connect(peer);
    return peer;
}

static void pattern_n(struct peer *peer, int id, int pattern)
{
    char frame[128];
    int n = snprintf(frame, sizeof(frame), "SUBSCRIBE\nid:%d\ndestination:/topic/%d/*\n\n", id,
                     pattern);

    peer_say_(peer, slice_of(frame, (size_t)n + 1), false);
}

/* --- patterns --- */

static void patterns_are_limited_for_a_session_and_for_the_process(void **state)
{
    struct rig *rig = rig_started();
    struct peer *first = open_one(rig), *second = open_one(rig), *third = open_one(rig);

    (void)state;
    for (int i = 0; i < 4; i++) {
        pattern_n(first, i, i);
        pattern_n(second, i, 4 + i);
    }
    pattern_n(third, 0, 7); /* one that is there already */
    assert_int_equal(first->n_closes + second->n_closes + third->n_closes, 0);
    pattern_n(third, 1, 8);
    assert_closed(third, 1002, SORRY("Too many patterns are subscribed to in this gateway"));
    pattern_n(first, 4, 0);
    assert_closed(first, 1002, SORRY("Too many subscriptions to patterns in one session"));
    pattern_n(second, 3, 0); /* its own id again */
    assert_closed(second, 1002, SORRY("Too many subscriptions to patterns in one session"));
    rig_free(rig);
}

static void unsubscribe_makes_room_for_another_pattern(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = open_one(rig);

    (void)state;
    for (int i = 0; i < 20; i++) {
        pattern_n(peer, 1, i);
        peer_say(peer, "UNSUBSCRIBE\nid:1\n\n\0");
    }
    assert_int_equal(peer->n_closes, 0);
    rig_free(rig);
}

static void a_broken_pattern_is_refused(void **state)
{
    static const char *const bad[] = {"/topic/{a:[}", "/topic/{a:(}", "/topic/x/{b:*}"};

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct rig *rig = rig_started();
        struct peer *peer = open_one(rig);
        char frame[128];
        int n = snprintf(frame, sizeof(frame), "SUBSCRIBE\nid:1\ndestination:%s\n\n", bad[i]);

        peer_say_(peer, slice_of(frame, (size_t)n + 1), false);
        assert_closed(peer, 1002,
                      SORRY("Bad pattern\\c a regular expression of the pattern is broken, or not "
                            "supported"));
        rig_free(rig);
    }
}

/* --- selectors --- */

static void selectors_are_looked_at_when_the_configuration_says_so(void **state)
{
    static const struct {
        const char *header; /* of the configuration */
        const char *selector;
        const char *body; /* that comes through of a and b, sent with k:a and k:b */
    } rows[] = {
        {"", "headers.k == 'a'", "ab"},        {"selector", "headers.k == 'a'", "a"},
        {"selector", "headers.k == 'b'", "b"}, {"selector", " ", "ab"},
        {"filter", "headers.k == 'a'", "ab"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig *rig = rig_new();
        struct peer *peer;
        char frame[128];
        const char *heard;
        int n =
            snprintf(frame, sizeof(frame), "SUBSCRIBE\nid:s\ndestination:/topic/a\nselector:%s\n\n",
                     rows[i].selector);

        rig->config.broker.selector_header = slice_str(rows[i].header);
        rig_start(rig);
        peer = open_one(rig);
        peer_say_(peer, slice_of(frame, (size_t)n + 1), false);
        peer_say(peer, "SEND\ndestination:/topic/a\nk:a\n\n<a>\0");
        peer_say(peer, "SEND\ndestination:/topic/a\nk:b\n\n<b>\0");
        heard = peer_heard(peer);
        assert_int_equal(strstr(heard, "<a>") != NULL, strchr(rows[i].body, 'a') != NULL);
        assert_int_equal(strstr(heard, "<b>") != NULL, strchr(rows[i].body, 'b') != NULL);
        rig_free(rig);
    }
}

static void a_selector_that_cannot_be_read_is_refused(void **state)
{
    struct rig *rig = rig_new();
    struct peer *peer;

    (void)state;
    rig->config.broker.selector_header = slice_str("selector");
    rig_start(rig);
    peer = open_one(rig);
    peer_say(peer, "SUBSCRIBE\nid:s\ndestination:/topic/a\nselector:headers.k ==\n\n\0");
    assert_closed(peer, 1002, SORRY("The selector has a syntax error"));
    rig_free(rig);
}

/* --- answers of routes --- */

static void a_route_answers_directly_and_nothing_is_stored(void **state)
{
    static struct config_pair pairs[] = {{SLICE("x-who"), SLICE("{user}/{kind}")}};
    struct config_route routes[] = {
        {
            .destination = SLICE("/app/info.{kind}"),
            .headers = {pairs, 1},
            .on_subscribe = {true, SLICE("42"), SLICE("application/json"), {NULL, 0}},
            .is_for_subscribe_only = true,
        },
        {
            .destination = SLICE("/app/last.{name}"),
            .on_subscribe = {false, {NULL, 0}, {NULL, 0}, SLICE("/topic/{name}")},
            .is_for_subscribe_only = true,
        },
    };
    struct rig *rig = rig_new();
    struct peer *peer;

    (void)state;
    rig->config.routes = routes;
    rig->config.n_routes = COUNT(routes);
    rig_start(rig);
    peer = rig_open(rig, RIG_STOMP, "alice");
    peer_connect(peer);
    peer_say(peer, "SUBSCRIBE\nid:s\ndestination:/app/info.a\nreceipt:r\n\n\0");
    assert_string_equal(peer_heard(peer),
                        "MESSAGE\ndestination:/app/info.a\ncontent-type:application/json\n"
                        "x-who:alice/a\nsubscription:s\nmessage-id:0000000000000abc-0-0\n"
                        "content-length:2\n\n42^RECEIPT\nreceipt-id:r\n\n^");
    assert_int_equal(peer->receiver.subscriptions.n, 0);

    peer_say(peer, "SUBSCRIBE\nid:l\ndestination:/app/last.b\nreceipt:none\n\n\0");
    assert_string_equal(peer_heard(peer), "RECEIPT\nreceipt-id:none\n\n^");
    peer_say(peer,
             "SEND\ndestination:/topic/b\nk:1\n\nold\0SEND\ndestination:/topic/b\nk:2\n\nnew\0");
    peer_say(peer, "SUBSCRIBE\nid:l\ndestination:/app/last.b\n\n\0");
    assert_string_equal(peer_heard(peer),
                        "MESSAGE\ndestination:/app/last.b\nk:2\nsubscription:l\n"
                        "message-id:0000000000000abc-0-2\ncontent-length:3\n\nnew^");
    rig_free(rig);
}

static void a_routes_headers_take_the_place_of_the_clients(void **state)
{
    static struct config_pair pairs[] = {{SLICE("x-from"), SLICE("{user}")},
                                         {SLICE("x-room"), SLICE("[{room}]")}};
    static struct slice copied[] = {SLICE("x-from"), SLICE("tab")};
    struct config_route routes[] = {{
        .destination = SLICE("/app/chat.{room}"),
        .send_to = SLICE("/topic/chat.{room}"),
        .copy_headers = {copied, 2},
        .headers = {pairs, 2},
    }};
    struct rig *rig = rig_new();
    struct peer *peer;

    (void)state;
    rig->config.routes = routes;
    rig->config.n_routes = 1;
    rig_start(rig);
    peer = rig_open(rig, RIG_STOMP, "alice");
    peer_connect(peer);
    peer_subscribe(peer, "s", "/topic/chat.red:1");
    peer_say(peer, "SEND\ndestination:/app/chat.red\\c1\nx-from:mallory\ntab:7\n\nx\0");
    assert_string_equal(peer_heard(peer),
                        "MESSAGE\ndestination:/topic/chat.red\\c1\ntab:7\nx-from:alice\n"
                        "x-room:[red\\c1]\nsubscription:s\nmessage-id:0000000000000abc-0-0\n"
                        "content-length:1\n\nx^");
    rig_free(rig);
}

/* --- refusals --- */

static struct rig *rig_that_denies(enum config_refusals refusals)
{
    static const struct slice secret = SLICE("/topic/secret");
    struct rig *rig = rig_new();

    rig->config.broker.refusals = refusals;
    rig_rule(rig, AUTH_SEND | AUTH_SUBSCRIBE, &secret, AUTH_ALLOW_NONE);
    rig_rule(rig, AUTH_CONNECT | AUTH_SEND | AUTH_SUBSCRIBE, NULL, AUTH_ALLOW_ALL);
    rig_start(rig);
    return rig;
}

static struct peer *open_with(struct rig *rig, const char *refusals)
{
    struct peer *peer = rig_open(rig, RIG_STOMP, NULL);
    char frame[128];
    int n = snprintf(frame, sizeof(frame), "CONNECT\naccept-version:1.2\n%s%s\n\n",
                     refusals == NULL ? "" : "x-refusals:", refusals == NULL ? "" : refusals);

    /* Without the header an empty line would end the headers twice. */
    if (refusals == NULL)
        n = snprintf(frame, sizeof(frame), "CONNECT\naccept-version:1.2\n\n");
    peer_say_(peer, slice_of(frame, (size_t)n + 1), false);
    return peer;
}

static void the_client_or_the_configuration_chooses_the_way_of_refusals(void **state)
{
    static const struct {
        enum config_refusals configured;
        const char *header;
        bool is_soft;
    } rows[] = {
        {CONFIG_REFUSALS_STRICT, NULL, false},     {CONFIG_REFUSALS_STRICT, "soft", true},
        {CONFIG_REFUSALS_STRICT, "strict", false}, {CONFIG_REFUSALS_SOFT, NULL, true},
        {CONFIG_REFUSALS_SOFT, "strict", false},   {CONFIG_REFUSALS_SOFT, "soft", true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig *rig = rig_that_denies(rows[i].configured);
        struct peer *peer = open_with(rig, rows[i].header);

        peer_say(peer, "SEND\ndestination:/topic/secret\n\nx\0");
        assert_int_equal(peer->n_closes, !rows[i].is_soft);
        assert_int_equal(rig_metric(rig, METRIC_REFUSALS), rows[i].is_soft);
        rig_free(rig);
    }
}

static void an_unknown_way_of_refusals_is_an_error(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = open_with(rig, "Soft");

    (void)state;
    assert_closed(peer, 1002, SORRY("The x-refusals header must be soft or strict"));
    rig_free(rig);
}

static void a_soft_refusal_is_a_message_to_who_has_subscribed(void **state)
{
    static const struct {
        struct slice frame;
        const char *message;
    } rows[] = {
        {SLICE("SEND\ndestination:/topic/secret\nreceipt:r\n\nx\0"), "Access denied"},
        {SLICE("SUBSCRIBE\nid:1\ndestination:/topic/secret\nreceipt:r\n\n\0"), "Access denied"},
        {SLICE("SEND\nreceipt:r\n\nx\0"), "Missing header 'destination' in SEND"},
        {SLICE("SUBSCRIBE\ndestination:/topic/a\nreceipt:r\n\n\0"),
         "Missing header 'id' in SUBSCRIBE"},
        {SLICE("SUBSCRIBE\nid:e\ndestination:/topic/a\nreceipt:r\n\n\0"),
         "A subscription of this id exists already"},
        {SLICE("SUBSCRIBE\nid:1\ndestination:/topic/a\nack:x\nreceipt:r\n\n\0"),
         "The ack header must be auto, client or client-individual"},
    };
    struct rig *rig = rig_that_denies(CONFIG_REFUSALS_SOFT);
    struct peer *peer = open_one(rig), *other = open_one(rig);

    (void)state;
    peer_subscribe(peer, "e", "/user/queue/errors");
    peer_subscribe(other, "e", "/user/queue/errors");
    for (size_t i = 0; i < COUNT(rows); i++) {
        char expected[512];

        peer_say_(peer, rows[i].frame, false);
        snprintf(expected, sizeof(expected),
                 "MESSAGE\ndestination:/user/queue/errors\n"
                 "content-type:text/plain;charset=UTF-8\nmessage:%s\nreceipt-id:r\n"
                 "subscription:e\nmessage-id:0000000000000abc-0-%zu\ncontent-length:%zu\n\n%s^",
                 rows[i].message, i, strlen(rows[i].message), rows[i].message);
        assert_string_equal(peer_heard(peer), expected);
        assert_string_equal(peer_heard(other), "");
        assert_int_equal(peer->n_closes, 0);
    }
    peer_say(peer, "UNSUBSCRIBE\nid:e\n\n\0SEND\ndestination:/topic/secret\n\nx\0");
    assert_string_equal(peer_heard(peer), "");
    peer_say(peer, "FOO\n\n\0"); /* what cannot be read ends it all the same */
    assert_int_equal(peer->n_closes, 1);
    rig_free(rig);
}

static void an_unknown_destination_is_an_error_when_the_configuration_says_so(void **state)
{
    static const struct slice frames[] = {
        SLICE("SEND\ndestination:/app/unknown\n\nx\0"),
        SLICE("SEND\ndestination:/user/joe\n\nx\0"),
        SLICE("SUBSCRIBE\nid:1\ndestination:/elsewhere\n\n\0"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(frames); i++) {
        struct rig *rig = rig_new();
        struct peer *peer;

        rig->config.broker.unknown_destination = CONFIG_UNKNOWN_ERROR;
        rig_start(rig);
        peer = open_one(rig);
        peer_say_(peer, frames[i], false);
        assert_closed(peer, 1002, SORRY("Unknown destination"));
        rig_free(rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_are_limited_for_a_session_and_for_the_process),
        cmocka_unit_test(unsubscribe_makes_room_for_another_pattern),
        cmocka_unit_test(a_broken_pattern_is_refused),
        cmocka_unit_test(selectors_are_looked_at_when_the_configuration_says_so),
        cmocka_unit_test(a_selector_that_cannot_be_read_is_refused),
        cmocka_unit_test(a_route_answers_directly_and_nothing_is_stored),
        cmocka_unit_test(a_routes_headers_take_the_place_of_the_clients),
        cmocka_unit_test(the_client_or_the_configuration_chooses_the_way_of_refusals),
        cmocka_unit_test(an_unknown_way_of_refusals_is_an_error),
        cmocka_unit_test(a_soft_refusal_is_a_message_to_who_has_subscribed),
        cmocka_unit_test(an_unknown_destination_is_an_error_when_the_configuration_says_so),
    };

    return cmocka_run_group_tests_name("gateway/session/stomp_subscribe", tests, NULL, NULL);
}
