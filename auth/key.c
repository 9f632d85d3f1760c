#include "auth/key.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include "base/mem.h"

enum {
    RSA_BITS_MIN = 2048,
    RSA_BITS_MAX = 16384, /* what OpenSSL verifies with at all */
    KEY_FILE_MAX = 64 * 1024,
};

struct auth_key {
    enum auth_algorithm algorithm;
    struct slice secret; /* owned */
    EVP_PKEY *public_key;
};

static const char *const algorithm_names[] = {
    [AUTH_HS256] = "HS256",
    [AUTH_RS256] = "RS256",
    [AUTH_ES256] = "ES256",
};

const char *auth_algorithm_name(enum auth_algorithm algorithm)
{
    return algorithm_names[algorithm];
}

enum auth_status auth_algorithm_parse(struct slice name, enum auth_algorithm *out)
{
    for (size_t i = 0; i < sizeof(algorithm_names) / sizeof(algorithm_names[0]); i++) {
        if (slice_eq(name, slice_str(algorithm_names[i]))) {
            *out = (enum auth_algorithm)i;
            return AUTH_OK;
        }
    }
    return AUTH_ERR_ALGORITHM;
}

struct auth_key *auth_key_from_secret(struct slice secret, char **error)
{
    struct auth_key *key;

    if (secret.len < AUTH_SECRET_MIN) {
        *error = mem_printf("the secret has %zu bytes; HS256 needs at least %d", secret.len,
                            AUTH_SECRET_MIN);
        return NULL;
    }
    key = mem_calloc(1, sizeof(*key));
    key->algorithm = AUTH_HS256;
    key->secret = mem_slice_dup(secret);
    return key;
}

/** Names the algorithm that a public key fits, or says in `*error` why there is none. */
static enum auth_status algorithm_of(EVP_PKEY *public_key, enum auth_algorithm *out, char **error)
{
    int type = EVP_PKEY_get_base_id(public_key), bits = EVP_PKEY_get_bits(public_key);
    char group[64];

    if (type == EVP_PKEY_RSA) {
        if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX) {
            *error = mem_printf("the RSA key has %d bits; RS256 needs %d to %d", bits, RSA_BITS_MIN,
                                RSA_BITS_MAX);
            return AUTH_ERR_ALGORITHM;
        }
        *out = AUTH_RS256;
        return AUTH_OK;
    }
    if (type == EVP_PKEY_EC) {
        if (EVP_PKEY_get_group_name(public_key, group, sizeof(group), NULL) != 1 ||
            strcmp(group, "prime256v1") != 0) {
            *error = mem_strdup("the EC key is not on the curve P-256, which ES256 needs");
            return AUTH_ERR_ALGORITHM;
        }
        *out = AUTH_ES256;
        return AUTH_OK;
    }
    *error = mem_strdup("the key is neither RSA (RS256) nor EC on P-256 (ES256)");
    return AUTH_ERR_ALGORITHM;
}

/** OpenSSL's own check of the numbers: a point on the curve, a modulus and exponent that make
 * sense. */
static bool is_sound(EVP_PKEY *public_key)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(public_key, NULL);
    bool sound = ctx != NULL && EVP_PKEY_public_check(ctx) == 1;

    EVP_PKEY_CTX_free(ctx);
    return sound;
}

/** Takes the public key, which may be NULL. */
static struct auth_key *key_from_public(EVP_PKEY *public_key, char **error)
{
    struct auth_key *key = NULL;
    enum auth_algorithm algorithm;

    if (public_key == NULL) {
        *error = mem_strdup("the PEM block does not hold a public key that OpenSSL can read");
    } else if (algorithm_of(public_key, &algorithm, error) == AUTH_OK) {
        if (is_sound(public_key)) {
            key = mem_calloc(1, sizeof(*key));
            key->algorithm = algorithm;
            key->public_key = public_key;
            return key;
        }
        *error = mem_strdup("the public key is not a sound one");
    }
    EVP_PKEY_free(public_key);
    return NULL;
}

static EVP_PKEY *read_certificate(const unsigned char *der, long len)
{
    const unsigned char *pos = der;
    X509 *certificate = d2i_X509(NULL, &pos, len);
    EVP_PKEY *public_key = NULL;

    if (certificate != NULL && pos == der + len)
        public_key = X509_get_pubkey(certificate);
    X509_free(certificate);
    return public_key;
}

static EVP_PKEY *read_public_key(const unsigned char *der, long len)
{
    const unsigned char *pos = der;
    EVP_PKEY *public_key = d2i_PUBKEY(NULL, &pos, len);

    if (public_key != NULL && pos != der + len) {
        EVP_PKEY_free(public_key);
        return NULL;
    }
    return public_key;
}

/** Reads one block by the name in its first line. */
static struct auth_key *key_from_block(const char *name, const unsigned char *der, long len,
                                       char **error)
{
    if (strcmp(name, PEM_STRING_PUBLIC) == 0)
        return key_from_public(read_public_key(der, len), error);
    if (strcmp(name, PEM_STRING_X509) == 0)
        return key_from_public(read_certificate(der, len), error);
    if (slice_ends_with(slice_str(name), (struct slice)SLICE("PRIVATE KEY")))
        *error = mem_strdup("the file holds a private key; it should hold the public one");
    else
        *error = mem_printf("the PEM block is \"%.64s\", not PUBLIC KEY or CERTIFICATE", name);
    return NULL;
}

struct auth_key *auth_key_from_pem(struct slice pem, char **error)
{
    BIO *bio;
    char *name = NULL, *headers = NULL;
    unsigned char *der = NULL;
    long len = 0;
    struct auth_key *key = NULL;

    if (pem.len > KEY_FILE_MAX) {
        *error = mem_printf("the file is larger than %d bytes", KEY_FILE_MAX);
        return NULL;
    }
    bio = BIO_new_mem_buf(pem.len == 0 ? "" : pem.base, (int)pem.len);
    if (bio == NULL || PEM_read_bio(bio, &name, &headers, &der, &len) != 1)
        *error = mem_strdup("the file is not PEM");
    else
        key = key_from_block(name, der, len, error);
    OPENSSL_free(name);
    OPENSSL_free(headers);
    OPENSSL_free(der);
    BIO_free(bio);
    /* This thread's queue is shared with the TLS code, which takes what it finds for its own. */
    ERR_clear_error();
    return key;
}

struct auth_key *auth_key_from_file(const char *path, char **error)
{
    char *text = mem_alloc(KEY_FILE_MAX + 1);
    size_t len = 0;
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct auth_key *key = NULL;

    while (fd >= 0 && len < KEY_FILE_MAX + 1) {
        n = read(fd, text + len, KEY_FILE_MAX + 1 - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    if (fd < 0 || n < 0)
        *error = mem_printf("cannot read the file: %s", strerror(errno));
    else
        key = auth_key_from_pem(slice_of(text, len), error);
    if (fd >= 0)
        (void)close(fd);
    mem_free(text);
    return key;
}

void auth_key_free(struct auth_key *key)
{
    if (key == NULL)
        return;
    OPENSSL_cleanse((char *)key->secret.base, key->secret.len);
    mem_free((char *)key->secret.base);
    EVP_PKEY_free(key->public_key);
    mem_free(key);
}

enum auth_algorithm auth_key_algorithm(const struct auth_key *key)
{
    return key->algorithm;
}

struct slice auth_key_secret(const struct auth_key *key)
{
    return key->secret;
}

struct evp_pkey_st *auth_key_public(const struct auth_key *key)
{
    return key->public_key;
}
