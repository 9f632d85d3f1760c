#ifndef GATEWAY_BENCH_PACE_H
#define GATEWAY_BENCH_PACE_H

#include <stdint.h>

/*
 * A fixed schedule: message i is due at i/R seconds, whatever the server does. Pure. Any thread.
 */

/** When message `number` is due, since the beginning; `rate` is not 0. */
static inline uint64_t pace_due_ns(uint64_t rate, uint64_t number)
{
    const uint64_t second = 1000000000;

    /* Whole seconds and the rest apart: nothing overflows, and nothing is rounded away. */
    return number / rate * second + number % rate * second / rate;
}

#endif
