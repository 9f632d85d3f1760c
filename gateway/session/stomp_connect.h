#ifndef GATEWAY_SESSION_STOMP_CONNECT_H
#define GATEWAY_SESSION_STOMP_CONNECT_H

#include "gateway/session/session.h"
#include "stomp/frame.h"

/*
 * CONNECT and STOMP: version, heart-beats, token, and the way of refusals (STOMP 1.2,
 * "Connecting"). Called by stomp_session.c only. Owning worker only.
 */

/** The first frame of a session: CONNECTED, or ERROR and close, or a verdict that is pending. */
void stomp_connect(struct session *session, const struct stomp_frame *frame);

/** The verdict on a token that was pending. Takes `identity`. */
void stomp_connect_resolved(struct session *session, enum session_verdict verdict,
                            struct auth_identity *identity);

#endif
