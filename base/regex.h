#ifndef BASE_REGEX_H
#define BASE_REGEX_H

#include <stdbool.h>
#include <stddef.h>
#include "base/slice.h"

/*
 * Regular expressions as java.util.regex reads them, over PCRE2: for texts that a peer wrote,
 * matched against texts that another peer wrote. So what can be costly is bounded (length, size
 * once compiled, steps and memory of a match), and reaching a bound is an answer, never a hang.
 *
 * Only what means the same in both is taken. Refused are what Java does not have (verbs, callouts,
 * recursion, conditions, comments, \K, \C, \N, \g) and what it reads in a way that PCRE2 cannot
 * follow: classes within classes and `&&`, the flags x, d and U, \p{java...}, \p{In...}, \0 octals,
 * \cX, references of two digits or to a group that is not there, a repetition of a repetition, a
 * look-behind of variable length, a class with more than 64 members beyond U+00FF.
 *
 * Java's defaults hold: \d \w \s \b and \p{Alpha} are ASCII, case counts, `.` does not match a
 * line's end (write (?s) for that) and `$` also stands before a last one. What is left of
 * difference: a line's end is also VT and FF, and (?i) folds case beyond ASCII, as (?iu) does in
 * Java.
 *
 * Immutable once made: any thread. A match allocates, and frees, a bounded scratch.
 */

enum regex_status {
    REGEX_OK,
    REGEX_ERR_SYNTAX, /* not a regular expression of Java, or not UTF-8, or refused (see above) */
    REGEX_ERR_LENGTH, /* more than REGEX_TEXT_MAX bytes, or more than REGEX_SIZE_MAX compiled */
};

enum {
    REGEX_TEXT_MAX = 4096,    /* bytes of an expression */
    REGEX_SIZE_MAX = 16384,   /* bytes that PCRE2 may compile it to */
    REGEX_SUBJECT_MAX = 2048, /* bytes of a text to be matched */
};

enum regex_answer {
    REGEX_MATCH,
    REGEX_NO_MATCH,
    REGEX_UNKNOWN, /* a limit was reached, or the subject is too long or not UTF-8 */
};

struct regex;

/** A short English text for logs and messages; never NULL. */
const char *regex_strstatus(enum regex_status status);

/**
 * Compiles an expression. Borrows `text` for the call.
 * Returns REGEX_OK with `*out` owned by the caller, or an error with `*out` untouched.
 */
enum regex_status regex_new(struct slice text, struct regex **out)
    __attribute__((warn_unused_result));

/** NULL is fine. */
void regex_free(struct regex *regex);

/**
 * Whether `text` closes what it opens (groups, classes, quotations) and nothing else, so that it
 * keeps to itself as a group of a larger expression. Says nothing of its syntax otherwise.
 */
bool regex_is_closed(struct slice text);

/** How many capturing groups it has. */
size_t regex_n_groups(const struct regex *regex);

/** Whether it matches the WHOLE subject, as Matcher.matches() does. Not known reads as no. */
bool regex_match(const struct regex *regex, struct slice subject);

/**
 * As regex_match, and tells no from not known. On REGEX_MATCH the first `n` groups stand in
 * `groups` (borrowed from `subject`; one that took no part is empty with a NULL base), else it is
 * untouched.
 */
enum regex_answer regex_capture(const struct regex *regex, struct slice subject,
                                struct slice *groups, size_t n);

#endif
