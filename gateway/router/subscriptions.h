#ifndef GATEWAY_ROUTER_SUBSCRIPTIONS_H
#define GATEWAY_ROUTER_SUBSCRIPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"

/*
 * The subscriptions of one receiver, by id: a short list for the few that clients usually have, a
 * hash table beyond. Holds no memory for the list. Owning worker only.
 */

struct destination;
struct group;
struct receiver;

/** One subscription of one receiver. */
struct subscription {
    struct receiver *receiver;
    struct group *group;       /* has the id, too */
    struct subscription *next; /* in its bucket */
    uint32_t id_hash;
    uint32_t index : 31;     /* in the group's members */
    uint32_t is_further : 1; /* the receiver may have had one of the destination before */
};

/** Zeroed it is empty. */
struct subscriptions {
    struct subscription **buckets; /* NULL: `only` is the one bucket */
    struct subscription *only;
    uint32_t n_buckets;
    uint32_t n;
};

/** The one of that id, whose hash is `id_hash`, or NULL. */
struct subscription *subscriptions_find(const struct subscriptions *set, struct slice id,
                                        uint32_t id_hash);

/** Whether one of them is of that destination: looks at all. */
bool subscriptions_have(const struct subscriptions *set, const struct destination *destination);

/** Adds one with `group` and `id_hash` set; there is none of that id yet. Borrows it. */
void subscriptions_add(struct subscriptions *set, struct subscription *s);

/** Takes out one that is in the set. */
void subscriptions_remove(struct subscriptions *set, struct subscription *s);

/** Calls `visit` for each, in no order; it may remove and free the one it is given. */
void subscriptions_each(struct subscriptions *set, void (*visit)(struct subscription *s, void *ctx),
                        void *ctx);

/** Frees the buckets of an empty set. */
void subscriptions_dispose(struct subscriptions *set);

#endif
