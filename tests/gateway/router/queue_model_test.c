#include "tests/test.h"
#include "tests/random.h"
#include <stdio.h>
#include "base/mem.h"
#include "gateway/router/queue.h"

/*
 * Any sequence of calls against a naive model: arrays of messages and consumers, searched from end
 * to end. The model follows the hooks and refuses every delivery that the rules do not allow;
 * after each call it looks for one that they demand and that was not made.
 */

static const struct siphash_key hash_key = {1, 2};

enum { N_QUEUES = 3, N_CONSUMERS = 9, N_MESSAGES = 250, NOBODY = -1 };

enum place {
    IN_BACKLOG,
    IN_FLIGHT,
    ACKNOWLEDGED,
    DROPPED,
};

struct model_message {
    enum place place;
    int queue;
    int holder;  /* in flight: the consumer */
    int refuser; /* in the backlog: who refused it last and is still there */
    uint64_t id; /* of its latest delivery */
    uint32_t count;
    uint32_t failures;
    size_t bytes;
};

struct model_consumer {
    bool is_there;
    int queue;
    uint32_t window;
    uint32_t n_in_flight;
};

struct model {
    struct queues set;
    struct rng rng;
    struct model_message messages[N_MESSAGES];
    size_t n_messages;
    struct model_consumer consumers[N_CONSUMERS];
    size_t n_released;
    size_t released_bytes;
    size_t n_dropped;
    int dropping; /* what the next `dropped` must be about */
    int finishing;
    bool is_playing; /* not being torn down */
    bool hook_acks;  /* some, at once */
    size_t nacks;    /* of 100 deliveries that end */
};

static const char *const destinations[N_QUEUES] = {"/queue/a", "/queue/b", "/queue/c"};

static struct queue_consumer name_of(int c)
{
    return (struct queue_consumer){
        .worker = (unsigned)c % 2, .slot = (uint32_t)c / 2, .generation = 5, .serial = (uint64_t)c};
}

static int count_consumers(const struct model *m, int queue)
{
    int n = 0;

    for (int c = 0; c < N_CONSUMERS; c++)
        n += m->consumers[c].is_there && m->consumers[c].queue == queue;
    return n;
}

static bool is_allowed(const struct model *m, const struct model_message *message, int c)
{
    return message->place == IN_BACKLOG && message->queue == m->consumers[c].queue &&
           (message->refuser != c || count_consumers(m, message->queue) == 1);
}

static void must_ack(struct model *m, int c, size_t i);

/** Whether the message is the next to go, but for what others refused. */
static bool is_first(const struct model *m, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        const struct model_message *other = &m->messages[k];

        if (other->queue == m->messages[i].queue && other->place == IN_BACKLOG &&
            other->refuser == NOBODY)
            return false;
    }
    return true;
}

static void on_deliver(void *ctx, const struct queue_consumer *to,
                       const struct queue_delivery *delivery)
{
    struct model *m = ctx;
    int c = (int)to->serial;
    struct queue_consumer name = name_of(c);
    struct model_message *message;
    uint64_t i;

    assert_true(m->is_playing);
    assert_true(slice_to_u64(delivery->msg->id, N_MESSAGES - 1, &i));
    message = &m->messages[i];
    assert_true(to->worker == name.worker && to->slot == name.slot &&
                to->generation == name.generation);
    assert_true(m->consumers[c].is_there);
    assert_true(m->consumers[c].n_in_flight < m->consumers[c].window);
    assert_true(is_allowed(m, message, c));
    assert_true(message->refuser != NOBODY || is_first(m, i));
    for (size_t k = 0; message->refuser == NOBODY && k < m->n_messages; k++)
        assert_false(m->messages[k].refuser != NOBODY && is_allowed(m, &m->messages[k], c));
    assert_int_equal(delivery->count, message->count + 1);
    assert_true(delivery->id > message->id);

    message->place = IN_FLIGHT;
    message->holder = c;
    message->refuser = NOBODY;
    message->count++;
    message->id = delivery->id;
    m->consumers[c].n_in_flight++;
    if (m->hook_acks && rng_one_in(&m->rng, 3))
        must_ack(m, c, i);
}

static void on_release(void *ctx, struct slice destination, size_t n, size_t bytes)
{
    struct model *m = ctx;

    assert_true(m->is_playing);
    assert_true(m->finishing != NOBODY);
    assert_int_equal(n, 1);
    assert_int_equal(bytes, m->messages[m->finishing].bytes);
    assert_true(slice_eq(destination, slice_str(destinations[m->messages[m->finishing].queue])));
    m->finishing = NOBODY;
    m->n_released += n;
    m->released_bytes += bytes;
}

static void on_dropped(void *ctx, struct msg *msg)
{
    struct model *m = ctx;
    uint64_t i;

    assert_true(slice_to_u64(msg->id, N_MESSAGES - 1, &i));
    assert_int_equal(i, m->dropping);
    m->dropping = NOBODY;
    m->n_dropped++;
}

/** The consumer is gone for the model: what it held and refused is anybody's. */
static void forget_consumer(struct model *m, int c)
{
    m->consumers[c].is_there = false;
    for (size_t i = 0; i < m->n_messages; i++) {
        struct model_message *message = &m->messages[i];

        if (message->place == IN_FLIGHT && message->holder == c)
            message->place = IN_BACKLOG;
        if (message->refuser == c)
            message->refuser = NOBODY;
    }
}

static void must_ack(struct model *m, int c, size_t i)
{
    struct queue_consumer name = name_of(c);

    m->messages[i].place = ACKNOWLEDGED;
    m->consumers[c].n_in_flight--;
    m->finishing = (int)i;
    assert_true(queues_ack(&m->set, &name, m->messages[i].id));
    assert_int_equal(m->finishing, NOBODY);
}

/** Counts a failure; true when it was one too many. */
static bool fail_message(struct model *m, size_t i)
{
    struct model_message *message = &m->messages[i];

    m->consumers[message->holder].n_in_flight--;
    message->place = IN_BACKLOG;
    if (++message->failures < QUEUE_MAX_FAILURES)
        return false;
    message->place = DROPPED;
    m->dropping = m->finishing = (int)i;
    return true;
}

static void must_nack(struct model *m, int c, size_t i)
{
    struct queue_consumer name = name_of(c);

    if (!fail_message(m, i))
        m->messages[i].refuser = c;
    assert_true(queues_nack(&m->set, &name, m->messages[i].id));
    assert_true(m->dropping == NOBODY && m->finishing == NOBODY);
}

static void must_return(struct model *m, int c, size_t i)
{
    struct queue_consumer name = name_of(c);

    (void)fail_message(m, i);
    forget_consumer(m, c);
    assert_true(queues_return(&m->set, &name, m->messages[i].id));
    assert_true(m->dropping == NOBODY && m->finishing == NOBODY);
}

static void publish(struct model *m)
{
    struct model_message *message = &m->messages[m->n_messages];
    char id[16], body[200] = {0};
    struct msg *msg;

    *message = (struct model_message){
        .place = IN_BACKLOG,
        .queue = (int)rng_below(&m->rng, N_QUEUES),
        .holder = NOBODY,
        .refuser = NOBODY,
    };
    (void)snprintf(id, sizeof(id), "%zu", m->n_messages++);
    msg = msg_new(slice_str(destinations[message->queue]), NULL, 0, slice_str(id),
                  slice_of(body, rng_below(&m->rng, sizeof(body))), false);
    message->bytes = msg_bytes(msg);
    queues_publish(&m->set, msg);
    msg_unref(msg);
}

static void add_or_remove(struct model *m, int c)
{
    struct queue_consumer name = name_of(c);
    struct model_consumer *consumer = &m->consumers[c];

    if (consumer->is_there && rng_one_in(&m->rng, 2)) {
        forget_consumer(m, c);
        assert_true(queues_remove_consumer(&m->set, &name));
    } else if (consumer->is_there) {
        assert_false(queues_add_consumer(&m->set, slice_str(destinations[0]), &name, 1, true));
    } else {
        assert_false(queues_remove_consumer(&m->set, &name));
        *consumer = (struct model_consumer){
            .is_there = true,
            .queue = (int)rng_below(&m->rng, N_QUEUES),
            .window = (uint32_t)rng_below(&m->rng, 4) + 1,
        };
        assert_true(queues_add_consumer(&m->set, slice_str(destinations[consumer->queue]), &name,
                                        consumer->window, false));
    }
}

/** Any message's latest delivery, ended by any consumer; mostly by the one that has it. */
static void end_delivery(struct model *m)
{
    size_t recent = m->n_messages < 60 ? m->n_messages : 60;
    size_t i = m->n_messages - 1 - rng_below(&m->rng, recent);
    struct model_message *message = &m->messages[i];
    int c = rng_one_in(&m->rng, 5) || message->holder == NOBODY
                ? (int)rng_below(&m->rng, N_CONSUMERS)
                : message->holder;
    struct queue_consumer name = name_of(c);
    size_t what = rng_below(&m->rng, 100);

    if (message->place != IN_FLIGHT || message->holder != c) {
        assert_false(queues_ack(&m->set, &name, message->id));
        assert_false(queues_nack(&m->set, &name, message->id));
        assert_false(queues_return(&m->set, &name, message->id));
    } else if (what < 2) {
        must_return(m, c, i);
    } else if (what < 2 + m->nacks) {
        must_nack(m, c, i);
    } else {
        must_ack(m, c, i);
    }
}

/** Nothing waits that somebody could have; all sums and counts are right. */
static void check(const struct model *m)
{
    size_t n[DROPPED + 1] = {0}, n_consumers = 0, n_queues = 0, bytes = 0;

    for (size_t i = 0; i < m->n_messages; i++) {
        const struct model_message *message = &m->messages[i];

        n[message->place]++;
        if (message->place == ACKNOWLEDGED || message->place == DROPPED)
            bytes += message->bytes;
        for (int c = 0; message->place == IN_BACKLOG && c < N_CONSUMERS; c++)
            assert_false(m->consumers[c].is_there &&
                         m->consumers[c].n_in_flight < m->consumers[c].window &&
                         is_allowed(m, message, c));
    }
    for (int queue = 0; queue < N_QUEUES; queue++) {
        bool exists = count_consumers(m, queue) != 0;

        n_consumers += (size_t)count_consumers(m, queue);
        for (size_t i = 0; i < m->n_messages && !exists; i++)
            exists = m->messages[i].queue == queue && m->messages[i].place == IN_BACKLOG;
        n_queues += exists;
    }
    assert_int_equal(m->set.n_messages, n[IN_BACKLOG] + n[IN_FLIGHT]);
    assert_int_equal(m->set.in_flight.n_nodes, n[IN_FLIGHT]);
    assert_int_equal(m->n_released, n[ACKNOWLEDGED] + n[DROPPED]);
    assert_int_equal(m->n_dropped, n[DROPPED]);
    assert_int_equal(m->released_bytes, bytes);
    assert_int_equal(m->set.consumers.n_nodes, n_consumers);
    assert_int_equal(m->set.queues.n_nodes, n_queues);
}

static struct model *new_model(uint64_t seed, bool hook_acks)
{
    struct model *m = mem_calloc(1, sizeof(*m));

    m->rng.state = seed;
    m->dropping = m->finishing = NOBODY;
    m->is_playing = true;
    m->hook_acks = hook_acks;
    queues_init(&m->set, hash_key, (struct queue_hooks){on_deliver, on_release, on_dropped, m});
    return m;
}

static void free_model(struct model *m)
{
    m->is_playing = false;
    queues_dispose(&m->set);
    mem_free(m);
}

static void play(struct model *m, size_t n_messages, size_t rate)
{
    publish(m);
    while (m->n_messages < n_messages) {
        size_t what = rng_below(&m->rng, 100);

        if (what < rate)
            publish(m);
        else if (what < rate + 3)
            add_or_remove(m, (int)rng_below(&m->rng, N_CONSUMERS));
        else
            end_delivery(m);
        check(m);
    }
}

/** Ends all well: one consumer per queue takes what is left. */
static void take_the_rest(struct model *m)
{
    for (int c = 0; c < N_CONSUMERS; c++) {
        struct queue_consumer name = name_of(c);

        if (m->consumers[c].is_there) {
            forget_consumer(m, c);
            assert_true(queues_remove_consumer(&m->set, &name));
        }
    }
    check(m);
    for (int c = 0; c < N_QUEUES; c++) {
        struct queue_consumer name = name_of(c);

        m->consumers[c] = (struct model_consumer){.is_there = true, .queue = c, .window = 7};
        assert_true(queues_add_consumer(&m->set, slice_str(destinations[c]), &name, 7, false));
    }
    while (m->set.n_messages != 0) {
        assert_true(m->set.in_flight.n_nodes != 0);
        for (size_t i = 0; i < m->n_messages; i++) {
            if (m->messages[i].place == IN_FLIGHT)
                must_ack(m, m->messages[i].holder, i);
        }
    }
    for (int c = 0; c < N_QUEUES; c++) {
        struct queue_consumer name = name_of(c);

        forget_consumer(m, c);
        assert_true(queues_remove_consumer(&m->set, &name));
    }
    check(m);
    assert_int_equal(m->set.queues.n_nodes, 0);
}

static void every_message_is_somewhere_and_nobody_idles(void **state)
{
    size_t n_dropped = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 24; seed++) {
        struct model *m = new_model(seed, seed % 2 == 0);

        m->nacks = seed % 3 == 1 ? 95 : 40;
        play(m, N_MESSAGES, seed % 3 == 0 ? 12 : 5);
        if (seed % 4 != 3) /* else what is left is dropped by queues_dispose */
            take_the_rest(m);
        n_dropped += m->n_dropped;
        free_model(m);
    }
    assert_true(n_dropped > 10); /* so the bound was tried, too */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_is_somewhere_and_nobody_idles),
    };

    return cmocka_run_group_tests_name("gateway/router/queue_model", tests, NULL, NULL);
}
