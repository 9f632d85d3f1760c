#ifndef GATEWAY_ROUTER_INTEREST_H
#define GATEWAY_ROUTER_INTEREST_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include "base/slice.h"
#include "base/table.h"

/*
 * Which workers have subscribers of a destination: shared by all workers, so that a publisher's
 * worker knows whom to mail. Sharded; each shard's mutex guards its table, the life of its
 * entries and the bits being set and cleared. The mask and the count of an entry may be read
 * without it by whoever holds a reference. Any thread.
 */

enum { INTEREST_MAX_WORKERS = 64, INTEREST_N_SHARDS = 64 };

struct interest_entry {
    struct table_node node;         /* its key is the destination, behind the struct */
    _Atomic uint64_t workers;       /* bit i: worker i has subscribers */
    _Atomic uint64_t subscriptions; /* of all workers */
    uint32_t refs;                  /* workers that hold the entry */
};

struct interest_shard {
    pthread_mutex_t mutex;
    struct table entries;
};

struct interest {
    struct interest_shard shards[INTEREST_N_SHARDS];
};

void interest_init(struct interest *interest, struct siphash_key hash_key);

/** All entries must have been released. */
void interest_dispose(struct interest *interest);

/**
 * The entry of a destination for a worker that has its first subscriber there: the worker's bit
 * is set when this returns, so that every later publish is mailed to it. The worker holds a
 * reference until interest_release.
 */
struct interest_entry *interest_acquire(struct interest *interest, struct slice destination,
                                        unsigned worker);

/** The worker's last subscriber has gone: clears its bit and drops its reference. */
void interest_release(struct interest *interest, struct interest_entry *entry, unsigned worker);

/** One subscription more or less, by the worker that holds the entry. */
static inline void interest_count(struct interest_entry *entry, int change)
{
    atomic_fetch_add_explicit(&entry->subscriptions, (uint64_t)(int64_t)change,
                              memory_order_relaxed);
}

/** The mask of workers, and the number of subscriptions unless `subscriptions` is NULL. */
uint64_t interest_find(struct interest *interest, struct slice destination,
                       uint64_t *subscriptions);

#endif
