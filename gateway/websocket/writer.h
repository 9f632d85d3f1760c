#ifndef GATEWAY_WEBSOCKET_WRITER_H
#define GATEWAY_WEBSOCKET_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/slice.h"
#include "gateway/websocket/reader.h"

/*
 * Frame heads from server to client (RFC 6455, section 5.2): never masked, never fragmented.
 * Pure. Any thread.
 */

enum { WS_MAX_HEAD = 10, WS_MAX_CONTROL_PAYLOAD = 125 };

/** How long the head of a frame with that payload is: 2, 4 or 10 bytes. */
size_t ws_head_len(uint64_t payload_len);

/** Writes ws_head_len(payload_len) bytes to `out` and returns the place behind them. */
char *ws_write_head(char *out, enum ws_opcode opcode, uint64_t payload_len);

/** The same for the one frame of a compressed message (RFC 7692): with RSV1. */
char *ws_write_compressed_head(char *out, enum ws_opcode opcode, uint64_t payload_len);

/**
 * Writes a whole close frame to `out` (at least 127 bytes) and returns its length. `code` 1005
 * makes an empty one, else it must be valid. `reason` is UTF-8; one longer than 123 bytes is cut
 * at a character's start.
 */
size_t ws_write_close(char *out, uint16_t code, struct slice reason);

/** Codes that may stand in a close frame (RFC 6455, 7.4): 1000-1003, 1007-1014, 3000-4999. */
bool ws_close_code_is_valid(uint16_t code);

#endif
