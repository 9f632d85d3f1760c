#ifndef BASE_SCAN_H
#define BASE_SCAN_H

#include <stdint.h>
#include <string.h>
#if defined(__SSE2__) && !defined(STOMPGATE_PORTABLE)
#include <emmintrin.h>
#endif

/*
 * Looking for a few kinds of bytes, a block at a time: 16 bytes with SSE2, else the 8 of a word.
 * A test of a block gives a mask; of a mask of several tests joined by `|` all that may be asked is
 * whether it is 0 (no byte passed) and which byte is the first (in a word, what a test says of the
 * bytes behind its first hit may be wrong). STOMPGATE_PORTABLE asks for the words: tests build both.
 *
 * Pure. Any thread.
 */

#if defined(__SSE2__) && !defined(STOMPGATE_PORTABLE)

enum { SCAN_BYTES = 16 };
typedef __m128i scan_block;
typedef uint32_t scan_mask;

static inline scan_block scan_load(const void *at)
{
    return _mm_loadu_si128((const __m128i *)at);
}

/** Bytes that are `byte`. */
static inline scan_mask scan_equal(scan_block block, char byte)
{
    return (scan_mask)_mm_movemask_epi8(_mm_cmpeq_epi8(block, _mm_set1_epi8(byte)));
}

/** Bytes that are not ASCII. */
static inline scan_mask scan_high(scan_block block)
{
    return (scan_mask)_mm_movemask_epi8(block);
}

/** Bytes below `limit`, which is ASCII, and those that are not ASCII. */
static inline scan_mask scan_below_or_high(scan_block block, char limit)
{
    return (scan_mask)_mm_movemask_epi8(_mm_cmplt_epi8(block, _mm_set1_epi8(limit)));
}

/** The place in its block of the first byte of a mask that is not 0. */
static inline unsigned scan_first(scan_mask mask)
{
    return (unsigned)__builtin_ctz(mask);
}

#else

enum { SCAN_BYTES = 8 };
typedef uint64_t scan_block;
typedef uint64_t scan_mask;

#define SCAN_ALL(byte) (UINT64_C(0x0101010101010101) * (unsigned char)(byte))

/* Little-endian whatever the machine, so that the lowest bits are the first byte. */
static inline scan_block scan_load(const void *at)
{
    scan_block block;

    memcpy(&block, at, sizeof(block));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    block = __builtin_bswap64(block);
#endif
    return block;
}

static inline scan_mask scan_high(scan_block block)
{
    return block & SCAN_ALL(0x80);
}

static inline scan_mask scan_below_or_high(scan_block block, char limit)
{
    return ((block - SCAN_ALL(limit)) | block) & SCAN_ALL(0x80);
}

static inline scan_mask scan_equal(scan_block block, char byte)
{
    scan_block other = block ^ SCAN_ALL(byte);

    return (other - SCAN_ALL(1)) & ~other & SCAN_ALL(0x80);
}

static inline unsigned scan_first(scan_mask mask)
{
    return (unsigned)__builtin_ctzll(mask) / 8;
}

#endif

#endif
