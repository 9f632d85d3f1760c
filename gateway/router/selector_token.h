#ifndef GATEWAY_ROUTER_SELECTOR_TOKEN_H
#define GATEWAY_ROUTER_SELECTOR_TOKEN_H

#include <stdbool.h>
#include "base/slice.h"

/*
 * The tokens of a selector, as Spring's expression language has them (Tokenizer); those that the
 * gateway's selectors have no use for are told apart only as far as it takes to say whether Spring
 * would have gone on. Pure. Any thread.
 */

enum selector_token_kind {
    SELECTOR_TOKEN_END,
    SELECTOR_TOKEN_WORD,
    SELECTOR_TOKEN_STRING, /* with its quotes */
    SELECTOR_TOKEN_NUMBER, /* one that Java can hold; without a sign */
    SELECTOR_TOKEN_DOT,
    SELECTOR_TOKEN_OPEN,
    SELECTOR_TOKEN_CLOSE,
    SELECTOR_TOKEN_MINUS,
    SELECTOR_TOKEN_PLUS,
    SELECTOR_TOKEN_NOT,
    SELECTOR_TOKEN_AND,
    SELECTOR_TOKEN_OR,
    SELECTOR_TOKEN_EQ,
    SELECTOR_TOKEN_NE,
    SELECTOR_TOKEN_LT,
    SELECTOR_TOKEN_GT,
    SELECTOR_TOKEN_LE,
    SELECTOR_TOKEN_GE,
    SELECTOR_TOKEN_INFIX,  /* can stand behind an operand in Spring, or in front of one */
    SELECTOR_TOKEN_PREFIX, /* can only begin an operand in Spring */
    SELECTOR_TOKEN_OTHER,  /* can do neither */
    SELECTOR_TOKEN_BAD,    /* no token: a wrong number, an open string, any other character */
};

struct selector_token {
    enum selector_token_kind kind;
    bool is_word;      /* also of an operator that is a word: it can name a header, too */
    struct slice text; /* borrowed; of BAD at least the first byte */
};

/** The first token of the text, behind white space; the rest is what comes after its text. */
struct selector_token selector_token_read(struct slice text);

#endif
