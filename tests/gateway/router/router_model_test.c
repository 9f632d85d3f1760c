#include "tests/test.h"
#include "tests/random.h"
#include "tests/gateway/router/harness.h"
#include <stdio.h>
#include "base/mem.h"

/*
 * The router against a model without groups, log or sharing: each client has one list of the
 * frames that it has to get, in the order in which they were published or queued. Random calls
 * change both; whatever a client's queue gives must be what stands next in its list.
 *
 * Frames that one message gives a client with several subscriptions may come in any order.
 */

enum { MAX_CLIENTS = 16, MAX_SUBSCRIPTIONS = 64, N_DESTINATIONS = 5, N_IDS = 48 };

static const char *const destinations[N_DESTINATIONS] = {"/topic/a", "/topic/b", "/queue/c", "/d",
                                                         ""};

enum { N_PATTERNS = 4 };

/* Which of the destinations each of them matches, written down by hand. */
static const struct {
    const char *text;
    bool matches[N_DESTINATIONS];
} patterns[N_PATTERNS] = {
    {"/topic/*", {true, true, false, false, false}},
    {"/**", {true, true, true, true, false}},
    {"/{kind}/{x:[b-c]}", {false, true, true, false, false}},
    {"/topic/a?", {false, false, false, false, false}},
};

struct frame {
    uint64_t number; /* of the message or the reply: equal numbers, any order */
    struct slice bytes;
};

struct model_subscription {
    size_t id, destination; /* from N_DESTINATIONS on: a pattern */
};

struct client {
    struct receiver *receiver;
    enum wire wire;
    struct model_subscription subscriptions[MAX_SUBSCRIPTIONS];
    size_t n_subscriptions;
    struct frame *frames;
    size_t first, n, cap;
    size_t bytes;   /* in frames[first .. n) */
    struct buf got; /* written to it, not a whole frame yet */
    bool has_news;  /* must be dirty at the end of the tick */
};

struct model {
    struct harness *h;
    struct rng rng;
    size_t n_clients, n_destinations, n_ids;
    struct client clients[MAX_CLIENTS];
    uint64_t number;
    uint64_t n_delivered, n_tick_deliveries;
    struct receiver *dead[64]; /* freed at the end of the tick */
    size_t n_dead;
    char *body;
};

static size_t below(struct model *m, size_t n)
{
    return rng_below(&m->rng, n);
}

static const char *id_text(size_t id, char *out)
{
    /* Some short, some with a character that is escaped, some long. */
    snprintf(out, 64,
             id % 5 == 4   ? "sub:%zu"
             : id % 7 == 6 ? "a-rather-long-id-of-%zu"
                           : "%zu",
             id);
    return out;
}

/* --- what the model knows --- */

static void expect(struct client *c, uint64_t number, struct buf *bytes)
{
    if (c->n == c->cap) {
        c->cap = c->cap == 0 ? 64 : c->cap * 2;
        c->frames = mem_realloc(c->frames, c->cap * sizeof(*c->frames));
    }
    c->frames[c->n++] = (struct frame){number, mem_slice_dup(buf_slice(bytes))};
    c->bytes += bytes->len;
    c->has_news = true;
    buf_dispose(bytes);
}

static void expect_message(struct client *c, uint64_t number, const struct msg *msg, size_t id)
{
    struct buf bytes;
    char text[64];

    buf_init(&bytes, SIZE_MAX);
    harness_expect(&bytes, c->wire, msg, id_text(id, text));
    expect(c, number, &bytes);
}

static void drop_frame(struct client *c, size_t i)
{
    c->bytes -= c->frames[i].bytes.len;
    mem_free((char *)c->frames[i].bytes.base);
    c->frames[i] = c->frames[c->first++];
    if (c->first == c->n)
        c->first = c->n = 0;
}

static void drop_frames(struct client *c)
{
    while (c->first != c->n)
        drop_frame(c, c->first);
}

/* What has been written in whole frames must be what stands first in the list. */
static void match(struct client *c)
{
    size_t len;

    while ((len = harness_frame_len(buf_slice(&c->got))) != 0) {
        struct slice bytes = slice_of(c->got.base, len);
        uint64_t number;
        size_t i = c->first;

        assert_true(c->first != c->n);
        number = c->frames[c->first].number;
        while (i != c->n && c->frames[i].number == number && !slice_eq(c->frames[i].bytes, bytes))
            i++;
        assert_true(i != c->n && c->frames[i].number == number);
        drop_frame(c, i);
        buf_consume(&c->got, len);
    }
    assert_true(c->got.len <= c->bytes);
}

static void write_bytes(struct model *m, struct client *c, size_t n)
{
    harness_write(c->receiver, n, &c->got);
    if (!outq_is_empty(&c->receiver->outq) && rng_one_in(&m->rng, 2))
        outq_unpin(&c->receiver->outq, &m->h->pool);
    match(c);
}

/* Everything that was published so far is in the queue now. */
static void assert_caught_up(const struct client *c)
{
    assert_int_equal(c->receiver->outq.bytes + c->got.len, c->bytes);
}

/* --- what clients and publishers do --- */

static void open_client(struct model *m, struct client *c)
{
    c->receiver = mem_calloc(1, sizeof(*c->receiver));
    c->wire = rng_one_in(&m->rng, 4) ? WIRE_WEBSOCKET_RAW : WIRE_WEBSOCKET;
    receiver_init(c->receiver, &m->h->router, c->wire);
    buf_init(&c->got, SIZE_MAX);
}

static void close_client(struct model *m, struct client *c)
{
    receiver_leave(c->receiver, &m->h->router);
    assert_true(outq_is_empty(&c->receiver->outq));
    assert_int_equal(c->receiver->subscriptions.n, 0);
    m->dead[m->n_dead++] = c->receiver;
    drop_frames(c);
    mem_free(c->frames);
    buf_dispose(&c->got);
    *c = (struct client){.receiver = NULL};
}

static size_t find_subscription(const struct client *c, size_t id)
{
    size_t i = 0;

    while (i < c->n_subscriptions && c->subscriptions[i].id != id)
        i++;
    return i;
}

static bool gets(const struct model_subscription *s, size_t destination)
{
    if (s->destination < N_DESTINATIONS)
        return s->destination == destination;
    return patterns[s->destination - N_DESTINATIONS].matches[destination];
}

static struct slice name_of(size_t destination)
{
    return slice_str(destination < N_DESTINATIONS ? destinations[destination]
                                                  : patterns[destination - N_DESTINATIONS].text);
}

static void subscribe(struct model *m, struct client *c)
{
    size_t id = below(m, m->n_ids), destination = below(m, m->n_destinations);
    char text[64];
    bool is_new = find_subscription(c, id) == c->n_subscriptions;
    struct router_subscribe asked = {.id = slice_str(id_text(id, text))};
    const char *why;

    if (rng_one_in(&m->rng, 4)) {
        destination = N_DESTINATIONS + below(m, N_PATTERNS);
        asked.kind = DESTINATION_PATTERN;
    }
    asked.destination = name_of(destination);
    assert_int_equal(router_subscribe_as(&m->h->router, c->receiver, &asked, NULL, &why),
                     is_new ? ROUTER_OK : ROUTER_ERR_ID);
    if (is_new)
        c->subscriptions[c->n_subscriptions++] = (struct model_subscription){id, destination};
}

static void unsubscribe(struct model *m, struct client *c)
{
    size_t id = below(m, m->n_ids), i = find_subscription(c, id);
    char text[64];
    struct subscription *s =
        receiver_find(c->receiver, &m->h->router, slice_str(id_text(id, text)));

    assert_int_equal(s != NULL, i != c->n_subscriptions);
    if (s == NULL)
        return;
    assert_true(slice_eq(subscription_destination(s), name_of(c->subscriptions[i].destination)));
    router_unsubscribe(&m->h->router, s);
    assert_caught_up(c);
    c->subscriptions[i] = c->subscriptions[--c->n_subscriptions];
}

static struct msg *random_message(struct model *m, size_t destination)
{
    static const size_t max[] = {60, 60, 200, 200, 200, 700, 2000, 6000};
    size_t len = below(m, max[below(m, 8)]);

    if (rng_one_in(&m->rng, 40))
        len = below(m, 40000);
    if (rng_one_in(&m->rng, 300))
        len = 60000 + below(m, 80000);
    memset(m->body, 'a' + (int)(m->number % 26), len);
    snprintf(m->body, 24, "%llu", (unsigned long long)m->number);
    return harness_message(m->h, slice_str(destinations[destination]), slice_of(m->body, len));
}

static void publish(struct model *m)
{
    size_t destination = below(m, m->n_destinations);
    struct msg *msg = random_message(m, destination);
    const struct client *except =
        rng_one_in(&m->rng, 5) ? &m->clients[below(m, m->n_clients)] : NULL;
    const struct receiver *except_receiver = except == NULL ? NULL : except->receiver;
    uint64_t n = 0;

    for (size_t i = 0; i < m->n_clients; i++) {
        struct client *c = &m->clients[i];

        for (size_t k = 0; k < c->n_subscriptions; k++) {
            if (!gets(&c->subscriptions[k], destination))
                continue;
            n++;
            if (c == except)
                continue;
            expect_message(c, m->number, msg, c->subscriptions[k].id);
            m->n_delivered++;
            m->n_tick_deliveries++;
        }
    }
    m->number++;
    if (rng_one_in(&m->rng, 4))
        router_deliver(&m->h->router, msg, except_receiver);
    else
        assert_int_equal(router_publish(&m->h->router, msg, except_receiver), n);
    msg_unref(msg);
}

static void echo(struct model *m, struct client *c)
{
    size_t destination = below(m, m->n_destinations);
    struct msg *msg = random_message(m, destination);
    uint64_t n = 0;

    for (size_t k = 0; k < c->n_subscriptions; k++) {
        if (gets(&c->subscriptions[k], destination)) {
            expect_message(c, m->number, msg, c->subscriptions[k].id);
            n++;
        }
    }
    m->number++;
    m->n_delivered += n;
    m->n_tick_deliveries += n;
    assert_int_equal(router_echo(&m->h->router, msg, c->receiver), n);
    msg_unref(msg);
}

static void reply(struct model *m, struct client *c)
{
    bool is_binary = rng_one_in(&m->rng, 2), is_ready_made = rng_one_in(&m->rng, 2);
    size_t len = below(m, 150);
    struct buf bytes;

    memset(m->body, 'A' + (int)(m->number % 26), len);
    buf_init(&bytes, SIZE_MAX);
    harness_expect_frame(&bytes, is_binary, slice_of(m->body, len));
    if (is_ready_made)
        memcpy(router_queue_bytes(&m->h->router, c->receiver, bytes.len), bytes.base, bytes.len);
    else
        memcpy(router_queue_frame(&m->h->router, c->receiver, is_binary, len), m->body, len);
    expect(c, m->number++, &bytes);
    assert_caught_up(c);
}

/* As an overflow ends a session: only the frame that is being written may go on. */
static void cut(struct model *m, struct client *c)
{
    bool is_within_frame = c->got.len != 0;
    size_t written, n_before;
    struct slice head;

    receiver_end_subscriptions(c->receiver, &m->h->router);
    assert_caught_up(c);
    head = outq_head(&c->receiver->outq, &written);
    outq_truncate(&c->receiver->outq, wire_frame_end(c->wire, head, written) - written);
    n_before = c->n - c->first;
    harness_write(c->receiver, c->receiver->outq.bytes, &c->got);
    match(c);
    assert_int_equal(c->got.len, 0);
    assert_int_equal(n_before - (c->n - c->first), is_within_frame);
    drop_frames(c);
    reply(m, c);
    write_bytes(m, c, c->receiver->outq.bytes);
    assert_int_equal(c->n, 0);
}

static void end_tick(struct model *m)
{
    struct receiver *receiver;

    assert_int_equal(m->h->router.tick_deliveries, m->n_tick_deliveries);
    router_distribute(&m->h->router);
    assert_int_equal(m->h->router.tick_deliveries, 0);
    m->n_tick_deliveries = 0;
    for (size_t i = 0; i < m->n_clients; i++)
        assert_caught_up(&m->clients[i]);
    while ((receiver = router_take_dirty(&m->h->router)) != NULL) {
        size_t i = 0;
        struct client *c;

        while (i < m->n_clients && m->clients[i].receiver != receiver)
            i++;
        assert_true(i < m->n_clients); /* neither one that left nor one that is taken twice */
        c = &m->clients[i];
        assert_false(receiver->is_dirty);
        c->has_news = false;
        if (rng_one_in(&m->rng, 4))
            write_bytes(m, c, below(m, receiver->outq.bytes + 1));
        else if (!rng_one_in(&m->rng, 8))
            write_bytes(m, c, receiver->outq.bytes);
    }
    for (size_t i = 0; i < m->n_clients; i++)
        assert_false(m->clients[i].has_news);
    while (m->n_dead != 0)
        mem_free(m->dead[--m->n_dead]);
}

static void check_counts(const struct model *m)
{
    size_t n = 0;

    for (size_t i = 0; i < m->n_clients; i++) {
        n += m->clients[i].n_subscriptions;
        assert_int_equal(m->clients[i].receiver->subscriptions.n, m->clients[i].n_subscriptions);
    }
    assert_int_equal(harness_metric(m->h, METRIC_SUBSCRIPTIONS), n);
    assert_int_equal(harness_metric(m->h, METRIC_DELIVERED), m->n_delivered);
    for (size_t i = 0; i < m->n_destinations; i++) {
        size_t n_here = 0;
        uint64_t counted;

        for (size_t k = 0; k < m->n_clients; k++) {
            for (size_t j = 0; j < m->clients[k].n_subscriptions; j++)
                n_here += m->clients[k].subscriptions[j].destination == i;
        }
        (void)interest_find(&m->h->interest, slice_str(destinations[i]), &counted);
        assert_int_equal(counted, n_here);
    }
    for (size_t k = 0; k < m->n_clients; k++) {
        size_t n_patterns = 0;

        for (size_t j = 0; j < m->clients[k].n_subscriptions; j++)
            n_patterns += m->clients[k].subscriptions[j].destination >= N_DESTINATIONS;
        assert_int_equal(m->clients[k].receiver->n_patterns, n_patterns);
    }
}

static void step(struct model *m, size_t tick_steps)
{
    struct client *c = &m->clients[below(m, m->n_clients)];
    size_t what = below(m, 100);

    if (rng_one_in(&m->rng, tick_steps)) {
        end_tick(m);
    } else if (what < 20) {
        subscribe(m, c);
    } else if (what < 32) {
        unsubscribe(m, c);
    } else if (what < 75) {
        publish(m);
    } else if (what < 80) {
        echo(m, c);
    } else if (what < 88) {
        reply(m, c);
    } else if (what < 96) {
        write_bytes(m, c, below(m, c->receiver->outq.bytes + 1));
    } else if (what < 97) {
        receiver_end_subscriptions(c->receiver, &m->h->router);
        assert_caught_up(c);
        c->n_subscriptions = 0;
    } else if (m->n_dead < 60) {
        if (what < 98) {
            cut(m, c);
            c->n_subscriptions = 0;
        }
        close_client(m, c);
        open_client(m, c);
    }
}

static void run(uint64_t seed, size_t n_steps, size_t n_ids)
{
    struct model *m = mem_calloc(1, sizeof(*m));
    size_t tick_steps;

    m->h = harness_new();
    m->rng = (struct rng){seed};
    m->body = mem_alloc(200000);
    m->n_clients = 1 + below(m, MAX_CLIENTS);
    m->n_destinations = 1 + below(m, N_DESTINATIONS);
    m->n_ids = 1 + below(m, n_ids);
    tick_steps = 2 + below(m, 120);
    for (size_t i = 0; i < m->n_clients; i++)
        open_client(m, &m->clients[i]);
    for (size_t i = 0; i < n_steps; i++) {
        step(m, tick_steps);
        if (i % 16 == 0)
            check_counts(m);
    }
    end_tick(m);
    for (size_t i = 0; i < m->n_clients; i++) {
        struct client *c = &m->clients[i];

        write_bytes(m, c, c->receiver->outq.bytes);
        assert_int_equal(c->n, 0);
        assert_int_equal(c->got.len, 0);
        close_client(m, c);
    }
    m->n_clients = 0;
    end_tick(m);
    harness_free(m->h);
    mem_free(m->body);
    mem_free(m);
}

static void clients_of_one_kind_get_what_the_model_says(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++)
        run(seed, 1500, 3); /* few ids, large groups: the log */
}

static void clients_with_many_subscriptions_get_what_the_model_says(void **state)
{
    (void)state;
    for (uint64_t seed = 1000; seed < 1020; seed++)
        run(seed, 1500, N_IDS); /* small groups, long lists: copies, both ways to catch up */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_of_one_kind_get_what_the_model_says),
        cmocka_unit_test(clients_with_many_subscriptions_get_what_the_model_says),
    };

    return cmocka_run_group_tests_name("gateway/router/router_model", tests, NULL, NULL);
}
