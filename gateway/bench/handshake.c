#include "gateway/bench/handshake.h"

#include <string.h>

/* RFC 6455, section 1.3. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
static const struct slice accept_key = SLICE("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");

bool handshake_write(struct buf *out, const struct handshake_request *request)
{
    if (!buf_printf(out,
                    "GET %.*s HTTP/1.1\r\nHost: %.*s\r\nUpgrade: websocket\r\n"
                    "Connection: Upgrade\r\nSec-WebSocket-Key: " KEY "\r\n"
                    "Sec-WebSocket-Version: 13\r\n"
                    "Sec-WebSocket-Protocol: v12.stomp, v11.stomp, v10.stomp\r\n",
                    SLICE_FMT(request->path), SLICE_FMT(request->host)))
        return false;
    if (request->token.len != 0 &&
        !buf_printf(out, "Authorization: Bearer %.*s\r\n", SLICE_FMT(request->token)))
        return false;
    return extension_write(out, &request->extension) && buf_append(out, request->extra_headers) &&
           buf_append(out, (struct slice)SLICE("\r\n"));
}

/* Whether a comma-separated header value has this element. */
static bool has_element(struct slice value, struct slice element)
{
    struct slice head, tail;

    while (slice_cut(value, ',', &head, &tail)) {
        if (slice_eq_nocase(slice_trim(head), element))
            return true;
        value = tail;
    }
    return slice_eq_nocase(slice_trim(value), element);
}

static enum load_status check_headers(struct slice lines, struct slice *extensions)
{
    bool has_upgrade = false, has_connection = false, has_accept = false;
    struct slice line, name, value;

    while (slice_cut(lines, '\n', &line, &lines)) {
        if (line.len != 0 && line.base[line.len - 1] == '\r')
            line.len--;
        if (!slice_cut(line, ':', &name, &value))
            continue;
        if (slice_eq_nocase(name, (struct slice)SLICE("upgrade")))
            has_upgrade = has_element(value, (struct slice)SLICE("websocket"));
        else if (slice_eq_nocase(name, (struct slice)SLICE("connection")))
            has_connection = has_element(value, (struct slice)SLICE("upgrade"));
        else if (slice_eq_nocase(name, (struct slice)SLICE("sec-websocket-accept")))
            has_accept = slice_eq(slice_trim(value), accept_key);
        else if (slice_eq_nocase(name, (struct slice)SLICE("sec-websocket-extensions"))) {
            /* A list may come in several lines, but nobody has more than one to accept. */
            if (extensions->len != 0)
                return LOAD_ERR_EXTENSION_ANSWER;
            *extensions = value;
        }
    }
    if (!has_upgrade || !has_connection)
        return LOAD_ERR_HTTP_UPGRADE;
    return has_accept ? LOAD_OK : LOAD_ERR_HTTP_ACCEPT;
}

enum load_status handshake_read(struct slice input, struct handshake_answer *answer)
{
    static const struct slice version = SLICE("HTTP/1.1 ");
    const char *end = input.len == 0 ? NULL : memmem(input.base, input.len, "\r\n\r\n", 4);
    uint64_t status;
    struct slice head, rest;

    if (!slice_starts_with(input, slice_take(version, input.len)))
        return LOAD_ERR_HTTP;
    if (end == NULL)
        return LOAD_MORE;
    head = slice_of(input.base, (size_t)(end - input.base) + 2);
    if (!slice_cut(head, '\r', &answer->status_line, &rest) ||
        !slice_to_u64(slice_take(slice_skip(answer->status_line, version.len), 3), 999, &status))
        return LOAD_ERR_HTTP;
    answer->status = (int)status;
    answer->extensions = slice_of("", 0);
    answer->len = head.len + 2;
    return answer->status == 101 ? check_headers(slice_skip(rest, 1), &answer->extensions)
                                 : LOAD_OK;
}
