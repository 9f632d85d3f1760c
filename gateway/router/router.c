#include "gateway/router/router.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/decimal.h"
#include "base/mem.h"
#include "gateway/router/lagging.h"

enum {
    LOG_CHUNK_BYTES = 65536,
    LOG_FIRST_BYTES = 4000,
    FEW_MEMBERS = 2,      /* copied to at once: a log entry would cost more */
    FEW_MAX_BYTES = 4096, /* but not a large message */
    RUN_MIN_GROUPS = 16,  /* fewer are served at once */
    LOOKED_AT_MAX = 64,   /* subscriptions of one receiver, to see whether it is in a run */
};

void router_init(struct router *router, unsigned worker, struct interest *interest,
                 struct patterns *patterns, size_t cache_limit, struct chunk_pool *pool,
                 struct metrics *metrics, struct siphash_key hash_key, uint64_t start_id,
                 struct router_hooks hooks)
{
    *router = (struct router){
        .worker = worker,
        .interest = interest,
        .pool = pool,
        .metrics = metrics,
        .hooks = hooks,
    };
    destinations_init(&router->destinations, worker, interest, patterns, cache_limit, hash_key);
    groups_init(&router->groups, hash_key);
    lag_store_init(&router->lag_store, pool, metrics, hash_key);
    packer_init(&router->packer, metrics);
    buf_init(&router->lines, SIZE_MAX);
    TAILQ_INIT(&router->dirty);
    router->id_prefix_len = (uint32_t)snprintf(router->id_prefix, sizeof(router->id_prefix),
                                               "%016llx-%u-", (unsigned long long)start_id, worker);
}

void router_on_ended(struct router *router,
                     void (*on_ended)(void *ctx, struct subscription *subscription), void *ctx)
{
    router->on_ended = on_ended;
    router->on_ended_ctx = ctx;
}

void router_set_compression(struct router *router, int level, uint64_t min_bytes)
{
    packer_set(&router->packer, level, min_bytes);
}

void router_dispose(struct router *router)
{
    assert(router->n_log == 0 && router->run.n == 0);
    destinations_dispose(&router->destinations);
    groups_dispose(&router->groups);
    packer_dispose(&router->packer);
    buf_dispose(&router->lines);
    mem_free(router->log);
    mem_free(router->gather);
}

struct slice router_next_id(struct router *router, char *out)
{
    memcpy(out, router->id_prefix, router->id_prefix_len);
    return slice_of(out,
                    (size_t)(decimal_write(router->next_id++, out + router->id_prefix_len) - out));
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

static bool is_pattern_kind(enum destination_kind kind)
{
    return kind == DESTINATION_PATTERN || kind == DESTINATION_BOUND_PATTERN;
}

struct slice subscription_destination(const struct subscription *subscription)
{
    return subscription->group->destination->node.key;
}

/* --- destinations and groups --- */

/* A group that the log still names stays until the log has been walked. */
static void drop_group_when_unused(struct router *router, struct group *g)
{
    struct destination *d = g->destination;

    if (g->n_members != 0 || g->last_segment != 0)
        return;
    *g->prev_next = g->next;
    if (g->next != NULL)
        g->next->prev_next = g->prev_next;
    if (g->kind != GROUP_PLAIN)
        d->n_not_plain--;
    groups_remove(&router->groups, g);
    if (--d->n_groups == 0)
        destinations_drop(&router->destinations, d);
}

static void link_group(struct destination *d, struct group *g)
{
    g->next = d->groups;
    if (g->next != NULL)
        g->next->prev_next = &g->next;
    g->prev_next = &d->groups;
    d->groups = g;
    d->n_groups++;
    if (g->kind != GROUP_PLAIN)
        d->n_not_plain++;
}

static void settle(struct router *router);

/* Whether the receiver has a subscription of the destination; of many, perhaps. */
static bool may_have(const struct receiver *receiver, const struct destination *d)
{
    return receiver->subscriptions.n > LOOKED_AT_MAX ||
           subscriptions_have(&receiver->subscriptions, d);
}

/* Before anything about the destination's subscriptions changes. */
static void settle_destination(struct router *router, const struct destination *d)
{
    if (router->run.n != 0 && router->run.destination == d)
        settle(router);
}

enum router_status router_subscribe_as(struct router *router, struct receiver *receiver,
                                       const struct router_subscribe *asked,
                                       struct subscription **out, const char **why)
{
    struct group_spec spec = {
        .id = asked->id,
        .wire = receiver->wire,
        .selector = asked->selector,
        .is_alone = asked->needs_ack || asked->kind == DESTINATION_QUEUE,
        .needs_ack = asked->needs_ack,
        .is_cumulative = asked->is_cumulative,
        .ack_window = asked->ack_window,
    };
    struct subscription *s;
    struct group *g;
    uint64_t id_hash = siphash(&router->groups.hash_key, asked->id);
    bool is_new, is_further, has_ring;

    if (subscriptions_find(&receiver->subscriptions, asked->id, (uint32_t)id_hash) != NULL)
        return ROUTER_ERR_ID;
    switch (destinations_subscribe(&router->destinations, asked->kind, asked->destination,
                                   &spec.destination, why)) {
    case DESTINATION_OK:
        break;
    case DESTINATION_ERR_PATTERN:
        return ROUTER_ERR_PATTERN;
    case DESTINATION_ERR_PATTERNS:
        return ROUTER_ERR_PATTERNS;
    }
    settle_destination(router, spec.destination);
    router_catch_up(router, receiver);
    is_further = may_have(receiver, spec.destination);
    has_ring =
        receiver->lag != NULL && !spec.is_alone && lagging_may_lose(router, spec.destination);
    spec.is_alone |= has_ring;
    if (spec.is_alone)
        spec.serial = router->next_serial++;
    g = groups_find_or_add(&router->groups, &spec, id_hash, &is_new);
    if (is_new)
        link_group(spec.destination, g);
    if (has_ring)
        group_more(g)->ring = lag_ring_new(receiver->lag, asked->id);
    s = group_add(g, receiver);
    s->id_hash = (uint32_t)id_hash;
    s->is_further = is_further;
    subscriptions_add(&receiver->subscriptions, s);
    if (is_pattern_kind(asked->kind))
        receiver->n_patterns++;
    if (spec.needs_ack) {
        LIST_INSERT_HEAD(&receiver->ack_groups, group_more(g), ack_link);
        receiver->ack_windows += spec.ack_window;
    }
    destination_count(spec.destination, 1);
    spec.destination->n_further += is_further;
    metrics_add(router->metrics, METRIC_SUBSCRIPTIONS, 1);
    if (out != NULL)
        *out = s;
    return ROUTER_OK;
}

bool router_subscribe(struct router *router, struct receiver *receiver, struct slice id,
                      struct slice destination)
{
    const struct router_subscribe asked = {
        .id = id,
        .destination = destination,
        .kind = DESTINATION_EXACT,
    };

    return router_subscribe_as(router, receiver, &asked, NULL, NULL) == ROUTER_OK;
}

struct subscription *router_regroup(struct router *router, struct subscription *subscription,
                                    bool is_alone)
{
    struct receiver *receiver = subscription->receiver;
    struct group *old = subscription->group, *g;
    struct slice id = group_id(old);
    uint32_t id_hash = subscription->id_hash;
    bool is_further = subscription->is_further;
    const struct group_spec spec = {
        .destination = old->destination,
        .id = id,
        .wire = receiver->wire,
        .selector = old->kind == GROUP_PLAIN ? NULL : group_more(old)->selector,
        .is_alone = is_alone,
        .serial = is_alone ? router->next_serial++ : 0,
    };
    bool is_new;

    assert(old->kind != GROUP_ALONE || !group_more(old)->needs_ack);
    router_catch_up(router, receiver);
    g = groups_find_or_add(&router->groups, &spec, siphash(&router->groups.hash_key, id), &is_new);
    if (is_new)
        link_group(spec.destination, g);
    subscriptions_remove(&receiver->subscriptions, subscription);
    group_remove(old, subscription);
    subscription = group_add(g, receiver);
    subscription->id_hash = id_hash;
    subscription->is_further = is_further;
    subscriptions_add(&receiver->subscriptions, subscription);
    drop_group_when_unused(router, old);
    return subscription;
}

static void end_subscription(struct router *router, struct subscription *s)
{
    struct group *g = s->group;

    settle_destination(router, g->destination);
    if (g->kind == GROUP_ALONE && router->on_ended != NULL)
        router->on_ended(router->on_ended_ctx, s);
    if (g->kind == GROUP_ALONE && group_more(g)->ring != NULL)
        lag_ring_end(group_more(g)->ring);
    subscriptions_remove(&s->receiver->subscriptions, s);
    if (is_pattern_kind(g->destination->kind))
        s->receiver->n_patterns--;
    if (g->kind == GROUP_ALONE && group_more(g)->needs_ack) {
        LIST_REMOVE(group_more(g), ack_link);
        s->receiver->ack_windows -= group_more(g)->acks.limit;
    }
    g->destination->n_further -= s->is_further;
    group_remove(g, s);
    destination_count(g->destination, -1);
    metrics_sub(router->metrics, METRIC_SUBSCRIPTIONS, 1);
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
    lag_free(receiver->lag);
    receiver->lag = NULL;
    ws_deflater_free(receiver->deflater);
    receiver->deflater = NULL;
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
    assert(router->log != NULL);
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

static struct wire_address address_of(const struct group *g)
{
    return (struct wire_address){
        .wire = (enum wire)g->wire,
        .id = group_id(g),
        .is_plain_id = g->is_plain_id,
    };
}

/* Appends to the last segment when that is the same group's and has room, else to a new one. */
static void log_message(struct router *router, struct group *g, const struct msg *msg,
                        const struct wire_address *to, size_t len, const struct receiver *except)
{
    struct log_segment *segment = last_segment(router);

    if (segment == NULL || segment->group != g || segment->except != except ||
        segment->chunk->cap - segment->chunk->len < len)
        segment = add_segment(router, g, len, except);
    wire_write_message(msg, to, segment->chunk->data + segment->chunk->len);
    segment->len += (uint32_t)len;
    segment->chunk->len += (uint32_t)len;
    router->log_end += len;
}

/* Both for a receiver that lags, whatever waits. Apart, so that the way of all others stays as
 * short as it is. */
static __attribute__((noinline)) char *push_space_behind(struct router *router,
                                                         struct receiver *receiver, size_t len)
{
    return lag_is_empty(receiver->lag) ? outq_push_space(&receiver->outq, router->pool, len)
                                       : lag_add_space(receiver->lag, len);
}

static __attribute__((noinline)) void push_ref_behind(struct router *router,
                                                      struct receiver *receiver,
                                                      struct chunk *chunk, uint32_t offset,
                                                      uint32_t len)
{
    if (lag_is_empty(receiver->lag))
        outq_push_ref(&receiver->outq, router->pool, chunk, offset, len);
    else
        lag_add_range(receiver->lag, chunk, offset, len);
}

/* Room behind all that waits for the receiver. */
static char *push_space(struct router *router, struct receiver *receiver, size_t len)
{
    return receiver->lag != NULL ? push_space_behind(router, receiver, len)
                                 : outq_push_space(&receiver->outq, router->pool, len);
}

/* How long the message is for that address, with what it was packed to looked up, or made. */
static size_t measure(struct router *router, const struct msg *msg, struct wire_address *to)
{
    if (wire_window_bits(to->wire) != 0)
        to->packed = packer_pack(&router->packer, msg, to->wire);
    return wire_message_len(msg, to);
}

/* Compressed for this receiver alone, and as long as what it got before makes it. Returns false
 * when it has to go as it is. */
static bool copy_in_context(struct router *router, struct receiver *receiver, const struct msg *msg,
                            const struct wire_address *to)
{
    struct slice packed = packer_pack_in_context(&router->packer, &receiver->deflater, msg, to);
    char *out;

    if (packed.len == 0)
        return false;
    out = push_space(router, receiver, wire_framed_len(to->wire, packed.len));
    out = wire_write_compressed_head(to->wire, msg->is_binary, packed.len, out);
    memcpy(out, packed.base, packed.len);
    return true;
}

static inline void copy_message(struct router *router, struct receiver *receiver,
                                const struct msg *msg, const struct wire_address *to, size_t len)
{
    router_catch_up(router, receiver);
    if (!wire_keeps_context(to->wire) || !copy_in_context(router, receiver, msg, to))
        wire_write_message(msg, to, push_space(router, receiver, len));
    router_mark_dirty(router, receiver);
}

static void count_delivered(struct router *router, uint64_t n)
{
    if (n == 0)
        return;
    router->tick_deliveries += n;
    metrics_add(router->metrics, METRIC_DELIVERED, n);
    router->hooks.wake(router->hooks.ctx);
}

static bool is_member(const struct router *router, const struct group *g,
                      const struct receiver *receiver)
{
    const struct subscription *s = receiver_find(receiver, router, group_id(g));

    return s != NULL && s->group == g;
}

/* --- selectors and acknowledgements --- */

struct selecting {
    const struct msg *msg;
    char *owned[SELECTOR_STEPS_MAX]; /* values that had escapes */
    size_t n_owned;
};

static bool find_selected(void *ctx, struct slice name, struct slice *value)
{
    struct selecting *selecting = ctx;
    char *owned;
    bool found;

    if (slice_eq_nocase(name, (struct slice)SLICE("destination"))) {
        *value = selecting->msg->destination;
        return true;
    }
    /* Headers are UTF-8: the parser lets nothing else in. */
    found = msg_find_header(selecting->msg, name, value, &owned);
    if (owned != NULL && selecting->n_owned == SELECTOR_STEPS_MAX) {
        mem_free(owned);
        return false;
    }
    if (owned != NULL)
        selecting->owned[selecting->n_owned++] = owned;
    return found;
}

static bool is_selected(const struct group *g, const struct msg *msg)
{
    struct selecting selecting = {.msg = msg};
    const struct selector_headers headers = {find_selected, &selecting};
    const struct selector *selector = group_more(g)->selector;
    bool matches = selector == NULL || selector_matches(selector, &headers);

    while (selecting.n_owned != 0)
        mem_free(selecting.owned[--selecting.n_owned]);
    return matches;
}

bool router_read_id(const struct router *router, struct slice id, struct ack_entry *out)
{
    struct slice worker, number;
    uint64_t n = 0;

    /* "<16 hex digits>-<worker>-<number>" */
    if (id.len < 17 || memcmp(id.base, router->id_prefix, 17) != 0 ||
        !slice_cut(slice_of(id.base + 17, id.len - 17), '-', &worker, &number) ||
        !slice_to_u64(worker, INTEREST_MAX_WORKERS - 1, &n))
        return false;
    out->worker = (uint32_t)n;
    return slice_to_u64(number, UINT64_MAX, &out->number);
}

static const struct slice ack_name = SLICE("ack:");

/* The header lines of a message that is to be acknowledged: borrowed until the next call. */
static struct slice ack_lines(struct router *router, const struct msg *msg, struct slice more)
{
    struct buf *lines = &router->lines;
    char *at;

    buf_consume(lines, lines->len);
    at = buf_reserve(lines, ack_name.len + msg->id.len + 1 + more.len);
    if (at == NULL)
        abort(); /* it has no ceiling */
    memcpy(at, ack_name.base, ack_name.len);
    memcpy(at + ack_name.len, msg->id.base, msg->id.len);
    at[ack_name.len + msg->id.len] = '\n';
    if (more.len != 0)
        memcpy(at + ack_name.len + msg->id.len + 1, more.base, more.len);
    return slice_of(at, ack_name.len + msg->id.len + 1 + more.len);
}

bool router_deliver_one(struct router *router, struct subscription *s, const struct msg *msg,
                        struct slice lines, uint64_t tag)
{
    struct group *g = s->group;
    struct group_more *more = group_more(g);
    struct wire_address to = address_of(g);

    to.lines = lines;
    if (more->needs_ack) {
        struct ack_entry entry = {.tag = tag};

        if (!router_read_id(router, msg->id, &entry) || !acks_push(&more->acks, &entry))
            return false;
        to.lines = ack_lines(router, msg, lines);
    }
    copy_message(router, s->receiver, msg, &to, measure(router, msg, &to));
    return true;
}

void router_reply(struct router *router, struct receiver *receiver, const struct msg *msg,
                  struct slice id)
{
    struct wire_address to = {.wire = receiver->wire, .id = id};

    copy_message(router, receiver, msg, &to, measure(router, msg, &to));
    count_delivered(router, 1);
}

/* To a receiver that lags. Returns false when it may not lose the message. */
static bool deliver_to_ring(struct router *router, struct subscription *s, const struct msg *msg)
{
    router_catch_up(router, s->receiver);
    if (!lag_add(group_more(s->group)->ring, msg))
        return false;
    router_mark_dirty(router, s->receiver);
    return true;
}

/* A fan-out does not wait for one receiver: a full window is a slow consumer. Returns how many
 * messages were delivered. */
static uint64_t deliver_alone(struct router *router, struct subscription *s, const struct msg *msg)
{
    if (group_more(s->group)->ring != NULL && deliver_to_ring(router, s, msg))
        return 1;
    if (router_deliver_one(router, s, msg, slice_str(""), 0))
        return 1;
    s->receiver->is_window_full = true;
    router_mark_dirty(router, s->receiver);
    return 0;
}

/* --- publish --- */

static inline uint64_t deliver_to_group(struct router *router, struct group *g,
                                        const struct msg *msg, const struct receiver *except)
{
    struct wire_address to = address_of(g);
    struct subscription **members = group_members(g);
    uint64_t n = g->n_members;
    size_t len;

    if (except != NULL && is_member(router, g, except))
        n--;
    if (n == 0 || (g->kind != GROUP_PLAIN && !is_selected(g, msg)))
        return 0;
    if (g->kind == GROUP_ALONE)
        return deliver_alone(router, g->single, msg);
    len = measure(router, msg, &to);
    if (!wire_keeps_context(to.wire) && (g->n_members > FEW_MEMBERS || len > FEW_MAX_BYTES)) {
        log_message(router, g, msg, &to, len, except);
    } else {
        for (uint32_t i = 0; i < g->n_members; i++) {
            if (members[i]->receiver != except)
                copy_message(router, members[i]->receiver, msg, &to, len);
        }
    }
    return n;
}

/* --- runs --- */

/*
 * Where most subscribers have ids of their own, a message alone would be a walk over the memory of
 * all of them, more than the caches hold. So messages to one destination wait for each other, and
 * then each subscriber gets all of them at once. Nobody can tell: no subscriber has two
 * subscriptions there, and a run is handed out before a member is told anything else, before the
 * destination's subscriptions change, and at the tick's end.
 */
static void settle(struct router *router)
{
    struct run *run = &router->run;
    uint32_t n = run->n;

    run->n = 0;
    for (struct group *g = run->destination->groups; g != NULL; g = g->next) {
        for (uint32_t i = 0; i < n; i++)
            deliver_to_group(router, g, run->msgs[i], NULL);
    }
    for (uint32_t i = 0; i < n; i++)
        msg_unref(run->msgs[i]);
}

static bool may_wait(const struct destination *d, const struct msg *msg,
                     const struct receiver *except)
{
    return d->n_groups >= RUN_MIN_GROUPS && d->n_not_plain == 0 && d->n_further == 0 &&
           except == NULL && d->n_members <= (uint64_t)d->n_groups * FEW_MEMBERS &&
           msg->head.len + msg->tail.len <= FEW_MAX_BYTES;
}

static void add_to_run(struct router *router, struct destination *d, struct msg *msg)
{
    struct run *run = &router->run;

    if (run->n != 0 && (run->destination != d || run->n == RUN_MAX))
        settle(router);
    run->destination = d;
    run->msgs[run->n++] = msg_ref(msg);
}

static uint64_t deliver_to(struct router *router, struct destination *d, struct msg *msg,
                           const struct receiver *except)
{
    uint64_t n = 0;

    if (may_wait(d, msg, except)) {
        add_to_run(router, d, msg);
        return d->n_members;
    }
    if (router->run.n != 0)
        settle(router);
    for (struct group *g = d->groups; g != NULL; g = g->next)
        n += deliver_to_group(router, g, msg, except);
    return n;
}

static uint64_t deliver_matched(struct router *router, const struct destination *d, struct msg *msg,
                                const struct receiver *except)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < d->matched.n; i++) {
        struct destination *local = d->matched.items[i]->local[router->worker];

        if (local != NULL)
            n += deliver_to(router, local, msg, except);
    }
    return n;
}

static uint64_t deliver_bound(struct router *router, struct msg *msg)
{
    struct destination *d =
        destinations_find(&router->destinations, DESTINATION_BOUND, msg->destination);
    uint64_t n = d == NULL ? 0 : deliver_to(router, d, msg, NULL);

    for (d = destinations_bound_patterns(&router->destinations, msg->destination); d != NULL;
         d = d->bound.next) {
        if (ant_pattern_match(d->bound.ant, msg->destination))
            n += deliver_to(router, d, msg, NULL);
    }
    return n;
}

static void deliver(struct router *router, struct destination *d, struct msg *msg,
                    const struct receiver *except)
{
    count_delivered(router,
                    deliver_to(router, d, msg, except) + deliver_matched(router, d, msg, except));
}

void router_deliver(struct router *router, struct msg *msg, const struct receiver *except)
{
    struct destination *d;

    if (msg->is_bound) {
        count_delivered(router, deliver_bound(router, msg));
        return;
    }
    d = destinations_look_up(&router->destinations, msg->destination);
    if (d != NULL)
        deliver(router, d, msg, except);
}

static void mail(struct router *router, uint64_t workers, struct msg *msg)
{
    workers &= ~(UINT64_C(1) << router->worker);
    while (workers != 0) {
        unsigned peer = (unsigned)__builtin_ctzll(workers);

        workers &= workers - 1;
        router->hooks.mail(router->hooks.ctx, peer, msg);
        metrics_add(router->metrics, METRIC_MAILED, 1);
    }
}

/* The workers with subscribers of a name, and how many subscriptions they have. `d` is what
 * destinations_look_up says of it. */
static uint64_t find_interest(const struct router *router, struct slice name,
                              const struct destination *d, uint64_t *n)
{
    uint64_t workers;

    if (d == NULL || d->is_cached) {
        workers = interest_find(router->interest, name, n);
    } else {
        workers = atomic_load(&d->interest->workers);
        *n = atomic_load_explicit(&d->interest->subscriptions, memory_order_relaxed);
    }
    for (uint32_t i = 0; d != NULL && i < d->matched.n; i++) {
        workers |= atomic_load(&d->matched.items[i]->workers);
        *n += atomic_load_explicit(&d->matched.items[i]->subscriptions, memory_order_relaxed);
    }
    return workers;
}

uint64_t router_count(struct router *router, struct slice destination)
{
    uint64_t n;

    find_interest(router, destination, destinations_look_up(&router->destinations, destination),
                  &n);
    return n;
}

uint64_t router_publish(struct router *router, struct msg *msg, const struct receiver *except)
{
    struct destination *d = destinations_look_up(&router->destinations, msg->destination);
    uint64_t n;
    uint64_t workers = find_interest(router, msg->destination, d, &n);

    if (d != NULL)
        deliver(router, d, msg, except);
    mail(router, workers, msg);
    return n;
}

void router_send_bound(struct router *router, unsigned worker, struct msg *msg)
{
    if (worker == router->worker)
        router_deliver(router, msg, NULL);
    else
        mail(router, UINT64_C(1) << worker, msg);
}

struct echo {
    struct router *router;
    const struct msg *msg;
    uint64_t n;
};

static void echo_visited(struct subscription *s, void *ctx)
{
    struct echo *echo = ctx;
    struct group *g = s->group;
    const struct destination *d = g->destination;
    bool matches =
        d->kind == DESTINATION_PATTERN
            ? ant_pattern_match(d->pattern->ant, echo->msg->destination)
            : d->kind == DESTINATION_EXACT && slice_eq(d->node.key, echo->msg->destination);
    struct wire_address to = address_of(g);

    if (!matches || (g->kind != GROUP_PLAIN && !is_selected(g, echo->msg)))
        return;
    if (g->kind == GROUP_ALONE) {
        echo->n += deliver_alone(echo->router, s, echo->msg);
        return;
    }
    copy_message(echo->router, s->receiver, echo->msg, &to, measure(echo->router, echo->msg, &to));
    echo->n++;
}

uint64_t router_echo(struct router *router, const struct msg *msg, struct receiver *receiver)
{
    struct echo echo = {router, msg, 0};

    subscriptions_each(&receiver->subscriptions, echo_visited, &echo);
    count_delivered(router, echo.n);
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
    if (receiver->lag != NULL)
        push_ref_behind(router, receiver, segment->chunk, segment->offset + skip,
                        segment->len - skip);
    else
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

    if (router->run.n != 0 && may_have(receiver, router->run.destination))
        settle(router);
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
    if (!outq_is_empty(&receiver->outq) || !lag_is_empty(receiver->lag))
        router_mark_dirty(router, receiver);
}

void router_distribute(struct router *router)
{
    if (router->run.n != 0)
        settle(router);
    for (uint32_t i = 0; i < router->n_log; i++) {
        struct log_segment *segment = &router->log[i];
        struct group *g = segment->group;

        for (uint32_t k = 0; k < g->n_members; k++) {
            struct receiver *receiver = group_members(g)[k]->receiver;

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
    return push_space(router, receiver, len);
}

char *router_queue_frame(struct router *router, struct receiver *receiver, bool is_binary,
                         size_t len)
{
    char *out = router_queue_bytes(router, receiver, wire_framed_len(receiver->wire, len));

    return wire_write_head(receiver->wire, is_binary, len, out);
}
