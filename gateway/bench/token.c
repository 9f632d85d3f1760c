#include "gateway/bench/token.h"

#include <assert.h>
#include <openssl/hmac.h>
#include "base/base64.h"

enum { MAX_CLAIMS = 4096, HS256_LEN = 32 };

bool token_is_plain(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.base[i];

        if (c < ' ' || c > '~' || c == '"' || c == '\\')
            return false;
    }
    return true;
}

static bool append_encoded(struct buf *out, struct slice bytes)
{
    size_t len = base64_encoded_len(BASE64_URL, bytes.len);
    char *room = buf_reserve(out, len);

    if (room == NULL)
        return false;
    base64_encode(BASE64_URL, bytes, room);
    buf_commit(out, len);
    return true;
}

static bool append_text(struct buf *out, const char *name, struct slice text)
{
    return text.len == 0 || buf_printf(out, "\"%s\":\"%.*s\",", name, SLICE_FMT(text));
}

static bool append_claims(struct buf *out, const struct token *token)
{
    struct buf claims;
    bool fits;

    buf_init(&claims, MAX_CLAIMS);
    fits = buf_printf(&claims, "{") && append_text(&claims, "iss", token->issuer) &&
           append_text(&claims, "aud", token->audience) &&
           append_text(&claims, "sub", token->user) &&
           buf_printf(&claims, "\"exp\":%llu}", (unsigned long long)token->expires_s) &&
           append_encoded(out, buf_slice(&claims));
    buf_dispose(&claims);
    return fits;
}

bool token_write(struct buf *out, const struct token *token)
{
    static const struct slice head = SLICE("{\"alg\":\"HS256\",\"typ\":\"JWT\"}");
    size_t start = out->len;
    unsigned char sum[HS256_LEN];

    assert(token_is_plain(token->issuer) && token_is_plain(token->audience) &&
           token_is_plain(token->user));
    if (!append_encoded(out, head) || !buf_printf(out, ".") || !append_claims(out, token) ||
        HMAC(EVP_sha256(), token->secret.base, (int)token->secret.len,
             (const unsigned char *)out->base + start, out->len - start, sum, NULL) == NULL)
        return false;
    return buf_printf(out, ".") && append_encoded(out, slice_of((const char *)sum, sizeof(sum)));
}
