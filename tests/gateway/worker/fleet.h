#ifndef TESTS_GATEWAY_WORKER_FLEET_H
#define TESTS_GATEWAY_WORKER_FLEET_H

#include "tests/test.h"

#include <semaphore.h>
#include "gateway/worker/stream.h"
#include "gateway/worker/worker.h"

/*
 * Workers that run, each on its own thread, and raw sockets to their streams. The test's thread
 * asks a worker to do something and waits until it is done; it reads and writes its ends of the
 * socket pairs with a deadline. Nothing sleeps.
 */

enum { FLEET_MAX = 4, FLEET_DEADLINE_MS = 20000 };

struct fleet {
    struct worker_shared shared;
    struct worker *workers[FLEET_MAX];
    struct log log; /* to /dev/null */
    uint64_t skipped_ms[FLEET_MAX];
};

/** `buffer_limit` is the process's. */
void fleet_start(struct fleet *fleet, unsigned n_workers, uint64_t buffer_limit);

/** The same with transport.io_uring as given, not `auto`. */
void fleet_start_with(struct fleet *fleet, unsigned n_workers, uint64_t buffer_limit,
                      enum worker_io_uring io_uring);

/** All streams must have ended or been aborted: see fleet_abort_streams. */
void fleet_stop(struct fleet *fleet);

/** Aborts what is left on every worker, and waits until it is freed. */
void fleet_abort_streams(struct fleet *fleet);

/** Runs the task on a worker and waits until it is done. */
void fleet_ask(struct fleet *fleet, unsigned worker, worker_task task, void *ctx);

/** Fires the worker's timers as if `ms` had gone by. */
void fleet_skip(struct fleet *fleet, unsigned worker, uint64_t ms);

uint64_t fleet_metric(const struct fleet *fleet, enum metric metric);

/** Asks again and again until `is_so` says yes on that worker; fails at the deadline. */
typedef bool (*fleet_condition)(struct worker *worker, void *ctx);
void fleet_wait(struct fleet *fleet, unsigned worker, fleet_condition is_so, void *ctx);

/** Waits until the worker has that many streams, dead ones included. */
void fleet_wait_for_streams(struct fleet *fleet, unsigned worker, size_t n);

/** Waits until the counter has that value. */
void fleet_wait_for_metric(struct fleet *fleet, enum metric metric, uint64_t value);

/**
 * A socket pair: returns the test's end; `*other` is for the worker. `buffer_bytes` bounds what
 * the kernel holds on the way to the test (0: its default).
 */
int fleet_socketpair(int *other, int buffer_bytes);

/** Writes all; fails at the deadline, or when the other end has gone. */
void fd_write(int fd, struct slice bytes);

/** Writes as long as the other end is there; returns false once it has gone. */
bool fd_try_write(int fd, struct slice bytes);

/** Reads exactly so much; fails at the deadline and when the end comes first. */
void fd_read(int fd, char *out, size_t len);

/** Reads until the end or `max`; returns how much there was. A reset is a failure. */
size_t fd_read_to_end(int fd, char *out, size_t max);

/** Fails when there is something to be read now. */
void fd_assert_silent(int fd);

#endif
