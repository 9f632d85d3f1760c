#ifndef TESTS_GATEWAY_ROUTER_EXPECTED_H
#define TESTS_GATEWAY_ROUTER_EXPECTED_H

#include "tests/gateway/router/harness.h"

/*
 * The frames that one client has to get, in their order, and what has been written to it. Frames
 * of one number may come in any order.
 */

struct expected_frame {
    uint64_t number;
    struct slice bytes; /* owned */
};

struct expected {
    struct expected_frame *frames;
    size_t first, n, cap;
    size_t bytes;   /* in frames[first .. n) */
    struct buf got; /* written to the client, not a whole frame yet */
};

void expected_init(struct expected *expected);
void expected_dispose(struct expected *expected);

/** A copy of `bytes`, a whole frame, is the next. Disposes of `bytes`. */
void expected_add(struct expected *expected, uint64_t number, struct buf *bytes);

/** How many have not come yet. */
size_t expected_count(const struct expected *expected);

/** Nothing more is expected. */
void expected_drop(struct expected *expected);

/** Writes `n` bytes of the queue; fails unless the whole frames among them come next. */
void expected_write(struct expected *expected, struct receiver *receiver, size_t n);

#endif
