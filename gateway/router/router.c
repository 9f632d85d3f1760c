#include "gateway/router/router.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"

enum {
    LOG_CHUNK_BYTES = 65536,
    LOG_FIRST_BYTES = 4000,
    FEW_MEMBERS = 2,      /* copied to at once: a log entry would cost more */
    FEW_MAX_BYTES = 4096, /* but not a large message */
};

struct destination {
    struct table_node node; /* its key stands behind the struct */
    struct interest_entry *interest;
    struct group *groups;
    size_t n_groups;
};

struct group {
    struct table_node node; /* key: the destination's address, the wire form, the id */
    struct destination *destination;
    struct group *next;
    struct group **prev_next;
    struct subscription **members; /* &single while there is room for one only */
    struct subscription *single;
    uint32_t n_members;
    uint32_t n_cap;
    uint32_t last_segment; /* index + 1 in the log; 0: none */
    enum wire wire;
    struct slice id; /* end of the key */
};

void router_init(struct router *router, unsigned worker, struct interest *interest,
                 struct chunk_pool *pool, struct metrics *metrics, struct siphash_key hash_key,
                 uint64_t start_id, struct router_hooks hooks)
{
    *router = (struct router){
        .worker = worker,
        .interest = interest,
        .pool = pool,
        .metrics = metrics,
        .hooks = hooks,
    };
    table_init(&router->destinations, hash_key);
    table_init(&router->groups, hash_key);
    TAILQ_INIT(&router->dirty);
    router->id_prefix_len = (uint32_t)snprintf(router->id_prefix, sizeof(router->id_prefix),
                                               "%016llx-%u-", (unsigned long long)start_id, worker);
}

void router_dispose(struct router *router)
{
    assert(router->groups.n_nodes == 0 && router->destinations.n_nodes == 0);
    assert(router->n_log == 0);
    table_dispose(&router->destinations);
    table_dispose(&router->groups);
    mem_free(router->log);
    mem_free(router->gather);
}

struct slice router_next_id(struct router *router, char *out)
{
    char digits[24];
    size_t n = 0, len = router->id_prefix_len;
    uint64_t number = router->next_id++;

    memcpy(out, router->id_prefix, len);
    do {
        digits[n++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    while (n != 0)
        out[len++] = digits[--n];
    return slice_of(out, len);
}

/* --- receivers and their subscriptions --- */

void receiver_init(struct receiver *receiver, struct router *router, enum wire wire)
{
    *receiver = (struct receiver){.wire = wire, .caught_up = router->log_end};
    outq_init(&receiver->outq);
}

static uint32_t hash_id(const struct router *router, struct slice id)
{
    return (uint32_t)siphash(&router->groups.hash_key, id);
}

struct subscription *receiver_find(const struct receiver *receiver, const struct router *router,
                                   struct slice id)
{
    if (receiver->subscriptions.n == 0)
        return NULL;
    return subscriptions_find(&receiver->subscriptions, id, hash_id(router, id));
}

struct slice subscription_destination(const struct subscription *subscription)
{
    return subscription->group->destination->node.key;
}

/* --- destinations and groups --- */

static struct destination *find_destination(const struct router *router, struct slice name)
{
    return TABLE_ENTRY(table_find(&router->destinations, name), struct destination, node);
}

static struct destination *add_destination(struct router *router, struct slice name)
{
    struct destination *d = mem_calloc(1, sizeof(*d) + name.len);
    char *key = (char *)(d + 1);

    if (name.len != 0)
        memcpy(key, name.base, name.len);
    d->node.key = slice_of(key, name.len);
    d->interest = interest_acquire(router->interest, name, router->worker);
    table_insert(&router->destinations, &d->node);
    return d;
}

static void drop_destination(struct router *router, struct destination *d)
{
    table_remove(&router->destinations, &d->node);
    interest_release(router->interest, d->interest, router->worker);
    mem_free(d);
}

enum { KEY_HEAD = sizeof(struct destination *) + 1 };

static size_t write_key(char *out, const struct destination *d, enum wire wire, struct slice id)
{
    memcpy(out, &d, sizeof(d));
    out[sizeof(d)] = (char)wire;
    if (id.len != 0)
        memcpy(out + KEY_HEAD, id.base, id.len);
    return KEY_HEAD + id.len;
}

static struct group *find_or_add_group(struct router *router, struct destination *d, enum wire wire,
                                       struct slice id)
{
    struct group *g = mem_calloc(1, sizeof(*g) + KEY_HEAD + id.len);
    char *key = (char *)(g + 1);
    struct group *found;

    /* The key is written where a new group would keep it: no second buffer for a long id. */
    g->node.key = slice_of(key, write_key(key, d, wire, id));
    found = TABLE_ENTRY(table_find(&router->groups, g->node.key), struct group, node);
    if (found != NULL) {
        mem_free(g);
        return found;
    }
    g->destination = d;
    g->wire = wire;
    g->id = slice_of(key + KEY_HEAD, id.len);
    g->members = &g->single;
    g->n_cap = 1;
    g->next = d->groups;
    if (g->next != NULL)
        g->next->prev_next = &g->next;
    g->prev_next = &d->groups;
    d->groups = g;
    d->n_groups++;
    table_insert(&router->groups, &g->node);
    return g;
}

/* A group that the log still names stays until the log has been walked. */
static void drop_group_when_unused(struct router *router, struct group *g)
{
    struct destination *d = g->destination;

    if (g->n_members != 0 || g->last_segment != 0)
        return;
    table_remove(&router->groups, &g->node);
    *g->prev_next = g->next;
    if (g->next != NULL)
        g->next->prev_next = g->prev_next;
    if (g->members != &g->single)
        mem_free(g->members);
    mem_free(g);
    if (--d->n_groups == 0)
        drop_destination(router, d);
}

static void group_add(struct group *g, struct subscription *s)
{
    if (g->n_members == g->n_cap) {
        uint32_t n_cap = g->n_cap < 4 ? 4 : g->n_cap * 2;
        struct subscription **members =
            mem_realloc(g->members == &g->single ? NULL : g->members, n_cap * sizeof(*members));

        if (g->members == &g->single)
            members[0] = g->single;
        g->members = members;
        g->n_cap = n_cap;
    }
    s->index = g->n_members;
    g->members[g->n_members++] = s;
}

static void group_remove(struct group *g, const struct subscription *s)
{
    struct subscription *last = g->members[--g->n_members];

    g->members[s->index] = last;
    last->index = s->index;
}

bool router_subscribe(struct router *router, struct receiver *receiver, struct slice id,
                      struct slice destination)
{
    struct destination *d;
    struct subscription *s;

    if (receiver_find(receiver, router, id) != NULL)
        return false;
    router_catch_up(router, receiver);
    d = find_destination(router, destination);
    if (d == NULL)
        d = add_destination(router, destination);
    s = mem_alloc(sizeof(*s));
    s->receiver = receiver;
    s->id_hash = hash_id(router, id);
    s->group = find_or_add_group(router, d, receiver->wire, id);
    group_add(s->group, s);
    s->id = &s->group->id;
    subscriptions_add(&receiver->subscriptions, s);
    interest_count(d->interest, 1);
    metrics_add(router->metrics, METRIC_SUBSCRIPTIONS, 1);
    return true;
}

static void end_subscription(struct router *router, struct subscription *s)
{
    struct group *g = s->group;

    subscriptions_remove(&s->receiver->subscriptions, s);
    group_remove(g, s);
    interest_count(g->destination->interest, -1);
    metrics_sub(router->metrics, METRIC_SUBSCRIPTIONS, 1);
    mem_free(s);
    drop_group_when_unused(router, g);
}

void router_unsubscribe(struct router *router, struct subscription *subscription)
{
    router_catch_up(router, subscription->receiver);
    end_subscription(router, subscription);
}

static void end_visited(struct subscription *s, void *ctx)
{
    end_subscription(ctx, s);
}

void receiver_end_subscriptions(struct receiver *receiver, struct router *router)
{
    router_catch_up(router, receiver);
    subscriptions_each(&receiver->subscriptions, end_visited, router);
}

void receiver_leave(struct receiver *receiver, struct router *router)
{
    receiver->is_closed = true;
    subscriptions_each(&receiver->subscriptions, end_visited, router);
    subscriptions_dispose(&receiver->subscriptions);
    outq_dispose(&receiver->outq);
    if (receiver->is_dirty) {
        TAILQ_REMOVE(&router->dirty, receiver, dirty_link);
        receiver->is_dirty = false;
    }
}

/* --- the tick log --- */

static struct log_segment *last_segment(struct router *router)
{
    return router->n_log == 0 ? NULL : &router->log[router->n_log - 1];
}

static struct log_segment *add_segment(struct router *router, struct group *g, size_t len,
                                       const struct receiver *except)
{
    struct log_segment *segment, *last = last_segment(router);
    struct chunk *chunk = last == NULL ? NULL : last->chunk;

    if (chunk != NULL && chunk->cap - chunk->len >= len) {
        chunk_ref(chunk);
    } else {
        /* The second chunk of a tick means that much is coming. */
        size_t size = chunk == NULL ? LOG_FIRST_BYTES : LOG_CHUNK_BYTES;

        chunk = chunk_new(router->pool, size < len ? len : size);
    }
    if (router->n_log == router->log_cap) {
        router->log_cap = router->log_cap == 0 ? 64 : router->log_cap * 2;
        router->log = mem_realloc(router->log, router->log_cap * sizeof(*router->log));
    }
    segment = &router->log[router->n_log++];
    *segment = (struct log_segment){
        .group = g,
        .chunk = chunk,
        .begin = router->log_end,
        .offset = chunk->len,
        .previous = g->last_segment,
        .except = except,
    };
    g->last_segment = router->n_log;
    return segment;
}

/* Appends to the last segment when that is the same group's and has room, else to a new one. */
static void log_message(struct router *router, struct group *g, const struct msg *msg, size_t len,
                        const struct receiver *except)
{
    struct log_segment *segment = last_segment(router);

    if (segment == NULL || segment->group != g || segment->except != except ||
        segment->chunk->cap - segment->chunk->len < len)
        segment = add_segment(router, g, len, except);
    wire_write_message(g->wire, msg, g->id, segment->chunk->data + segment->chunk->len);
    segment->len += (uint32_t)len;
    segment->chunk->len += (uint32_t)len;
    router->log_end += len;
}

static void copy_message(struct router *router, struct receiver *receiver, struct group *g,
                         const struct msg *msg, size_t len)
{
    router_catch_up(router, receiver);
    wire_write_message(g->wire, msg, g->id, outq_push_space(&receiver->outq, router->pool, len));
    router_mark_dirty(router, receiver);
}

static bool is_member(const struct router *router, const struct group *g,
                      const struct receiver *receiver)
{
    const struct subscription *s = receiver_find(receiver, router, g->id);

    return s != NULL && s->group == g;
}

static uint64_t deliver_to_group(struct router *router, struct group *g, const struct msg *msg,
                                 const struct receiver *except)
{
    uint64_t n = g->n_members;
    size_t len;

    if (except != NULL && is_member(router, g, except))
        n--;
    if (n == 0)
        return 0;
    len = wire_message_len(g->wire, msg, g->id);
    if (g->n_members > FEW_MEMBERS || len > FEW_MAX_BYTES) {
        log_message(router, g, msg, len, except);
    } else {
        for (uint32_t i = 0; i < g->n_members; i++) {
            if (g->members[i]->receiver != except)
                copy_message(router, g->members[i]->receiver, g, msg, len);
        }
    }
    return n;
}

void router_deliver(struct router *router, struct msg *msg, const struct receiver *except)
{
    struct destination *d = find_destination(router, msg->destination);
    uint64_t n = 0;

    if (d == NULL)
        return;
    for (struct group *g = d->groups; g != NULL; g = g->next)
        n += deliver_to_group(router, g, msg, except);
    router->tick_deliveries += n;
    metrics_add(router->metrics, METRIC_DELIVERED, n);
    router->hooks.wake(router->hooks.ctx);
}

uint64_t router_publish(struct router *router, struct msg *msg, const struct receiver *except)
{
    struct destination *d = find_destination(router, msg->destination);
    uint64_t workers, n;

    if (d != NULL) {
        workers = atomic_load(&d->interest->workers);
        n = atomic_load_explicit(&d->interest->subscriptions, memory_order_relaxed);
        router_deliver(router, msg, except);
    } else {
        workers = interest_find(router->interest, msg->destination, &n);
    }
    workers &= ~(UINT64_C(1) << router->worker);
    while (workers != 0) {
        unsigned peer = (unsigned)__builtin_ctzll(workers);

        workers &= workers - 1;
        router->hooks.mail(router->hooks.ctx, peer, msg);
        metrics_add(router->metrics, METRIC_MAILED, 1);
    }
    return n;
}

struct echo {
    struct router *router;
    const struct msg *msg;
    uint64_t n;
};

static void echo_visited(struct subscription *s, void *ctx)
{
    struct echo *echo = ctx;

    if (!slice_eq(s->group->destination->node.key, echo->msg->destination))
        return;
    copy_message(echo->router, s->receiver, s->group, echo->msg,
                 wire_message_len(s->group->wire, echo->msg, s->group->id));
    echo->n++;
}

uint64_t router_echo(struct router *router, const struct msg *msg, struct receiver *receiver)
{
    struct echo echo = {router, msg, 0};

    subscriptions_each(&receiver->subscriptions, echo_visited, &echo);
    router->tick_deliveries += echo.n;
    metrics_add(router->metrics, METRIC_DELIVERED, echo.n);
    return echo.n;
}

/* Gives the part of a segment that the receiver does not have yet. */
static void take_segment(struct router *router, struct receiver *receiver,
                         const struct log_segment *segment)
{
    uint32_t skip = 0;

    if (segment->except == receiver)
        return;
    if (receiver->caught_up > segment->begin) {
        if (receiver->caught_up - segment->begin >= segment->len)
            return;
        skip = (uint32_t)(receiver->caught_up - segment->begin);
    }
    outq_push_ref(&receiver->outq, router->pool, segment->chunk, segment->offset + skip,
                  segment->len - skip);
}

struct gathering {
    struct router *router;
    uint32_t n;
};

/* The segments of one subscription, newest first, back to where the receiver has caught up. */
static void gather_visited(struct subscription *s, void *ctx)
{
    struct gathering *gathering = ctx;
    struct router *router = gathering->router;

    for (uint32_t i = s->group->last_segment; i != 0; i = router->log[i - 1].previous) {
        const struct log_segment *segment = &router->log[i - 1];

        if (segment->begin + segment->len <= s->receiver->caught_up)
            return;
        if (gathering->n == router->gather_cap) {
            router->gather_cap = router->gather_cap == 0 ? 64 : router->gather_cap * 2;
            router->gather =
                mem_realloc(router->gather, router->gather_cap * sizeof(*router->gather));
        }
        router->gather[gathering->n++] = i - 1;
    }
}

static int by_index(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* The first segment that ends behind the position. */
static uint32_t segment_after(const struct router *router, uint64_t position)
{
    uint32_t low = 0, high = router->n_log;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (router->log[middle].begin + router->log[middle].len <= position)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void router_catch_up(struct router *router, struct receiver *receiver)
{
    uint32_t first;

    if (receiver->caught_up == router->log_end || receiver->is_closed)
        return;
    if (receiver->caught_up < router->log_begin)
        receiver->caught_up = router->log_begin;
    first = segment_after(router, receiver->caught_up);
    if (receiver->subscriptions.n <= router->n_log - first) {
        struct gathering gathering = {router, 0};

        subscriptions_each(&receiver->subscriptions, gather_visited, &gathering);
        if (gathering.n > 1)
            qsort(router->gather, gathering.n, sizeof(*router->gather), by_index);
        for (uint32_t i = 0; i < gathering.n; i++)
            take_segment(router, receiver, &router->log[router->gather[i]]);
    } else {
        for (uint32_t i = first; i < router->n_log; i++) {
            const struct log_segment *segment = &router->log[i];

            if (is_member(router, segment->group, receiver))
                take_segment(router, receiver, segment);
        }
    }
    receiver->caught_up = router->log_end;
    if (!outq_is_empty(&receiver->outq))
        router_mark_dirty(router, receiver);
}

void router_distribute(struct router *router)
{
    for (uint32_t i = 0; i < router->n_log; i++) {
        struct log_segment *segment = &router->log[i];
        struct group *g = segment->group;

        for (uint32_t k = 0; k < g->n_members; k++) {
            struct receiver *receiver = g->members[k]->receiver;

            take_segment(router, receiver, segment);
            router_mark_dirty(router, receiver);
        }
        chunk_unref(segment->chunk);
        segment->chunk = NULL;
    }
    /* Only now, and at its last segment: a group may stand in several. */
    for (uint32_t i = 0; i < router->n_log; i++) {
        struct group *g = router->log[i].group;

        if (g->last_segment == i + 1) {
            g->last_segment = 0;
            drop_group_when_unused(router, g);
        }
    }
    router->n_log = 0;
    router->log_begin = router->log_end;
    router->tick_deliveries = 0;
}

/* --- queues --- */

void router_mark_dirty(struct router *router, struct receiver *receiver)
{
    if (receiver->is_dirty || receiver->is_closed)
        return;
    receiver->is_dirty = true;
    TAILQ_INSERT_TAIL(&router->dirty, receiver, dirty_link);
    router->hooks.wake(router->hooks.ctx);
}

struct receiver *router_take_dirty(struct router *router)
{
    struct receiver *receiver = TAILQ_FIRST(&router->dirty);

    if (receiver == NULL)
        return NULL;
    TAILQ_REMOVE(&router->dirty, receiver, dirty_link);
    receiver->is_dirty = false;
    return receiver;
}

char *router_queue_bytes(struct router *router, struct receiver *receiver, size_t len)
{
    router_catch_up(router, receiver);
    router_mark_dirty(router, receiver);
    return outq_push_space(&receiver->outq, router->pool, len);
}

char *router_queue_frame(struct router *router, struct receiver *receiver, bool is_binary,
                         size_t len)
{
    char *out = router_queue_bytes(router, receiver, wire_framed_len(receiver->wire, len));

    return wire_write_head(receiver->wire, is_binary, len, out);
}
