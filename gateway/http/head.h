#ifndef GATEWAY_HTTP_HEAD_H
#define GATEWAY_HTTP_HEAD_H

#include <stddef.h>
#include "base/buf.h"
#include "base/slice.h"

/*
 * The head of a request, read from its bytes once more after h2o has accepted it. h2o keeps only
 * the last of several Host, Upgrade or Connection lines and hides some of them from handlers; the
 * handshake's checks need all of them, and what one proxy reads differently from another (RFC
 * 9112, sections 3.2, 5.2 and 6.3) is refused here. Pure. Any thread.
 */

enum { HTTP_HEAD_PROTOCOLS_MAX = 8, HTTP_HEAD_EXTENSIONS_MAX = 8 };

/** Values without the space around them; what is absent has a NULL base. Borrows the head. */
struct http_head {
    struct slice host;
    struct slice origin;
    struct slice authorization;
    struct slice api_key; /* X-API-Key */
    struct slice content_type;
    struct slice if_none_match;
    struct slice accept_encoding;
    struct slice upgrade; /* this one and the next: all lines, joined by ", " */
    struct slice connection;
    struct slice key;                                /* Sec-WebSocket-Key */
    struct slice version;                            /* Sec-WebSocket-Version */
    struct slice protocols[HTTP_HEAD_PROTOCOLS_MAX]; /* lines of Sec-WebSocket-Protocol */
    size_t n_protocols;
    struct slice extensions[HTTP_HEAD_EXTENSIONS_MAX]; /* lines of Sec-WebSocket-Extensions */
    size_t n_extensions;
    struct buf joined_upgrade; /* what the two slices point into when there were several lines */
    struct buf joined_connection;
};

/**
 * Reads the bytes from the request line to the empty line, which must be there; what follows it
 * is not looked at. Returns NULL, or what is wrong with the head (a static text for the answer).
 * `*out` ends with http_head_dispose either way.
 */
const char *http_head_parse(struct slice bytes, struct http_head *out)
    __attribute__((warn_unused_result));

void http_head_dispose(struct http_head *head);

#endif
