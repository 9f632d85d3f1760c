#include "base/utf8.h"

#include <string.h>
#if defined(__SSE2__) && !defined(STOMPGATE_PORTABLE)
#include <emmintrin.h>
#endif

enum {
    BLOCK = 16,
    STRIDE = 64, /* four of them at once */
    BEHIND = 3,  /* so many bytes before a block may still have a say in it */
};

/* Vectors of GCC and clang: one instruction or two a line on SSE2 and NEON. Comparisons give bytes
 * of all ones or zeros. */
typedef int8_t block __attribute__((vector_size(BLOCK)));
typedef uint64_t halves __attribute__((vector_size(BLOCK)));

static inline block load(const unsigned char *at)
{
    block bytes;

    memcpy(&bytes, at, sizeof(bytes));
    return bytes;
}

static inline block equal(block bytes, uint8_t byte)
{
    return bytes == (int8_t)byte;
}

/* In the highest bits only: not ASCII, and at least that. Other bits say nothing. */
static inline block at_least(block bytes, uint8_t byte)
{
    return (bytes > (int8_t)(byte - 1)) & bytes;
}

/* What is below, of bytes that are not ASCII; ASCII is not. */
static inline block below(block bytes, uint8_t byte)
{
    return bytes < (int8_t)byte;
}

static inline bool has_high_bit(block bytes)
{
#if defined(__SSE2__) && !defined(STOMPGATE_PORTABLE)
    return _mm_movemask_epi8((__m128i)bytes) != 0;
#else
    halves words = (halves)bytes;

    return ((words[0] | words[1]) & 0x8080808080808080U) != 0;
#endif
}

/*
 * Whether all bytes of a block can stand where they stand; the BEHIND bytes before it are of the
 * same text, and good. By the table of RFC 3629, section 4: bytes 80 to BF are just where a first
 * byte of two, three or four bytes before asks for them; four of those ask for more of the byte
 * right behind them; and some are never right.
 */
static inline bool is_good_block(const unsigned char *at)
{
    block bytes = load(at), first = load(at - 1);
    block asked =
        at_least(first, 0xc0) | at_least(load(at - 2), 0xe0) | at_least(load(at - 3), 0xf0);
    block below_a0 = below(bytes, 0xa0), below_90 = below(bytes, 0x90);
    block wrong = asked ^ below(bytes, 0xc0);

    wrong |= equal(first, 0xe0) & below_a0; /* fewer bytes would do */
    wrong |= equal(first, 0xf0) & below_90;
    wrong |= equal(first, 0xed) & ~below_a0; /* surrogates */
    wrong |= equal(first, 0xf4) & ~below_90; /* past U+10FFFF */
    wrong |= equal(bytes & (int8_t)0xfe, 0xc0) | at_least(bytes, 0xf5);
    return !has_high_bit(wrong);
}

/* Where the character begins that is not complete before `at`, or `at`. */
static inline const unsigned char *begin_of_open(const unsigned char *at)
{
    if (at[-1] >= 0xc0)
        return at - 1;
    if (at[-2] >= 0xe0)
        return at - 2;
    return at[-3] >= 0xf0 ? at - 3 : at;
}

/* To the end, or to a block that is not all ASCII. There is a block before the end. */
static const unsigned char *skip_ascii(const unsigned char *at, const unsigned char *end)
{
    while (end - at >= STRIDE && !has_high_bit(load(at) | load(at + BLOCK) | load(at + STRIDE / 2) |
                                               load(at + STRIDE - BLOCK)))
        at += STRIDE;
    while (end - at >= BLOCK) {
        if (has_high_bit(load(at)))
            return at;
        at += BLOCK;
    }
    return has_high_bit(load(end - BLOCK)) ? at : end;
}

/*
 * Reads from `at` to the end, before which there are BEHIND bytes and a block. Returns where the
 * character begins that is not complete, or the end; NULL when a byte is wrong.
 */
static const unsigned char *read_blocks(const unsigned char *at, const unsigned char *end)
{
    while (end - at >= BLOCK) {
        if (!is_good_block(at))
            return NULL;
        at += BLOCK;
        if (end - at >= BLOCK && !has_high_bit(load(at)) && begin_of_open(at) == at)
            at = skip_ascii(at + BLOCK, end);
    }
    /* The last bytes, and some once more. */
    if (at != end && !is_good_block(end - BLOCK))
        return NULL;
    return begin_of_open(end);
}

/* RFC 3629, section 4: what the first byte says of the next ones. */
static bool begin_character(struct utf8_state *state, unsigned char lead)
{
    if (lead < 0xc2 || lead > 0xf4)
        return false;
    *state = (struct utf8_state){.need = 1, .low = 0x80, .high = 0xbf};
    if (lead >= 0xf0) {
        state->need = 3;
        if (lead == 0xf0)
            state->low = 0x90; /* below: fewer bytes would do */
        else if (lead == 0xf4)
            state->high = 0x8f; /* above: past U+10FFFF */
    } else if (lead >= 0xe0) {
        state->need = 2;
        if (lead == 0xe0)
            state->low = 0xa0;
        else if (lead == 0xed)
            state->high = 0x9f; /* above: surrogates */
    }
    return true;
}

/* One byte after the other. */
static bool feed_bytes(struct utf8_state *state, const unsigned char *at, const unsigned char *end)
{
    for (; at < end; at++) {
        if (state->need != 0) {
            if (*at < state->low || *at > state->high)
                return false;
            state->low = 0x80;
            state->high = 0xbf;
            state->need--;
        } else if (*at >= 0x80 && !begin_character(state, *at)) {
            return false;
        }
    }
    return true;
}

bool utf8_feed(struct utf8_state *state, struct slice bytes)
{
    const unsigned char *begin = (const unsigned char *)bytes.base, *at = begin, *end;

    if (bytes.len < BEHIND + BLOCK)
        return bytes.len == 0 || feed_bytes(state, at, at + bytes.len);
    end = at + bytes.len;
    if (state->need == 0)
        at = skip_ascii(at, end);
    if (at == end)
        return true;
    if (at == begin) {
        if (!feed_bytes(state, at, at + BEHIND))
            return false;
        at += BEHIND;
    }
    at = read_blocks(at, end);
    if (at == NULL)
        return false;
    *state = (struct utf8_state){0};
    return feed_bytes(state, at, end);
}

bool utf8_is_valid(struct slice text)
{
    struct utf8_state state = {0};

    return utf8_feed(&state, text) && utf8_is_complete(&state);
}
