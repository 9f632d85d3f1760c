#include "auth/token.h"

#include <assert.h>
#include <math.h>
#include <jansson.h>
#include "base/base64.h"
#include "base/mem.h"

/** Bound of a number of seconds, far beyond any date and well inside int64_t as milliseconds. */
#define SECONDS_MAX INT64_C(9000000000000000)

/** A token taken apart. The slices point into the token, but the signature is decoded. */
struct parts {
    struct slice header;
    struct slice payload;
    struct slice signed_bytes; /* header, dot, payload, as they came */
    struct slice signature;
};

/** What the payload says of times, in milliseconds since 1970. */
struct times {
    int64_t expires_ms;
    int64_t not_before_ms;
    int64_t issued_ms;
};

static enum auth_status cut(struct slice token, char *signature, struct parts *out)
{
    struct slice rest, encoded;

    if (token.len > AUTH_TOKEN_MAX)
        return AUTH_ERR_LARGE;
    if (!slice_cut(token, '.', &out->header, &rest) ||
        !slice_cut(rest, '.', &out->payload, &encoded))
        return AUTH_ERR_FORM;
    out->signed_bytes = slice_take(token, out->header.len + 1 + out->payload.len);
    /* A fourth part fails here: a dot is no character of base64url. */
    if (!base64_decode(BASE64_URL, encoded, signature, &out->signature.len))
        return AUTH_ERR_FORM;
    out->signature.base = signature;
    return AUTH_OK;
}

/**
 * Whether no more than AUTH_JSON_DEPTH brackets are open at any point outside of strings. What is
 * no JSON at all may pass: the parser sees it next.
 */
static bool is_shallow(struct slice json)
{
    bool in_string = false;
    int depth = 0;

    for (size_t i = 0; i < json.len; i++) {
        char c = json.base[i];

        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '{' || c == '['))
            depth++;
        else if (!in_string && (c == '}' || c == ']'))
            depth--;
        if (depth > AUTH_JSON_DEPTH)
            return false;
    }
    return true;
}

/**
 * Decodes one part into a JSON object, which the caller owns; `error` is for one that is base64url
 * but no object. Jansson checks UTF-8 and refuses NUL in strings, also as an escape.
 */
static enum auth_status read_object(struct slice part, enum auth_status error, json_t **out)
{
    char text[AUTH_TOKEN_MAX + 3];
    size_t len;
    json_t *object;

    if (!base64_decode(BASE64_URL, part, text, &len))
        return AUTH_ERR_FORM;
    if (!is_shallow(slice_of(text, len)))
        return error;
    object = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(object)) {
        json_decref(object);
        return error;
    }
    *out = object;
    return AUTH_OK;
}

/** A string's bytes, borrowed from the value; false for any other type. */
static bool string_value(const json_t *value, struct slice *out)
{
    if (!json_is_string(value))
        return false;
    *out = slice_of(json_string_value(value), json_string_length(value));
    return true;
}

static bool is_jwt_type(struct slice type)
{
    struct slice prefix = SLICE("application/");

    /* RFC 7515, section 4.1.9: the prefix may be left out when no other slash follows. */
    if (slice_eq_nocase(slice_take(type, prefix.len), prefix))
        type = slice_skip(type, prefix.len);
    return slice_eq_nocase(type, (struct slice)SLICE("JWT")) ||
           slice_eq_nocase(type, (struct slice)SLICE("at+jwt"));
}

static enum auth_status judge_header(const json_t *header, enum auth_algorithm *algorithm)
{
    const json_t *type = json_object_get(header, "typ");
    struct slice text;

    if (json_object_get(header, "crit") != NULL)
        return AUTH_ERR_CRITICAL;
    if (type != NULL && (!string_value(type, &text) || !is_jwt_type(text)))
        return AUTH_ERR_TYPE;
    if (!string_value(json_object_get(header, "alg"), &text))
        return AUTH_ERR_HEADER;
    return auth_algorithm_parse(text, algorithm);
}

static enum auth_status read_header(struct slice part, enum auth_algorithm *algorithm)
{
    json_t *header;
    enum auth_status status = read_object(part, AUTH_ERR_HEADER, &header);

    if (status != AUTH_OK)
        return status;
    status = judge_header(header, algorithm);
    json_decref(header);
    return status;
}

/** Finds the key that made the signature among those that "iss" and "alg" allow. */
static enum auth_status choose_key(struct auth_verifier *verifier, const struct parts *parts,
                                   enum auth_algorithm algorithm, struct slice issuer, size_t *out)
{
    const struct auth_keys *keys = auth_verifier_keys(verifier);
    enum auth_status status = AUTH_ERR_ISSUER;

    for (size_t i = 0; i < auth_keys_count(keys); i++) {
        struct slice expected = auth_keys_issuer(keys, i)->issuer;

        if (expected.len != 0 && !slice_eq(expected, issuer))
            continue;
        if (auth_key_algorithm(auth_keys_key(keys, i)) != algorithm) {
            if (status == AUTH_ERR_ISSUER)
                status = AUTH_ERR_ALGORITHM;
            continue;
        }
        status = AUTH_ERR_SIGNATURE;
        if (auth_verifier_check(verifier, i, parts->signed_bytes, parts->signature)) {
            *out = i;
            return AUTH_OK;
        }
    }
    return status;
}

/** Reads a NumericDate, rounded down; `absent` when it is not there. False for other types. */
static bool read_date(const json_t *payload, const char *name, int64_t absent, int64_t *out_ms)
{
    const json_t *value = json_object_get(payload, name);

    if (value == NULL) {
        *out_ms = absent;
    } else if (json_is_integer(value)) {
        json_int_t seconds = json_integer_value(value);

        if (seconds > SECONDS_MAX)
            seconds = SECONDS_MAX;
        *out_ms = (seconds < -SECONDS_MAX ? -SECONDS_MAX : seconds) * 1000;
    } else if (json_is_real(value) && isfinite(json_real_value(value))) {
        double seconds =
            fmax(fmin(json_real_value(value), (double)SECONDS_MAX), -(double)SECONDS_MAX);

        *out_ms = (int64_t)floor(seconds * 1000);
    } else {
        return false;
    }
    return true;
}

static enum auth_status judge_times(const json_t *payload, uint64_t now_ms, uint32_t leeway_ms,
                                    struct times *out)
{
    int64_t now = now_ms > INT64_MAX / 2 ? INT64_MAX / 2 : (int64_t)now_ms;

    if (json_object_get(payload, "exp") == NULL ||
        !read_date(payload, "exp", 0, &out->expires_ms) ||
        !read_date(payload, "nbf", 0, &out->not_before_ms) ||
        !read_date(payload, "iat", 0, &out->issued_ms))
        return AUTH_ERR_CLAIM;
    /* RFC 7519, section 4.1.4: not accepted on or after "exp"; 4.1.5: not before "nbf". */
    if (now >= out->expires_ms + (int64_t)leeway_ms)
        return AUTH_ERR_EXPIRED;
    if (now + (int64_t)leeway_ms < out->not_before_ms || now + (int64_t)leeway_ms < out->issued_ms)
        return AUTH_ERR_EARLY;
    return AUTH_OK;
}

static bool is_wanted(const struct auth_issuer *issuer, struct slice audience)
{
    for (size_t i = 0; i < issuer->n_audiences; i++) {
        if (slice_eq(issuer->audiences[i], audience))
            return true;
    }
    return false;
}

/** "aud" is a string or an array of strings, also where nobody compares it. */
static enum auth_status judge_audience(const json_t *payload, const struct auth_issuer *issuer)
{
    const json_t *audience = json_object_get(payload, "aud");
    bool found = issuer->n_audiences == 0;
    struct slice text;

    if (json_is_array(audience)) {
        for (size_t i = 0; i < json_array_size(audience); i++) {
            if (!string_value(json_array_get(audience, i), &text))
                return AUTH_ERR_CLAIM;
            found = found || is_wanted(issuer, text);
        }
    } else if (audience != NULL) {
        if (!string_value(audience, &text))
            return AUTH_ERR_CLAIM;
        found = found || is_wanted(issuer, text);
    }
    return found ? AUTH_OK : AUTH_ERR_AUDIENCE;
}

bool auth_user_is_valid(struct slice user)
{
    if (user.len == 0 || user.len > AUTH_USER_MAX)
        return false;
    for (size_t i = 0; i < user.len; i++) {
        unsigned char c = (unsigned char)user.base[i];
        unsigned char next = i + 1 < user.len ? (unsigned char)user.base[i + 1] : 0;

        /* U+0080 to U+009F are 0xc2 and a byte below 0xa0. */
        if (c < 0x20 || c == 0x7f || (c == 0xc2 && next < 0xa0))
            return false;
    }
    return true;
}

/** Judges a payload whose signature is right. */
static enum auth_status judge_claims(const json_t *payload, const struct auth_issuer *issuer,
                                     uint64_t now_ms, struct slice *user, struct times *times)
{
    enum auth_status status = judge_times(payload, now_ms, issuer->leeway_ms, times);

    if (status == AUTH_OK)
        status = judge_audience(payload, issuer);
    if (status != AUTH_OK)
        return status;
    if (!string_value(json_object_getn(payload, issuer->user_claim.base, issuer->user_claim.len),
                      user) ||
        !auth_user_is_valid(*user))
        return AUTH_ERR_USER;
    return AUTH_OK;
}

static enum auth_status judge(struct auth_verifier *verifier, const struct parts *parts,
                              enum auth_algorithm algorithm, const json_t *payload, uint64_t now_ms,
                              struct auth_identity *out)
{
    const json_t *iss = json_object_get(payload, "iss");
    const struct auth_issuer *issuer;
    struct slice name = SLICE(""), user;
    enum auth_status status;
    struct times times;
    size_t i;

    if (iss != NULL && !string_value(iss, &name))
        return AUTH_ERR_CLAIM;
    status = choose_key(verifier, parts, algorithm, name, &i);
    if (status != AUTH_OK)
        return status;
    issuer = auth_keys_issuer(auth_verifier_keys(verifier), i);
    status = judge_claims(payload, issuer, now_ms, &user, &times);
    if (status != AUTH_OK)
        return status;
    *out = (struct auth_identity){
        .user = mem_slice_dup(user),
        .issuer = mem_slice_dup(name),
        /* It is above now_ms, or the token would have expired. */
        .expires_at_ms = (uint64_t)(times.expires_ms + (int64_t)issuer->leeway_ms),
    };
    return AUTH_OK;
}

enum auth_status auth_token_verify(struct auth_verifier *verifier, struct slice token,
                                   uint64_t now_ms, struct auth_identity *out)
{
    char signature[AUTH_TOKEN_MAX + 3];
    enum auth_algorithm algorithm;
    struct parts parts;
    json_t *payload;
    enum auth_status status = cut(token, signature, &parts);

    if (status == AUTH_OK)
        status = read_header(parts.header, &algorithm);
    if (status == AUTH_OK)
        status = read_object(parts.payload, AUTH_ERR_PAYLOAD, &payload);
    if (status != AUTH_OK)
        return status;
    status = judge(verifier, &parts, algorithm, payload, now_ms, out);
    json_decref(payload);
    return status;
}

void auth_identity_dispose(struct auth_identity *identity)
{
    mem_free((char *)identity->user.base);
    mem_free((char *)identity->issuer.base);
    *identity = (struct auth_identity){0};
}
