#ifndef GATEWAY_BENCH_LIVE_H
#define GATEWAY_BENCH_LIVE_H

#include <stdbool.h>
#include <stdint.h>
#include "gateway/bench/histogram.h"
#include "gateway/bench/options.h"
#include "gateway/bench/progress.h"
#include "gateway/bench/team.h"

/*
 * The line of a run's progress on a terminal: written over itself on standard error, twice a
 * second, and gone at the end. Nothing at all when that is no terminal. Owning process only.
 */

/** Plain data of the functions below. */
struct live {
    const struct options *options;
    const struct team *team;
    bool is_on;
    struct progress progress;
    uint64_t shown_ns; /* when it was last written; 0: never */
    uint64_t n_received, cpu_ns;
    struct histogram *latency;
};

/** Borrows both. Ends with live_end. */
void live_init(struct live *live, const struct options *options, const struct team *team,
               size_t n_connections);

/** Removes the line. */
void live_end(struct live *live);

/** `n_ready` connections are subscribed. */
void live_show_connecting(struct live *live, size_t n_ready, uint64_t now_ns);

/** It runs since `start_ns`, and `total_ns` in all; `n_received` have come so far. */
void live_show_running(struct live *live, uint64_t start_ns, uint64_t total_ns, uint64_t n_received,
                       uint64_t now_ns);

#endif
