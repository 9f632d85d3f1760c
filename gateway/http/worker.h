#ifndef GATEWAY_HTTP_WORKER_H
#define GATEWAY_HTTP_WORKER_H

#include "auth/apikey.h"
#include "auth/origin.h"
#include "gateway/http/head.h"
#include "gateway/http/listen.h"
#include "gateway/http/server.h"
#include "gateway/ops/lograte.h"

/*
 * What the files of this folder share: one worker's state, with a site for each of the two faces
 * (public and admin), found again from a request by its h2o context. Owning worker only.
 */

enum http_site_kind { HTTP_SITE_PUBLIC, HTTP_SITE_ADMIN, HTTP_SITE_N };

/** An upgrade whose 101 is being written. */
struct http_pending {
    struct http_pending *next;
    struct http_pending **prev_next;
    struct http_worker *worker;
    struct http_upgrade upgrade;
    char protocol[64]; /* what upgrade.protocol points to */
};

/** A connection that h2o holds: from accept to its close or upgrade. */
struct http_conn {
    struct http_conn *next;
    struct http_conn **prev_next;
    struct http_site *site;
    h2o_socket_t *sock;
};

/** One listening socket. */
struct http_acceptor {
    struct http_site *site;
    h2o_socket_t *sock; /* NULL once closed */
    h2o_accept_ctx_t accept;
};

struct http_site {
    h2o_context_t h2o; /* container of: http_site_of */
    struct http_worker *worker;
    struct http_conn *conns;
    size_t n_conns;
    size_t max_conns;
    bool is_full; /* not accepting until a connection ends */
};

struct http_worker {
    struct http_server *server;
    const struct config *config;
    const struct log *log;
    struct auth_origin *const *origins; /* of each endpoint; the server's */
    const struct auth_digest *api_keys; /* as in config->admin.api_keys; the server's */
    struct http_handlers handlers;
    struct metrics *metrics;
    h2o_loop_t *loop;
    struct http_site sites[HTTP_SITE_N];
    struct http_acceptor *acceptors;
    size_t n_acceptors;
    struct http_pending *pending;
    bool admin_needs_key;
    bool is_resting; /* not accepting until rest_timer: no descriptors were left */
    h2o_timeout_entry_t rest_timer;
    struct log_rate rest_rate;
    struct log_rate refused_rate;
    struct log_rate admin_rate;
};

/** The site that a request came in by. */
static inline struct http_site *http_site_of(const h2o_req_t *req)
{
    return H2O_STRUCT_FROM_MEMBER(struct http_site, h2o, req->conn->ctx);
}

static inline struct slice http_slice(h2o_iovec_t v)
{
    return slice_of(v.base, v.len);
}

/**
 * Reads the request's head once more from its bytes. Returns false when it must not be trusted:
 * the request has been answered with 400 then. `*head` ends with http_head_dispose either way.
 */
bool http_read_head(h2o_req_t *req, struct http_head *head);

/** The most bytes that the body of a push request may have: coded as JSON or base64. */
size_t http_push_body_max(const struct config *config);

/** Monotonic. */
uint64_t http_now_ms(void);

/** Takes a connection out of h2o's hands and ours: the socket stays open. */
void http_conn_detach(h2o_socket_t *sock);

/** Writes the peer's address ("?" when there is none) and returns it. */
struct slice http_peer(const h2o_req_t *req, char out[NI_MAXHOST]);

#endif
