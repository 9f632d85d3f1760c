#ifndef GATEWAY_BENCH_PROGRESS_H
#define GATEWAY_BENCH_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One line that says how far a run is. Pure. Any thread.
 */

enum { PROGRESS_MAX = 128 }; /* of a line with its NUL; it is shorter than a terminal is wide */

struct progress {
    const char *mode;
    size_t n_ready;       /* connections */
    size_t n_connections; /* that there will be */
    bool is_running;      /* all are there; what follows is only looked at then */
    bool is_idle;         /* nothing is delivered in this mode */
    uint64_t elapsed_ns;
    uint64_t total_ns;     /* when sending ends; the last deliveries may come later */
    uint64_t n_deliveries; /* since the last line */
    uint64_t cpu_ns;       /* the server's, since the last line */
    uint64_t since_ns;     /* that long ago; not 0 */
    bool has_cpu;
    bool has_latency; /* something was measured */
    uint64_t p50_ns;  /* so far */
    uint64_t p99_ns;
};

/** Writes the line, without an end, and NUL. */
void progress_write(char out[PROGRESS_MAX], const struct progress *progress);

#endif
