#ifndef GATEWAY_BENCH_ZIPF_H
#define GATEWAY_BENCH_ZIPF_H

#include <stddef.h>
#include "gateway/bench/dice.h"

/*
 * Which of `n` things somebody wants when few are popular: the one of rank k (from 1) with a weight
 * of 1 / k^exponent (Zipf's law). An exponent of 0 makes all alike. Pure. Immutable after
 * zipf_init; the dice are the caller's.
 */

struct zipf {
    double *cumulative; /* sums of the weights up to each rank */
    size_t n;
};

/** `n` is not 0. Ends with zipf_dispose. */
void zipf_init(struct zipf *zipf, size_t n, double exponent);

/** A zeroed one is fine. */
void zipf_dispose(struct zipf *zipf);

/** A number from 0, the most popular, to n - 1. */
size_t zipf_draw(const struct zipf *zipf, struct dice *dice);

/**
 * Draws `n_wanted` (at most n) different ones into `out`, in ascending order. One that was drawn
 * already is drawn again; after many in vain it is the most popular one that is not there yet.
 */
void zipf_draw_different(const struct zipf *zipf, struct dice *dice, size_t *out, size_t n_wanted);

#endif
