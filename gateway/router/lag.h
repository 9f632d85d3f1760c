#ifndef GATEWAY_ROUTER_LAG_H
#define GATEWAY_ROUTER_LAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include "base/siphash.h"
#include "base/slice.h"
#include "gateway/ops/metrics.h"
#include "gateway/outbound/chunk.h"
#include "gateway/outbound/outq.h"
#include "gateway/router/msg.h"
#include "gateway/router/policy.h"
#include "gateway/router/wire.h"

/*
 * What waits for a receiver that reads too slowly, behind its outbound queue: one list in the order
 * in which things were published or queued. Messages that the policy of their destination lets go
 * are kept as such until the queue is empty, so that newer ones can still push them out; all else
 * (other messages, RECEIPTs, a pong) is bytes that must arrive, at their place between them.
 *
 * Each subscription has a ring of its own: the limits of its policy are for the ring, and a ring
 * that has lost something says so in its next message, as `dropped:<how many>`.
 *
 * With `latest`, a newer message of a key takes the older one's place in the count, not in the
 * list: it goes behind everything else, so what arrives is always in the order of publication. So
 * that a key which changes all the time is not put off for ever, what is in the list when the
 * queue has become empty is promised: it is sent even when a newer one of its key comes meanwhile.
 *
 * A message that waits for many receivers is kept and counted once for each worker. All that waits
 * is in the account of the chunk pool. Owning worker only.
 */

struct lag;
struct lag_held;
struct lag_ring;

/** One worker's. */
struct lag_store {
    const struct policy *policy; /* NULL: nothing may be lost */
    struct chunk_pool *pool;
    struct metrics *metrics;
    struct siphash_key hash_key;
    struct lag_held *newest; /* the message that came last; NULL: none, or it waits no more */
};

/** Borrows pool and metrics for its life. The policy is set later. */
void lag_store_init(struct lag_store *store, struct chunk_pool *pool, struct metrics *metrics,
                    struct siphash_key hash_key);

/** An empty list. Borrows the store for its life. */
struct lag *lag_new(struct lag_store *store, enum wire wire) __attribute__((returns_nonnull));

/** All rings are over. Drops what waits. NULL is fine. */
void lag_free(struct lag *lag);

/** The ring of a subscription of that id, which is copied. */
struct lag_ring *lag_ring_new(struct lag *lag, struct slice id) __attribute__((returns_nonnull));

/** Nothing more comes for it. What waits still does; with the last of that it is gone. */
void lag_ring_end(struct lag_ring *ring);

/**
 * Adds a message that may be lost, and drops what is too much then. Takes a reference of its own.
 * Returns false, with nothing done, when the policy of its destination does not let it go.
 */
bool lag_add(struct lag_ring *ring, const struct msg *msg) __attribute__((warn_unused_result));

/** Room for `len` bytes (at least one) of whole frames that must arrive: to be filled at once. */
char *lag_add_space(struct lag *lag, size_t len) __attribute__((returns_nonnull));

/** Adds a range of a chunk that must arrive. Takes a reference, or copies when it is short. */
void lag_add_range(struct lag *lag, struct chunk *chunk, uint32_t offset, uint32_t len);

/** Moves what waits first to the end of the queue, about 64 KiB. Returns how many bytes. */
size_t lag_refill(struct lag *lag, struct outq *q);

/** Drops all that waits. Returns how many frames there were. */
uint64_t lag_cut(struct lag *lag);

/** NULL is an empty one. */
bool lag_is_empty(const struct lag *lag);

/** How many bytes wait, and how many of them must arrive. NULL is an empty one. */
size_t lag_bytes(const struct lag *lag);
size_t lag_kept_bytes(const struct lag *lag);

#endif
