#include "tests/test.h"
#include "tests/random.h"
#include "tests/gateway/router/expected.h"
#include "tests/gateway/router/harness.h"
#include <stdio.h>
#include "base/mem.h"

/*
 * The router against a model without groups, log, sharing or cache: each client has one list of the
 * frames that it has to get, in the order in which they were published or queued. Random calls
 * change both; whatever a client's queue gives must be what stands next in its list. What a pattern
 * matches the model knows from a table, and a window is a list of messages.
 *
 * Frames that one message gives a client with several subscriptions may come in any order.
 */

enum {
    MAX_CLIENTS = 60,
    MAX_SUBSCRIPTIONS = 64,
    N_DESTINATIONS = 12, /* more than the cache holds */
    N_PATTERNS = 7,
    N_IDS = 48,
    MAX_WINDOW = 12,
    OTHER_WORKER = 5, /* has patterns now and then; nobody reads its mail */
    OTHER_COUNT = 3,  /* subscriptions of each */
};

static const char *const destinations[N_DESTINATIONS] = {
    "/topic/a", "/topic/b", "/queue/c", "/d", "",          "/topic/a/b",
    "/queue/d", "/topic/c", "/e",       "x",  "/topic/dd", "/queue/c/d"};

static const struct {
    const char *text;
    size_t n_matches;
    size_t matches[N_DESTINATIONS];
} patterns[N_PATTERNS] = {
    {"/topic/*", 4, {0, 1, 7, 10}},
    {"/**", 10, {0, 1, 2, 3, 5, 6, 7, 8, 10, 11}},
    {"/*/{x}", 6, {0, 1, 2, 6, 7, 10}},
    {"/?", 2, {3, 8}},
    {"**", 2, {4, 9}},
    {"/topic/**", 5, {0, 1, 5, 7, 10}},
    {"/{q:qu.*}/c", 1, {2}},
};

struct model_subscription {
    size_t id;
    bool is_pattern;
    size_t name;   /* index of its destination or pattern */
    size_t window; /* 0: needs no acknowledgement */
    bool is_cumulative;
    uint64_t waiting[MAX_WINDOW]; /* ids' numbers, oldest first */
    size_t n_waiting;
};

struct client {
    struct receiver *receiver;
    enum wire wire;
    struct model_subscription subscriptions[MAX_SUBSCRIPTIONS];
    size_t n_subscriptions;
    struct expected expected;
    bool has_news; /* must be dirty at the end of the tick */
    bool is_window_full;
};

/* What clients there are at most, and of what kind. */
struct plan {
    size_t n_clients, n_destinations, n_ids;
    bool is_plain; /* hardly anything but one subscription of each client, and publishes */
};

struct model {
    struct harness *h;
    struct rng rng;
    bool is_plain;
    size_t n_clients, n_destinations, n_ids;
    uint32_t longest_run; /* of messages that waited together */
    struct client clients[MAX_CLIENTS];
    uint64_t number;
    uint64_t n_delivered, n_tick_deliveries;
    struct pattern *others[N_PATTERNS]; /* NULL: the other worker does not have it */
    unsigned n_mailed;
    struct receiver *dead[64]; /* freed at the end of the tick */
    size_t n_dead;
    char *body;
};

static size_t below(struct model *m, size_t n)
{
    return rng_below(&m->rng, n);
}

/* Some more often than others, so that there are large groups and rare destinations. */
static size_t any_destination(struct model *m)
{
    return below(m, 1 + below(m, m->n_destinations));
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
    expected_add(&c->expected, number, bytes);
    c->has_news = true;
}

static bool pattern_matches(size_t pattern, size_t destination)
{
    for (size_t i = 0; i < patterns[pattern].n_matches; i++) {
        if (patterns[pattern].matches[i] == destination)
            return true;
    }
    return false;
}

static bool is_for(const struct model_subscription *s, size_t destination)
{
    return s->is_pattern ? pattern_matches(s->name, destination) : s->name == destination;
}

static const char *name_of(const struct model_subscription *s)
{
    return s->is_pattern ? patterns[s->name].text : destinations[s->name];
}

/* Returns false when the window has no room. `id` is the number of the message's id. */
static bool expect_message(struct client *c, uint64_t number, const struct msg *msg, uint64_t id,
                           struct model_subscription *s)
{
    struct buf bytes;
    char text[64], ack[80] = "";

    if (s->window != 0 && s->n_waiting == s->window) {
        c->is_window_full = true;
        c->has_news = true;
        return false;
    }
    if (s->window != 0) {
        s->waiting[s->n_waiting++] = id;
        (void)snprintf(ack, sizeof(ack), "ack:%.*s\n", SLICE_FMT(msg->id));
    }
    buf_init(&bytes, SIZE_MAX);
    harness_expect_lines(&bytes, c->wire, msg, id_text(s->id, text), slice_str(ack));
    expect(c, number, &bytes);
    return true;
}

static void write_bytes(struct model *m, struct client *c, size_t n)
{
    expected_write(&c->expected, c->receiver, n);
    if (!outq_is_empty(&c->receiver->outq) && rng_one_in(&m->rng, 2))
        outq_unpin(&c->receiver->outq, &m->h->pool);
}

/* Everything that was published so far is in the queue now. */
static void assert_caught_up(const struct client *c)
{
    assert_int_equal(c->receiver->outq.bytes + c->expected.got.len, c->expected.bytes);
}

/* --- what clients and publishers do --- */

static void open_client(struct model *m, struct client *c)
{
    c->receiver = mem_calloc(1, sizeof(*c->receiver));
    c->wire = rng_one_in(&m->rng, 4) ? WIRE_WEBSOCKET_RAW : WIRE_WEBSOCKET;
    receiver_init(c->receiver, &m->h->router, c->wire);
    expected_init(&c->expected);
}

static void close_client(struct model *m, struct client *c)
{
    receiver_leave(c->receiver, &m->h->router);
    assert_true(outq_is_empty(&c->receiver->outq));
    assert_int_equal(c->receiver->subscriptions.n, 0);
    m->dead[m->n_dead++] = c->receiver;
    expected_dispose(&c->expected);
    *c = (struct client){.receiver = NULL};
}

static size_t find_subscription(const struct client *c, size_t id)
{
    size_t i = 0;

    while (i < c->n_subscriptions && c->subscriptions[i].id != id)
        i++;
    return i;
}

static bool has_one_for(const struct client *c, size_t destination)
{
    for (size_t i = 0; i < c->n_subscriptions; i++) {
        if (is_for(&c->subscriptions[i], destination))
            return true;
    }
    return false;
}

static void subscribe(struct model *m, struct client *c)
{
    bool is_plain = m->is_plain && !rng_one_in(&m->rng, 100);
    struct model_subscription s = {.id = below(m, m->n_ids),
                                   .is_pattern = !is_plain && rng_one_in(&m->rng, 3)};
    struct router_subscribe asked = {.kind = DESTINATION_EXACT};
    bool is_new = find_subscription(c, s.id) == c->n_subscriptions;
    char text[64];

    s.name = s.is_pattern ? below(m, N_PATTERNS) : any_destination(m);
    if (is_plain && has_one_for(c, s.name))
        return;
    if (!is_plain && rng_one_in(&m->rng, 4)) {
        s.window = 1 + below(m, MAX_WINDOW);
        s.is_cumulative = rng_one_in(&m->rng, 2);
    }
    asked.id = slice_str(id_text(s.id, text));
    asked.destination = slice_str(name_of(&s));
    if (s.is_pattern)
        asked.kind = DESTINATION_PATTERN;
    asked.needs_ack = s.window != 0;
    asked.is_cumulative = s.is_cumulative;
    asked.ack_window = (uint32_t)s.window;
    assert_int_equal(router_subscribe_as(&m->h->router, c->receiver, &asked, NULL, NULL),
                     is_new ? ROUTER_OK : ROUTER_ERR_ID);
    if (is_new)
        c->subscriptions[c->n_subscriptions++] = s;
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
    assert_true(slice_eq(subscription_destination(s), slice_str(name_of(&c->subscriptions[i]))));
    router_unsubscribe(&m->h->router, s);
    assert_caught_up(c);
    c->subscriptions[i] = c->subscriptions[--c->n_subscriptions];
}

struct taking {
    const struct model_subscription *s;
    size_t n;
};

static void check_taken(void *ctx, const struct ack_entry *entry)
{
    struct taking *taking = ctx;

    assert_true(taking->n < taking->s->n_waiting);
    assert_int_equal(entry->number, taking->s->waiting[taking->n]);
    taking->n++;
}

/* Acknowledges something that waits, or something that does not. */
static void acknowledge(struct model *m, struct client *c)
{
    struct model_subscription *s;
    struct ack_entry entry;
    struct acks *acks;
    size_t k;
    char text[64];
    struct taking taking = {.n = 0};

    if (c->n_subscriptions == 0)
        return;
    s = &c->subscriptions[below(m, c->n_subscriptions)];
    if (s->window == 0)
        return;
    acks = &group_more(
                receiver_find(c->receiver, &m->h->router, slice_str(id_text(s->id, text)))->group)
                ->acks;
    assert_int_equal(acks_count(acks), s->n_waiting);
    assert_false(acks_take_one(acks, HARNESS_WORKER, UINT64_MAX, &entry));
    if (s->n_waiting == 0)
        return;
    k = below(m, s->n_waiting);
    taking.s = s;
    if (s->is_cumulative) {
        assert_int_equal(
            acks_take_through(acks, HARNESS_WORKER, s->waiting[k], check_taken, &taking), k + 1);
        s->n_waiting -= k + 1;
        memmove(s->waiting, s->waiting + k + 1, s->n_waiting * sizeof(s->waiting[0]));
    } else {
        assert_true(acks_take_one(acks, HARNESS_WORKER, s->waiting[k], &entry));
        s->n_waiting--;
        memmove(s->waiting + k, s->waiting + k + 1, (s->n_waiting - k) * sizeof(s->waiting[0]));
    }
}

/* The other worker's first subscribers of a pattern come, or its last go. */
static void change_other(struct model *m)
{
    size_t i = below(m, N_PATTERNS);
    const char *why;

    if (m->others[i] == NULL) {
        assert_int_equal(patterns_acquire(&m->h->patterns, slice_str(patterns[i].text),
                                          OTHER_WORKER, m, &m->others[i], &why),
                         PATTERNS_OK);
        patterns_count(m->others[i], OTHER_COUNT);
    } else {
        patterns_count(m->others[i], -OTHER_COUNT);
        patterns_release(&m->h->patterns, m->others[i], OTHER_WORKER);
        m->others[i] = NULL;
    }
}

/* What the other worker has for a destination. */
static uint64_t count_others(const struct model *m, size_t destination)
{
    uint64_t n = 0;

    for (size_t i = 0; i < N_PATTERNS; i++)
        n += m->others[i] != NULL && pattern_matches(i, destination) ? OTHER_COUNT : 0;
    return n;
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

/* Every subscription of the client's that the message is for; returns how many there are. */
static uint64_t expect_all(struct model *m, struct client *c, size_t destination,
                           const struct msg *msg, bool is_excepted, uint64_t *n_delivered)
{
    uint64_t n = 0;

    for (size_t k = 0; k < c->n_subscriptions; k++) {
        if (!is_for(&c->subscriptions[k], destination))
            continue;
        n++;
        *n_delivered += !is_excepted && expect_message(c, m->number, msg, m->h->router.next_id - 1,
                                                       &c->subscriptions[k]);
    }
    return n;
}

static void publish(struct model *m)
{
    size_t destination = any_destination(m);
    struct msg *msg = random_message(m, destination);
    const struct client *except =
        rng_one_in(&m->rng, 5) ? &m->clients[below(m, m->n_clients)] : NULL;
    const struct receiver *except_receiver = except == NULL ? NULL : except->receiver;
    uint64_t n = 0, n_delivered = 0, n_others = count_others(m, destination);

    for (size_t i = 0; i < m->n_clients; i++)
        n +=
            expect_all(m, &m->clients[i], destination, msg, &m->clients[i] == except, &n_delivered);
    m->number++;
    m->n_delivered += n_delivered;
    m->n_tick_deliveries += n_delivered;
    if (rng_one_in(&m->rng, 4)) {
        router_deliver(&m->h->router, msg, except_receiver);
    } else {
        assert_int_equal(router_publish(&m->h->router, msg, except_receiver), n + n_others);
        m->n_mailed += n_others != 0;
    }
    assert_int_equal(m->h->n_mailed[OTHER_WORKER], m->n_mailed);
    if (m->h->router.run.n > m->longest_run)
        m->longest_run = m->h->router.run.n;
    msg_unref(msg);
}

static void echo(struct model *m, struct client *c)
{
    size_t destination = any_destination(m);
    struct msg *msg = random_message(m, destination);
    uint64_t n = 0;

    (void)expect_all(m, c, destination, msg, false, &n);
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
    bool is_within_frame = c->expected.got.len != 0;
    size_t written, n_before;
    struct slice head;

    receiver_end_subscriptions(c->receiver, &m->h->router);
    assert_caught_up(c);
    head = outq_head(&c->receiver->outq, &written);
    outq_truncate(&c->receiver->outq, wire_frame_end(c->wire, head, written) - written);
    n_before = expected_count(&c->expected);
    expected_write(&c->expected, c->receiver, c->receiver->outq.bytes);
    assert_int_equal(c->expected.got.len, 0);
    assert_int_equal(n_before - expected_count(&c->expected), is_within_frame);
    expected_drop(&c->expected);
    reply(m, c);
    write_bytes(m, c, c->receiver->outq.bytes);
    assert_int_equal(expected_count(&c->expected), 0);
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
        assert_int_equal(receiver->is_window_full, c->is_window_full);
        receiver->is_window_full = c->is_window_full = false;
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

static void check_counts(struct model *m, bool is_whole)
{
    size_t n = 0;

    for (size_t i = 0; i < m->n_clients; i++) {
        n += m->clients[i].n_subscriptions;
        assert_int_equal(m->clients[i].receiver->subscriptions.n, m->clients[i].n_subscriptions);
    }
    assert_int_equal(harness_metric(m->h, METRIC_SUBSCRIPTIONS), n);
    assert_int_equal(harness_metric(m->h, METRIC_DELIVERED), m->n_delivered);
    for (size_t i = 0; i < m->n_destinations; i++) {
        size_t n_exact = 0, n_all = 0;
        uint64_t counted;

        for (size_t k = 0; k < m->n_clients; k++) {
            for (size_t j = 0; j < m->clients[k].n_subscriptions; j++) {
                const struct model_subscription *s = &m->clients[k].subscriptions[j];

                n_exact += !s->is_pattern && s->name == i;
                n_all += is_for(s, i);
            }
        }
        (void)interest_find(&m->h->interest, slice_str(destinations[i]), &counted);
        assert_int_equal(counted, n_exact);
        if (is_whole) /* now and then only: the cache has to see gaps, too */
            assert_int_equal(router_count(&m->h->router, slice_str(destinations[i])),
                             n_all + count_others(m, i));
    }
}

static void step(struct model *m, size_t tick_steps)
{
    struct client *c = &m->clients[below(m, m->n_clients)];
    size_t what = below(m, 100);

    if (rng_one_in(&m->rng, tick_steps)) {
        end_tick(m);
    } else if (m->is_plain && !rng_one_in(&m->rng, 3)) {
        publish(m);
    } else if (what < 20) {
        subscribe(m, c);
    } else if (what < 32) {
        unsubscribe(m, c);
    } else if (what < 75) {
        publish(m);
    } else if (what < 77) {
        echo(m, c);
    } else if (what < 82) {
        acknowledge(m, c);
    } else if (what < 83) {
        change_other(m);
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

/* Returns how many messages waited together at most. */
static uint32_t run(uint64_t seed, size_t n_steps, struct plan plan)
{
    struct model *m = mem_calloc(1, sizeof(*m));
    size_t tick_steps;
    uint32_t longest_run;

    m->h = harness_new();
    m->rng = (struct rng){seed};
    m->body = mem_alloc(200000);
    m->is_plain = plan.is_plain;
    m->n_clients = 1 + below(m, plan.n_clients);
    m->n_destinations = 1 + below(m, plan.n_destinations);
    m->n_ids = 1 + below(m, plan.n_ids);
    tick_steps = 2 + below(m, 120);
    for (size_t i = 0; i < m->n_clients; i++)
        open_client(m, &m->clients[i]);
    for (size_t i = 0; i < n_steps; i++) {
        step(m, tick_steps);
        if (i % 16 == 0)
            check_counts(m, rng_one_in(&m->rng, 4));
    }
    end_tick(m);
    for (size_t i = 0; i < m->n_clients; i++) {
        struct client *c = &m->clients[i];

        write_bytes(m, c, c->receiver->outq.bytes);
        assert_int_equal(expected_count(&c->expected), 0);
        assert_int_equal(c->expected.got.len, 0);
        close_client(m, c);
    }
    m->n_clients = 0;
    for (size_t i = 0; i < N_PATTERNS; i++) {
        if (m->others[i] != NULL)
            patterns_release(&m->h->patterns, m->others[i], OTHER_WORKER);
    }
    end_tick(m);
    harness_free(m->h);
    longest_run = m->longest_run;
    mem_free(m->body);
    mem_free(m);
    return longest_run;
}

static void clients_of_one_kind_get_what_the_model_says(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++)
        (void)run(seed, 1500,
                  (struct plan){16, N_DESTINATIONS, 3, false}); /* few ids, large groups: the log */
}

static void clients_with_many_subscriptions_get_what_the_model_says(void **state)
{
    (void)state;
    for (uint64_t seed = 1000; seed < 1020; seed++)
        (void)run(seed, 1500, (struct plan){16, N_DESTINATIONS, N_IDS, false});
    /* small groups, long lists: copies, both ways to catch up */
}

static void clients_with_ids_of_their_own_get_what_the_model_says(void **state)
{
    uint32_t longest = 0;

    (void)state;
    for (uint64_t seed = 2000; seed < 2040; seed++) {
        uint32_t n = run(seed, 1500, (struct plan){MAX_CLIENTS, 2, N_IDS, true});

        longest = n > longest ? n : longest;
    }
    assert_in_range(longest, 10, RUN_MAX); /* many groups: messages wait for each other */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_of_one_kind_get_what_the_model_says),
        cmocka_unit_test(clients_with_many_subscriptions_get_what_the_model_says),
        cmocka_unit_test(clients_with_ids_of_their_own_get_what_the_model_says),
    };

    return cmocka_run_group_tests_name("gateway/router/router_model", tests, NULL, NULL);
}
