#include "gateway/router/router.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/decimal.h"
#include "base/mem.h"
#include "gateway/router/lagging.h"
#include "gateway/router/parts.h"

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
void router_drop_group_when_unused(struct router *router, struct group *g)
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
    delivery_end_run_of(router, spec.destination);
    router_catch_up(router, receiver);
    is_further = delivery_may_have(receiver, spec.destination);
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
    router_drop_group_when_unused(router, old);
    return subscription;
}

static void end_subscription(struct router *router, struct subscription *s)
{
    struct group *g = s->group;

    delivery_end_run_of(router, g->destination);
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
    router_drop_group_when_unused(router, g);
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

/* --- publish --- */

static uint64_t deliver_matched(struct router *router, const struct destination *d, struct msg *msg,
                                const struct receiver *except)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < d->matched.n; i++) {
        struct destination *local = d->matched.items[i]->local[router->worker];

        if (local != NULL)
            n += delivery_to(router, local, msg, except);
    }
    return n;
}

static uint64_t deliver_bound(struct router *router, struct msg *msg)
{
    struct destination *d =
        destinations_find(&router->destinations, DESTINATION_BOUND, msg->destination);
    uint64_t n = d == NULL ? 0 : delivery_to(router, d, msg, NULL);

    for (d = destinations_bound_patterns(&router->destinations, msg->destination); d != NULL;
         d = d->bound.next) {
        if (ant_pattern_match(d->bound.ant, msg->destination))
            n += delivery_to(router, d, msg, NULL);
    }
    return n;
}

static void deliver(struct router *router, struct destination *d, struct msg *msg,
                    const struct receiver *except)
{
    delivery_count(router,
                   delivery_to(router, d, msg, except) + deliver_matched(router, d, msg, except));
}

void router_deliver(struct router *router, struct msg *msg, const struct receiver *except)
{
    struct destination *d;

    if (msg->is_bound) {
        delivery_count(router, deliver_bound(router, msg));
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
