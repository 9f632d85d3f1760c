#include "gateway/http/head.h"

enum { HTTP_HEAD_JOINED_MAX = 64 * 1024 };

/** Cuts the next line off `*rest`, without its end. */
static struct slice next_line(struct slice *rest)
{
    struct slice line;

    if (!slice_cut(*rest, '\n', &line, rest)) {
        line = *rest;
        *rest = slice_of(rest->base + rest->len, 0);
    }
    if (line.len != 0 && line.base[line.len - 1] == '\r')
        line.len--;
    return line;
}

/** A header that may be there once. Returns whether this is the first. */
static bool set_once(struct slice *field, struct slice value)
{
    if (field->base != NULL)
        return false;
    *field = value;
    return true;
}

/** A header whose lines count as one list. Returns false when the list gets too long. */
static bool join(struct slice *field, struct buf *joined, struct slice value)
{
    if (field->base == NULL) {
        *field = value;
        return true;
    }
    if ((joined->len == 0 && !buf_append(joined, *field)) ||
        !buf_append(joined, (struct slice)SLICE(", ")) || !buf_append(joined, value))
        return false;
    *field = buf_slice(joined);
    return true;
}

/* What is looked for in a head and kept nowhere. */
struct framing {
    struct slice content_length;
    struct slice transfer_encoding;
};

static bool is_named(struct slice name, const char *expected)
{
    return slice_eq_nocase(name, slice_str(expected));
}

static const char *read_protocol(struct slice value, struct http_head *out)
{
    if (out->n_protocols == HTTP_HEAD_PROTOCOLS_MAX)
        return "too many Sec-WebSocket-Protocol headers";
    out->protocols[out->n_protocols++] = value;
    return NULL;
}

static const char *read_extensions(struct slice value, struct http_head *out)
{
    if (out->n_extensions == HTTP_HEAD_EXTENSIONS_MAX)
        return "too many Sec-WebSocket-Extensions headers";
    out->extensions[out->n_extensions++] = value;
    return NULL;
}

static const char *read_field(struct slice name, struct slice value, struct http_head *out,
                              struct framing *framing)
{
    const struct {
        const char *name;
        struct slice *field;
        const char *repeated;
    } single[] = {
        {"host", &out->host, "more than one Host header"},
        {"origin", &out->origin, "more than one Origin header"},
        {"authorization", &out->authorization, "more than one Authorization header"},
        {"x-api-key", &out->api_key, "more than one X-API-Key header"},
        {"content-type", &out->content_type, "more than one Content-Type header"},
        {"sec-websocket-key", &out->key, "more than one Sec-WebSocket-Key header"},
        {"content-length", &framing->content_length, "more than one Content-Length header"},
        {"transfer-encoding", &framing->transfer_encoding,
         "more than one Transfer-Encoding header"},
    };

    for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
        if (is_named(name, single[i].name))
            return set_once(single[i].field, value) ? NULL : single[i].repeated;
    }
    if (is_named(name, "sec-websocket-version"))
        (void)set_once(&out->version, value); /* Spring looks at the first */
    else if (is_named(name, "if-none-match"))
        (void)set_once(&out->if_none_match, value);
    else if (is_named(name, "accept-encoding"))
        (void)set_once(&out->accept_encoding, value);
    else if (is_named(name, "sec-websocket-protocol"))
        return read_protocol(value, out);
    else if (is_named(name, "sec-websocket-extensions"))
        return read_extensions(value, out);
    else if ((is_named(name, "upgrade") && !join(&out->upgrade, &out->joined_upgrade, value)) ||
             (is_named(name, "connection") &&
              !join(&out->connection, &out->joined_connection, value)))
        return "an Upgrade or Connection header that is too long";
    return NULL;
}

const char *http_head_parse(struct slice bytes, struct http_head *out)
{
    struct framing framing = {.content_length = {NULL, 0}, .transfer_encoding = {NULL, 0}};
    struct slice rest = bytes, line = next_line(&rest);
    const char *wrong = NULL;

    *out = (struct http_head){.n_protocols = 0};
    buf_init(&out->joined_upgrade, HTTP_HEAD_JOINED_MAX);
    buf_init(&out->joined_connection, HTTP_HEAD_JOINED_MAX);
    if (line.len == 0)
        (void)next_line(&rest); /* one empty line before the request line is let pass */
    while (wrong == NULL && (line = next_line(&rest)).len != 0) {
        struct slice name, value;

        if (line.base[0] == ' ' || line.base[0] == '\t')
            wrong = "a header that goes on in the next line";
        else if (!slice_cut(line, ':', &name, &value))
            wrong = "a header without a colon";
        else
            wrong = read_field(name, slice_trim(value), out, &framing);
    }
    if (wrong == NULL && framing.content_length.base != NULL &&
        framing.transfer_encoding.base != NULL)
        wrong = "Content-Length and Transfer-Encoding in one request";
    return wrong;
}

void http_head_dispose(struct http_head *head)
{
    buf_dispose(&head->joined_upgrade);
    buf_dispose(&head->joined_connection);
}
