#ifndef GATEWAY_WORKER_SEND_BATCH_H
#define GATEWAY_WORKER_SEND_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "base/slice.h"

/*
 * Many sends handed to the kernel by one system call, through io_uring(7): where each of many
 * sockets gets one short message, entering the kernel is a good part of the cost. Each send does
 * what send() with MSG_DONTWAIT | MSG_NOSIGNAL does, at once and in the order added.
 *
 * Needs Linux 6.1 (IORING_SETUP_DEFER_TASKRUN) and the leave of whoever confines the process: the
 * seccomp profile that Docker uses by default forbids io_uring. Nobody needs it: send() does the
 * same.
 *
 * Only the thread that made a batch may use it.
 */

enum { SEND_BATCH_MAX = 512 };

struct send_batch;

/** What came of a send: bytes that the socket took, or a negative error number. */
struct send_result {
    void *owner;
    ssize_t n;
};

/**
 * Makes an empty batch and tries it on a socket pair. Returns NULL when the system refuses or does
 * something else than it should: `*why` says at which step (a static text), errno for which reason
 * (0: none given).
 */
struct send_batch *send_batch_new(const char **why) __attribute__((warn_unused_result));

/** Fine with NULL. */
void send_batch_free(struct send_batch *batch);

/** How many sends wait in it. */
size_t send_batch_len(const struct send_batch *batch);

/**
 * Adds a send of `bytes` (at least one), which must stay as they are until send_batch_run has
 * returned. At most SEND_BATCH_MAX. `owner` comes back with the result.
 */
void send_batch_add(struct send_batch *batch, int fd, struct slice bytes, void *owner);

/**
 * Makes all sends; the batch is empty again. Returns their results in the order added, borrowed
 * until the next call of any of these. Those that the kernel would not even take have -EINTR: they
 * have not been tried, and the batch is broken from then on.
 */
const struct send_result *send_batch_run(struct send_batch *batch);

/** A broken batch can only be freed. */
bool send_batch_is_broken(const struct send_batch *batch);

#endif
