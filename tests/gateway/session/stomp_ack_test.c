#include "tests/gateway/session/rig.h"

#include <stdio.h>

/* ACK and NACK, on fan-out and on competing queues. The rig's window is 4. */

#define ID(n) "0000000000000abc-0-" n
#define ASKED(destination, n, more)                                                                \
    "MESSAGE\ndestination:" destination                                                            \
    "\nsubscription:s\nack:" ID(n) "\n" more "message-id:" ID(n) "\ncontent-length:1\n\nx^"
#define SEND_JOB "SEND\ndestination:/queue/jobs\n\nx\0"

static struct slice job_names[] = {SLICE("/queue/jobs")};
static struct config_queue queues[] = {{{job_names, 1}, CONFIG_QUEUE_COMPETING}};

static struct rig *rig_with_queue(void)
{
    struct rig *rig = rig_new();

    rig->config.broker.queues = queues;
    rig->config.broker.n_queues = 1;
    rig_start(rig);
    return rig;
}

static struct peer *open_one(struct rig *rig)
{
    struct peer *peer = rig_open(rig, RIG_STOMP, NULL);

    peer_connect(peer);
    return peer;
}

static void connect_as(struct peer *peer, const char *version)
{
    char frame[64];
    int n = snprintf(frame, sizeof(frame), "CONNECT\naccept-version:%s\n\n", version);

    peer_say_(peer, slice_of(frame, (size_t)n + 1), false);
    (void)peer_heard(peer);
}

static uint32_t n_unacknowledged(struct peer *peer)
{
    struct group_more *more = LIST_FIRST(&peer->receiver.ack_groups);

    return more == NULL ? 0 : acks_count(&more->acks);
}

static void publish(struct peer *peer, unsigned n)
{
    while (n-- != 0)
        peer_say(peer, "SEND\ndestination:/topic/a\n\nx\0");
}

static void a_delivery_that_is_to_be_acknowledged_says_by_what(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = open_one(rig), *other = open_one(rig);

    (void)state;
    peer_say(peer, "SUBSCRIBE\nid:s\ndestination:/topic/a\nack:client-individual\n\n\0");
    peer_subscribe(other, "s", "/topic/a");
    publish(other, 1);
    assert_string_equal(peer_heard(peer), ASKED("/topic/a", "0", ""));
    assert_string_equal(peer_heard(other), "MESSAGE\ndestination:/topic/a\nsubscription:s\n"
                                           "message-id:" ID("0") "\ncontent-length:1\n\nx^");
    rig_free(rig);
}

static void an_ack_is_for_one_or_for_all_before_in_every_version(void **state)
{
    static const struct {
        const char *version, *mode;
        struct slice ack;
        uint32_t left;
    } rows[] = {
        {"1.2", "client-individual", SLICE("ACK\nid:" ID("1") "\n\n\0"), 2},
        {"1.2", "client", SLICE("ACK\nid:" ID("1") "\n\n\0"), 1},
        {"1.2", "client", SLICE("NACK\nid:" ID("2") "\n\n\0"), 0},
        {"1.1", "client-individual", SLICE("ACK\nsubscription:s\nmessage-id:" ID("1") "\n\n\0"), 2},
        {"1.1", "client", SLICE("ACK\nsubscription:s\nmessage-id:" ID("1") "\n\n\0"), 1},
        /* Spring's client leaves the subscription out */
        {"1.1", "client", SLICE("ACK\nmessage-id:" ID("1") "\n\n\0"), 1},
        {"1.0", "client", SLICE("ACK\nmessage-id:" ID("0") "\n\n\0"), 2},
        /* what is not waited for is ignored */
        {"1.2", "client", SLICE("ACK\nid:" ID("7") "\n\n\0"), 3},
        {"1.2", "client", SLICE("ACK\nid:1\n\n\0"), 3},
        {"1.2", "client", SLICE("ACK\nid:0000000000000abd-0-1\n\n\0"), 3},
        {"1.2", "client", SLICE("ACK\nid:0000000000000abc-99-1\n\n\0"), 3},
        {"1.1", "client", SLICE("ACK\nsubscription:none\nmessage-id:" ID("1") "\n\n\0"), 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig *rig = rig_started();
        struct peer *peer = rig_open(rig, RIG_STOMP, NULL);
        char frame[128];
        int n = snprintf(frame, sizeof(frame), "SUBSCRIBE\nid:s\ndestination:/topic/a\nack:%s\n\n",
                         rows[i].mode);

        connect_as(peer, rows[i].version);
        peer_say_(peer, slice_of(frame, (size_t)n + 1), false);
        publish(peer, 3);
        assert_int_equal(n_unacknowledged(peer), 3);
        peer_say_(peer, rows[i].ack, false);
        assert_int_equal(n_unacknowledged(peer), rows[i].left);
        assert_int_equal(peer->n_closes, 0);
        rig_free(rig);
    }
}

static void a_full_window_on_a_fan_out_is_a_slow_consumer(void **state)
{
    struct rig *rig = rig_started();
    struct peer *slow = open_one(rig), *other = open_one(rig);

    (void)state;
    peer_say(slow, "SUBSCRIBE\nid:s\ndestination:/topic/a\nack:client\n\n\0");
    peer_subscribe(other, "s", "/topic/a");
    publish(other, 4);
    assert_false(slow->receiver.is_window_full);
    publish(other, 1);
    assert_true(slow->receiver.is_window_full);
    session_overflow(&slow->session, SESSION_ACK_WINDOW);
    assert_int_equal(slow->close_code, 4500);
    assert_int_equal(rig_metric(rig, METRIC_CLOSED_ACK_WINDOW), 1);
    assert_int_equal(other->n_closes, 0);
    rig_free(rig);
}

static void prefetch_makes_the_window_smaller_and_never_larger(void **state)
{
    struct rig *rig = rig_started();
    struct peer *two = open_one(rig), *many = open_one(rig);

    (void)state;
    peer_say(two, "SUBSCRIBE\nid:s\ndestination:/topic/a\nack:client\nprefetch-count:2\n\n\0");
    peer_say(many, "SUBSCRIBE\nid:s\ndestination:/topic/a\nack:client\nprefetch-count:99\n\n\0");
    publish(many, 3);
    assert_true(two->receiver.is_window_full);
    assert_false(many->receiver.is_window_full);
    publish(many, 2);
    assert_true(many->receiver.is_window_full);
    rig_free(rig);
}

static void the_windows_of_a_session_are_bounded_together(void **state)
{
    struct rig *rig = rig_new();
    struct peer *peer;
    char id[16];

    (void)state;
    rig->config.transport.max_subscriptions_per_session = 100;
    rig_start(rig);
    peer = open_one(rig);
    for (int i = 0; i < 17; i++) {
        char frame[128];
        int n;

        snprintf(id, sizeof(id), "%d", i);
        n = snprintf(frame, sizeof(frame), "SUBSCRIBE\nid:%s\ndestination:/topic/a\nack:client\n\n",
                     id);
        assert_int_equal(peer->n_closes, 0);
        peer_say_(peer, slice_of(frame, (size_t)n + 1), false);
    }
    assert_closed(
        peer, 1002,
        "ERROR\nmessage:Too many messages could be unacknowledged in one session\\c lower "
        "prefetch-count\ncontent-length:0\n\n^");
    rig_free(rig);
}

static void a_nack_on_a_fan_out_is_counted_only(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = open_one(rig);

    (void)state;
    peer_say(peer, "SUBSCRIBE\nid:s\ndestination:/topic/a\nack:client-individual\n\n\0");
    publish(peer, 1);
    (void)peer_heard(peer);
    peer_say(peer, "NACK\nid:" ID("0") "\n\n\0");
    assert_string_equal(peer_heard(peer), "");
    assert_int_equal(rig_metric(rig, METRIC_NACKED), 1);
    rig_free(rig);
}

/* --- competing queues --- */

static void subscribe_job(struct peer *peer)
{
    peer_say(peer, "SUBSCRIBE\nid:s\ndestination:/queue/jobs\nack:client-individual\n\n\0");
    assert_string_equal(peer_heard(peer), "");
}

static void consumers_of_a_queue_take_turns(void **state)
{
    struct rig *rig = rig_with_queue();
    struct peer *a = open_one(rig), *b = open_one(rig), *sender = open_one(rig);

    (void)state;
    subscribe_job(a);
    subscribe_job(b);
    peer_say(sender, SEND_JOB SEND_JOB);
    assert_string_equal(peer_heard(a), ASKED("/queue/jobs", "0", ""));
    assert_string_equal(peer_heard(b), ASKED("/queue/jobs", "1", ""));
    rig_free(rig);
}

static void what_is_refused_or_left_behind_goes_to_another(void **state)
{
    struct rig *rig = rig_with_queue();
    struct peer *a = open_one(rig), *b = open_one(rig);

    (void)state;
    subscribe_job(a);
    peer_say(b, SEND_JOB);
    assert_string_equal(peer_heard(a), ASKED("/queue/jobs", "0", ""));
    subscribe_job(b);
    peer_say(a, "NACK\nid:" ID("0") "\n\n\0");
    assert_string_equal(peer_heard(b),
                        ASKED("/queue/jobs", "0", "redelivered:true\nx-delivery-count:2\n"));
    peer_end(b);
    assert_string_equal(peer_heard(a),
                        ASKED("/queue/jobs", "0", "redelivered:true\nx-delivery-count:3\n"));
    peer_say(a, "ACK\nid:" ID("0") "\n\n\0");
    peer_say(a, "UNSUBSCRIBE\nid:s\n\n\0");
    b = open_one(rig);
    subscribe_job(b);
    assert_string_equal(peer_heard(b), "");
    rig_free(rig);
}

static void messages_wait_until_somebody_has_room(void **state)
{
    struct rig *rig = rig_with_queue();
    struct peer *a = open_one(rig);

    (void)state;
    peer_say(a, SEND_JOB SEND_JOB);
    peer_say(a, "SUBSCRIBE\nid:s\ndestination:/queue/jobs\nack:client\nprefetch-count:1\n\n\0");
    assert_string_equal(peer_heard(a), ASKED("/queue/jobs", "0", ""));
    peer_say(a, "ACK\nid:" ID("0") "\n\n\0");
    assert_string_equal(peer_heard(a), ASKED("/queue/jobs", "1", ""));
    assert_false(a->receiver.is_window_full);
    rig_free(rig);
}

static void a_full_queue_refuses_and_has_room_again(void **state)
{
    struct rig *rig = rig_with_queue(); /* of 8 messages */
    struct peer *a = open_one(rig), *b = open_one(rig), *c = open_one(rig);

    (void)state;
    for (int i = 0; i < 8; i++)
        peer_say(a, SEND_JOB);
    peer_say(b, "SEND\ndestination:/queue/jobs\nreceipt:r\n\nx\0");
    assert_closed(b, 1002, "ERROR\nmessage:The queue is full\nreceipt-id:r\ncontent-length:0\n\n^");
    peer_say(c, "SUBSCRIBE\nid:s\ndestination:/queue/jobs\n\n\0"); /* auto: takes them all */
    (void)peer_heard(c);
    peer_say(a, "SEND\ndestination:/queue/jobs\nreceipt:r\n\nx\0");
    assert_string_equal(peer_heard(a), "RECEIPT\nreceipt-id:r\n\n^");
    assert_string_equal(peer_heard(c), "MESSAGE\ndestination:/queue/jobs\nsubscription:s\n"
                                       "message-id:" ID("8") "\ncontent-length:1\n\nx^");
    rig_free(rig);
}

static void receipts_of_queues_come_when_the_owner_has_done_it(void **state)
{
    struct rig *rig = rig_with_queue();
    struct peer *a = open_one(rig);

    (void)state;
    peer_say(a, "SUBSCRIBE\nid:s\ndestination:/queue/jobs\nreceipt:1\n\n\0");
    assert_int_equal(a->receiver.outq.bytes, 0); /* the errand has not been run */
    assert_string_equal(peer_heard(a), "RECEIPT\nreceipt-id:1\n\n^");
    peer_say(a, "SUBSCRIBE\nid:t\ndestination:/queue/jobs\nreceipt:2\n\n\0");
    peer_end(a); /* nobody is there to get it */
    rig_free(rig);
}

static void patterns_and_selectors_have_no_part_in_queues(void **state)
{
    struct rig *rig = rig_with_queue();
    struct peer *a = open_one(rig), *b = open_one(rig);

    (void)state;
    peer_subscribe(a, "p", "/queue/*");
    subscribe_job(b);
    peer_say(a, SEND_JOB);
    assert_string_equal(peer_heard(a), "");
    assert_string_equal(peer_heard(b), ASKED("/queue/jobs", "0", ""));
    rig_free(rig);

    rig = rig_new();
    rig->config.broker.queues = queues;
    rig->config.broker.n_queues = 1;
    rig->config.broker.selector_header = slice_str("selector");
    rig_start(rig);
    a = open_one(rig);
    peer_say(a, "SUBSCRIBE\nid:s\ndestination:/queue/jobs\nselector:headers.a == 'b'\n\n\0");
    assert_closed(a, 1002,
                  "ERROR\nmessage:A competing queue takes no selector\ncontent-length:0\n\n^");
    rig_free(rig);
}

static void a_soft_refusal_of_a_full_queue_leaves_the_session_alive(void **state)
{
    struct rig *rig = rig_new();
    struct peer *peer;

    (void)state;
    rig->config.broker.queues = queues;
    rig->config.broker.n_queues = 1;
    rig->config.broker.refusals = CONFIG_REFUSALS_SOFT;
    rig_start(rig);
    peer = open_one(rig);
    peer_subscribe(peer, "e", "/user/queue/errors");
    for (int i = 0; i < 8; i++)
        peer_say(peer, SEND_JOB);
    peer_say(peer, "SEND\ndestination:/queue/jobs\nreceipt:1\n\nx\0"
                   "BEGIN\ntransaction:t\n\n\0"
                   "SEND\ndestination:/queue/jobs\ntransaction:t\n\nx\0"
                   "COMMIT\ntransaction:t\nreceipt:2\n\n\0");
    assert_string_equal(
        peer_heard(peer),
        "MESSAGE\ndestination:/user/queue/errors\ncontent-type:text/plain;charset=UTF-8\n"
        "message:The queue is full\nreceipt-id:1\nsubscription:e\nmessage-id:" ID(
            "8") "\ncontent-length:17\n\nThe queue is full^"
                 "MESSAGE\ndestination:/user/queue/errors\ncontent-type:text/plain;charset=UTF-8\n"
                 "message:The queue is full\nreceipt-id:2\nsubscription:e\nmessage-id:" ID(
                     "9") "\ncontent-length:17\n\nThe queue is full^");
    assert_int_equal(peer->n_closes, 0);
    assert_null(peer->session.transactions);
    rig_free(rig);
}

static void the_ack_of_another_session_or_after_unsubscribe_is_ignored(void **state)
{
    struct rig *rig = rig_with_queue();
    struct peer *a = open_one(rig), *b = open_one(rig);

    (void)state;
    subscribe_job(a);
    peer_say(b, SEND_JOB);
    assert_string_equal(peer_heard(a), ASKED("/queue/jobs", "0", ""));
    peer_say(b, "ACK\nid:" ID("0") "\nreceipt:1\n\n\0NACK\nid:" ID("0") "\n\n\0");
    assert_string_equal(peer_heard(b), "RECEIPT\nreceipt-id:1\n\n^");
    assert_int_equal(n_unacknowledged(a), 1);
    /* It goes back to the queue, from where no late ACK takes it away. */
    peer_say(a, "UNSUBSCRIBE\nid:s\n\n\0ACK\nid:" ID("0") "\n\n\0");
    (void)peer_heard(a);
    peer_say(b, "SUBSCRIBE\nid:s\ndestination:/queue/jobs\nack:client-individual\n\n\0");
    assert_string_equal(peer_heard(b),
                        ASKED("/queue/jobs", "0", "redelivered:true\nx-delivery-count:2\n"));
    rig_free(rig);
}

static void nacks_of_client_mode_are_for_all_before(void **state)
{
    struct rig *rig = rig_with_queue();
    struct peer *a = open_one(rig), *b = open_one(rig);

    (void)state;
    peer_say(a, "SUBSCRIBE\nid:s\ndestination:/queue/jobs\nack:client\n\n\0");
    peer_say(b, SEND_JOB SEND_JOB SEND_JOB);
    (void)peer_heard(a);
    subscribe_job(b);
    peer_say(a, "NACK\nid:" ID("1") "\n\n\0");
    assert_int_equal(n_unacknowledged(a), 1);
    assert_string_equal(peer_heard(b),
                        ASKED("/queue/jobs", "0", "redelivered:true\nx-delivery-count:2\n")
                            ASKED("/queue/jobs", "1", "redelivered:true\nx-delivery-count:2\n"));
    assert_int_equal(rig_metric(rig, METRIC_NACKED), 2);
    rig_free(rig);
}

static void auto_mode_has_no_ack_header_and_no_window(void **state)
{
    static const char *const modes[] = {"", "ack:auto\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        struct rig *rig = rig_started();
        struct peer *peer = open_one(rig);
        char frame[128];
        int n =
            snprintf(frame, sizeof(frame), "SUBSCRIBE\nid:s\ndestination:/topic/a\n%s\n", modes[i]);

        peer_say_(peer, slice_of(frame, (size_t)n + 1), false);
        publish(peer, 20);
        assert_false(peer->receiver.is_window_full);
        assert_null(strstr(peer_heard(peer), "ack:"));
        peer_say(peer, "ACK\nid:" ID("3") "\nreceipt:r\n\n\0");
        assert_string_equal(peer_heard(peer), "RECEIPT\nreceipt-id:r\n\n^");
        rig_free(rig);
    }
}

static void what_cannot_be_asked_for_is_refused(void **state)
{
    static const struct {
        const char *header, *message;
    } rows[] = {
        {"ack:", "The ack header must be auto, client or client-individual"},
        {"ack:Client", "The ack header must be auto, client or client-individual"},
        {"ack:client \nx:", "The ack header must be auto, client or client-individual"},
        {"prefetch-count:0", "The prefetch-count header must be a number from 1 up"},
        {"prefetch-count:-1", "The prefetch-count header must be a number from 1 up"},
        {"prefetch-count:", "The prefetch-count header must be a number from 1 up"},
        {"prefetch-count:4294967296", "The prefetch-count header must be a number from 1 up"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig *rig = rig_started();
        struct peer *peer = open_one(rig);
        char frame[128], expected[256];
        int n = snprintf(frame, sizeof(frame), "SUBSCRIBE\nid:s\ndestination:/topic/a\n%s\n\n",
                         rows[i].header);

        snprintf(expected, sizeof(expected), "ERROR\nmessage:%s\ncontent-length:0\n\n^",
                 rows[i].message);
        peer_say_(peer, slice_of(frame, (size_t)n + 1), false);
        assert_closed(peer, 1002, expected);
        rig_free(rig);
    }
}

static void an_ack_that_names_nothing_is_refused_by_the_name_of_its_version(void **state)
{
    static const struct {
        const char *version, *header;
    } rows[] = {{"1.0", "message-id"}, {"1.1", "message-id"}, {"1.2", "id"}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig *rig = rig_started();
        struct peer *peer = rig_open(rig, RIG_STOMP, NULL);
        char expected[128];

        snprintf(expected, sizeof(expected),
                 "ERROR\nmessage:Missing header '%s' in NACK\ncontent-length:0\n\n^",
                 rows[i].header);
        connect_as(peer, rows[i].version);
        peer_say(peer, "NACK\nsubscription:s\n\n\0");
        assert_closed(peer, 1002, expected);
        rig_free(rig);
    }
}

static void an_overflow_gives_back_what_was_not_acknowledged(void **state)
{
    struct rig *rig = rig_with_queue();
    struct peer *slow = open_one(rig), *other = open_one(rig);

    (void)state;
    subscribe_job(slow);
    peer_say(other, SEND_JOB);
    assert_string_equal(peer_heard(slow), ASKED("/queue/jobs", "0", ""));
    peer_say(other, "SUBSCRIBE\nid:s\ndestination:/queue/jobs\nack:client-individual\n\n\0");
    session_overflow(&slow->session, SESSION_SEND_BUFFER);
    assert_true(slow->is_cut);
    assert_string_equal(peer_heard(other),
                        ASKED("/queue/jobs", "0", "redelivered:true\nx-delivery-count:2\n"));
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_delivery_that_is_to_be_acknowledged_says_by_what),
        cmocka_unit_test(an_ack_is_for_one_or_for_all_before_in_every_version),
        cmocka_unit_test(a_full_window_on_a_fan_out_is_a_slow_consumer),
        cmocka_unit_test(prefetch_makes_the_window_smaller_and_never_larger),
        cmocka_unit_test(the_windows_of_a_session_are_bounded_together),
        cmocka_unit_test(a_nack_on_a_fan_out_is_counted_only),
        cmocka_unit_test(consumers_of_a_queue_take_turns),
        cmocka_unit_test(what_is_refused_or_left_behind_goes_to_another),
        cmocka_unit_test(messages_wait_until_somebody_has_room),
        cmocka_unit_test(a_full_queue_refuses_and_has_room_again),
        cmocka_unit_test(receipts_of_queues_come_when_the_owner_has_done_it),
        cmocka_unit_test(patterns_and_selectors_have_no_part_in_queues),
        cmocka_unit_test(a_soft_refusal_of_a_full_queue_leaves_the_session_alive),
        cmocka_unit_test(the_ack_of_another_session_or_after_unsubscribe_is_ignored),
        cmocka_unit_test(nacks_of_client_mode_are_for_all_before),
        cmocka_unit_test(auto_mode_has_no_ack_header_and_no_window),
        cmocka_unit_test(what_cannot_be_asked_for_is_refused),
        cmocka_unit_test(an_ack_that_names_nothing_is_refused_by_the_name_of_its_version),
        cmocka_unit_test(an_overflow_gives_back_what_was_not_acknowledged),
    };

    return cmocka_run_group_tests_name("gateway/session/stomp_ack", tests, NULL, NULL);
}
