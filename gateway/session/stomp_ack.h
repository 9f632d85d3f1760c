#ifndef GATEWAY_SESSION_STOMP_ACK_H
#define GATEWAY_SESSION_STOMP_ACK_H

#include "gateway/session/session.h"
#include "stomp/frame.h"

/*
 * ACK and NACK (STOMP 1.2, "ACK"; Spring's simple broker ignores both). Which delivery is meant is
 * said by `id` in 1.2 (the MESSAGE's `ack` header), by `message-id` and, unless the client leaves
 * it out as Spring's does, `subscription` in 1.0 and 1.1.
 *
 * What nobody waits for any more is ignored: a queue has given it to another consumer, or it was
 * delivered without a need to acknowledge it. Owning worker only.
 */

/**
 * Whether an ACK or NACK says what it is about; tells the client and returns false when not.
 */
bool stomp_ack_judge(struct session *session, const struct stomp_frame *frame)
    __attribute__((warn_unused_result));

/** Takes effect. */
void stomp_ack_settle(struct session *session, const struct stomp_frame *frame);

#endif
