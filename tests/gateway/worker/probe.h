#ifndef TESTS_GATEWAY_WORKER_PROBE_H
#define TESTS_GATEWAY_WORKER_PROBE_H

#include "tests/gateway/worker/fleet.h"

/*
 * A stream with nothing above it: it notes what happens to it and does with its input what the
 * test says. Its messages are bare WebSocket frames. The test's thread looks at its fields through
 * fleet_ask or fleet_wait only.
 */

struct probe;
typedef size_t (*probe_input)(struct probe *probe, struct slice input);

struct probe {
    struct stream stream; /* first: the callbacks get it */
    struct fleet *fleet;
    unsigned worker;
    int fd; /* the test's end */
    int worker_fd;
    struct stream_limits limits;
    probe_input on_input; /* NULL: takes all */
    void *ctx;
    size_t n_inputs;
    size_t n_bytes;
    char input[4096]; /* the first of what was taken */
    unsigned n_limits;
    enum stream_limit limit;
    unsigned n_ends;
    enum stream_end how;
    unsigned n_frees; /* the probe itself is the test's */
};

/** A zeroed probe; limits and on_input set before. */
void probe_open(struct probe *probe, struct fleet *fleet, unsigned worker, int buffer_bytes);

/** Waits until it was freed, and closes the test's end. */
void probe_close(struct probe *probe);

/** Queues a frame of `len` bytes, all the same letter. On the worker's thread. */
void probe_queue(struct probe *probe, char letter, size_t len);

/** The same from the test's thread. */
void probe_ask_queue(struct probe *probe, char letter, size_t len);

/** Reads one such frame and checks it. */
void probe_expect(struct probe *probe, char letter, size_t len);

#endif
