#include "gateway/router/packer.h"

#include <stdlib.h>

/* Scratch that one large message has made large is given back. */
enum { DEFAULT_LEVEL = 6, SCRATCH_KEEP_BYTES = 65536 };

void packer_init(struct packer *packer, struct metrics *metrics)
{
    *packer = (struct packer){.metrics = metrics, .level = DEFAULT_LEVEL};
    buf_init(&packer->content, SIZE_MAX);
    buf_init(&packer->packed, SIZE_MAX);
}

void packer_dispose(struct packer *packer)
{
    for (unsigned bits = 0; bits <= WS_DEFLATE_BITS_MAX; bits++)
        ws_deflater_free(packer->deflaters[bits]);
    buf_dispose(&packer->content);
    buf_dispose(&packer->packed);
}

void packer_set(struct packer *packer, int level, uint64_t min_bytes)
{
    packer->level = level;
    packer->min_bytes = min_bytes;
}

static void clear(struct buf *scratch)
{
    if (scratch->cap > SCRATCH_KEEP_BYTES)
        buf_dispose(scratch);
    else
        buf_consume(scratch, scratch->len);
}

/* An empty body is never worth it: zlib has no output for no input. */
static bool is_worth_it(const struct packer *packer, const struct msg *msg, enum wire wire)
{
    return wire_window_bits(wire) != 0 && msg->body.len != 0 && msg->body.len >= packer->min_bytes;
}

static struct slice deflate_into(struct packer *packer, struct ws_deflater *deflater,
                                 struct slice content)
{
    clear(&packer->packed);
    ws_deflate(deflater, content, &packer->packed);
    metrics_add(packer->metrics, METRIC_DEFLATED, 1);
    return buf_slice(&packer->packed);
}

const struct msg_packed *packer_pack(struct packer *packer, const struct msg *msg, enum wire wire)
{
    uint8_t bits = wire_window_bits(wire);
    const struct msg_packed *kept;
    struct slice content, packed;

    if (wire_keeps_context(wire) || !is_worth_it(packer, msg, wire))
        return NULL;
    kept = msg_find_packed(msg, (uint8_t)wire);
    if (kept != NULL)
        return kept;
    if (packer->deflaters[bits] == NULL)
        packer->deflaters[bits] = ws_deflater_new(bits, packer->level, false);
    content = wire_packable(msg, wire);
    packed = deflate_into(packer, packer->deflaters[bits], content);
    /* That it does not pay is remembered, too. */
    if (packed.len + WS_STORED_HEAD >= content.len)
        packed = slice_str("");
    return msg_add_packed(msg, (uint8_t)wire, packed);
}

struct slice packer_pack_in_context(struct packer *packer, struct ws_deflater **own,
                                    const struct msg *msg, const struct wire_address *to)
{
    size_t len = wire_content_len(msg, to);
    char *content;

    if (!is_worth_it(packer, msg, to->wire))
        return slice_str("");
    clear(&packer->content);
    content = buf_reserve(&packer->content, len);
    if (content == NULL)
        abort(); /* it has no ceiling */
    wire_write_content(msg, to, content);
    if (*own == NULL)
        *own = ws_deflater_new(wire_window_bits(to->wire), packer->level, true);
    return deflate_into(packer, *own, slice_of(content, len));
}
