#include "tests/test.h"
#include <stdio.h>
#include "base/mem.h"
#include "gateway/router/queue.h"

static const struct siphash_key hash_key = {1, 2};

enum { MAX_EVENTS = 5000 };

/** A delivery that came out of the hook. */
struct delivered {
    uint64_t id;
    uint64_t consumer; /* its serial */
    char msg[16];      /* the message's id */
    uint32_t count;
    bool is_auto;
};

struct fixture {
    struct queues set;
    struct delivered out[MAX_EVENTS];
    size_t n_out;
    size_t n_read; /* by expect */
    size_t n_released;
    size_t released_bytes;
    size_t n_dropped;
    char dropped[16];
    bool acks_at_once; /* the hook does */
    bool is_in_hook;
};

static struct queue_consumer consumer(uint64_t serial)
{
    return (struct queue_consumer){.worker = 1, .slot = 2, .generation = 3, .serial = serial};
}

static void on_deliver(void *ctx, const struct queue_consumer *to,
                       const struct queue_delivery *delivery)
{
    struct fixture *f = ctx;
    struct delivered *d = &f->out[f->n_out++];

    assert_true(f->n_out <= MAX_EVENTS);
    assert_false(f->is_in_hook); /* never nested, or a long backlog would fill the stack */
    f->is_in_hook = true;
    assert_int_equal(to->worker, 1);
    assert_int_equal(to->slot, 2);
    assert_int_equal(to->generation, 3);
    d->id = delivery->id;
    d->consumer = to->serial;
    d->count = delivery->count;
    d->is_auto = delivery->is_auto;
    (void)snprintf(d->msg, sizeof(d->msg), "%.*s", SLICE_FMT(delivery->msg->id));
    if (f->acks_at_once) {
        assert_true(queues_ack(&f->set, to, delivery->id));
        assert_false(queues_ack(&f->set, to, delivery->id));
        assert_slice(delivery->msg->destination, "/queue/a"); /* still there */
    }
    f->is_in_hook = false;
}

static void on_release(void *ctx, struct slice destination, size_t n, size_t bytes)
{
    struct fixture *f = ctx;

    assert_slice(slice_take(destination, 7), "/queue/");
    f->n_released += n;
    f->released_bytes += bytes;
}

static void on_dropped(void *ctx, struct msg *msg)
{
    struct fixture *f = ctx;

    f->n_dropped++;
    (void)snprintf(f->dropped, sizeof(f->dropped), "%.*s", SLICE_FMT(msg->id));
}

static int set_up(void **state)
{
    struct fixture *f = mem_calloc(1, sizeof(*f));

    queues_init(&f->set, hash_key, (struct queue_hooks){on_deliver, on_release, on_dropped, f});
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    queues_dispose(&f->set);
    mem_free(f);
    return 0;
}

static void add_to(struct fixture *f, const char *destination, uint64_t serial, uint32_t window)
{
    struct queue_consumer c = consumer(serial);

    assert_true(queues_add_consumer(&f->set, slice_str(destination), &c, window, false));
}

static void add(struct fixture *f, uint64_t serial, uint32_t window)
{
    add_to(f, "/queue/a", serial, window);
}

static bool leave(struct fixture *f, uint64_t serial)
{
    struct queue_consumer c = consumer(serial);

    return queues_remove_consumer(&f->set, &c);
}

static size_t publish_to(struct fixture *f, const char *destination, const char *id)
{
    struct msg *msg =
        msg_new(slice_str(destination), NULL, 0, slice_str(id), slice_str("body"), false);
    size_t bytes = msg_bytes(msg);

    queues_publish(&f->set, msg);
    msg_unref(msg);
    return bytes;
}

static size_t publish(struct fixture *f, const char *id)
{
    return publish_to(f, "/queue/a", id);
}

/** Publishes messages with the numbers `from` to `to`. */
static void publish_many(struct fixture *f, unsigned from, unsigned to)
{
    for (; from <= to; from++) {
        char id[16];

        (void)snprintf(id, sizeof(id), "%u", from);
        (void)publish(f, id);
    }
}

/** The next delivery that was made must be of this message to this consumer. Returns its id. */
static uint64_t expect(struct fixture *f, uint64_t serial, const char *msg, uint32_t count)
{
    struct delivered *d = &f->out[f->n_read++];

    assert_true(f->n_read <= f->n_out);
    assert_string_equal(d->msg, msg);
    assert_int_equal(d->consumer, serial);
    assert_int_equal(d->count, count);
    return d->id;
}

static void expect_nothing(const struct fixture *f)
{
    assert_int_equal(f->n_read, f->n_out);
}

static bool ack(struct fixture *f, uint64_t serial, uint64_t id)
{
    struct queue_consumer c = consumer(serial);

    return queues_ack(&f->set, &c, id);
}

static bool nack(struct fixture *f, uint64_t serial, uint64_t id)
{
    struct queue_consumer c = consumer(serial);

    return queues_nack(&f->set, &c, id);
}

static bool give_back(struct fixture *f, uint64_t serial, uint64_t id)
{
    struct queue_consumer c = consumer(serial);

    return queues_return(&f->set, &c, id);
}

static void consumers_with_a_free_window_take_turns(void **state)
{
    struct fixture *f = *state;

    add(f, 1, 2);
    add(f, 2, 1);
    add(f, 3, 10);
    publish_many(f, 1, 6);
    (void)expect(f, 1, "1", 1);
    (void)expect(f, 2, "2", 1);
    (void)expect(f, 3, "3", 1);
    (void)expect(f, 1, "4", 1);
    (void)expect(f, 3, "5", 1);
    (void)expect(f, 3, "6", 1);
    expect_nothing(f);
}

static void a_full_window_gets_nothing_until_it_acknowledges(void **state)
{
    struct fixture *f = *state;
    uint64_t first, second;

    add(f, 1, 2);
    publish_many(f, 1, 5);
    first = expect(f, 1, "1", 1);
    second = expect(f, 1, "2", 1);
    expect_nothing(f);
    assert_true(ack(f, 1, second));
    (void)expect(f, 1, "3", 1);
    expect_nothing(f);
    assert_true(ack(f, 1, first));
    (void)expect(f, 1, "4", 1);
    expect_nothing(f);
}

static void a_backlog_waits_for_the_first_consumer(void **state)
{
    struct fixture *f = *state;

    publish_many(f, 1, 3);
    expect_nothing(f);
    add_to(f, "/queue/b", 9, 5);
    expect_nothing(f);
    add(f, 1, 2);
    (void)expect(f, 1, "1", 1);
    (void)expect(f, 1, "2", 1);
    expect_nothing(f);
    add(f, 2, 2);
    (void)expect(f, 2, "3", 1);
    expect_nothing(f);
}

static void an_acknowledged_message_releases_its_bytes_once(void **state)
{
    struct fixture *f = *state;
    size_t bytes;
    uint64_t id;

    add(f, 1, 2);
    bytes = publish(f, "1");
    id = expect(f, 1, "1", 1);
    assert_int_equal(f->n_released, 0);
    assert_true(ack(f, 1, id));
    assert_int_equal(f->n_released, 1);
    assert_int_equal(f->released_bytes, bytes);
    assert_false(ack(f, 1, id));
    assert_false(nack(f, 1, id));
    assert_false(give_back(f, 1, id));
    assert_int_equal(f->n_released, 1);
    assert_int_equal(f->set.n_messages, 0);
    expect_nothing(f);
}

static void the_bytes_may_be_others_than_the_messages(void **state)
{
    struct fixture *f = *state;
    struct msg *msg = msg_new(slice_str("/queue/a"), NULL, 0, slice_str("1"), slice_str(""), false);

    queues_publish_sized(&f->set, msg, 12345);
    msg_unref(msg);
    add(f, 1, 1);
    assert_true(ack(f, 1, expect(f, 1, "1", 1)));
    assert_int_equal(f->released_bytes, 12345);
}

static void wrong_late_and_foreign_ends_of_a_delivery_are_ignored(void **state)
{
    struct fixture *f = *state;
    struct queue_consumer near[4];
    uint64_t id;

    add(f, 1, 1);
    add(f, 2, 1);
    (void)publish(f, "1");
    id = expect(f, 1, "1", 1);
    for (size_t i = 0; i < 4; i++)
        near[i] = consumer(1);
    near[0].worker++;
    near[1].slot++;
    near[2].generation++;
    near[3].serial++; /* consumer 2 */
    for (size_t i = 0; i < 4; i++) {
        assert_false(queues_ack(&f->set, &near[i], id));
        assert_false(queues_nack(&f->set, &near[i], id));
        assert_false(queues_return(&f->set, &near[i], id));
    }
    for (int i = 0; i < 3; i++) {
        const uint64_t wrong[] = {0, id + 1, UINT64_MAX};

        assert_false(ack(f, 1, wrong[i]));
        assert_false(nack(f, 1, wrong[i]));
        assert_false(give_back(f, 1, wrong[i]));
    }
    assert_false(leave(f, 3));
    expect_nothing(f);
    assert_true(ack(f, 1, id));
}

static void what_a_consumer_leaves_goes_first_and_in_its_order(void **state)
{
    struct fixture *f = *state;
    uint64_t id;

    add(f, 1, 10);
    publish_many(f, 1, 4);
    id = expect(f, 1, "1", 1);
    f->n_read += 3;
    assert_true(ack(f, 1, id));
    add(f, 2, 1);
    publish_many(f, 5, 7);
    (void)expect(f, 1, "5", 1);
    (void)expect(f, 2, "6", 1);
    (void)expect(f, 1, "7", 1);
    assert_true(leave(f, 1));
    assert_false(leave(f, 1));
    publish_many(f, 8, 8);
    expect_nothing(f);
    add(f, 3, 10);
    (void)expect(f, 3, "2", 2);
    (void)expect(f, 3, "3", 2);
    (void)expect(f, 3, "4", 2);
    (void)expect(f, 3, "5", 2);
    (void)expect(f, 3, "7", 2);
    (void)expect(f, 3, "8", 1);
    expect_nothing(f);
}

static void what_several_consumers_leave_is_in_one_order_again(void **state)
{
    struct fixture *f = *state;

    add(f, 1, 2);
    add(f, 2, 2);
    publish_many(f, 1, 5);
    f->n_read += 4;
    assert_true(leave(f, 1));
    assert_true(leave(f, 2));
    add(f, 3, 9);
    (void)expect(f, 3, "1", 2);
    (void)expect(f, 3, "2", 2);
    (void)expect(f, 3, "3", 2);
    (void)expect(f, 3, "4", 2);
    (void)expect(f, 3, "5", 1);
    expect_nothing(f);
}

static void a_late_ack_of_what_was_redelivered_is_ignored(void **state)
{
    struct fixture *f = *state;
    uint64_t old, id;

    add(f, 1, 1);
    (void)publish(f, "1");
    old = expect(f, 1, "1", 1);
    assert_true(leave(f, 1));
    add(f, 1, 1);
    id = expect(f, 1, "1", 2);
    assert_false(ack(f, 1, old));
    assert_true(ack(f, 1, id));
}

static void a_nacked_message_goes_to_another_consumer(void **state)
{
    struct fixture *f = *state;
    uint64_t id;

    add(f, 1, 10);
    add(f, 2, 10);
    (void)publish(f, "1");
    id = expect(f, 1, "1", 1);
    (void)publish(f, "2"); /* so that it is the first one's turn */
    (void)expect(f, 2, "2", 1);
    assert_true(nack(f, 1, id));
    id = expect(f, 2, "1", 2);
    assert_true(nack(f, 2, id));
    (void)expect(f, 1, "1", 3);
    expect_nothing(f);
    assert_int_equal(f->n_released, 0);
}

static void a_nacked_message_waits_for_another_that_is_busy_and_holds_up_nobody(void **state)
{
    struct fixture *f = *state;
    uint64_t refused, busy;

    add(f, 1, 2);
    add(f, 2, 1);
    publish_many(f, 1, 2);
    refused = expect(f, 1, "1", 1);
    busy = expect(f, 2, "2", 1);
    assert_true(nack(f, 1, refused));
    expect_nothing(f);
    publish_many(f, 3, 4);
    (void)expect(f, 1, "3", 1);
    (void)expect(f, 1, "4", 1);
    publish_many(f, 5, 5);
    expect_nothing(f);
    assert_true(ack(f, 2, busy));
    (void)expect(f, 2, "1", 2); /* before what is new */
    expect_nothing(f);
}

static void a_nacked_message_comes_back_when_there_is_no_other(void **state)
{
    struct fixture *f = *state;
    uint64_t id;

    add(f, 1, 1);
    publish_many(f, 1, 2);
    assert_true(nack(f, 1, expect(f, 1, "1", 1)));
    id = expect(f, 1, "1", 2);
    add(f, 2, 1);
    (void)expect(f, 2, "2", 1);
    assert_true(nack(f, 1, id));
    expect_nothing(f); /* for 2 is there, if busy */
    assert_true(leave(f, 2));
    (void)expect(f, 1, "1", 3);
    expect_nothing(f);
}

static void what_was_refused_is_for_anybody_once_the_refuser_has_left(void **state)
{
    struct fixture *f = *state;

    add(f, 1, 1);
    add(f, 2, 1);
    publish_many(f, 1, 3);
    (void)expect(f, 1, "1", 1);
    (void)expect(f, 2, "2", 1);
    assert_true(nack(f, 1, f->out[0].id));
    (void)expect(f, 1, "3", 1);
    expect_nothing(f);
    assert_true(leave(f, 1)); /* with 1 refused and 3 in flight */
    assert_true(leave(f, 2));
    add(f, 3, 9);
    (void)expect(f, 3, "1", 2);
    (void)expect(f, 3, "2", 2);
    (void)expect(f, 3, "3", 2);
    expect_nothing(f);
}

static void a_message_that_fails_too_often_is_dropped(void **state)
{
    struct fixture *f = *state;
    size_t bytes;

    add(f, 1, 1);
    add(f, 2, 1);
    bytes = publish(f, "1");
    (void)publish(f, "2");
    f->n_read = 1;
    assert_true(ack(f, 2, expect(f, 2, "2", 1)));
    f->n_released = f->released_bytes = f->n_read = 0;
    for (uint32_t i = 0; i < QUEUE_MAX_FAILURES; i++) {
        uint64_t serial = i % 2 + 1;

        assert_int_equal(f->n_dropped, 0);
        assert_true(nack(f, serial, expect(f, serial, "1", i + 1)));
        f->n_read += i == 0; /* message 2 */
    }
    expect_nothing(f);
    assert_int_equal(f->n_dropped, 1);
    assert_string_equal(f->dropped, "1");
    assert_int_equal(f->n_released, 1);
    assert_int_equal(f->released_bytes, bytes);
    assert_int_equal(f->set.n_messages, 0);
    (void)publish(f, "3");
    assert_int_equal(f->n_out, f->n_read + 1);
}

static void a_return_is_a_failure_and_ends_the_consumer(void **state)
{
    struct fixture *f = *state;

    for (uint32_t i = 0; i < QUEUE_MAX_FAILURES; i++) {
        assert_int_equal(f->n_dropped, 0);
        add(f, i + 1, 5);
        if (i == 0)
            publish_many(f, 1, 2);
        (void)expect(f, i + 1, "1", i + 1);
        (void)expect(f, i + 1, "2", i + 1);
        assert_true(give_back(f, i + 1, f->out[f->n_out - 2].id));
        assert_false(leave(f, i + 1));
        expect_nothing(f);
    }
    assert_int_equal(f->n_dropped, 1);
    assert_string_equal(f->dropped, "1");
    assert_int_equal(f->n_released, 1);
    add(f, 99, 5);
    (void)expect(f, 99, "2", QUEUE_MAX_FAILURES + 1); /* it was only in the same window */
    expect_nothing(f);
}

static void consumers_that_leave_cost_no_message(void **state)
{
    struct fixture *f = *state;

    (void)publish(f, "1");
    for (uint32_t i = 1; i <= 100; i++) {
        add(f, i, 1);
        (void)expect(f, i, "1", i);
        assert_true(leave(f, i));
    }
    assert_int_equal(f->n_dropped, 0);
    assert_int_equal(f->set.n_messages, 1);
}

static void a_queue_vanishes_with_its_last_consumer_and_message(void **state)
{
    struct fixture *f = *state;
    uint64_t id;

    (void)publish(f, "1");
    add(f, 1, 1);
    id = expect(f, 1, "1", 1);
    assert_true(leave(f, 1));
    assert_int_equal(f->set.queues.n_nodes, 1);
    add(f, 1, 1);
    assert_false(ack(f, 1, id));
    assert_true(ack(f, 1, expect(f, 1, "1", 2)));
    assert_int_equal(f->set.queues.n_nodes, 1);
    assert_true(leave(f, 1));
    assert_int_equal(f->set.queues.n_nodes, 0);
    assert_int_equal(f->set.consumers.n_nodes, 0);
    assert_int_equal(f->set.in_flight.n_nodes, 0);
    add(f, 2, 1);
    assert_true(leave(f, 2));
    assert_int_equal(f->set.queues.n_nodes, 0);
}

static void a_consumer_is_added_once(void **state)
{
    struct fixture *f = *state;
    struct queue_consumer c = consumer(1);

    assert_true(queues_add_consumer(&f->set, slice_str("/queue/a"), &c, 1, true));
    assert_false(queues_add_consumer(&f->set, slice_str("/queue/a"), &c, 5, false));
    assert_false(queues_add_consumer(&f->set, slice_str("/queue/b"), &c, 5, false));
    assert_int_equal(f->set.queues.n_nodes, 1);
    publish_many(f, 1, 2);
    (void)expect(f, 1, "1", 1);
    assert_true(f->out[0].is_auto);
    expect_nothing(f);
}

static void queues_do_not_mix(void **state)
{
    struct fixture *f = *state;
    uint64_t id;

    add_to(f, "/queue/a", 1, 1);
    add_to(f, "/queue/b", 2, 1);
    (void)publish_to(f, "/queue/a", "1");
    (void)publish_to(f, "/queue/a", "2");
    (void)publish_to(f, "/queue/b", "3");
    id = expect(f, 1, "1", 1);
    (void)expect(f, 2, "3", 1);
    expect_nothing(f);
    assert_true(leave(f, 2));
    expect_nothing(f);
    assert_true(ack(f, 1, id));
    (void)expect(f, 1, "2", 1);
    expect_nothing(f);
}

/* A consumer of the owner's own worker may be served within the hook, whatever waits. */
static void hooks_may_call_back(void **state)
{
    struct fixture *f = *state;

    publish_many(f, 1, 1000);
    f->acks_at_once = true;
    add(f, 1, 1);
    for (unsigned i = 1; i <= 1000; i++) {
        char id[16];

        (void)snprintf(id, sizeof(id), "%u", i);
        (void)expect(f, 1, id, 1);
    }
    expect_nothing(f);
    assert_int_equal(f->n_released, 1000);
    assert_int_equal(f->set.n_messages, 0);
    assert_true(leave(f, 1));
    assert_int_equal(f->set.queues.n_nodes, 0);
}

static void a_delivery_does_not_look_at_those_that_are_full(void **state)
{
    enum { N = 2000 };
    struct fixture *f = *state;
    uint64_t ids[N];

    for (uint64_t i = 0; i < N; i++)
        add(f, i, 1);
    publish_many(f, 0, N - 1);
    for (uint64_t i = 0; i < N; i++) {
        char id[16];

        (void)snprintf(id, sizeof(id), "%u", (unsigned)i);
        ids[i] = expect(f, i, id, 1);
    }
    publish_many(f, N, N + 1);
    expect_nothing(f);
    assert_true(ack(f, 1234, ids[1234]));
    (void)expect(f, 1234, "2000", 1);
    assert_true(ack(f, 7, ids[7]));
    (void)expect(f, 7, "2001", 1);
    expect_nothing(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(consumers_with_a_free_window_take_turns),
        TEST(a_full_window_gets_nothing_until_it_acknowledges),
        TEST(a_backlog_waits_for_the_first_consumer),
        TEST(an_acknowledged_message_releases_its_bytes_once),
        TEST(the_bytes_may_be_others_than_the_messages),
        TEST(wrong_late_and_foreign_ends_of_a_delivery_are_ignored),
        TEST(what_a_consumer_leaves_goes_first_and_in_its_order),
        TEST(what_several_consumers_leave_is_in_one_order_again),
        TEST(a_late_ack_of_what_was_redelivered_is_ignored),
        TEST(a_nacked_message_goes_to_another_consumer),
        TEST(a_nacked_message_waits_for_another_that_is_busy_and_holds_up_nobody),
        TEST(a_nacked_message_comes_back_when_there_is_no_other),
        TEST(what_was_refused_is_for_anybody_once_the_refuser_has_left),
        TEST(a_message_that_fails_too_often_is_dropped),
        TEST(a_return_is_a_failure_and_ends_the_consumer),
        TEST(consumers_that_leave_cost_no_message),
        TEST(a_queue_vanishes_with_its_last_consumer_and_message),
        TEST(a_consumer_is_added_once),
        TEST(queues_do_not_mix),
        TEST(hooks_may_call_back),
        TEST(a_delivery_does_not_look_at_those_that_are_full),
    };

    return cmocka_run_group_tests_name("gateway/router/queue", tests, NULL, NULL);
}
