#include "gateway/router/lagging.h"

#include <assert.h>

void lagging_set_policy(struct router *router, const struct policy *policy)
{
    router->lag_store.policy = policy;
}

static bool is_possible(const struct router *router)
{
    return router->lag_store.policy != NULL && policy_has_slow(router->lag_store.policy);
}

bool lagging_may_lose(const struct router *router, const struct destination *d)
{
    const struct policy *policy = router->lag_store.policy;
    struct slice name = d->node.key;

    if (!is_possible(router))
        return false;
    switch ((enum destination_kind)d->kind) {
    case DESTINATION_EXACT:
        return policy_slow_of(policy, name) != NULL;
    case DESTINATION_BOUND:
        return policy_slow_of_bound(policy, destination_target(name)) != NULL;
    case DESTINATION_PATTERN:
    case DESTINATION_BOUND_PATTERN:
        return true; /* each message's own destination tells */
    case DESTINATION_QUEUE:
    case DESTINATION_N_KINDS:
        break;
    }
    return false;
}

struct walk {
    struct router *router;
    struct receiver *receiver;
    bool has_changed;
};

/* Both visitors put another subscription in the place of the one that they take out: at the head
 * of the same bucket, where the walk has been already. */
static void separate(struct subscription *s, void *ctx)
{
    struct walk *walk = ctx;

    if (s->group->kind == GROUP_ALONE || !lagging_may_lose(walk->router, s->group->destination))
        return;
    s = router_regroup(walk->router, s, true);
    group_more(s->group)->ring = lag_ring_new(walk->receiver->lag, group_id(s->group));
    walk->has_changed = true;
}

static void join(struct subscription *s, void *ctx)
{
    struct walk *walk = ctx;

    if (s->group->kind != GROUP_ALONE || group_more(s->group)->ring == NULL)
        return;
    lag_ring_end(group_more(s->group)->ring);
    group_more(s->group)->ring = NULL;
    (void)router_regroup(walk->router, s, false);
}

bool lagging_start(struct router *router, struct receiver *receiver)
{
    struct walk walk = {router, receiver, false};

    if (receiver->lag != NULL || receiver->is_closed || !is_possible(router))
        return false;
    router_catch_up(router, receiver);
    receiver->lag = lag_new(&router->lag_store, receiver->wire);
    subscriptions_each(&receiver->subscriptions, separate, &walk);
    return walk.has_changed;
}

void lagging_stop(struct router *router, struct receiver *receiver)
{
    struct walk walk = {router, receiver, false};

    if (receiver->lag == NULL)
        return;
    assert(lag_is_empty(receiver->lag));
    router_catch_up(router, receiver);
    subscriptions_each(&receiver->subscriptions, join, &walk);
    lag_free(receiver->lag);
    receiver->lag = NULL;
}
