#include "gateway/session/stomp_reply.h"

#include <stdio.h>
#include <string.h>
#include "base/utf8.h"
#include "gateway/session/bound.h"
#include "stomp/encode.h"

enum {
    ERROR_FRAME_MAX_BYTES = 4096,
    REPLY_KEPT_BYTES = 65536, /* what the worker's buffer may keep from one reply to the next */
};

static const struct slice name_content_type = SLICE("content-type");
static const struct slice name_destination = SLICE("destination");
static const struct slice name_heart_beat = SLICE("heart-beat");
static const struct slice name_message = SLICE("message");
static const struct slice name_receipt = SLICE("receipt");
static const struct slice name_receipt_id = SLICE("receipt-id");
static const struct slice name_unrouted = SLICE("x-unrouted");
static const struct slice name_user_name = SLICE("user-name");
static const struct slice name_version = SLICE("version");

/* A reply is built in the worker's buffer first, since its framed length stands in front of it. */
static bool begin_reply(struct session *session, enum stomp_command command)
{
    struct buf *reply = &session->env->reply;

    buf_consume(reply, reply->len);
    return stomp_encode_begin(reply, command);
}

/* Sends what is in the buffer, when all of it is. */
static void end_reply(struct session *session, bool is_whole)
{
    struct buf *reply = &session->env->reply;

    if (is_whole)
        memcpy(router_queue_frame(session->env->router, session->receiver, false, reply->len),
               reply->base, reply->len);
    if (reply->cap > REPLY_KEPT_BYTES)
        buf_dispose(reply);
}

void stomp_reply_connected(struct session *session, enum stomp_version version)
{
    const struct config *config = session->env->config;
    char heartbeat[32];
    struct buf *reply = &session->env->reply;
    bool ok = begin_reply(session, STOMP_CONNECTED);
    int len = snprintf(heartbeat, sizeof(heartbeat), "%u,%u", config->broker.heartbeat_send_ms,
                       config->broker.heartbeat_receive_ms);

    ok = ok &&
         stomp_encode_header(reply, STOMP_CONNECTED, name_version, stomp_version_name(version));
    ok = ok && stomp_encode_header(reply, STOMP_CONNECTED, name_heart_beat,
                                   slice_of(heartbeat, (size_t)len));
    if (session->identity != NULL)
        ok = ok &&
             stomp_encode_header(reply, STOMP_CONNECTED, name_user_name, session->identity->user);
    ok = ok && stomp_encode_end(reply, STOMP_CONNECTED, slice_str(""));
    end_reply(session, ok);
    metrics_add(session->env->metrics, METRIC_CONNECTED_FRAMES, 1);
}

void stomp_reply_receipt_id(struct session *session, struct slice receipt, bool is_unrouted)
{
    struct buf *reply = &session->env->reply;
    bool ok = begin_reply(session, STOMP_RECEIPT) &&
              stomp_encode_header(reply, STOMP_RECEIPT, name_receipt_id, receipt);

    if (is_unrouted)
        ok = ok &&
             stomp_encode_header(reply, STOMP_RECEIPT, name_unrouted, (struct slice)SLICE("true"));
    ok = ok && stomp_encode_end(reply, STOMP_RECEIPT, slice_str(""));
    end_reply(session, ok);
}

void stomp_reply_receipt(struct session *session, const struct stomp_frame *frame, bool is_unrouted)
{
    struct slice receipt;

    if (stomp_frame_header(frame, name_receipt, &receipt))
        stomp_reply_receipt_id(session, receipt, is_unrouted);
}

void stomp_reply_error(struct session *session, enum session_reason reason,
                       const struct stomp_frame *frame, const char *message, struct slice detail)
{
    struct slice receipt;
    struct slice body = slice_str("");
    struct buf *reply = &session->env->reply;
    bool ok = begin_reply(session, STOMP_ERROR) &&
              stomp_encode_header(reply, STOMP_ERROR, name_message, slice_str(message));

    if (frame != NULL && stomp_frame_header(frame, name_receipt, &receipt))
        ok = ok && stomp_encode_header(reply, STOMP_ERROR, name_receipt_id, receipt);
    if (session->env->config->broker.error_detail && detail.len != 0 && utf8_is_valid(detail)) {
        body = slice_take(detail, ERROR_FRAME_MAX_BYTES);
        if (!utf8_is_valid(body))
            body = slice_str("");
        ok = ok && stomp_encode_header(reply, STOMP_ERROR, name_content_type,
                                       (struct slice)SLICE("text/plain;charset=UTF-8"));
    }
    ok = ok && stomp_encode_end(reply, STOMP_ERROR, body);
    end_reply(session, ok);
    metrics_add(session->env->metrics, METRIC_ERROR_FRAMES, 1);
    session_close(session, reason, 1002, slice_str(""));
}

void stomp_fail(struct session *session, const struct stomp_frame *frame, const char *message,
                struct slice detail)
{
    stomp_reply_error(session, SESSION_PROTOCOL_ERROR, frame, message, detail);
}

const char *stomp_missing(const struct stomp_frame *frame, struct slice header,
                          struct stomp_text *out)
{
    snprintf(out->text, sizeof(out->text), "Missing header '%.*s' in %.*s", SLICE_FMT(header),
             SLICE_FMT(stomp_command_name(frame->command)));
    return out->text;
}

/* To this session alone. */
static void send_refusal(struct session *session, const struct msg_header *headers,
                         size_t n_headers, struct slice text)
{
    struct session_env *env = session->env;
    struct slice destination = headers[0].value, target;
    struct session_id_text own;
    char id[64];
    struct msg *msg =
        msg_new(destination, headers, n_headers, router_next_id(env->router, id), text, false);

    /* The configuration has checked that it is a user destination. */
    if (bound_target(env->config, destination, &target))
        broker_publish_to_session(env->broker, msg, session_id(session, &own), target);
    msg_unref(msg);
}

void stomp_refuse(struct session *session, const struct stomp_frame *frame, const char *message,
                  struct slice detail)
{
    struct msg_header headers[4];
    struct slice text = slice_str(message), receipt;
    size_t n = 0;

    if (!session->is_soft) {
        stomp_fail(session, frame, message, detail);
        return;
    }
    headers[n++] = (struct msg_header){
        name_destination,
        session->env->config->broker.error_destination,
    };
    headers[n++] = (struct msg_header){name_content_type, SLICE("text/plain;charset=UTF-8")};
    headers[n++] = (struct msg_header){name_message, text};
    if (stomp_frame_header(frame, name_receipt, &receipt))
        headers[n++] = (struct msg_header){name_receipt_id, receipt};
    send_refusal(session, headers, n, text);
    metrics_add(session->env->metrics, METRIC_REFUSALS, 1);
}

void stomp_count_unrouted(struct session *session, struct slice destination)
{
    struct session_env *env = session->env;

    metrics_add(env->metrics, METRIC_UNROUTED, 1);
    if (quiet_is_new(&env->quiet, destination))
        log_event(env->log, LOG_LEVEL_WARN, "message.unrouted",
                  log_str("destination", destination));
}
