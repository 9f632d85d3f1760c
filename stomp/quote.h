#ifndef STOMP_QUOTE_H
#define STOMP_QUOTE_H

#include <stddef.h>
#include "base/slice.h"

/*
 * A peer's text made fit to be repeated in an error message. Pure. Any thread.
 */

/** How much of a text the messages of this folder repeat; stomp_quote's dots and NUL fit behind. */
enum { STOMP_QUOTE_MAX = 120, STOMP_QUOTE_SIZE = STOMP_QUOTE_MAX + 4 };

/**
 * Writes at most `max` bytes of `text` to `out`, which has room for `max` + 4: valid UTF-8, cut at
 * a character's end and then followed by "...", a control character as '?', a NUL at the end. All
 * bytes above 127 are '?' when the text is not UTF-8. Returns `out`.
 */
const char *stomp_quote(struct slice text, size_t max, char *out);

#endif
