#ifndef STOMP_FRAME_H
#define STOMP_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include "base/slice.h"

/*
 * A parsed frame as plain data, and what the protocol says of each command (STOMP 1.2, "Frames
 * and Headers"; Spring's StompCommand). Pure. Any thread.
 */

enum stomp_command {
    STOMP_CONNECT,
    STOMP_STOMP,
    STOMP_SEND,
    STOMP_SUBSCRIBE,
    STOMP_UNSUBSCRIBE,
    STOMP_ACK,
    STOMP_NACK,
    STOMP_BEGIN,
    STOMP_COMMIT,
    STOMP_ABORT,
    STOMP_DISCONNECT,
    STOMP_CONNECTED, /* from here on: what a server says */
    STOMP_MESSAGE,
    STOMP_RECEIPT,
    STOMP_ERROR,
    STOMP_N_COMMANDS,
};

/** Both unescaped. */
struct stomp_header {
    struct slice name;
    struct slice value;
};

/** Everything is borrowed from the parser's input or scratch: see stomp_parser_next. */
struct stomp_frame {
    enum stomp_command command;
    const struct stomp_header *headers; /* in the order they came in, repeated ones included */
    size_t n_headers;
    struct slice body;
    struct slice content_type; /* that header as stomp_mime_parse prints it; empty: not known */
    bool is_binary_type;       /* what stomp_mime_is_binary says of it, when it is known */
};

/** The name on the wire, such as "SEND". */
struct slice stomp_command_name(enum stomp_command command);

/** Exact, upper case. Returns false for anything else. */
bool stomp_command_find(struct slice name, enum stomp_command *out);

/** SEND, MESSAGE and ERROR. */
bool stomp_command_has_body(enum stomp_command command);

/** All but CONNECT, STOMP and CONNECTED (STOMP 1.2, "Value Encoding"). */
bool stomp_command_escapes(enum stomp_command command);

/** CONNECTED, MESSAGE, RECEIPT, ERROR: a client may not send them. */
bool stomp_command_is_server(enum stomp_command command);

/**
 * The first header of that name. Returns false, with `*value` the empty slice, when there is none.
 */
bool stomp_frame_header(const struct stomp_frame *frame, struct slice name, struct slice *value);

#endif
