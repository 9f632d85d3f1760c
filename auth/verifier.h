#ifndef AUTH_VERIFIER_H
#define AUTH_VERIFIER_H

#include <stdbool.h>
#include <stddef.h>
#include "auth/keys.h"
#include "auth/status.h"
#include "base/slice.h"

/*
 * Checks signatures (RFC 7518, sections 3.2 to 3.4) with OpenSSL contexts that are set up once per
 * key, which is most of the cost of a check with a small key. Owning worker only; the keys below it
 * are shared.
 */

struct auth_verifier;

/**
 * Sets up a context for each key. Borrows `keys` until auth_verifier_free.
 * Returns NULL with `*error` (owned by the caller) when OpenSSL cannot do one of them.
 */
AUTH_MUST_CHECK
struct auth_verifier *auth_verifier_new(const struct auth_keys *keys, char **error);

/** NULL is fine. */
void auth_verifier_free(struct auth_verifier *verifier);

/** What auth_verifier_new borrowed. */
const struct auth_keys *auth_verifier_keys(const struct auth_verifier *verifier);

/**
 * Whether the i-th key made this signature of these bytes, by the key's own algorithm. Borrows
 * both for the call. A signature of the wrong length or form is false like any other wrong one.
 */
AUTH_MUST_CHECK
bool auth_verifier_check(struct auth_verifier *verifier, size_t i, struct slice bytes,
                         struct slice signature);

#endif
