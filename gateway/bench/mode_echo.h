#ifndef GATEWAY_BENCH_MODE_ECHO_H
#define GATEWAY_BENCH_MODE_ECHO_H

#include "gateway/bench/worker.h"

/*
 * Clients that each send to a destination of their own and receive from it, with W messages on
 * their way.
 * Owning process only.
 */

extern const struct mode mode_echo;

#endif
