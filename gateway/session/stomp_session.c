#include "gateway/session/stomp_session.h"

#include <stdio.h>
#include "gateway/session/stomp_ack.h"
#include "gateway/session/stomp_connect.h"
#include "gateway/session/stomp_reply.h"
#include "gateway/session/stomp_send.h"
#include "gateway/session/stomp_subscribe.h"
#include "gateway/session/stomp_transaction.h"

static const struct slice name_receipt = SLICE("receipt");

void stomp_session_open(struct session *session)
{
    session->state = SESSION_NEW;
    stomp_parser_init(&session->input.stomp, &session->env->stomp_limits[session->endpoint]);
}

void stomp_session_resolved(struct session *session, enum session_verdict verdict,
                            struct auth_identity *identity)
{
    stomp_connect_resolved(session, verdict, identity);
}

void stomp_session_heartbeat_lost(struct session *session)
{
    stomp_reply_error(session, SESSION_HEARTBEAT_LOST, NULL, "Session closed.", slice_str(""));
}

static void on_disconnect(struct session *session, const struct stomp_frame *frame)
{
    struct slice receipt;

    metrics_add(session->env->metrics, METRIC_DISCONNECT_FRAMES, 1);
    receiver_end_subscriptions(session->receiver, session->env->router);
    if (!stomp_frame_header(frame, name_receipt, &receipt)) {
        /* What Spring says to a client that does not wait: its clients know it. */
        stomp_reply_error(session, SESSION_BY_PEER, NULL, "Session closed.", slice_str(""));
        return;
    }
    stomp_reply_receipt(session, frame, false);
    session_unregister(session);
    session->state = SESSION_DISCONNECTED;
    metrics_sub(session->env->metrics, METRIC_SESSIONS, 1);
}

static void on_send(struct session *session, const struct stomp_frame *frame)
{
    if (!stomp_in_transaction(frame))
        stomp_send(session, frame);
    else if (stomp_send_judge(session, frame))
        stomp_transaction_keep(session, frame);
}

static void on_ack(struct session *session, const struct stomp_frame *frame)
{
    if (!stomp_ack_judge(session, frame))
        return;
    if (stomp_in_transaction(frame)) {
        stomp_transaction_keep(session, frame);
        return;
    }
    stomp_ack_settle(session, frame);
    stomp_reply_receipt(session, frame, false);
}

static void on_frame(struct session *session, const struct stomp_frame *frame)
{
    bool is_connect = frame->command == STOMP_CONNECT || frame->command == STOMP_STOMP;

    metrics_add(session->env->metrics, METRIC_FRAMES_IN, 1);
    if (stomp_command_is_server(frame->command)) {
        stomp_fail(session, frame, "A command that only a server may send",
                   stomp_command_name(frame->command));
        return;
    }
    if (session->state == SESSION_NEW) {
        struct session_id_text id;
        char message[64];

        if (is_connect) {
            stomp_connect(session, frame);
            return;
        }
        snprintf(message, sizeof(message), "Unknown session: %.*s",
                 SLICE_FMT(session_id(session, &id)));
        stomp_fail(session, frame, message, stomp_command_name(frame->command));
        return;
    }
    if (is_connect) {
        stomp_fail(session, frame, "Session already exists", slice_str(""));
        return;
    }
    if (session->state == SESSION_DISCONNECTED) {
        stomp_fail(session, frame, "The session has been disconnected",
                   stomp_command_name(frame->command));
        return;
    }
    switch (frame->command) {
    case STOMP_SEND:
        on_send(session, frame);
        break;
    case STOMP_SUBSCRIBE:
        stomp_subscribe(session, frame);
        break;
    case STOMP_UNSUBSCRIBE:
        stomp_unsubscribe(session, frame);
        break;
    case STOMP_ACK:
    case STOMP_NACK:
        on_ack(session, frame);
        break;
    case STOMP_BEGIN:
        stomp_begin(session, frame);
        break;
    case STOMP_COMMIT:
        stomp_commit(session, frame);
        break;
    case STOMP_ABORT:
        stomp_abort(session, frame);
        break;
    default:
        on_disconnect(session, frame);
        break;
    }
}

/* A malformed frame: the parser's words. */
static void fail_parsing(struct session *session, enum stomp_status status)
{
    stomp_fail(session, NULL, session->env->scratch.error, slice_str(stomp_strstatus(status)));
}

size_t stomp_session_input(struct session *session, struct slice bytes,
                           const struct session_input *input)
{
    struct session_env *env = session->env;
    struct slice left = bytes;

    while (left.len != 0) {
        struct stomp_frame frame;
        enum stomp_status status;

        if (*input->frames_left == 0 || env->is_congested(env->worker_ctx))
            return bytes.len - left.len;
        status = stomp_parser_next(&session->input.stomp, &env->scratch, &left, &frame);
        if (status == STOMP_MORE || status == STOMP_HEARTBEAT)
            return bytes.len;
        --*input->frames_left;
        if (status == STOMP_OK)
            on_frame(session, &frame);
        else
            fail_parsing(session, status);
        if (session->state >= SESSION_CLOSING)
            return bytes.len;
        if (session->suspended_until_ms != 0)
            return bytes.len - left.len;
    }
    stomp_parser_settle(&session->input.stomp);
    return bytes.len;
}
