#ifndef GATEWAY_BENCH_EXTENSION_H
#define GATEWAY_BENCH_EXTENSION_H

#include <stdbool.h>
#include "base/buf.h"
#include "base/slice.h"
#include "gateway/bench/status.h"

/*
 * permessage-deflate in the opening handshake, as a client offers it and reads what the server made
 * of it (RFC 7692, sections 5 and 7.1). Pure. Any thread.
 */

/** Zeroed: no extension is offered. */
struct extension_offer {
    bool has_deflate;
    bool has_takeover;    /* a message may refer to those before it, on both sides */
    unsigned window_bits; /* at most, of the server: 8 to 15; 0: as it likes */
};

struct extension_answer {
    bool has_deflate;
    bool keeps_context;   /* the server's messages refer to those before them */
    unsigned window_bits; /* of the server: 8 to 15 */
};

/** Appends the header line; nothing when nothing is offered. Returns false when it does not fit. */
LOAD_MUST_CHECK
bool extension_write(struct buf *out, const struct extension_offer *offer);

/**
 * Reads the value of the server's Sec-WebSocket-Extensions, empty when there was none. Returns
 * LOAD_OK or a LOAD_ERR_EXTENSION_ status; an offer that is not accepted is one.
 */
LOAD_MUST_CHECK
enum load_status extension_read(struct slice value, const struct extension_offer *offer,
                                struct extension_answer *answer);

#endif
