#include "auth/apikey.h"

#include <assert.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

struct auth_digest auth_apikey_digest(struct slice key)
{
    struct auth_digest digest;
    /* The empty slice may have no base. */
    const char *base = key.len == 0 ? "" : key.base;

    SHA256((const unsigned char *)base, key.len, digest.bytes);
    return digest;
}

int auth_apikey_find(const struct auth_digest *digests, size_t n_digests, struct slice key)
{
    struct auth_digest digest = auth_apikey_digest(key);
    unsigned found = UINT_MAX;

    assert(n_digests <= INT_MAX);
    for (size_t i = 0; i < n_digests; i++) {
        unsigned differs =
            (unsigned)CRYPTO_memcmp(digests[i].bytes, digest.bytes, sizeof(digest.bytes)) & 0xff;
        /* All ones when nothing differs, else 0: no branch on the outcome. */
        unsigned mask = 0U - ((differs - 1U) >> (sizeof(unsigned) * CHAR_BIT - 1));

        found = (found & ~mask) | ((unsigned)i & mask);
    }
    return found == UINT_MAX ? -1 : (int)found;
}
