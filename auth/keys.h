#ifndef AUTH_KEYS_H
#define AUTH_KEYS_H

#include <stddef.h>
#include <stdint.h>
#include "auth/key.h"
#include "base/slice.h"

/*
 * The issuers that are trusted, each with its key and what its tokens must say. An issuer with two
 * keys (while it changes them) is added twice. Built once; immutable after that: any thread.
 */

/** What the tokens of one issuer must look like. */
struct auth_issuer {
    struct slice issuer;           /* must equal "iss"; empty: any, and none */
    struct slice user_claim;       /* the member that names the user; empty: "sub" */
    const struct slice *audiences; /* one of them must be in "aud"; none: not compared */
    size_t n_audiences;
    uint32_t leeway_ms; /* how wrong clocks may be, for exp, nbf and iat */
};

struct auth_keys;

/** An empty set, which trusts nobody. */
struct auth_keys *auth_keys_new(void);

/** NULL is fine. No verifier may be left that was made from it. */
void auth_keys_free(struct auth_keys *keys);

/** Adds an issuer. Copies `issuer` and what it points to; takes `key`. */
void auth_keys_add(struct auth_keys *keys, const struct auth_issuer *issuer, struct auth_key *key);

size_t auth_keys_count(const struct auth_keys *keys);

/** The i-th that was added; borrowed from the set. `user_claim` is never empty. */
const struct auth_issuer *auth_keys_issuer(const struct auth_keys *keys, size_t i);
const struct auth_key *auth_keys_key(const struct auth_keys *keys, size_t i);

#endif
