#ifndef AUTH_TOKEN_H
#define AUTH_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "auth/status.h"
#include "auth/verifier.h"
#include "base/slice.h"

/*
 * Reads a JSON Web Token (RFC 7519) in the compact form of a signed one (RFC 7515), strictly (RFC
 * 8725): three parts of canonical base64url; JSON without duplicate members; an algorithm that is
 * pinned to the issuer's key; no "crit"; "exp" required. Of the claims only "iss" is looked at
 * before the signature is checked, to choose the key. No clock, no I/O. Owning worker only, as the
 * verifier is.
 */

enum {
    AUTH_TOKEN_MAX = 8192, /* bytes of a token; it is decoded on the stack */
    AUTH_USER_MAX = 256,   /* bytes of a user name */
    AUTH_JSON_DEPTH = 16,  /* arrays and objects within each other */
};

/** Who the token says it is. Owns its slices, which are NUL-terminated as well. */
struct auth_identity {
    struct slice user;
    struct slice issuer;    /* "iss" as it stands in the token; empty when it has none */
    uint64_t expires_at_ms; /* since 1970: "exp" and the leeway; from then on it is refused */
};

/**
 * Checks a token at the time `now_ms` (milliseconds since 1970). Borrows `token` for the call.
 *
 * Returns AUTH_OK with `*out` set, which ends with auth_identity_dispose; any other status of
 * auth/status.h but AUTH_ERR_NO_TOKEN and AUTH_ERR_BEARER leaves `*out` untouched. Of several keys
 * that fit "iss" and "alg" the first that made the signature decides.
 */
AUTH_MUST_CHECK
enum auth_status auth_token_verify(struct auth_verifier *verifier, struct slice token,
                                   uint64_t now_ms, struct auth_identity *out);

/** Frees what it owns; it is then all zero, which is fine to dispose of, too. */
void auth_identity_dispose(struct auth_identity *identity);

/**
 * Whether a text may be a user name: 1 to AUTH_USER_MAX bytes and no control characters (U+0000 to
 * U+001F, U+007F to U+009F), which would forge headers. Expects UTF-8, and does not check it.
 */
bool auth_user_is_valid(struct slice user);

#endif
