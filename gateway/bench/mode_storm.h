#ifndef GATEWAY_BENCH_MODE_STORM_H
#define GATEWAY_BENCH_MODE_STORM_H

#include "gateway/bench/worker.h"

/*
 * Mode `storm`: connections that do nothing until the run begins; then all are closed at once, as
 * when a network goes, and all come back. What fails on the way back is tried again as often as
 * the options allow. How long each took, from its first attempt, goes into the member's latencies.
 * Owning process only.
 */

extern const struct mode mode_storm;

#endif
