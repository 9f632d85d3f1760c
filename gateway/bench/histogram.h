#ifndef GATEWAY_BENCH_HISTOGRAM_H
#define GATEWAY_BENCH_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

/*
 * Counts of durations, log-linear: 1,024 equal steps for each doubling, so that every quantile is
 * within 0.1 % (three significant digits) whatever its size, at a fixed cost a value. Plain data:
 * zeroed memory is an empty histogram, and it may lie in memory that processes share. Owning
 * thread only.
 */

enum {
    HISTOGRAM_STEP_BITS = 10,
    HISTOGRAM_VALUE_BITS = 42, /* nanoseconds up to 73 minutes; longer ones count as that */
    HISTOGRAM_CELLS = (HISTOGRAM_VALUE_BITS - HISTOGRAM_STEP_BITS + 1) << HISTOGRAM_STEP_BITS,
};

struct histogram {
    uint64_t n_values;
    uint64_t max; /* exact */
    uint64_t cells[HISTOGRAM_CELLS];
};

/** The cell that counts `value`. */
static inline size_t histogram_cell(uint64_t value)
{
    const uint64_t longest = ((uint64_t)1 << HISTOGRAM_VALUE_BITS) - 1;
    unsigned shift;

    if (value < (uint64_t)2 << HISTOGRAM_STEP_BITS)
        return (size_t)value;
    if (value > longest)
        value = longest;
    shift = 63 - (unsigned)__builtin_clzll(value) - HISTOGRAM_STEP_BITS;
    return (size_t)((shift << HISTOGRAM_STEP_BITS) + (value >> shift));
}

static inline void histogram_add(struct histogram *h, uint64_t value)
{
    h->n_values++;
    if (value > h->max)
        h->max = value;
    h->cells[histogram_cell(value)]++;
}

/** Adds all that `from` counted to `into`. */
void histogram_merge(struct histogram *into, const struct histogram *from);

/**
 * The smallest value that at least `per_million` millionths of all values do not exceed, rounded
 * up to the end of its step but never above the maximum; 0 when there are no values.
 */
uint64_t histogram_quantile(const struct histogram *h, uint64_t per_million);

#endif
