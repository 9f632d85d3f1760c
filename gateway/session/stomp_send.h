#ifndef GATEWAY_SESSION_STOMP_SEND_H
#define GATEWAY_SESSION_STOMP_SEND_H

#include "gateway/broker/broker.h"
#include "gateway/session/session.h"
#include "stomp/frame.h"

/*
 * SEND: judged first, then routed to the broker, to a user, or to what a route of the
 * configuration says (Spring's SimpleBrokerMessageHandler, UserDestinationMessageHandler and
 * SimpAnnotationMethodMessageHandler). In a transaction the two are apart.
 *
 * Called by stomp_session.c and stomp_transaction.c only. Owning worker only.
 */

/** A SEND that takes effect at once. */
void stomp_send(struct session *session, const struct stomp_frame *frame);

/** Whether a SEND may be. When not, the client has been told. */
bool stomp_send_judge(struct session *session, const struct stomp_frame *frame)
    __attribute__((warn_unused_result));

/** Takes room for it in a competing queue; true when it goes to none. */
bool stomp_send_reserve(struct session *session, const struct stomp_frame *frame)
    __attribute__((warn_unused_result));
void stomp_send_unreserve(struct session *session, const struct stomp_frame *frame);

/** Routes a SEND that was judged and has its room. Returns false when it leads nowhere, which is
 * counted. */
bool stomp_send_route(struct session *session, const struct stomp_frame *frame,
                      struct broker_receipt *receipt);

#endif
