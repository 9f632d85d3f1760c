#include "tests/test.h"
#include "tests/random.h"
#include "tests/gateway/broker/office.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/mem.h"

/*
 * Competing queues over several workers against what may be said of every message: it is handed
 * over once, or again with redelivered:true and a higher count; nothing that was accepted is lost;
 * nothing comes after it was acknowledged. Consumers come, acknowledge, refuse and leave at random,
 * and mail between workers arrives when it likes.
 */

enum { N_WORKERS = 3, N_CONSUMERS = 8, N_MESSAGES = 3000, STEPS = 30000 };

struct fate {
    bool is_accepted, is_done; /* acknowledged */
    unsigned count;            /* of deliveries seen */
};

struct consumer {
    bool is_there;
    bool needs_ack;
    unsigned worker;
    struct receiver receiver;
    uint32_t slot;
    struct {
        unsigned number;
        char id[64];
    } held[8];
    size_t n_held, window;
};

struct flow {
    struct office *office;
    struct rng rng;
    struct fate fates[N_MESSAGES];
    unsigned n_published;
    uint32_t next_slot;
    struct consumer consumers[N_CONSUMERS];
};

static void enter(struct flow *f, struct consumer *c)
{
    struct router_subscribe asked = {
        .id = SLICE("q"),
        .destination = SLICE("/queue/jobs"),
        .kind = DESTINATION_QUEUE,
    };
    struct session_ref session = {f->next_slot++, 1};

    c->worker = (unsigned)rng_below(&f->rng, N_WORKERS);
    c->needs_ack = !rng_one_in(&f->rng, 4);
    c->window = 1 + rng_below(&f->rng, 8);
    c->n_held = 0;
    c->is_there = true;
    asked.needs_ack = c->needs_ack;
    asked.ack_window = (uint32_t)c->window;
    receiver_init(&c->receiver, &f->office->workers[c->worker].router, WIRE_WEBSOCKET);
    assert_int_equal(broker_subscribe_queue(&f->office->workers[c->worker].broker, &c->receiver,
                                            session, &asked, NULL),
                     ROUTER_OK);
}

/* One MESSAGE: "...\n[ack:<id>\n][redelivered:true\nx-delivery-count:N\n]...\n\n<number>^" */
static void take_frame(struct flow *f, struct consumer *c, char *frame)
{
    const char *body = strstr(frame, "\n\n"), *ack = strstr(frame, "\nack:"),
               *count = strstr(frame, "\nx-delivery-count:");
    unsigned number, deliveries = 1;
    struct fate *fate;

    assert_non_null(body);
    number = (unsigned)strtoul(body + 2, NULL, 10);
    assert_in_range(number, 0, f->n_published - 1);
    fate = &f->fates[number];
    if (count != NULL)
        deliveries = (unsigned)strtoul(count + 18, NULL, 10);
    assert_int_equal(strstr(frame, "\nredelivered:true\n") != NULL, deliveries > 1);
    assert_true(fate->is_accepted && !fate->is_done);
    /* Those that found their session gone were deliveries, too, and nobody saw them. */
    assert_true(deliveries > fate->count);
    fate->count = deliveries;
    assert_int_equal(ack != NULL, c->needs_ack);
    if (!c->needs_ack) {
        fate->is_done = true;
        return;
    }
    assert_true(c->n_held < c->window);
    c->held[c->n_held].number = number;
    assert_int_equal(sscanf(ack, "\nack:%63[^\n]", c->held[c->n_held].id), 1);
    c->n_held++;
}

static void hear(struct flow *f, struct consumer *c)
{
    struct buf got;
    char *frame, *end;

    buf_init(&got, SIZE_MAX);
    office_hear(f->office, c->worker, &c->receiver, &got);
    assert_true(buf_append(&got, slice_of("", 1)));
    for (frame = got.base; (end = strchr(frame, '^')) != NULL; frame = end + 1) {
        *end = '\0';
        take_frame(f, c, frame);
    }
    buf_dispose(&got);
}

static void settle(struct flow *f, struct consumer *c, size_t i, bool is_ack)
{
    struct router *router = &f->office->workers[c->worker].router;
    struct subscription *s = receiver_find(&c->receiver, router, slice_str("q"));
    struct ack_entry which, entry;

    assert_non_null(s);
    assert_true(router_read_id(router, slice_str(c->held[i].id), &which));
    assert_true(acks_take_one(&group_more(s->group)->acks, which.worker, which.number, &entry));
    broker_settle(&f->office->workers[c->worker].broker, s, entry.tag, is_ack);
    f->fates[c->held[i].number].is_done = is_ack;
    c->held[i] = c->held[--c->n_held];
}

static void leave(struct flow *f, struct consumer *c)
{
    hear(f, c);
    receiver_leave(&c->receiver, &f->office->workers[c->worker].router);
    c->is_there = false;
}

static void publish(struct flow *f)
{
    unsigned worker = (unsigned)rng_below(&f->rng, N_WORKERS);
    struct msg *msg;
    char body[16];

    if (f->n_published == N_MESSAGES)
        return;
    snprintf(body, sizeof(body), "%u", f->n_published);
    msg = office_message(f->office, worker, "/queue/jobs", body);
    f->fates[f->n_published++].is_accepted =
        broker_publish(&f->office->workers[worker].broker, msg, NULL, NULL, false, NULL) ==
        BROKER_ROUTED;
    msg_unref(msg);
}

static void step(struct flow *f)
{
    struct consumer *c = &f->consumers[rng_below(&f->rng, N_CONSUMERS)];

    switch (rng_below(&f->rng, 12)) {
    case 0:
        publish(f);
        break;
    case 1:
        if (!c->is_there)
            enter(f, c);
        else if (rng_one_in(&f->rng, 12))
            leave(f, c);
        break;
    case 2:
    case 3:
    case 4:
        if (c->is_there)
            hear(f, c);
        if (c->is_there && c->n_held != 0)
            settle(f, c, rng_below(&f->rng, c->n_held), !rng_one_in(&f->rng, 6));
        break;
    default:
        (void)office_deliver(f->office, (unsigned)rng_below(&f->rng, N_WORKERS));
        break;
    }
}

/* Everybody acknowledges until nothing moves any more. */
static void finish(struct flow *f)
{
    bool any = true;

    for (size_t i = 0; i < N_CONSUMERS; i++) {
        if (!f->consumers[i].is_there)
            enter(f, &f->consumers[i]);
    }
    while (any) {
        any = false;
        office_deliver_all(f->office);
        for (size_t i = 0; i < N_CONSUMERS; i++) {
            struct consumer *c = &f->consumers[i];

            hear(f, c);
            while (c->n_held != 0) {
                settle(f, c, 0, true);
                any = true;
            }
        }
    }
    for (size_t i = 0; i < N_CONSUMERS; i++)
        leave(f, &f->consumers[i]);
}

static void nothing_that_was_accepted_is_lost_or_comes_twice_without_saying_so(void **state)
{
    static const struct slice jobs[] = {SLICE("/queue/jobs")};
    static const struct policy_queues queues = {{jobs, 1}, true};
    static const struct policy_rules rules = {.queues = &queues, .n_queues = 1, .separator = '/'};
    static const struct broker_limits limits = {.last_messages = 1, .queue = {50, 1000, SIZE_MAX}};

    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct flow *f = mem_calloc(1, sizeof(*f));
        unsigned n_lost = 0, n_accepted = 0;

        f->office = office_new(N_WORKERS, &rules, &limits);
        f->rng.state = seed;
        for (unsigned i = 0; i < STEPS; i++)
            step(f);
        finish(f);
        for (unsigned i = 0; i < f->n_published; i++) {
            n_accepted += f->fates[i].is_accepted;
            n_lost += f->fates[i].is_accepted && !f->fates[i].is_done;
        }
        assert_in_range(n_accepted, f->n_published / 2, f->n_published);
        assert_int_equal(n_lost, office_metric(f->office, METRIC_QUEUE_DROPPED));
        for (unsigned i = 0; i < N_WORKERS; i++)
            assert_int_equal(f->office->workers[i].broker.queues.n_messages, 0);
        /* All room has been given back. */
        for (int i = 0; i < 50; i++)
            assert_true(broker_reserve(&f->office->workers[0].broker, slice_str("/queue/jobs"), 1));
        for (int i = 0; i < 50; i++)
            broker_unreserve(&f->office->workers[0].broker, slice_str("/queue/jobs"), 1);
        office_free(f->office);
        mem_free(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_that_was_accepted_is_lost_or_comes_twice_without_saying_so),
    };

    return cmocka_run_group_tests_name("gateway/broker/queue_flow", tests, NULL, NULL);
}
