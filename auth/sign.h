#ifndef AUTH_SIGN_H
#define AUTH_SIGN_H

#include <stddef.h>
#include <stdint.h>
#include "auth/key.h"
#include "base/slice.h"

/*
 * Makes tokens for trying things out: a JSON Web Token (RFC 7519) signed with HS256. What a server
 * checks is auth/token.h. No clock. Any thread.
 */

/** What a token shall say. Empty slices leave a claim out. */
struct auth_claims {
    struct slice user;
    struct slice user_claim; /* the member that names the user; empty: "sub" */
    struct slice issuer;
    struct slice audience;
    uint64_t issued_at_s; /* since 1970 */
    uint64_t lifetime_s;  /* "exp" is so much later */
    struct slice extra;   /* members more, as the text of a JSON object */
};

/**
 * Signs a token. Borrows all for the call.
 * Returns it as a string owned by the caller (mem_free), or NULL with `*error` (owned by the
 * caller) when the key is not for HS256, the user is no valid name, the extra members are no JSON
 * object or have one of the names above again, or the whole is above AUTH_TOKEN_MAX.
 */
AUTH_MUST_CHECK
char *auth_sign(const struct auth_key *key, const struct auth_claims *claims, char **error);

#endif
