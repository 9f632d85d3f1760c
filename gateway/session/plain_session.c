#include "gateway/session/plain_session.h"

#include <string.h>
#include "base/utf8.h"

static const struct slice text_type = SLICE("text/plain;charset=UTF-8");
static const struct slice binary_type = SLICE("application/octet-stream");

/* Why this session may not be, or NULL. */
static const char *refusal(struct session *session)
{
    const struct config_endpoint *endpoint = session_endpoint(session);
    const struct config *config = session->env->config;

    if (session->identity == NULL && !config->auth.anonymous && !endpoint->anonymous)
        return "A token is required";
    if (!session_may(session, CONFIG_CONNECT, endpoint->path))
        return "Access denied";
    if (endpoint->protocol == CONFIG_PROTOCOL_BROADCAST &&
        !session_may(session, CONFIG_SUBSCRIBE, endpoint->path))
        return "Access denied";
    return NULL;
}

void plain_session_open(struct session *session)
{
    const struct config_endpoint *endpoint = session_endpoint(session);
    const char *why = refusal(session);

    session->state = SESSION_CONNECTED;
    buf_init(&session->input.plain, (size_t)endpoint->message_size_limit);
    if (why != NULL) {
        session_close(session, SESSION_DENIED, 1008, slice_str(why));
        return;
    }
    session->may_send = session_may(session, CONFIG_SEND, endpoint->path);
    /* The one raw subscription; it cannot be there already. */
    if (endpoint->protocol == CONFIG_PROTOCOL_BROADCAST)
        (void)!router_subscribe(session->env->router, session->receiver, slice_str(""),
                                endpoint->path);
}

static void echo(struct session *session, struct slice message, bool is_binary)
{
    struct slice prefix = is_binary ? slice_str("") : session_endpoint(session)->prefix;
    char *out = router_queue_frame(session->env->router, session->receiver, is_binary,
                                   prefix.len + message.len);

    if (prefix.len != 0)
        memcpy(out, prefix.base, prefix.len);
    if (message.len != 0)
        memcpy(out + prefix.len, message.base, message.len);
}

/* As a STOMP subscriber of the path would see it, too. */
static void broadcast(struct session *session, struct slice message, bool is_binary)
{
    const struct config_endpoint *endpoint = session_endpoint(session);
    const struct msg_header headers[] = {
        {SLICE("destination"), endpoint->path},
        {SLICE("content-type"), is_binary ? binary_type : text_type},
    };
    char id[64];
    struct msg *msg = msg_new(endpoint->path, headers, sizeof(headers) / sizeof(headers[0]),
                              router_next_id(session->env->router, id), message, is_binary);

    router_publish(session->env->router, msg, endpoint->echo_to_sender ? NULL : session->receiver);
    msg_unref(msg);
}

static void on_message(struct session *session, struct slice message, bool is_binary)
{
    const struct session_env *env = session->env;

    if (!session->may_send) {
        session_close(session, SESSION_DENIED, 1008, slice_str("Access denied"));
        return;
    }
    metrics_add(env->metrics, METRIC_PUBLISHED, 1);
    if (session_endpoint(session)->protocol == CONFIG_PROTOCOL_ECHO)
        echo(session, message, is_binary);
    else
        broadcast(session, message, is_binary);
}

static void count_message(const struct session_input *input)
{
    if (*input->frames_left != 0)
        --*input->frames_left;
}

size_t plain_session_input(struct session *session, struct slice bytes,
                           const struct session_input *input)
{
    struct session_env *env = session->env;

    /* An empty piece is always taken: there would be nothing left of it to come back with. */
    if (bytes.len != 0 && (*input->frames_left == 0 || env->is_congested(env->worker_ctx)))
        return 0;
    if (input->is_first && input->is_last) {
        count_message(input);
        on_message(session, bytes, input->is_binary);
        return bytes.len;
    }
    /* The transport counts the message's bytes against the same limit before we see them. */
    if (!buf_append(&session->input.plain, bytes)) {
        session_close(session, SESSION_TRANSPORT_ERROR, 1009, slice_str("Message too large"));
        return bytes.len;
    }
    if (input->is_last) {
        count_message(input);
        on_message(session, buf_slice(&session->input.plain), input->is_binary);
        buf_dispose(&session->input.plain);
    }
    return bytes.len;
}
