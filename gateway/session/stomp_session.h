#ifndef GATEWAY_SESSION_STOMP_SESSION_H
#define GATEWAY_SESSION_STOMP_SESSION_H

#include "gateway/session/session.h"

/*
 * What a STOMP session does with each frame (Spring's StompSubProtocolHandler and
 * SimpleBrokerMessageHandler). Called by session.c only. Owning worker only.
 */

void stomp_session_open(struct session *session);
size_t stomp_session_input(struct session *session, struct slice bytes,
                           const struct session_input *input);

/** The verdict on the token of a CONNECT that was pending. Takes `identity`. */
void stomp_session_resolved(struct session *session, enum session_verdict verdict,
                            struct auth_identity *identity);

/** The client's heart-beats have stopped: ERROR, then close. */
void stomp_session_heartbeat_lost(struct session *session);

#endif
