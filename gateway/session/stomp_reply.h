#ifndef GATEWAY_SESSION_STOMP_REPLY_H
#define GATEWAY_SESSION_STOMP_REPLY_H

#include <stdbool.h>
#include "gateway/session/session.h"
#include "stomp/frame.h"
#include "stomp/version.h"

/*
 * What a STOMP session says: CONNECTED, RECEIPT, ERROR, and refusals, which are an ERROR or, in
 * the soft mode, a MESSAGE (Spring's StompSubProtocolHandler). Owning worker only.
 */

void stomp_reply_connected(struct session *session, enum stomp_version version);

/** A RECEIPT when the frame asks for one. */
void stomp_reply_receipt(struct session *session, const struct stomp_frame *frame,
                         bool is_unrouted);

/** The RECEIPT of that id. */
void stomp_reply_receipt_id(struct session *session, struct slice receipt, bool is_unrouted);

/**
 * ERROR and close: the one place that turns what is wrong into words on the wire. `frame` is the
 * one that caused it, NULL when there is none; `detail` goes into the body when the configuration
 * wants it. Borrows all.
 */
void stomp_reply_error(struct session *session, enum session_reason reason,
                       const struct stomp_frame *frame, const char *message, struct slice detail);

/** The same for what a client does wrong. */
void stomp_fail(struct session *session, const struct stomp_frame *frame, const char *message,
                struct slice detail);

/** Room for words that have to be put together. */
struct stomp_text {
    char text[160];
};

/** The words for a header that a frame must have. */
const char *stomp_missing(const struct stomp_frame *frame, struct slice header,
                          struct stomp_text *out);

/**
 * Refuses a SEND or SUBSCRIBE. In the strict mode that is stomp_fail; in the soft mode the session
 * lives, and gets a MESSAGE on broker.error_destination when it has subscribed there: headers
 * `message` and, if the frame asked for a receipt, `receipt-id`; the body is the text again.
 */
void stomp_refuse(struct session *session, const struct stomp_frame *frame, const char *message,
                  struct slice detail);

/** Counts a message or subscription that leads nowhere; logs each destination once. */
void stomp_count_unrouted(struct session *session, struct slice destination);

#endif
