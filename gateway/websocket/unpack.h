#ifndef GATEWAY_WEBSOCKET_UNPACK_H
#define GATEWAY_WEBSOCKET_UNPACK_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "gateway/websocket/deflate_negotiate.h"
#include "gateway/websocket/inflate.h"
#include "gateway/websocket/reader.h"

/*
 * The reader's compressed pieces to whole messages. An inflater is large: so a message that stands
 * for itself is collected as it came, and inflated with the worker's one when it is there in whole;
 * only who was allowed to keep a context has one of its own, made at its first message.
 * No I/O, no clock. Owning thread only.
 */
struct ws_unpacker {
    struct ws_inflater **shared; /* the worker's; made when first needed, freed by the worker */
    struct ws_inflater *own;     /* NULL until needed, and without a context */
    bool keeps_context;
    uint8_t bits;
    struct buf collected; /* of a message that comes in pieces */
    struct buf message;   /* the last one, until ws_unpacker_done */
};

/** Borrows `shared` for its life. A message may have `max_message_bytes`, inflated. */
void ws_unpacker_init(struct ws_unpacker *unpacker, struct ws_inflater **shared,
                      const struct ws_deflate_agreement *agreed, uint64_t max_message_bytes);
void ws_unpacker_dispose(struct ws_unpacker *unpacker);

/**
 * Takes a DATA event with is_compressed and writes in its place what comes of it: MORE; DATA with
 * the whole message, inflated, and if it is a text checked, which is borrowed until
 * ws_unpacker_done; or an ERROR of 1007 or 1009, after which there must not be another one.
 */
void ws_unpack(struct ws_unpacker *unpacker, struct ws_event *event);

/** The message is done with: its memory is given back. */
void ws_unpacker_done(struct ws_unpacker *unpacker);

#endif
