#ifndef GATEWAY_ROUTER_PACKER_H
#define GATEWAY_ROUTER_PACKER_H

#include <stdint.h>
#include "base/buf.h"
#include "base/slice.h"
#include "gateway/ops/metrics.h"
#include "gateway/router/msg.h"
#include "gateway/router/wire.h"
#include "gateway/websocket/deflate.h"
#include "gateway/websocket/deflate_negotiate.h"

/*
 * A worker's compressors (permessage-deflate, RFC 7692). What all receivers of a message get alike
 * is compressed once for each window size that somebody has, whatever their number and their
 * subscription ids, and kept with the message, for the other workers too; before it stands, as a
 * stored block, what they do not share. Two workers that need the same at the same moment may both
 * do the work; one result is kept.
 *
 * A receiver whose context is kept has a compressor of its own, and shares nothing.
 *
 * Owning worker only.
 */

struct packer {
    struct metrics *metrics;
    struct ws_deflater *deflaters[WS_DEFLATE_BITS_MAX + 1]; /* by bits; made when first needed */
    struct buf content; /* scratch: a message for one receiver */
    struct buf packed;  /* scratch: the same, compressed */
    uint64_t min_bytes;
    int level;
};

/** Borrows the metrics for its life. The level is zlib's own, no body is too short. */
void packer_init(struct packer *packer, struct metrics *metrics);
void packer_dispose(struct packer *packer);

/** Level 1 to 9; shorter bodies are not compressed. Before the first message. */
void packer_set(struct packer *packer, int level, uint64_t min_bytes);

/**
 * The packed part of a message for a wire form, looked up or made; borrowed from the message. NULL:
 * not for these receivers, or not for this message.
 */
const struct msg_packed *packer_pack(struct packer *packer, const struct msg *msg, enum wire wire);

/**
 * The whole content of a message, compressed in the context of `*own`, which is made when it is
 * NULL: it must go out next, to that receiver. Borrowed until the next call. Empty: the message is
 * too short to be compressed, and the context has not changed.
 */
struct slice packer_pack_in_context(struct packer *packer, struct ws_deflater **own,
                                    const struct msg *msg, const struct wire_address *to);

#endif
