#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include "base/slice.h"

/*
 * malloc that aborts when memory is out, so that no caller has a path for it that nobody tests.
 * What a peer can make large is bounded before it gets here. Any thread.
 */

/** Uninitialized memory, never NULL, also for 0 bytes. Ends with mem_free. */
void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull));

/** Zeroed memory for `n` things of `size` bytes; aborts when the product overflows. */
void *mem_calloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));

/** Like realloc: takes `ptr` (NULL is fine), keeps the bytes that fit. */
void *mem_realloc(void *ptr, size_t size) __attribute__((returns_nonnull));

/** NULL is fine. */
void mem_free(void *ptr);

/** Asks for memory that will soon be read and written, and goes on. Any address will do. */
static inline void mem_fetch(const void *ptr, size_t size)
{
    for (size_t at = 0; at < size; at += 64) /* a cache line; with other ones it helps less */
        __builtin_prefetch((const char *)ptr + at, 1);
}

/** A NUL-terminated copy; the caller owns it. */
char *mem_strdup(const char *str) __attribute__((malloc, returns_nonnull));

/** A copy of the bytes with a NUL behind them; the caller owns `.base`. */
struct slice mem_slice_dup(struct slice bytes);

/** printf into memory that the caller owns. */
char *mem_printf(const char *format, ...)
    __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));

#endif
