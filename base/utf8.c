#include "base/utf8.h"

#include <string.h>
#include "base/word.h"

/* One per byte that is not ASCII. */
#define HIGH_BITS WORD_OF(0x80)

/* Little-endian whatever the machine, so that the lowest bits are the first byte. */
static inline uint64_t load_le64(const unsigned char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* The first byte that is not ASCII, or `end`. */
static const unsigned char *skip_ascii(const unsigned char *at, const unsigned char *end)
{
    while (end - at >= 16 && ((load_le64(at) | load_le64(at + 8)) & HIGH_BITS) == 0)
        at += 16;
    while (end - at >= 8) {
        uint64_t high = load_le64(at) & HIGH_BITS;

        if (high != 0)
            return at + __builtin_ctzll(high) / 8;
        at += 8;
    }
    while (at < end && *at < 0x80)
        at++;
    return at;
}

/*
 * Most of what is not ASCII is runs of three-byte characters (Hangul, kana, Han): takes as many
 * of them as are whole and in no special range, and leaves the rest to those who are exact.
 */
static const unsigned char *skip_three_byte_run(const unsigned char *at, const unsigned char *end)
{
    while (end - at >= 3 && at[0] > 0xe0 && at[0] < 0xf0 && (at[1] & 0xc0) == 0x80 &&
           (at[2] & 0xc0) == 0x80 && (at[0] != 0xed || at[1] < 0xa0))
        at += 3;
    return at;
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

bool utf8_feed(struct utf8_state *state, struct slice bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.base;
    const unsigned char *end;

    if (bytes.len == 0)
        return true;
    end = at + bytes.len;
    while (at < end) {
        if (state->need == 0) {
            at = skip_ascii(at, end);
            at = skip_three_byte_run(at, end);
            if (at == end)
                return true;
            if (*at < 0x80)
                continue;
            if (!begin_character(state, *at++))
                return false;
        }
        while (state->need != 0 && at < end) {
            if (*at < state->low || *at > state->high)
                return false;
            state->low = 0x80;
            state->high = 0xbf;
            state->need--;
            at++;
        }
    }
    return true;
}

bool utf8_is_valid(struct slice text)
{
    struct utf8_state state = {0};

    return utf8_feed(&state, text) && utf8_is_complete(&state);
}
