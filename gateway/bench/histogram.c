#include "gateway/bench/histogram.h"

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    into->n_values += from->n_values;
    if (from->max > into->max)
        into->max = from->max;
    for (size_t i = 0; i < HISTOGRAM_CELLS; i++)
        into->cells[i] += from->cells[i];
}

/* The largest value that falls into the cell. */
static uint64_t cell_end(size_t cell)
{
    size_t shift;

    if (cell < (size_t)2 << HISTOGRAM_STEP_BITS)
        return cell;
    shift = (cell >> HISTOGRAM_STEP_BITS) - 1;
    return ((uint64_t)(cell - (shift << HISTOGRAM_STEP_BITS) + 1) << shift) - 1;
}

uint64_t histogram_quantile(const struct histogram *h, uint64_t per_million)
{
    const uint64_t million = 1000000;
    uint64_t whole = h->n_values / million * per_million;
    uint64_t rest = h->n_values % million * per_million;
    uint64_t wanted = whole + (rest + million - 1) / million, seen = 0;

    for (size_t i = 0; i < HISTOGRAM_CELLS && h->n_values != 0; i++) {
        seen += h->cells[i];
        if (seen >= wanted && seen != 0)
            return cell_end(i) < h->max ? cell_end(i) : h->max;
    }
    return h->max;
}
