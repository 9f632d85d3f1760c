#ifndef GATEWAY_BENCH_WIRE_H
#define GATEWAY_BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/slice.h"
#include "gateway/bench/status.h"

/*
 * WebSocket frames as a client reads and writes them (RFC 6455, section 5): on its own, not by
 * the gateway's codec, so that a fault in that one cannot hide. Pure. Any thread.
 */

enum wire_opcode {
    WIRE_CONTINUATION = 0x0,
    WIRE_TEXT = 0x1,
    WIRE_BINARY = 0x2,
    WIRE_CLOSE = 0x8,
    WIRE_PING = 0x9,
    WIRE_PONG = 0xa,
};

struct wire_frame {
    uint8_t opcode;
    bool is_final;
    bool is_compressed;   /* RSV1, of a message's first frame: only where that was agreed on */
    struct slice payload; /* borrowed from the input */
};

/**
 * Takes a whole frame off the front of `*input`, which is advanced behind it. Returns LOAD_OK,
 * LOAD_MORE while the frame is not whole, or a LOAD_ERR_WS_ status, `*input` untouched then.
 * A payload above `max_payload` is LOAD_ERR_WS_TOO_LARGE as soon as its head is there.
 */
LOAD_MUST_CHECK
enum load_status wire_read(struct slice *input, size_t max_payload, struct wire_frame *frame);

/** How long a client's frame of that payload is, with its head and mask. */
size_t wire_len(size_t payload_len);

/** Writes wire_len bytes of a final frame; a `mask` of 0 leaves the payload as it is. */
void wire_write(char *out, enum wire_opcode opcode, uint32_t mask, struct slice payload);

#endif
