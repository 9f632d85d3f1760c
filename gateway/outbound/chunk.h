#ifndef GATEWAY_OUTBOUND_CHUNK_H
#define GATEWAY_OUTBOUND_CHUNK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Ref-counted buffers for what goes out to clients, from a pool per worker. A chunk is filled at
 * its end while it is young and never changed in front of that, so that many sessions can hold
 * ranges of it. Counts are plain numbers: a chunk never leaves its worker.
 *
 * What comes back is spare, however much it is, so that a steady load allocates nothing: a tick
 * that frees what the next one allocates makes the allocator give the pages to the kernel and fetch
 * them again, which costs a small message more than its way through the socket. chunk_pool_trim,
 * called about once a second, frees what stayed spare all the time since the call before.
 */

/** What all workers together hold for clients, in bytes: each chunk once at its full size. */
struct chunk_account {
    _Atomic int64_t bytes;
};

enum { CHUNK_N_CLASSES = 4 };

struct chunk_pool {
    struct chunk_account *account;
    int64_t unreported; /* bytes not yet added to the account */
    struct chunk *free[CHUNK_N_CLASSES];
    unsigned n_free[CHUNK_N_CLASSES];
    unsigned n_unused[CHUNK_N_CLASSES]; /* so many were free all the time since the last trim */
};

struct chunk {
    struct chunk_pool *pool;
    struct chunk *next_free;
    uint32_t refs;
    uint32_t len; /* bytes written so far */
    uint32_t cap;
    int32_t size_class; /* -1: larger than the largest class, not pooled */
    char data[];
};

/** Borrows the account for its life. */
void chunk_pool_init(struct chunk_pool *pool, struct chunk_account *account);

/** Frees the pooled chunks; all chunks must have come back. */
void chunk_pool_dispose(struct chunk_pool *pool);

/** Frees the spare chunks that nobody has needed since the last trim. Returns their bytes. */
size_t chunk_pool_trim(struct chunk_pool *pool);

/** Whether a trim may have something to do, now or the next time. */
bool chunk_pool_has_spare(const struct chunk_pool *pool);

/** An empty chunk with one reference and room for at least `size` bytes (below 4 GiB). */
struct chunk *chunk_new(struct chunk_pool *pool, size_t size) __attribute__((returns_nonnull));

static inline void chunk_ref(struct chunk *chunk)
{
    chunk->refs++;
}

/** Drops a reference; the last one gives the chunk back to its pool. */
void chunk_unref(struct chunk *chunk);

/** Counts bytes that wait for clients without being in a chunk, or, below zero, do so no more. */
void chunk_pool_count(struct chunk_pool *pool, int64_t bytes);

/** Bytes in all workers' chunks, right to within 64 KiB for each worker. Any thread. */
size_t chunk_account_bytes(const struct chunk_account *account);

#endif
