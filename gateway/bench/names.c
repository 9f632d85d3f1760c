#include "gateway/bench/names.h"

#include <time.h>
#include "gateway/bench/handshake.h"
#include "gateway/bench/token.h"

enum {
    MAX_HEADERS = 256 * 1024,
    TOKEN_LIFE_S = 24 * 60 * 60, /* longer than any run */
};

/* Appends the text, the user's name in place of each OPTIONS_USER. */
static bool append_named(struct buf *out, const char *text, const char *user)
{
    struct slice left = slice_str(text), placeholder = slice_str(OPTIONS_USER);

    while (user != NULL && left.len != 0) {
        size_t at = 0;

        while (at < left.len && !slice_starts_with(slice_skip(left, at), placeholder))
            at++;
        if (!buf_append(out, slice_take(left, at)) ||
            (at < left.len && !buf_append(out, slice_str(user))))
            return false;
        left = slice_skip(left, at + placeholder.len);
    }
    return buf_append(out, left);
}

static bool append_lines(struct buf *out, const struct options_list *headers, const char *end,
                         const char *user)
{
    for (size_t i = 0; i < headers->n_items; i++) {
        if (!append_named(out, headers->items[i], user) || !buf_append(out, slice_str(end)))
            return false;
    }
    return true;
}

static bool append_token(struct buf *out, const struct options *options, const char *user)
{
    const struct token token = {
        .secret = slice_str(options->secret),
        .issuer = slice_str(options->issuer),
        .audience = slice_str(options->audience),
        .user = slice_str(user),
        .expires_s = (uint64_t)time(NULL) + TOKEN_LIFE_S,
    };

    if (options->secret != NULL && user != NULL)
        return token_write(out, &token);
    return options->token == NULL || append_named(out, options->token, user);
}

struct extension_offer names_offer(const struct options *options)
{
    return (struct extension_offer){
        .has_deflate = options->has_deflate,
        .has_takeover = options->has_takeover,
        .window_bits = (unsigned)options->deflate_bits,
    };
}

bool names_write_upgrade(struct buf *out, const struct options *options, const char *user)
{
    struct handshake_request request = {
        .host = options->host == NULL ? options->target.authority : slice_str(options->host),
        .path = options->target.path,
        .extension = names_offer(options),
    };
    struct buf token, headers;
    bool fits;

    buf_init(&token, MAX_HEADERS);
    buf_init(&headers, MAX_HEADERS);
    fits = append_token(&token, options, user) &&
           append_lines(&headers, &options->http_headers, "\r\n", user);
    request.token = buf_slice(&token);
    request.extra_headers = buf_slice(&headers);
    fits = fits && handshake_write(out, &request);
    buf_dispose(&token);
    buf_dispose(&headers);
    return fits;
}

bool names_write_connect(struct buf *out, const struct options *options, const char *user)
{
    struct slice host = options->host == NULL ? options->target.host : slice_str(options->host);

    if (options->vhost != NULL)
        host = slice_str(options->vhost);
    return buf_printf(out,
                      "CONNECT\naccept-version:1.2,1.1\nhost:%.*s\n"
                      "heart-beat:%s\n",
                      SLICE_FMT(host), options->heart_beat) &&
           append_lines(out, &options->connect_headers, "\n", user) &&
           buf_append(out, (struct slice)SLICE("\n\0"));
}
