#include "tests/gateway/session/rig.h"

#include "gateway/session/broker_setup.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/mem.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct slice copied_headers[] = {SLICE("x-name"), SLICE("receipt"), SLICE("colour")};
static struct slice broker_prefixes[] = {SLICE("/topic"), SLICE("/queue")};

static struct config_route routes[] = {
    {.destination = SLICE("/app/echo"), .mode = CONFIG_ROUTE_ECHO},
    {.destination = SLICE("/app/hello"), .mode = CONFIG_ROUTE_ECHO, .prefix = SLICE("서버: ")},
    {
        .destination = SLICE("/app/chat"),
        .send_to = SLICE("/topic/chat"),
        .copy_headers = {copied_headers, COUNT(copied_headers)},
    },
    {.destination = SLICE("/app/plain"), .send_to = SLICE("/topic/plain")},
    {.destination = SLICE("/app/stays")},
};

/* --- the environment --- */

static uint64_t now_ms(void *ctx)
{
    return ((struct rig *)ctx)->now_ms;
}

static bool is_congested(void *ctx)
{
    return ((struct rig *)ctx)->is_congested;
}

struct auth_identity *rig_identity(const char *user)
{
    struct auth_identity *identity = mem_calloc(1, sizeof(*identity));

    identity->user = mem_slice_dup(slice_str(user));
    identity->issuer = mem_slice_dup(slice_str(""));
    return identity;
}

static enum session_verdict authenticate(void *ctx, struct session_ref ref, struct slice token,
                                         struct auth_identity **identity, const char **why)
{
    struct rig *rig = ctx;

    if (slice_eq(token, slice_str("slow"))) {
        rig->pending = ref;
        return SESSION_PENDING;
    }
    if (!slice_eq(token, slice_str("alice")) && !slice_eq(token, slice_str("bob"))) {
        *why = "The token is invalid";
        return SESSION_REFUSED;
    }
    *identity = rig_identity(token.len == 3 ? "bob" : "alice");
    return SESSION_ALLOWED;
}

static void no_mail(void *ctx, unsigned worker, struct msg *msg)
{
    (void)ctx;
    (void)worker;
    (void)msg;
    fail_msg("mail in a process of one worker");
}

static void no_wake(void *ctx)
{
    (void)ctx;
}

struct rig *rig_new(void)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    assert_non_null(rig);
    for (size_t i = 0; i < RIG_N_ENDPOINTS; i++)
        rig->endpoints[i].message_size_limit = 65536;
    rig->endpoints[RIG_STOMP].path = slice_str("/ws");
    rig->endpoints[RIG_OPEN].path = slice_str("/open");
    rig->endpoints[RIG_OPEN].anonymous = true;
    rig->endpoints[RIG_ECHO].path = slice_str("/echo");
    rig->endpoints[RIG_ECHO].protocol = CONFIG_PROTOCOL_ECHO;
    rig->endpoints[RIG_ECHO].prefix = slice_str("echo: ");
    rig->endpoints[RIG_ROOM].path = slice_str("/room");
    rig->endpoints[RIG_ROOM].protocol = CONFIG_PROTOCOL_BROADCAST;
    rig->endpoints[RIG_MIRROR].path = slice_str("/mirror");
    rig->endpoints[RIG_MIRROR].protocol = CONFIG_PROTOCOL_BROADCAST;
    rig->endpoints[RIG_MIRROR].echo_to_sender = true;
    rig->config.endpoints = rig->endpoints;
    rig->config.n_endpoints = RIG_N_ENDPOINTS;
    rig->config.routes = routes;
    rig->config.n_routes = COUNT(routes);
    rig->config.broker.destination_prefixes =
        (struct config_strings){broker_prefixes, COUNT(broker_prefixes)};
    rig->config.broker.user_destination_prefix = slice_str("/user/");
    rig->config.broker.heartbeat_send_ms = 10000;
    rig->config.broker.heartbeat_receive_ms = 10000;
    rig->config.transport.time_to_first_message_ms = 60000;
    rig->config.transport.max_header_count = 64;
    rig->config.transport.max_header_size = 1024;
    rig->config.transport.max_subscriptions_per_session = 16;
    rig->config.transport.max_patterns_per_session = 4;
    rig->config.transport.max_transactions_per_session = 2;
    rig->config.transport.max_transaction_frames = 8;
    rig->config.transport.max_transaction_bytes = 65536;
    rig->config.transport.process_buffer_limit = 1000000;
    rig->config.broker.path_separator = '/';
    rig->config.broker.ack_window = 4;
    rig->config.broker.max_patterns = 8;
    rig->config.broker.cache_limit = 100;
    rig->config.broker.queue_limit = (struct config_keep_limit){8, 100000};
    rig->config.broker.last_message_limit = (struct config_keep_limit){8, 100000};
    rig->config.broker.error_destination = slice_str("/user/queue/errors");
    rig->config.auth.anonymous = true;
    rig->now_ms = 1000000;
    return rig;
}

void rig_rule(struct rig *rig, unsigned operations, const struct slice *destination,
              enum auth_allow allow)
{
    assert_true(rig->n_rules < COUNT(rig->rules));
    rig->rules[rig->n_rules++] = (struct auth_access_rule){
        .operations = operations,
        .allow = allow,
        .destinations = destination,
        .n_destinations = destination == NULL ? 0 : 1,
    };
}

/* --- what the broker asks --- */

static void send_errand(void *ctx, unsigned worker, struct errand *errand)
{
    struct rig *rig = ctx;

    assert_int_equal(worker, 0);
    assert_true(rig->n_errands < COUNT(rig->errands));
    rig->errands[rig->n_errands++] = errand;
}

static void send_receipt(void *ctx, struct session_ref session, struct slice receipt)
{
    session_receipt(&((struct rig *)ctx)->env, session, receipt);
}

static bool is_ending(void *ctx)
{
    (void)ctx;
    return false;
}

static void subscription_ended(void *ctx, struct subscription *subscription)
{
    broker_subscription_ended(ctx, subscription);
}

void rig_run_errands(struct rig *rig)
{
    while (rig->n_errands != 0) {
        struct errand *first = rig->errands[0];

        rig->n_errands--;
        memmove(rig->errands, rig->errands + 1, rig->n_errands * sizeof(rig->errands[0]));
        first->run(first, &rig->broker);
    }
}

void rig_start(struct rig *rig)
{
    const struct siphash_key key = {1, 2};
    const struct router_hooks hooks = {.mail = no_mail, .wake = no_wake, .ctx = rig};
    char *error = NULL;
    int fds[2];

    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    rig->log_fd = fds[0];
    log_init(&rig->log, fds[1], LOG_LEVEL_DEBUG, false);
    interest_init(&rig->interest, key);
    chunk_pool_init(&rig->pool, &rig->account);
    patterns_init(&rig->patterns, 1, (size_t)rig->config.broker.max_patterns, '/', key);
    router_init(&rig->router, 0, &rig->interest, &rig->patterns, 100, &rig->pool, &rig->metrics,
                key, 0xabc, hooks);
    assert_int_equal(broker_setup(&rig->broker_shared, &rig->config, 1, key, 0xabc, &error), 0);
    broker_init(&rig->broker, &rig->broker_shared, 0, &rig->router, &rig->metrics, 100,
                (struct broker_hooks){send_errand, send_receipt, is_ending, rig});
    router_on_ended(&rig->router, subscription_ended, &rig->broker);
    timer_wheel_init(&rig->timers, rig->now_ms);
    for (size_t i = 0; i < RIG_N_ENDPOINTS; i++)
        rig->limits[i] = (struct stomp_limits){
            .max_frame_bytes = (size_t)rig->endpoints[i].message_size_limit,
            .max_headers = (size_t)rig->config.transport.max_header_count,
            .max_header_bytes = (size_t)rig->config.transport.max_header_size,
        };
    rig->env = (struct session_env){
        .config = &rig->config,
        .routes = routes_new(&rig->config, key),
        .access = auth_access_new(rig->rules, rig->n_rules, ANT_SEPARATOR, &error),
        .authenticate = authenticate,
        .authenticate_ctx = rig,
        .stomp_limits = rig->limits,
        .router = &rig->router,
        .broker = &rig->broker,
        .timers = &rig->timers,
        .metrics = &rig->metrics,
        .log = &rig->log,
        .quiet = {.hash_key = key},
        .now_ms = now_ms,
        .is_congested = is_congested,
        .worker_ctx = rig,
    };
    assert_non_null(rig->env.access);
    session_env_init(&rig->env);
}

struct rig *rig_started(void)
{
    struct rig *rig = rig_new();

    rig_start(rig);
    return rig;
}

void rig_free(struct rig *rig)
{
    while (rig->peers != NULL) {
        struct peer *peer = rig->peers;

        peer_end(peer);
        rig->peers = peer->next;
        free(peer);
    }
    rig_run_errands(rig);
    router_distribute(&rig->router);
    assert_int_equal(rig->timers.n_armed, 0);
    assert_int_equal(rig_metric(rig, METRIC_SESSIONS), 0);
    assert_int_equal(rig_metric(rig, METRIC_SUBSCRIPTIONS), 0);
    session_env_dispose(&rig->env);
    routes_free((struct routes *)rig->env.routes);
    auth_access_free((struct auth_access *)rig->env.access);
    broker_dispose(&rig->broker);
    broker_shared_dispose(&rig->broker_shared);
    router_dispose(&rig->router);
    patterns_dispose(&rig->patterns);
    chunk_pool_dispose(&rig->pool);
    assert_int_equal(chunk_account_bytes(&rig->account), 0);
    interest_dispose(&rig->interest);
    (void)close(rig->log.fd);
    (void)close(rig->log_fd);
    free(rig);
}

uint64_t rig_metric(const struct rig *rig, enum metric metric)
{
    const struct metrics *sets[] = {&rig->metrics};

    return metrics_sum(sets, 1, metric);
}

void rig_assert_logged(const struct rig *rig, const char *text)
{
    char lines[16384];
    ssize_t n = read(rig->log_fd, lines, sizeof(lines) - 1);

    lines[n < 0 ? 0 : n] = '\0';
    if (strstr(lines, text) == NULL)
        fail_msg("no \"%s\" in the log:\n%s", text, lines);
}

/* --- the transport --- */

static struct peer *of_session(const struct session *session)
{
    return (struct peer *)session;
}

static void note_close(struct session *session, uint16_t code, struct slice reason)
{
    struct peer *peer = of_session(session);

    peer->n_closes++;
    peer->close_code = code;
    (void)snprintf(peer->close_reason, sizeof(peer->close_reason), "%.*s", SLICE_FMT(reason));
}

static void note_cut(struct session *session, uint16_t code, struct slice reason)
{
    of_session(session)->is_cut = true;
    note_close(session, code, reason);
}

static void note_ping(struct session *session)
{
    of_session(session)->n_pings++;
}

static void note_pause(struct session *session)
{
    of_session(session)->is_paused = true;
}

static void note_resume(struct session *session)
{
    of_session(session)->is_paused = false;
}

static bool is_held(const struct session *session)
{
    return of_session(session)->is_held;
}

static uint64_t last_read_ms(const struct session *session)
{
    return of_session(session)->last_read_ms;
}

static uint64_t last_write_ms(const struct session *session)
{
    return of_session(session)->last_write_ms;
}

static const struct session_transport transport = {
    .close = note_close,
    .cut_and_close = note_cut,
    .ping = note_ping,
    .pause = note_pause,
    .resume = note_resume,
    .is_held = is_held,
    .last_read_ms = last_read_ms,
    .last_write_ms = last_write_ms,
};

struct peer *rig_open(struct rig *rig, size_t endpoint, const char *user)
{
    struct peer *peer = calloc(1, sizeof(*peer));
    bool is_stomp = rig->endpoints[endpoint].protocol == CONFIG_PROTOCOL_STOMP;

    assert_non_null(peer);
    peer->rig = rig;
    peer->next = rig->peers;
    rig->peers = peer;
    peer->frames_left = 1000;
    peer->last_read_ms = peer->last_write_ms = rig->now_ms;
    receiver_init(&peer->receiver, &rig->router, is_stomp ? WIRE_WEBSOCKET : WIRE_WEBSOCKET_RAW);
    session_open(&peer->session, &rig->env, &transport, &peer->receiver, endpoint,
                 user == NULL ? NULL : rig_identity(user));
    return peer;
}

void peer_end(struct peer *peer)
{
    session_end(&peer->session);
    receiver_leave(&peer->receiver, &peer->rig->router);
}

size_t peer_give(struct peer *peer, struct slice bytes, bool is_binary)
{
    const struct session_input input = {
        .is_binary = is_binary,
        .is_first = true,
        .is_last = true,
        .frames_left = &peer->frames_left,
    };

    peer->last_read_ms = peer->rig->now_ms;
    return session_input(&peer->session, bytes, &input);
}

void peer_say_(struct peer *peer, struct slice bytes, bool is_binary)
{
    assert_int_equal(peer_give(peer, bytes, is_binary), bytes.len);
}

/* --- what was said --- */

static void hear(struct peer *peer, const char *bytes, size_t len)
{
    assert_true(peer->heard_len + len < sizeof(peer->heard));
    for (size_t i = 0; i < len; i++)
        peer->heard[peer->heard_len++] = (char)(bytes[i] == '\0' ? '^' : bytes[i]);
    peer->heard[peer->heard_len] = '\0';
}

/* Takes one WebSocket frame off the front; returns its length. */
static size_t hear_frame(struct peer *peer, const unsigned char *frame)
{
    size_t len = frame[1], head = 2;

    if (len == 126) {
        len = (size_t)frame[2] << 8 | frame[3];
        head = 4;
    } else if (len == 127) {
        len = (size_t)frame[6] << 24 | (size_t)frame[7] << 16 | (size_t)frame[8] << 8 | frame[9];
        head = 10;
    }
    if (frame[0] == 0x82)
        hear(peer, "[binary]", 8);
    else
        assert_int_equal(frame[0], 0x81);
    hear(peer, (const char *)frame + head, len);
    return head + len;
}

static void write_queue(struct peer *peer)
{
    struct outq *q = &peer->receiver.outq;
    size_t len = q->bytes, at = 0;
    char *flat = malloc(len + 1);

    assert_non_null(flat);
    while (!outq_is_empty(q)) {
        struct iovec iov[8];
        int n = outq_peek(q, iov, 8);

        for (int i = 0; i < n; i++) {
            memcpy(flat + at, iov[i].iov_base, iov[i].iov_len);
            at += iov[i].iov_len;
            outq_consume(q, iov[i].iov_len);
        }
    }
    assert_int_equal(at, len);
    for (at = 0; at < len;)
        at += hear_frame(peer, (const unsigned char *)flat + at);
    if (len != 0)
        peer->last_write_ms = peer->rig->now_ms;
    free(flat);
}

static void end_tick(struct rig *rig)
{
    rig_run_errands(rig);
    router_distribute(&rig->router);
    while (router_take_dirty(&rig->router) != NULL)
        continue;
    for (struct peer *peer = rig->peers; peer != NULL; peer = peer->next)
        write_queue(peer);
}

const char *peer_heard(struct peer *peer)
{
    static const char none[] = "";

    end_tick(peer->rig);
    if (peer->heard_len == 0)
        return none;
    peer->heard_len = 0;
    return peer->heard;
}

void rig_advance(struct rig *rig, uint64_t ms)
{
    uint64_t until = rig->now_ms + ms;

    while (rig->now_ms < until) {
        end_tick(rig);
        rig->now_ms = rig->now_ms + 16 < until ? rig->now_ms + 16 : until;
        timer_wheel_advance(&rig->timers, rig->now_ms);
    }
    end_tick(rig);
}

void peer_connect(struct peer *peer)
{
    peer_say(peer, "CONNECT\naccept-version:1.2\n\n\0");
    assert_int_equal(peer->session.state, SESSION_CONNECTED);
    (void)peer_heard(peer);
}

void peer_subscribe(struct peer *peer, const char *id, const char *destination)
{
    char frame[256];
    int n = snprintf(frame, sizeof(frame), "SUBSCRIBE\nid:%s\ndestination:%s\n\n", id, destination);

    peer_say_(peer, slice_of(frame, (size_t)n + 1), false);
    assert_int_equal(peer->n_closes, 0);
    (void)peer_heard(peer);
}

void assert_closed_(struct peer *peer, uint16_t code, const char *heard, const char *file, int line)
{
    const char *got = peer_heard(peer);

    _assert_string_equal(got, heard, file, line);
    _assert_int_equal(peer->n_closes, 1, file, line);
    _assert_int_equal(peer->close_code, code, file, line);
    _assert_int_equal(peer->session.state, SESSION_CLOSING, file, line);
}
