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

static void a_refused_send_is_no_part_of_it_and_the_others_are(void **state)
{
    static const struct slice secret = SLICE("/topic/secret");
    struct rig *rig = rig_new();
    struct peer *peer, *other;

    (void)state;
    rig->config.broker.refusals = CONFIG_REFUSALS_SOFT;
    rig_rule(rig, AUTH_SEND, &secret, AUTH_ALLOW_NONE);
    rig_rule(rig, AUTH_CONNECT | AUTH_SEND | AUTH_SUBSCRIBE, NULL, AUTH_ALLOW_ALL);
    rig_start(rig);
    peer = open_one(rig);
    other = open_one(rig);
    peer_subscribe(other, "s", "/topic/a");
    peer_subscribe(other, "t", "/topic/secret");
    peer_say(peer, "BEGIN\ntransaction:t\n\n\0" IN_T
                   "SEND\ndestination:/topic/secret\ntransaction:t\nreceipt:r\n\nx\0" IN_T
                   "COMMIT\ntransaction:t\nreceipt:c\n\n\0");
    assert_string_equal(peer_heard(peer), "RECEIPT\nreceipt-id:c\n\n^");
    /* The refusal, which nobody has subscribed to, took the first id. */
    assert_string_equal(peer_heard(other), HEARD("1") HEARD("2"));
    rig_free(rig);
}

static void transactions_of_a_session_do_not_mix(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = open_one(rig), *other = open_one(rig);

    (void)state;
    peer_subscribe(other, "s", "/topic/a");
    peer_say(peer, "BEGIN\ntransaction:t\n\n\0BEGIN\ntransaction:u\n\n\0" IN_T
                   "SEND\ndestination:/topic/b\ntransaction:u\n\nx\0"
                   "ABORT\ntransaction:u\nreceipt:1\n\n\0" IN_T "COMMIT\ntransaction:t\n\n\0");
    assert_string_equal(peer_heard(other), HEARD("0") HEARD("1"));
    assert_string_equal(peer_heard(peer), "RECEIPT\nreceipt-id:1\n\n^");
    /* The name is free again, also after a COMMIT. */
    peer_say(peer, "BEGIN\ntransaction:t\n\n\0" IN_T "COMMIT\ntransaction:t\nreceipt:2\n\n\0");
    assert_string_equal(peer_heard(other), HEARD("2"));
    assert_string_equal(peer_heard(peer), "RECEIPT\nreceipt-id:2\n\n^");
    rig_free(rig);
}

static void an_empty_commit_has_its_receipt_and_a_second_one_an_error(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = open_one(rig);

    (void)state;
    peer_say(peer, "BEGIN\ntransaction:t\n\n\0COMMIT\ntransaction:t\nreceipt:1\n\n\0");
    assert_string_equal(peer_heard(peer), "RECEIPT\nreceipt-id:1\n\n^");
    peer_say(peer, "COMMIT\ntransaction:t\nreceipt:2\n\n\0");
    assert_closed(peer, 1002,
                  "ERROR\nmessage:No transaction of that name is open\nreceipt-id:2\n"
                  "content-length:0\n\n^");
    rig_free(rig);
}

static void a_transaction_has_no_more_bytes_than_it_may(void **state)
{
    struct rig *rig = rig_new();
    struct peer *peer;

    (void)state;
    rig->config.transport.max_transaction_bytes = 1024;
    rig_start(rig);
    peer = open_one(rig);
    peer_say(peer, "BEGIN\ntransaction:t\n\n\0" IN_T);
    assert_int_equal(peer->n_closes, 0);
    for (int i = 0; i < 7 && peer->n_closes == 0; i++)
        peer_say(peer, IN_T);
    assert_closed(peer, 1002, "ERROR\nmessage:Transactions are too large\ncontent-length:0\n\n^");
    assert_null(peer->session.transactions);
    rig_free(rig);
}

static void frames_without_a_transactions_name_are_refused(void **state)
{
    static const char *const commands[] = {"BEGIN", "COMMIT", "ABORT"};

    (void)state;
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        struct rig *rig = rig_started();
        struct peer *peer = open_one(rig);
        char frame[64], expected[128];
        int n = snprintf(frame, sizeof(frame), "%s\nid:t\n\n", commands[i]);

        snprintf(expected, sizeof(expected),
                 "ERROR\nmessage:Missing header 'transaction' in %s\ncontent-length:0\n\n^",
                 commands[i]);
        peer_say_(peer, slice_of(frame, (size_t)n + 1), false);
        assert_closed(peer, 1002, expected);
        rig_free(rig);
    }
}

static void routes_and_users_are_part_of_it(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = open_one(rig), *alice = rig_open(rig, RIG_STOMP, "alice");

    (void)state;
    peer_connect(alice);
    peer_subscribe(alice, "s", "/user/queue/x");
    peer_subscribe(alice, "c", "/topic/chat");
    peer_say(peer, "BEGIN\ntransaction:t\n\n\0"
                   "SEND\ndestination:/app/chat\ntransaction:t\n\nx\0"
                   "SEND\ndestination:/user/alice/queue/x\ntransaction:t\n\ny\0"
                   "SEND\ndestination:/app/nowhere\ntransaction:t\n\nz\0");
    assert_string_equal(peer_heard(alice), "");
    peer_say(peer, "COMMIT\ntransaction:t\nreceipt:r\n\n\0");
    assert_string_equal(peer_heard(alice),
                        "MESSAGE\ndestination:/topic/chat\nsubscription:c\n"
                        "message-id:0000000000000abc-0-0\ncontent-length:1\n\nx^"
                        "MESSAGE\ndestination:/user/queue/x\nsubscription:s\n"
                        "message-id:0000000000000abc-0-1\ncontent-length:1\n\ny^");
    assert_string_equal(peer_heard(peer), "RECEIPT\nreceipt-id:r\n\n^");
    assert_int_equal(rig_metric(rig, METRIC_UNROUTED), 1);
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
        cmocka_unit_test(a_refused_send_is_no_part_of_it_and_the_others_are),
        cmocka_unit_test(transactions_of_a_session_do_not_mix),
        cmocka_unit_test(an_empty_commit_has_its_receipt_and_a_second_one_an_error),
        cmocka_unit_test(a_transaction_has_no_more_bytes_than_it_may),
        cmocka_unit_test(frames_without_a_transactions_name_are_refused),
        cmocka_unit_test(routes_and_users_are_part_of_it),
    };

    return cmocka_run_group_tests_name("gateway/session/stomp_transaction", tests, NULL, NULL);
}
