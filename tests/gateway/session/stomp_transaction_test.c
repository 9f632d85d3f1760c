#include "tests/gateway/session/rig.h"

#include <stdio.h>

/* BEGIN, COMMIT and ABORT. The rig allows 2 transactions with 8 frames; queues hold 8 messages. */

#define HEARD(n)                                                                                   \
    "MESSAGE\ndestination:/topic/a\nsubscription:s\nmessage-id:0000000000000abc-0-" n              \
    "\ncontent-length:1\n\nx^"
#define IN_T "SEND\ndestination:/topic/a\ntransaction:t\n\nx\0"

static struct peer *open_one(struct rig *rig)
{
    struct peer *peer = rig_open(rig, RIG_STOMP, NULL);

    peer_connect(peer);
    return peer;
}

static void commit_sends_all_in_one_go(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = open_one(rig), *other = open_one(rig);

    (void)state;
    peer_subscribe(other, "s", "/topic/a");
    peer_say(peer, "BEGIN\ntransaction:t\nreceipt:1\n\n\0" IN_T
                   "SEND\ndestination:/topic/a\ntransaction:t\nreceipt:2\n\nx\0");
    assert_string_equal(peer_heard(peer), "RECEIPT\nreceipt-id:1\n\n^RECEIPT\nreceipt-id:2\n\n^");
    assert_string_equal(peer_heard(other), "");
    peer_say(peer, "SEND\ndestination:/topic/a\n\nx\0");
    assert_string_equal(peer_heard(other), HEARD("0"));
    peer_say(peer, "COMMIT\ntransaction:t\nreceipt:3\n\n\0");
    assert_string_equal(peer_heard(other), HEARD("1") HEARD("2"));
    assert_string_equal(peer_heard(peer), "RECEIPT\nreceipt-id:3\n\n^");
    assert_null(peer->session.transactions);
    rig_free(rig);
}

static void abort_and_the_sessions_end_send_nothing(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = open_one(rig), *other = open_one(rig);

    (void)state;
    peer_subscribe(other, "s", "/topic/a");
    peer_say(peer, "BEGIN\ntransaction:t\n\n\0" IN_T "ABORT\ntransaction:t\n\n\0");
    peer_say(peer, "BEGIN\ntransaction:t\n\n\0" IN_T);
    peer_end(peer);
    assert_string_equal(peer_heard(other), "");
    rig_free(rig);
}

static void rights_are_judged_at_the_send(void **state)
{
    static const struct slice secret = SLICE("/topic/secret");
    struct rig *rig = rig_new();
    struct peer *peer;

    (void)state;
    rig_rule(rig, AUTH_SEND, &secret, AUTH_ALLOW_NONE);
    rig_rule(rig, AUTH_CONNECT | AUTH_SEND | AUTH_SUBSCRIBE, NULL, AUTH_ALLOW_ALL);
    rig_start(rig);
    peer = open_one(rig);
    peer_say(peer, "BEGIN\ntransaction:t\n\n\0");
    peer_say(peer, "SEND\ndestination:/topic/secret\ntransaction:t\n\nx\0");
    assert_closed(peer, 1002, "ERROR\nmessage:Access denied\ncontent-length:0\n\n^");
    rig_free(rig);
}

static void a_transaction_that_cannot_be_is_an_error(void **state)
{
    static const struct {
        struct slice frames;
        const char *message;
    } rows[] = {
        {SLICE(IN_T), "No transaction of that name is open"},
        {SLICE("ACK\nid:0\ntransaction:t\n\n\0"), "No transaction of that name is open"},
        {SLICE("ABORT\ntransaction:t\n\n\0"), "No transaction of that name is open"},
        {SLICE("BEGIN\ntransaction:t\n\n\0BEGIN\ntransaction:t\n\n\0"),
         "A transaction of that name is open already"},
        {SLICE("BEGIN\ntransaction:1\n\n\0BEGIN\ntransaction:2\n\n\0BEGIN\ntransaction:3\n\n\0"),
         "Too many transactions are open"},
        {SLICE("BEGIN\ntransaction:t\n\n\0" IN_T IN_T IN_T IN_T IN_T IN_T IN_T IN_T IN_T),
         "Too many frames in transactions"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig *rig = rig_started();
        struct peer *peer = open_one(rig);
        char expected[256];

        snprintf(expected, sizeof(expected), "ERROR\nmessage:%s\ncontent-length:0\n\n^",
                 rows[i].message);
        peer_say_(peer, rows[i].frames, false);
        assert_closed(peer, 1002, expected);
        rig_free(rig);
    }
}

static void acknowledgements_take_effect_at_the_commit(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = open_one(rig);
    struct group_more *more;

    (void)state;
    peer_say(peer, "SUBSCRIBE\nid:s\ndestination:/topic/a\nack:client-individual\n\n\0");
    peer_say(peer, "SEND\ndestination:/topic/a\n\nx\0");
    more = LIST_FIRST(&peer->receiver.ack_groups);
    peer_say(peer, "BEGIN\ntransaction:t\n\n\0ACK\nid:0000000000000abc-0-0\ntransaction:t\n\n\0");
    assert_int_equal(acks_count(&more->acks), 1);
    peer_say(peer, "COMMIT\ntransaction:t\n\n\0");
    assert_int_equal(acks_count(&more->acks), 0);
    rig_free(rig);
}

static void a_commit_that_a_queue_has_no_room_for_sends_nothing(void **state)
{
    static struct slice names[] = {SLICE("/queue/jobs")};
    static struct config_queue queues[] = {{{names, 1}, CONFIG_QUEUE_COMPETING}};
    static const struct slice job = SLICE("SEND\ndestination:/queue/jobs\n\nx\0");
    struct rig *rig = rig_new();
    struct peer *peer, *other;

    (void)state;
    rig->config.broker.queues = queues;
    rig->config.broker.n_queues = 1;
    rig_start(rig);
    peer = open_one(rig);
    other = open_one(rig);
    peer_subscribe(other, "s", "/topic/a");
    for (int i = 0; i < 7; i++)
        peer_say_(other, job, false);
    peer_say(peer,
             "BEGIN\ntransaction:t\n\n\0" IN_T "SEND\ndestination:/queue/jobs\ntransaction:t\n\nx\0"
             "SEND\ndestination:/queue/jobs\ntransaction:t\n\nx\0"
             "COMMIT\ntransaction:t\nreceipt:r\n\n\0");
    assert_closed(peer, 1002,
                  "ERROR\nmessage:The queue is full\nreceipt-id:r\ncontent-length:0\n\n^");
    assert_string_equal(peer_heard(other), "");
    peer_say_(other, job, false); /* what was reserved for it is free again */
    assert_int_equal(other->n_closes, 0);
    peer_say_(other, job, false);
    assert_int_equal(other->n_closes, 1);
    rig_free(rig);
}

static void a_commit_waits_for_all_owners(void **state)
{
    static struct slice names[] = {SLICE("/topic/a")};
    struct rig *rig = rig_new();
    struct peer *peer;

    (void)state;
    rig->config.broker.sequence = (struct config_strings){names, 1};
    rig_start(rig);
    peer = open_one(rig);
    peer_subscribe(peer, "s", "/topic/a");
    peer_say(peer, "BEGIN\ntransaction:t\n\n\0" IN_T "COMMIT\ntransaction:t\nreceipt:r\n\n\0");
    assert_string_equal(peer_heard(peer), "MESSAGE\ndestination:/topic/a\nx-seq:1\n"
                                          "x-epoch:0000000000000abc-0-1\nsubscription:s\n"
                                          "message-id:0000000000000abc-0-0\ncontent-length:1\n\nx^"
                                          "RECEIPT\nreceipt-id:r\n\n^");
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commit_sends_all_in_one_go),
        cmocka_unit_test(abort_and_the_sessions_end_send_nothing),
        cmocka_unit_test(rights_are_judged_at_the_send),
        cmocka_unit_test(a_transaction_that_cannot_be_is_an_error),
        cmocka_unit_test(acknowledgements_take_effect_at_the_commit),
        cmocka_unit_test(a_commit_that_a_queue_has_no_room_for_sends_nothing),
        cmocka_unit_test(a_commit_waits_for_all_owners),
    };

    return cmocka_run_group_tests_name("gateway/session/stomp_transaction", tests, NULL, NULL);
}
