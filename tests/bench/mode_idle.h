#ifndef BENCH_MODE_IDLE_H
#define BENCH_MODE_IDLE_H

#include "tests/bench/worker.h"

/*
 * Connections that subscribe and then do nothing.
 * Owning process only.
 */

extern const struct mode mode_idle;

#endif
