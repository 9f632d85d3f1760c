#ifndef GATEWAY_WEBSOCKET_INFLATE_H
#define GATEWAY_WEBSOCKET_INFLATE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/slice.h"

/*
 * Compressed messages back to what they were (RFC 7692, section 7.2.2), by zlib. No I/O, no clock.
 * Owning thread only.
 *
 * What it makes is bounded by the buffer that it is to go to, and nothing beyond that is made: a
 * message of a few bytes that would become gigabytes ends at the limit. What the limit costs in
 * time is bounded by the message's own length.
 */

enum ws_inflate_status {
    WS_INFLATE_OK,
    WS_INFLATE_ERR_DATA, /* no DEFLATE data, or not whole: close with 1007 */
    WS_INFLATE_ERR_SIZE, /* more than the buffer may hold: close with 1009 */
};

/** A window and what it takes to fill it: some 10 kB, and the window once it is needed. */
struct ws_inflater;

/**
 * `bits` (9 to 15) is what the sender's window has at most. With `keeps_context` a message may
 * refer to those before it, so that it is one sender's alone; else each stands for itself, and
 * whoever has a whole message may use it.
 */
struct ws_inflater *ws_inflater_new(uint8_t bits, bool keeps_context)
    __attribute__((returns_nonnull));

/** NULL is fine. */
void ws_inflater_free(struct ws_inflater *inflater);

/**
 * Appends to `*out` what the next piece of a message becomes; `is_last` ends the message. Borrows
 * the piece for the call. After an error `*out` holds anything, and nothing more may be inflated
 * before ws_inflater_forget.
 */
enum ws_inflate_status ws_inflate(struct ws_inflater *inflater, struct slice piece, bool is_last,
                                  struct buf *out) __attribute__((warn_unused_result));

/** The message that was begun, if any, is given up, and so is all that came before it. */
void ws_inflater_forget(struct ws_inflater *inflater);

#endif
