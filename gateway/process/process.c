#include "gateway/process/process.h"

#include <stddef.h>
#include <semaphore.h>
#include <stdlib.h>
#include <openssl/rand.h>
#include "base/mem.h"
#include "base/utf8.h"
#include "gateway/cli/cli.h"
#include "gateway/http/server.h"
#include "gateway/broker/broker.h"
#include "gateway/router/lagging.h"
#include "gateway/session/bound.h"
#include "gateway/session/broker_setup.h"
#include "gateway/session/gate.h"
#include "gateway/websocket/connection.h"
#include "gateway/worker/worker.h"
#include "stomp/mime.h"

enum {
    CLOSE_STEP_MS = 20,  /* how often a draining worker closes some of its sessions */
    CLOSE_AT_ONCE = 200, /* so few sessions need no spreading */
    MAIL_ROUNDS = 4,     /* what was accepted goes to an owner, to a consumer's worker and back */
};

/* One worker and what lives on it. */
struct post {
    struct process *process;
    struct worker *worker;
    struct http_worker *http; /* NULL before all workers run, and after the end */
    struct auth_verifier *verifier;
    struct broker broker;
    struct session_env sessions;
    struct ws_env websockets;
    struct timer drain_timer;
    size_t closes_a_step;
    uint64_t drain_deadline_ms;
};

struct process {
    const struct config *config;
    const struct log *log;
    struct worker_shared shared;
    struct broker_shared broker_shared;
    struct gate gate;
    struct routes *routes;
    struct http_server *http;
    struct stomp_limits *stomp_limits; /* one for each endpoint */
    struct post *posts;
    unsigned n_started;
    _Atomic bool is_draining;
    sem_t asked; /* posted when a worker has done what it was asked */
};

/* --- what HTTP asks --- */

static enum http_verdict refuse_token(const struct post *post, const char *reason)
{
    log_event(post->process->log, LOG_LEVEL_DEBUG, "auth.refused", log_cstr("reason", reason));
    return HTTP_VERDICT_REFUSED;
}

static enum http_verdict authenticate_handshake(void *ctx, size_t endpoint,
                                                const struct http_credentials *credentials,
                                                struct auth_identity **identity)
{
    struct post *post = ctx;
    const struct config *config = post->process->config;
    const struct config_endpoint *settings = &config->endpoints[endpoint];
    struct slice token = credentials->bearer;
    enum auth_status status;
    const char *why;

    if (credentials->is_malformed)
        return refuse_token(post, "malformed");
    if (token.len == 0)
        token = credentials->query_token;
    else if (credentials->query_token.len != 0 && !slice_eq(token, credentials->query_token))
        return refuse_token(post, "two tokens");
    if (token.len == 0) {
        /* STOMP may bring it in CONNECT; a plain endpoint has no second chance. */
        if (settings->protocol == CONFIG_PROTOCOL_STOMP || settings->anonymous ||
            config->auth.anonymous)
            return HTTP_VERDICT_OK;
        return refuse_token(post, "none");
    }
    *identity = gate_check_token(post->verifier, token, &why, &status);
    return *identity == NULL ? refuse_token(post, auth_strstatus(status)) : HTTP_VERDICT_OK;
}

static bool may_accept(void *ctx)
{
    const struct post *post = ctx;

    return !atomic_load(&post->process->is_draining) && !worker_is_out_of_memory(post->worker) &&
           atomic_load(&post->process->shared.n_connections) <
               post->process->config->transport.max_connections;
}

static void upgraded(void *ctx, const struct http_upgrade *upgrade)
{
    struct post *post = ctx;

    worker_catch_up(post->worker); /* it may have sent something already */
    ws_connection_open(&post->websockets, upgrade->sock, upgrade->is_tls, upgrade->endpoint,
                       upgrade->identity, upgrade->has_deflate ? &upgrade->deflate : NULL);
}

/* A backend may send to a user as clients do, by "/user/<name>/<target>". */
static int publish_to(struct post *post, const struct push_request *request,
                      const struct bound_address *user, uint64_t *deliveries)
{
    struct router *router = &post->worker->router;
    struct slice shown = user == NULL ? request->destination : user->shown;
    struct msg_header *headers = mem_alloc((request->n_headers + 2) * sizeof(*headers));
    enum broker_outcome outcome = BROKER_ROUTED;
    struct msg *msg;
    size_t n = 0;
    char id[64];
    bool is_binary;

    headers[n++] = (struct msg_header){SLICE("destination"), shown};
    headers[n++] = (struct msg_header){SLICE("content-type"), request->content_type};
    for (size_t i = 0; i < request->n_headers; i++)
        headers[n++] = (struct msg_header){request->headers[i].name, request->headers[i].value};
    is_binary = request->body.len != 0 &&
                (stomp_mime_is_binary(request->content_type) || !utf8_is_valid(request->body));
    msg = msg_new(request->destination, headers, n, router_next_id(router, id), request->body,
                  is_binary);
    mem_free(headers);
    if (user != NULL)
        *deliveries = broker_publish_to_user(&post->broker, msg, user->user, user->target);
    else
        outcome = broker_publish(&post->broker, msg, NULL, NULL, false, deliveries);
    msg_unref(msg);
    return outcome == BROKER_FULL ? 503 : 200;
}

static int publish(void *ctx, const struct push_request *request, uint64_t *deliveries)
{
    struct post *post = ctx;
    const struct config *config = post->process->config;
    struct bound_address user;
    int status;

    worker_catch_up(post->worker);
    if (atomic_load(&post->process->is_draining) || worker_is_full(post->worker))
        return 503;
    if (request->body.len > config->transport.message_size_limit)
        return 413;
    if (!bound_is_user(config, request->destination)) {
        status = publish_to(post, request, NULL, deliveries);
    } else if (bound_read(config, request->destination, &user)) {
        status = publish_to(post, request, &user, deliveries);
        bound_dispose(&user);
    } else {
        return 422;
    }
    /* The answer promises it: no later publish may overtake it on another worker. */
    worker_post_mail(post->worker);
    return status;
}

static void print_metrics(void *ctx, struct buf *out)
{
    const struct post *post = ctx;
    const struct process *process = post->process;
    const struct metrics *sets[INTEREST_MAX_WORKERS];

    for (unsigned i = 0; i < process->shared.n_workers; i++)
        sets[i] = &process->posts[i].worker->metrics;
    if (!metrics_print(sets, process->shared.n_workers, out) ||
        !buf_printf(out,
                    "# HELP stompgate_buffered_bytes Bytes queued to clients.\n"
                    "# TYPE stompgate_buffered_bytes gauge\n"
                    "stompgate_buffered_bytes %zu\n",
                    chunk_account_bytes(&process->shared.account)))
        log_event(process->log, LOG_LEVEL_ERROR, "metrics.too_large",
                  log_u64("max_bytes", out->max));
}

static bool is_ready(void *ctx)
{
    const struct post *post = ctx;

    return !atomic_load(&post->process->is_draining) && !worker_is_out_of_memory(post->worker);
}

/* --- what sessions ask --- */

static enum session_verdict authenticate_connect(void *ctx, struct session_ref ref,
                                                 struct slice token,
                                                 struct auth_identity **identity, const char **why)
{
    const struct post *post = ctx;
    enum auth_status status;

    (void)ref; /* every key is at hand: no answer comes later */
    *identity = gate_check_token(post->verifier, token, why, &status);
    if (*identity != NULL)
        return SESSION_ALLOWED;
    (void)refuse_token(post, auth_strstatus(status));
    return SESSION_REFUSED;
}

static uint64_t now_ms(void *ctx)
{
    return worker_now_ms(((struct post *)ctx)->worker);
}

/* A draining worker is congested for ever: what its clients send waits for the close. */
static bool is_congested(void *ctx)
{
    return worker_is_congested(((const struct post *)ctx)->worker);
}

/* --- what the broker and the router ask --- */

static void send_errand(void *ctx, unsigned worker, struct errand *errand)
{
    worker_send_errand(((struct post *)ctx)->worker, worker, errand);
}

static void send_receipt(void *ctx, struct session_ref session, struct slice receipt)
{
    session_receipt(&((struct post *)ctx)->sessions, session, receipt);
}

static bool is_ending(void *ctx)
{
    return ((const struct post *)ctx)->worker->is_ending;
}

static void subscription_ended(void *ctx, struct subscription *subscription)
{
    broker_subscription_ended(ctx, subscription);
}

static void random_bytes(void *out, int len)
{
    /* Without randomness nothing here is safe to run. */
    if (RAND_bytes(out, len) != 1)
        abort();
}

/* --- asking workers --- */

/* Runs a task on every worker and waits until all have done it. */
static void ask_all(struct process *process, worker_task task)
{
    for (unsigned i = 0; i < process->n_started; i++)
        worker_ask(process->posts[i].worker, task, &process->posts[i]);
    for (unsigned i = 0; i < process->n_started; i++) {
        while (sem_wait(&process->asked) != 0)
            continue; /* EINTR */
    }
}

static void answer(const struct post *post)
{
    sem_post(&post->process->asked);
}

static void open_http(struct worker *worker, void *ctx)
{
    struct post *post = ctx;
    const struct http_handlers handlers = {
        .authenticate = authenticate_handshake,
        .may_accept = may_accept,
        .upgraded = upgraded,
        .publish = publish,
        .print_metrics = print_metrics,
        .is_ready = is_ready,
        .ctx = post,
    };

    post->http = http_worker_new(post->process->http, worker->index, worker->loop, &handlers,
                                 &worker->metrics);
    answer(post);
}

static void close_http(struct worker *worker, void *ctx)
{
    struct post *post = ctx;

    (void)worker;
    http_worker_free(post->http);
    post->http = NULL;
}

static int make_post(struct process *process, unsigned index)
{
    struct post *post = &process->posts[index];
    char *error = NULL;

    post->process = process;
    post->worker = worker_new(&process->shared, index);
    post->worker->at_end = close_http;
    post->worker->at_end_ctx = post;
    post->verifier = auth_verifier_new(process->gate.keys, &error);
    if (post->verifier == NULL) {
        log_event(process->log, LOG_LEVEL_ERROR, "auth.verifier_failed", log_cstr("error", error));
        mem_free(error);
        return -1;
    }
    broker_init(&post->broker, &process->broker_shared, index, &post->worker->router,
                &post->worker->metrics,
                broker_setup_sequence_limit(process->config, process->config->workers),
                (struct broker_hooks){send_errand, send_receipt, is_ending, post});
    post->worker->errand_ctx = &post->broker;
    lagging_set_policy(&post->worker->router, process->broker_shared.policy);
    router_set_compression(&post->worker->router, (int)process->config->transport.deflate.level,
                           process->config->transport.deflate.min_size);
    router_on_ended(&post->worker->router, subscription_ended, &post->broker);
    post->sessions = (struct session_env){
        .config = process->config,
        .routes = process->routes,
        .access = process->gate.access,
        .authenticate = authenticate_connect,
        .authenticate_ctx = post,
        .stomp_limits = process->stomp_limits,
        .router = &post->worker->router,
        .broker = &post->broker,
        .timers = &post->worker->timers,
        .metrics = &post->worker->metrics,
        .log = process->log,
        .quiet = {.hash_key = process->shared.hash_key},
        .now_ms = now_ms,
        .is_congested = is_congested,
        .worker_ctx = post,
    };
    session_env_init(&post->sessions);
    post->websockets = (struct ws_env){
        .worker = post->worker,
        .sessions = &post->sessions,
        .limits = {process->config->transport.send_buffer_size_limit,
                   process->config->transport.send_time_limit_ms},
    };
    return 0;
}

static void free_post(struct post *post)
{
    if (post->worker == NULL)
        return;
    if (post->verifier != NULL) {
        session_env_dispose(&post->sessions);
        broker_dispose(&post->broker);
    }
    auth_verifier_free(post->verifier);
    worker_free(post->worker);
    ws_env_dispose(&post->websockets);
}

static void free_process(struct process *process)
{
    for (unsigned i = 0; i < process->shared.n_workers; i++)
        free_post(&process->posts[i]);
    http_server_free(process->http);
    routes_free(process->routes);
    gate_dispose(&process->gate);
    if (process->broker_shared.policy != NULL)
        broker_shared_dispose(&process->broker_shared);
    patterns_dispose(&process->shared.patterns);
    interest_dispose(&process->shared.interest);
    mem_free(process->stomp_limits);
    mem_free(process->shared.workers);
    mem_free(process->posts);
    sem_destroy(&process->asked);
    mem_free(process);
}

static struct stomp_limits *make_limits(const struct config *config)
{
    struct stomp_limits *limits = mem_calloc(config->n_endpoints, sizeof(*limits));

    for (size_t i = 0; i < config->n_endpoints; i++) {
        limits[i] = (struct stomp_limits){
            .max_frame_bytes = (size_t)config->endpoints[i].message_size_limit,
            .max_headers = (size_t)config->transport.max_header_count,
            .max_header_bytes = (size_t)config->transport.max_header_size,
        };
    }
    return limits;
}

static void warn_of_what_is_open(const struct process *process)
{
    const struct config *config = process->config;

    if (config->n_access == 0)
        log_event(process->log, LOG_LEVEL_WARN, "access.no_rules",
                  log_cstr("meaning", "every session that got in may subscribe and send anywhere"));
    if (config->auth.anonymous)
        log_event(process->log, LOG_LEVEL_WARN, "auth.anonymous",
                  log_cstr("meaning", "clients need no token"));
}

struct process *process_start(const struct config *config, const struct log *log, int *exit_code)
{
    struct process *process = mem_calloc(1, sizeof(*process));
    char *error = NULL;

    process->config = config;
    process->log = log;
    sem_init(&process->asked, 0, 0);
    process->shared.log = log;
    process->shared.n_workers = config->workers;
    process->shared.buffer_limit = config->transport.process_buffer_limit;
    process->shared.io_uring = (enum worker_io_uring)config->transport.io_uring;
    process->shared.workers = mem_calloc(config->workers, sizeof(*process->shared.workers));
    process->posts = mem_calloc(config->workers, sizeof(*process->posts));
    random_bytes(&process->shared.start_id, sizeof(process->shared.start_id));
    random_bytes(&process->shared.hash_key, sizeof(process->shared.hash_key));
    interest_init(&process->shared.interest, process->shared.hash_key);
    patterns_init(&process->shared.patterns, config->workers, (size_t)config->broker.max_patterns,
                  config->broker.path_separator, process->shared.hash_key);
    process->shared.cache_limit = (size_t)config->broker.cache_limit;
    process->stomp_limits = make_limits(config);
    process->routes = routes_new(config, process->shared.hash_key);

    *exit_code = CLI_BAD_CONFIG;
    if (broker_setup(&process->broker_shared, config, config->workers, process->shared.hash_key,
                     process->shared.start_id, &error) != 0) {
        log_event(log, LOG_LEVEL_ERROR, "broker.bad_pattern", log_cstr("error", error));
        mem_free(error);
        goto fail;
    }
    if (gate_init(&process->gate, config, log) != 0)
        goto fail;
    process->http = http_server_open(config, log, exit_code);
    if (process->http == NULL)
        goto fail;
    *exit_code = CLI_FAILURE;
    for (unsigned i = 0; i < config->workers; i++) {
        if (make_post(process, i) != 0)
            goto fail;
    }
    for (; process->n_started < config->workers; process->n_started++) {
        if (worker_start(process->posts[process->n_started].worker) != 0) {
            process_stop(process);
            return NULL;
        }
    }
    /* Only now, when every worker can be mailed. */
    ask_all(process, open_http);
    http_server_log_listeners(process->http);
    warn_of_what_is_open(process);
    log_event(
        log, LOG_LEVEL_INFO, "gateway.ready", log_u64("workers", config->workers),
        log_cstr("writes", process->posts[0].worker->send_batch != NULL ? "io_uring" : "send"));
    return process;

fail:
    free_process(process);
    return NULL;
}

/* --- stop --- */

static void stop_accepting(struct worker *worker, void *ctx)
{
    struct post *post = ctx;

    /* The loop must know, or it would come back at once for input that nobody takes. */
    worker->is_ending = true;
    if (post->http != NULL)
        http_worker_stop_accepting(post->http);
    answer(post);
}

static void post_mail(struct worker *worker, void *ctx)
{
    worker_post_mail(worker);
    answer(ctx);
}

/* Tasks and mail come in the order they were posted: who gets this has read all mail before. */
static void barrier(struct worker *worker, void *ctx)
{
    (void)worker;
    answer(ctx);
}

static void on_drain_timer(struct timer *timer, uint64_t now)
{
    struct post *post = (struct post *)((char *)timer - offsetof(struct post, drain_timer));
    struct worker *worker = post->worker;

    ws_connection_close_some(&post->websockets, post->closes_a_step);
    if (now >= post->drain_deadline_ms) {
        ws_connection_abort_all(&post->websockets);
        if (post->http != NULL)
            http_worker_abort_connections(post->http);
    }
    if (worker->streams == NULL && worker->dead == NULL &&
        (post->http == NULL || http_worker_connections(post->http) == 0)) {
        worker_stop(worker);
        return;
    }
    timer_arm(&worker->timers, timer, now + CLOSE_STEP_MS, on_drain_timer);
}

static void start_closing(struct worker *worker, void *ctx)
{
    struct post *post = ctx;
    uint32_t drain_ms = post->process->config->drain_time_ms;
    size_t n_steps = drain_ms / 2 / CLOSE_STEP_MS + 1;

    if (post->http != NULL)
        http_worker_request_shutdown(post->http);
    post->closes_a_step = worker->n_streams / n_steps + 1;
    if (worker->n_streams <= CLOSE_AT_ONCE || post->closes_a_step < CLOSE_AT_ONCE)
        post->closes_a_step = CLOSE_AT_ONCE;
    post->drain_deadline_ms = worker_now_ms(worker) + drain_ms;
    timer_arm(&worker->timers, &post->drain_timer, worker_now_ms(worker), on_drain_timer);
}

void process_stop(struct process *process)
{
    atomic_store(&process->is_draining, true);
    log_event(process->log, LOG_LEVEL_INFO, "gateway.draining",
              log_u64("connections", atomic_load(&process->shared.n_connections)));
    ask_all(process, stop_accepting);
    for (unsigned i = 0; i < MAIL_ROUNDS; i++) {
        ask_all(process, post_mail);
        ask_all(process, barrier);
    }
    for (unsigned i = 0; i < process->n_started; i++)
        worker_ask(process->posts[i].worker, start_closing, &process->posts[i]);
    for (unsigned i = 0; i < process->n_started; i++)
        worker_join(process->posts[i].worker);
    log_event(process->log, LOG_LEVEL_INFO, "gateway.stopped",
              log_u64("workers", process->n_started));
    free_process(process);
}
