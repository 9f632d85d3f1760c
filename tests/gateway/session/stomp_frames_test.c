#include "tests/gateway/session/rig.h"

#include <stdio.h>
#include <unistd.h>

/* What each frame but CONNECT and SEND is answered, and what is wrong with frames. */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define RECEIPT(id) "RECEIPT\nreceipt-id:" id "\n\n^"
#define SORRY(text) "ERROR\nmessage:" text "\ncontent-length:0\n\n^"

static struct peer *connected(struct rig *rig)
{
    struct peer *peer = rig_open(rig, RIG_STOMP, NULL);

    peer_connect(peer);
    return peer;
}

/* --- receipts --- */

static void every_frame_that_asks_gets_a_receipt(void **state)
{
    static const struct {
        struct slice frame;
        const char *heard;
    } rows[] = {
        {SLICE("SEND\ndestination:/topic/none\nreceipt:1\n\nx\0"), RECEIPT("1")},
        {SLICE("SUBSCRIBE\nid:a\ndestination:/topic/a\nreceipt:2\n\n\0"), RECEIPT("2")},
        {SLICE("UNSUBSCRIBE\nid:a\nreceipt:3\n\n\0"), RECEIPT("3")},
        {SLICE("UNSUBSCRIBE\nid:none\nreceipt:3b\n\n\0"), RECEIPT("3b")},
        {SLICE("ACK\nid:x\nreceipt:4\n\n\0"), RECEIPT("4")},
        {SLICE("NACK\nid:x\nreceipt:5\n\n\0"), RECEIPT("5")},
        {SLICE("BEGIN\ntransaction:t\nreceipt:6\n\n\0"), RECEIPT("6")},
        {SLICE("COMMIT\ntransaction:t\nreceipt:7\n\n\0"), RECEIPT("7")},
        {SLICE("BEGIN\ntransaction:t\n\n\0"), ""},
        {SLICE("ABORT\ntransaction:t\nreceipt:8\n\n\0"), RECEIPT("8")},
        {SLICE("SEND\ndestination:/topic/none\n\nx\0"), ""},
        /* the id as it is, whatever is in it, empty too; the first of several */
        {SLICE("ACK\nid:x\nreceipt:a\\cb\\nc\\\\\n\n\0"), RECEIPT("a\\cb\\nc\\\\")},
        {SLICE("ACK\nid:x\nreceipt:\n\n\0"), RECEIPT("")},
        {SLICE("ACK\nid:x\nreceipt:one\nreceipt:two\n\n\0"), RECEIPT("one")},
        /* what nobody routes says so */
        {SLICE("SEND\ndestination:/nowhere\nreceipt:9\n\nx\0"),
         "RECEIPT\nreceipt-id:9\nx-unrouted:true\n\n^"},
        {SLICE("SEND\ndestination:/app/unknown\nreceipt:10\n\nx\0"),
         "RECEIPT\nreceipt-id:10\nx-unrouted:true\n\n^"},
        {SLICE("SEND\ndestination:/user/joe/other/x\nreceipt:11\n\nx\0"),
         "RECEIPT\nreceipt-id:11\nx-unrouted:true\n\n^"},
        /* a user who is not there is like a topic without subscribers */
        {SLICE("SEND\ndestination:/user/joe/queue/x\nreceipt:11b\n\nx\0"), RECEIPT("11b")},
        {SLICE("SUBSCRIBE\nid:b\ndestination:/nowhere\nreceipt:12\n\n\0"),
         "RECEIPT\nreceipt-id:12\nx-unrouted:true\n\n^"},
        {SLICE("SEND\ndestination:/nowhere\n\nx\0"), ""},
        {SLICE("DISCONNECT\nreceipt:99\n\n\0"), RECEIPT("99")},
    };
    struct rig *rig = rig_started();
    struct peer *peer = connected(rig);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        peer_say_(peer, rows[i].frame, false);
        assert_string_equal(peer_heard(peer), rows[i].heard);
    }
    assert_int_equal(peer->n_closes, 0);
    assert_int_equal(rig_metric(rig, METRIC_UNROUTED), 5);
    rig_free(rig);
}

static void what_nobody_routes_is_logged_once_for_each_destination(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = connected(rig);
    char lines[4096];
    ssize_t n;

    (void)state;
    for (int i = 0; i < 3; i++)
        peer_say(peer, "SEND\ndestination:/nowhere\n\nx\0");
    rig_assert_logged(rig, "message.unrouted");
    peer_say(peer, "SEND\ndestination:/nowhere\n\nx\0");
    n = read(rig->log_fd, lines, sizeof(lines));
    assert_int_equal(n, -1);
    peer_say(peer, "SEND\ndestination:/elsewhere\n\nx\0");
    rig_assert_logged(rig, "/elsewhere");
    rig_free(rig);
}

/* --- DISCONNECT --- */

static void disconnect_with_a_receipt_leaves_the_close_to_the_client(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = connected(rig), *other = connected(rig);

    (void)state;
    peer_subscribe(peer, "0", "/topic/a");
    peer_say(peer, "DISCONNECT\nreceipt:R\n\n\0");
    assert_string_equal(peer_heard(peer), RECEIPT("R"));
    assert_int_equal(peer->n_closes, 0);
    assert_int_equal(peer->session.state, SESSION_DISCONNECTED);
    assert_int_equal(peer->receiver.subscriptions.n, 0);
    assert_int_equal(rig_metric(rig, METRIC_SESSIONS), 1);

    peer_say(other, "SEND\ndestination:/topic/a\n\nx\0");
    assert_string_equal(peer_heard(peer), "");
    /* Beats may still come; frames may not. */
    peer_say(peer, "\n");
    peer_say(peer, "SUBSCRIBE\nid:0\ndestination:/topic/a\n\n\0");
    assert_closed(peer, 1002, SORRY("The session has been disconnected"));
    rig_free(rig);
}

static void disconnect_without_a_receipt_is_answered_as_spring_does(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = connected(rig);

    (void)state;
    peer_subscribe(peer, "0", "/topic/a");
    peer_say(peer, "DISCONNECT\n\n\0");
    assert_closed(peer, 1002, SORRY("Session closed."));
    assert_int_equal(peer->session.reason, SESSION_BY_PEER);
    assert_int_equal(rig_metric(rig, METRIC_SUBSCRIPTIONS), 0);
    rig_free(rig);
}

static void a_connection_that_breaks_takes_its_subscriptions_along(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = connected(rig);

    (void)state;
    peer_subscribe(peer, "0", "/topic/a");
    peer_subscribe(peer, "1", "/topic/b");
    peer_end(peer);
    assert_int_equal(peer->session.state, SESSION_ENDED);
    assert_int_equal(peer->n_closes, 0);
    assert_int_equal(rig_metric(rig, METRIC_SUBSCRIPTIONS), 0);
    assert_int_equal(rig_metric(rig, METRIC_SESSIONS), 0);
    peer_end(peer); /* once more changes nothing */
    rig_free(rig);
}

/* --- errors --- */

static void a_frame_that_is_wrong_is_an_error_with_its_text_and_1002(void **state)
{
    static const struct {
        struct slice frame;
        const char *message;
    } rows[] = {
        /* Spring's text has a Java class name in it. */
        {SLICE("FOO\n\n\0"), "Unknown command 'FOO'"},
        {SLICE("send\n\n\0"), "Unknown command 'send'"},
        {SLICE("SEND \n\n\0"), "Unknown command 'SEND '"},
        {SLICE("SEND\nno colon\n\n\0"),
         "Illegal header\\c 'no colon'. A header must be of the form <name>\\c[<value>]."},
        {SLICE("SEND\n:value\n\n\0"),
         "Illegal header\\c '\\cvalue'. A header must be of the form <name>\\c[<value>]."},
        {SLICE("SEND\na:alpha\\x\n\n\0"), "Illegal escape sequence at index 5\\c alpha\\\\x"},
        {SLICE("SEND\na:b\rc\n\n\0"), "'\\\\r' must be followed by '\\\\n'"},
        {SLICE("SEND\ndestination:/topic/a\ncontent-length:2\n\nabc\0"),
         "Frame must be terminated with a null octet"},
        {SLICE("SUBSCRIBE\nid:0\ndestination:/topic/a\n\nbody\0"),
         "SUBSCRIBE shouldn't have a payload\\c length=4, headers={}"},
        {SLICE("DISCONNECT\n\nbye\0"),
         "DISCONNECT shouldn't have a payload\\c length=3, headers={}"},
        {SLICE("SEND\ndestination:/topic/a\ncontent-length:9000\n\n"),
         "STOMP 'content-length' header value 9000  exceeds configured buffer size limit 2000"},
        {SLICE("SEND\ndestination:/topic/a\ncontent-type:text\n\nx\0"),
         "Invalid mime type \"text\"\\c does not contain '/'"},
        /* ours: the heart-beat header is looked at in CONNECT only, missing headers are told */
        {SLICE("SEND\n\nx\0"), "Missing header 'destination' in SEND"},
        {SLICE("SEND\ndestination:\n\nx\0"), "Missing header 'destination' in SEND"},
        {SLICE("SUBSCRIBE\ndestination:/topic/a\n\n\0"), "Missing header 'id' in SUBSCRIBE"},
        {SLICE("SUBSCRIBE\nid:0\n\n\0"), "Missing header 'destination' in SUBSCRIBE"},
        {SLICE("UNSUBSCRIBE\n\n\0"), "Missing header 'id' in UNSUBSCRIBE"},
        {SLICE("SUBSCRIBE\nid:0\ndestination:/topic/a\nack:maybe\n\n\0"),
         "The ack header must be auto, client or client-individual"},
        {SLICE("SUBSCRIBE\nid:0\ndestination:/topic/a\nprefetch-count:0\n\n\0"),
         "The prefetch-count header must be a number from 1 up"},
        {SLICE("ACK\n\n\0"), "Missing header 'id' in ACK"},
        {SLICE("BEGIN\n\n\0"), "Missing header 'transaction' in BEGIN"},
        {SLICE("COMMIT\ntransaction:t\n\n\0"), "No transaction of that name is open"},
        {SLICE("MESSAGE\ndestination:/topic/a\n\nx\0"), "A command that only a server may send"},
        {SLICE("ERROR\n\nx\0"), "A command that only a server may send"},
        {SLICE("RECEIPT\n\n\0"), "A command that only a server may send"},
        {SLICE("CONNECTED\n\n\0"), "A command that only a server may send"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig *rig = rig_new();
        struct peer *peer;
        char expected[512];

        rig->endpoints[RIG_STOMP].message_size_limit = 2000;
        rig_start(rig);
        peer = connected(rig);
        peer_say_(peer, rows[i].frame, false);
        (void)snprintf(expected, sizeof(expected), SORRY("%s"), rows[i].message);
        assert_closed(peer, 1002, expected);
        assert_int_equal(peer->session.reason, SESSION_PROTOCOL_ERROR);
        assert_string_equal(peer->close_reason, "");
        rig_free(rig);
    }
}

static void a_frame_above_the_limit_is_an_error(void **state)
{
    struct rig *rig = rig_new();
    struct peer *peer;
    char frame[2100];

    (void)state;
    rig->endpoints[RIG_STOMP].message_size_limit = 2000;
    rig_start(rig);
    memset(frame, 'x', sizeof(frame));
    memcpy(frame, "SEND\ndestination:/topic/a\n\n", 27);

    peer = connected(rig);
    frame[1999] = '\0';
    peer_say_(peer, slice_of(frame, 2000), false);
    assert_int_equal(peer->n_closes, 0);
    frame[1999] = 'x';
    frame[2000] = '\0';
    /* In two messages or one. */
    peer_say_(peer, slice_of(frame, 1500), false);
    assert_int_equal(peer->n_closes, 0);
    peer_say_(peer, slice_of(frame + 1500, 501), false);
    assert_closed(peer, 1002,
                  SORRY("The configured STOMP buffer size limit of 2000 bytes has been exceeded"));
    rig_free(rig);
}

static void an_error_names_the_receipt_that_was_asked_for(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = connected(rig);

    (void)state;
    peer_say(peer, "SUBSCRIBE\nid:0\nreceipt:r-1\n\n\0");
    assert_closed(peer, 1002,
                  "ERROR\nmessage:Missing header 'destination' in SUBSCRIBE\nreceipt-id:r-1\n"
                  "content-length:0\n\n^");
    rig_free(rig);
}

static void detail_is_in_the_body_when_the_configuration_wants_it(void **state)
{
    struct rig *rig = rig_new();
    struct peer *peer;

    (void)state;
    rig->config.broker.error_detail = true;
    rig_start(rig);
    peer = connected(rig);
    peer_say(peer, "SUBSCRIBE\nid:0\ndestination:/topic/a\nack:no\n\n\0");
    assert_closed(peer, 1002,
                  "ERROR\nmessage:The ack header must be auto, client or client-individual\n"
                  "content-type:text/plain;charset=UTF-8\ncontent-length:8\n\n/topic/a^");
    rig_free(rig);
}

static void what_follows_an_error_is_not_looked_at(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = connected(rig), *other = connected(rig);

    (void)state;
    peer_subscribe(other, "0", "/topic/a");
    peer_say(peer, "SEND\ndestination:/topic/a\n\n1\0FOO\n\n\0SEND\ndestination:/topic/a\n\n2\0");
    assert_closed(peer, 1002, SORRY("Unknown command 'FOO'"));
    peer_say(peer, "SEND\ndestination:/topic/a\n\n3\0");
    /* The frame before it was taken, unlike Spring. */
    assert_string_equal(peer_heard(other),
                        "MESSAGE\ndestination:/topic/a\nsubscription:0\n"
                        "message-id:0000000000000abc-0-0\ncontent-length:1\n\n1^");
    rig_free(rig);
}

static void messages_published_before_an_error_are_delivered_before_it(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = connected(rig);

    (void)state;
    peer_subscribe(peer, "0", "/topic/a");
    peer_say(peer, "SEND\ndestination:/topic/a\n\n1\0FOO\n\n\0");
    assert_closed(peer, 1002,
                  "MESSAGE\ndestination:/topic/a\nsubscription:0\n"
                  "message-id:0000000000000abc-0-0\ncontent-length:1\n\n1^"
                  "ERROR\nmessage:Unknown command 'FOO'\ncontent-length:0\n\n^");
    rig_free(rig);
}

/* --- subscriptions --- */

static void an_id_that_is_in_use_is_refused(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = connected(rig);

    (void)state;
    peer_subscribe(peer, "0", "/topic/a");
    peer_say(peer, "UNSUBSCRIBE\nid:0\n\n\0");
    peer_subscribe(peer, "0", "/topic/b"); /* free again */
    peer_say(peer, "SUBSCRIBE\nid:0\ndestination:/topic/c\n\n\0");
    assert_closed(peer, 1002, SORRY("A subscription of this id exists already"));
    rig_free(rig);
}

static void a_session_has_so_many_subscriptions_and_no_more(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = connected(rig);
    char id[16];

    (void)state;
    for (int i = 0; i < 16; i++) {
        (void)snprintf(id, sizeof(id), "s-%d", i);
        peer_subscribe(peer, id, "/topic/a");
    }
    peer_say(peer, "UNSUBSCRIBE\nid:s-3\n\n\0");
    peer_subscribe(peer, "s-3", "/topic/b");
    peer_say(peer, "SUBSCRIBE\nid:more\ndestination:/topic/a\n\n\0");
    assert_closed(peer, 1002, SORRY("Too many subscriptions in one session"));
    rig_free(rig);
}

static void each_subscription_of_a_session_gets_its_own_message(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = connected(rig);

    (void)state;
    peer_subscribe(peer, "a", "/topic/a");
    peer_subscribe(peer, "b", "/topic/a");
    peer_say(peer, "SEND\ndestination:/topic/a\n\nx\0UNSUBSCRIBE\nid:b\nreceipt:u\n\n\0"
                   "SEND\ndestination:/topic/a\n\ny\0");
    assert_int_equal(rig_metric(rig, METRIC_DELIVERED), 3);
    {
        const char *heard = peer_heard(peer);
        const char *receipt = strstr(heard, RECEIPT("u"));

        assert_non_null(receipt);
        assert_non_null(strstr(heard, "subscription:b\n"));
        assert_null(strstr(receipt, "subscription:b\n"));
        assert_non_null(strstr(receipt, "subscription:a\n"));
    }
    rig_free(rig);
}

static void access_rules_decide_by_operation_and_destination(void **state)
{
    static const struct slice news = SLICE("/topic/news");
    static const struct slice all = SLICE("/topic/**");
    static const struct {
        const char *user;
        struct slice frame;
        bool is_allowed;
    } rows[] = {
        {NULL, SLICE("SUBSCRIBE\nid:0\ndestination:/topic/news\n\n\0"), true},
        {NULL, SLICE("SEND\ndestination:/topic/news\n\nx\0"), false},
        {NULL, SLICE("SUBSCRIBE\nid:0\ndestination:/topic/a\n\n\0"), false},
        {NULL, SLICE("SEND\ndestination:/topic/a\n\nx\0"), false},
        {"alice", SLICE("SUBSCRIBE\nid:0\ndestination:/topic/a\n\n\0"), true},
        {"alice", SLICE("SEND\ndestination:/topic/a\n\nx\0"), true},
        {"alice", SLICE("SEND\ndestination:/topic/news\n\nx\0"), false},
        {"alice", SLICE("SEND\ndestination:/queue/a\n\nx\0"), false}, /* no rule: denied */
        {"alice", SLICE("SUBSCRIBE\nid:0\ndestination:/nowhere\n\n\0"), false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig *rig = rig_new();
        struct peer *peer;

        rig_rule(rig, AUTH_CONNECT, NULL, AUTH_ALLOW_ALL);
        rig_rule(rig, AUTH_SEND, &news, AUTH_ALLOW_NONE);
        rig_rule(rig, AUTH_SUBSCRIBE, &news, AUTH_ALLOW_ALL);
        rig_rule(rig, AUTH_SEND | AUTH_SUBSCRIBE, &all, AUTH_ALLOW_AUTHENTICATED);
        rig_start(rig);
        peer = rig_open(rig, RIG_STOMP, rows[i].user);
        peer_connect(peer);
        peer_say_(peer, rows[i].frame, false);
        if (rows[i].is_allowed)
            assert_int_equal(peer->n_closes, 0);
        else
            assert_closed(peer, 1002, SORRY("Access denied"));
        assert_int_equal(rig_metric(rig, METRIC_ACCESS_DENIED), !rows[i].is_allowed);
        rig_free(rig);
    }
}

/* --- the tick's share --- */

static void frames_beyond_the_share_of_the_tick_are_left(void **state)
{
    static const struct slice beats = SLICE("ACK\nid:x\nreceipt:1\n\n\0ACK\nid:x\nreceipt:2\n\n\0"
                                            "ACK\nid:x\nreceipt:3\n\n\0");
    struct rig *rig = rig_started();
    struct peer *peer = connected(rig);

    (void)state;
    peer->frames_left = 2;
    assert_int_equal(peer_give(peer, beats, false), beats.len / 3 * 2);
    assert_string_equal(peer_heard(peer), RECEIPT("1") RECEIPT("2"));
    assert_int_equal(peer_give(peer, slice_skip(beats, beats.len / 3 * 2), false), 0);
    peer->frames_left = 128;
    rig->is_congested = true;
    assert_int_equal(peer_give(peer, slice_skip(beats, beats.len / 3 * 2), false), 0);
    rig->is_congested = false;
    peer_say_(peer, slice_skip(beats, beats.len / 3 * 2), false);
    assert_string_equal(peer_heard(peer), RECEIPT("3"));
    assert_int_equal(peer->frames_left, 127);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_frame_that_asks_gets_a_receipt),
        cmocka_unit_test(what_nobody_routes_is_logged_once_for_each_destination),
        cmocka_unit_test(disconnect_with_a_receipt_leaves_the_close_to_the_client),
        cmocka_unit_test(disconnect_without_a_receipt_is_answered_as_spring_does),
        cmocka_unit_test(a_connection_that_breaks_takes_its_subscriptions_along),
        cmocka_unit_test(a_frame_that_is_wrong_is_an_error_with_its_text_and_1002),
        cmocka_unit_test(a_frame_above_the_limit_is_an_error),
        cmocka_unit_test(an_error_names_the_receipt_that_was_asked_for),
        cmocka_unit_test(detail_is_in_the_body_when_the_configuration_wants_it),
        cmocka_unit_test(what_follows_an_error_is_not_looked_at),
        cmocka_unit_test(messages_published_before_an_error_are_delivered_before_it),
        cmocka_unit_test(an_id_that_is_in_use_is_refused),
        cmocka_unit_test(a_session_has_so_many_subscriptions_and_no_more),
        cmocka_unit_test(each_subscription_of_a_session_gets_its_own_message),
        cmocka_unit_test(access_rules_decide_by_operation_and_destination),
        cmocka_unit_test(frames_beyond_the_share_of_the_tick_are_left),
    };

    return cmocka_run_group_tests_name("gateway/session/stomp_frames", tests, NULL, NULL);
}
