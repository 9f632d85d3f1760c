#ifndef GATEWAY_ROUTER_WIRE_H
#define GATEWAY_ROUTER_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/slice.h"
#include "gateway/router/msg.h"

/*
 * How a message looks to the receivers of one kind of transport: the frame around the bytes.
 * Receivers with the same wire form and subscription id get the same bytes. Pure. Any thread.
 */

enum wire {
    WIRE_WEBSOCKET,     /* one STOMP frame in one WebSocket message */
    WIRE_WEBSOCKET_RAW, /* the body alone in one WebSocket message: plain endpoints */
};

/** What differs between the receivers of a message. */
struct wire_address {
    enum wire wire;
    struct slice id;    /* of the subscription */
    bool is_plain_id;   /* it is known to have nothing to escape */
    struct slice lines; /* further header lines in STOMP's form, each with its \n; may be empty */
};

/** How many bytes wire_write_message writes. */
size_t wire_message_len(const struct msg *msg, const struct wire_address *to);

/** Writes the whole message for a subscription to `out`; returns the place behind it. */
char *wire_write_message(const struct msg *msg, const struct wire_address *to, char *out);

/** How many bytes a message of `len` bytes has with its frame. */
size_t wire_framed_len(enum wire wire, size_t len);

/** Writes what stands before `len` bytes of content; nothing stands behind them. */
char *wire_write_head(enum wire wire, bool is_binary, size_t len, char *out);

/**
 * Where the frame that byte `at` of `bytes` lies in ends; `bytes` begins at a frame's begin and
 * holds whole frames. Returns `at` itself when it is the first byte of a frame, or the end.
 */
size_t wire_frame_end(enum wire wire, struct slice bytes, size_t at);

#endif
