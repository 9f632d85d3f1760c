#ifndef GATEWAY_ROUTER_GROUP_H
#define GATEWAY_ROUTER_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include "base/siphash.h"
#include "base/slice.h"
#include "gateway/router/acks.h"
#include "gateway/router/selector.h"
#include "gateway/router/subscriptions.h"
#include "gateway/router/wire.h"

/*
 * A group: the subscriptions of one destination that get the same bytes, since they have the same
 * id, the same wire form and the same selector. A subscription whose deliveries are acknowledged
 * is alone in its group, which then also keeps what it has not acknowledged yet.
 *
 * With a million subscriptions that all have ids of their own there are a million groups: this is
 * why a plain one is small, found by its fields instead of a stored key, and has room for one of
 * its members.
 *
 * Owning worker only.
 */

struct destination;

enum group_kind {
    GROUP_PLAIN,
    GROUP_SELECTING, /* a struct group_more stands in front */
    GROUP_ALONE,     /* the same; never shared */
};

struct group {
    struct subscription own; /* one of the members; free while its receiver is NULL */
    struct group *next_in_bucket;
    struct destination *destination;
    struct group *next; /* of the destination's */
    struct group **prev_next;
    union {
        struct subscription *single; /* while n_cap is 1 */
        struct subscription **members;
    };
    uint32_t n_members;
    uint32_t n_cap;
    uint32_t last_segment; /* index + 1 in the log; 0: none */
    uint32_t hash;
    uint32_t id_len;
    uint8_t wire;     /* enum wire */
    uint8_t kind;     /* enum group_kind */
    bool is_plain_id; /* nothing in it needs an escape */
    char id[];
};

/** What a group has that is not plain. */
struct group_more {
    struct selector *selector;       /* NULL: none */
    struct acks acks;                /* GROUP_ALONE with needs_ack */
    LIST_ENTRY(group_more) ack_link; /* the receiver's, with needs_ack */
    uint64_t serial;                 /* GROUP_ALONE: of this worker's, never used again */
    bool needs_ack;
    bool is_cumulative; /* an ACK is for all before, too */
};

/** What two subscriptions share to be of one group, and how a new group begins. */
struct group_spec {
    struct destination *destination;
    struct slice id;
    enum wire wire;
    struct selector *selector; /* NULL: none. A new group refs it */
    bool is_alone;
    bool needs_ack;
    bool is_cumulative;
    uint32_t ack_window;
    uint64_t serial;
};

/** All groups of a worker. */
struct groups {
    struct group **buckets;
    size_t n_buckets;
    size_t n;
    struct siphash_key hash_key;
};

void groups_init(struct groups *groups, struct siphash_key hash_key);

/** There are none any more. */
void groups_dispose(struct groups *groups);

/**
 * The group of that spec; a new one, without members and in no list of its destination's yet, when
 * there is none (`*is_new`). `id_hash` is the siphash of the id.
 */
struct group *groups_find_or_add(struct groups *groups, const struct group_spec *spec,
                                 uint64_t id_hash, bool *is_new);

/** Frees a group without members. */
void groups_remove(struct groups *groups, struct group *group);

/** A new subscription of the receiver's, a member of the group. */
struct subscription *group_add(struct group *group, struct receiver *receiver)
    __attribute__((returns_nonnull));

/** Frees a member. */
void group_remove(struct group *group, struct subscription *subscription);

static inline struct subscription **group_members(struct group *group)
{
    return group->n_cap == 1 ? &group->single : group->members;
}

static inline struct slice group_id(const struct group *group)
{
    return slice_of(group->id, group->id_len);
}

/** Not for GROUP_PLAIN. */
static inline struct group_more *group_more(const struct group *group)
{
    return (struct group_more *)(void *)((char *)(uintptr_t)group - sizeof(struct group_more));
}

/** The group that this belongs to. */
static inline struct group *group_of_more(const struct group_more *more)
{
    return (struct group *)(void *)((char *)(uintptr_t)more + sizeof(*more));
}

#endif
