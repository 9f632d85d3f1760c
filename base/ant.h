#ifndef BASE_ANT_H
#define BASE_ANT_H

#include <stdbool.h>
#include <stddef.h>
#include "base/slice.h"

/*
 * Ant-style patterns over paths of tokens joined by a separator, as Spring's AntPathMatcher reads
 * them with its defaults (case-sensitive, tokens not trimmed):
 *
 * - pattern and path both begin with the separator, or neither does; empty tokens do not count;
 * - a token `**` stands for any number of tokens, none included;
 * - within a token `?` is one character (of UTF-8), `*` any number, `{name}` any number, and
 *   `{name:regex}` what that regular expression of Java matches (base/regex.h says what is taken);
 *   braces may stand within these braces, one level deep;
 * - a last token that is just `*` also matches a missing token when the path ends with the
 *   separator;
 * - else the path ends with it when the pattern does, unless the last token is `**`.
 *
 * A pattern is immutable once made: any thread. Matching takes at most |pattern| * |path| steps,
 * beside what it spends on regular expressions: each is bounded as in base/regex.h, and together
 * they may read 8 KiB, each token counting for 64 bytes more than it has. Where Spring, which reads
 * up to 1,000,000 characters for each token, throws an exception, the pattern does not match. Only
 * regular expressions and ant_pattern_extract allocate.
 */

enum ant_status {
    ANT_OK,
    ANT_ERR_LENGTH, /* more than ANT_PATTERN_MAX bytes */
    ANT_ERR_REGEX,  /* the regular expression of a {name:regex} is broken or not supported */
};

/** The most bytes of a pattern: it bounds what comparing two patterns can cost. */
enum { ANT_PATTERN_MAX = 1024 };

/** Spring's default. The other one in use is `.`: new AntPathMatcher("."). */
#define ANT_SEPARATOR '/'

struct ant_pattern;

/** A short English text for logs and messages; never NULL. */
const char *ant_strstatus(enum ant_status status);

/** Whether Spring treats a destination as a pattern: it has a `*`, a `?`, or a `{` before a `}`. */
bool ant_is_pattern(struct slice destination);

/**
 * Compiles a pattern; text without wildcards is one, too. Borrows `text` for the call. The
 * separator is one byte of ASCII that is no wildcard.
 * Returns ANT_OK with `*out` owned by the caller, or an error with `*out` untouched.
 */
enum ant_status ant_pattern_new(struct slice text, char separator, struct ant_pattern **out)
    __attribute__((warn_unused_result));

/** NULL is fine. */
void ant_pattern_free(struct ant_pattern *pattern);

/** The pattern as it was written. Borrowed from the pattern. */
struct slice ant_pattern_text(const struct ant_pattern *pattern);

/**
 * Whether the pattern matches the whole path. Wildcards in `path` are plain characters. Also false
 * when a limit of its regular expressions is reached.
 */
bool ant_pattern_match(const struct ant_pattern *pattern, struct slice path);

/**
 * As ant_pattern_match, but true when a limit is reached: for rules that forbid, which nobody shall
 * get past by a path that takes too long.
 */
bool ant_pattern_may_match(const struct ant_pattern *pattern, struct slice path);

/**
 * The names of its template variables, each once, in the order of the pattern; `*n` is how many.
 * Borrowed from the pattern.
 */
const struct slice *ant_pattern_variables(const struct ant_pattern *pattern, size_t *n);

/**
 * Whether ant_pattern_extract can ever succeed. Spring throws an exception instead of extracting
 * when a regular expression has capturing groups of its own, or a name begins with `*`.
 */
bool ant_pattern_can_extract(const struct ant_pattern *pattern);

/**
 * What the template variables stand for in a path, as AntPathMatcher.extractUriTemplateVariables
 * has it: `values` has room for one for each of ant_pattern_variables, and borrows from `path`. A
 * name that comes twice has one of its values, the same as in Spring.
 * Returns false, with `values` untouched, when the pattern does not match or cannot extract.
 */
bool ant_pattern_extract(const struct ant_pattern *pattern, struct slice path,
                         struct slice *values);

/**
 * Which of two patterns that match a path is the better one (AntPatternComparator): below 0 for
 * `a`, above 0 for `b`, 0 when neither is. Both have the same separator.
 */
int ant_pattern_compare(const struct ant_pattern *a, const struct ant_pattern *b,
                        struct slice path);

/**
 * Whether there is any path that both match. Never false when there is one, and exact but for
 * regular expressions: one is known to miss a literal token, or what its token has around it, and
 * is taken to meet all else. Always true for patterns with different separators.
 */
bool ant_pattern_intersects(const struct ant_pattern *a, const struct ant_pattern *b);

/**
 * Whether `outer` matches every path that `inner` matches. Never true when that is not so (a limit
 * of its regular expressions apart), but false for some pairs where it is: a `**` of `inner` is
 * only ever taken by one of `outer`, and a regular expression only covers the same token, or a
 * literal one. Always false for patterns with different separators.
 */
bool ant_pattern_covers(const struct ant_pattern *outer, const struct ant_pattern *inner);

#endif
