#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/utf8.h"
#include "gateway/websocket/reader.h"
#include "gateway/websocket/writer.h"

/*
 * Input: one byte of piece size, two of message size limit, then what a client sends. Must hold:
 * pieces of any size give what the whole gives; each event but MORE takes input, and MORE leaves
 * none; a message keeps the limit, a text is UTF-8, a control frame is short; nothing is read
 * outside the input (each piece has memory of exactly its size).
 *
 * The asserts are the test: this file is never compiled with NDEBUG.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* All that came out, with a length before each payload, so that no two outcomes look the same. */
struct outcome {
    struct buf events;  /* whole messages and all else */
    struct buf message; /* what there is of one that did not end */
    enum ws_opcode message_opcode;
    bool is_in_message;
    enum ws_event_type end; /* CLOSE or ERROR, or MORE */
    uint16_t close_code;
};

/* Section 4 of RFC 3629, as slow and as plain as can be. */
static bool is_utf8(const unsigned char *at, size_t len)
{
    while (len != 0) {
        size_t n = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
        const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        uint32_t c = n == 1 ? at[0] : at[0] & (0xffU >> (n + 1));

        if ((at[0] >= 0x80 && at[0] < 0xc0) || at[0] >= 0xf8 || n > len)
            return false;
        for (size_t i = 1; i < n; i++) {
            if ((at[i] & 0xc0) != 0x80)
                return false;
            c = c << 6 | (at[i] & 0x3f);
        }
        if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
            return false;
        at += n;
        len -= n;
    }
    return true;
}

static void note(struct buf *out, int what, struct slice bytes)
{
    bool fits = buf_printf(out, "%d %zu ", what, bytes.len) && buf_append(out, bytes);

    assert(fits);
}

static void note_data(struct outcome *o, const struct ws_event *event, uint64_t limit)
{
    bool fits = buf_append(&o->message, event->payload);

    assert(fits && o->message.len <= limit);
    assert(event->opcode == WS_TEXT || event->opcode == WS_BINARY);
    assert(event->is_first == !o->is_in_message);
    assert(event->is_first || event->opcode == o->message_opcode);
    o->message_opcode = event->opcode;
    o->is_in_message = !event->is_last;
    if (!event->is_last)
        return;
    assert(event->opcode != WS_TEXT ||
           is_utf8((const unsigned char *)o->message.base, o->message.len));
    note(&o->events, (int)event->opcode, buf_slice(&o->message));
    buf_consume(&o->message, o->message.len);
}

static void note_event(struct outcome *o, const struct ws_event *event, uint64_t limit)
{
    switch (event->type) {
    case WS_EVENT_MORE:
        break;
    case WS_EVENT_DATA:
        note_data(o, event, limit);
        break;
    case WS_EVENT_PING:
    case WS_EVENT_PONG:
        assert(event->payload.len <= WS_MAX_CONTROL_PAYLOAD);
        note(&o->events, 100 + (int)event->type, event->payload);
        break;
    case WS_EVENT_CLOSE:
        assert(event->close_code == 1005 || ws_close_code_is_valid(event->close_code));
        assert(event->reason.len <= WS_MAX_CONTROL_PAYLOAD - 2);
        assert(is_utf8((const unsigned char *)event->reason.base, event->reason.len));
        note(&o->events, event->close_code, event->reason);
        break;
    case WS_EVENT_ERROR:
        assert(event->close_code == 1002 || event->close_code == 1007 || event->close_code == 1009);
        assert(event->reason.len != 0);
        note(&o->events, event->close_code, event->reason);
        break;
    }
    if (event->type == WS_EVENT_CLOSE || event->type == WS_EVENT_ERROR) {
        o->end = event->type;
        o->close_code = event->close_code;
    }
}

static void read_piece(struct ws_reader *reader, struct slice piece, struct outcome *o,
                       uint64_t limit)
{
    char *copy = malloc(piece.len);
    struct slice input = slice_of(copy, piece.len);
    struct ws_event event;

    assert(copy != NULL);
    memcpy(copy, piece.base, piece.len);
    do {
        struct slice before = input;

        ws_reader_next(reader, &input, &event);
        assert(input.base + input.len == before.base + before.len);
        assert(event.type == WS_EVENT_MORE ? input.len == 0 : input.len < before.len);
        note_event(o, &event, limit);
    } while (event.type != WS_EVENT_MORE && o->end == WS_EVENT_MORE);
    free(copy);
}

static void read_all(struct slice bytes, size_t step, uint64_t limit, struct outcome *o)
{
    struct ws_reader reader;

    *o = (struct outcome){.end = WS_EVENT_MORE};
    buf_init(&o->events, SIZE_MAX / 2);
    buf_init(&o->message, SIZE_MAX / 2);
    ws_reader_init(&reader, limit);
    while (bytes.len != 0 && o->end == WS_EVENT_MORE) {
        read_piece(&reader, slice_take(bytes, step), o, limit);
        bytes = slice_skip(bytes, step);
    }
    ws_reader_dispose(&reader);
}

static void dispose(struct outcome *o)
{
    buf_dispose(&o->events);
    buf_dispose(&o->message);
}

static void check_utf8(struct slice bytes, size_t step)
{
    bool is_valid = utf8_is_valid(bytes), is_fed = true;
    struct utf8_state state = {0};

    assert(is_valid == is_utf8((const unsigned char *)bytes.base, bytes.len));
    while (bytes.len != 0 && is_fed) {
        is_fed = utf8_feed(&state, slice_take(bytes, step));
        bytes = slice_skip(bytes, step);
    }
    assert(is_valid == (is_fed && utf8_is_complete(&state)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole, pieces;
    struct slice bytes;
    uint64_t limit;
    size_t step;

    if (size < 3)
        return 0;
    step = 1 + data[0] % 64;
    limit = (uint64_t)data[1] << 8 | data[2];
    bytes = slice_of((const char *)data + 3, size - 3);

    read_all(bytes, SIZE_MAX, limit, &whole);
    read_all(bytes, step, limit, &pieces);
    assert(whole.end == pieces.end && whole.close_code == pieces.close_code);
    assert(slice_eq(buf_slice(&whole.events), buf_slice(&pieces.events)));
    /* Bad text may have been given in part when its bad byte was not in the same piece. */
    if (whole.end == WS_EVENT_ERROR)
        assert(slice_starts_with(buf_slice(&pieces.message), buf_slice(&whole.message)));
    else
        assert(slice_eq(buf_slice(&pieces.message), buf_slice(&whole.message)));
    dispose(&whole);
    dispose(&pieces);

    check_utf8(bytes, step);
    return 0;
}
