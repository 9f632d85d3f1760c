#ifndef GATEWAY_BENCH_LOOP_H
#define GATEWAY_BENCH_LOOP_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/*
 * One process's event loop: epoll over connections, one receive buffer for all of them, and a
 * descriptor by which other processes wake it. Owning process only.
 */

struct connection;
struct connection_handler;
struct connection_settings;
struct inflater;

enum {
    LOOP_READ_BYTES = 256 * 1024, /* what one recv() may bring */
    LOOP_BATCH = 128,             /* events between two looks at what is to be sent */
};

/** Open: connections work with it. The pointers are borrowed for the loop's life. */
struct loop {
    int epoll_fd;
    int wake_fd; /* an eventfd, owned by who made it; -1 for none */
    char *buffer;
    size_t buffer_size; /* LOOP_READ_BYTES behind the longest rest that a connection can have */
    struct inflater *inflater; /* of connections without a context of their own; NULL: none */
    char *inflated;            /* where a message is inflated to; NULL without --deflate */
    size_t inflated_size;
    uint64_t n_inflated; /* messages */
    uint64_t n_bytes;    /* that were received */
    uint64_t random;     /* state for masking keys: they only need to look random */
    const struct connection_settings *settings;
    const struct connection_handler *handler;
    void *handler_self;
};

/** Monotonic nanoseconds, the same for all processes of the machine. */
static inline uint64_t loop_now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/** Reports on stderr and returns -1 when epoll cannot be had. Ends with loop_dispose. */
int loop_init(struct loop *loop, int wake_fd, const struct connection_settings *settings,
              const struct connection_handler *handler, void *handler_self);

void loop_dispose(struct loop *loop);

/** Waits up to `wait_ns` for events and handles one batch of them. */
void loop_turn(struct loop *loop, uint64_t wait_ns);

/** A masking key, never 0. */
uint32_t loop_mask(struct loop *loop);

#endif
