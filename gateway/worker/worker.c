#include "gateway/worker/worker.h"

#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/mem.h"
#include "gateway/worker/flush.h"
#include "gateway/router/lagging.h"
#include "gateway/worker/stream.h"

enum {
    LOOP_MAX_WAIT_MS = 1000,
    CONGESTED_WAIT_MS = 1,            /* how soon a yielded stream looks again */
    TICK_MAX_DELIVERIES = 512 * 1024, /* published in one tick, each receiver counted */
    MAILBOX_HIGH_BYTES = 8 * 1024 * 1024,
    MEMORY_CHECK_EVERY_MS = 10,
    MEMORY_VICTIM_MIN_BYTES = 64 * 1024,
    TRIM_EVERY_MS = 1000,
    RECLAIM_EVERY_MS = 1000,
    /* About what a connection has used, its handshake included. */
    STREAM_BYTES = 4096,
    TLS_STREAM_BYTES = 20480,
};

/* What a worker is sent: one of the two kinds. */
enum letter_kind {
    LETTER_PARCELS, /* a batch of messages and errands from a peer */
    LETTER_TASK,    /* a function to be run on the worker's thread */
};

struct letter {
    struct mail mail;
    enum letter_kind kind;
};

struct letter_parcels {
    struct letter letter;
    size_t n;
    size_t bytes;
    struct parcel parcels[];
};

struct letter_task {
    struct letter letter;
    worker_task task;
    void *ctx;
};

uint64_t worker_clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void worker_wake(struct worker *worker)
{
    /* Linked again from its own callback it would run again at once, before any socket is looked
     * at: what a tick leaves over is for the next turn, which sees to that itself. */
    if (!worker->is_in_tick && !h2o_timeout_is_linked(&worker->tick))
        h2o_timeout_link(worker->loop, &worker->tick_timeout, &worker->tick);
}

/* --- mail --- */

static void wake(void *ctx)
{
    worker_wake(ctx);
}

void worker_ask(struct worker *worker, worker_task task, void *ctx)
{
    struct letter_task *letter = mem_calloc(1, sizeof(*letter));

    letter->letter.kind = LETTER_TASK;
    letter->task = task;
    letter->ctx = ctx;
    mailbox_post(&worker->mailbox, &letter->letter.mail);
}

static void put_in_outbox(struct worker *worker, unsigned to, struct parcel parcel, size_t bytes)
{
    struct outbox *outbox = &worker->outboxes[to];

    if (outbox->n == outbox->cap) {
        outbox->cap = outbox->cap == 0 ? 64 : outbox->cap * 2;
        outbox->parcels = mem_realloc(outbox->parcels, outbox->cap * sizeof(*outbox->parcels));
    }
    outbox->parcels[outbox->n++] = parcel;
    outbox->bytes += bytes;
    worker->has_mail = true;
    worker_wake(worker);
}

static void collect_mail(void *ctx, unsigned to, struct msg *msg)
{
    put_in_outbox(ctx, to, (struct parcel){.msg = msg_ref(msg)}, msg_bytes(msg));
}

void worker_send_errand(struct worker *worker, unsigned to, struct errand *errand)
{
    put_in_outbox(worker, to, (struct parcel){.errand = errand}, errand->bytes);
}

/* They may add to any outbox, also to this one. */
static void run_own_errands(struct worker *worker)
{
    struct outbox *own = &worker->outboxes[worker->index];

    for (size_t i = 0; i < own->n; i++) {
        struct errand *errand = own->parcels[i].errand;

        errand->run(errand, worker->errand_ctx);
    }
    own->n = 0;
    own->bytes = 0;
}

/* The outbox is empty then. */
static struct letter_parcels *wrap(struct outbox *outbox)
{
    size_t size = outbox->n * sizeof(outbox->parcels[0]);
    struct letter_parcels *letter = mem_alloc(sizeof(*letter) + size);

    memset(letter, 0, sizeof(*letter));
    letter->letter.kind = LETTER_PARCELS;
    letter->n = outbox->n;
    letter->bytes = outbox->bytes;
    memcpy(letter->parcels, outbox->parcels, size);
    outbox->n = 0;
    outbox->bytes = 0;
    return letter;
}

void worker_post_mail(struct worker *worker)
{
    run_own_errands(worker);
    if (worker->has_mail)
        router_end_run(&worker->router);
    worker->has_mail = false;
    for (unsigned i = 0; i < worker->shared->n_workers; i++) {
        struct worker *peer = worker->shared->workers[i];
        struct letter_parcels *letter;

        if (worker->outboxes[i].n == 0)
            continue;
        letter = wrap(&worker->outboxes[i]);
        atomic_fetch_add_explicit(&peer->mailbox_bytes, letter->bytes, memory_order_relaxed);
        mailbox_post(&peer->mailbox, &letter->letter.mail);
    }
}

static void open_parcels(struct worker *worker, struct letter_parcels *letter)
{
    for (size_t i = 0; i < letter->n; i++) {
        struct parcel *parcel = &letter->parcels[i];

        if (parcel->msg != NULL) {
            router_deliver(&worker->router, parcel->msg, NULL);
            msg_unref(parcel->msg);
        } else {
            parcel->errand->run(parcel->errand, worker->errand_ctx);
        }
    }
    atomic_fetch_sub_explicit(&worker->mailbox_bytes, letter->bytes, memory_order_relaxed);
}

static void open_letter(struct worker *worker, struct letter *letter)
{
    if (letter->kind == LETTER_PARCELS) {
        open_parcels(worker, (struct letter_parcels *)letter);
    } else {
        struct letter_task *task = (struct letter_task *)letter;

        task->task(worker, task->ctx);
    }
}

/* What is posted meanwhile waits: others that go on posting cannot keep a tick from its end. */
static void read_mail(struct worker *worker)
{
    struct mail_list mail;
    struct mail *next;

    mailbox_take(&worker->mailbox, &mail);
    while ((next = STAILQ_FIRST(&mail)) != NULL) {
        struct letter *letter = H2O_STRUCT_FROM_MEMBER(struct letter, mail, next);

        STAILQ_REMOVE_HEAD(&mail, link);
        open_letter(worker, letter);
        mem_free(letter);
    }
}

void worker_catch_up(struct worker *worker)
{
    if (!mailbox_has_mail(&worker->mailbox))
        return;
    read_mail(worker);
    worker_wake(worker);
}

/* --- the tick --- */

bool worker_is_out_of_memory(const struct worker *worker)
{
    return chunk_account_bytes(&worker->shared->account) >= worker->shared->buffer_limit;
}

static bool is_a_mailbox_full(const struct worker *worker)
{
    const struct worker_shared *shared = worker->shared;

    for (unsigned i = 0; i < shared->n_workers; i++) {
        if (i != worker->index && atomic_load_explicit(&shared->workers[i]->mailbox_bytes,
                                                       memory_order_relaxed) > MAILBOX_HIGH_BYTES)
            return true;
    }
    return false;
}

bool worker_is_full(const struct worker *worker)
{
    return is_a_mailbox_full(worker) || worker_is_out_of_memory(worker);
}

bool worker_is_congested(const struct worker *worker)
{
    return worker->router.tick_deliveries >= TICK_MAX_DELIVERIES || worker->is_behind ||
           worker->is_ending || worker_is_full(worker);
}

/* Each yielded stream gets its share of this tick; who yields again waits for the next one. */
static void resume_yielded(struct worker *worker)
{
    struct stream *stream;

    worker->yield_round++;
    while ((stream = TAILQ_FIRST(&worker->yielded)) != NULL &&
           stream->yield_round != worker->yield_round) {
        TAILQ_REMOVE(&worker->yielded, stream, yielded_link);
        stream->is_yielded = false;
        stream_resume(stream);
    }
}

/* Above 80 % of the ceiling the session with the longest queue goes, one at a time. */
static void relieve_memory(struct worker *worker)
{
    uint64_t limit = worker->shared->buffer_limit;
    struct stream *longest = NULL;
    size_t most = MEMORY_VICTIM_MIN_BYTES;

    if (chunk_account_bytes(&worker->shared->account) < limit - limit / 5 ||
        worker_now_ms(worker) < worker->memory_checked_ms + MEMORY_CHECK_EVERY_MS)
        return;
    worker->memory_checked_ms = worker_now_ms(worker);
    for (struct stream *stream = worker->streams; stream != NULL; stream = stream->next) {
        if (stream->is_blocked && stream->state == STREAM_OPEN &&
            lagging_queued_bytes(&stream->receiver) > most) {
            most = lagging_queued_bytes(&stream->receiver);
            longest = stream;
        }
    }
    if (longest != NULL)
        longest->callbacks->on_limit(longest, STREAM_LIMIT_MEMORY);
}

static void free_dead(struct worker *worker)
{
    while (worker->dead != NULL) {
        struct stream *stream = worker->dead;

        worker->dead = stream->next;
        reclaim_note(&worker->shared->reclaim, stream->is_tls ? TLS_STREAM_BYTES : STREAM_BYTES);
        stream->callbacks->on_free(stream);
    }
}

static void trim_later(struct worker *worker);

static void on_trim_timer(struct timer *timer, uint64_t now_ms)
{
    struct worker *worker = H2O_STRUCT_FROM_MEMBER(struct worker, trim_timer, timer);

    (void)now_ms;
    reclaim_note(&worker->shared->reclaim, chunk_pool_trim(&worker->pool));
    trim_later(worker);
}

/* A tick may have left spare buffers; without any, nothing has to wake the worker. */
static void trim_later(struct worker *worker)
{
    if (!timer_is_armed(&worker->trim_timer) && chunk_pool_has_spare(&worker->pool))
        timer_arm(&worker->timers, &worker->trim_timer, worker_now_ms(worker) + TRIM_EVERY_MS,
                  on_trim_timer);
}

/* After some 10,000 connections it takes a few milliseconds, and a worker that allocates meanwhile
 * waits for a part of them. */
static void give_memory_back(struct worker *worker)
{
    uint64_t started_ms;

    if (worker->index != 0 || worker_now_ms(worker) < worker->reclaim_checked_ms + RECLAIM_EVERY_MS)
        return;
    worker->reclaim_checked_ms = worker_now_ms(worker);
    if (!reclaim_is_due(&worker->shared->reclaim))
        return;
    started_ms = worker_clock_ms();
    (void)malloc_trim(0);
    log_event(worker->shared->log, LOG_LEVEL_DEBUG, "memory.given_back",
              log_u64("took_ms", worker_clock_ms() - started_ms));
}

static void on_tick(h2o_timeout_entry_t *entry)
{
    struct worker *worker = H2O_STRUCT_FROM_MEMBER(struct worker, tick, entry);

    worker->is_in_tick = true;
    worker_catch_up(worker);
    resume_yielded(worker);
    worker_post_mail(worker);
    router_distribute(&worker->router);
    worker_flush(worker);
    relieve_memory(worker);
    free_dead(worker);
    trim_later(worker);
    worker->is_in_tick = false;
}

static bool has_work(const struct worker *worker)
{
    return !TAILQ_EMPTY(&worker->yielded) || !TAILQ_EMPTY(&worker->router.dirty) ||
           router_has_undistributed(&worker->router) || worker->dead != NULL || worker->has_mail;
}

/* One turn of the loop. Work that is left makes it come back at once; when nothing but congestion
 * is in its way, after a pause, so that waiting for a peer does not spin: one turn pauses and links
 * the tick, the next one runs it. */
static void turn(struct worker *worker)
{
    uint32_t wait_ms = timer_wheel_wait_ms(&worker->timers, worker_clock_ms(), LOOP_MAX_WAIT_MS);
    bool must_pause = !h2o_timeout_is_linked(&worker->tick) && !TAILQ_EMPTY(&worker->yielded) &&
                      TAILQ_EMPTY(&worker->router.dirty) && worker->dead == NULL &&
                      worker_is_congested(worker);

    if (must_pause)
        wait_ms = wait_ms < CONGESTED_WAIT_MS ? wait_ms : CONGESTED_WAIT_MS;
    else if (has_work(worker))
        worker_wake(worker);
    worker->is_now_stale = true;
    /* Its result is no error here: EINTR is one of the reasons. */
    (void)h2o_evloop_run(worker->loop, (int32_t)wait_ms);
    if (must_pause)
        worker_wake(worker);
    timer_wheel_advance(&worker->timers, worker_now_ms(worker));
    give_memory_back(worker);
}

/* --- life --- */

/* On the worker's own thread: what h2o makes for a loop belongs to the thread that made it (the
 * spare buffers of a socket, the one of the queue too, are in a list of that thread). */
static void open_loop(struct worker *worker)
{
    worker->loop = h2o_evloop_create();
    mailbox_open(&worker->mailbox, worker->loop, wake, worker);
    h2o_timeout_init(worker->loop, &worker->tick_timeout, 0);
    worker->tick.cb = on_tick;
}

/* On the worker's own thread, which alone may use it. */
static void open_send_batch(struct worker *worker)
{
    enum worker_io_uring wanted = worker->shared->io_uring;
    const char *why;

    if (wanted == WORKER_IO_URING_OFF)
        return;
    worker->send_batch = send_batch_new(&why);
    if (worker->send_batch != NULL || (wanted == WORKER_IO_URING_AUTO && worker->index != 0))
        return;
    log_event(worker->shared->log, wanted == WORKER_IO_URING_ON ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO,
              "io_uring.unavailable", log_cstr("failed", why),
              log_cstr("error", errno != 0 ? strerror(errno) : "it does not do what it should"));
}

static void open_all(struct worker *worker)
{
    open_loop(worker);
    open_send_batch(worker);
    if (worker->shared->io_uring == WORKER_IO_URING_ON && worker->send_batch == NULL)
        worker->is_stopped = worker->is_refused = true;
}

/* By whoever has joined the worker, since that is who asks it to do things: h2o wakes a loop
 * through a pipe after it has handed over the message, when the worker may have read that already
 * and be at its end. */
static void close_loop(struct worker *worker)
{
    if (worker->loop == NULL)
        return;
    h2o_timeout_unlink(&worker->tick);
    h2o_timeout_dispose(worker->loop, &worker->tick_timeout);
    mailbox_close(&worker->mailbox);
    h2o_evloop_destroy(worker->loop);
    worker->loop = NULL;
}

static __attribute__((noreturn)) void *run(void *arg)
{
    struct worker *worker = arg;

    open_all(worker);
    sem_post(&worker->ready);
    while (!worker->is_stopped)
        turn(worker);
    send_batch_free(worker->send_batch);
    worker->send_batch = NULL;
    free_dead(worker);
    if (worker->at_end != NULL)
        worker->at_end(worker, worker->at_end_ctx);
    sem_post(&worker->done);
    /* h2o keeps freed memory in lists of the thread: one that ended would look like a leak. */
    for (;;)
        pause();
}

static void wait_for(sem_t *sem)
{
    while (sem_wait(sem) != 0)
        continue; /* EINTR */
}

static struct siphash_key derive_key(struct siphash_key key, unsigned index)
{
    struct siphash_key derived = {key.k0 ^ (index + 1), key.k1};

    return derived;
}

struct worker *worker_new(struct worker_shared *shared, unsigned index)
{
    struct worker *worker = mem_calloc(1, sizeof(*worker));
    struct router_hooks hooks = {.mail = collect_mail, .wake = wake, .ctx = worker};

    worker->shared = shared;
    worker->index = index;
    sem_init(&worker->ready, 0, 0);
    sem_init(&worker->done, 0, 0);
    worker->now_ms = worker_clock_ms();
    timer_wheel_init(&worker->timers, worker->now_ms);
    chunk_pool_init(&worker->pool, &shared->account);
    worker->outboxes = mem_calloc(shared->n_workers, sizeof(*worker->outboxes));
    TAILQ_INIT(&worker->yielded);
    router_init(&worker->router, index, &shared->interest, &shared->patterns, shared->cache_limit,
                &worker->pool, &worker->metrics, derive_key(shared->hash_key, index),
                shared->start_id, hooks);
    shared->workers[index] = worker;
    return worker;
}

int worker_start(struct worker *worker)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, run, worker);

    if (error == 0)
        error = pthread_detach(thread);
    if (error != 0) {
        log_event(worker->shared->log, LOG_LEVEL_ERROR, "worker.thread_failed",
                  log_u64("worker", worker->index), log_cstr("error", strerror(error)));
        return -1;
    }
    wait_for(&worker->ready);
    if (!worker->is_refused)
        return 0;
    worker_join(worker);
    return -1;
}

void worker_stop(struct worker *worker)
{
    worker->is_stopped = true;
}

void worker_join(struct worker *worker)
{
    wait_for(&worker->done);
}

void worker_free(struct worker *worker)
{
    assert(worker->streams == NULL && worker->dead == NULL);
    timer_cancel(&worker->timers, &worker->trim_timer);
    for (unsigned i = 0; i < worker->shared->n_workers; i++) {
        assert(worker->outboxes[i].n == 0);
        mem_free(worker->outboxes[i].parcels);
    }
    mem_free(worker->outboxes);
    close_loop(worker);
    router_dispose(&worker->router);
    chunk_pool_dispose(&worker->pool);
    mem_free(worker->tls_scratch);
    sem_destroy(&worker->ready);
    sem_destroy(&worker->done);
    worker->shared->workers[worker->index] = NULL;
    mem_free(worker);
}
