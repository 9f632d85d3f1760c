#ifndef GATEWAY_SESSION_OUTGOING_H
#define GATEWAY_SESSION_OUTGOING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/slice.h"
#include "gateway/config/config.h"
#include "gateway/router/msg.h"
#include "stomp/frame.h"

/*
 * The headers of the MESSAGE that a SEND becomes (Spring's copyHeadersIfAbsent, and what a
 * controller's return value has). Pure. Any thread.
 */

enum { OUTGOING_FEW = 24 };

/**
 * Headers in the order they go out. Their names and values are borrowed from the frame. Does not
 * move: `headers` may point into it.
 */
struct outgoing {
    struct msg_header few[OUTGOING_FEW]; /* so that usual messages need no other memory */
    struct msg_header *headers;
    size_t n;
    size_t n_own;            /* the last so many have values of their own */
    uint64_t lengths;        /* bit n: there may be a name of n bytes (64 is 0 again) */
    struct buf content_type; /* as Spring prints it, when it had to be printed */
    bool is_binary;          /* by its type */
};

/** Room for all headers of `frame` and `n_more` beside. Ends with outgoing_dispose. */
void outgoing_init(struct outgoing *out, const struct stomp_frame *frame, size_t n_more);
void outgoing_dispose(struct outgoing *out);

/**
 * All headers of the SEND in their order, but those that are ours to write (content-length,
 * subscription, message-id, x-seq, x-epoch, redelivered, x-delivery-count, dropped) or meant for us
 * (receipt, transaction, ack, simpOrigDestination), and of a repeated destination or content-type
 * the first; other repeated ones stand together, as Spring writes them. `shown` stands in the
 * destination's place.
 */
void outgoing_copy_all(struct outgoing *out, const struct stomp_frame *frame, struct slice shown);

/** The destination given, the content-type, and what the route's copy_headers names. */
void outgoing_copy_named(struct outgoing *out, const struct stomp_frame *frame,
                         const struct config_route *route, struct slice shown);

/** One header more, in place of what the client sent by that name. Copies the value. */
void outgoing_add_own(struct outgoing *out, struct slice name, struct slice value);

#endif
