#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include "base/slice.h"

/*
 * A growing run of bytes with a ceiling. Owns its memory; holds none while it is empty and new.
 * Owning thread only.
 */

/** Read the fields, change them only through the functions. `len` <= `cap` <= `max`. */
struct buf {
    char *base;
    size_t len;
    size_t cap;
    size_t max;
};

/** An empty buffer that will never hold more than `max` bytes. Allocates nothing. */
void buf_init(struct buf *b, size_t max);

/** Gives the memory back; the buffer is as after buf_init. */
void buf_dispose(struct buf *b);

/**
 * Room for `n` more bytes behind the last, to be written by the caller and then counted with
 * buf_commit. Returns NULL, with nothing changed, when that would pass the ceiling.
 */
char *buf_reserve(struct buf *b, size_t n) __attribute__((warn_unused_result));

/** Counts `n` bytes that were written into the room of buf_reserve. */
void buf_commit(struct buf *b, size_t n);

/** Returns false, with nothing changed, when the bytes would pass the ceiling. */
bool buf_append(struct buf *b, struct slice bytes) __attribute__((warn_unused_result));

/** printf at the end. Returns false, with nothing changed, when it would pass the ceiling. */
bool buf_printf(struct buf *b, const char *format, ...)
    __attribute__((warn_unused_result, format(printf, 2, 3)));

/** Drops the first `n` bytes (at most len), moving the rest down. Keeps the memory. */
void buf_consume(struct buf *b, size_t n);

/** Drops the last `n` bytes (at most len). Keeps the memory. */
static inline void buf_drop_last(struct buf *b, size_t n)
{
    b->len -= n;
}

/** Borrows the content until the buffer next changes. */
static inline struct slice buf_slice(const struct buf *b)
{
    return slice_of(b->base, b->len);
}

#endif
