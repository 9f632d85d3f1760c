#include "tests/test.h"
#include "tests/gateway/broker/office.h"

#include <stdio.h>
#include "base/mem.h"

/* Competing queues over several workers, step by step: whose turn it is, windows, what comes back,
 * and what is on its way while something changes. */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { N = 3 }; /* workers */

static const struct slice jobs[] = {SLICE("/queue/*")};
static const struct policy_queues queues = {{jobs, 1}, true};
static const struct policy_rules rules = {
    .sequenced = {jobs, 1},
    .queues = &queues,
    .n_queues = 1,
    .separator = '/',
};
static const struct broker_limits limits = {.last_messages = 1, .queue = {20, 1000, SIZE_MAX}};

static void publish(struct office *office, unsigned worker, const char *bodies)
{
    for (; *bodies != '\0'; bodies++) {
        char body[2] = {*bodies, '\0'};
        struct msg *msg = office_message(office, worker, "/queue/a", body);

        assert_int_equal(
            broker_publish(&office->workers[worker].broker, msg, NULL, NULL, false, NULL),
            BROKER_ROUTED);
        msg_unref(msg);
    }
}

struct consumer {
    struct office *office;
    unsigned worker;
    struct receiver receiver;
    char heard[4096];
};

static void subscribe(struct consumer *c, bool needs_ack, uint32_t window,
                      struct broker_receipt *receipt)
{
    const struct router_subscribe asked = {
        .id = SLICE("q"),
        .destination = SLICE("/queue/a"),
        .kind = DESTINATION_QUEUE,
        .needs_ack = needs_ack,
        .ack_window = window,
    };

    assert_int_equal(broker_subscribe_queue(&c->office->workers[c->worker].broker, &c->receiver,
                                            (struct session_ref){c->worker, 1}, &asked, receipt),
                     ROUTER_OK);
}

/* One on that worker that has been entered at the owner. */
static void enter(struct office *office, unsigned worker, struct consumer *c, bool needs_ack,
                  uint32_t window)
{
    *c = (struct consumer){.office = office, .worker = worker};
    receiver_init(&c->receiver, &office->workers[worker].router, WIRE_WEBSOCKET);
    subscribe(c, needs_ack, window, NULL);
    office_deliver_all(office);
}

static void leave(struct consumer *c)
{
    receiver_leave(&c->receiver, &c->office->workers[c->worker].router);
}

static struct subscription *subscription_of(struct consumer *c)
{
    return receiver_find(&c->receiver, &c->office->workers[c->worker].router, slice_str("q"));
}

/* The frames that came since the last call. */
static const char *frames(struct consumer *c)
{
    struct buf got;

    buf_init(&got, sizeof(c->heard) - 1);
    office_hear(c->office, c->worker, &c->receiver, &got);
    if (got.len != 0)
        memcpy(c->heard, got.base, got.len);
    c->heard[got.len] = '\0';
    buf_dispose(&got);
    return c->heard;
}

/* Their bodies, each with its delivery count behind it when that is not 1: "ab2c". */
static const char *bodies(struct consumer *c)
{
    size_t n = 0;
    char *at = c->heard, *end;

    (void)frames(c);
    for (; (end = strchr(at, '^')) != NULL; at = end + 1) {
        const char *count;
        char body = end[-1];

        *end = '\0';
        count = strstr(at, "\nredelivered:true\nx-delivery-count:");
        assert_int_equal(count != NULL, strstr(at, "redelivered") != NULL);
        c->heard[n++] = body;
        if (count != NULL)
            c->heard[n++] = count[strlen("\nredelivered:true\nx-delivery-count:")];
    }
    c->heard[n] = '\0';
    return c->heard;
}

/* The oldest that the consumer has not acknowledged. */
static void settle_oldest(struct consumer *c, bool is_ack)
{
    struct subscription *s = subscription_of(c);
    struct ack_entry oldest = {.number = UINT64_MAX}, entry;
    struct acks *acks = &group_more(s->group)->acks;

    /* Message ids of these tests count up. */
    for (uint64_t i = 0; i < 100 && oldest.number == UINT64_MAX; i++) {
        for (uint32_t worker = 0; worker < N && oldest.number == UINT64_MAX; worker++) {
            if (acks_take_one(acks, worker, i, &entry))
                oldest = entry;
        }
    }
    assert_int_not_equal(oldest.number, UINT64_MAX);
    broker_settle(&c->office->workers[c->worker].broker, s, oldest.tag, is_ack);
}

static void consumers_of_all_workers_take_turns(void **state)
{
    struct office *office = office_new(N, &rules, &limits);
    struct consumer c[N];
    static const char *const expected[N] = {"adg", "beh", "cfi"};

    (void)state;
    for (unsigned i = 0; i < N; i++)
        enter(office, i, &c[i], true, 10);
    publish(office, 1, "abcdefghi");
    office_deliver_all(office);
    for (unsigned i = 0; i < N; i++) {
        assert_string_equal(bodies(&c[i]), expected[i]);
        leave(&c[i]);
    }
    office_free(office);
}

static void a_window_is_kept_by_the_owner_while_mail_is_on_its_way(void **state)
{
    struct office *office = office_new(N, &rules, &limits);
    struct consumer c;

    (void)state;
    enter(office, 0, &c, true, 2);
    publish(office, 1, "abcd");
    publish(office, 0, "e");
    office_deliver_all(office);
    assert_string_equal(bodies(&c), "ab");
    settle_oldest(&c, true);
    assert_string_equal(bodies(&c), "");
    office_deliver_all(office);
    assert_string_equal(bodies(&c), "c");
    assert_int_equal(acks_count(&group_more(subscription_of(&c)->group)->acks), 2);
    leave(&c);
    office_free(office);
}

static void what_is_refused_goes_to_another_worker_and_waits_for_its_window(void **state)
{
    struct office *office = office_new(N, &rules, &limits);
    struct consumer first, second;

    (void)state;
    enter(office, 0, &first, true, 5);
    publish(office, 1, "a");
    office_deliver_all(office);
    enter(office, 2, &second, true, 1);
    publish(office, 1, "bc");
    office_deliver_all(office);
    assert_string_equal(bodies(&first), "ab");
    assert_string_equal(bodies(&second), "c");
    settle_oldest(&first, false);
    office_deliver_all(office);
    assert_string_equal(bodies(&first), ""); /* it has refused it */
    assert_string_equal(bodies(&second), "");
    settle_oldest(&second, true);
    office_deliver_all(office);
    assert_string_equal(bodies(&second), "a2");
    leave(&first);
    leave(&second);
    office_free(office);
}

static void the_only_consumer_gets_back_what_it_refuses_until_it_is_dropped(void **state)
{
    struct office *office = office_new(N, &rules, &limits);
    struct consumer c;
    unsigned n = 0;

    (void)state;
    enter(office, 1, &c, true, 5);
    publish(office, 0, "a");
    office_deliver_all(office);
    while (*bodies(&c) != '\0') {
        n++;
        settle_oldest(&c, false);
        office_deliver_all(office);
    }
    assert_int_equal(n, QUEUE_MAX_FAILURES);
    assert_int_equal(office_metric(office, METRIC_QUEUE_DROPPED), 1);
    leave(&c);
    office_free(office);
}

static void what_a_consumer_leaves_behind_goes_out_first_and_in_order(void **state)
{
    struct office *office = office_new(N, &rules, &limits);
    struct consumer first, second;

    (void)state;
    enter(office, 0, &first, true, 3);
    publish(office, 2, "abcde");
    office_deliver_all(office);
    assert_string_equal(bodies(&first), "abc");
    settle_oldest(&first, true);
    office_deliver_all(office);
    assert_string_equal(bodies(&first), "d");
    leave(&first);
    enter(office, 1, &second, true, 9);
    assert_string_equal(bodies(&second), "b2c2d2e");
    leave(&second);
    office_free(office);
}

static void in_auto_mode_all_is_acknowledged_that_was_queued_for_the_session(void **state)
{
    struct office *office = office_new(N, &rules, &limits);
    struct consumer c, other;

    (void)state;
    enter(office, 0, &c, false, 2); /* its window bounds only what is on its way */
    publish(office, 1, "abcdefgh");
    office_deliver_all(office);
    assert_null(strstr(frames(&c), "\nack:"));
    leave(&c);
    enter(office, 2, &other, true, 9);
    assert_string_equal(bodies(&other), "");
    leave(&other);
    office_free(office);
}

static void the_receipt_of_a_subscribe_comes_from_the_owner(void **state)
{
    struct office *office = office_new(N, &rules, &limits);

    (void)state;
    /* Also where the owner is the subscriber's own worker. */
    for (unsigned i = 0; i < N; i++) {
        struct consumer c = {.office = office, .worker = i};
        struct broker_receipt receipt = {.session = {i, 1}, .is_asked = true, .text = SLICE("r")};
        char expected[16];

        snprintf(expected, sizeof(expected), "%u:r;", i);
        receiver_init(&c.receiver, &office->workers[i].router, WIRE_WEBSOCKET);
        subscribe(&c, true, 5, &receipt);
        assert_false(broker_receipt_is_due(&office->workers[i].broker, &receipt));
        assert_int_equal(office->receipts.len, 0);
        office_deliver_all(office);
        assert_true(slice_eq(buf_slice(&office->receipts), slice_str(expected)));
        buf_consume(&office->receipts, office->receipts.len);
        leave(&c);
    }
    office_free(office);
}

/* A delivery that is on its way is for the subscription that it was sent to, not for its id. */
static void a_new_subscription_of_the_same_id_gets_nothing_of_the_old_ones(void **state)
{
    struct office *office = office_new(N, &rules, &limits);
    struct consumer c;
    unsigned owner = 0;

    (void)state;
    enter(office, 0, &c, true, 5);
    publish(office, 0, "a");
    while (owner < N && office->workers[owner].n_tray == 0)
        owner++;
    if (owner != 0 && owner < N)
        while (office_deliver(office, owner))
            continue;
    assert_int_equal(office->workers[0].n_tray, 1); /* the delivery */
    router_unsubscribe(&office->workers[0].router, subscription_of(&c));
    subscribe(&c, true, 5, NULL);
    (void)office_deliver(office, 0);
    assert_string_equal(bodies(&c), "");
    office_deliver_all(office);
    assert_string_equal(bodies(&c), "a2");
    assert_int_equal(acks_count(&group_more(subscription_of(&c)->group)->acks), 1);
    leave(&c);
    office_free(office);
}

static void an_ack_that_crosses_its_consumers_end_is_in_time(void **state)
{
    struct office *office = office_new(N, &rules, &limits);
    struct consumer c, other;

    (void)state;
    enter(office, 0, &c, true, 5);
    publish(office, 1, "ab");
    office_deliver_all(office);
    settle_oldest(&c, true);
    leave(&c); /* both are in the owner's tray, or on their way there, in this order */
    enter(office, 2, &other, true, 5);
    assert_string_equal(bodies(&other), "b2");
    leave(&other);
    office_free(office);
}

static void numbers_go_with_the_messages_of_a_queue(void **state)
{
    struct office *office = office_new(N, &rules, &limits);
    struct consumer c[2];
    const char *heard;

    (void)state;
    enter(office, 0, &c[0], true, 5);
    enter(office, 1, &c[1], true, 5);
    publish(office, 2, "ab");
    office_deliver_all(office);
    heard = frames(&c[0]);
    assert_non_null(strstr(heard, "\nx-seq:1\n"));
    assert_non_null(strstr(frames(&c[1]), "\nx-seq:2\n"));
    leave(&c[0]); /* a message keeps its number when it comes again */
    office_deliver_all(office);
    heard = frames(&c[1]);
    assert_non_null(strstr(heard, "\nx-seq:1\n"));
    assert_non_null(strstr(heard, "\nredelivered:true\n"));
    leave(&c[1]);
    office_free(office);
}

static void deliveries_on_their_way_when_the_process_ends_are_counted(void **state)
{
    struct office *office = office_new(N, &rules, &limits);
    struct consumer c;
    uint64_t n = 0;

    (void)state;
    enter(office, 0, &c, true, 5);
    publish(office, 1, "ab");
    office->is_ending = true;
    leave(&c);
    office_deliver_all(office); /* the deliveries come, find nobody, and go back */
    for (unsigned i = 0; i < N; i++)
        n += office->workers[i].broker.queues.n_messages;
    assert_int_equal(n, 2);
    office_free(office);
}

static void a_consumer_that_leaves_before_its_owner_knew_it_leaves_nothing(void **state)
{
    struct office *office = office_new(N, &rules, &limits);
    struct consumer c = {.office = office, .worker = 1}, other;

    (void)state;
    receiver_init(&c.receiver, &office->workers[1].router, WIRE_WEBSOCKET);
    subscribe(&c, true, 5, NULL);
    leave(&c);
    office_deliver_all(office);
    publish(office, 0, "a");
    office_deliver_all(office);
    enter(office, 2, &other, true, 5);
    assert_string_equal(bodies(&other), "a");
    leave(&other);
    for (unsigned i = 0; i < N; i++)
        assert_int_equal(office->workers[i].broker.consumers.n_nodes, 0);
    office_free(office);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(consumers_of_all_workers_take_turns),
        cmocka_unit_test(a_window_is_kept_by_the_owner_while_mail_is_on_its_way),
        cmocka_unit_test(what_is_refused_goes_to_another_worker_and_waits_for_its_window),
        cmocka_unit_test(the_only_consumer_gets_back_what_it_refuses_until_it_is_dropped),
        cmocka_unit_test(what_a_consumer_leaves_behind_goes_out_first_and_in_order),
        cmocka_unit_test(in_auto_mode_all_is_acknowledged_that_was_queued_for_the_session),
        cmocka_unit_test(the_receipt_of_a_subscribe_comes_from_the_owner),
        cmocka_unit_test(a_new_subscription_of_the_same_id_gets_nothing_of_the_old_ones),
        cmocka_unit_test(an_ack_that_crosses_its_consumers_end_is_in_time),
        cmocka_unit_test(numbers_go_with_the_messages_of_a_queue),
        cmocka_unit_test(deliveries_on_their_way_when_the_process_ends_are_counted),
        cmocka_unit_test(a_consumer_that_leaves_before_its_owner_knew_it_leaves_nothing),
    };

    return cmocka_run_group_tests_name("gateway/broker/consumers", tests, NULL, NULL);
}
