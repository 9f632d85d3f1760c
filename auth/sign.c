#include "auth/sign.h"

#include <stdbool.h>
#include <stdlib.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include "auth/token.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/mem.h"

enum { SHA256_BYTES = 32 };

/** Adds a member; takes `value`. False when the name is taken, or a text is not UTF-8. */
static bool add(json_t *object, struct slice name, json_t *value)
{
    if (json_object_getn(object, name.base, name.len) != NULL) {
        json_decref(value);
        return false;
    }
    return json_object_setn_new(object, name.base, name.len, value) == 0;
}

static bool add_text(json_t *object, const char *name, struct slice text)
{
    return text.len == 0 || add(object, slice_str(name), json_stringn(text.base, text.len));
}

static bool add_claims(json_t *payload, const struct auth_claims *claims)
{
    struct slice user_claim = claims->user_claim;
    uint64_t expires_at_s = claims->issued_at_s + claims->lifetime_s;

    if (user_claim.len == 0)
        user_claim = slice_str("sub");
    return add_text(payload, "iss", claims->issuer) &&
           add(payload, user_claim, json_stringn(claims->user.base, claims->user.len)) &&
           add_text(payload, "aud", claims->audience) &&
           add(payload, slice_str("iat"), json_integer((json_int_t)claims->issued_at_s)) &&
           add(payload, slice_str("exp"), json_integer((json_int_t)expires_at_s));
}

static bool add_extra(json_t *payload, struct slice text)
{
    json_t *extra = json_loadb(text.base, text.len, JSON_REJECT_DUPLICATES, NULL), *value;
    const char *name;
    bool fine = json_is_object(extra);

    if (fine) {
        json_object_foreach(extra, name, value) fine =
            fine && add(payload, slice_str(name), json_incref(value));
    }
    json_decref(extra);
    return fine;
}

/** The payload's JSON, to be freed with free(), or NULL with `*error`. */
static char *make_payload(const struct auth_claims *claims, char **error)
{
    json_t *payload = json_object();
    char *text = NULL;

    if (!auth_user_is_valid(claims->user))
        *error = mem_printf("the user name must have 1 to %d bytes and no control characters",
                            AUTH_USER_MAX);
    else if (claims->issued_at_s > INT32_MAX * UINT64_C(1000) ||
             claims->lifetime_s > INT32_MAX * UINT64_C(1000))
        *error = mem_strdup("the lifetime is too long");
    else if (!add_claims(payload, claims))
        *error = mem_strdup("a claim is not UTF-8, or the user claim has another claim's name");
    else if (claims->extra.len != 0 && !add_extra(payload, claims->extra))
        *error = mem_strdup("the extra claims are not a JSON object of other names, each once");
    else
        text = json_dumps(payload, JSON_COMPACT);
    json_decref(payload);
    return text;
}

/** Appends as base64url. */
static bool append_part(struct buf *out, struct slice bytes)
{
    size_t len = base64_encoded_len(BASE64_URL, bytes.len);
    char *room = buf_reserve(out, len);

    if (room == NULL)
        return false;
    base64_encode(BASE64_URL, bytes, room);
    buf_commit(out, len);
    return true;
}

char *auth_sign(const struct auth_key *key, const struct auth_claims *claims, char **error)
{
    const struct slice header = SLICE("{\"alg\":\"HS256\",\"typ\":\"JWT\"}");
    struct slice secret = auth_key_secret(key);
    unsigned char mac[SHA256_BYTES];
    struct buf token;
    char *payload;

    if (auth_key_algorithm(key) != AUTH_HS256) {
        *error = mem_strdup("only a secret can sign; the key is a public one");
        return NULL;
    }
    payload = make_payload(claims, error);
    if (payload == NULL)
        return NULL;
    buf_init(&token, AUTH_TOKEN_MAX + 1); /* with its NUL */
    if (append_part(&token, header) && buf_append(&token, slice_of(".", 1)) &&
        append_part(&token, slice_str(payload)) &&
        HMAC(EVP_sha256(), secret.base, (int)secret.len, (const unsigned char *)token.base,
             token.len, mac, NULL) != NULL &&
        buf_append(&token, slice_of(".", 1)) &&
        append_part(&token, slice_of((const char *)mac, sizeof(mac))) &&
        buf_append(&token, slice_of("", 1))) {
        free(payload);
        return token.base;
    }
    free(payload);
    buf_dispose(&token);
    *error = mem_printf("the token would be larger than %d bytes", AUTH_TOKEN_MAX);
    return NULL;
}
