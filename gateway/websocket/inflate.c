#include "gateway/websocket/inflate.h"

#include <assert.h>
#include <zlib.h>
#include "base/mem.h"
#include "gateway/websocket/deflate_negotiate.h"
#include "gateway/websocket/zmem.h"

enum {
    STEP_BYTES = 4096,
    PIECE_MAX_BYTES = 1 << 30, /* zlib counts in unsigned ints */
};

/* What the sender has cut off (section 7.2.1): the end of an empty stored block. */
static const struct slice tail = SLICE("\x00\x00\xff\xff");

struct ws_inflater {
    z_stream z;
    bool keeps_context;
    bool has_begun; /* something of the message has come */
    bool has_ended; /* with a block that says it is the last one, and nothing came behind it */
};

struct ws_inflater *ws_inflater_new(uint8_t bits, bool keeps_context)
{
    struct ws_inflater *inflater = mem_calloc(1, sizeof(*inflater));
    int status;

    assert(bits >= WS_DEFLATE_BITS_MIN && bits <= WS_DEFLATE_BITS_MAX);
    inflater->keeps_context = keeps_context;
    inflater->z.zalloc = ws_zmem_alloc;
    inflater->z.zfree = ws_zmem_free;
    status = inflateInit2(&inflater->z, -bits); /* negative: DEFLATE with nothing around it */
    assert(status == Z_OK);
    (void)status; /* memory does not run out, and the rest is a constant */
    return inflater;
}

void ws_inflater_free(struct ws_inflater *inflater)
{
    if (inflater == NULL)
        return;
    (void)inflateEnd(&inflater->z);
    mem_free(inflater);
}

static void begin_message(struct ws_inflater *inflater)
{
    inflater->has_begun = inflater->has_ended = false;
}

void ws_inflater_forget(struct ws_inflater *inflater)
{
    (void)inflateReset(&inflater->z);
    begin_message(inflater);
}

/*
 * One call of zlib into the room that there is, or into a byte of our own when there is none: a
 * message that is as long as it may be has blocks to come that make nothing. Returns zlib's status,
 * or Z_MEM_ERROR when the byte was needed.
 */
static int step(struct ws_inflater *inflater, int flush, struct buf *out)
{
    z_stream *z = &inflater->z;
    size_t left = out->max - out->len, room = out->cap - out->len;
    unsigned char spare;
    char *at;
    int status;

    if (left == 0) {
        z->next_out = &spare;
        z->avail_out = 1;
        status = inflate(z, flush);
        return z->avail_out == 0 ? Z_MEM_ERROR : status;
    }
    if (room == 0)
        room = left < STEP_BYTES ? left : STEP_BYTES;
    if (room > PIECE_MAX_BYTES)
        room = PIECE_MAX_BYTES;
    at = buf_reserve(out, room);
    assert(at != NULL); /* it is below the ceiling */
    z->next_out = (unsigned char *)at;
    z->avail_out = (unsigned)room;
    status = inflate(z, flush);
    buf_commit(out, room - z->avail_out);
    return status;
}

/* As zlib says of where it stopped: only with Z_BLOCK does it stop there, and asked again without
 * input it has forgotten. */
static bool is_between_blocks(const z_stream *z)
{
    return (z->data_type & 128) != 0;
}

/* Until the input is used up and nothing more comes of it. */
static enum ws_inflate_status feed(struct ws_inflater *inflater, struct slice input, int flush,
                                   struct buf *out)
{
    z_stream *z = &inflater->z;

    assert(input.len <= PIECE_MAX_BYTES);
    z->next_in = (unsigned char *)(uintptr_t)input.base;
    z->avail_in = (unsigned)input.len;
    inflater->has_ended = false;
    do {
        switch (step(inflater, flush, out)) {
        case Z_OK:
        case Z_BUF_ERROR: /* nothing could be done: there was neither input nor anything owed */
            break;
        case Z_STREAM_END:
            /* That was the stream's last block, but not the message's: others may come behind it
             * (section 7.2.3.4), and refer to what was before it as all do. */
            (void)inflateResetKeep(z);
            inflater->has_ended = z->avail_in == 0;
            if (inflater->has_ended)
                return WS_INFLATE_OK;
            break;
        case Z_MEM_ERROR:
            return WS_INFLATE_ERR_SIZE;
        default:
            return WS_INFLATE_ERR_DATA;
        }
        if (z->avail_in == 0 && is_between_blocks(z))
            return WS_INFLATE_OK;
    } while (z->avail_in != 0 || z->avail_out == 0);
    return WS_INFLATE_OK;
}

/* With Z_BLOCK zlib stops behind the empty block, and tells; anywhere else the message was cut. */
static enum ws_inflate_status feed_tail(struct ws_inflater *inflater, struct buf *out)
{
    enum ws_inflate_status status = feed(inflater, tail, Z_BLOCK, out);

    return status == WS_INFLATE_OK && !is_between_blocks(&inflater->z) ? WS_INFLATE_ERR_DATA
                                                                       : status;
}

enum ws_inflate_status ws_inflate(struct ws_inflater *inflater, struct slice piece, bool is_last,
                                  struct buf *out)
{
    enum ws_inflate_status status = WS_INFLATE_OK;

    if (piece.len != 0) {
        inflater->has_begun = true;
        status = feed(inflater, piece, Z_NO_FLUSH, out);
    }
    if (status != WS_INFLATE_OK || !is_last)
        return status;
    /* A message without a byte is taken for an empty one, though it should have one (7.2.3.6), and
     * one whose last block says so is whole without the byte that should follow (7.2.3.4). */
    if (inflater->has_begun && !inflater->has_ended)
        status = feed_tail(inflater, out);
    begin_message(inflater);
    if (!inflater->keeps_context)
        (void)inflateReset(&inflater->z);
    return status;
}
