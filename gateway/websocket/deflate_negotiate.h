#ifndef GATEWAY_WEBSOCKET_DEFLATE_NEGOTIATE_H
#define GATEWAY_WEBSOCKET_DEFLATE_NEGOTIATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/slice.h"

/*
 * What server and client agree on for permessage-deflate (RFC 7692, sections 5 and 7.1). Of the
 * client's offers, which come in its order of preference, the first that can be met is taken.
 * Pure. Any thread.
 *
 * "Server" and "client" say whose compressor is meant. Keeping a context (the window of what was
 * sent before) compresses better, and costs the memory of a window for each connection and way.
 */

enum { WS_DEFLATE_BITS_MIN = 9, WS_DEFLATE_BITS_MAX = 15 }; /* windows of 512 bytes to 32 KiB */

/** Zeroed: off. */
struct ws_deflate_settings {
    bool is_enabled;
    bool server_keeps_context; /* unless the client does not want it */
    bool client_keeps_context; /* unless it says that it will not */
    uint8_t server_max_bits;   /* 9 to 15; a client may ask for less */
    uint8_t client_max_bits;   /* 9 to 15; holds for clients that let themselves be told */
};

struct ws_deflate_agreement {
    bool server_keeps_context;
    bool client_keeps_context;
    uint8_t server_bits; /* 9 to 15: the most that our window may have */
    uint8_t client_bits; /* 9 to 15: what reads all that the client may send */
};

/** The value of the response's Sec-WebSocket-Extensions. */
struct ws_deflate_response {
    char text[144]; /* no NUL */
    size_t len;
};

enum ws_deflate_verdict {
    WS_DEFLATE_NONE,   /* goes on without: it is off, or no offer can be met. No header */
    WS_DEFLATE_AGREED, /* send the response */
    WS_DEFLATE_BAD,    /* the header is not one: the handshake must fail (400) */
};

/**
 * Looks at the offers. `lines` is each Sec-WebSocket-Extensions header line as it came, borrowed
 * for the call. With compression turned off they are not looked at.
 *
 * An offer is passed over when it has a parameter twice, one that is not known, or one whose value
 * is not right; and when it wants a window of 256 bytes from us (server_max_window_bits=8), which
 * zlib cannot do. `*agreed` and `*response` are written only for WS_DEFLATE_AGREED.
 */
enum ws_deflate_verdict ws_deflate_negotiate(const struct slice *lines, size_t n_lines,
                                             const struct ws_deflate_settings *settings,
                                             struct ws_deflate_agreement *agreed,
                                             struct ws_deflate_response *response)
    __attribute__((warn_unused_result));

#endif
