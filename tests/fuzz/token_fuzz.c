#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include "auth/bearer.h"
#include "auth/sign.h"
#include "auth/token.h"
#include "base/base64.h"
#include "base/mem.h"

/*
 * Input: a first byte, then the rest of the way that it names.
 *
 *   t  a token as it is: unless it is one of the seeds, its signature is wrong
 *   p  a payload, which gets a good header and signature
 *   h  a header, which gets a good payload and signature
 *   c  a user and, behind a newline, extra claims: what we sign, we accept
 *   b  the value of an Authorization header, and a query
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SECRET_BYTES = 32 };

static const char secret[] = "an-hmac-secret-of-thirty-two-by+";
static const uint64_t now_ms = UINT64_C(1700000000000);

static void check(bool claim)
{
    if (!claim)
        abort();
}

static struct auth_key *secret_key(void)
{
    char *error;
    struct auth_key *key = auth_key_from_secret(slice_of(secret, SECRET_BYTES), &error);

    check(key != NULL);
    return key;
}

static void verify(struct slice token, bool must_pass)
{
    struct auth_keys *keys = auth_keys_new();
    struct auth_identity who = {0};
    struct auth_verifier *verifier;
    enum auth_status status;
    char *error;

    auth_keys_add(keys, &(struct auth_issuer){0}, secret_key());
    verifier = auth_verifier_new(keys, &error);
    check(verifier != NULL);
    status = auth_token_verify(verifier, token, now_ms, &who);
    if (status == AUTH_OK) {
        check(auth_user_is_valid(who.user));
        check(memchr(who.user.base, '\n', who.user.len) == NULL);
        check(who.expires_at_ms > now_ms);
    } else {
        check(who.user.base == NULL && who.expires_at_ms == 0);
    }
    check(status == AUTH_OK || !must_pass);
    auth_identity_dispose(&who);
    auth_verifier_free(verifier);
    auth_keys_free(keys);
}

/** Joins header and payload as they are, good JSON or not, and signs them. */
static void verify_signed(struct slice header, struct slice payload)
{
    size_t n_header = base64_encoded_len(BASE64_URL, header.len);
    size_t n_payload = base64_encoded_len(BASE64_URL, payload.len);
    size_t n = n_header + 1 + n_payload;
    char *token = mem_alloc(n + 1 + 43);
    unsigned char mac[32];
    unsigned len = 0;

    base64_encode(BASE64_URL, header, token);
    token[n_header] = '.';
    base64_encode(BASE64_URL, payload, token + n_header + 1);
    check(HMAC(EVP_sha256(), secret, SECRET_BYTES, (const unsigned char *)token, n, mac, &len) !=
          NULL);
    token[n] = '.';
    base64_encode(BASE64_URL, slice_of((const char *)mac, len), token + n + 1);
    verify(slice_of(token, n + 1 + 43), false);
    mem_free(token);
}

static void verify_our_own(struct slice input)
{
    struct auth_claims claims = {.user = input, .issued_at_s = 1700000000, .lifetime_s = 60};
    struct auth_key *key = secret_key();
    char *error = NULL, *token;

    (void)slice_cut(input, '\n', &claims.user, &claims.extra);
    token = auth_sign(key, &claims, &error);
    if (token != NULL) {
        /* An extra "nbf" or the like may be anything. */
        verify(slice_str(token), claims.extra.len == 0);
        mem_free(token);
    } else {
        check(error != NULL);
        mem_free(error);
    }
    auth_key_free(key);
}

static void find_bearer(struct slice input)
{
    struct slice token = SLICE("");
    char room[64];

    if (auth_bearer_from_header(input, &token) == AUTH_OK)
        check(token.len != 0 && token.base + token.len <= input.base + input.len);
    if (auth_bearer_from_query(input, slice_str("access_token"), room, sizeof(room), &token) ==
        AUTH_OK)
        check(token.len != 0 && token.len <= sizeof(room));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of((const char *)data, size);

    if (size == 0)
        return 0;
    input = slice_skip(input, 1);
    switch (data[0]) {
    case 't':
        verify(input, false);
        break;
    case 'p':
        verify_signed(slice_str("{\"alg\":\"HS256\"}"), input);
        break;
    case 'h':
        verify_signed(input, slice_str("{\"sub\":\"alice\",\"exp\":1700000060}"));
        break;
    case 'c':
        verify_our_own(input);
        break;
    default:
        find_bearer(input);
        break;
    }
    return 0;
}
