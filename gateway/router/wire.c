#include "gateway/router/wire.h"

#include <string.h>
#include "gateway/websocket/writer.h"
#include "stomp/encode.h"

static const struct slice subscription_name = SLICE("subscription:");

static char *put(char *at, struct slice bytes)
{
    if (bytes.len != 0)
        memcpy(at, bytes.base, bytes.len);
    return at + bytes.len;
}

static size_t content_len(const struct msg *msg, const struct wire_address *to)
{
    if (to->wire == WIRE_WEBSOCKET_RAW)
        return msg->body.len;
    return msg->head.len + subscription_name.len +
           (to->is_plain_id ? to->id.len : stomp_escaped_len(to->id)) + 1 + to->lines.len +
           msg->tail.len;
}

size_t wire_message_len(const struct msg *msg, const struct wire_address *to)
{
    return wire_framed_len(to->wire, content_len(msg, to));
}

char *wire_write_message(const struct msg *msg, const struct wire_address *to, char *out)
{
    out = wire_write_head(to->wire, msg->is_binary, content_len(msg, to), out);
    if (to->wire == WIRE_WEBSOCKET_RAW)
        return put(out, msg->body);
    out = put(out, msg->head);
    out = put(out, subscription_name);
    out = to->is_plain_id ? put(out, to->id) : stomp_escape(to->id, out);
    *out++ = '\n';
    out = put(out, to->lines);
    return put(out, msg->tail);
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
