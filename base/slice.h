#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Bytes that belong to someone else: never NUL-terminated, never freed through the slice.
 * Pure. Any thread.
 */

/** `base` may be NULL only when `len` is 0. */
struct slice {
    const char *base;
    size_t len;
};

/** A slice of a string literal, also in a static initializer. */
#define SLICE(literal)                                                                             \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

/** printf's "%.*s" for a slice. */
#define SLICE_FMT(s) (int)(s).len, (s).base

static inline struct slice slice_of(const char *base, size_t len)
{
    return (struct slice){base, len};
}

/** Borrows a NUL-terminated string; NULL reads as the empty slice. */
struct slice slice_str(const char *str);

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.base, b.base, a.len) == 0);
}

/** ASCII letters compare equal whatever their case; all other bytes exactly. */
bool slice_eq_nocase(struct slice a, struct slice b);

/** Bytewise order, a prefix before what it begins: for qsort and sorted tables. */
int slice_cmp(struct slice a, struct slice b);

/** Position of the first `byte`, or s.len when there is none. */
static inline size_t slice_find(struct slice s, char byte)
{
    const char *at = s.len == 0 ? NULL : (const char *)memchr(s.base, byte, s.len);

    return at == NULL ? s.len : (size_t)(at - s.base);
}

/** Without its first `n` bytes; empty when it has no more than that. */
static inline struct slice slice_skip(struct slice s, size_t n)
{
    if (n == 0)
        return s;
    return n >= s.len ? (struct slice){"", 0} : (struct slice){s.base + n, s.len - n};
}

/** Its first `n` bytes, or all when it has fewer. */
static inline struct slice slice_take(struct slice s, size_t n)
{
    return (struct slice){s.base, n < s.len ? n : s.len};
}

static inline bool slice_starts_with(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && slice_eq(slice_take(s, prefix.len), prefix);
}

bool slice_ends_with(struct slice s, struct slice suffix);

/**
 * Cuts at the first `byte`: `*head` is what stands before it, `*tail` what comes after.
 * Returns false, with both untouched, when the byte does not occur.
 */
bool slice_cut(struct slice s, char byte, struct slice *head, struct slice *tail);

/** Without leading and trailing spaces and tabs (the OWS of RFC 9110). */
struct slice slice_trim(struct slice s);

/**
 * Reads a whole decimal number: digits only, no sign, no space.
 * Returns false, with `*out` untouched, for anything else and for a number above `max`.
 */
bool slice_to_u64(struct slice s, uint64_t max, uint64_t *out);

#endif
