#ifndef GATEWAY_BENCH_FLOOR_H
#define GATEWAY_BENCH_FLOOR_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "gateway/bench/options.h"

/*
 * What the kernel asks of any server: one process that does nothing but send() the bytes of a
 * fan-out to each of many loopback connections in turn, and one that reads and counts them. A
 * round is `window` messages for everybody, merged in one send() each; the next begins when all
 * of the last have been read, as in a fan-out by window. Owning process only.
 */

struct floor_result {
    uint64_t n_deliveries;
    uint64_t n_deliveries_measured;
    uint64_t measured_ns;
    uint64_t server_cpu_ns; /* of the sender, in the measured time */
    uint64_t load_cpu_ns;   /* of the reader, likewise */
};

/**
 * Appends what one connection gets in a round: MESSAGE frames as the gateway writes them, in
 * WebSocket messages. Returns false when `out` has no room for them.
 */
bool floor_write_round(struct buf *out, const struct options *options);

/**
 * Runs both processes, the sender on the first of the CPUs that were asked for and the reader on
 * the next. Reports on stderr and returns -1, with `*out` undefined, when a connection fails or
 * anything does not arrive.
 */
int floor_measure(const struct options *options, struct floor_result *out);

/** Measures and prints. Returns 0, or 1 when it failed. */
int floor_run(const struct options *options);

#endif
