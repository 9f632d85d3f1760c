#ifndef GATEWAY_BENCH_TOKEN_H
#define GATEWAY_BENCH_TOKEN_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/slice.h"

/*
 * Bearer tokens for clients that each are a user of their own: JSON Web Tokens signed with HS256
 * (RFC 7515, RFC 7519). Pure. Any thread.
 */

struct token {
    struct slice secret;
    struct slice issuer;   /* "iss"; empty: none */
    struct slice audience; /* "aud"; empty: none */
    struct slice user;     /* "sub" */
    uint64_t expires_s;    /* "exp" */
};

/** Whether a text needs no escape in JSON, as token_write wants it. */
bool token_is_plain(struct slice text);

/** Appends the token; all texts must be plain. Returns false when it does not fit. */
bool token_write(struct buf *out, const struct token *token) __attribute__((warn_unused_result));

#endif
