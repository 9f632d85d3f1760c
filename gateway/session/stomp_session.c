#include "gateway/session/stomp_session.h"

#include <stdio.h>
#include <string.h>
#include "auth/bearer.h"
#include "base/ant.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "gateway/session/outgoing.h"
#include "stomp/encode.h"
#include "stomp/version.h"

enum {
    ERROR_FRAME_MAX_BYTES = 4096,
    DESTINATION_MAX_BYTES = 65536,     /* that a route's template may come to */
    REPLY_MAX_BYTES = 4 * 1024 * 1024, /* a receipt's id may be a whole header line, escaped */
};

static const struct slice name_accept_version = SLICE("accept-version");
static const struct slice name_authorization = SLICE("Authorization");
static const struct slice name_content_type = SLICE("content-type");
static const struct slice name_destination = SLICE("destination");
static const struct slice name_heart_beat = SLICE("heart-beat");
static const struct slice name_id = SLICE("id");
static const struct slice name_message = SLICE("message");
static const struct slice name_receipt = SLICE("receipt");
static const struct slice name_receipt_id = SLICE("receipt-id");
static const struct slice name_unrouted = SLICE("x-unrouted");
static const struct slice name_user_name = SLICE("user-name");
static const struct slice name_version = SLICE("version");

void stomp_session_open(struct session *session)
{
    session->state = SESSION_NEW;
    stomp_parser_init(&session->input.stomp, &session->env->stomp_limits[session->endpoint]);
}

/* --- what the session says --- */

/* A reply is built in a buffer first, since its framed length stands in front of it. */
static void send_reply(struct session *session, struct buf *reply)
{
    char *out = router_queue_frame(session->env->router, session->receiver, false, reply->len);

    memcpy(out, reply->base, reply->len);
    buf_dispose(reply);
}

static bool begin_reply(struct buf *reply, enum stomp_command command)
{
    buf_init(reply, REPLY_MAX_BYTES);
    return stomp_encode_begin(reply, command);
}

static void send_connected(struct session *session, enum stomp_version version)
{
    const struct config *config = session->env->config;
    char heartbeat[32];
    struct buf reply;
    bool ok = begin_reply(&reply, STOMP_CONNECTED);
    int len = snprintf(heartbeat, sizeof(heartbeat), "%u,%u", config->broker.heartbeat_send_ms,
                       config->broker.heartbeat_receive_ms);

    ok = ok &&
         stomp_encode_header(&reply, STOMP_CONNECTED, name_version, stomp_version_name(version));
    ok = ok && stomp_encode_header(&reply, STOMP_CONNECTED, name_heart_beat,
                                   slice_of(heartbeat, (size_t)len));
    if (session->identity != NULL)
        ok = ok &&
             stomp_encode_header(&reply, STOMP_CONNECTED, name_user_name, session->identity->user);
    ok = ok && stomp_encode_end(&reply, STOMP_CONNECTED, slice_str(""));
    if (ok)
        send_reply(session, &reply);
    metrics_add(session->env->metrics, METRIC_CONNECTED_FRAMES, 1);
}

static void send_receipt(struct session *session, const struct stomp_frame *frame, bool is_unrouted)
{
    struct slice receipt;
    struct buf reply;
    bool ok;

    if (!stomp_frame_header(frame, name_receipt, &receipt))
        return;
    ok = begin_reply(&reply, STOMP_RECEIPT) &&
         stomp_encode_header(&reply, STOMP_RECEIPT, name_receipt_id, receipt);
    if (is_unrouted)
        ok = ok &&
             stomp_encode_header(&reply, STOMP_RECEIPT, name_unrouted, (struct slice)SLICE("true"));
    ok = ok && stomp_encode_end(&reply, STOMP_RECEIPT, slice_str(""));
    if (ok)
        send_reply(session, &reply);
    else
        buf_dispose(&reply);
}

/**
 * ERROR and close: the one place that turns what is wrong into words on the wire. `frame` is the
 * one that caused it, NULL when there is none; `detail` goes into the body when the configuration
 * wants it.
 */
static void fail_as(struct session *session, enum session_reason reason,
                    const struct stomp_frame *frame, const char *message, struct slice detail)
{
    struct slice receipt;
    struct slice body = slice_str("");
    struct buf reply;
    bool ok = begin_reply(&reply, STOMP_ERROR) &&
              stomp_encode_header(&reply, STOMP_ERROR, name_message, slice_str(message));

    if (frame != NULL && stomp_frame_header(frame, name_receipt, &receipt))
        ok = ok && stomp_encode_header(&reply, STOMP_ERROR, name_receipt_id, receipt);
    if (session->env->config->broker.error_detail && detail.len != 0 && utf8_is_valid(detail)) {
        body = slice_take(detail, ERROR_FRAME_MAX_BYTES);
        if (!utf8_is_valid(body))
            body = slice_str("");
        ok = ok && stomp_encode_header(&reply, STOMP_ERROR, name_content_type,
                                       (struct slice)SLICE("text/plain;charset=UTF-8"));
    }
    ok = ok && stomp_encode_end(&reply, STOMP_ERROR, body);
    if (ok)
        send_reply(session, &reply);
    else
        buf_dispose(&reply);
    metrics_add(session->env->metrics, METRIC_ERROR_FRAMES, 1);
    session_close(session, reason, 1002, slice_str(""));
}

static void fail(struct session *session, const struct stomp_frame *frame, const char *message,
                 struct slice detail)
{
    fail_as(session, SESSION_PROTOCOL_ERROR, frame, message, detail);
}

static void fail_missing(struct session *session, const struct stomp_frame *frame,
                         struct slice header)
{
    char message[80];

    snprintf(message, sizeof(message), "Missing header '%.*s' in %.*s", SLICE_FMT(header),
             SLICE_FMT(stomp_command_name(frame->command)));
    fail(session, frame, message, slice_str(""));
}

void stomp_session_heartbeat_lost(struct session *session)
{
    fail_as(session, SESSION_HEARTBEAT_LOST, NULL, "Session closed.", slice_str(""));
}

static void count_unrouted(struct session *session, struct slice destination)
{
    struct session_env *env = session->env;

    metrics_add(env->metrics, METRIC_UNROUTED, 1);
    if (quiet_is_new(&env->quiet, destination))
        log_event(env->log, LOG_LEVEL_WARN, "message.unrouted",
                  log_str("destination", destination));
}

/* --- CONNECT --- */

static void connect_allowed(struct session *session)
{
    if (!session_may(session, CONFIG_CONNECT, session_endpoint(session)->path)) {
        fail(session, NULL, "Access denied", session_endpoint(session)->path);
        return;
    }
    session->state = SESSION_CONNECTED;
    metrics_add(session->env->metrics, METRIC_SESSIONS, 1);
    send_connected(session, (enum stomp_version)session->version);
    session_arm(session);
}

/* A token in CONNECT beside one at the handshake must name the same user. Takes `identity`. */
static void connect_with(struct session *session, struct auth_identity *identity)
{
    if (session->identity == NULL) {
        session->identity = identity;
    } else {
        bool same = slice_eq(session->identity->user, identity->user);

        gate_identity_free(identity);
        if (!same) {
            metrics_add(session->env->metrics, METRIC_AUTH_FAILED, 1);
            fail(session, NULL, "The tokens of the handshake and of CONNECT name different users",
                 slice_str(""));
            return;
        }
    }
    connect_allowed(session);
}

static void connect_refused(struct session *session, const char *why)
{
    metrics_add(session->env->metrics, METRIC_AUTH_FAILED, 1);
    fail(session, NULL, why, slice_str(""));
}

void stomp_session_resolved(struct session *session, enum session_verdict verdict,
                            struct auth_identity *identity)
{
    if (verdict == SESSION_ALLOWED && identity != NULL)
        connect_with(session, identity);
    else
        connect_refused(session, "The token could not be checked");
}

static void connect_without_token(struct session *session)
{
    if (session->identity != NULL || session->env->config->auth.anonymous ||
        session_endpoint(session)->anonymous)
        connect_allowed(session);
    else
        connect_refused(session, "A token is required");
}

static void authenticate(struct session *session, const struct stomp_frame *frame)
{
    struct session_env *env = session->env;
    struct auth_identity *identity = NULL;
    struct slice value, token;
    const char *why = NULL;
    enum auth_status status;

    /* Header names of STOMP are case-sensitive, but people write HTTP's name in both ways. */
    if (!stomp_frame_header(frame, name_authorization, &value))
        (void)stomp_frame_header(frame, (struct slice)SLICE("authorization"), &value);
    status = auth_bearer_from_header(value, &token);
    if (status == AUTH_ERR_NO_TOKEN) {
        connect_without_token(session);
        return;
    }
    if (status != AUTH_OK) {
        connect_refused(session, auth_peer_text(status));
        return;
    }
    switch (env->authenticate(env->authenticate_ctx, session->ref, token, &identity, &why)) {
    case SESSION_ALLOWED:
        connect_with(session, identity);
        return;
    case SESSION_REFUSED:
        connect_refused(session, why);
        return;
    case SESSION_PENDING:
        session_suspend(session);
        return;
    }
}

static void on_connect(struct session *session, const struct stomp_frame *frame)
{
    const struct config *config = session->env->config;
    struct stomp_heartbeat ours = {config->broker.heartbeat_send_ms,
                                   config->broker.heartbeat_receive_ms};
    struct stomp_heartbeat theirs;
    struct slice accept_version, heartbeat;
    enum stomp_version version;

    metrics_add(session->env->metrics, METRIC_CONNECT_FRAMES, 1);
    (void)stomp_frame_header(frame, name_accept_version, &accept_version);
    (void)stomp_frame_header(frame, name_heart_beat, &heartbeat);
    if (stomp_version_negotiate(accept_version, &version) != STOMP_OK) {
        fail(session, frame, "Supported protocol versions are 1.0,1.1,1.2", accept_version);
        return;
    }
    if (stomp_heartbeat_parse(heartbeat, &theirs) != STOMP_OK) {
        fail(session, frame, "The heart-beat header must be two numbers joined by a comma",
             heartbeat);
        return;
    }
    session->version = (uint8_t)version;
    session->heartbeat = stomp_heartbeat_negotiate(ours, theirs);
    authenticate(session, frame);
}

/* --- SEND --- */

static struct msg *make_message(struct session *session, const struct outgoing *out,
                                struct slice destination, struct slice body)
{
    char id[64];
    bool is_binary =
        body.len != 0 && (out->is_binary || (session->saw_binary && !utf8_is_valid(body)));

    return msg_new(destination, out->headers, out->n, router_next_id(session->env->router, id),
                   body, is_binary);
}

static void publish(struct session *session, const struct outgoing *out, struct slice destination,
                    struct slice body)
{
    struct msg *msg = make_message(session, out, destination, body);

    metrics_add(session->env->metrics, METRIC_PUBLISHED, 1);
    router_publish(session->env->router, msg, NULL);
    msg_unref(msg);
}

static void echo(struct session *session, const struct outgoing *out, struct slice destination,
                 struct slice prefix, struct slice body)
{
    struct msg *msg;
    char *text = NULL;

    if (prefix.len != 0 && !out->is_binary && (!session->saw_binary || utf8_is_valid(body))) {
        text = mem_alloc(prefix.len + body.len);
        memcpy(text, prefix.base, prefix.len);
        if (body.len != 0)
            memcpy(text + prefix.len, body.base, body.len);
        body = slice_of(text, prefix.len + body.len);
    }
    msg = make_message(session, out, destination, body);
    metrics_add(session->env->metrics, METRIC_PUBLISHED, 1);
    router_echo(session->env->router, msg, session->receiver);
    msg_unref(msg);
    mem_free(text);
}

/* Publishes to where the route's send_to leads. Returns false when that is no destination. */
static bool publish_filled(struct session *session, const struct stomp_frame *frame,
                           const struct route_match *match, struct outgoing *out)
{
    struct session_id_text id;
    struct slice user = session->identity == NULL ? slice_str("") : session->identity->user;
    struct buf to;
    bool ok;

    buf_init(&to, DESTINATION_MAX_BYTES);
    ok = routes_fill(match->route->send_to, match, user, session_id(session, &id), &to) &&
         to.len != 0;
    if (ok) {
        outgoing_copy_named(out, frame, match->route, buf_slice(&to));
        publish(session, out, buf_slice(&to), frame->body);
    }
    buf_dispose(&to);
    return ok;
}

/* Returns false when the message went nowhere. */
static bool send_by_route(struct session *session, const struct stomp_frame *frame,
                          const struct route_match *match, struct outgoing *out,
                          struct slice destination)
{
    const struct config_route *route = match->route;

    if (route->mode == CONFIG_ROUTE_ECHO) {
        outgoing_copy_all(out, frame);
        echo(session, out, destination, route->prefix, frame->body);
    } else if (route->send_to.len != 0) {
        return publish_filled(session, frame, match, out);
    } else {
        outgoing_copy_all(out, frame);
        publish(session, out, destination, frame->body);
    }
    return true;
}

static void on_send(struct session *session, const struct stomp_frame *frame)
{
    struct route_match match;
    struct outgoing out;
    struct slice destination;
    enum route_kind kind;
    bool is_routed = true;

    if (!stomp_frame_header(frame, name_destination, &destination) || destination.len == 0) {
        fail_missing(session, frame, name_destination);
        return;
    }
    if (!session_may(session, CONFIG_SEND, destination)) {
        fail(session, frame, "Access denied", destination);
        return;
    }
    kind = routes_find(session->env->routes, destination, &match);
    outgoing_init(&out, frame);
    if (kind == ROUTE_CONFIGURED) {
        is_routed = send_by_route(session, frame, &match, &out, destination);
    } else if (kind == ROUTE_BROKER) {
        outgoing_copy_all(&out, frame);
        publish(session, &out, destination, frame->body);
    } else {
        is_routed = false;
    }
    outgoing_dispose(&out);
    if (!is_routed)
        count_unrouted(session, destination);
    send_receipt(session, frame, !is_routed);
}

/* --- SUBSCRIBE and the rest --- */

static void on_subscribe(struct session *session, const struct stomp_frame *frame)
{
    struct session_env *env = session->env;
    struct route_match match;
    struct slice destination, id;

    if (!stomp_frame_header(frame, name_id, &id)) {
        fail_missing(session, frame, name_id);
        return;
    }
    if (!stomp_frame_header(frame, name_destination, &destination) || destination.len == 0) {
        fail_missing(session, frame, name_destination);
        return;
    }
    if (!session_may(session, CONFIG_SUBSCRIBE, destination)) {
        fail(session, frame, "Access denied", destination);
        return;
    }
    if (routes_find_subscribe(env->routes, destination, &match) != ROUTE_BROKER) {
        count_unrouted(session, destination);
        send_receipt(session, frame, true);
        return;
    }
    if (ant_is_pattern(destination)) {
        fail(session, frame, "Subscriptions to patterns are not supported", destination);
        return;
    }
    if (session->receiver->subscriptions.n >=
        env->config->transport.max_subscriptions_per_session) {
        fail(session, frame, "Too many subscriptions in one session", id);
        return;
    }
    if (!router_subscribe(env->router, session->receiver, id, destination)) {
        fail(session, frame, "A subscription of this id exists already", id);
        return;
    }
    send_receipt(session, frame, false);
}

static void on_unsubscribe(struct session *session, const struct stomp_frame *frame)
{
    struct router *router = session->env->router;
    struct subscription *subscription;
    struct slice id;

    if (!stomp_frame_header(frame, name_id, &id)) {
        fail_missing(session, frame, name_id);
        return;
    }
    subscription = receiver_find(session->receiver, router, id);
    if (subscription != NULL)
        router_unsubscribe(router, subscription);
    send_receipt(session, frame, false);
}

static void on_disconnect(struct session *session, const struct stomp_frame *frame)
{
    struct slice receipt;

    metrics_add(session->env->metrics, METRIC_DISCONNECT_FRAMES, 1);
    receiver_end_subscriptions(session->receiver, session->env->router);
    if (!stomp_frame_header(frame, name_receipt, &receipt)) {
        /* What Spring says to a client that does not wait: its clients know it. */
        fail_as(session, SESSION_BY_PEER, NULL, "Session closed.", slice_str(""));
        return;
    }
    send_receipt(session, frame, false);
    session->state = SESSION_DISCONNECTED;
    metrics_sub(session->env->metrics, METRIC_SESSIONS, 1);
}

static void on_frame(struct session *session, const struct stomp_frame *frame)
{
    bool is_connect = frame->command == STOMP_CONNECT || frame->command == STOMP_STOMP;

    metrics_add(session->env->metrics, METRIC_FRAMES_IN, 1);
    if (stomp_command_is_server(frame->command)) {
        fail(session, frame, "A command that only a server may send",
             stomp_command_name(frame->command));
        return;
    }
    if (session->state == SESSION_NEW) {
        struct session_id_text id;
        char message[64];

        if (is_connect) {
            on_connect(session, frame);
            return;
        }
        snprintf(message, sizeof(message), "Unknown session: %.*s",
                 SLICE_FMT(session_id(session, &id)));
        fail(session, frame, message, stomp_command_name(frame->command));
        return;
    }
    if (is_connect) {
        fail(session, frame, "Session already exists", slice_str(""));
        return;
    }
    if (session->state == SESSION_DISCONNECTED) {
        fail(session, frame, "The session has been disconnected",
             stomp_command_name(frame->command));
        return;
    }
    switch (frame->command) {
    case STOMP_SEND:
        on_send(session, frame);
        break;
    case STOMP_SUBSCRIBE:
        on_subscribe(session, frame);
        break;
    case STOMP_UNSUBSCRIBE:
        on_unsubscribe(session, frame);
        break;
    case STOMP_DISCONNECT:
        on_disconnect(session, frame);
        break;
    default:
        /* ACK, NACK and transactions: like Spring's broker, every delivery is acknowledged and
         * every SEND takes effect at once. */
        send_receipt(session, frame, false);
        break;
    }
}

/* A malformed frame: the parser's words. */
static void fail_parsing(struct session *session, enum stomp_status status)
{
    fail(session, NULL, session->env->scratch.error, slice_str(stomp_strstatus(status)));
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
    return bytes.len;
}
