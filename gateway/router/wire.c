#include "gateway/router/wire.h"

#include <string.h>
#include "gateway/websocket/deflate.h"
#include "gateway/websocket/writer.h"
#include "stomp/encode.h"

static const struct slice subscription_name = SLICE("subscription:");

static char *put(char *at, struct slice bytes)
{
    if (bytes.len != 0)
        memcpy(at, bytes.base, bytes.len);
    return at + bytes.len;
}

/* How long the content is, its bytes, and so many of the tail's: inlined, for all of what goes out
 * goes through here, message by message when ids are many. */
static inline size_t content_len(const struct msg *msg, const struct wire_address *to)
{
    if (wire_is_raw(to->wire))
        return msg->body.len;
    return msg->head.len + subscription_name.len +
           (to->is_plain_id ? to->id.len : stomp_escaped_len(to->id)) + 1 + to->lines.len +
           msg->tail.len;
}

static inline char *put_stomp(const struct msg *msg, const struct wire_address *to, size_t tail_len,
                              char *out)
{
    out = put(out, msg->head);
    out = put(out, subscription_name);
    out = to->is_plain_id ? put(out, to->id) : stomp_escape(to->id, out);
    *out++ = '\n';
    out = put(out, to->lines);
    return put(out, slice_of(msg->tail.base, tail_len));
}

static inline char *put_content(const struct msg *msg, const struct wire_address *to, char *out)
{
    if (wire_is_raw(to->wire))
        return put(out, msg->body);
    return put_stomp(msg, to, msg->tail.len, out);
}

size_t wire_content_len(const struct msg *msg, const struct wire_address *to)
{
    return content_len(msg, to);
}

char *wire_write_content(const struct msg *msg, const struct wire_address *to, char *out)
{
    return put_content(msg, to, out);
}

/* --- compressed --- */

struct slice wire_packable(const struct msg *msg, enum wire wire)
{
    return wire_is_raw(wire) ? msg->body : slice_of(msg->body.base, msg->body.len + 1);
}

/*
 * How much of the content stands before the packed part, in a stored block. Returns false when it
 * has to go uncompressed: it gets no shorter, or a stored block does not hold what is before.
 */
static bool is_packed(const struct msg *msg, const struct wire_address *to, size_t *stored_len)
{
    if (to->packed->len == 0)
        return false;
    *stored_len = content_len(msg, to) - wire_packable(msg, to->wire).len;
    return *stored_len <= WS_STORED_MAX;
}

static size_t packed_len(const struct wire_address *to, size_t stored_len)
{
    return to->packed->len + (stored_len == 0 ? 0 : WS_STORED_HEAD + stored_len);
}

static char *write_packed(const struct msg *msg, const struct wire_address *to, size_t stored_len,
                          char *out)
{
    size_t len = packed_len(to, stored_len);

    out = wire_write_compressed_head(to->wire, msg->is_binary, len, out);
    if (stored_len != 0) {
        out = ws_write_stored_head(out, stored_len);
        out = put_stomp(msg, to, msg->tail.len - wire_packable(msg, to->wire).len, out);
    }
    return put(out, slice_of(to->packed->bytes, to->packed->len));
}

/* --- with the frame --- */

size_t wire_message_len(const struct msg *msg, const struct wire_address *to)
{
    size_t stored_len;

    if (to->packed != NULL && is_packed(msg, to, &stored_len))
        return wire_framed_len(to->wire, packed_len(to, stored_len));
    return wire_framed_len(to->wire, content_len(msg, to));
}

char *wire_write_message(const struct msg *msg, const struct wire_address *to, char *out)
{
    size_t stored_len;

    if (to->packed != NULL && is_packed(msg, to, &stored_len))
        return write_packed(msg, to, stored_len, out);
    out = wire_write_head(to->wire, msg->is_binary, content_len(msg, to), out);
    return put_content(msg, to, out);
}

size_t wire_framed_len(enum wire wire, size_t len)
{
    (void)wire; /* both forms there are today are WebSocket messages */
    return ws_head_len(len) + len;
}

char *wire_write_head(enum wire wire, bool is_binary, size_t len, char *out)
{
    (void)wire;
    return ws_write_head(out, is_binary ? WS_BINARY : WS_TEXT, len);
}

char *wire_write_compressed_head(enum wire wire, bool is_binary, size_t len, char *out)
{
    (void)wire;
    return ws_write_compressed_head(out, is_binary ? WS_BINARY : WS_TEXT, len);
}

/* The length of the frame that begins at `at`; the writer's own frames, so always whole. */
static size_t websocket_frame_len(struct slice bytes, size_t at)
{
    const unsigned char *head = (const unsigned char *)bytes.base + at;
    uint64_t len = head[1] & 0x7f;

    if (len == 126) {
        len = (uint64_t)head[2] << 8 | head[3];
    } else if (len == 127) {
        len = 0;
        for (int i = 2; i < 10; i++)
            len = len << 8 | head[i];
    }
    return ws_head_len(len) + (size_t)len;
}

size_t wire_frame_end(enum wire wire, struct slice bytes, size_t at)
{
    size_t begin = 0;

    (void)wire;
    while (begin < at)
        begin += websocket_frame_len(bytes, begin);
    return begin;
}
