#ifndef GATEWAY_BENCH_MODE_FANOUT_H
#define GATEWAY_BENCH_MODE_FANOUT_H

#include "gateway/bench/worker.h"

/*
 * Publishers and many subscribers of one destination, and with mode slow some that never read. By
 * a window: a publisher's message k+W goes out when all subscribers of all processes have its
 * message k. By a rate: message i of the whole run is due at i/R seconds and bears that time,
 * whenever it gets out, so that waiting is part of the latency.
 * Owning process only.
 */

extern const struct mode mode_fanout;

#endif
