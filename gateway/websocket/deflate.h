#ifndef GATEWAY_WEBSOCKET_DEFLATE_H
#define GATEWAY_WEBSOCKET_DEFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/slice.h"

/*
 * Messages to compressed ones (RFC 7692, section 7.2.1), by zlib; and the stored blocks by which
 * bytes go uncompressed into a compressed message (RFC 1951, section 3.2.4). A compressed message
 * may be put together: stored blocks first, then what ws_deflate made of the rest without a
 * context, which refers to nothing before it. No I/O, no clock. Owning thread only.
 */

enum { WS_STORED_HEAD = 5, WS_STORED_MAX = 65535 };

/** A window and its hash table: 256 kB for 15 bits. */
struct ws_deflater;

/**
 * `bits` (9 to 15) is the receiver's window, `level` 1 (fast) to 9 (small). With `keeps_context` a
 * message refers to those before it: all of them must reach one receiver, in this order.
 */
struct ws_deflater *ws_deflater_new(uint8_t bits, int level, bool keeps_context)
    __attribute__((returns_nonnull));

/** NULL is fine. */
void ws_deflater_free(struct ws_deflater *deflater);

/**
 * Appends a whole message (at least a byte of it, below 1 GiB), compressed, to `*out`, which must
 * have no ceiling.
 */
void ws_deflate(struct ws_deflater *deflater, struct slice message, struct buf *out);

/** Writes what stands before `len` (at most WS_STORED_MAX) stored bytes: WS_STORED_HEAD bytes. */
char *ws_write_stored_head(char *out, size_t len);

#endif
