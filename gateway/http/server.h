#ifndef GATEWAY_HTTP_SERVER_H
#define GATEWAY_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <h2o/socket.h>
#include "auth/token.h"
#include "base/buf.h"
#include "base/slice.h"
#include "gateway/config/config.h"
#include "gateway/ops/log.h"
#include "gateway/ops/metrics.h"
#include "gateway/push/request.h"
#include "gateway/websocket/deflate_negotiate.h"

/*
 * HTTP/1.1 by h2o: listening sockets, TLS, PROXY protocol, paths, the opening handshake of
 * WebSockets, the push API and the ops answers. Everything behind a request that is not HTTP goes
 * through struct http_handlers; nothing here knows STOMP, sessions or the router.
 *
 * The process must ignore SIGPIPE: h2o writes to sockets that the peer may have closed.
 * http_server is made by the main thread before the workers start and is immutable then; an
 * http_worker belongs to its worker's thread.
 */

/** Tokens that came with a handshake; empty slices when there were none. Borrowed. */
struct http_credentials {
    struct slice bearer;      /* of "Authorization: Bearer" */
    struct slice query_token; /* of the query parameter that auth.query_parameter names */
    bool is_malformed;        /* an Authorization header or query that cannot be read */
};

enum http_verdict {
    HTTP_VERDICT_OK,      /* go on; *identity is the caller's now, or NULL: nobody yet. It is of
                             mem_alloc, and ends with auth_identity_dispose and mem_free */
    HTTP_VERDICT_REFUSED, /* answer 401 */
};

/** A connection that has been upgraded: it is the receiver's from now on. */
struct http_upgrade {
    h2o_socket_t *sock;             /* takes; its input may hold bytes already */
    size_t endpoint;                /* index into config->endpoints */
    struct auth_identity *identity; /* takes; NULL: no token at the handshake */
    struct slice protocol;          /* the sub-protocol that was chosen; borrowed for the call */
    bool is_tls;
    bool has_deflate; /* permessage-deflate was agreed, as `deflate` says */
    struct ws_deflate_agreement deflate;
};

/** All are called on the worker's thread with `ctx`. */
struct http_handlers {
    enum http_verdict (*authenticate)(void *ctx, size_t endpoint,
                                      const struct http_credentials *credentials,
                                      struct auth_identity **identity);
    /**
     * Whether one more connection may be upgraded: else the answer is 503, and by TLS there is
     * none, not even a handshake.
     */
    bool (*may_accept)(void *ctx);
    void (*upgraded)(void *ctx, const struct http_upgrade *upgrade);
    /**
     * Publishes. Returns 200 with `*deliveries` set, or a status for the answer: 503 while
     * draining or out of memory for messages, 413 when larger than a client's message may be.
     */
    int (*publish)(void *ctx, const struct push_request *request, uint64_t *deliveries);
    void (*print_metrics)(void *ctx, struct buf *out);
    /** GET /health/ready: false answers 503. */
    bool (*is_ready)(void *ctx);
    void *ctx;
};

struct http_server;
struct http_worker;

/**
 * Binds every listener and the admin listener, and reads the certificates: for each address the
 * first socket without SO_REUSEPORT, then with it one more per worker, so that a second gateway
 * gets "address in use". Borrows config and log for its life.
 * Returns NULL with the reason logged, and *exit_code set: 69 cannot bind, 78 bad certificate.
 */
struct http_server *http_server_open(const struct config *config, const struct log *log,
                                     int *exit_code) __attribute__((warn_unused_result));
void http_server_free(struct http_server *server);

/** Logs one "listener.open" line per listener (kind, address with the real port, tls). */
void http_server_log_listeners(const struct http_server *server);

/**
 * "host:port" of the i-th listener with its real port; the admin listener comes after those of the
 * configuration. NULL beyond the last. Borrowed from the server.
 */
const char *http_server_address(const struct http_server *server, size_t i);

/**
 * Starts accepting on the worker's own sockets, in the worker's loop. Borrows all for its life;
 * copies `handlers`.
 */
struct http_worker *http_worker_new(struct http_server *server, unsigned worker_index,
                                    h2o_loop_t *loop, const struct http_handlers *handlers,
                                    struct metrics *metrics);

/** Closes the listening sockets of this worker; requests in progress go on. */
void http_worker_stop_accepting(struct http_worker *http);

/** HTTP connections still open on this worker (upgraded ones do not count). */
size_t http_worker_connections(const struct http_worker *http);

/** Asks h2o to finish: closes idle keep-alive connections, the others after their answer. */
void http_worker_request_shutdown(struct http_worker *http);

/** Cuts every connection that is not upgraded; they are gone after some turns of the loop. */
void http_worker_abort_connections(struct http_worker *http);

/**
 * Ends it. To be called when http_worker_connections is 0: else it only stops accepting, and the
 * rest leaks. NULL is fine.
 */
void http_worker_free(struct http_worker *http);

#endif
