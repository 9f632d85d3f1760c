#ifndef GATEWAY_BENCH_PROCSTAT_H
#define GATEWAY_BENCH_PROCSTAT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/slice.h"

/*
 * CPU time and memory of other processes, from their CPU clocks and /proc. Any thread.
 */

/** Sums over all processes that were asked for. */
struct procstat {
    uint64_t cpu_ns; /* user and system, all threads, also ended ones */
    uint64_t rss_bytes;
    uint64_t pss_bytes;
    uint64_t anonymous_bytes;
};

/** Adds a process's CPU time. Reports on stderr and returns -1 when it cannot be read. */
int procstat_add_cpu(struct procstat *stat, pid_t pid);

/** Adds a process's memory by /proc/PID/smaps_rollup. -1 as above. */
int procstat_add_memory(struct procstat *stat, pid_t pid);

/**
 * Adds what the text of a smaps_rollup says. Pure. Returns false, with `*stat` untouched, when
 * Rss, Pss or Anonymous is missing.
 */
bool procstat_parse_memory(struct procstat *stat, struct slice text);

#endif
