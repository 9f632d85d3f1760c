#ifndef GATEWAY_BENCH_PROCESS_H
#define GATEWAY_BENCH_PROCESS_H

#include <stddef.h>
#include "gateway/bench/options.h"

/*
 * What a process of the load asks of the system for itself. Owning process only; all report on
 * stderr and return -1 when it cannot be had.
 */

/** Runs on one of the CPUs that were asked for, which the processes take in turn; without any, on
 * all. */
int process_pin(const struct options *options, size_t turn);

/** Raises the limit on descriptors to what is allowed; `*out` is how many connections that is. */
int process_find_capacity(size_t *out);

#endif
