#ifndef GATEWAY_ROUTER_PARTS_H
#define GATEWAY_ROUTER_PARTS_H

#include "gateway/router/router.h"

/*
 * What the files of the router share: router.c has subscriptions and who a publish is for,
 * delivery.c brings a message to the subscriptions of a destination, ticklog.c keeps the order of a
 * tick and the queues that it ends in. Owning worker only.
 */

/* --- router.c --- */

/** A group that the log still names stays until the log has been walked. */
void router_drop_group_when_unused(struct router *router, struct group *g);

/* --- delivery.c --- */

/**
 * Delivers to the subscriptions of one destination of this worker; what may wait does. Returns how
 * many messages that makes.
 */
uint64_t delivery_to(struct router *router, struct destination *d, struct msg *msg,
                     const struct receiver *except);

/** Counts messages for receivers, and makes the tick's end come. */
void delivery_count(struct router *router, uint64_t n);

/** Before anything about the destination's subscriptions changes. */
void delivery_end_run_of(struct router *router, const struct destination *d);

/** Whether the receiver has a subscription of the destination; of many, perhaps. */
bool delivery_may_have(const struct receiver *receiver, const struct destination *d);

/* --- ticklog.c --- */

/** Appends a message of `len` bytes for all of the group but `except`, who may be NULL. */
void ticklog_add(struct router *router, struct group *g, const struct msg *msg,
                 const struct wire_address *to, size_t len, const struct receiver *except);

/** Room behind all that waits for a receiver that lags. */
char *ticklog_push_space_behind(struct router *router, struct receiver *receiver, size_t len)
    __attribute__((returns_nonnull));

/** Room behind all that waits for the receiver. */
static inline char *ticklog_push_space(struct router *router, struct receiver *receiver, size_t len)
{
    return receiver->lag != NULL ? ticklog_push_space_behind(router, receiver, len)
                                 : outq_push_space(&receiver->outq, router->pool, len);
}

static inline bool router_is_member(const struct router *router, const struct group *g,
                                    const struct receiver *receiver)
{
    const struct subscription *s = receiver_find(receiver, router, group_id(g));

    return s != NULL && s->group == g;
}

#endif
