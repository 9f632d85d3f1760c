#ifndef GATEWAY_OPS_LOGRATE_H
#define GATEWAY_OPS_LOGRATE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Bounds the lines of one event that peers can cause: some per interval, the rest counted and
 * told by the next line that passes. Pure: the caller brings the time. Owning thread only.
 */

enum {
    LOG_RATE_INTERVAL_MS = 10000,
    LOG_RATE_LINES = 5, /* per interval */
};

/** Zeroed it is ready to use. */
struct log_rate {
    uint64_t interval_started_ms;
    uint64_t n_suppressed;
    unsigned n_lines;
};

/**
 * Whether one more line may be written at `now_ms` (monotonic). When it may, `*n_suppressed` says
 * how many were held back since the last one; when not, the line is counted among those.
 */
bool log_rate_allow(struct log_rate *rate, uint64_t now_ms, uint64_t *n_suppressed);

#endif
