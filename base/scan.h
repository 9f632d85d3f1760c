#ifndef BASE_SCAN_H
#define BASE_SCAN_H

#include <stdint.h>
#include <string.h>
#if defined(__SSE2__) && !defined(STOMPGATE_PORTABLE)
#include <emmintrin.h>
#endif

/*
 * Looking for a few kinds of bytes, a block at a time: 16 bytes with SSE2, else the 8 of a word.
 * Tests of a block are joined by `|`; of the outcome all that may be asked is whether any byte
 * passed and which is the first. (Of a word, what a test says of bytes behind its first hit may be
 * wrong.) STOMPGATE_PORTABLE asks for words: tests build both.
 *
 * Pure. Any thread.
 */

#if defined(__SSE2__) && !defined(STOMPGATE_PORTABLE)

enum { SCAN_BYTES = 16 };
typedef __m128i scan_block;

static inline scan_block scan_load(const void *at)
{
    return _mm_loadu_si128((const __m128i *)at);
}

/** Bytes that are `byte`. */
static inline scan_block scan_equal(scan_block block, char byte)
{
    return _mm_cmpeq_epi8(block, _mm_set1_epi8(byte));
}

/** Bytes below `limit`, which is ASCII, and those that are not ASCII. */
static inline scan_block scan_below_or_high(scan_block block, char limit)
{
    return _mm_cmplt_epi8(block, _mm_set1_epi8(limit));
}

/** Which byte is the first that passed, or SCAN_BYTES. */
static inline unsigned scan_first(scan_block passed)
{
    return (unsigned)__builtin_ctz((unsigned)_mm_movemask_epi8(passed) | 1U << SCAN_BYTES);
}

#else

enum { SCAN_BYTES = 8 };
typedef uint64_t scan_block;

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

static inline scan_block scan_equal(scan_block block, char byte)
{
    scan_block other = block ^ SCAN_ALL(byte);

    return (other - SCAN_ALL(1)) & ~other & SCAN_ALL(0x80);
}

static inline scan_block scan_below_or_high(scan_block block, char limit)
{
    return ((block - SCAN_ALL(limit)) | block) & SCAN_ALL(0x80);
}

static inline unsigned scan_first(scan_block passed)
{
    return passed == 0 ? SCAN_BYTES : (unsigned)__builtin_ctzll(passed) / 8;
}

#endif

#endif
