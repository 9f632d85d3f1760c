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

/** A form, alone or with what was agreed about compression: wire_compressed puts them together. */
enum wire {
    WIRE_WEBSOCKET,     /* one STOMP frame in one WebSocket message */
    WIRE_WEBSOCKET_RAW, /* the body alone in one WebSocket message: plain endpoints */
    WIRE_FORM = 7,      /* the bits of the form */
    WIRE_CONTEXT = 8,   /* each receiver's messages are compressed one after the other: no two get
                           the same bytes */
    WIRE_WINDOW =
        0xf0, /* the receiver's window for compressed messages, 9 to 15; 0: it takes none */
};

enum { WIRE_WINDOW_SHIFT = 4 };

/** A form whose receivers take compressed messages, by a window of 9 to 15 bits. */
static inline enum wire wire_compressed(enum wire form, uint8_t window_bits, bool keeps_context)
{
    return (enum wire)(form | (keeps_context ? WIRE_CONTEXT : 0) |
                       (unsigned)window_bits << WIRE_WINDOW_SHIFT);
}

static inline bool wire_is_raw(enum wire wire)
{
    return (wire & WIRE_FORM) == WIRE_WEBSOCKET_RAW;
}

static inline bool wire_keeps_context(enum wire wire)
{
    return (wire & WIRE_CONTEXT) != 0;
}

/** 0: receivers take no compressed messages. */
static inline uint8_t wire_window_bits(enum wire wire)
{
    return (uint8_t)((wire & WIRE_WINDOW) >> WIRE_WINDOW_SHIFT);
}

/** What differs between the receivers of a message. */
struct wire_address {
    enum wire wire;
    struct slice id;    /* of the subscription */
    bool is_plain_id;   /* it is known to have nothing to escape */
    struct slice lines; /* further header lines in STOMP's form, each with its \n; may be empty */
    const struct msg_packed *packed; /* of wire_packable; NULL: it goes out as it is */
};

/**
 * The part of a message that is the same for all its receivers and compressed for them: the body,
 * and the NUL behind it where it stands in a STOMP frame. What stands before it is not compressed.
 */
struct slice wire_packable(const struct msg *msg, enum wire wire);

/** How many bytes wire_write_message writes. */
size_t wire_message_len(const struct msg *msg, const struct wire_address *to);

/** Writes the whole message for a subscription to `out`; returns the place behind it. */
char *wire_write_message(const struct msg *msg, const struct wire_address *to, char *out);

/** The message without its transport frame and compression: how long it is, and its bytes. */
size_t wire_content_len(const struct msg *msg, const struct wire_address *to);
char *wire_write_content(const struct msg *msg, const struct wire_address *to, char *out);

/** How many bytes a message of `len` bytes has with its frame. */
size_t wire_framed_len(enum wire wire, size_t len);

/** Writes what stands before `len` bytes of content; nothing stands behind them. */
char *wire_write_head(enum wire wire, bool is_binary, size_t len, char *out);

/** The same for content that is compressed. */
char *wire_write_compressed_head(enum wire wire, bool is_binary, size_t len, char *out);

/**
 * Where the frame that byte `at` of `bytes` lies in ends; `bytes` begins at a frame's begin and
 * holds whole frames. Returns `at` itself when it is the first byte of a frame, or the end.
 */
size_t wire_frame_end(enum wire wire, struct slice bytes, size_t at);

#endif
