#include "gateway/worker/flush.h"

#include <errno.h>
#include <string.h>
#include "base/mem.h"
#include "gateway/worker/stream.h"
#include "gateway/worker/worker.h"

enum {
    FLUSH_MAX_MS = 20, /* then the loop gets another turn first */
    FLUSH_CLOCK_EVERY = 64,
    BATCH_MIN = 4, /* below, send() in turn costs less */
    /* Above, too: copying is most of it, and who reads meanwhile keeps the next one cheap. Of 32 KB
     * to each of 1,000 a batch took twice the time. */
    BATCH_MAX_BYTES = 2048,
};

/* Streams that wait to be written together. A stream is gathered first and its bytes are looked up
 * when all are: writing to one may change the queue of another, or end it. */
struct gathered {
    struct stream *streams[SEND_BATCH_MAX];
    size_t n;
};

static void flush_in_turn(const struct gathered *gathered)
{
    for (size_t i = 0; i < gathered->n; i++)
        stream_flush(gathered->streams[i]);
}

static void give_up(struct worker *worker)
{
    log_event(worker->shared->log, LOG_LEVEL_WARN, "io_uring.failed",
              log_u64("worker", worker->index),
              log_cstr("meaning", "the kernel takes no more sends; writing goes on by send()"));
    send_batch_free(worker->send_batch);
    worker->send_batch = NULL;
}

static void flush_together(struct worker *worker, const struct gathered *gathered)
{
    struct send_batch *batch = worker->send_batch;
    const struct send_result *results;
    size_t n;

    for (size_t i = 0; i < gathered->n; i++) {
        struct stream *stream = gathered->streams[i];

        if (stream_can_send(stream))
            send_batch_add(batch, stream->fd, stream_first_bytes(stream), stream);
    }
    n = send_batch_len(batch);
    results = send_batch_run(batch);
    metrics_add(&worker->metrics, METRIC_SENDS_BATCHED, n);
    /* All queues must know what has left them before anything else can happen to them. */
    for (size_t i = 0; i < n; i++)
        stream_note_sent(results[i].owner, results[i].n);
    for (size_t i = 0; i < n; i++)
        stream_after_sent(results[i].owner, results[i].n);
    if (send_batch_is_broken(batch))
        give_up(worker);
}

static void flush_gathered(struct worker *worker, struct gathered *gathered)
{
    for (size_t i = 0; i < gathered->n; i++)
        gathered->streams[i]->is_gathered = false;
    if (gathered->n < BATCH_MIN || worker->send_batch == NULL)
        flush_in_turn(gathered);
    else
        flush_together(worker, gathered);
    gathered->n = 0;
}

static bool is_worth_it(const struct worker *worker, const struct stream *stream)
{
    return worker->send_batch != NULL && stream_can_send(stream) &&
           stream->receiver.outq.bytes <= BATCH_MAX_BYTES;
}

static void gather(struct worker *worker, struct gathered *gathered, struct stream *stream)
{
    if (stream->is_gathered)
        return;
    stream->is_gathered = true;
    gathered->streams[gathered->n++] = stream;
    if (gathered->n == SEND_BATCH_MAX)
        flush_gathered(worker, gathered);
}

/* The one behind the next: taking one out of the list has touched the next. */
static void fetch_ahead(const struct worker *worker)
{
    struct receiver *next = TAILQ_FIRST(&worker->router.dirty);
    struct receiver *after = next == NULL ? NULL : TAILQ_NEXT(next, dirty_link);

    if (after != NULL)
        mem_fetch(stream_of_receiver(after), sizeof(struct stream));
}

void worker_flush(struct worker *worker)
{
    uint64_t started_ms = worker_clock_ms();
    struct gathered gathered = {.n = 0};
    struct receiver *receiver;
    unsigned n = 0;

    worker->is_behind = false;
    while ((receiver = router_take_dirty(&worker->router)) != NULL) {
        struct stream *stream = stream_of_receiver(receiver);

        fetch_ahead(worker);
        if (is_worth_it(worker, stream))
            gather(worker, &gathered, stream);
        else
            stream_flush(stream);
        if (++n % FLUSH_CLOCK_EVERY == 0 && worker_clock_ms() - started_ms >= FLUSH_MAX_MS)
            break;
    }
    flush_gathered(worker, &gathered);
    worker->is_behind = !TAILQ_EMPTY(&worker->router.dirty);
}
