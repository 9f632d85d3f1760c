#ifndef GATEWAY_WEBSOCKET_EXTENSIONS_H
#define GATEWAY_WEBSOCKET_EXTENSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include "base/slice.h"

/*
 * The header Sec-WebSocket-Extensions (RFC 6455, section 9.1), read strictly and pull-based:
 *
 *     list      = 1#extension
 *     extension = token *( ";" parameter )
 *     parameter = token [ "=" ( token | quoted-string ) ]
 *
 * where a quoted string, unescaped, is a token again. Blanks may stand between all of these, and
 * an element of the list may be empty, but not all of them (RFC 2616, section 2.1, whose notation
 * it is). Pure, no allocation. Any thread.
 */

enum { WS_EXTENSION_VALUE_MAX = 64 };

enum ws_extensions_status {
    WS_EXTENSIONS_OK,
    WS_EXTENSIONS_END,        /* nothing is left */
    WS_EXTENSIONS_ERR_SYNTAX, /* the handshake must fail */
};

/** Where a reading stands. */
struct ws_extensions {
    const struct slice *lines; /* borrowed: each header line of that name as it came */
    size_t n_lines;
    struct slice rest; /* of the line being read */
    bool is_behind;    /* an extension was read from this line: now a comma or its end */
    bool has_some;
};

struct ws_extension {
    struct slice name;
    struct slice parameters; /* read on with ws_extension_parameter; correct as a whole */
};

struct ws_extension_parameter {
    struct slice name;
    struct slice value; /* NULL base: none was given; else a token, unescaped */
    char room[WS_EXTENSION_VALUE_MAX];
};

/** Begins to read; no line at all is an empty list. Borrows `lines` until the end. */
void ws_extensions_init(struct ws_extensions *reading, const struct slice *lines, size_t n_lines);

/**
 * The next extension, with all of its parameters looked at. Names and parameters are borrowed from
 * the lines. Returns WS_EXTENSIONS_OK with `*out` set, WS_EXTENSIONS_END when all was right, or
 * WS_EXTENSIONS_ERR_SYNTAX, after which nothing more may be read; `*out` is untouched then.
 */
enum ws_extensions_status ws_extensions_next(struct ws_extensions *reading,
                                             struct ws_extension *out)
    __attribute__((warn_unused_result));

/**
 * Takes the next parameter off the front of `*parameters`, in the order given; false at the end.
 * The value is borrowed from the line, or from `out` when it had to be unescaped; of one that is
 * escaped and longer than WS_EXTENSION_VALUE_MAX it is the beginning.
 */
bool ws_extension_parameter(struct slice *parameters, struct ws_extension_parameter *out)
    __attribute__((warn_unused_result));

#endif
