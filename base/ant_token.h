#ifndef BASE_ANT_TOKEN_H
#define BASE_ANT_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/ant.h"
#include "base/regex.h"
#include "base/slice.h"

/*
 * One token of an Ant pattern: what stands between two separators (Spring's AntPathStringMatcher).
 * A part of base/ant: use that. Immutable once made: any thread.
 *
 * What a regular expression may cost is counted against a budget of bytes read, which a caller
 * begins with ANT_TOKEN_BUDGET; one that is used up gives REGEX_UNKNOWN.
 */

enum { ANT_TOKEN_BUDGET = 8192 };

enum ant_token_kind {
    ANT_TOKEN_LITERAL, /* bytes that must be equal */
    ANT_TOKEN_GLOB,    /* some wildcard in it */
    ANT_TOKEN_REGEX,   /* some {name:regex} in it */
    ANT_TOKEN_ANY,     /* any one token: nothing but stars and variables */
    ANT_TOKEN_TREE,    /* ** */
};

/** Read the fields, do not change them. */
struct ant_token {
    enum ant_token_kind kind;
    struct slice text;
    uint32_t *symbols; /* what it matches; for a REGEX at least that */
    size_t n_symbols;
    uint32_t *parts; /* as `symbols`, but each wildcard on its own; only with variables */
    size_t n_parts;
    struct slice *variables; /* their names, as they come; one may come twice */
    size_t n_variables;
    struct regex *regex;
};

/**
 * Compiles a token that is not empty. Borrows `text` until ant_token_dispose.
 * Returns ANT_OK, or ANT_ERR_REGEX with nothing to dispose of.
 */
enum ant_status ant_token_init(struct ant_token *token, struct slice text)
    __attribute__((warn_unused_result));

void ant_token_dispose(struct ant_token *token);

/** Whether it matches a path's token. A TREE matches any. */
enum regex_answer ant_token_match(const struct ant_token *token, struct slice text, size_t *budget);

/** Whether ant_token_capture can tell its variables apart, as Spring can. */
bool ant_token_can_capture(const struct ant_token *token);

/**
 * What each variable stands for in a text that the token matches, borrowed from it; `values` has
 * room for all. Only when ant_token_can_capture.
 * Returns REGEX_MATCH, or REGEX_UNKNOWN with `values` untouched.
 */
enum regex_answer ant_token_capture(const struct ant_token *token, struct slice text,
                                    struct slice *values, size_t *budget);

/** Whether any text matches both; true when that is not known. Not for a TREE. */
bool ant_token_intersects(const struct ant_token *a, const struct ant_token *b, size_t *budget);

/** Whether `a` matches all that `b` does; false when that is not known. Not for a TREE. */
bool ant_token_covers(const struct ant_token *a, const struct ant_token *b, size_t *budget);

#endif
