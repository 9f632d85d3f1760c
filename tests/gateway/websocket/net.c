#include "tests/gateway/websocket/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/mem.h"
#include "gateway/session/broker_setup.h"

static struct slice broker_prefixes[] = {SLICE("/topic"), SLICE("/queue")};

/* --- what sessions ask --- */

static struct auth_identity *make_identity(const char *user)
{
    struct auth_identity *identity = mem_calloc(1, sizeof(*identity));

    identity->user = mem_slice_dup(slice_str(user));
    identity->issuer = mem_slice_dup(slice_str(""));
    return identity;
}

static enum session_verdict authenticate(void *ctx, struct session_ref ref, struct slice token,
                                         struct auth_identity **identity, const char **why)
{
    struct net *net = ctx;

    if (slice_eq(token, slice_str("slow"))) {
        net->pending = ref;
        return SESSION_PENDING;
    }
    *why = "The token is invalid";
    if (!slice_eq(token, slice_str("alice")))
        return SESSION_REFUSED;
    *identity = make_identity("alice");
    return SESSION_ALLOWED;
}

static uint64_t now_ms(void *ctx)
{
    return worker_now_ms(ctx);
}

static bool is_congested(void *ctx)
{
    return worker_is_congested(ctx);
}

/* --- what brokers ask --- */

static void send_errand(void *ctx, unsigned worker, struct errand *errand)
{
    worker_send_errand(ctx, worker, errand);
}

static void send_receipt(void *ctx, struct session_ref session, struct slice receipt)
{
    (void)ctx;
    (void)session;
    (void)receipt;
    fail(); /* nothing is owned here */
}

static bool is_ending(void *ctx)
{
    return ((const struct worker *)ctx)->is_ending;
}

static void subscription_ended(void *ctx, struct subscription *subscription)
{
    broker_subscription_ended(ctx, subscription);
}

/* --- start and end --- */

struct net *net_new(void)
{
    struct net *net = calloc(1, sizeof(*net));

    assert_non_null(net);
    for (size_t i = 0; i < NET_N_ENDPOINTS; i++)
        net->endpoints[i].message_size_limit = 65536;
    net->endpoints[NET_STOMP].path = slice_str("/ws");
    net->endpoints[NET_ECHO].path = slice_str("/echo");
    net->endpoints[NET_ECHO].protocol = CONFIG_PROTOCOL_ECHO;
    net->endpoints[NET_ROOM].path = slice_str("/room");
    net->endpoints[NET_ROOM].protocol = CONFIG_PROTOCOL_BROADCAST;
    net->config.endpoints = net->endpoints;
    net->config.n_endpoints = NET_N_ENDPOINTS;
    net->config.broker.destination_prefixes = (struct config_strings){broker_prefixes, 2};
    net->config.broker.user_destination_prefix = slice_str("/user/");
    net->config.transport.send_buffer_size_limit = 1 << 20;
    net->config.transport.send_time_limit_ms = 10000;
    net->config.transport.time_to_first_message_ms = 60000;
    net->config.transport.max_header_count = 64;
    net->config.transport.max_header_size = 1024;
    net->config.transport.max_subscriptions_per_session = 1000;
    net->config.transport.max_connections = 1000;
    net->config.transport.process_buffer_limit = 256 << 20;
    net->config.auth.anonymous = true;
    net->config.broker.path_separator = '/';
    net->config.broker.ack_window = 4;
    net->config.broker.queue_limit = (struct config_keep_limit){1000, 1 << 20};
    net->config.broker.last_message_limit = (struct config_keep_limit){1000, 1 << 20};
    return net;
}

void net_start(struct net *net, unsigned n_workers)
{
    const struct siphash_key key = {1, 2};
    char *error = NULL;

    fleet_start(&net->fleet, n_workers, net->config.transport.process_buffer_limit);
    for (size_t i = 0; i < NET_N_ENDPOINTS; i++)
        net->stomp_limits[i] = (struct stomp_limits){
            .max_frame_bytes = (size_t)net->endpoints[i].message_size_limit,
            .max_headers = (size_t)net->config.transport.max_header_count,
            .max_header_bytes = (size_t)net->config.transport.max_header_size,
        };
    assert_int_equal(broker_setup(&net->broker_shared, &net->config, n_workers, key, 0xabc, &error),
                     0);
    for (unsigned i = 0; i < n_workers; i++) {
        struct worker *worker = net->fleet.workers[i];

        broker_init(&net->brokers[i], &net->broker_shared, i, &worker->router, &worker->metrics,
                    100, (struct broker_hooks){send_errand, send_receipt, is_ending, worker});
        worker->errand_ctx = &net->brokers[i];
        router_on_ended(&worker->router, subscription_ended, &net->brokers[i]);
        net->sessions[i] = (struct session_env){
            .config = &net->config,
            .routes = routes_new(&net->config, key),
            .access = auth_access_new(NULL, 0, ANT_SEPARATOR, &error),
            .authenticate = authenticate,
            .authenticate_ctx = net,
            .stomp_limits = net->stomp_limits,
            .router = &worker->router,
            .broker = &net->brokers[i],
            .timers = &worker->timers,
            .metrics = &worker->metrics,
            .log = &net->fleet.log,
            .quiet = {.hash_key = key},
            .now_ms = now_ms,
            .is_congested = is_congested,
            .worker_ctx = worker,
        };
        session_env_init(&net->sessions[i]);
        net->websockets[i] = (struct ws_env){
            .worker = worker,
            .sessions = &net->sessions[i],
            .limits = {net->config.transport.send_buffer_size_limit,
                       net->config.transport.send_time_limit_ms},
        };
    }
}

struct net *net_started(void)
{
    struct net *net = net_new();

    net_start(net, 1);
    return net;
}

void net_free(struct net *net)
{
    unsigned n_workers = net->fleet.shared.n_workers;

    fleet_abort_streams(&net->fleet);
    while (net->clients != NULL) {
        struct client *client = net->clients;

        net->clients = client->next;
        client_vanish(client);
        free(client->payload);
        free(client);
    }
    assert_int_equal(fleet_metric(&net->fleet, METRIC_CONNECTIONS), 0);
    assert_int_equal(fleet_metric(&net->fleet, METRIC_SESSIONS), 0);
    assert_int_equal(fleet_metric(&net->fleet, METRIC_SUBSCRIPTIONS), 0);
    assert_int_equal(atomic_load(&net->fleet.shared.n_connections), 0);
    fleet_stop(&net->fleet);
    for (unsigned i = 0; i < n_workers; i++) {
        session_env_dispose(&net->sessions[i]);
        ws_env_dispose(&net->websockets[i]);
        broker_dispose(&net->brokers[i]);
        routes_free((struct routes *)net->sessions[i].routes);
        auth_access_free((struct auth_access *)net->sessions[i].access);
    }
    broker_shared_dispose(&net->broker_shared);
    free(net);
}

static void hold(struct worker *worker, void *ctx)
{
    worker->is_ending = *(const bool *)ctx;
}

void net_hold(struct net *net, bool is_held)
{
    for (unsigned i = 0; i < net->fleet.shared.n_workers; i++)
        fleet_ask(&net->fleet, i, hold, &is_held);
}

struct verdict {
    struct net *net;
    const char *user;
};

static void resolve(struct worker *worker, void *ctx)
{
    const struct verdict *verdict = ctx;
    struct net *net = verdict->net;

    session_resolve(&net->sessions[worker->index], net->pending,
                    verdict->user == NULL ? SESSION_REFUSED : SESSION_ALLOWED,
                    verdict->user == NULL ? NULL : make_identity(verdict->user));
}

void net_resolve(struct net *net, unsigned worker, const char *user)
{
    struct verdict verdict = {net, user};

    fleet_ask(&net->fleet, worker, resolve, &verdict);
}

struct publishing {
    struct slice destination;
    struct slice body;
};

static void publish(struct worker *worker, void *ctx)
{
    const struct publishing *publishing = ctx;
    const struct msg_header headers[] = {{SLICE("destination"), publishing->destination}};
    struct msg *msg =
        msg_new(publishing->destination, headers, 1, slice_str("m"), publishing->body, false);

    router_publish(&worker->router, msg, NULL);
    msg_unref(msg);
}

void net_publish(struct net *net, unsigned worker, const char *destination, struct slice body)
{
    struct publishing publishing = {slice_str(destination), body};

    fleet_ask(&net->fleet, worker, publish, &publishing);
}

/* --- clients --- */

struct opening {
    struct net *net;
    size_t endpoint;
    int fd;
    struct slice early;
    const struct ws_deflate_agreement *deflate;
};

static void open_connection(struct worker *worker, void *ctx)
{
    const struct opening *opening = ctx;
    h2o_socket_t *sock = h2o_evloop_socket_create(worker->loop, opening->fd, 0);

    if (opening->early.len != 0) {
        h2o_iovec_t room = h2o_buffer_reserve(&sock->input, opening->early.len);

        memcpy(room.base, opening->early.base, opening->early.len);
        sock->input->size += opening->early.len;
    }
    ws_connection_open(&opening->net->websockets[worker->index], sock, false, opening->endpoint,
                       NULL, opening->deflate);
}

static struct client *open_client(unsigned worker, int buffer_bytes, struct opening *opening)
{
    struct client *client = calloc(1, sizeof(*client));
    struct net *net = opening->net;

    assert_non_null(client);
    client->net = net;
    client->worker = worker;
    client->next = net->clients;
    net->clients = client;
    client->fd = fleet_socketpair(&opening->fd, buffer_bytes);
    fleet_ask(&net->fleet, worker, open_connection, opening);
    return client;
}

struct client *client_open_with(struct net *net, unsigned worker, size_t endpoint, int buffer_bytes,
                                struct slice early)
{
    struct opening opening = {net, endpoint, -1, early, NULL};

    return open_client(worker, buffer_bytes, &opening);
}

struct client *client_open_deflate(struct net *net, unsigned worker, size_t endpoint,
                                   const struct ws_deflate_agreement *deflate)
{
    struct opening opening = {net, endpoint, -1, slice_str(""), deflate};

    return open_client(worker, 0, &opening);
}

struct client *client_open(struct net *net, unsigned worker, size_t endpoint)
{
    return client_open_with(net, worker, endpoint, 0, slice_str(""));
}

void client_vanish(struct client *client)
{
    if (client->fd >= 0)
        (void)close(client->fd);
    client->fd = -1;
}

struct slice client_frame_bytes(unsigned char head, struct slice payload)
{
    static const unsigned char mask[4] = {0x12, 0x34, 0x56, 0x78};
    unsigned char *bytes = malloc(payload.len + 14);
    size_t n = 0;

    assert_non_null(bytes);
    bytes[n++] = head;
    if (payload.len < 126) {
        bytes[n++] = (unsigned char)(0x80 | payload.len);
    } else if (payload.len < 65536) {
        bytes[n++] = 0x80 | 126;
        bytes[n++] = (unsigned char)(payload.len >> 8);
        bytes[n++] = (unsigned char)payload.len;
    } else {
        bytes[n++] = 0x80 | 127;
        for (int shift = 56; shift >= 0; shift -= 8)
            bytes[n++] = (unsigned char)((uint64_t)payload.len >> shift);
    }
    memcpy(bytes + n, mask, sizeof(mask));
    n += sizeof(mask);
    for (size_t i = 0; i < payload.len; i++)
        bytes[n++] = (unsigned char)payload.base[i] ^ mask[i % 4];
    return slice_of((const char *)bytes, n);
}

void client_frame(struct client *client, unsigned char head, struct slice payload)
{
    struct slice bytes = client_frame_bytes(head, payload);

    fd_write(client->fd, bytes);
    free((char *)bytes.base);
}

void client_say_close(struct client *client, uint16_t code)
{
    const char payload[] = {(char)(code >> 8), (char)code};

    client_frame(client, 0x88, slice_of(payload, code == 1005 ? 0 : 2));
}

void client_next(struct client *client)
{
    unsigned char head[8];
    size_t len;

    fd_read(client->fd, (char *)head, 2);
    client->head = head[0];
    len = head[1];
    assert_in_range(len, 0, 127); /* a server does not mask */
    if (len == 126) {
        fd_read(client->fd, (char *)head, 2);
        len = (size_t)head[0] << 8 | head[1];
    } else if (len == 127) {
        fd_read(client->fd, (char *)head, 8);
        len = 0;
        for (int i = 0; i < 8; i++)
            len = len << 8 | head[i];
    }
    assert_in_range(len, 0, 1 << 26);
    client->payload = mem_realloc(client->payload, len + 1);
    client->len = len;
    fd_read(client->fd, client->payload, len);
    if ((client->head & 0x0f) < 8 && (client->head & 0x40) == 0) {
        for (size_t i = 0; i < len; i++)
            client->payload[i] = (char)(client->payload[i] == '\0' ? '^' : client->payload[i]);
    }
    client->payload[len] = '\0';
}

void expect_frame(struct client *client, unsigned char head, const char *text, const char *file,
                  int line)
{
    client_next(client);
    _assert_string_equal(client->payload, text, file, line);
    _assert_int_equal(client->head, head, file, line);
}

void expect_close(struct client *client, uint16_t code, const char *reason)
{
    client_next(client);
    if (client->head != 0x88)
        fail_msg("no close frame but %02x: %s", client->head, client->payload);
    if (code == 1005) {
        assert_int_equal(client->len, 0);
        return;
    }
    assert_true(client->len >= 2);
    assert_int_equal((unsigned char)client->payload[0] << 8 | (unsigned char)client->payload[1],
                     code);
    assert_string_equal(client->payload + 2, reason);
}

void expect_end(struct client *client)
{
    char more;

    assert_int_equal(fd_read_to_end(client->fd, &more, 1), 0);
}

void client_answer_close(struct client *client, uint16_t code, const char *reason)
{
    expect_close(client, code, reason);
    client_say_close(client, code);
    expect_end(client);
}

void client_connect(struct client *client)
{
    client_text(client, "CONNECT\naccept-version:1.2\n\n\0");
    client_next(client);
    assert_memory_equal(client->payload, "CONNECTED\nversion:1.2\n", 22);
}

void client_subscribe(struct client *client, const char *id, const char *destination)
{
    char frame[256];
    int n = snprintf(frame, sizeof(frame), "SUBSCRIBE\nid:%s\ndestination:%s\nreceipt:sub\n\n", id,
                     destination);

    client_frame(client, 0x81, slice_of(frame, (size_t)n + 1));
    expect_text(client, "RECEIPT\nreceipt-id:sub\n\n^");
}
