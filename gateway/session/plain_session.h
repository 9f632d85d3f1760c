#ifndef GATEWAY_SESSION_PLAIN_SESSION_H
#define GATEWAY_SESSION_PLAIN_SESSION_H

#include "gateway/session/session.h"

/*
 * What a plain WebSocket endpoint does with each message: `echo` sends it back as the type it came
 * in, `broadcast` publishes it to the destination that is the endpoint's path, where each of its
 * sessions has one raw subscription. Called by session.c only. Owning worker only.
 */

void plain_session_open(struct session *session);
size_t plain_session_input(struct session *session, struct slice bytes,
                           const struct session_input *input);

#endif
