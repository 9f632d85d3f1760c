#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "gateway/websocket/deflate.h"
#include "gateway/websocket/inflate.h"

/*
 * Input: one byte of flags, then messages, each with its length before it in one byte (255: all
 * that is left). Must hold: a message in pieces is what it is in whole; a message that fits fits a
 * limit of its own length and none below; any bytes, deflated, are themselves again, also for a
 * receiver that keeps a context.
 *
 * The asserts are the test: this file is never compiled with NDEBUG.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = 100000, MAX_MESSAGES = 16 };

enum {
    FLAG_CONTEXT = 0x01,
    FLAG_BITS = 0x0e,
    FLAG_BITS_SHIFT = 1,
    FLAG_PIECE_SHIFT = 4,
};

static enum ws_inflate_status inflate_in_pieces(struct ws_inflater *inflater, struct slice message,
                                                size_t piece, struct buf *out)
{
    while (message.len > piece) {
        enum ws_inflate_status status =
            ws_inflate(inflater, slice_take(message, piece), false, out);

        if (status != WS_INFLATE_OK)
            return status;
        message = slice_skip(message, piece);
    }
    return ws_inflate(inflater, message, true, out);
}

static void check_limit(struct slice message, size_t limit, enum ws_inflate_status expected)
{
    struct ws_inflater *inflater = ws_inflater_new(15, false);
    struct buf out;

    buf_init(&out, limit);
    assert(ws_inflate(inflater, message, true, &out) == expected);
    assert(out.len <= limit && out.cap <= limit);
    buf_dispose(&out);
    ws_inflater_free(inflater);
}

/* Returns false when no further message may be read. */
static bool check_message(struct ws_inflater *whole, struct ws_inflater *pieces,
                          struct slice message, uint8_t flags)
{
    enum ws_inflate_status one, other;
    struct buf a, b;

    buf_init(&a, LIMIT);
    buf_init(&b, LIMIT);
    one = ws_inflate(whole, message, true, &a);
    other = inflate_in_pieces(pieces, message, (size_t)(flags >> FLAG_PIECE_SHIFT) + 1, &b);
    assert(one == other);
    if (one == WS_INFLATE_OK) {
        assert(a.len == b.len && (a.len == 0 || memcmp(a.base, b.base, a.len) == 0));
        if ((flags & FLAG_CONTEXT) == 0) {
            check_limit(message, a.len, WS_INFLATE_OK);
            if (a.len != 0)
                check_limit(message, a.len - 1, WS_INFLATE_ERR_SIZE);
        }
    }
    buf_dispose(&a);
    buf_dispose(&b);
    return one == WS_INFLATE_OK;
}

/* Whatever the window: it must only not go wrong. */
static void read_with(uint8_t bits, struct slice message)
{
    struct ws_inflater *inflater = ws_inflater_new(bits, false);
    struct buf out;

    buf_init(&out, LIMIT);
    if (ws_inflate(inflater, message, true, &out) != WS_INFLATE_OK)
        ws_inflater_forget(inflater);
    buf_dispose(&out);
    ws_inflater_free(inflater);
}

static void check_round_trip(struct ws_deflater *deflater, struct ws_inflater *inflater,
                             struct slice message)
{
    struct buf packed, out;

    if (message.len == 0)
        return;
    buf_init(&packed, SIZE_MAX);
    buf_init(&out, message.len);
    ws_deflate(deflater, message, &packed);
    assert(ws_inflate(inflater, buf_slice(&packed), true, &out) == WS_INFLATE_OK);
    assert(out.len == message.len && memcmp(out.base, message.base, out.len) == 0);
    buf_dispose(&packed);
    buf_dispose(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t flags = size == 0 ? 0 : data[0];
    uint8_t bits = (uint8_t)(9 + ((flags & FLAG_BITS) >> FLAG_BITS_SHIFT) % 7);
    bool keeps_context = (flags & FLAG_CONTEXT) != 0, may_go_on = true;
    struct slice left = slice_skip(slice_of((const char *)data, size), 1);
    struct ws_inflater *whole = ws_inflater_new(15, keeps_context);
    struct ws_inflater *pieces = ws_inflater_new(15, keeps_context);
    struct ws_inflater *mirror = ws_inflater_new(bits, keeps_context);
    struct ws_deflater *deflater = ws_deflater_new(bits, 1 + bits % 9, keeps_context);

    for (size_t i = 0; left.len != 0 && i < MAX_MESSAGES; i++) {
        uint8_t len = (uint8_t)left.base[0];
        struct slice message = slice_skip(left, 1);

        if (len != UINT8_MAX)
            message = slice_take(message, len);
        left = slice_skip(left, 1 + message.len);
        if (may_go_on)
            may_go_on = check_message(whole, pieces, message, flags);
        read_with(bits, message);
        check_round_trip(deflater, mirror, message);
    }
    ws_inflater_free(whole);
    ws_inflater_free(pieces);
    ws_inflater_free(mirror);
    ws_deflater_free(deflater);
    return 0;
}
