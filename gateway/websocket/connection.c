#include "gateway/websocket/connection.h"

#include <string.h>
#include "base/mem.h"
#include "gateway/websocket/reader.h"
#include "gateway/websocket/unpack.h"
#include "gateway/websocket/writer.h"

enum {
    TICK_MAX_FRAMES = 128,
    TICK_MAX_BYTES = 65536,
};

struct ws_connection {
    struct stream stream;
    struct session session;
    struct ws_env *env;
    struct ws_reader reader;
    struct ws_inflow *inflow; /* permessage-deflate was agreed; else NULL */
    size_t pending; /* payload at the front of the input that is unmasked and not used up yet */
    struct session_input pending_input; /* what it is part of */
    bool said_close;
};

/* What a connection has more when its client may send compressed messages. */
struct ws_inflow {
    struct ws_unpacker unpacker;
    struct slice left; /* of its message: what the session has not used up yet */
    bool has_message;  /* there is one, which may have nothing left */
    size_t tick_bytes; /* inflated in this tick */
};

static struct ws_connection *of_stream(struct stream *stream)
{
    return (struct ws_connection *)((char *)stream - offsetof(struct ws_connection, stream));
}

static struct ws_connection *of_session(const struct session *session)
{
    return (struct ws_connection *)((char *)session - offsetof(struct ws_connection, session));
}

static struct router *router_of(struct ws_connection *connection)
{
    return &connection->env->worker->router;
}

/* --- what the session asks for --- */

static void queue_control(struct ws_connection *connection, enum ws_opcode opcode,
                          struct slice payload)
{
    char *out = router_queue_bytes(router_of(connection), &connection->stream.receiver,
                                   ws_head_len(payload.len) + payload.len);

    out = ws_write_head(out, opcode, payload.len);
    if (payload.len != 0)
        memcpy(out, payload.base, payload.len);
}

static void queue_close(struct ws_connection *connection, uint16_t code, struct slice reason)
{
    char frame[WS_MAX_CONTROL_PAYLOAD + 2];
    size_t len = ws_write_close(frame, code, reason);

    memcpy(router_queue_bytes(router_of(connection), &connection->stream.receiver, len), frame,
           len);
    connection->said_close = true;
}

static void close_connection(struct session *session, uint16_t code, struct slice reason)
{
    struct ws_connection *connection = of_session(session);

    if (!connection->said_close)
        queue_close(connection, code, reason);
    stream_finish(&connection->stream, !connection->reader.is_over);
}

static void cut_and_close(struct session *session, uint16_t code, struct slice reason)
{
    struct ws_connection *connection = of_session(session);

    stream_cut(&connection->stream);
    close_connection(session, code, reason);
}

static void send_ping(struct session *session)
{
    queue_control(of_session(session), WS_PING, slice_str(""));
}

static void pause_input(struct session *session)
{
    stream_pause(&of_session(session)->stream);
}

static void resume_input(struct session *session)
{
    stream_resume(&of_session(session)->stream);
}

static bool is_held(const struct session *session)
{
    const struct stream *stream = &of_session(session)->stream;

    return stream->is_paused || stream->is_yielded;
}

static uint64_t last_read_ms(const struct session *session)
{
    return of_session(session)->stream.last_read_ms;
}

static uint64_t last_write_ms(const struct session *session)
{
    return of_session(session)->stream.last_write_ms;
}

static const struct session_transport transport = {
    .close = close_connection,
    .cut_and_close = cut_and_close,
    .ping = send_ping,
    .pause = pause_input,
    .resume = resume_input,
    .is_held = is_held,
    .last_read_ms = last_read_ms,
    .last_write_ms = last_write_ms,
};

/* --- what comes in --- */

/* The answer is what the peer said, its reason too; to no code it is 1000, as Tomcat has it. */
static void on_peer_close(struct ws_connection *connection, const struct ws_event *event)
{
    if (!connection->said_close)
        queue_close(connection, event->close_code == 1005 ? 1000 : event->close_code,
                    event->reason);
    session_close(&connection->session, SESSION_BY_PEER, event->close_code, slice_str(""));
    stream_peer_closed(&connection->stream, true);
}

static bool has_unpacked(const struct ws_connection *connection)
{
    return connection->inflow != NULL && connection->inflow->has_message;
}

/*
 * The same for a message that was compressed. While some of it is left, a byte of the input, the
 * last one, counts as pending: so the stream comes back, whatever else there is to read.
 */
static bool give_unpacked(struct ws_connection *connection, const struct session_input *input)
{
    struct ws_inflow *inflow = connection->inflow;
    size_t used = session_input(&connection->session, inflow->left, input);

    inflow->left = slice_skip(inflow->left, used);
    inflow->has_message = inflow->left.len != 0;
    connection->pending = inflow->has_message ? 1 : 0;
    connection->pending_input = *input;
    connection->pending_input.is_first = input->is_first && used == 0;
    if (!inflow->has_message)
        ws_unpacker_done(&inflow->unpacker);
    return !inflow->has_message;
}

/* Offers a piece to the session; false when the session left some of it for later. */
static bool give(struct ws_connection *connection, struct slice piece,
                 const struct session_input *input)
{
    size_t used = session_input(&connection->session, piece, input);

    connection->pending = piece.len - used;
    connection->pending_input = *input;
    connection->pending_input.is_first = input->is_first && used == 0;
    return connection->pending == 0;
}

/* Replaces an event about compressed data by what comes of it. */
static void unpack(struct ws_connection *connection, struct ws_event *event)
{
    struct ws_inflow *inflow = connection->inflow;

    ws_unpack(&inflow->unpacker, event);
    if (event->type == WS_EVENT_DATA) {
        metrics_add(&connection->env->worker->metrics, METRIC_INFLATED, 1);
        inflow->left = event->payload;
        inflow->has_message = true;
        inflow->tick_bytes += event->payload.len;
    } else if (event->type == WS_EVENT_ERROR) {
        connection->reader.is_over = true;
    }
}

/* One event; false when the rest of the input has to wait. */
static bool on_event(struct ws_connection *connection, struct ws_event *event,
                     unsigned *frames_left)
{
    struct session_input input;

    if (event->type == WS_EVENT_DATA && event->is_compressed)
        unpack(connection, event);
    switch (event->type) {
    case WS_EVENT_DATA:
        input = (struct session_input){
            .is_binary = event->opcode == WS_BINARY,
            .is_first = event->is_first,
            .is_last = event->is_last,
            .frames_left = frames_left,
        };
        return has_unpacked(connection) ? give_unpacked(connection, &input)
                                        : give(connection, event->payload, &input);
    case WS_EVENT_PING:
        if (connection->session.state < SESSION_CLOSING)
            queue_control(connection, WS_PONG, event->payload);
        return true;
    case WS_EVENT_PONG:
        session_pong(&connection->session);
        return true;
    case WS_EVENT_CLOSE:
        on_peer_close(connection, event);
        return true;
    case WS_EVENT_ERROR:
        session_close(&connection->session, SESSION_TRANSPORT_ERROR, event->close_code,
                      event->reason);
        stream_peer_closed(&connection->stream, false);
        return true;
    case WS_EVENT_MORE:
        break;
    }
    return true;
}

/* What an earlier tick has left over goes first. */
static bool give_pending(struct ws_connection *connection, struct slice *left,
                         unsigned *frames_left)
{
    struct session_input input = connection->pending_input;
    struct slice piece = slice_take(*left, connection->pending);
    bool is_done;

    if (connection->pending == 0)
        return true;
    input.frames_left = frames_left;
    is_done = has_unpacked(connection) ? give_unpacked(connection, &input)
                                       : give(connection, piece, &input);
    *left = slice_skip(*left, piece.len - connection->pending);
    return is_done;
}

/* What a few bytes inflate to takes the time of as many as they become. */
static bool has_inflated_enough(const struct ws_connection *connection)
{
    return connection->inflow != NULL && connection->inflow->tick_bytes >= TICK_MAX_BYTES;
}

static size_t on_input(struct stream *stream, struct slice input)
{
    struct ws_connection *connection = of_stream(stream);
    struct slice share = slice_take(input, TICK_MAX_BYTES);
    struct slice left = share;
    unsigned frames_left = TICK_MAX_FRAMES, events_left = TICK_MAX_FRAMES;
    bool may_go_on;

    if (connection->inflow != NULL)
        connection->inflow->tick_bytes = 0;
    may_go_on = give_pending(connection, &left, &frames_left);

    while (may_go_on && left.len != 0 && !connection->reader.is_over &&
           stream->state != STREAM_CLOSED && !stream->is_paused) {
        struct ws_event event;

        if (events_left-- == 0 || has_inflated_enough(connection)) {
            may_go_on = false;
            break;
        }
        ws_reader_next(&connection->reader, &left, &event);
        if (event.type == WS_EVENT_MORE)
            break;
        may_go_on = on_event(connection, &event, &frames_left);
        if (!may_go_on)
            left = slice_of(left.base - connection->pending, left.len + connection->pending);
    }
    if (stream->state == STREAM_CLOSED)
        return input.len;
    if (connection->reader.is_over)
        return input.len;
    if (!stream->is_paused && (!may_go_on || left.len != 0 || share.len < input.len))
        stream_yield(stream);
    return share.len - left.len;
}

static void on_end(struct stream *stream, enum stream_end how)
{
    struct ws_connection *connection = of_stream(stream);
    struct worker_shared *shared = connection->env->worker->shared;

    (void)how;
    session_end(&connection->session);
    metrics_sub(&connection->env->worker->metrics, METRIC_CONNECTIONS, 1);
    atomic_fetch_sub(&shared->n_connections, 1);
}

static void on_limit(struct stream *stream, enum stream_limit limit)
{
    static const enum session_reason reasons[] = {
        [STREAM_LIMIT_BUFFER] = SESSION_SEND_BUFFER,
        [STREAM_LIMIT_TIME] = SESSION_SEND_TIME,
        [STREAM_LIMIT_MEMORY] = SESSION_MEMORY,
        [STREAM_LIMIT_WINDOW] = SESSION_ACK_WINDOW,
    };

    session_overflow(&of_stream(stream)->session, reasons[limit]);
}

static void on_free(struct stream *stream)
{
    struct ws_connection *connection = of_stream(stream);

    if (connection->inflow != NULL)
        ws_unpacker_dispose(&connection->inflow->unpacker);
    mem_free(connection->inflow);
    ws_reader_dispose(&connection->reader);
    mem_free(connection);
}

static const struct stream_callbacks callbacks = {
    .on_input = on_input,
    .on_end = on_end,
    .on_limit = on_limit,
    .on_free = on_free,
};

/* Compressed messages both ways, as agreed. Returns the receiver's wire form. */
static enum wire compress(struct ws_connection *connection, enum wire wire,
                          const struct ws_deflate_agreement *agreed)
{
    connection->inflow = mem_calloc(1, sizeof(*connection->inflow));
    ws_unpacker_init(&connection->inflow->unpacker, &connection->env->inflater, agreed,
                     connection->reader.max_message_bytes);
    ws_reader_allow_compressed(&connection->reader);
    return wire_compressed(wire, agreed->server_bits, agreed->server_keeps_context);
}

void ws_connection_open(struct ws_env *env, h2o_socket_t *sock, bool is_tls, size_t endpoint,
                        struct auth_identity *identity, const struct ws_deflate_agreement *deflate)
{
    struct ws_connection *connection = mem_calloc(1, sizeof(*connection));
    const struct config_endpoint *settings = &env->sessions->config->endpoints[endpoint];
    enum wire wire =
        settings->protocol == CONFIG_PROTOCOL_STOMP ? WIRE_WEBSOCKET : WIRE_WEBSOCKET_RAW;

    uint64_t n_before;

    connection->env = env;
    ws_reader_init(&connection->reader, settings->message_size_limit);
    if (deflate != NULL)
        wire = compress(connection, wire, deflate);
    metrics_add(&env->worker->metrics, METRIC_CONNECTIONS, 1);
    metrics_add(&env->worker->metrics, METRIC_CONNECTIONS_OPENED, 1);
    n_before = atomic_fetch_add(&env->worker->shared->n_connections, 1);
    stream_open(&connection->stream, env->worker, sock, is_tls, wire, &callbacks, &env->limits);
    session_open(&connection->session, env->sessions, &transport, &connection->stream.receiver,
                 endpoint, identity);
    /* The handshake was answered 503 at the limit; this is for those that raced there. */
    if (n_before >= env->sessions->config->transport.max_connections)
        session_close(&connection->session, SESSION_TOO_MANY, 1013,
                      slice_str("Too many connections"));
    stream_resume(&connection->stream);
}

void ws_env_dispose(struct ws_env *env)
{
    ws_inflater_free(env->inflater);
    env->inflater = NULL;
}

void ws_connection_close_some(struct ws_env *env, size_t n)
{
    for (struct stream *stream = env->worker->streams; stream != NULL && n != 0;
         stream = stream->next) {
        if (stream->state != STREAM_OPEN)
            continue;
        session_close(&of_stream(stream)->session, SESSION_SHUTDOWN, 1001,
                      slice_str("The server is shutting down"));
        n--;
    }
}

void ws_connection_abort_all(struct ws_env *env)
{
    struct stream *stream = env->worker->streams;

    while (stream != NULL) {
        struct stream *next = stream->next;

        stream_abort(stream);
        stream = next;
    }
}
