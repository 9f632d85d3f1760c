#ifndef GATEWAY_BENCH_VERDICT_H
#define GATEWAY_BENCH_VERDICT_H

#include <stdbool.h>
#include <stdint.h>
#include "gateway/bench/options.h"
#include "gateway/bench/team.h"

/*
 * Whether a run was good: all that was sent has come, once, in order, and nothing else failed.
 * Owning thread only.
 */

/** Zeroed memory is a good run in which nothing happened. */
struct verdict {
    bool has_failed;
    char why[256]; /* the first reason */
    uint64_t n_missing;
    struct team_counts counts; /* of all processes */
};

/** The run failed; the first reason given stays. */
__attribute__((format(printf, 2, 3))) void verdict_fail(struct verdict *verdict, const char *format,
                                                        ...);

/** Adds what a process has counted. */
void verdict_add(struct verdict *verdict, const struct team_counts *counts);

/** Once all counts are added: whether what was received is what was expected. */
void verdict_judge(struct verdict *verdict, enum options_order order);

#endif
