#ifndef GATEWAY_BENCH_MARK_H
#define GATEWAY_BENCH_MARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "base/slice.h"

/*
 * What a message's body begins with: who sent it, its number and when it was due, as decimal
 * digits of fixed width; a pattern that is known from it fills the rest. Pure. Any thread.
 */

enum {
    MARK_PUBLISHER_DIGITS = 8,
    MARK_SEQUENCE_DIGITS = 16,
    MARK_TIME_DIGITS = 16,
    MARK_LEN = MARK_PUBLISHER_DIGITS + MARK_SEQUENCE_DIGITS + MARK_TIME_DIGITS,
};

enum mark_pattern {
    MARK_LETTERS, /* the alphabet, over and over */
    MARK_JSON,    /* objects as an application might send them, others in each message */
};

/** The sequence number of a message that only asks whether a subscription is there yet. */
#define MARK_PROBE UINT64_C(9999999999999999)

struct mark {
    uint64_t publisher;
    uint64_t sequence; /* from 0, one row for each publisher */
    uint64_t time_ns;  /* since the run began: when it was sent, or due by the schedule */
};

/** Writes MARK_LEN bytes. Each number must fit its width. */
void mark_write(char *body, const struct mark *mark);

/** Writes the pattern behind the mark, which is there, of a body of `len` bytes. */
void mark_fill(char *body, size_t len, enum mark_pattern pattern);

/** Whether what stands behind the mark is the pattern; without a right mark it is not. */
bool mark_is_filled(struct slice body, enum mark_pattern pattern);

/* Eight digits at once: pairs, then fours, then the whole, in one word. */
static inline bool mark_digits_(const char *at, uint64_t *out)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word;

    memcpy(&word, at, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    /* A digit is 0x30 to 0x39: its high half is 3, also with 6 added to it (no carry then). */
    if ((word & (ones * 0xf0)) != ones * 0x30 || ((word + ones * 6) & (ones * 0xf0)) != ones * 0x30)
        return false;
    word &= ones * 0x0f;
    word = (word * 10 + (word >> 8)) & UINT64_C(0x00ff00ff00ff00ff);
    word = (word * 100 + (word >> 16)) & UINT64_C(0x0000ffff0000ffff);
    *out = (word * 10000 + (word >> 32)) & UINT64_C(0xffffffff);
    return true;
}

/** Reads MARK_LEN bytes. Returns false, with `*out` undefined, when one is no digit. */
static inline bool mark_read(const char *body, struct mark *out)
{
    const uint64_t eight_digits = 100000000;
    uint64_t word[5];

    for (size_t i = 0; i < 5; i++) {
        if (!mark_digits_(body + 8 * i, &word[i]))
            return false;
    }
    out->publisher = word[0];
    out->sequence = word[1] * eight_digits + word[2];
    out->time_ns = word[3] * eight_digits + word[4];
    return true;
}

#endif
