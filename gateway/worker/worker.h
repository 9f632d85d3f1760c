#ifndef GATEWAY_WORKER_WORKER_H
#define GATEWAY_WORKER_WORKER_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <h2o/socket.h>
#include <h2o/timeout.h>
#include "gateway/ops/log.h"
#include "gateway/ops/metrics.h"
#include "gateway/outbound/chunk.h"
#include "gateway/router/errand.h"
#include "gateway/router/interest.h"
#include "gateway/router/patterns.h"
#include "gateway/router/router.h"
#include "gateway/worker/mailbox.h"
#include "gateway/worker/send_batch.h"
#include "gateway/worker/reclaim.h"
#include "gateway/worker/timer.h"

/*
 * A thread with an event loop of its own and everything that lives on it: its part of the router,
 * its timers, its streams, its counters. Workers share the interest table and the byte account,
 * and talk by mail only: messages for a peer are collected during a tick and posted as one batch.
 *
 * A tick is one turn of the loop. Its end is the same for all: mail is read, yielded streams go on
 * reading within the tick's budget, mail is posted, the log is distributed, what is dirty is
 * written, what has ended is freed. Mail is also read before anything that a client sent is acted
 * on: whoever was told of a publish may be heard by any worker.
 *
 * worker_new, worker_start, worker_ask and worker_join: the main thread. Everything else: the
 * worker's own thread.
 */

struct stream;
struct worker;

/** Whether writes to many sockets go to the kernel together (send_batch.h). */
enum worker_io_uring {
    WORKER_IO_URING_AUTO, /* where it works */
    WORKER_IO_URING_ON,   /* a worker that cannot does not start */
    WORKER_IO_URING_OFF,
};

/** What all workers of a process share. Outlives them. */
struct worker_shared {
    struct interest interest;
    struct patterns patterns;
    size_t cache_limit; /* destinations that a worker remembers without subscribers */
    struct chunk_account account;
    uint64_t buffer_limit; /* bytes in chunks in the whole process */
    uint64_t start_id;     /* random for each start: the front of message ids */
    struct siphash_key hash_key;
    enum worker_io_uring io_uring;
    const struct log *log;
    struct worker **workers;
    unsigned n_workers;
    _Atomic uint64_t n_connections; /* upgraded and not closed yet */
    struct reclaim reclaim;         /* the first worker gives memory back for all */
};

typedef void (*worker_task)(struct worker *worker, void *ctx);

/** One of the two. */
struct parcel {
    struct msg *msg; /* one reference; NULL: an errand */
    struct errand *errand;
};

/** What a peer, or the worker itself, is owed at the end of the tick. */
struct outbox {
    struct parcel *parcels;
    size_t n;
    size_t cap;
    size_t bytes;
};

struct worker {
    struct worker_shared *shared;
    unsigned index;
    h2o_loop_t *loop;
    struct mailbox mailbox;
    sem_t ready; /* posted when the loop is there */
    sem_t done;  /* posted when it runs no more */

    uint64_t now_ms; /* read it through worker_now_ms */
    bool is_now_stale;
    struct timer_wheel timers;
    struct timer trim_timer; /* of the pool's spare buffers, while there are some */
    h2o_timeout_t tick_timeout;
    h2o_timeout_entry_t tick;
    struct router router;
    struct chunk_pool pool;
    struct metrics metrics;

    struct outbox *outboxes;      /* one for each worker; in the own one errands only */
    void *errand_ctx;             /* set by whoever sends errands, before the worker starts */
    _Atomic size_t mailbox_bytes; /* posted to this worker and not delivered yet */

    struct stream *streams; /* all of them */
    size_t n_streams;
    TAILQ_HEAD(yielded_list, stream) yielded; /* have unread input, and had their share of a tick */
    uint32_t yield_round;                     /* of resuming them */
    struct stream *dead;                      /* closed, freed at the end of the tick */
    uint64_t memory_checked_ms;
    uint64_t reclaim_checked_ms; /* the first worker's */

    struct send_batch *send_batch; /* NULL: send() in turn */
    char *tls_scratch;             /* what a TLS write is flattened in; made when needed */
    bool is_in_tick;
    bool has_mail;   /* an outbox holds something */
    bool is_behind;  /* the last tick could not write all that was dirty */
    bool is_ending;  /* set from outside: the process drains, publishers may not go on any more */
    bool is_stopped; /* the loop ends after this turn */
    bool is_refused; /* it could not have what it must have */
    worker_task at_end; /* on the thread, after the last turn; NULL: nothing */
    void *at_end_ctx;
};

/** Makes the worker; its loop comes with its thread. Borrows `shared` for its life. */
struct worker *worker_new(struct worker_shared *shared, unsigned index);

/**
 * Starts the thread; when this returns its loop runs and takes tasks. Returns -1, with the reason
 * logged, when the system refuses one, or refuses io_uring that was asked for.
 */
int worker_start(struct worker *worker) __attribute__((warn_unused_result));

/** Any thread: runs `task` on the worker's thread, in the order asked. */
void worker_ask(struct worker *worker, worker_task task, void *ctx);

/** Makes the loop end after this tick. Own thread. */
void worker_stop(struct worker *worker);

/** Waits until the thread has left its loop; it touches nothing after that. */
void worker_join(struct worker *worker);

/** After worker_join, or when it never started: all streams must be gone. */
void worker_free(struct worker *worker);

/** The tick's end must come in this turn of the loop. */
void worker_wake(struct worker *worker);

/**
 * Whether publishers may not go on in this tick: its deliveries are used up, a peer's mailbox is
 * full, the process holds as many queued bytes as it may, or it is ending.
 */
bool worker_is_congested(const struct worker *worker);

/** Whether the process holds as many queued bytes as it may. */
bool worker_is_out_of_memory(const struct worker *worker);

/** Out of memory, or a peer's mailbox is full: nothing new is accepted, pushes get 503. */
bool worker_is_full(const struct worker *worker);

/**
 * Sends an errand to a worker (itself, too: then it is run at the end of the tick, never under the
 * caller). Takes it.
 */
void worker_send_errand(struct worker *worker, unsigned to, struct errand *errand);

/**
 * Posts what the outboxes hold, now: before an answer that promises it. Runs the worker's own
 * errands.
 */
void worker_post_mail(struct worker *worker);

/**
 * Reads the mail that is there: to be called after a client's bytes were read, and before they are
 * acted on. It may end streams, and resume or pause them.
 */
void worker_catch_up(struct worker *worker);

/** CLOCK_MONOTONIC in milliseconds. Any thread. */
uint64_t worker_clock_ms(void);

/** The same, read once per tick. */
static inline uint64_t worker_now_ms(struct worker *worker)
{
    if (worker->is_now_stale) {
        worker->now_ms = worker_clock_ms();
        worker->is_now_stale = false;
    }
    return worker->now_ms;
}

#endif
