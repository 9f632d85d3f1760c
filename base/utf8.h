#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"

/*
 * UTF-8 as RFC 3629 has it: shortest forms only, no surrogates, nothing above U+10FFFF. Fails at
 * the first byte that no valid text can continue with. Pure. Any thread.
 */

/** Where a text that comes in pieces stands; zeroed it is at the start of a text. */
struct utf8_state {
    uint8_t need; /* continuation bytes still missing */
    uint8_t low;  /* what the next byte may be, when need is not 0 */
    uint8_t high;
};

/** Reads on. Returns false when the bytes cannot be part of a valid text. */
bool utf8_feed(struct utf8_state *state, struct slice bytes) __attribute__((warn_unused_result));

/** Whether the text may end here: not inside a character. */
static inline bool utf8_is_complete(const struct utf8_state *state)
{
    return state->need == 0;
}

/** A whole text at once. */
bool utf8_is_valid(struct slice text);

#endif
