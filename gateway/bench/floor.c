#include "gateway/bench/floor.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/mem.h"
#include "gateway/bench/loop.h"
#include "gateway/bench/mark.h"
#include "gateway/bench/process.h"
#include "gateway/bench/procstat.h"
#include "gateway/bench/report.h"
#include "gateway/bench/wire.h"

enum {
    MAX_ROUND = 1 << 30,
    PATIENCE_MS = 10 * 1000,
    FINAL = 0x80,
    LENGTH_16 = 126,
    LENGTH_64 = 127,
};

struct floor {
    const struct options *options;
    struct buf round; /* what each connection gets in one */
    struct target target;
    int listener;
    int done_fd; /* an eventfd: the reader has all of a round */
    int *fds;    /* the sender's ends */
    size_t n_fds;
    pid_t reader;
};

/* One reading of the clocks. */
struct sample {
    uint64_t now_ns;
    uint64_t n_deliveries;
    struct procstat server, load;
};

static int report_errno(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    return -1;
}

/* Of a frame from a server: nothing masked (RFC 6455, section 5.2). */
static bool append_head(struct buf *out, size_t len)
{
    char head[10] = {(char)(FINAL | WIRE_TEXT)};
    size_t n_bytes = 0;

    if (len < LENGTH_16) {
        head[1] = (char)len;
    } else {
        n_bytes = len <= UINT16_MAX ? 2 : 8;
        head[1] = n_bytes == 2 ? LENGTH_16 : LENGTH_64;
        for (size_t i = 0; i < n_bytes; i++)
            head[2 + i] = (char)(len >> 8 * (n_bytes - 1 - i));
    }
    return buf_append(out, slice_of(head, 2 + n_bytes));
}

static bool append_message(struct buf *out, const struct options *options, uint64_t sequence)
{
    const struct mark mark = {.sequence = sequence};
    size_t size = options->body_size;
    char *body = NULL;
    struct buf head;
    bool fits;

    buf_init(&head, MAX_ROUND);
    fits = buf_printf(&head,
                      "MESSAGE\ndestination:%s\ncontent-type:%s\nsubscription:sub-0\n"
                      "message-id:0123456789abcdef-1-%llu\ncontent-length:%zu\n\n",
                      options->destination, options->content_type, (unsigned long long)sequence,
                      size) &&
           append_head(out, head.len + size + 1) && buf_append(out, buf_slice(&head)) &&
           (body = buf_reserve(out, size + 1)) != NULL;
    buf_dispose(&head);
    if (!fits)
        return false;
    mark_write(body, &mark);
    mark_fill(body, size, MARK_LETTERS);
    body[size] = '\0';
    buf_commit(out, size + 1);
    return true;
}

bool floor_write_round(struct buf *out, const struct options *options)
{
    for (uint64_t i = 0; i < options->window; i++) {
        if (!append_message(out, options, i))
            return false;
    }
    return true;
}

static int listen_on_loopback(struct floor *f)
{
    struct sockaddr_in *in = (struct sockaddr_in *)&f->target.address;

    f->target.address_len = sizeof(*in);
    in->sin_family = AF_INET;
    in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (f->listener == -1 || bind(f->listener, (struct sockaddr *)in, f->target.address_len) != 0 ||
        listen(f->listener, SOMAXCONN) != 0 ||
        getsockname(f->listener, (struct sockaddr *)in, &f->target.address_len) != 0)
        return report_errno("listening");
    return 0;
}

/* ---- the reader's process ---- */

/* Reads what is there of one connection. Returns how much, 0 when there will be no more. */
static size_t drain(int fd, char *buffer)
{
    ssize_t n = recv(fd, buffer, LOOP_READ_BYTES, 0);

    if (n == -1 && (errno == EAGAIN || errno == EINTR || errno == EINPROGRESS))
        return SIZE_MAX;
    return n > 0 ? (size_t)n : 0;
}

/* Until the sender is gone; then its connections end, or this process with it. */
static int read_rounds(const struct floor *f, int epoll_fd)
{
    const uint64_t one = 1, round_bytes = (uint64_t)f->round.len * f->options->n_subscribers;
    struct epoll_event events[LOOP_BATCH];
    char *buffer = mem_calloc(1, LOOP_READ_BYTES);
    uint64_t n_read = 0;
    bool is_over = false;

    while (!is_over && n_read <= round_bytes) {
        int n = epoll_wait(epoll_fd, events, LOOP_BATCH, -1);

        for (int i = 0; i < n && !is_over; i++) {
            size_t len = drain(events[i].data.fd, buffer);

            is_over = len == 0;
            n_read += len == SIZE_MAX ? 0 : len;
        }
        if (n_read == round_bytes) {
            n_read = 0;
            is_over = is_over || write(f->done_fd, &one, sizeof(one)) != sizeof(one);
        }
    }
    mem_free(buffer);
    return n_read == 0 ? 0 : 1;
}

static int run_reader(const struct floor *f)
{
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)close(f->listener); /* or a connection that nobody accepts would wait for ever */
    if (process_pin(f->options, 1) != 0 || epoll_fd == -1)
        return 1;
    for (size_t i = 0; i < f->options->n_subscribers; i++) {
        struct epoll_event event = {.events = EPOLLIN};

        event.data.fd = target_dial(&f->target, i, false);
        if (event.data.fd == -1 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event.data.fd, &event) != 0) {
            (void)report_errno("connecting");
            return 1;
        }
    }
    return read_rounds(f, epoll_fd);
}

/* ---- the sender's ---- */

static bool wait_readable(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    int n;

    do
        n = poll(&poll_fd, 1, PATIENCE_MS);
    while (n == -1 && errno == EINTR);
    if (n <= 0)
        fprintf(stderr, "load: the reader does not follow\n");
    return n > 0;
}

static int accept_all(struct floor *f)
{
    const int one = 1;

    while (f->n_fds < f->options->n_subscribers) {
        int fd = wait_readable(f->listener) ? accept4(f->listener, NULL, NULL, SOCK_CLOEXEC) : -1;

        if (fd == -1)
            return report_errno("accepting");
        f->fds[f->n_fds++] = fd;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    }
    return 0;
}

/* The loop that all this is about. */
static int send_round(const struct floor *f)
{
    uint64_t n_rounds;

    for (size_t i = 0; i < f->n_fds; i++) {
        /* The sockets block: it is all or an error. */
        if (send(f->fds[i], f->round.base, f->round.len, MSG_NOSIGNAL) != (ssize_t)f->round.len)
            return report_errno("send");
    }
    if (!wait_readable(f->done_fd) || read(f->done_fd, &n_rounds, sizeof(n_rounds)) == -1)
        return -1;
    return 0;
}

static int take_sample(const struct floor *f, uint64_t now_ns, uint64_t n_deliveries,
                       struct sample *out)
{
    *out = (struct sample){.now_ns = now_ns, .n_deliveries = n_deliveries};
    return procstat_add_cpu(&out->server, getpid()) == 0 &&
                   procstat_add_cpu(&out->load, f->reader) == 0
               ? 0
               : -1;
}

static int send_rounds(const struct floor *f, struct floor_result *out)
{
    const struct options *o = f->options;
    uint64_t now_ns = loop_now_ns(), start_ns = now_ns + o->warmup_ns, n_deliveries = 0;
    struct sample first = {0}, last = {0};

    while (first.now_ns == 0 || now_ns - first.now_ns < o->seconds_ns) {
        if (first.now_ns == 0 && now_ns >= start_ns &&
            take_sample(f, now_ns, n_deliveries, &first) != 0)
            return -1;
        if (send_round(f) != 0)
            return -1;
        n_deliveries += o->window * o->n_subscribers;
        now_ns = loop_now_ns();
    }
    if (take_sample(f, now_ns, n_deliveries, &last) != 0)
        return -1;
    *out = (struct floor_result){
        .n_deliveries = n_deliveries,
        .n_deliveries_measured = n_deliveries - first.n_deliveries,
        .measured_ns = last.now_ns - first.now_ns,
        .server_cpu_ns = last.server.cpu_ns - first.server.cpu_ns,
        .load_cpu_ns = last.load.cpu_ns - first.load.cpu_ns,
    };
    return 0;
}

static int start_reader(struct floor *f)
{
    f->reader = fork();
    if (f->reader == 0)
        _exit(run_reader(f));
    return f->reader == -1 ? report_errno("fork") : 0;
}

/* Ends the connections, and with them the reader, which must have read all by then. */
static int stop_reader(struct floor *f)
{
    int status = 0;

    for (size_t i = 0; i < f->n_fds; i++)
        (void)close(f->fds[i]);
    if (f->reader <= 0)
        return 0;
    if (f->n_fds < f->options->n_subscribers)
        (void)kill(f->reader, SIGKILL); /* it may wait for connections that are not made */
    if (waitpid(f->reader, &status, 0) == -1 || status != 0) {
        fprintf(stderr, "load: the reader failed\n");
        return -1;
    }
    return 0;
}

int floor_measure(const struct options *options, struct floor_result *out)
{
    struct floor f = {.options = options, .listener = -1};
    size_t capacity;
    int result = -1;

    buf_init(&f.round, MAX_ROUND);
    f.fds = mem_calloc(options->n_subscribers, sizeof(*f.fds));
    f.done_fd = eventfd(0, EFD_CLOEXEC);
    if (!floor_write_round(&f.round, options))
        fprintf(stderr, "load: a round of more than %d bytes\n", MAX_ROUND);
    else if (process_find_capacity(&capacity) == 0 && capacity < options->n_subscribers)
        fprintf(stderr, "load: no more than %zu descriptors may be open\n", capacity);
    else if (f.done_fd != -1 && listen_on_loopback(&f) == 0 && start_reader(&f) == 0 &&
             process_pin(options, 0) == 0 && accept_all(&f) == 0)
        result = send_rounds(&f, out);
    if (stop_reader(&f) != 0)
        result = -1;
    if (f.listener != -1)
        (void)close(f.listener);
    if (f.done_fd != -1)
        (void)close(f.done_fd);
    mem_free(f.fds);
    buf_dispose(&f.round);
    return result;
}

static void print(const struct options *options, const struct floor_result *result)
{
    double seconds = (double)result->measured_ns / 1e9;
    double measured = (double)result->n_deliveries_measured;
    struct report report;

    report_init(&report, options->is_json);
    report_string(&report, "mode", options_mode_name(options->mode));
    report_count(&report, "connections", options->n_subscribers);
    report_count(&report, "deliveries", result->n_deliveries);
    report_count(&report, "deliveries_measured", result->n_deliveries_measured);
    report_number(&report, "deliveries_per_s", measured / seconds, 0);
    report_number(&report, "published_per_s", measured / seconds / (double)options->n_subscribers,
                  1);
    report_number(&report, "server_cpu_s", (double)result->server_cpu_ns / 1e9, 3);
    report_number(&report, "server_us_per_delivery", (double)result->server_cpu_ns / 1e3 / measured,
                  3);
    report_number(&report, "load_cpu_s", (double)result->load_cpu_ns / 1e9, 3);
    report_count(&report, "missing", 0); /* or there would be no result */
    report_flag(&report, "ok", true);
    report_print(&report, stdout);
    report_dispose(&report);
}

int floor_run(const struct options *options)
{
    struct floor_result result;

    if (floor_measure(options, &result) != 0) {
        fprintf(stderr, "load: FAILED\n");
        return 1;
    }
    print(options, &result);
    return 0;
}
