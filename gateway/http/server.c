#include "gateway/http/server.h"

#include <errno.h>
#include <h2o.h>
#include <h2o/http1.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/mem.h"
#include "gateway/http/admin.h"
#include "gateway/http/answer.h"
#include "gateway/http/public.h"
#include "gateway/http/tls.h"
#include "gateway/http/worker.h"

enum {
    EXIT_BAD_CONFIG = 78, /* EX_CONFIG */
    /* A head and its body must be here by then; it is the keep-alive time, too. */
    REQUEST_TIMEOUT_MS = 10000,
    /* PROXY header and TLS handshake. */
    HANDSHAKE_TIMEOUT_MS = 10000,
    /* No public request needs a body. */
    PUBLIC_BODY_MAX = 64 * 1024,
    /* Room for the JSON around a body, its headers and destination. */
    PUSH_BODY_EXTRA = 64 * 1024,
    /*
     * h2o refuses what is larger still, in plain text, without reading it. What lies between is
     * read and refused by us, as problem details over a connection that stays whole.
     */
    ADMIN_BODY_SLACK = 1024 * 1024,
    /* Connections of one worker that are not upgraded yet: some 5 kB each. */
    PUBLIC_CONNS_MAX = 4096,
    ADMIN_CONNS_MAX = 256,
    /*
     * Of one listener in one turn of the loop, so that a storm of clients leaves time for those
     * that are there. A TLS handshake takes a good part of a millisecond. While 4,000 such clients
     * came at once, a message to those that were there took at most 130 to 250 ms with 64 a turn,
     * 70 to 90 with 16 and 55 to 95 with 4; without TCP_DEFER_ACCEPT, by which the handshake can be
     * made at once, 240 to 520. For plain ones no number made a difference.
     */
    ACCEPTS_PER_TURN = 64,
    TLS_ACCEPTS_PER_TURN = 4,
};

struct http_listener {
    int *fds; /* one per worker; -1 once its worker has it */
    struct http_listen_name name;
    enum http_site_kind kind;
    bool is_tls;
    bool is_proxied;
};

struct http_server {
    const struct config *config;
    const struct log *log;
    struct http_listener *listeners; /* the admin one, when there is one, comes last */
    size_t n_listeners;
    struct http_tls *tls; /* NULL when no listener has it */
    struct auth_origin **origins;
    struct auth_digest *api_keys;
    h2o_globalconf_t h2o[HTTP_SITE_N];
    bool is_ready;
    bool admin_is_loopback;
};

size_t http_push_body_max(const struct config *config)
{
    uint64_t max = config->transport.message_size_limit;

    for (size_t i = 0; i < config->n_endpoints; i++) {
        if (config->endpoints[i].message_size_limit > max)
            max = config->endpoints[i].message_size_limit;
    }
    return (size_t)max * 2 + PUSH_BODY_EXTRA; /* base64 takes 4/3, escapes mostly less than 2 */
}

uint64_t http_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- server: main thread ---- */

static void set_up_h2o(h2o_globalconf_t *h2o, size_t max_body,
                       int (*on_req)(h2o_handler_t *, h2o_req_t *))
{
    h2o_hostconf_t *host;

    h2o_config_init(h2o);
    h2o->server_name = h2o_iovec_init(H2O_STRLIT("stompgate"));
    h2o->max_request_entity_size = max_body;
    h2o->handshake_timeout = HANDSHAKE_TIMEOUT_MS;
    h2o->http1.req_timeout = REQUEST_TIMEOUT_MS;
    h2o->http1.upgrade_to_http2 = 0;
    /* HTTP/2's way to shut down starts a timer that a context must not be disposed of with. */
    h2o->http2.callbacks.request_shutdown = NULL;
    /* One host and its fallback take every request: h2o's own tables cannot change later. */
    host = h2o_config_register_host(h2o, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    h2o_create_handler(&host->fallback_path, sizeof(h2o_handler_t))->on_req = on_req;
}

/** Opens the next listener. Returns 0 or an exit code, the reason logged. */
static int open_listener(struct http_server *server, const struct config_listener *settings,
                         const char *setting, enum http_site_kind kind)
{
    unsigned n_workers = server->config->workers;
    struct http_listener *listener = &server->listeners[server->n_listeners];
    bool is_loopback;
    int failure;

    listener->fds = mem_calloc(n_workers, sizeof(int));
    listener->kind = kind;
    listener->is_tls = settings->tls;
    listener->is_proxied = settings->proxy_protocol;
    failure = http_listen(settings->address, setting, listener->fds, n_workers, &listener->name,
                          &is_loopback, server->log);
    if (failure != 0) {
        mem_free(listener->fds);
        return failure;
    }
    if (kind == HTTP_SITE_ADMIN)
        server->admin_is_loopback = is_loopback;
    if (listener->is_tls)
        http_listen_defer(listener->fds, n_workers);
    server->n_listeners++;
    return 0;
}

static int open_listeners(struct http_server *server)
{
    const struct config *config = server->config;
    int failure = 0;

    server->listeners = mem_calloc(config->n_listeners + 1, sizeof(*server->listeners));
    for (size_t i = 0; i < config->n_listeners && failure == 0; i++) {
        char setting[64];

        (void)snprintf(setting, sizeof(setting), "listeners[%zu].address", i);
        failure = open_listener(server, &config->listeners[i], setting, HTTP_SITE_PUBLIC);
    }
    if (failure == 0 && config->admin.listen.len != 0)
        failure = open_listener(server, &(struct config_listener){.address = config->admin.listen},
                                "admin.listen", HTTP_SITE_ADMIN);
    return failure;
}

static void compile_rules(struct http_server *server)
{
    const struct config *config = server->config;

    server->origins = mem_calloc(config->n_endpoints, sizeof(struct auth_origin *));
    for (size_t i = 0; i < config->n_endpoints; i++) {
        const struct config_endpoint *endpoint = &config->endpoints[i];

        server->origins[i] = auth_origin_new(
            endpoint->allowed_origins.items, endpoint->allowed_origins.n,
            endpoint->allowed_origin_patterns.items, endpoint->allowed_origin_patterns.n);
    }
    server->api_keys = mem_calloc(config->admin.n_api_keys, sizeof(*server->api_keys));
    for (size_t i = 0; i < config->admin.n_api_keys; i++)
        memcpy(server->api_keys[i].bytes, config->admin.api_keys[i].sha256,
               sizeof(server->api_keys[i].bytes));
}

static bool needs_tls(const struct config *config)
{
    for (size_t i = 0; i < config->n_listeners; i++) {
        if (config->listeners[i].tls)
            return true;
    }
    return false;
}

struct http_server *http_server_open(const struct config *config, const struct log *log,
                                     int *exit_code)
{
    struct http_server *server = mem_calloc(1, sizeof(*server));

    server->config = config;
    server->log = log;
    *exit_code = EXIT_BAD_CONFIG;
    if (needs_tls(config)) {
        server->tls = http_tls_new(config, http_now_ms, log);
        if (server->tls == NULL)
            goto fail;
    }
    *exit_code = open_listeners(server);
    if (*exit_code != 0)
        goto fail;
    compile_rules(server);
    set_up_h2o(&server->h2o[HTTP_SITE_PUBLIC], PUBLIC_BODY_MAX, http_public_on_req);
    set_up_h2o(&server->h2o[HTTP_SITE_ADMIN], http_push_body_max(config) + ADMIN_BODY_SLACK,
               http_admin_on_req);
    server->is_ready = true;
    return server;

fail:
    http_server_free(server);
    return NULL;
}

void http_server_free(struct http_server *server)
{
    if (server == NULL)
        return;
    for (size_t i = 0; i < server->n_listeners; i++) {
        for (unsigned j = 0; j < server->config->workers; j++) {
            if (server->listeners[i].fds[j] >= 0)
                close(server->listeners[i].fds[j]);
        }
        mem_free(server->listeners[i].fds);
    }
    mem_free(server->listeners);
    if (server->is_ready) {
        for (size_t i = 0; i < HTTP_SITE_N; i++)
            h2o_config_dispose(&server->h2o[i]);
        for (size_t i = 0; i < server->config->n_endpoints; i++)
            auth_origin_free(server->origins[i]);
    }
    mem_free(server->origins);
    mem_free(server->api_keys);
    http_tls_free(server->tls);
    mem_free(server);
}

void http_server_log_listeners(const struct http_server *server)
{
    for (size_t i = 0; i < server->n_listeners; i++) {
        const struct http_listener *listener = &server->listeners[i];

        log_event(server->log, LOG_LEVEL_INFO, "listener.open",
                  log_cstr("kind", listener->kind == HTTP_SITE_ADMIN ? "admin" : "public"),
                  log_cstr("address", listener->name.text), log_bool("tls", listener->is_tls),
                  log_bool("proxy_protocol", listener->is_proxied));
    }
}

const char *http_server_address(const struct http_server *server, size_t i)
{
    return i < server->n_listeners ? server->listeners[i].name.text : NULL;
}

/* ---- connections: owning worker ---- */

static void on_acceptable(h2o_socket_t *sock, const char *err);

/** Whether the listening sockets of a site should be read, and makes it so. */
static void update_acceptors(struct http_site *site)
{
    struct http_worker *worker = site->worker;
    bool may_accept = !site->is_full && !worker->is_resting;

    for (size_t i = 0; i < worker->n_acceptors; i++) {
        struct http_acceptor *acceptor = &worker->acceptors[i];

        if (acceptor->site != site || acceptor->sock == NULL ||
            h2o_socket_is_reading(acceptor->sock) == may_accept)
            continue;
        if (may_accept)
            h2o_socket_read_start(acceptor->sock, on_acceptable);
        else
            h2o_socket_read_stop(acceptor->sock);
    }
}

static void conn_end(struct http_conn *conn)
{
    struct http_site *site = conn->site;

    *conn->prev_next = conn->next;
    if (conn->next != NULL)
        conn->next->prev_next = conn->prev_next;
    mem_free(conn);
    site->n_conns--;
    if (site->is_full) {
        site->is_full = false;
        update_acceptors(site);
    }
}

static void on_conn_close(void *data)
{
    conn_end(data);
}

static void conn_begin(struct http_site *site, h2o_socket_t *sock)
{
    struct http_conn *conn = mem_calloc(1, sizeof(*conn));

    conn->site = site;
    conn->sock = sock;
    conn->next = site->conns;
    conn->prev_next = &site->conns;
    if (conn->next != NULL)
        conn->next->prev_next = &conn->next;
    site->conns = conn;
    sock->on_close.cb = on_conn_close;
    sock->on_close.data = conn;
    site->n_conns++;
    if (site->n_conns == site->max_conns) {
        site->is_full = true;
        update_acceptors(site);
    }
}

void http_conn_detach(h2o_socket_t *sock)
{
    struct http_conn *conn = sock->on_close.data;

    sock->on_close.cb = NULL;
    sock->on_close.data = NULL;
    conn_end(conn);
}

struct slice http_peer(const h2o_req_t *req, char out[NI_MAXHOST])
{
    struct sockaddr_storage address;
    socklen_t len = req->conn->callbacks->get_peername(req->conn, (struct sockaddr *)&address);
    size_t n =
        len == 0 ? SIZE_MAX : h2o_socket_getnumerichost((struct sockaddr *)&address, len, out);

    return n == SIZE_MAX ? slice_str("?") : slice_of(out, n);
}

bool http_read_head(h2o_req_t *req, struct http_head *head)
{
    /* h2o leaves the head where it came in until the request has been answered. */
    const h2o_buffer_t *input = req->conn->callbacks->get_socket(req->conn)->input;
    const char *wrong = http_head_parse(slice_of(input->bytes, input->size), head);

    if (wrong == NULL && head->host.base == NULL && req->version >= 0x101)
        wrong = "no Host header";
    if (wrong == NULL)
        return true;
    req->http1_is_persistent = 0; /* nobody knows where the next request would begin */
    http_answer_problem(req, 400, wrong, NULL);
    return false;
}

/* ---- accepting: owning worker ---- */

/** Out of descriptors or memory: lets the listening sockets be for a moment. */
static void rest(struct http_worker *worker, int error)
{
    uint64_t n_suppressed;

    if (worker->is_resting)
        return;
    if (log_rate_allow(&worker->rest_rate, http_now_ms(), &n_suppressed))
        log_event(worker->log, LOG_LEVEL_ERROR, "listener.exhausted",
                  log_cstr("error", strerror(error)),
                  log_cstr("hint", "raise the limit on open files (ulimit -n, LimitNOFILE)"),
                  log_u64("suppressed", n_suppressed));
    worker->is_resting = true;
    h2o_timeout_link(worker->loop, &worker->sites[HTTP_SITE_PUBLIC].h2o.hundred_ms_timeout,
                     &worker->rest_timer);
    for (size_t i = 0; i < HTTP_SITE_N; i++)
        update_acceptors(&worker->sites[i]);
}

static void on_rested(h2o_timeout_entry_t *entry)
{
    struct http_worker *worker = H2O_STRUCT_FROM_MEMBER(struct http_worker, rest_timer, entry);

    worker->is_resting = false;
    for (size_t i = 0; i < HTTP_SITE_N; i++)
        update_acceptors(&worker->sites[i]);
}

static bool is_exhausted(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/** No TLS handshake is made, which costs more than all else, for an answer that would be 503. */
static bool has_room(const struct http_acceptor *acceptor)
{
    const struct http_handlers *handlers = &acceptor->site->worker->handlers;

    return acceptor->accept.ssl_ctx == NULL || handlers->may_accept(handlers->ctx);
}

static void refuse_unheard(struct http_worker *worker, h2o_socket_t *sock)
{
    uint64_t n_suppressed;

    h2o_socket_close(sock);
    metrics_add(worker->metrics, METRIC_CONNECTIONS_REFUSED, 1);
    if (log_rate_allow(&worker->refused_rate, http_now_ms(), &n_suppressed))
        log_event(worker->log, LOG_LEVEL_INFO, "connection.refused", log_cstr("reason", "no-room"),
                  log_u64("suppressed", n_suppressed));
}

static void on_acceptable(h2o_socket_t *listener, const char *err)
{
    struct http_acceptor *acceptor = listener->data;
    struct http_site *site = acceptor->site;
    int most = acceptor->accept.ssl_ctx == NULL ? ACCEPTS_PER_TURN : TLS_ACCEPTS_PER_TURN;

    if (err != NULL)
        return;
    for (int i = 0; i < most && !site->is_full; i++) {
        h2o_socket_t *sock;

        errno = 0;
        sock = h2o_evloop_socket_accept(listener);
        if (sock == NULL) {
            if (is_exhausted(errno))
                rest(site->worker, errno);
            return;
        }
        if (!has_room(acceptor)) {
            refuse_unheard(site->worker, sock);
            continue;
        }
        conn_begin(site, sock);
        h2o_accept(&acceptor->accept, sock);
    }
}

static void add_acceptor(struct http_worker *worker, struct http_listener *listener, unsigned index)
{
    struct http_acceptor *acceptor = &worker->acceptors[worker->n_acceptors++];
    struct http_site *site = &worker->sites[listener->kind];

    acceptor->site = site;
    acceptor->accept = (h2o_accept_ctx_t){
        .ctx = &site->h2o,
        .hosts = site->h2o.globalconf->hosts,
        .ssl_ctx = listener->is_tls ? http_tls_context(worker->server->tls) : NULL,
        .expect_proxy_line = listener->is_proxied,
    };
    acceptor->sock =
        h2o_evloop_socket_create(worker->loop, listener->fds[index], H2O_SOCKET_FLAG_DONT_READ);
    listener->fds[index] = -1;
    acceptor->sock->data = acceptor;
    h2o_socket_read_start(acceptor->sock, on_acceptable);
}

/* ---- worker: owning worker ---- */

struct http_worker *http_worker_new(struct http_server *server, unsigned worker_index,
                                    h2o_loop_t *loop, const struct http_handlers *handlers,
                                    struct metrics *metrics)
{
    static const size_t max_conns[HTTP_SITE_N] = {PUBLIC_CONNS_MAX, ADMIN_CONNS_MAX};
    struct http_worker *worker = mem_calloc(1, sizeof(*worker));

    worker->server = server;
    worker->config = server->config;
    worker->log = server->log;
    worker->origins = server->origins;
    worker->api_keys = server->api_keys;
    worker->handlers = *handlers;
    worker->metrics = metrics;
    worker->loop = loop;
    worker->rest_timer.cb = on_rested;
    worker->admin_needs_key = server->config->admin.n_api_keys != 0 || !server->admin_is_loopback;
    for (size_t i = 0; i < HTTP_SITE_N; i++) {
        worker->sites[i].worker = worker;
        worker->sites[i].max_conns = max_conns[i];
        h2o_context_init(&worker->sites[i].h2o, loop, &server->h2o[i]);
    }
    worker->acceptors = mem_calloc(server->n_listeners, sizeof(*worker->acceptors));
    for (size_t i = 0; i < server->n_listeners; i++)
        add_acceptor(worker, &server->listeners[i], worker_index);
    return worker;
}

void http_worker_stop_accepting(struct http_worker *http)
{
    for (size_t i = 0; i < http->n_acceptors; i++) {
        if (http->acceptors[i].sock != NULL)
            h2o_socket_close(http->acceptors[i].sock);
        http->acceptors[i].sock = NULL;
    }
}

size_t http_worker_connections(const struct http_worker *http)
{
    return http->sites[HTTP_SITE_PUBLIC].n_conns + http->sites[HTTP_SITE_ADMIN].n_conns;
}

/** Ends a connection by its descriptor: h2o sees the end of input and closes it by itself. */
static void conn_shut(const struct http_conn *conn)
{
    (void)shutdown(h2o_socket_get_fd(conn->sock), SHUT_RDWR);
}

void http_worker_request_shutdown(struct http_worker *http)
{
    for (size_t i = 0; i < HTTP_SITE_N; i++) {
        h2o_context_request_shutdown(&http->sites[i].h2o);
        for (struct http_conn *conn = http->sites[i].conns; conn != NULL; conn = conn->next) {
            /* Between two requests: h2o has no way to close these, and would wait for them. */
            if (h2o_socket_is_reading(conn->sock) && conn->sock->input->size == 0)
                conn_shut(conn);
        }
    }
}

void http_worker_abort_connections(struct http_worker *http)
{
    for (size_t i = 0; i < HTTP_SITE_N; i++) {
        for (struct http_conn *conn = http->sites[i].conns; conn != NULL; conn = conn->next)
            conn_shut(conn);
    }
}

void http_worker_free(struct http_worker *http)
{
    if (http == NULL)
        return;
    http_worker_stop_accepting(http);
    http_public_drop_pending(http);
    h2o_timeout_unlink(&http->rest_timer);
    if (http_worker_connections(http) != 0)
        return; /* h2o's connections point into our contexts, and nobody can end them any more */
    for (size_t i = 0; i < HTTP_SITE_N; i++)
        h2o_context_dispose(&http->sites[i].h2o);
    mem_free(http->acceptors);
    mem_free(http);
}
