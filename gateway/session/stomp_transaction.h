#ifndef GATEWAY_SESSION_STOMP_TRANSACTION_H
#define GATEWAY_SESSION_STOMP_TRANSACTION_H

#include "gateway/session/session.h"
#include "stomp/frame.h"

/*
 * BEGIN, COMMIT, ABORT, and the frames between them (STOMP 1.2, "BEGIN"; Spring's simple broker
 * ignores all three and the `transaction` header). A SEND is judged when it comes and routed at
 * the COMMIT, in one go with the others, with nothing of this session's in between. When a
 * competing queue has no room for one of them the whole COMMIT is refused.
 *
 * Owning worker only.
 */

void stomp_begin(struct session *session, const struct stomp_frame *frame);
void stomp_commit(struct session *session, const struct stomp_frame *frame);
void stomp_abort(struct session *session, const struct stomp_frame *frame);

/** Whether a SEND, ACK or NACK belongs to a transaction. */
bool stomp_in_transaction(const struct stomp_frame *frame);

/** Keeps a frame that was judged; tells the client when it cannot be kept. */
void stomp_transaction_keep(struct session *session, const struct stomp_frame *frame);

#endif
