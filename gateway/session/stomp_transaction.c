#include "gateway/session/stomp_transaction.h"

#include "gateway/broker/broker.h"
#include "gateway/session/stomp_ack.h"
#include "gateway/session/stomp_reply.h"
#include "gateway/session/stomp_send.h"

static const struct slice name_receipt = SLICE("receipt");
static const struct slice name_transaction = SLICE("transaction");

static struct transactions_limits limits_of(const struct session *session)
{
    const struct config *config = session->env->config;

    return (struct transactions_limits){
        .max_transactions = (size_t)config->transport.max_transactions_per_session,
        .max_frames = (size_t)config->transport.max_transaction_frames,
        .max_bytes = (size_t)config->transport.max_transaction_bytes,
    };
}

bool stomp_in_transaction(const struct stomp_frame *frame)
{
    struct slice name;

    return stomp_frame_header(frame, name_transaction, &name);
}

/* The transaction's name; when it is missing the client has been told. */
static bool find_name(struct session *session, const struct stomp_frame *frame, struct slice *name)
{
    struct stomp_text missing;

    if (stomp_frame_header(frame, name_transaction, name))
        return true;
    stomp_fail(session, frame, stomp_missing(frame, name_transaction, &missing), slice_str(""));
    return false;
}

/* The RECEIPT, or the ERROR. */
static void answer(struct session *session, const struct stomp_frame *frame,
                   enum transactions_status status, struct slice name)
{
    if (status == TRANSACTIONS_OK)
        stomp_reply_receipt(session, frame, false);
    else
        stomp_fail(session, frame, transactions_strstatus(status), name);
}

void stomp_begin(struct session *session, const struct stomp_frame *frame)
{
    const struct transactions_limits limits = limits_of(session);
    struct slice name;

    if (find_name(session, frame, &name))
        answer(session, frame, transactions_begin(&session->transactions, &limits, name), name);
}

void stomp_abort(struct session *session, const struct stomp_frame *frame)
{
    struct slice name;

    if (find_name(session, frame, &name))
        answer(session, frame, transactions_drop(&session->transactions, name), name);
}

void stomp_transaction_keep(struct session *session, const struct stomp_frame *frame)
{
    const struct transactions_limits limits = limits_of(session);
    struct slice name;

    (void)stomp_frame_header(frame, name_transaction, &name);
    answer(session, frame, transactions_add(session->transactions, &limits, name, frame), name);
}

/* Room for all SENDs, or for none. */
static bool reserve_all(struct session *session, const struct transactions_frame *frames)
{
    for (const struct transactions_frame *f = frames; f != NULL; f = f->next) {
        if (f->frame.command != STOMP_SEND || stomp_send_reserve(session, &f->frame))
            continue;
        for (const struct transactions_frame *done = frames; done != f; done = done->next) {
            if (done->frame.command == STOMP_SEND)
                stomp_send_unreserve(session, &done->frame);
        }
        return false;
    }
    return true;
}

void stomp_commit(struct session *session, const struct stomp_frame *frame)
{
    struct session_env *env = session->env;
    struct broker_receipt receipt = {.session = session->ref};
    struct transactions_frame *frames;
    enum transactions_status status;
    struct slice name;
    bool is_accepted;

    if (!find_name(session, frame, &name))
        return;
    status = transactions_take(&session->transactions, name, &frames);
    if (status != TRANSACTIONS_OK) {
        answer(session, frame, status, name);
        return;
    }
    receipt.is_asked = stomp_frame_header(frame, name_receipt, &receipt.text);
    is_accepted = reserve_all(session, frames);
    while (frames != NULL) {
        if (is_accepted && frames->frame.command == STOMP_SEND)
            (void)stomp_send_route(session, &frames->frame, &receipt);
        else if (is_accepted)
            stomp_ack_settle(session, &frames->frame);
        frames = transactions_frame_free(frames);
    }
    if (!is_accepted)
        stomp_refuse(session, frame, "The queue is full", name);
    else if (broker_receipt_is_due(env->broker, &receipt))
        stomp_reply_receipt(session, frame, false);
}
