#ifndef GATEWAY_OUTBOUND_OUTQ_H
#define GATEWAY_OUTBOUND_OUTQ_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include "base/slice.h"
#include "gateway/outbound/chunk.h"

/*
 * What waits to be written to one client: an ordered list of ranges of chunks, shared ones by
 * reference, short ones copied together into a chunk of the queue's own. Every range begins and
 * ends at a boundary of transport frames; a partial write moves the first one's front only.
 * Holds no memory while it is empty. Owning worker only.
 */

enum { OUTQ_INLINE_PIECES = 2 };

struct outq_piece {
    struct chunk *chunk; /* one reference */
    uint32_t offset;
    uint32_t len;
};

struct outq {
    struct outq_piece *pieces; /* a ring of n_cap; NULL: the inline ones */
    struct outq_piece inline_pieces[OUTQ_INLINE_PIECES];
    uint32_t first;
    uint32_t n;
    uint32_t n_cap;
    uint32_t head_offset; /* where the first piece began before partial writes */
    size_t bytes;         /* in all pieces */
    struct chunk *own;    /* the last piece's chunk when only this queue writes to it, else NULL */
};

/** An empty queue. Allocates nothing. */
void outq_init(struct outq *q);

/** Drops everything. */
void outq_dispose(struct outq *q);

/**
 * Queues a range of a chunk, at least a byte: takes a reference of its own, or copies when the
 * range is short.
 */
void outq_push_ref(struct outq *q, struct chunk_pool *pool, struct chunk *chunk, uint32_t offset,
                   uint32_t len);

/**
 * Room for `len` bytes (at least one) behind everything else, contiguous, counted as queued: the
 * caller fills it before anything else happens to the queue.
 */
char *outq_push_space(struct outq *q, struct chunk_pool *pool, size_t len)
    __attribute__((returns_nonnull));

/** Fills at most `n` iovecs with what comes first; returns how many. */
int outq_peek(const struct outq *q, struct iovec *iov, int n);

/** Drops the first `n` bytes (at most q->bytes): they have been written. */
void outq_consume(struct outq *q, size_t n);

/**
 * After a partial write: when what is left of the first piece is short against its chunk, copies
 * it out, so that a few bytes do not keep a large shared buffer alive.
 */
void outq_unpin(struct outq *q, struct chunk_pool *pool);

/** The first piece as it was before partial writes, and how much of that has been written. */
struct slice outq_head(const struct outq *q, size_t *written);

/** Drops all but the first `n` bytes. */
void outq_truncate(struct outq *q, size_t n);

static inline bool outq_is_empty(const struct outq *q)
{
    return q->n == 0;
}

#endif
