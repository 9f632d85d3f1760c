#include "gateway/worker/stream.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include "base/mem.h"
#include "gateway/router/lagging.h"
#include "gateway/router/wire.h"

enum {
    WRITE_MAX_PIECES = 64,
    TLS_WRITE_MAX_BYTES = 65536,
    TLS_RECORD_BYTES = 16384,
    AWAIT_PEER_MS = 5000,
    DRAIN_MS = 2000,
    DRAIN_MAX_BYTES = 16 * 1024 * 1024, /* a message on its way must not turn a 1009 into a reset */
    LAG_ABOVE_BYTES = 65536,            /* behind a write that waits */
    PROGRESS_BYTES = 4096,              /* what a stuck write must place to count as moving again */
};

struct stream *stream_of_receiver(struct receiver *receiver)
{
    return (struct stream *)((char *)receiver - offsetof(struct stream, receiver));
}

static struct stream *stream_of_timer(struct timer *timer)
{
    return (struct stream *)((char *)timer - offsetof(struct stream, timer));
}

/* --- the end --- */

static void leave_yielded(struct stream *stream)
{
    if (stream->is_yielded)
        TAILQ_REMOVE(&stream->worker->yielded, stream, yielded_link);
    stream->is_yielded = false;
}

static void end(struct stream *stream, enum stream_end how)
{
    struct worker *worker = stream->worker;

    if (stream->state == STREAM_CLOSED)
        return;
    stream->state = STREAM_CLOSED;
    timer_cancel(&worker->timers, &stream->timer);
    leave_yielded(stream);
    stream->callbacks->on_end(stream, how);
    receiver_leave(&stream->receiver, &worker->router);
    h2o_socket_close(stream->sock);
    stream->sock = NULL;

    *stream->prev_next = stream->next;
    if (stream->next != NULL)
        stream->next->prev_next = stream->prev_next;
    worker->n_streams--;
    stream->next = worker->dead;
    worker->dead = stream;
    worker_wake(worker);
}

void stream_abort(struct stream *stream)
{
    end(stream, STREAM_END_CLOSED);
}

static void on_close_timer(struct timer *timer, uint64_t now_ms);

static void start_drain(struct stream *stream)
{
    struct worker *worker = stream->worker;

    stream->state = STREAM_DRAINING;
    /* h2o says TLS's own goodbye when it closes the socket: nothing may be shut down before. A peer
     * that has said its close sends no more and waits for ours: there is nothing to drain. */
    if (stream->is_tls && stream->is_peer_done) {
        end(stream, STREAM_END_CLOSED);
        return;
    }
    if (!stream->is_tls)
        (void)shutdown(stream->fd, SHUT_WR);
    timer_arm(&worker->timers, &stream->timer, worker_now_ms(worker) + DRAIN_MS, on_close_timer);
    if (stream->is_paused)
        stream_resume(stream);
}

/* A finishing stream whose queue is written goes on to the next step. */
static void step_finish(struct stream *stream)
{
    struct worker *worker = stream->worker;

    if (stream->state == STREAM_FLUSHING && lagging_queued_bytes(&stream->receiver) == 0 &&
        stream->in_flight_bytes == 0) {
        stream->state = STREAM_AWAITING;
        timer_arm(&worker->timers, &stream->timer, worker_now_ms(worker) + AWAIT_PEER_MS,
                  on_close_timer);
    }
    if (stream->state == STREAM_AWAITING && !stream->awaits_peer)
        start_drain(stream);
}

static void on_close_timer(struct timer *timer, uint64_t now_ms)
{
    struct stream *stream = stream_of_timer(timer);

    (void)now_ms;
    if (stream->state == STREAM_AWAITING)
        start_drain(stream);
    else
        end(stream, STREAM_END_CLOSED);
}

void stream_finish(struct stream *stream, bool await_peer)
{
    struct worker *worker = stream->worker;

    if (stream->state != STREAM_OPEN)
        return;
    stream->state = STREAM_FLUSHING;
    stream->awaits_peer = await_peer;
    timer_arm(&worker->timers, &stream->timer,
              worker_now_ms(worker) + (await_peer ? AWAIT_PEER_MS : DRAIN_MS), on_close_timer);
    router_mark_dirty(&worker->router, &stream->receiver);
    if (stream->is_paused)
        stream_resume(stream);
}

void stream_peer_closed(struct stream *stream, bool is_done)
{
    stream->awaits_peer = false;
    stream->is_peer_done = is_done;
    step_finish(stream);
}

/* How many frames the queue has behind its first `skip` bytes, which end with a frame. */
static uint64_t count_frames(const struct stream *stream, size_t skip)
{
    const struct outq *q = &stream->receiver.outq;
    struct iovec *iov = mem_alloc(q->n * sizeof(*iov));
    int n_pieces = outq_peek(q, iov, (int)q->n);
    uint64_t n = 0;

    for (int i = 0; i < n_pieces; i++) {
        struct slice left = slice_of(iov[i].iov_base, iov[i].iov_len);
        size_t skipped = skip < left.len ? skip : left.len;

        skip -= skipped;
        for (left = slice_skip(left, skipped); left.len != 0; n++)
            left = slice_skip(left, wire_frame_end(stream->receiver.wire, left, 1));
    }
    mem_free(iov);
    return n;
}

void stream_cut(struct stream *stream)
{
    size_t written, kept;
    struct outq *q = &stream->receiver.outq;
    struct slice head = outq_head(q, &written);

    if (stream->receiver.lag != NULL)
        metrics_add(&stream->worker->metrics, METRIC_DROPPED, lag_cut(stream->receiver.lag));
    if (outq_is_empty(q))
        return;
    kept = wire_frame_end(stream->receiver.wire, head, written) - written;
    metrics_add(&stream->worker->metrics, METRIC_DROPPED, count_frames(stream, kept));
    outq_truncate(q, kept);
}

/* --- writing --- */

static void on_writable(h2o_socket_t *sock, const char *err);
static void on_tls_written(h2o_socket_t *sock, const char *err);

static void on_stuck_timer(struct timer *timer, uint64_t now_ms)
{
    struct stream *stream = stream_of_timer(timer);
    uint64_t deadline_ms = stream->stuck_since_ms + stream->limits->send_time_ms;

    if (stream->stuck_since_ms == 0)
        return;
    if (now_ms < deadline_ms)
        timer_arm(&stream->worker->timers, timer, deadline_ms, on_stuck_timer);
    else
        stream->callbacks->on_limit(stream, STREAM_LIMIT_TIME);
}

/* The socket takes no more: what is queued now was offered, what comes later piles up behind. */
static void start_waiting(struct stream *stream)
{
    struct worker *worker = stream->worker;

    if (stream->stuck_since_ms != 0)
        return;
    stream->stuck_since_ms = worker_now_ms(worker);
    stream->rest_bytes = stream->receiver.outq.bytes + stream->in_flight_bytes;
    if (stream->state == STREAM_OPEN && !timer_is_armed(&stream->timer))
        timer_arm(&worker->timers, &stream->timer,
                  stream->stuck_since_ms + stream->limits->send_time_ms, on_stuck_timer);
}

static void count_written(struct stream *stream, size_t n)
{
    struct worker *worker = stream->worker;

    metrics_add(&worker->metrics, METRIC_BYTES_OUT, n);
    stream->last_write_ms = worker_now_ms(worker);
    stream->rest_bytes -= n < stream->rest_bytes ? n : stream->rest_bytes;
    if (stream->stuck_since_ms != 0 && n >= PROGRESS_BYTES)
        stream->stuck_since_ms = stream->last_write_ms;
}

static void all_written(struct stream *stream)
{
    stream->stuck_since_ms = 0;
    stream->rest_bytes = 0;
    if (stream->receiver.lag != NULL)
        lagging_stop(&stream->worker->router, &stream->receiver);
    step_finish(stream);
}

/* The socket takes no more now. */
static void wait_until_writable(struct stream *stream)
{
    outq_unpin(&stream->receiver.outq, &stream->worker->pool);
    stream->is_blocked = true;
    start_waiting(stream);
    h2o_socket_notify_write(stream->sock, on_writable);
}

/* A send took nothing: it would have to wait, or the connection is broken. */
static void handle_refusal(struct stream *stream, int error)
{
    if (error == EAGAIN || error == EWOULDBLOCK)
        wait_until_writable(stream);
    else
        end(stream, STREAM_END_PEER);
}

void stream_note_sent(struct stream *stream, ssize_t n)
{
    if (n <= 0)
        return;
    outq_consume(&stream->receiver.outq, (size_t)n);
    count_written(stream, (size_t)n);
}

/* Whether there is something to write. What waits behind an empty queue comes into it: no limit
 * counts that again. */
static bool fill_queue(struct stream *stream)
{
    struct outq *q = &stream->receiver.outq;

    if (outq_is_empty(q) && stream->receiver.lag != NULL)
        stream->rest_bytes += lag_refill(stream->receiver.lag, q);
    return !outq_is_empty(q);
}

static void flush_plain(struct stream *stream)
{
    struct outq *q = &stream->receiver.outq;

    while (fill_queue(stream)) {
        struct iovec iov[WRITE_MAX_PIECES];
        struct msghdr message = {.msg_iov = iov};
        ssize_t n;

        message.msg_iovlen = (size_t)outq_peek(q, iov, WRITE_MAX_PIECES);
        if (message.msg_iovlen == 1)
            n = send(stream->fd, iov[0].iov_base, iov[0].iov_len, MSG_DONTWAIT | MSG_NOSIGNAL);
        else
            n = sendmsg(stream->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR) {
            handle_refusal(stream, errno);
            return;
        }
        stream_note_sent(stream, n);
    }
    all_written(stream);
}

bool stream_can_send(const struct stream *stream)
{
    return stream->state <= STREAM_AWAITING && !stream->is_blocked && !stream->is_tls &&
           !stream->receiver.is_window_full && !outq_is_empty(&stream->receiver.outq);
}

struct slice stream_first_bytes(const struct stream *stream)
{
    struct iovec first;

    (void)!outq_peek(&stream->receiver.outq, &first, 1);
    return slice_of(first.iov_base, first.iov_len);
}

void stream_after_sent(struct stream *stream, ssize_t n)
{
    if (stream->state == STREAM_CLOSED)
        return;
    if (n < 0 && n != -EINTR)
        handle_refusal(stream, (int)-n);
    else
        flush_plain(stream);
}

/* One flat run of bytes in records of full size, at most TLS_WRITE_MAX_BYTES. */
static size_t flatten(struct stream *stream, h2o_iovec_t *records, size_t *n_records)
{
    struct worker *worker = stream->worker;
    struct iovec iov[WRITE_MAX_PIECES];
    int n = outq_peek(&stream->receiver.outq, iov, WRITE_MAX_PIECES);
    size_t len = 0;

    if (worker->tls_scratch == NULL)
        worker->tls_scratch = mem_alloc(TLS_WRITE_MAX_BYTES);
    for (int i = 0; i < n && len < TLS_WRITE_MAX_BYTES; i++) {
        size_t room = TLS_WRITE_MAX_BYTES - len;
        size_t part = iov[i].iov_len < room ? iov[i].iov_len : room;

        memcpy(worker->tls_scratch + len, iov[i].iov_base, part);
        len += part;
    }
    *n_records = 0;
    for (size_t at = 0; at < len; at += TLS_RECORD_BYTES) {
        size_t part = len - at < TLS_RECORD_BYTES ? len - at : TLS_RECORD_BYTES;

        records[(*n_records)++] = h2o_iovec_init(worker->tls_scratch + at, part);
    }
    return len;
}

static void flush_tls(struct stream *stream)
{
    struct outq *q = &stream->receiver.outq;
    h2o_iovec_t records[TLS_WRITE_MAX_BYTES / TLS_RECORD_BYTES];
    size_t n_records, len;

    if (!fill_queue(stream)) {
        all_written(stream);
        return;
    }
    len = flatten(stream, records, &n_records);
    /* h2o encrypts before it returns, so the plain bytes are done with. */
    outq_consume(q, len);
    stream->in_flight_bytes = len;
    stream->is_blocked = true;
    start_waiting(stream);
    h2o_socket_write(stream->sock, records, n_records, on_tls_written);
}

/* What must be written: messages that may be lost have limits of their own. */
static size_t queued_bytes(const struct stream *stream)
{
    return stream->receiver.outq.bytes + lag_kept_bytes(stream->receiver.lag) +
           stream->in_flight_bytes;
}

/* Much has come behind a write that waits. What the ticks have brought until now, and may have been
 * let go a little earlier, does not make a slow consumer: it counts as offered. */
static void check_lag(struct stream *stream)
{
    uint64_t above = stream->limits->send_buffer_bytes / 2;

    if (above > LAG_ABOVE_BYTES)
        above = LAG_ABOVE_BYTES;
    if (stream->state == STREAM_OPEN && stream->receiver.lag == NULL &&
        queued_bytes(stream) > stream->rest_bytes + above &&
        lagging_start(&stream->worker->router, &stream->receiver))
        stream->rest_bytes = queued_bytes(stream);
}

static void check_buffer_limit(struct stream *stream)
{
    size_t queued = queued_bytes(stream);

    if (stream->state == STREAM_OPEN && queued > stream->rest_bytes &&
        queued - stream->rest_bytes > stream->limits->send_buffer_bytes)
        stream->callbacks->on_limit(stream, STREAM_LIMIT_BUFFER);
}

void stream_flush(struct stream *stream)
{
    if (stream->state == STREAM_CLOSED || stream->state == STREAM_DRAINING)
        return;
    if (stream->receiver.is_window_full && stream->state == STREAM_OPEN) {
        stream->callbacks->on_limit(stream, STREAM_LIMIT_WINDOW);
        if (stream->state == STREAM_CLOSED)
            return;
    }
    if (stream->is_blocked) {
        check_lag(stream);
        check_buffer_limit(stream);
    } else if (stream->is_tls) {
        flush_tls(stream);
    } else {
        flush_plain(stream);
    }
}

/* What is queued is written by the end of the tick only: the tick's mail is posted before, so that
 * nobody reads a RECEIPT for what has not been handed to the other workers yet. */
static void go_on_writing(struct stream *stream)
{
    router_mark_dirty(&stream->worker->router, &stream->receiver);
}

static void on_writable(h2o_socket_t *sock, const char *err)
{
    struct stream *stream = sock->data;

    stream->is_blocked = false;
    if (err != NULL)
        end(stream, STREAM_END_PEER);
    else
        go_on_writing(stream);
}

static void on_tls_written(h2o_socket_t *sock, const char *err)
{
    struct stream *stream = sock->data;
    size_t n = stream->in_flight_bytes;

    stream->is_blocked = false;
    stream->in_flight_bytes = 0;
    if (err != NULL) {
        end(stream, STREAM_END_PEER);
        return;
    }
    count_written(stream, n);
    go_on_writing(stream);
}

/* --- reading --- */

static void on_readable(h2o_socket_t *sock, const char *err);

static void start_reading(struct stream *stream)
{
    if (!h2o_socket_is_reading(stream->sock))
        h2o_socket_read_start(stream->sock, on_readable);
}

static void stop_reading(struct stream *stream)
{
    if (stream->sock != NULL && h2o_socket_is_reading(stream->sock))
        h2o_socket_read_stop(stream->sock);
}

static void discard_input(struct stream *stream)
{
    size_t n = stream->sock->input->size;

    h2o_buffer_consume(&stream->sock->input, n);
    stream->discarded_bytes += (uint32_t)n;
    if (stream->discarded_bytes > DRAIN_MAX_BYTES)
        end(stream, STREAM_END_CLOSED);
}

static void offer_input(struct stream *stream)
{
    size_t used;

    if (stream->state == STREAM_DRAINING) {
        discard_input(stream);
        return;
    }
    if (stream->sock->input->size == 0)
        return;
    stream->is_in_input = true;
    used = stream->callbacks->on_input(
        stream, slice_of(stream->sock->input->bytes, stream->sock->input->size));
    stream->is_in_input = false;
    if (stream->state == STREAM_CLOSED)
        return;
    metrics_add(&stream->worker->metrics, METRIC_BYTES_IN, used);
    assert(used == stream->sock->input->size || stream->is_yielded || stream->is_paused ||
           stream->state == STREAM_DRAINING);
    h2o_buffer_consume(&stream->sock->input, used);
    /* Paused and resumed within the callback: reading was stopped meanwhile. */
    if (!stream->is_yielded && !stream->is_paused)
        start_reading(stream);
}

static void on_readable(h2o_socket_t *sock, const char *err)
{
    struct stream *stream = sock->data;

    if (err != NULL) {
        end(stream, stream->state == STREAM_DRAINING ? STREAM_END_CLOSED : STREAM_END_PEER);
        return;
    }
    stream->last_read_ms = worker_now_ms(stream->worker);
    worker_catch_up(stream->worker);
    if (stream->state != STREAM_CLOSED && !stream->is_yielded && !stream->is_paused)
        offer_input(stream);
}

void stream_yield(struct stream *stream)
{
    struct worker *worker = stream->worker;

    if (stream->is_yielded)
        return;
    stop_reading(stream);
    stream->is_yielded = true;
    stream->yield_round = worker->yield_round;
    TAILQ_INSERT_TAIL(&worker->yielded, stream, yielded_link);
}

void stream_pause(struct stream *stream)
{
    stream->is_paused = true;
    leave_yielded(stream);
    stop_reading(stream);
}

void stream_resume(struct stream *stream)
{
    stream->is_paused = false;
    if (stream->state == STREAM_CLOSED || stream->is_in_input)
        return;
    /* Silence counts from now: what the peer sent meanwhile is still to be read. */
    stream->last_read_ms = worker_now_ms(stream->worker);
    offer_input(stream);
    if (stream->state != STREAM_CLOSED && !stream->is_yielded && !stream->is_paused)
        start_reading(stream);
}

void stream_open(struct stream *stream, struct worker *worker, h2o_socket_t *sock, bool is_tls,
                 enum wire wire, const struct stream_callbacks *callbacks,
                 const struct stream_limits *limits)
{
    stream->worker = worker;
    stream->sock = sock;
    stream->fd = h2o_socket_get_fd(sock);
    stream->is_tls = is_tls;
    stream->callbacks = callbacks;
    stream->limits = limits;
    stream->last_read_ms = stream->last_write_ms = worker_now_ms(worker);
    sock->data = stream;
    receiver_init(&stream->receiver, &worker->router, wire);
    stream->next = worker->streams;
    if (stream->next != NULL)
        stream->next->prev_next = &stream->next;
    stream->prev_next = &worker->streams;
    worker->streams = stream;
    worker->n_streams++;
}
