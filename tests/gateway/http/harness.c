#include "tests/gateway/http/harness.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "base/mem.h"

enum {
    HARNESS_TURN_MS = 5, /* how long the loop may wait before it looks for commands */
    HARNESS_PATIENCE_S = 5,
};

enum command { COMMAND_NONE, COMMAND_SHUTDOWN, COMMAND_STOP_ACCEPTING, COMMAND_END };

struct harness {
    struct log log;
    struct http_server *server;
    struct http_handlers handlers;
    struct metrics metrics;
    _Atomic int command; /* taken back to COMMAND_NONE when it has been obeyed */
    _Atomic bool is_up;
    _Atomic bool has_room;
    _Atomic bool is_ready;
    size_t n_left; /* connections at the end; read after the thread has ended */
};

/* ---- the handlers: worker thread ---- */

static enum http_verdict on_authenticate(void *ctx, size_t endpoint,
                                         const struct http_credentials *credentials,
                                         struct auth_identity **identity)
{
    struct slice good = SLICE("good"), query_good = SLICE("query-good");

    (void)ctx;
    (void)endpoint;
    *identity = NULL;
    if (credentials->is_malformed)
        return HTTP_VERDICT_REFUSED;
    if (credentials->bearer.len == 0 && credentials->query_token.len == 0)
        return HTTP_VERDICT_OK;
    if (!slice_eq(credentials->bearer, good) && !slice_eq(credentials->query_token, query_good))
        return HTTP_VERDICT_REFUSED;
    *identity = mem_calloc(1, sizeof(**identity));
    (*identity)->user = mem_slice_dup((struct slice)SLICE("alice"));
    (*identity)->issuer = mem_slice_dup((struct slice)SLICE(""));
    return HTTP_VERDICT_OK;
}

static bool on_may_accept(void *ctx)
{
    return ((struct harness *)ctx)->has_room;
}

static void on_told(h2o_socket_t *sock, const char *err)
{
    (void)err;
    mem_free(sock->data);
    h2o_socket_close(sock);
}

static int option(h2o_socket_t *sock, int which)
{
    int value = -1;
    socklen_t len = sizeof(value);

    (void)getsockopt(h2o_socket_get_fd(sock), IPPROTO_TCP, which, &value, &len);
    return value;
}

static void on_upgraded(void *ctx, const struct http_upgrade *upgrade)
{
    h2o_socket_t *sock = upgrade->sock;
    struct slice user = SLICE("-");
    h2o_iovec_t line;

    (void)ctx;
    if (upgrade->identity != NULL)
        user = upgrade->identity->user;
    line.base =
        mem_printf("endpoint=%zu user=%.*s protocol=%.*s tls=%d nodelay=%d timeout=%d "
                   "input=%.*s",
                   upgrade->endpoint, SLICE_FMT(user), SLICE_FMT(upgrade->protocol),
                   upgrade->is_tls, option(sock, TCP_NODELAY), option(sock, TCP_USER_TIMEOUT),
                   (int)sock->input->size, sock->input->bytes);
    line.len = strlen(line.base);
    if (upgrade->identity != NULL)
        auth_identity_dispose(upgrade->identity);
    mem_free(upgrade->identity);
    sock->data = line.base;
    h2o_socket_write(sock, &line, 1, on_told);
}

static int on_publish(void *ctx, const struct push_request *request, uint64_t *deliveries)
{
    (void)ctx;
    if (slice_eq(request->destination, (struct slice)SLICE("/topic/full")))
        return 503;
    if (slice_eq(request->destination, (struct slice)SLICE("/topic/big")))
        return 413;
    if (slice_eq(request->destination, (struct slice)SLICE("/user/joe")))
        return 422;
    *deliveries = request->body.len;
    return 200;
}

static void on_print_metrics(void *ctx, struct buf *out)
{
    const struct harness *h = ctx;
    const struct metrics *const sets[] = {&h->metrics};

    if (!metrics_print(sets, 1, out))
        abort();
}

static bool on_is_ready(void *ctx)
{
    return ((struct harness *)ctx)->is_ready;
}

/* ---- the worker's thread ---- */

static void run(struct harness *h)
{
    h2o_loop_t *loop = h2o_evloop_create();
    struct http_worker *worker = http_worker_new(h->server, 0, loop, &h->handlers, &h->metrics);
    unsigned turns = 0;

    h->is_up = true;
    while (h->command != COMMAND_END) {
        (void)h2o_evloop_run(loop, HARNESS_TURN_MS);
        if (h->command == COMMAND_SHUTDOWN)
            http_worker_request_shutdown(worker);
        if (h->command == COMMAND_STOP_ACCEPTING)
            http_worker_stop_accepting(worker);
        if (h->command != COMMAND_END)
            h->command = COMMAND_NONE;
    }
    http_worker_stop_accepting(worker);
    http_worker_abort_connections(worker);
    while (http_worker_connections(worker) != 0 && turns++ < 1000)
        (void)h2o_evloop_run(loop, HARNESS_TURN_MS);
    (void)h2o_evloop_run(loop, 0); /* what has been closed is freed in the turn after */
    h->n_left = http_worker_connections(worker);
    http_worker_free(worker);
    (void)h2o_evloop_run(loop, 0);
    h2o_evloop_destroy(loop);
}

/*
 * One thread serves all tests, one after the other, and never ends: h2o keeps freed memory for
 * reuse in thread-local lists, which would be leaks of a thread that is no more.
 */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct harness *job; /* back to NULL when it is done */
    bool has_thread;
} runner = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void *run_jobs(void *arg)
{
    (void)arg;
    for (;;) {
        struct harness *job;

        pthread_mutex_lock(&runner.lock);
        while (runner.job == NULL)
            pthread_cond_wait(&runner.changed, &runner.lock);
        job = runner.job;
        pthread_mutex_unlock(&runner.lock);
        run(job);
        pthread_mutex_lock(&runner.lock);
        runner.job = NULL;
        pthread_cond_signal(&runner.changed);
        pthread_mutex_unlock(&runner.lock);
    }
    return NULL;
}

static void runner_start(struct harness *h)
{
    pthread_t thread;

    if (!runner.has_thread)
        assert_int_equal(pthread_create(&thread, NULL, run_jobs, NULL), 0);
    runner.has_thread = true;
    pthread_mutex_lock(&runner.lock);
    assert_null(runner.job);
    runner.job = h;
    pthread_cond_signal(&runner.changed);
    pthread_mutex_unlock(&runner.lock);
}

static void runner_wait(void)
{
    pthread_mutex_lock(&runner.lock);
    while (runner.job != NULL)
        pthread_cond_wait(&runner.changed, &runner.lock);
    pthread_mutex_unlock(&runner.lock);
}

static void command(struct harness *h, enum command c)
{
    h->command = c;
    while (h->command == (int)c)
        (void)poll(NULL, 0, 1);
}

struct harness *harness_start(struct config *config)
{
    static struct config_listener any_port = {.address = SLICE("127.0.0.1:0")};
    struct harness *h = mem_calloc(1, sizeof(*h));
    int exit_code;

    if (config->workers == 0)
        config->workers = 1;
    if (config->n_listeners == 0) {
        config->listeners = &any_port;
        config->n_listeners = 1;
    }
    if (config->admin.listen.len == 0)
        config->admin.listen = (struct slice)SLICE("127.0.0.1:0");
    if (config->transport.message_size_limit == 0)
        config->transport.message_size_limit = 64 * 1024;
    (void)signal(SIGPIPE, SIG_IGN); /* as the program does: h2o writes to closed sockets */
    log_init(&h->log, memfd_create("log", MFD_CLOEXEC), LOG_LEVEL_DEBUG, false);
    h->has_room = true;
    h->is_ready = true;
    h->handlers = (struct http_handlers){
        .authenticate = on_authenticate,
        .may_accept = on_may_accept,
        .upgraded = on_upgraded,
        .publish = on_publish,
        .print_metrics = on_print_metrics,
        .is_ready = on_is_ready,
        .ctx = h,
    };
    h->server = http_server_open(config, &h->log, &exit_code);
    assert_non_null(h->server);
    runner_start(h);
    while (!h->is_up)
        (void)poll(NULL, 0, 1);
    return h;
}

void harness_stop(struct harness *h)
{
    h->command = COMMAND_END;
    runner_wait();
    assert_int_equal(h->n_left, 0);
    http_server_free(h->server);
    close(h->log.fd);
    mem_free(h);
}

void harness_request_shutdown(struct harness *h)
{
    command(h, COMMAND_SHUTDOWN);
}

void harness_stop_accepting(struct harness *h)
{
    command(h, COMMAND_STOP_ACCEPTING);
}

void harness_set_room(struct harness *h, bool has_room)
{
    h->has_room = has_room;
}

void harness_set_ready(struct harness *h, bool is_ready)
{
    h->is_ready = is_ready;
}

uint64_t harness_metric(const struct harness *h, enum metric metric)
{
    const struct metrics *const sets[] = {&h->metrics};

    return metrics_sum(sets, 1, metric);
}

void harness_wait_for_log(struct harness *h, const char *text)
{
    static char lines[1024 * 1024];

    for (int i = 0; i < HARNESS_PATIENCE_S * 1000; i++) {
        ssize_t n = pread(h->log.fd, lines, sizeof(lines) - 1, 0);

        lines[n < 0 ? 0 : n] = '\0';
        if (strstr(lines, text) != NULL)
            return;
        (void)poll(NULL, 0, 1);
    }
    fail_msg("the log has no \"%s\":\n%s", text, lines);
}

/* ---- the client: main thread ---- */

const char *harness_address(struct harness *h, size_t listener)
{
    return http_server_address(h->server, listener);
}

int harness_socket(struct harness *h, size_t listener)
{
    const struct timeval patience = {.tv_sec = HARNESS_PATIENCE_S};
    bool is_v6 = harness_address(h, listener)[0] == '[';
    int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return fd;
}

void harness_connect_socket(struct harness *h, size_t listener, int fd)
{
    const char *address = harness_address(h, listener);
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};

    in.sin_port = htons((uint16_t)strtoul(strrchr(address, ':') + 1, NULL, 10));
    in6.sin6_port = in.sin_port;
    if (address[0] == '[')
        assert_int_equal(connect(fd, (struct sockaddr *)&in6, sizeof(in6)), 0);
    else
        assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
}

int harness_connect(struct harness *h, size_t listener)
{
    int fd = harness_socket(h, listener);

    harness_connect_socket(h, listener, fd);
    return fd;
}

void client_send(int fd, const char *text)
{
    size_t len = strlen(text);

    while (len != 0) {
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

        if (n < 0)
            return; /* the other side has heard enough: what it answered is still to be read */
        text += n;
        len -= (size_t)n;
    }
}

static struct answer read_answer(int fd, bool has_body)
{
    static char text[2 * 1024 * 1024];
    struct answer answer = {.head = {"", 0}, .body = {"", 0}};
    size_t len = 0, end = 0, body_len = SIZE_MAX;

    while (end == 0 || len - end < body_len) {
        ssize_t n = recv(fd, text + len, sizeof(text) - 1 - len, 0);
        char *found;

        if (n <= 0)
            break;
        len += (size_t)n;
        text[len] = '\0';
        found = end == 0 ? strstr(text, "\r\n\r\n") : NULL;
        if (found != NULL) {
            struct slice length;
            uint64_t number = 0;

            end = (size_t)(found - text) + 4;
            answer.head = slice_of(text, end);
            answer.status = atoi(text + strlen("HTTP/1.1 "));
            length = answer_header(&answer, "Content-Length");
            if (!has_body || answer.status == 304)
                body_len = 0;
            else if (answer.status != 101 && slice_to_u64(length, SIZE_MAX, &number))
                body_len = (size_t)number;
        }
    }
    answer.body = slice_of(text + end, len - end);
    return answer;
}

struct answer client_read(int fd)
{
    return read_answer(fd, true);
}

struct answer client_read_head(int fd)
{
    return read_answer(fd, false);
}

bool client_at_end(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, 0);

    return n == 0 || (n < 0 && errno == ECONNRESET);
}

struct answer ask(struct harness *h, size_t listener, const char *text)
{
    int fd = harness_connect(h, listener);
    struct answer answer;

    client_send(fd, text);
    answer = client_read(fd);
    close(fd);
    return answer;
}

struct slice answer_header(const struct answer *answer, const char *name)
{
    struct slice rest = answer->head, line, field, value;

    while (slice_cut(rest, '\n', &line, &rest)) {
        if (slice_cut(line, ':', &field, &value) && slice_eq_nocase(field, slice_str(name))) {
            if (value.len != 0 && value.base[value.len - 1] == '\r')
                value.len--;
            return slice_trim(value);
        }
    }
    return slice_of("", 0);
}

void assert_status_(const struct answer *answer, int expected, const char *file, int line)
{
    if (answer->status != expected) {
        print_error("expected %d, got: %.*s%.*s\n", expected, SLICE_FMT(answer->head),
                    SLICE_FMT(answer->body));
        _fail(file, line);
    }
}
