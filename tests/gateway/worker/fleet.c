#include "tests/gateway/worker/fleet.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"

void fleet_start(struct fleet *fleet, unsigned n_workers, uint64_t buffer_limit)
{
    memset(fleet, 0, sizeof(*fleet));
    log_init(&fleet->log, open("/dev/null", O_WRONLY), LOG_LEVEL_INFO, false);
    fleet->shared.log = &fleet->log;
    fleet->shared.n_workers = n_workers;
    fleet->shared.buffer_limit = buffer_limit;
    fleet->shared.start_id = 0xabc;
    fleet->shared.hash_key = (struct siphash_key){7, 8};
    fleet->shared.workers = fleet->workers;
    interest_init(&fleet->shared.interest, fleet->shared.hash_key);
    patterns_init(&fleet->shared.patterns, n_workers, 1000, '/', fleet->shared.hash_key);
    fleet->shared.cache_limit = 1000;
    for (unsigned i = 0; i < n_workers; i++)
        (void)worker_new(&fleet->shared, i);
    for (unsigned i = 0; i < n_workers; i++)
        assert_int_equal(worker_start(fleet->workers[i]), 0);
}

/* --- asking --- */

struct question {
    worker_task task;
    void *ctx;
    sem_t done;
};

static void run_question(struct worker *worker, void *ctx)
{
    struct question *question = ctx;

    question->task(worker, question->ctx);
    sem_post(&question->done);
}

void fleet_ask(struct fleet *fleet, unsigned worker, worker_task task, void *ctx)
{
    struct question question = {.task = task, .ctx = ctx};

    sem_init(&question.done, 0, 0);
    worker_ask(fleet->workers[worker], run_question, &question);
    while (sem_wait(&question.done) != 0)
        continue;
    sem_destroy(&question.done);
}

struct check {
    fleet_condition is_so;
    void *ctx;
    bool answer;
};

static void run_check(struct worker *worker, void *ctx)
{
    struct check *check = ctx;

    check->answer = check->is_so(worker, check->ctx);
}

void fleet_wait(struct fleet *fleet, unsigned worker, fleet_condition is_so, void *ctx)
{
    uint64_t deadline_ms = worker_clock_ms() + FLEET_DEADLINE_MS;
    struct check check = {.is_so = is_so, .ctx = ctx};

    do {
        if (worker_clock_ms() > deadline_ms)
            fail_msg("waited in vain");
        fleet_ask(fleet, worker, run_check, &check);
    } while (!check.answer);
}

static bool has_streams(struct worker *worker, void *ctx)
{
    return worker->n_streams == *(const size_t *)ctx && worker->dead == NULL;
}

void fleet_wait_for_streams(struct fleet *fleet, unsigned worker, size_t n)
{
    fleet_wait(fleet, worker, has_streams, &n);
}

struct awaited_metric {
    struct fleet *fleet;
    enum metric metric;
    uint64_t value;
};

static bool has_metric(struct worker *worker, void *ctx)
{
    const struct awaited_metric *awaited = ctx;

    (void)worker;
    return fleet_metric(awaited->fleet, awaited->metric) == awaited->value;
}

void fleet_wait_for_metric(struct fleet *fleet, enum metric metric, uint64_t value)
{
    struct awaited_metric awaited = {fleet, metric, value};

    fleet_wait(fleet, 0, has_metric, &awaited);
}

uint64_t fleet_metric(const struct fleet *fleet, enum metric metric)
{
    const struct metrics *sets[FLEET_MAX];

    for (unsigned i = 0; i < fleet->shared.n_workers; i++)
        sets[i] = &fleet->workers[i]->metrics;
    return metrics_sum(sets, fleet->shared.n_workers, metric);
}

static void skip_time(struct worker *worker, void *ctx)
{
    worker->now_ms = worker_clock_ms() + *(const uint64_t *)ctx;
    worker->is_now_stale = false;
    timer_wheel_advance(&worker->timers, worker->now_ms);
}

void fleet_skip(struct fleet *fleet, unsigned worker, uint64_t ms)
{
    /* The clock goes back when the turn is over, the wheel does not: what is armed later fires
     * late, or at the next skip. */
    fleet->skipped_ms[worker] += ms;
    fleet_ask(fleet, worker, skip_time, &fleet->skipped_ms[worker]);
}

/* --- the end --- */

static void abort_streams(struct worker *worker, void *ctx)
{
    (void)ctx;
    while (worker->streams != NULL)
        stream_abort(worker->streams);
}

void fleet_abort_streams(struct fleet *fleet)
{
    for (unsigned i = 0; i < fleet->shared.n_workers; i++) {
        fleet_ask(fleet, i, abort_streams, NULL);
        fleet_wait_for_streams(fleet, i, 0);
    }
}

static void nothing(struct worker *worker, void *ctx)
{
    (void)worker;
    (void)ctx;
}

static void post_mail(struct worker *worker, void *ctx)
{
    (void)ctx;
    worker_post_mail(worker);
}

static void stop(struct worker *worker, void *ctx)
{
    (void)ctx;
    worker_stop(worker);
}

void fleet_stop(struct fleet *fleet)
{
    /* Mail that is under way is read before anybody stops. */
    for (unsigned i = 0; i < fleet->shared.n_workers; i++)
        fleet_ask(fleet, i, post_mail, NULL);
    for (unsigned i = 0; i < fleet->shared.n_workers; i++)
        fleet_ask(fleet, i, nothing, NULL);
    for (unsigned i = 0; i < fleet->shared.n_workers; i++) {
        worker_ask(fleet->workers[i], stop, NULL);
        worker_join(fleet->workers[i]);
    }
    for (unsigned i = 0; i < fleet->shared.n_workers; i++) {
        assert_int_equal(fleet->workers[i]->n_streams, 0);
        /* That of the spare buffers is the worker's own. */
        assert_int_equal(fleet->workers[i]->timers.n_armed,
                         timer_is_armed(&fleet->workers[i]->trim_timer) ? 1 : 0);
        worker_free(fleet->workers[i]);
    }
    assert_int_equal(chunk_account_bytes(&fleet->shared.account), 0);
    patterns_dispose(&fleet->shared.patterns);
    interest_dispose(&fleet->shared.interest);
    (void)close(fleet->log.fd);
}

/* --- sockets --- */

int fleet_socketpair(int *other, int buffer_bytes)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    if (buffer_bytes != 0)
        assert_int_equal(
            setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof(buffer_bytes)), 0);
    *other = fds[1];
    return fds[0];
}

static void wait_for(int fd, short events, uint64_t deadline_ms)
{
    uint64_t now_ms = worker_clock_ms();
    struct pollfd pollfd = {.fd = fd, .events = events};

    if (now_ms >= deadline_ms || poll(&pollfd, 1, (int)(deadline_ms - now_ms)) == 0)
        fail_msg("nothing %s in time", events == POLLIN ? "to be read" : "could be written");
}

bool fd_try_write(int fd, struct slice bytes)
{
    uint64_t deadline_ms = worker_clock_ms() + FLEET_DEADLINE_MS;

    while (bytes.len != 0) {
        ssize_t n = send(fd, bytes.base, bytes.len, MSG_NOSIGNAL);

        if (n >= 0)
            bytes = slice_skip(bytes, (size_t)n);
        else if (errno == EAGAIN)
            wait_for(fd, POLLOUT, deadline_ms);
        else if (errno != EINTR)
            return false;
    }
    return true;
}

void fd_write(int fd, struct slice bytes)
{
    assert_true(fd_try_write(fd, bytes));
}

/* 0 at the end. */
static size_t read_some(int fd, char *out, size_t max, uint64_t deadline_ms)
{
    for (;;) {
        ssize_t n = recv(fd, out, max, 0);

        if (n >= 0)
            return (size_t)n;
        if (errno == EAGAIN)
            wait_for(fd, POLLIN, deadline_ms);
        else if (errno != EINTR)
            fail_msg("recv: errno %d", errno);
    }
}

void fd_read(int fd, char *out, size_t len)
{
    uint64_t deadline_ms = worker_clock_ms() + FLEET_DEADLINE_MS;

    while (len != 0) {
        size_t n = read_some(fd, out, len, deadline_ms);

        if (n == 0)
            fail_msg("the end came %zu bytes too early", len);
        out += n;
        len -= n;
    }
}

size_t fd_read_to_end(int fd, char *out, size_t max)
{
    uint64_t deadline_ms = worker_clock_ms() + FLEET_DEADLINE_MS;
    size_t len = 0, n;

    while (len < max && (n = read_some(fd, out + len, max - len, deadline_ms)) != 0)
        len += n;
    return len;
}

void fd_assert_silent(int fd)
{
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};

    assert_int_equal(poll(&pollfd, 1, 0), 0);
}
