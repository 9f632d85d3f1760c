#ifndef GATEWAY_SESSION_STOMP_SUBSCRIBE_H
#define GATEWAY_SESSION_STOMP_SUBSCRIBE_H

#include "gateway/session/session.h"
#include "stomp/frame.h"

/*
 * SUBSCRIBE and UNSUBSCRIBE (Spring's SimpleBrokerMessageHandler, UserDestinationMessageHandler
 * and, for what a route answers directly, @SubscribeMapping). Called by stomp_session.c only.
 * Owning worker only.
 */

void stomp_subscribe(struct session *session, const struct stomp_frame *frame);
void stomp_unsubscribe(struct session *session, const struct stomp_frame *frame);

#endif
