#ifndef GATEWAY_ROUTER_SELECTOR_H
#define GATEWAY_ROUTER_SELECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include "base/slice.h"

/*
 * A subscription's selector: a condition on the headers of a message, written in the part of
 * Spring's expression language that its DefaultSubscriptionRegistry can put to use:
 *
 *     headers.NAME, 'text', "text", 7, 0x7, 7.5, -7, true, false, null, ( ),
 *     == != < > <= >= (eq ne lt gt le ge), matches 'regex', ! (not), && (and), || (or)
 *
 * It means what it means in Spring, surprises included:
 *
 * - a header's value is a string: against a number it is never equal, always unequal, and in no
 *   order, which is an error;
 * - a header that is not there is null: equal to null, and before everything else in order;
 * - strings are ordered by their UTF-16 code units;
 * - where a boolean is wanted, "true", "on", "yes", "1" and "false", "off", "no", "0" are taken for
 *   one, in any case and with space around them; anything else is an error;
 * - `!` binds closer than a relation: `!headers.a == 'b'` is `(!headers.a) == 'b'`;
 * - the right side of `and` and `or` is looked at only when the left does not decide;
 * - `matches` is about the whole text; one that reaches a limit of base/regex.h is an error;
 * - a message is delivered when the whole is true: not when it is null or there was an error.
 *
 * What else Spring parses (indexing, arithmetic, methods, types, `?:` and so on) is refused, and so
 * is what it does not parse, where Spring forgets the selector and delivers everything.
 *
 * Immutable, counted by selector_ref and selector_unref: any thread.
 */

/** What bounds a selector that a peer sends, and the stack and time that it takes to evaluate. */
enum {
    SELECTOR_TEXT_MAX = 1024, /* bytes */
    SELECTOR_DEPTH_MAX = 32,  /* parentheses and `!` within each other */
    SELECTOR_STEPS_MAX = 128, /* operands and operators */
    SELECTOR_MATCHES_MAX = 8, /* regular expressions */
};

enum selector_status {
    SELECTOR_OK,
    SELECTOR_ERR_LENGTH,      /* more than SELECTOR_TEXT_MAX bytes */
    SELECTOR_ERR_SYNTAX,      /* Spring would not parse it either */
    SELECTOR_ERR_UNSUPPORTED, /* more of Spring's language than stands above */
    SELECTOR_ERR_DEPTH,
    SELECTOR_ERR_STEPS, /* more than SELECTOR_STEPS_MAX or SELECTOR_MATCHES_MAX */
    SELECTOR_ERR_REGEX, /* does not compile, or is too long */
};

struct selector;

/** Where a selector finds the headers of the message that it is asked about. */
struct selector_headers {
    /**
     * The value of a header as Spring's selectors see it: for `destination`, in any case, the
     * destination; else the first header of that very name among those that the publisher sent;
     * else what the broker itself knows by that name. Returns false when there is none.
     * `*value` is valid UTF-8 and is borrowed until selector_matches returns.
     */
    bool (*find)(void *ctx, struct slice name, struct slice *value);
    void *ctx;
};

/** A short English text for an ERROR frame and for logs; never NULL. */
const char *selector_strstatus(enum selector_status status);

/**
 * Parses a selector. Borrows `text`, which is valid UTF-8, for the call.
 * Returns SELECTOR_OK with `*out` holding one reference, or an error with `*out` untouched.
 */
enum selector_status selector_new(struct slice text, struct selector **out)
    __attribute__((warn_unused_result));

struct selector *selector_ref(struct selector *selector);

/** NULL is fine. */
void selector_unref(struct selector *selector);

/** The selector as it was written. Borrowed from it. */
struct slice selector_text(const struct selector *selector);

/** Whether a message with these headers is to be delivered. Allocates nothing of its own. */
bool selector_matches(const struct selector *selector, const struct selector_headers *headers);

#endif
