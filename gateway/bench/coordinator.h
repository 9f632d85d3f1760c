#ifndef GATEWAY_BENCH_COORDINATOR_H
#define GATEWAY_BENCH_COORDINATOR_H

#include "gateway/bench/options.h"

/*
 * The process that the user started: forks the workers, leads them through the phases, measures
 * the server's CPU and memory meanwhile, adds everything up, reports on stdout and judges.
 */

/** Runs it all. Returns 0 when the run was good, 1 when it failed (stderr says why). */
int coordinator_run(struct options *options);

#endif
