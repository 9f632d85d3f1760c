#ifndef BASE_ANT_H
#define BASE_ANT_H

#include <stdbool.h>
#include <stddef.h>
#include "base/slice.h"

/*
 * Ant-style patterns over paths of tokens joined by `/`, as Spring's AntPathMatcher reads them
 * with its defaults (case-sensitive, tokens not trimmed):
 *
 * - pattern and path both begin with `/`, or neither does; empty tokens do not count;
 * - a token `**` stands for any number of tokens, none included;
 * - within a token `?` is one character (of UTF-8), `*` any number, `{name}` any number;
 * - a last token that is just `*` also matches a missing token when the path ends with `/`;
 * - else the path ends with `/` when the pattern does, unless the last token is `**`.
 *
 * `{name:regex}` is not supported, nor are braces within braces. A pattern is immutable once made:
 * any thread. Matching allocates nothing and takes at most |pattern| * |path| steps.
 */

enum ant_status {
    ANT_OK,
    ANT_ERR_LENGTH, /* more than ANT_PATTERN_MAX bytes */
    ANT_ERR_BRACES, /* {name:regex}, or braces within braces */
};

/** The most bytes of a pattern: it bounds what comparing two patterns can cost. */
enum { ANT_PATTERN_MAX = 1024 };

struct ant_pattern;

/** A short English text for logs and messages; never NULL. */
const char *ant_strstatus(enum ant_status status);

/** Whether Spring treats a destination as a pattern: it has a `*`, a `?`, or a `{` before a `}`. */
bool ant_is_pattern(struct slice destination);

/**
 * Compiles a pattern; text without wildcards is one, too. Borrows `text` for the call.
 * Returns ANT_OK with `*out` owned by the caller, or an error with `*out` untouched.
 */
enum ant_status ant_pattern_new(struct slice text, struct ant_pattern **out)
    __attribute__((warn_unused_result));

/** NULL is fine. */
void ant_pattern_free(struct ant_pattern *pattern);

/** The pattern as it was written. Borrowed from the pattern. */
struct slice ant_pattern_text(const struct ant_pattern *pattern);

/** Whether the pattern matches the whole path. Wildcards in `path` are plain characters. */
bool ant_pattern_match(const struct ant_pattern *pattern, struct slice path);

/** Whether there is any path that both match. Exact. */
bool ant_pattern_intersects(const struct ant_pattern *a, const struct ant_pattern *b);

/**
 * Whether `outer` matches every path that `inner` matches. Never true when that is not so, but
 * false for some pairs where it is (a `**` of `inner` is only ever taken by one of `outer`).
 */
bool ant_pattern_covers(const struct ant_pattern *outer, const struct ant_pattern *inner);

#endif
