#ifndef GATEWAY_ROUTER_ACKS_H
#define GATEWAY_ROUTER_ACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The window of one subscription with `ack:client` or `ack:client-individual` (STOMP 1.2,
 * "SUBSCRIBE ack Header"): the deliveries that its client has not acknowledged yet, in the order in
 * which they went out, up to a limit. Every call but those that visit is O(1), amortised where the
 * window grows. It holds no memory while it is empty. Owning worker only.
 */

/** One delivery. Worker and number name its message. */
struct ack_entry {
    uint64_t number;
    uint64_t tag; /* the caller's own */
    uint32_t worker;
    uint32_t delivery_count;
};

struct acks_slot;

/** Change it only through the functions. */
struct acks {
    struct acks_slot *slots; /* NULL while empty */
    uint32_t limit;
    uint32_t n_slots; /* 0 or a power of two */
    uint32_t n;
    uint32_t first; /* these three: indexes of slots, UINT32_MAX for none */
    uint32_t last;
    uint32_t free;
};

/**
 * Gets what is taken out, oldest first; borrowed for the call, and out of the window already. It
 * may push to the window, and call nothing else of it.
 */
typedef void (*acks_visit)(void *ctx, const struct ack_entry *entry);

/** An empty window of at most `limit` deliveries, which is at most 2^30. Allocates nothing. */
void acks_init(struct acks *acks, uint32_t limit);

/** Drops what is left. The window is as after acks_init. */
void acks_dispose(struct acks *acks);

/**
 * Adds a delivery as the youngest; its message is not in the window.
 * Returns false, with nothing changed, when the window is full.
 */
bool acks_push(struct acks *acks, const struct ack_entry *entry)
    __attribute__((warn_unused_result));

/**
 * `ack:client-individual`: takes out one delivery.
 * Returns false, with `*out` untouched, when it is not in the window.
 */
bool acks_take_one(struct acks *acks, uint32_t worker, uint64_t number, struct ack_entry *out)
    __attribute__((warn_unused_result));

/**
 * `ack:client`: takes out one delivery and all before it.
 * Returns how many: 0, without a visit, when that one is not in the window.
 */
size_t acks_take_through(struct acks *acks, uint32_t worker, uint64_t number, acks_visit visit,
                         void *ctx);

/** Takes out all that are in the window now; what `visit` pushes stays. */
void acks_drain(struct acks *acks, acks_visit visit, void *ctx);

static inline uint32_t acks_count(const struct acks *acks)
{
    return acks->n;
}

static inline bool acks_is_full(const struct acks *acks)
{
    return acks->n == acks->limit;
}

#endif
