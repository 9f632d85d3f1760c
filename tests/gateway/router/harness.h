#ifndef TESTS_GATEWAY_ROUTER_HARNESS_H
#define TESTS_GATEWAY_ROUTER_HARNESS_H

#include "base/buf.h"
#include "gateway/router/router.h"

/*
 * A router with all that it needs, hooks that write down what they are asked, and the bytes that
 * a receiver has to get, made without the code under test.
 */

enum { HARNESS_WORKER = 2, HARNESS_MAX_PATTERNS = 100, HARNESS_CACHE_LIMIT = 8 };

struct harness {
    struct chunk_account account;
    struct chunk_pool pool;
    struct interest interest;
    struct patterns patterns;
    struct metrics metrics;
    struct router router;
    unsigned n_wakes;
    unsigned n_mailed[INTEREST_MAX_WORKERS];
    struct slice mailed_id; /* of the last mail; borrowed from its message */
};

struct harness *harness_new(void);

/** All receivers must have left: checks that nothing at all is left behind. */
void harness_free(struct harness *h);

uint64_t harness_metric(const struct harness *h, enum metric metric);

/** A message with an id of the router's. The caller owns the reference. */
struct msg *harness_message(struct harness *h, struct slice destination, struct slice body);

/** Appends what a subscription of that id has to get for the message. */
void harness_expect(struct buf *out, enum wire wire, const struct msg *msg, const char *id);

/** The same with further header lines, in STOMP's form. */
void harness_expect_lines(struct buf *out, enum wire wire, const struct msg *msg, const char *id,
                          struct slice lines);

/** Appends a text or binary WebSocket message. */
void harness_expect_frame(struct buf *out, bool is_binary, struct slice content);

/** How long the WebSocket frame is that `bytes` begins with; 0 when it is not there in whole. */
size_t harness_frame_len(struct slice bytes);

/** Writes the first `n` bytes of the queue: moves them to the end of `out`. */
void harness_write(struct receiver *receiver, size_t n, struct buf *out);

#endif
