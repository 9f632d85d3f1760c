#ifndef BASE_TEMPLATE_H
#define BASE_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/buf.h"
#include "base/slice.h"

/*
 * Texts with places that values go into: `/topic/chat.{room}`. A place is a name in braces, of
 * one byte or more and without braces. A closing brace alone is text; an opening one cannot be.
 * What a value says is never read as a place. Pure. Any thread.
 */

enum template_status {
    TEMPLATE_OK,
    TEMPLATE_END,        /* nothing is left */
    TEMPLATE_ERR_OPEN,   /* an opening brace that none closes, or one inside a place */
    TEMPLATE_ERR_NO_NAME /* {} */
};

/** A run of text, or the name of a place. Borrowed from the template. */
struct template_piece {
    struct slice text;
    bool is_place;
};

/** A short English text for messages; never NULL. */
const char *template_strstatus(enum template_status status);

/**
 * Takes the next piece off the front of `*rest`.
 * Returns TEMPLATE_OK with `*out` set, TEMPLATE_END, or an error; with `*rest` where it was and
 * `*out` untouched but for TEMPLATE_OK.
 */
enum template_status template_next(struct slice *rest, struct template_piece *out)
    __attribute__((warn_unused_result));

/** The value of a place, or NULL when the name has none. Borrowed until the next call. */
typedef const struct slice *(*template_lookup)(const void *ctx, struct slice name);

/**
 * Appends the template to `out`, with the values in their places; a name without a value is an
 * empty text. The template must be one that template_next takes to its end.
 * Returns false, with `out` as it was, when that would pass its ceiling.
 */
bool template_fill(struct slice template, template_lookup lookup, const void *ctx, struct buf *out)
    __attribute__((warn_unused_result));

#endif
