#include "tests/test.h"
#include "tests/gateway/broker/office.h"

#include <stdio.h>
#include "base/hex.h"
#include "base/mem.h"

enum { N = 3 }; /* workers */

static const struct slice sequenced[] = {SLICE("/topic/seq.*")};
static const struct slice kept[] = {SLICE("/topic/last.*")};
static const struct slice jobs[] = {SLICE("/queue/jobs.*")};
static const struct policy_queues queues = {{jobs, 1}, true};
static const struct policy_rules rules = {
    .sequenced = {sequenced, 1},
    .kept = {kept, 1},
    .queues = &queues,
    .n_queues = 1,
    .separator = '/',
};
static const struct broker_limits limits = {
    .last_messages = 8,
    .last_bytes = 100000,
    .queue = {4, 100, SIZE_MAX},
};

static enum broker_outcome publish(struct office *office, unsigned worker, const char *destination,
                                   const char *body, struct broker_receipt *receipt)
{
    struct msg *msg = office_message(office, worker, destination, body);
    enum broker_outcome outcome =
        broker_publish(&office->workers[worker].broker, msg, NULL, receipt, false, NULL);

    msg_unref(msg);
    return outcome;
}

static void assert_hears(struct office *office, unsigned worker, struct receiver *receiver,
                         const char *expected)
{
    struct buf got;

    buf_init(&got, 65536);
    office_hear(office, worker, receiver, &got);
    assert_int_equal(got.len, strlen(expected));
    if (got.len != 0)
        assert_memory_equal(got.base, expected, got.len);
    buf_dispose(&got);
}

static void receive(struct office *office, unsigned worker, struct receiver *receiver,
                    const char *destination)
{
    receiver_init(receiver, &office->workers[worker].router, WIRE_WEBSOCKET);
    assert_true(router_subscribe(&office->workers[worker].router, receiver, slice_str("s"),
                                 slice_str(destination)));
}

static void numbers_are_in_order_at_every_subscriber_whoever_publishes(void **state)
{
    struct office *office = office_new(N, &rules, &limits);
    struct receiver receivers[N];
    struct buf first, other;
    const char *at;

    (void)state;
    for (unsigned i = 0; i < N; i++)
        receive(office, i, &receivers[i], "/topic/seq.a");
    for (unsigned i = 0; i < 30; i++) {
        assert_int_equal(publish(office, i % N, "/topic/seq.a", "x", NULL), BROKER_ROUTED);
        (void)office_deliver(office, i * 7 % N); /* some of it in between */
    }
    office_deliver_all(office);
    buf_init(&first, 65536);
    office_hear(office, 0, &receivers[0], &first);
    for (unsigned i = 1; i < N; i++) {
        buf_init(&other, 65536);
        office_hear(office, i, &receivers[i], &other);
        assert_true(slice_eq(buf_slice(&first), buf_slice(&other)));
        buf_dispose(&other);
    }
    assert_true(buf_append(&first, slice_of("", 1)));
    at = first.base;
    for (unsigned i = 1; i <= 30; i++) {
        char line[32];

        snprintf(line, sizeof(line), "\nx-seq:%u\n", i);
        at = strstr(at, line);
        assert_non_null(at);
    }
    buf_dispose(&first);
    for (unsigned i = 0; i < N; i++)
        receiver_leave(&receivers[i], &office->workers[i].router);
    office_free(office);
}

static void the_last_message_is_there_once_its_owner_has_it(void **state)
{
    struct office *office = office_new(N, &rules, &limits);
    struct msg *last;

    (void)state;
    for (unsigned i = 0; i < N; i++) {
        char body[2] = {(char)('a' + (char)i), '\0'};

        publish(office, i, "/topic/last.x", body, NULL);
        office_deliver_all(office);
        last = last_get(&office->shared.last, slice_str("/topic/last.x"));
        assert_non_null(last);
        assert_true(slice_eq(last->body, slice_str(body)));
        msg_unref(last);
    }
    publish(office, 0, "/topic/other", "x", NULL);
    assert_null(last_get(&office->shared.last, slice_str("/topic/other")));
    office_free(office);
}

static void a_number_shows_also_on_the_message_that_is_kept(void **state)
{
    static const struct slice all[] = {SLICE("/topic/**")};
    static const struct policy_rules both = {
        .sequenced = {all, 1},
        .kept = {all, 1},
        .separator = '/',
    };
    struct office *office = office_new(N, &both, &limits);

    (void)state;
    for (unsigned i = 1; i <= 3; i++) {
        struct msg *last;
        struct slice value;
        char *owned, number[8];

        snprintf(number, sizeof(number), "%u", i);
        publish(office, i % N, "/topic/a", "x", NULL);
        office_deliver_all(office);
        last = last_get(&office->shared.last, slice_str("/topic/a"));
        assert_non_null(last);
        assert_true(msg_find_header(last, slice_str("x-seq"), &value, &owned));
        assert_true(slice_eq(value, slice_str(number)));
        assert_null(owned);
        msg_unref(last);
    }
    office_free(office);
}

/* --- receipts --- */

static void a_receipt_waits_for_every_owner(void **state)
{
    struct office *office = office_new(N, &rules, &limits);
    struct broker *broker = &office->workers[0].broker;
    struct broker_receipt receipt = {.session = {7, 1}, .is_asked = true, .text = SLICE("r")};
    unsigned n_own = 0;

    (void)state;
    /* Some of these belong to worker 0 itself, which has done them at once. */
    for (int i = 0; i < 12; i++) {
        char destination[32];

        snprintf(destination, sizeof(destination), "/topic/last.%d", i);
        publish(office, 0, destination, "x", &receipt);
    }
    n_own = 12 - (unsigned)(office->workers[1].n_tray + office->workers[2].n_tray);
    assert_in_range(n_own, 1, 11);
    assert_false(broker_receipt_is_due(broker, &receipt));
    while (office->workers[1].n_tray != 0 || office->workers[2].n_tray != 0) {
        assert_int_equal(office->receipts.len, 0);
        (void)office_deliver(office, 1);
        (void)office_deliver(office, 2);
    }
    while (office->workers[0].n_tray > 1) {
        (void)office_deliver(office, 0);
        assert_int_equal(office->receipts.len, 0);
    }
    (void)office_deliver(office, 0);
    assert_true(slice_eq(buf_slice(&office->receipts), slice_str("7:r;")));
    office_free(office);
}

static void what_nobody_owns_needs_no_waiting(void **state)
{
    struct office *office = office_new(N, &rules, &limits);
    struct broker_receipt receipt = {.session = {7, 1}, .is_asked = true, .text = SLICE("r")};

    (void)state;
    publish(office, 0, "/topic/plain", "x", &receipt);
    assert_true(broker_receipt_is_due(&office->workers[0].broker, &receipt));
    office_free(office);
}

/* --- queues --- */

static const struct subscription *consume(struct office *office, unsigned worker,
                                          struct receiver *receiver, const char *destination,
                                          bool needs_ack, uint32_t window)
{
    const struct router_subscribe asked = {
        .id = SLICE("q"),
        .destination = slice_str(destination),
        .kind = DESTINATION_QUEUE,
        .needs_ack = needs_ack,
        .ack_window = window,
    };
    struct session_ref session = {worker * 100, 1};

    receiver_init(receiver, &office->workers[worker].router, WIRE_WEBSOCKET);
    assert_int_equal(
        broker_subscribe_queue(&office->workers[worker].broker, receiver, session, &asked, NULL),
        ROUTER_OK);
    office_deliver_all(office);
    return receiver_find(receiver, &office->workers[worker].router, slice_str("q"));
}

static void a_queue_is_full_for_every_worker_at_once_and_has_room_again(void **state)
{
    struct office *office = office_new(N, &rules, &limits); /* 4 messages, 100 bytes */
    struct receiver consumer;
    char big[102];

    (void)state;
    memset(big, 'x', sizeof(big) - 1);
    big[101] = '\0';
    assert_int_equal(publish(office, 0, "/queue/jobs.a", big, NULL), BROKER_FULL);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(publish(office, i % N, "/queue/jobs.a", "x", NULL), BROKER_ROUTED);
    for (unsigned i = 0; i < N; i++)
        assert_int_equal(publish(office, i, "/queue/jobs.a", "x", NULL), BROKER_FULL);
    assert_int_equal(publish(office, 0, "/queue/jobs.b", "x", NULL), BROKER_ROUTED);
    office_deliver_all(office);
    (void)consume(office, 1, &consumer, "/queue/jobs.a", false, 10);
    office_deliver_all(office);
    assert_int_equal(publish(office, 2, "/queue/jobs.a", "x", NULL), BROKER_ROUTED);
    receiver_leave(&consumer, &office->workers[1].router);
    office_free(office);
}

static void room_can_be_taken_beforehand_and_given_back(void **state)
{
    struct office *office = office_new(N, &rules, &limits);
    struct broker *broker = &office->workers[0].broker;

    (void)state;
    assert_true(broker_has_queues(broker));
    assert_true(broker_is_queue(broker, slice_str("/queue/jobs.a")));
    assert_false(broker_is_queue(broker, slice_str("/queue/a")));
    for (int i = 0; i < 4; i++)
        assert_true(broker_reserve(broker, slice_str("/queue/jobs.a"), 1));
    assert_false(broker_reserve(broker, slice_str("/queue/jobs.a"), 1));
    assert_true(broker_reserve(broker, slice_str("/topic/a"), 1000));
    broker_unreserve(broker, slice_str("/queue/jobs.a"), 1);
    assert_int_equal(publish(office, 1, "/queue/jobs.a", "x", NULL), BROKER_ROUTED);
    for (int i = 0; i < 3; i++)
        broker_unreserve(broker, slice_str("/queue/jobs.a"), 1);
    office_free(office);
}

static void a_delivery_that_finds_nobody_goes_back(void **state)
{
    struct office *office = office_new(N, &rules, &limits);
    struct receiver gone, there;
    struct buf got;

    (void)state;
    (void)consume(office, 0, &gone, "/queue/jobs.a", true, 10);
    publish(office, 1, "/queue/jobs.a", "x", NULL);
    while (office_deliver(office, 1) || office_deliver(office, 2))
        continue;
    receiver_leave(&gone, &office->workers[0].router); /* with the delivery on its way */
    office_deliver_all(office);
    (void)consume(office, 2, &there, "/queue/jobs.a", true, 10);
    office_deliver_all(office);
    buf_init(&got, 65536);
    office_hear(office, 2, &there, &got);
    assert_true(buf_append(&got, slice_of("", 1)));
    assert_non_null(strstr(got.base, "redelivered:true\nx-delivery-count:2\n"));
    buf_dispose(&got);
    receiver_leave(&there, &office->workers[2].router);
    office_free(office);
}

static void what_is_left_at_the_end_is_counted(void **state)
{
    struct office *office = office_new(N, &rules, &limits);
    struct receiver consumer;
    uint64_t n;

    (void)state;
    (void)consume(office, 0, &consumer, "/queue/jobs.a", true, 1);
    publish(office, 1, "/queue/jobs.a", "x", NULL);
    publish(office, 1, "/queue/jobs.a", "y", NULL);
    office_deliver_all(office);
    office->is_ending = true;
    receiver_leave(&consumer, &office->workers[0].router);
    for (unsigned i = 0; i < N; i++)
        assert_int_equal(office->workers[i].n_tray, 0); /* nobody is told any more */
    n = 0;
    for (unsigned i = 0; i < N; i++)
        n += office->workers[i].broker.queues.n_messages;
    assert_int_equal(n, 2);
    office_free(office);
}

/* --- users --- */

static void a_user_is_reached_on_every_worker(void **state)
{
    struct office *office = office_new(N, &rules, &limits);
    struct receiver receivers[N];
    struct user_session sessions[N];
    struct msg *msg;

    (void)state;
    for (unsigned i = 0; i < N; i++) {
        char id[SESSION_ID_LEN];
        struct slice name;
        struct router_subscribe asked = {.id = SLICE("u"), .kind = DESTINATION_BOUND};

        sessions[i] = (struct user_session){.worker = i};
        memset(sessions[i].id, (int)(i + 1), sizeof(sessions[i].id));
        users_add(&office->shared.users, slice_str("joe"), &sessions[i]);
        hex_write(sessions[i].id, sizeof(sessions[i].id), id);
        name = broker_bound_name(slice_str("/queue/x"), slice_of(id, sizeof(id)));
        asked.destination = name;
        receiver_init(&receivers[i], &office->workers[i].router, WIRE_WEBSOCKET);
        assert_int_equal(
            router_subscribe_as(&office->workers[i].router, &receivers[i], &asked, NULL, NULL),
            ROUTER_OK);
        mem_free((void *)(uintptr_t)name.base);
    }
    msg = office_message(office, 1, "/user/queue/x", "x");
    assert_int_equal(broker_publish_to_user(&office->workers[1].broker, msg, slice_str("joe"),
                                            slice_str("/queue/x")),
                     N);
    assert_int_equal(broker_publish_to_user(&office->workers[1].broker, msg, slice_str("ann"),
                                            slice_str("/queue/x")),
                     0);
    msg_unref(msg);
    office_deliver_all(office);
    for (unsigned i = 0; i < N; i++) {
        assert_hears(office, i, &receivers[i],
                     "MESSAGE\ndestination:/user/queue/x\nsubscription:u\n"
                     "message-id:0000000000000abc-1-0\ncontent-length:1\n\nx^");
        receiver_leave(&receivers[i], &office->workers[i].router);
        users_remove(&office->shared.users, slice_str("joe"), &sessions[i]);
    }
    office_free(office);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_in_order_at_every_subscriber_whoever_publishes),
        cmocka_unit_test(the_last_message_is_there_once_its_owner_has_it),
        cmocka_unit_test(a_number_shows_also_on_the_message_that_is_kept),
        cmocka_unit_test(a_receipt_waits_for_every_owner),
        cmocka_unit_test(what_nobody_owns_needs_no_waiting),
        cmocka_unit_test(a_queue_is_full_for_every_worker_at_once_and_has_room_again),
        cmocka_unit_test(room_can_be_taken_beforehand_and_given_back),
        cmocka_unit_test(a_delivery_that_finds_nobody_goes_back),
        cmocka_unit_test(what_is_left_at_the_end_is_counted),
        cmocka_unit_test(a_user_is_reached_on_every_worker),
    };

    return cmocka_run_group_tests_name("gateway/broker/broker", tests, NULL, NULL);
}
