#ifndef GATEWAY_BENCH_HANDSHAKE_H
#define GATEWAY_BENCH_HANDSHAKE_H

#include <stddef.h>
#include "base/slice.h"
#include "base/buf.h"
#include "gateway/bench/extension.h"
#include "gateway/bench/status.h"

/*
 * The opening handshake as a client does it (RFC 6455, section 4.1). The key is always the one of
 * the RFC's example: what must come back is then known without SHA-1. Pure. Any thread.
 */

struct handshake_request {
    struct slice host;  /* with its port */
    struct slice path;  /* with its query */
    struct slice token; /* a bearer token, or empty */
    struct extension_offer extension;
    struct slice extra_headers; /* whole lines, each with CRLF, or empty */
};

struct handshake_answer {
    int status;
    struct slice status_line; /* borrowed */
    struct slice extensions;  /* of a right 101: what of them was accepted; borrowed */
    size_t len;               /* of the whole head; frames may follow at once */
};

/** Appends the request. Returns false when it does not fit. */
LOAD_MUST_CHECK
bool handshake_write(struct buf *out, const struct handshake_request *request);

/**
 * Reads the answer's head. Returns LOAD_MORE until it is whole; LOAD_OK for an answer that is
 * either no 101 (see `status`) or a right one; LOAD_ERR_HTTP, _UPGRADE or _ACCEPT otherwise.
 */
LOAD_MUST_CHECK
enum load_status handshake_read(struct slice input, struct handshake_answer *answer);

#endif
