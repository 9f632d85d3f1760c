#include "gateway/http/public.h"

#include <assert.h>
#include <h2o/http1.h>
#include <string.h>
#include "auth/bearer.h"
#include "base/mem.h"
#include "gateway/http/answer.h"
#include "gateway/http/head.h"
#include "gateway/http/page.h"
#include "gateway/http/target.h"
#include "gateway/websocket/handshake.h"

enum { PUBLIC_PATH_MAX = 4096 };

/* What Spring's StompSubProtocolHandler speaks. */
static const struct slice stomp_protocols[] = {
    SLICE("v10.stomp"),
    SLICE("v11.stomp"),
    SLICE("v12.stomp"),
};

/** Counts a handshake that is not to be, and says so in the log as far as the rate allows. */
static void note_refused(struct http_site *site, h2o_req_t *req, const struct http_head *head,
                         int status, const char *reason)
{
    struct http_worker *worker = site->worker;
    uint64_t n_suppressed;
    char peer[NI_MAXHOST];

    metrics_add(worker->metrics, METRIC_HANDSHAKES_FAILED, 1);
    if (!log_rate_allow(&worker->refused_rate, http_now_ms(), &n_suppressed))
        return;
    log_event(worker->log, LOG_LEVEL_INFO, "handshake.refused", log_i64("status", status),
              log_cstr("reason", reason), log_str("peer", http_peer(req, peer)),
              log_str("path", http_target_split(http_slice(req->path)).path),
              log_str("host", head->host), log_str("origin", head->origin),
              log_u64("suppressed", n_suppressed));
}

static void refuse_origin(struct http_site *site, h2o_req_t *req, const struct http_head *head)
{
    note_refused(site, req, head, 403, "origin");
    http_answer(req, 403, slice_of("", 0), slice_of("", 0));
}

static void refuse_handshake(struct http_site *site, h2o_req_t *req, const struct http_head *head,
                             const struct ws_answer *answer)
{
    struct slice body = slice_str(answer->body);

    note_refused(site, req, head, answer->status, "handshake");
    if (answer->header_name != NULL)
        http_answer_header(req, answer->header_name, slice_str(answer->header_value));
    http_answer(req, answer->status,
                body.len == 0 ? body : (struct slice)SLICE("text/plain;charset=UTF-8"), body);
}

static void refuse_token(struct http_site *site, h2o_req_t *req, const struct http_head *head,
                         const struct http_credentials *credentials)
{
    bool has_token = credentials->bearer.len != 0 || credentials->query_token.len != 0 ||
                     credentials->is_malformed;

    metrics_add(site->worker->metrics, METRIC_AUTH_FAILED, 1);
    note_refused(site, req, head, 401, has_token ? "token" : "no-token");
    http_answer_header(req, "WWW-Authenticate",
                       slice_str(has_token ? "Bearer error=\"invalid_token\"" : "Bearer"));
    http_answer_problem(req, 401, has_token ? "the token was refused" : "a token is needed", NULL);
}

static void refuse_full(struct http_site *site, h2o_req_t *req, const struct http_head *head)
{
    metrics_add(site->worker->metrics, METRIC_CONNECTIONS_REFUSED, 1);
    note_refused(site, req, head, 503, "no-room");
    http_answer_header(req, "Retry-After", (struct slice)SLICE("5"));
    http_answer_problem(req, 503, "no room for another connection", NULL);
}

static void free_identity(struct auth_identity *identity)
{
    if (identity != NULL)
        auth_identity_dispose(identity);
    mem_free(identity);
}

static void pending_unlink(struct http_pending *pending)
{
    *pending->prev_next = pending->next;
    if (pending->next != NULL)
        pending->next->prev_next = pending->prev_next;
}

/** The 101 is written, or, when `sock` is NULL, the client has gone meanwhile. */
static void on_upgraded(void *data, h2o_socket_t *sock, size_t reqsize)
{
    struct http_pending *pending = data;
    struct http_worker *worker = pending->worker;

    pending_unlink(pending);
    if (sock == NULL) {
        free_identity(pending->upgrade.identity);
    } else {
        http_conn_detach(sock);
        /* The request itself; what came behind it is the connection's first input. */
        h2o_buffer_consume(&sock->input, reqsize);
        pending->upgrade.sock = sock;
        worker->handlers.upgraded(worker->handlers.ctx, &pending->upgrade);
    }
    mem_free(pending);
}

void http_public_drop_pending(struct http_worker *worker)
{
    while (worker->pending != NULL) {
        struct http_pending *pending = worker->pending;

        pending_unlink(pending);
        free_identity(pending->upgrade.identity);
        mem_free(pending);
    }
}

/** What was agreed about compression, and how that is said to the client. */
struct compression {
    enum ws_deflate_verdict verdict;
    struct ws_deflate_agreement agreed;
    struct ws_deflate_response response;
};

/** Takes `identity`. */
static void upgrade(struct http_worker *worker, h2o_req_t *req, size_t endpoint,
                    const struct ws_answer *answer, const struct compression *compression,
                    struct auth_identity *identity, bool is_tls)
{
    struct http_pending *pending = mem_calloc(1, sizeof(*pending));

    /* No name that we know is longer; the request's memory ends before the callback. */
    assert(answer->protocol.len <= sizeof(pending->protocol));
    if (answer->protocol.len != 0)
        memcpy(pending->protocol, answer->protocol.base, answer->protocol.len);
    pending->worker = worker;
    pending->upgrade = (struct http_upgrade){
        .endpoint = endpoint,
        .identity = identity,
        .protocol = slice_of(pending->protocol, answer->protocol.len),
        .is_tls = is_tls,
        .has_deflate = compression->verdict == WS_DEFLATE_AGREED,
    };
    if (pending->upgrade.has_deflate)
        pending->upgrade.deflate = compression->agreed;
    pending->next = worker->pending;
    pending->prev_next = &worker->pending;
    if (pending->next != NULL)
        pending->next->prev_next = &pending->next;
    worker->pending = pending;

    req->res.status = 101;
    req->res.reason = "Switching Protocols";
    http_answer_header(req, "Upgrade", (struct slice)SLICE("websocket"));
    http_answer_header(req, "Sec-WebSocket-Accept",
                       slice_of(answer->accept, sizeof(answer->accept)));
    if (answer->protocol.len != 0)
        http_answer_header(req, "Sec-WebSocket-Protocol", answer->protocol);
    if (pending->upgrade.has_deflate)
        http_answer_header(req, "Sec-WebSocket-Extensions",
                           slice_of(compression->response.text, compression->response.len));
    h2o_http1_upgrade(req, NULL, 0, on_upgraded, pending);
}

/** Behind Spring's checks: a header that cannot be read fails the handshake (RFC 7692, 5.1). */
static void check_compression(const struct config *config, const struct http_head *head,
                              struct compression *compression, struct ws_answer *answer)
{
    const struct ws_deflate_settings settings = {
        .is_enabled = config->transport.deflate.enabled,
        .server_keeps_context = config->transport.deflate.server_context_takeover,
        .client_keeps_context = config->transport.deflate.client_context_takeover,
        .server_max_bits = (uint8_t)config->transport.deflate.server_max_window_bits,
        .client_max_bits = (uint8_t)config->transport.deflate.client_max_window_bits,
    };

    compression->verdict = ws_deflate_negotiate(head->extensions, head->n_extensions, &settings,
                                                &compression->agreed, &compression->response);
    if (compression->verdict == WS_DEFLATE_BAD && answer->status == 101)
        *answer = (struct ws_answer){.status = 400, .body = ""};
}

/** Spring's checks in Spring's order, Origin first. */
static void check_handshake(const h2o_req_t *req, const struct config_endpoint *endpoint,
                            const struct http_head *head, struct ws_answer *answer)
{
    /* HTTP/1.0 knows no upgrade: whatever such a request says is not one. */
    bool may_upgrade = req->version >= 0x101;
    const struct ws_request request = {
        .method = http_slice(req->method),
        .upgrade = may_upgrade ? head->upgrade : slice_of(NULL, 0),
        .connection = head->connection,
        .key = head->key,
        .version = head->version,
        .protocols = head->protocols,
        .n_protocols = head->n_protocols,
    };
    bool is_stomp = endpoint->protocol == CONFIG_PROTOCOL_STOMP;

    ws_handshake_check(&request, stomp_protocols,
                       is_stomp ? sizeof(stomp_protocols) / sizeof(stomp_protocols[0]) : 0, answer);
}

/** A token of the query is kept in `room`, of AUTH_TOKEN_MAX bytes. */
static void read_credentials(const struct config *config, const struct http_head *head,
                             struct slice query, char *room, struct http_credentials *out)
{
    enum auth_status header, parameter;

    *out = (struct http_credentials){.bearer = {"", 0}, .query_token = {"", 0}};
    header = auth_bearer_from_header(head->authorization, &out->bearer);
    /* Without a name in the configuration there is none to be found. */
    parameter = auth_bearer_from_query(query, config->auth.query_parameter, room, AUTH_TOKEN_MAX,
                                       &out->query_token);
    out->is_malformed = (header != AUTH_OK && header != AUTH_ERR_NO_TOKEN) ||
                        (parameter != AUTH_OK && parameter != AUTH_ERR_NO_TOKEN);
}

static void answer_endpoint(struct http_site *site, h2o_req_t *req, const struct http_head *head,
                            size_t index, struct slice query)
{
    struct http_worker *worker = site->worker;
    const struct config_endpoint *endpoint = &worker->config->endpoints[index];
    bool is_tls = req->input.scheme == &H2O_URL_SCHEME_HTTPS;
    struct auth_identity *identity = NULL;
    struct http_credentials credentials;
    enum http_verdict verdict;
    struct slice scheme = slice_str(is_tls ? "https" : "http");
    char query_token[AUTH_TOKEN_MAX];
    struct compression compression;
    struct ws_answer answer;

    if (!auth_origin_allows(worker->origins[index], scheme, head->host, head->origin)) {
        refuse_origin(site, req, head);
        return;
    }
    check_handshake(req, endpoint, head, &answer);
    check_compression(worker->config, head, &compression, &answer);
    if (answer.status != 101) {
        refuse_handshake(site, req, head, &answer);
        return;
    }
    /* Before the token's signature is checked: a storm of refusals must cost little. */
    if (!worker->handlers.may_accept(worker->handlers.ctx)) {
        refuse_full(site, req, head);
        return;
    }
    read_credentials(worker->config, head, query, query_token, &credentials);
    verdict = worker->handlers.authenticate(worker->handlers.ctx, index, &credentials, &identity);
    if (verdict == HTTP_VERDICT_OK)
        upgrade(worker, req, index, &answer, &compression, identity, is_tls);
    else
        refuse_token(site, req, head, &credentials);
}

static void answer_path(struct http_site *site, h2o_req_t *req, const struct http_head *head)
{
    const struct config *config = site->worker->config;
    struct http_target target = http_target_split(http_slice(req->path));
    const struct web_asset *asset = NULL;
    struct slice path;
    struct buf decoded;

    buf_init(&decoded, PUBLIC_PATH_MAX);
    if (!http_percent_decode(target.path, &decoded)) {
        http_answer_problem(req, 400, "the path is too long, or wrongly percent-coded", NULL);
        goto done;
    }
    path = buf_slice(&decoded);
    for (size_t i = 0; i < config->n_endpoints; i++) {
        if (slice_eq(path, config->endpoints[i].path)) {
            answer_endpoint(site, req, head, i, target.query);
            goto done;
        }
    }
    if (config->web.demo)
        asset = web_asset_find(path);
    if (asset != NULL)
        http_page_answer(req, head, asset);
    else
        http_answer_problem(req, 404, "there is nothing at this path", NULL);

done:
    buf_dispose(&decoded);
}

int http_public_on_req(h2o_handler_t *handler, h2o_req_t *req)
{
    struct http_site *site = http_site_of(req);
    struct http_head head;

    (void)handler;
    if (http_read_head(req, &head))
        answer_path(site, req, &head);
    http_head_dispose(&head);
    return 0;
}
