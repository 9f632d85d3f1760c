#include "gateway/websocket/unpack.h"

#include <assert.h>
#include "base/utf8.h"

void ws_unpacker_init(struct ws_unpacker *unpacker, struct ws_inflater **shared,
                      const struct ws_deflate_agreement *agreed, uint64_t max_message_bytes)
{
    *unpacker = (struct ws_unpacker){
        .shared = shared,
        .keeps_context = agreed->client_keeps_context,
        .bits = agreed->client_bits,
    };
    buf_init(&unpacker->collected, SIZE_MAX); /* the reader has counted it */
    buf_init(&unpacker->message, (size_t)max_message_bytes);
}

void ws_unpacker_dispose(struct ws_unpacker *unpacker)
{
    ws_inflater_free(unpacker->own);
    unpacker->own = NULL;
    buf_dispose(&unpacker->collected);
    buf_dispose(&unpacker->message);
}

void ws_unpacker_done(struct ws_unpacker *unpacker)
{
    buf_dispose(&unpacker->message);
}

/* Without a context the largest window reads what any window has written. */
static struct ws_inflater *inflater_of(struct ws_unpacker *unpacker)
{
    struct ws_inflater **inflater = unpacker->keeps_context ? &unpacker->own : unpacker->shared;
    uint8_t bits = unpacker->keeps_context ? unpacker->bits : WS_DEFLATE_BITS_MAX;

    if (*inflater == NULL)
        *inflater = ws_inflater_new(bits, unpacker->keeps_context);
    return *inflater;
}

static enum ws_inflate_status inflate_message(struct ws_unpacker *unpacker, struct slice last)
{
    struct ws_inflater *inflater = inflater_of(unpacker);
    enum ws_inflate_status status =
        ws_inflate(inflater, buf_slice(&unpacker->collected), false, &unpacker->message);

    if (status == WS_INFLATE_OK)
        status = ws_inflate(inflater, last, true, &unpacker->message);
    if (status != WS_INFLATE_OK)
        ws_inflater_forget(inflater);
    buf_dispose(&unpacker->collected);
    return status;
}

static void fail(struct ws_event *event, uint16_t code, const char *why)
{
    *event = (struct ws_event){
        .type = WS_EVENT_ERROR,
        .close_code = code,
        .reason = slice_str(why),
    };
}

void ws_unpack(struct ws_unpacker *unpacker, struct ws_event *event)
{
    assert(event->type == WS_EVENT_DATA && event->is_compressed && unpacker->message.len == 0);
    if (!event->is_last) {
        if (!buf_append(&unpacker->collected, event->payload))
            fail(event, 1009, "message too big");
        else
            *event = (struct ws_event){.type = WS_EVENT_MORE};
        return;
    }
    switch (inflate_message(unpacker, event->payload)) {
    case WS_INFLATE_OK:
        break;
    case WS_INFLATE_ERR_DATA:
        fail(event, 1007, "compressed data that cannot be read");
        return;
    case WS_INFLATE_ERR_SIZE:
        fail(event, 1009, "message too big");
        return;
    }
    event->payload = buf_slice(&unpacker->message);
    event->is_first = true;
    event->is_compressed = false;
    if (event->opcode == WS_TEXT && !utf8_is_valid(event->payload))
        fail(event, 1007, "text that is not UTF-8");
}
