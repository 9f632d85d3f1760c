#ifndef GATEWAY_WEBSOCKET_READER_H
#define GATEWAY_WEBSOCKET_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/slice.h"
#include "base/utf8.h"

/*
 * Bytes from a client to pieces of messages (RFC 6455, section 5), pull-based: the caller offers
 * what it has and takes one event at a time. Payloads are unmasked in place, so the input must be
 * writable, and are handed out as they come in, not collected: a message of any size costs no
 * memory here. No I/O, no clock, no allocation. Owning thread only.
 */

enum ws_opcode {
    WS_CONTINUATION = 0x0,
    WS_TEXT = 0x1,
    WS_BINARY = 0x2,
    WS_CLOSE = 0x8,
    WS_PING = 0x9,
    WS_PONG = 0xa,
};

enum { WS_RSV1 = 0x40 }; /* in a frame's first byte, beside the opcode */

enum ws_event_type {
    WS_EVENT_MORE, /* all input was taken; come back with more */
    WS_EVENT_DATA, /* a piece of a text or binary message, possibly empty */
    WS_EVENT_PING, /* answer with a pong of the same payload */
    WS_EVENT_PONG,
    WS_EVENT_CLOSE, /* the peer's close frame; nothing after it is read */
    WS_EVENT_ERROR, /* the connection must be closed with `close_code`; nothing more is read */
};

struct ws_event {
    enum ws_event_type type;
    enum ws_opcode opcode; /* DATA: WS_TEXT or WS_BINARY, also for continuations */
    bool is_first;         /* DATA: the message begins with this piece */
    bool is_last;          /* DATA: the message ends with this piece */
    bool is_compressed;    /* DATA: the payload is part of a compressed message (RFC 7692) */
    struct slice payload;  /* DATA, PING, PONG; borrowed from the input, or for control frames that
                              came in pieces from the reader, until the next call */
    uint16_t close_code;   /* CLOSE: the peer's, 1005 when it gave none; ERROR: 1002, 1007, 1009 */
    struct slice reason;   /* CLOSE: the peer's, valid UTF-8, borrowed as payload is; ERROR: a
                              static text that says what was wrong */
};

struct ws_reader {
    uint64_t max_message_bytes;
    uint64_t message_bytes; /* of the message so far */
    uint64_t frame_left;    /* payload bytes of this frame still to come */
    uint8_t mask[4];
    uint8_t mask_at;  /* which mask byte comes next */
    uint8_t head[14]; /* a frame head that came in pieces */
    uint8_t head_len;
    char *control; /* room for a control payload that comes in pieces; NULL: none did so far */
    uint8_t control_len;
    uint8_t frame_opcode;
    uint8_t message_opcode; /* WS_CONTINUATION between messages */
    bool is_fin;
    bool is_in_frame;
    bool is_first; /* the next DATA is the message's first */
    bool is_over;  /* CLOSE or ERROR was given */
    bool allows_compressed;
    bool is_compressed; /* the message is */
    struct utf8_state utf8;
};

/** A message may have `max_message_bytes`, whatever its fragmentation: more is an ERROR of 1009. */
void ws_reader_init(struct ws_reader *reader, uint64_t max_message_bytes);

void ws_reader_dispose(struct ws_reader *reader);

/**
 * permessage-deflate was agreed: a message's first frame may have RSV1, which makes it a compressed
 * one. Such a message is handed out as it came, a text unchecked, for ws_inflate to go on with; it
 * may be longer than the limit by what compressing can add (a fourth and 64 bytes).
 */
void ws_reader_allow_compressed(struct ws_reader *reader);

/**
 * Takes the next event out of `*input`, which is advanced by what was taken; the bytes must be
 * writable though the slice is const (they are unmasked in place). Call until it returns MORE
 * (then `*input` is empty), CLOSE or ERROR. Text is checked as it comes in: the first byte that
 * no UTF-8 can continue with is an ERROR of 1007, before the message or frame ends. After CLOSE
 * or ERROR all input is taken unread, and MORE is returned.
 */
void ws_reader_next(struct ws_reader *reader, struct slice *input, struct ws_event *event);

#endif
