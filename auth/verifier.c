#include "auth/verifier.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include "base/mem.h"

enum {
    SHA256_BYTES = 32,
    P256_SIGNATURE_BYTES = 64, /* r and s, 32 bytes each (RFC 7518, section 3.4) */
    P256_DER_MAX = 72,         /* two integers of up to 33 bytes, with a tag and a length each */
};

/** One of the two is set. */
struct context {
    EVP_MAC_CTX *mac;
    EVP_PKEY_CTX *public_key;
};

struct auth_verifier {
    const struct auth_keys *keys;
    EVP_MD *sha256;
    EVP_MD_CTX *digest;
    struct context *contexts;
};

static bool set_up_mac(EVP_MAC *hmac, const struct auth_key *key, EVP_MAC_CTX **out)
{
    struct slice secret = auth_key_secret(key);
    char name[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_end(),
    };

    *out = EVP_MAC_CTX_new(hmac);
    return *out != NULL &&
           EVP_MAC_init(*out, (const unsigned char *)secret.base, secret.len, params) == 1;
}

static bool set_up_public_key(EVP_MD *sha256, const struct auth_key *key, EVP_PKEY_CTX **out)
{
    *out = EVP_PKEY_CTX_new(auth_key_public(key), NULL);
    if (*out == NULL || EVP_PKEY_verify_init(*out) != 1 ||
        EVP_PKEY_CTX_set_signature_md(*out, sha256) != 1)
        return false;
    return auth_key_algorithm(key) != AUTH_RS256 ||
           EVP_PKEY_CTX_set_rsa_padding(*out, RSA_PKCS1_PADDING) == 1;
}

struct auth_verifier *auth_verifier_new(const struct auth_keys *keys, char **error)
{
    struct auth_verifier *v = mem_calloc(1, sizeof(*v));
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
    bool fine;

    v->keys = keys;
    v->contexts = mem_calloc(auth_keys_count(keys), sizeof(v->contexts[0]));
    v->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    v->digest = EVP_MD_CTX_new();
    fine = hmac != NULL && v->sha256 != NULL && v->digest != NULL;
    for (size_t i = 0; fine && i < auth_keys_count(keys); i++) {
        const struct auth_key *key = auth_keys_key(keys, i);

        if (auth_key_algorithm(key) == AUTH_HS256)
            fine = set_up_mac(hmac, key, &v->contexts[i].mac);
        else
            fine = set_up_public_key(v->sha256, key, &v->contexts[i].public_key);
    }
    EVP_MAC_free(hmac);
    if (!fine) {
        const char *reason = ERR_reason_error_string(ERR_peek_last_error());

        *error =
            mem_printf("OpenSSL cannot check tokens: %s", reason == NULL ? "no reason" : reason);
        ERR_clear_error();
        auth_verifier_free(v);
        return NULL;
    }
    return v;
}

void auth_verifier_free(struct auth_verifier *verifier)
{
    if (verifier == NULL)
        return;
    for (size_t i = 0; i < auth_keys_count(verifier->keys); i++) {
        EVP_MAC_CTX_free(verifier->contexts[i].mac);
        EVP_PKEY_CTX_free(verifier->contexts[i].public_key);
    }
    mem_free(verifier->contexts);
    EVP_MD_CTX_free(verifier->digest);
    EVP_MD_free(verifier->sha256);
    mem_free(verifier);
}

const struct auth_keys *auth_verifier_keys(const struct auth_verifier *verifier)
{
    return verifier->keys;
}

static bool check_mac(EVP_MAC_CTX *mac, struct slice bytes, struct slice signature)
{
    unsigned char expected[SHA256_BYTES];
    size_t len = 0;

    if (signature.len != SHA256_BYTES)
        return false;
    /* Without a key EVP_MAC_init starts over with the one it has. */
    if (EVP_MAC_init(mac, NULL, 0, NULL) != 1 ||
        EVP_MAC_update(mac, (const unsigned char *)bytes.base, bytes.len) != 1 ||
        EVP_MAC_final(mac, expected, &len, sizeof(expected)) != 1 || len != sizeof(expected))
        return false;
    return CRYPTO_memcmp(expected, signature.base, sizeof(expected)) == 0;
}

/** OpenSSL wants the two numbers as DER. Returns its length, or 0. */
static size_t der_signature(struct slice raw, unsigned char der[P256_DER_MAX])
{
    const unsigned char *bytes = (const unsigned char *)raw.base;
    ECDSA_SIG *signature = ECDSA_SIG_new();
    BIGNUM *r, *s;
    int len = 0;

    if (signature == NULL)
        return 0;
    r = BN_bin2bn(bytes, P256_SIGNATURE_BYTES / 2, NULL);
    s = BN_bin2bn(bytes + P256_SIGNATURE_BYTES / 2, P256_SIGNATURE_BYTES / 2, NULL);
    if (r != NULL && s != NULL && ECDSA_SIG_set0(signature, r, s) == 1) {
        len = i2d_ECDSA_SIG(signature, &der);
        assert(len <= P256_DER_MAX);
    } else {
        BN_free(r);
        BN_free(s);
    }
    ECDSA_SIG_free(signature);
    return len < 0 ? 0 : (size_t)len;
}

static bool check_public_key(struct auth_verifier *v, size_t i, struct slice bytes,
                             struct slice signature)
{
    unsigned char digest[SHA256_BYTES], der[P256_DER_MAX];
    const unsigned char *form = (const unsigned char *)signature.base;
    size_t len = signature.len;

    if (auth_key_algorithm(auth_keys_key(v->keys, i)) == AUTH_ES256) {
        if (signature.len != P256_SIGNATURE_BYTES)
            return false;
        len = der_signature(signature, der);
        form = der;
    }
    return len != 0 && EVP_DigestInit_ex2(v->digest, v->sha256, NULL) == 1 &&
           EVP_DigestUpdate(v->digest, bytes.base, bytes.len) == 1 &&
           EVP_DigestFinal_ex(v->digest, digest, NULL) == 1 &&
           EVP_PKEY_verify(v->contexts[i].public_key, form, len, digest, sizeof(digest)) == 1;
}

bool auth_verifier_check(struct auth_verifier *verifier, size_t i, struct slice bytes,
                         struct slice signature)
{
    bool right;

    assert(i < auth_keys_count(verifier->keys));
    if (verifier->contexts[i].mac != NULL)
        right = check_mac(verifier->contexts[i].mac, bytes, signature);
    else
        right = check_public_key(verifier, i, bytes, signature);
    /* This thread's queue is shared with the TLS code, which takes what it finds for its own. */
    if (!right)
        ERR_clear_error();
    return right;
}
