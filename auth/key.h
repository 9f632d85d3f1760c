#ifndef AUTH_KEY_H
#define AUTH_KEY_H

#include <stddef.h>
#include "auth/status.h"
#include "base/slice.h"

/*
 * What tokens are checked with: a shared secret, or a public key from a PEM file (RFC 7468). A key
 * is pinned to the one algorithm of RFC 7518 that it fits, so a token's header never chooses how
 * its signature is read. Immutable once made: any thread.
 */

enum auth_algorithm {
    AUTH_HS256, /* HMAC with SHA-256: a secret of at least 32 bytes */
    AUTH_RS256, /* RSASSA-PKCS1-v1_5 with SHA-256: RSA of at least 2048 bits */
    AUTH_ES256, /* ECDSA on P-256 with SHA-256 */
};

/** RFC 7518, section 3.2: no shorter than the hash. */
enum { AUTH_SECRET_MIN = 32 };

struct auth_key;
struct evp_pkey_st; /* OpenSSL's EVP_PKEY */

/** The name as "alg" has it. */
const char *auth_algorithm_name(enum auth_algorithm algorithm);

/** Reads a name of "alg", exactly. Returns AUTH_OK or AUTH_ERR_ALGORITHM with `*out` untouched. */
AUTH_MUST_CHECK
enum auth_status auth_algorithm_parse(struct slice name, enum auth_algorithm *out);

/**
 * A key for HS256; copies the secret, and wipes the copy at the end.
 * Returns NULL with `*error` (owned by the caller, ends with mem_free) when it is too short.
 */
AUTH_MUST_CHECK
struct auth_key *auth_key_from_secret(struct slice secret, char **error);

/**
 * The first `PUBLIC KEY` or `CERTIFICATE` block of a PEM text; of a certificate only the key
 * counts, not its dates or issuer. Borrows `pem` for the call.
 * Returns NULL with `*error` (owned by the caller) when there is none, or it is not a sound RSA
 * key of at least 2048 bits or a key on P-256.
 */
AUTH_MUST_CHECK
struct auth_key *auth_key_from_pem(struct slice pem, char **error);

/** auth_key_from_pem for a file of at most 64 KiB; `*error` then names no path. */
AUTH_MUST_CHECK
struct auth_key *auth_key_from_file(const char *path, char **error);

/** NULL is fine. */
void auth_key_free(struct auth_key *key);

enum auth_algorithm auth_key_algorithm(const struct auth_key *key);

/** The secret of an HS256 key, else empty. Borrowed from the key. */
struct slice auth_key_secret(const struct auth_key *key);

/** The public key of any other, else NULL. Borrowed from the key. */
struct evp_pkey_st *auth_key_public(const struct auth_key *key);

#endif
