#include "gateway/router/msg.h"

#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "stomp/encode.h"

static char *put(char *at, struct slice bytes)
{
    if (bytes.len != 0)
        memcpy(at, bytes.base, bytes.len);
    return at + bytes.len;
}

static size_t line_len(const struct msg_header *header)
{
    return stomp_escaped_len(header->name) + stomp_escaped_len(header->value) + 2;
}

static char *put_line(char *at, const struct msg_header *header)
{
    at = stomp_escape(header->name, at);
    *at++ = ':';
    at = stomp_escape(header->value, at);
    *at++ = '\n';
    return at;
}

struct msg *msg_new(struct slice destination, const struct msg_header *headers, size_t n_headers,
                    struct slice id, struct slice body, bool is_binary)
{
    static const struct slice command = SLICE("MESSAGE\n");
    static const struct slice id_name = SLICE("message-id:");
    char length[48];
    int length_len = snprintf(length, sizeof(length), "\ncontent-length:%zu\n\n", body.len);
    size_t head_len = command.len;
    size_t tail_len = id_name.len + id.len + (size_t)length_len + body.len + 1;
    struct msg *msg;
    char *at;

    for (size_t i = 0; i < n_headers; i++)
        head_len += line_len(&headers[i]);
    msg = mem_alloc(sizeof(*msg) + destination.len + head_len + tail_len);
    atomic_init(&msg->refs, 1);
    msg->is_binary = is_binary;

    at = msg->bytes;
    msg->destination = slice_of(at, destination.len);
    at = put(at, destination);
    msg->head = slice_of(at, head_len);
    at = put(at, command);
    for (size_t i = 0; i < n_headers; i++)
        at = put_line(at, &headers[i]);
    msg->tail = slice_of(at, tail_len);
    at = put(at, id_name);
    msg->id = slice_of(at, id.len);
    at = put(at, id);
    at = put(at, slice_of(length, (size_t)length_len));
    msg->body = slice_of(at, body.len);
    at = put(at, body);
    *at = '\0';
    return msg;
}

void msg_unref(struct msg *msg)
{
    /* No fence behind it, though that would do: thread sanitizers do not understand fences. */
    if (atomic_fetch_sub_explicit(&msg->refs, 1, memory_order_acq_rel) == 1)
        mem_free(msg);
}
