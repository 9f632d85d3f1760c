#include "gateway/bench/inflater.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#define ZLIB_CONST /* it does not write to its input */
#include <zlib.h>
#include "base/mem.h"

struct inflater {
    z_stream stream;
    bool keeps_context;
};

struct inflater *inflater_new(unsigned window_bits, bool keeps_context)
{
    struct inflater *inflater = mem_calloc(1, sizeof(*inflater));

    inflater->keeps_context = keeps_context;
    /* Negative: without zlib's own head. It fails only when memory is out. */
    if (inflateInit2(&inflater->stream, -(int)window_bits) != Z_OK) {
        fprintf(stderr, "load: zlib cannot be set up\n");
        abort();
    }
    return inflater;
}

void inflater_free(struct inflater *inflater)
{
    if (inflater == NULL)
        return;
    (void)inflateEnd(&inflater->stream);
    mem_free(inflater);
}

static enum load_status feed(z_stream *stream, struct slice bytes)
{
    if (bytes.len > UINT_MAX)
        return LOAD_ERR_WS_TOO_LARGE;
    stream->next_in = (const Bytef *)bytes.base;
    stream->avail_in = (uInt)bytes.len;
    while (stream->avail_in != 0) {
        int result = inflate(stream, Z_SYNC_FLUSH);

        if (stream->avail_out == 0)
            return LOAD_ERR_WS_TOO_LARGE;
        /* A last block may stand anywhere (7.2.3.4): another stream follows it. */
        if (result == Z_STREAM_END)
            result = inflateReset(stream);
        if (result != Z_OK)
            return LOAD_ERR_WS_DEFLATE;
    }
    return LOAD_OK;
}

/* Between two blocks, and no bit left of the last byte (zlib.h, at inflate). */
static bool is_at_end(const z_stream *stream)
{
    const int behind_block = 128, unused_bits = 63;

    return (stream->data_type & (behind_block | unused_bits)) == behind_block;
}

enum load_status inflater_run(struct inflater *inflater, struct slice payload, char *out,
                              size_t size, struct slice *message)
{
    /* What the sender has left out at the end (7.2.1). */
    static const struct slice tail = SLICE("\x00\x00\xff\xff");
    z_stream *stream = &inflater->stream;
    enum load_status status;

    if (!inflater->keeps_context && inflateReset(stream) != Z_OK)
        return LOAD_ERR_WS_DEFLATE;
    stream->next_out = (Bytef *)out;
    stream->avail_out = size > UINT_MAX ? UINT_MAX : (uInt)size;
    status = feed(stream, payload);
    if (status == LOAD_OK)
        status = feed(stream, tail);
    if (status != LOAD_OK)
        return status;
    if (!is_at_end(stream))
        return LOAD_ERR_WS_DEFLATE;
    *message = slice_of(out, (size_t)((char *)stream->next_out - out));
    return LOAD_OK;
}
