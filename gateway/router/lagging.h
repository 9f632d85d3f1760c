#ifndef GATEWAY_ROUTER_LAGGING_H
#define GATEWAY_ROUTER_LAGGING_H

#include <stdbool.h>
#include "gateway/router/policy.h"
#include "gateway/router/router.h"

/*
 * When a receiver begins to lag, and when it has caught up. Who keeps up pays nothing: only while
 * a receiver lags, each of its subscriptions that may lose messages is alone in a group, whose
 * messages go to a ring of its list (lag.h) instead of the tick log.
 *
 * A subscription that acknowledges, or of a competing queue, loses nothing: its window is what
 * limits it. Owning worker only.
 */

/** Whose messages may be lost; before anything is published. Borrows the policy. */
void lagging_set_policy(struct router *router, const struct policy *policy);

/** Whether a subscription of that destination may lose messages, at least some of them. */
bool lagging_may_lose(const struct router *router, const struct destination *d);

/**
 * A write of the receiver's waits and much has come since: from now on it lags. Returns whether it
 * has subscriptions that may lose messages, and did not lag before.
 */
bool lagging_start(struct router *router, struct receiver *receiver);

/** All was written, nothing waits: the receiver, which may not lag at all, has caught up. */
void lagging_stop(struct router *router, struct receiver *receiver);

/** What waits for the receiver: in its queue, and behind it. */
static inline size_t lagging_queued_bytes(const struct receiver *receiver)
{
    return receiver->outq.bytes + lag_bytes(receiver->lag);
}

#endif
