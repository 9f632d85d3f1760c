#include "gateway/http/admin.h"

#include <inttypes.h>
#include <stdio.h>
#include "auth/bearer.h"
#include "gateway/http/answer.h"
#include "gateway/http/head.h"
#include "gateway/http/target.h"
#include "gateway/http/worker.h"

enum { ADMIN_METRICS_MAX = 1024 * 1024 };

static const struct slice json_type = SLICE("application/json");

/** Counts a refusal of the push API, and says so in the log as far as the rate allows. */
static void note_refused(struct http_site *site, const h2o_req_t *req, int status,
                         const char *reason)
{
    struct http_worker *worker = site->worker;
    uint64_t n_suppressed;
    char peer[NI_MAXHOST];

    if (!log_rate_allow(&worker->admin_rate, http_now_ms(), &n_suppressed))
        return;
    log_event(worker->log, LOG_LEVEL_WARN, "admin.refused", log_i64("status", status),
              log_cstr("reason", reason), log_str("peer", http_peer(req, peer)),
              log_str("path", http_target_split(http_slice(req->path)).path),
              log_u64("suppressed", n_suppressed));
}

static bool is_media_type(struct slice header, struct slice type)
{
    struct slice head = header, parameters;

    (void)slice_cut(header, ';', &head, &parameters);
    return slice_eq_nocase(slice_trim(head), type);
}

/**
 * Whether the request may go on by its key; else it has been answered. X-API-Key is looked at only
 * when there is no Authorization header.
 */
static bool check_key(struct http_site *site, h2o_req_t *req, const struct http_head *head,
                      unsigned role)
{
    struct http_worker *worker = site->worker;
    struct slice key = head->api_key;
    int found;

    if (!worker->admin_needs_key) {
        /* Loopback, no keys: any page in a browser on this machine could send us a request. */
        if (head->origin.base == NULL)
            return true;
        note_refused(site, req, 403, "origin");
        http_answer_problem(req, 403, "requests of web pages need an API key: none is configured",
                            NULL);
        return false;
    }
    if (head->authorization.base != NULL &&
        auth_bearer_from_header(head->authorization, &key) != AUTH_OK)
        key = slice_of("", 0);
    found = key.len == 0
                ? -1
                : auth_apikey_find(worker->api_keys, worker->config->admin.n_api_keys, key);
    if (found < 0) {
        note_refused(site, req, 401, key.len == 0 ? "no-key" : "key");
        http_answer_header(req, "WWW-Authenticate", (struct slice)SLICE("Bearer"));
        http_answer_problem(req, 401, key.len == 0 ? "an API key is needed" : "unknown API key",
                            NULL);
        return false;
    }
    if ((worker->config->admin.api_keys[found].roles & role) == 0) {
        note_refused(site, req, 403, "role");
        http_answer_problem(req, 403, "this API key does not have the role for it", NULL);
        return false;
    }
    return true;
}

static const char *publish_failure(int status)
{
    switch (status) {
    case 413:
        return "larger than transport.message_size_limit";
    case 422:
        return "a user destination must be <prefix><user>/<destination>";
    case 503:
        return "not taking messages now: draining, or too much is queued";
    default:
        return NULL;
    }
}

static void answer_deliveries(h2o_req_t *req, uint64_t deliveries)
{
    char body[64];
    int len = snprintf(body, sizeof(body), "{\"deliveries\":%" PRIu64 "}", deliveries);

    http_answer(req, 200, json_type, slice_of(body, (size_t)len));
}

static void refuse_push(struct http_site *site, h2o_req_t *req, int status, const char *detail,
                        const char *field)
{
    metrics_add(site->worker->metrics, METRIC_PUSH_REFUSED, 1);
    http_answer_problem(req, status, detail, field);
}

/** What the rest of the gateway makes of a request that can be read. */
static void answer_push(struct http_site *site, h2o_req_t *req, const struct push_request *request)
{
    struct http_worker *worker = site->worker;
    uint64_t deliveries = 0;
    int status = worker->handlers.publish(worker->handlers.ctx, request, &deliveries);

    if (status == 200) {
        metrics_add(worker->metrics, METRIC_PUSHED, 1);
        answer_deliveries(req, deliveries);
        return;
    }
    if (status == 503)
        http_answer_header(req, "Retry-After", (struct slice)SLICE("1"));
    refuse_push(site, req, status, publish_failure(status), NULL);
}

static void answer_publish(struct http_site *site, h2o_req_t *req, const struct http_head *head)
{
    struct push_request request;
    struct push_error error;

    if (head->content_type.base != NULL && !is_media_type(head->content_type, json_type)) {
        refuse_push(site, req, 415, "expected application/json", NULL);
    } else if (req->entity.len > http_push_body_max(site->worker->config)) {
        refuse_push(site, req, 413, "larger than any message can be", NULL);
    } else if (!push_request_parse(http_slice(req->entity), &request, &error)) {
        refuse_push(site, req, error.status, error.detail, error.field);
    } else {
        answer_push(site, req, &request);
        push_request_dispose(&request);
    }
}

static void answer_metrics(struct http_site *site, h2o_req_t *req, const struct http_head *head)
{
    struct http_worker *worker = site->worker;
    struct buf out;

    (void)head;
    buf_init(&out, ADMIN_METRICS_MAX);
    worker->handlers.print_metrics(worker->handlers.ctx, &out);
    http_answer(req, 200, (struct slice)SLICE("text/plain; version=0.0.4; charset=utf-8"),
                buf_slice(&out));
    buf_dispose(&out);
}

static void answer_live(struct http_site *site, h2o_req_t *req, const struct http_head *head)
{
    (void)site;
    (void)head;
    http_answer(req, 200, json_type, (struct slice)SLICE("{\"status\":\"UP\"}"));
}

/* The words are those of Spring Boot's health endpoint. */
static void answer_ready(struct http_site *site, h2o_req_t *req, const struct http_head *head)
{
    (void)head;
    if (site->worker->handlers.is_ready(site->worker->handlers.ctx))
        http_answer(req, 200, json_type, (struct slice)SLICE("{\"status\":\"UP\"}"));
    else
        http_answer(req, 503, json_type, (struct slice)SLICE("{\"status\":\"OUT_OF_SERVICE\"}"));
}

static const struct admin_route {
    struct slice path;
    bool is_post;  /* else GET and HEAD */
    unsigned role; /* enum config_role; 0: open to everybody who gets here */
    void (*answer)(struct http_site *site, h2o_req_t *req, const struct http_head *head);
} routes[] = {
    {SLICE("/api/v1/publish"), true, CONFIG_ROLE_PUBLISH, answer_publish},
    {SLICE("/metrics"), false, CONFIG_ROLE_METRICS, answer_metrics},
    {SLICE("/health/live"), false, 0, answer_live},
    {SLICE("/health/ready"), false, 0, answer_ready},
};

static const struct admin_route *find_route(struct slice path)
{
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (slice_eq(path, routes[i].path))
            return &routes[i];
    }
    return NULL;
}

static bool is_allowed_method(const struct admin_route *route, struct slice method)
{
    if (route->is_post)
        return slice_eq(method, (struct slice)SLICE("POST"));
    return slice_eq(method, (struct slice)SLICE("GET")) ||
           slice_eq(method, (struct slice)SLICE("HEAD"));
}

static void answer_path(struct http_site *site, h2o_req_t *req, const struct http_head *head)
{
    const struct admin_route *route = find_route(http_target_split(http_slice(req->path)).path);

    http_answer_header(req, "Cache-Control", (struct slice)SLICE("no-store"));
    if (route == NULL) {
        http_answer_problem(req, 404, "there is nothing at this path", NULL);
    } else if (!is_allowed_method(route, http_slice(req->method))) {
        http_answer_header(req, "Allow", slice_str(route->is_post ? "POST" : "GET, HEAD"));
        http_answer_problem(req, 405, NULL, NULL);
    } else if (route->role == 0 || check_key(site, req, head, route->role)) {
        route->answer(site, req, head);
    } else if (route->is_post) {
        metrics_add(site->worker->metrics, METRIC_PUSH_REFUSED, 1);
    }
}

int http_admin_on_req(h2o_handler_t *handler, h2o_req_t *req)
{
    struct http_site *site = http_site_of(req);
    struct http_head head;

    (void)handler;
    if (http_read_head(req, &head))
        answer_path(site, req, &head);
    http_head_dispose(&head);
    return 0;
}
