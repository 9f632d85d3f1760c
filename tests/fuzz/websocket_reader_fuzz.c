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
 * Input: one byte of piece size, its upper bit for compression agreed, two of message size limit,
 * then what a client sends. Must hold: pieces of any size give what the whole gives; each event but
 * MORE takes input, and MORE leaves none; a message keeps the limit, a text is UTF-8 unless it is
 * compressed, a control frame is short; nothing is read outside the input (each piece has memory
 * of exactly its size); where compression was not agreed nothing is compressed, and where it was,
 * whatever is understood without is understood the same.
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
    bool is_compressed; /* that message */
    bool had_compressed;
    enum ws_event_type end; /* CLOSE or ERROR, or MORE */
    uint16_t close_code;
};

/* What a reader is made with. */
struct setup {
    uint64_t limit;
    bool allows_compressed;
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

static void note_data(struct outcome *o, const struct ws_event *event, const struct setup *setup)
{
    bool fits = buf_append(&o->message, event->payload);
    uint64_t more = event->is_compressed ? setup->limit / 4 + 64 : 0;

    assert(fits && o->message.len <= setup->limit + more);
    assert(setup->allows_compressed || !event->is_compressed);
    assert(event->is_first || event->is_compressed == o->is_compressed);
    o->is_compressed = event->is_compressed;
    o->had_compressed = o->had_compressed || event->is_compressed;
    assert(event->opcode == WS_TEXT || event->opcode == WS_BINARY);
    assert(event->is_first == !o->is_in_message);
    assert(event->is_first || event->opcode == o->message_opcode);
    o->message_opcode = event->opcode;
    o->is_in_message = !event->is_last;
    if (!event->is_last)
        return;
    assert(event->opcode != WS_TEXT || event->is_compressed ||
           is_utf8((const unsigned char *)o->message.base, o->message.len));
    note(&o->events, (int)event->opcode + (event->is_compressed ? 200 : 0), buf_slice(&o->message));
    buf_consume(&o->message, o->message.len);
}

static void note_event(struct outcome *o, const struct ws_event *event, const struct setup *setup)
{
    switch (event->type) {
    case WS_EVENT_MORE:
        break;
    case WS_EVENT_DATA:
        note_data(o, event, setup);
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
                       const struct setup *setup)
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
        note_event(o, &event, setup);
    } while (event.type != WS_EVENT_MORE && o->end == WS_EVENT_MORE);
    free(copy);
}

static void read_all(struct slice bytes, size_t step, const struct setup *setup, struct outcome *o)
{
    struct ws_reader reader;

    *o = (struct outcome){.end = WS_EVENT_MORE};
    buf_init(&o->events, SIZE_MAX / 2);
    buf_init(&o->message, SIZE_MAX / 2);
    ws_reader_init(&reader, setup->limit);
    if (setup->allows_compressed)
        ws_reader_allow_compressed(&reader);
    while (bytes.len != 0 && o->end == WS_EVENT_MORE) {
        read_piece(&reader, slice_take(bytes, step), o, setup);
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

/* `agreed` is the outcome with compression agreed. */
static void compare_with_not_agreed(struct slice bytes, uint64_t limit,
                                    const struct outcome *agreed)
{
    const struct setup setup = {limit, false};
    struct outcome plain;

    read_all(bytes, SIZE_MAX, &setup, &plain);
    /* A compressed message of which no byte came yet was met, too. */
    if (plain.end != WS_EVENT_ERROR || plain.close_code != 1002)
        assert(!agreed->had_compressed && plain.end == agreed->end &&
               plain.close_code == agreed->close_code);
    dispose(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole, pieces;
    struct setup setup;
    struct slice bytes;
    size_t step;

    if (size < 3)
        return 0;
    step = 1 + data[0] % 64;
    setup.allows_compressed = data[0] >= 0x80;
    setup.limit = (uint64_t)data[1] << 8 | data[2];
    bytes = slice_of((const char *)data + 3, size - 3);

    read_all(bytes, SIZE_MAX, &setup, &whole);
    read_all(bytes, step, &setup, &pieces);
    assert(whole.end == pieces.end && whole.close_code == pieces.close_code);
    assert(slice_eq(buf_slice(&whole.events), buf_slice(&pieces.events)));
    /* Bad text may have been given in part when its bad byte was not in the same piece. */
    if (whole.end == WS_EVENT_ERROR)
        assert(slice_starts_with(buf_slice(&pieces.message), buf_slice(&whole.message)));
    else
        assert(slice_eq(buf_slice(&pieces.message), buf_slice(&whole.message)));
    if (setup.allows_compressed)
        compare_with_not_agreed(bytes, setup.limit, &whole);
    dispose(&whole);
    dispose(&pieces);

    check_utf8(bytes, step);
    return 0;
}
