#include "gateway/websocket/deflate.h"

#include <assert.h>
#include <stdlib.h>
#include <zlib.h>
#include "base/mem.h"
#include "gateway/websocket/deflate_negotiate.h"
#include "gateway/websocket/zmem.h"

enum {
    MEM_LEVEL = 8,    /* zlib's default: a hash table of 64 KiB, blocks of 16 Ki symbols */
    TAIL_LEN = 4,     /* the empty stored block that Z_SYNC_FLUSH ends with, cut off (7.2.1) */
    FLUSH_BYTES = 16, /* what it writes beside the bound of the message */
    MESSAGE_MAX = 1 << 30,
};

struct ws_deflater {
    z_stream z;
    bool keeps_context;
};

struct ws_deflater *ws_deflater_new(uint8_t bits, int level, bool keeps_context)
{
    struct ws_deflater *deflater = mem_calloc(1, sizeof(*deflater));
    int status;

    assert(bits >= WS_DEFLATE_BITS_MIN && bits <= WS_DEFLATE_BITS_MAX);
    deflater->keeps_context = keeps_context;
    deflater->z.zalloc = ws_zmem_alloc;
    deflater->z.zfree = ws_zmem_free;
    /* Negative bits: DEFLATE with nothing around it. */
    status = deflateInit2(&deflater->z, level, Z_DEFLATED, -bits, MEM_LEVEL, Z_DEFAULT_STRATEGY);
    assert(status == Z_OK);
    (void)status; /* memory does not run out, and the rest is in range */
    return deflater;
}

void ws_deflater_free(struct ws_deflater *deflater)
{
    if (deflater == NULL)
        return;
    (void)deflateEnd(&deflater->z);
    mem_free(deflater);
}

void ws_deflate(struct ws_deflater *deflater, struct slice message, struct buf *out)
{
    z_stream *z = &deflater->z;

    assert(message.len != 0 && message.len < MESSAGE_MAX);
    z->next_in = (unsigned char *)(uintptr_t)message.base;
    z->avail_in = (unsigned)message.len;
    do {
        size_t room = deflateBound(z, z->avail_in) + FLUSH_BYTES;
        char *at = buf_reserve(out, room);

        if (at == NULL)
            abort(); /* it has no ceiling */
        z->next_out = (unsigned char *)at;
        z->avail_out = (unsigned)room;
        (void)deflate(z, Z_SYNC_FLUSH);
        buf_commit(out, room - z->avail_out);
    } while (z->avail_out == 0);
    assert(z->avail_in == 0 && out->len > TAIL_LEN);
    buf_drop_last(out, TAIL_LEN);
    if (!deflater->keeps_context)
        (void)deflateReset(z);
}

char *ws_write_stored_head(char *out, size_t len)
{
    assert(len <= WS_STORED_MAX);
    out[0] = 0; /* not the last block, stored, and the rest of the byte is padding */
    out[1] = (char)(len & 0xff);
    out[2] = (char)(len >> 8);
    out[3] = (char)(~len & 0xff);
    out[4] = (char)(~len >> 8 & 0xff);
    return out + WS_STORED_HEAD;
}
