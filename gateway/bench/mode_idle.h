#ifndef GATEWAY_BENCH_MODE_IDLE_H
#define GATEWAY_BENCH_MODE_IDLE_H

#include "gateway/bench/worker.h"

/*
 * Connections that are subscribed and do nothing: modes `idle`, for what they cost while they last,
 * and `ramp`, for what it costs to open them, as fast as they come or at a rate. How long each
 * took, from when it was due, goes into the member's latencies. Owning process only.
 */

extern const struct mode mode_idle;

/* What other modes of connections without messages have in common with it. */

size_t mode_idle_count(const struct options *options);

/** No rows, and nobody to receive. */
size_t mode_idle_n_publishers(const struct options *options);
uint64_t mode_idle_n_receivers(const struct options *options);

struct connection_role mode_idle_role(const struct options *options, size_t number);

void mode_idle_on_settled(struct worker *w, struct connection *c);

/** Every one is a fault. */
void mode_idle_on_message(struct worker *w, struct connection *c, struct slice body,
                          uint64_t now_ns);

#endif
