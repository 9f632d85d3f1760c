#include "gateway/bench/zipf.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include "base/mem.h"

enum { MOST_IN_VAIN = 64 };

void zipf_init(struct zipf *zipf, size_t n, double exponent)
{
    double sum = 0;

    assert(n != 0);
    zipf->n = n;
    zipf->cumulative = mem_calloc(n, sizeof(*zipf->cumulative));
    for (size_t i = 0; i < n; i++) {
        sum += pow((double)(i + 1), -exponent);
        zipf->cumulative[i] = sum;
    }
}

void zipf_dispose(struct zipf *zipf)
{
    mem_free(zipf->cumulative);
    *zipf = (struct zipf){0};
}

size_t zipf_draw(const struct zipf *zipf, struct dice *dice)
{
    /* 53 bits: what a double holds. The point is below 1, so below the last sum or equal to it. */
    double point = (double)(dice_roll(dice) >> 11) / (double)(UINT64_C(1) << 53);
    size_t low = 0, high = zipf->n - 1;

    point *= zipf->cumulative[zipf->n - 1];
    while (low < high) { /* the first sum above the point */
        size_t middle = low + (high - low) / 2;

        if (zipf->cumulative[middle] > point)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Where `value` is in `n` ascending numbers, or would be. */
static size_t find_place(const size_t *numbers, size_t n, size_t value)
{
    size_t at = n;

    while (at != 0 && numbers[at - 1] >= value)
        at--;
    return at;
}

static bool insert(size_t *numbers, size_t n, size_t value)
{
    size_t at = find_place(numbers, n, value);

    if (at < n && numbers[at] == value)
        return false;
    memmove(numbers + at + 1, numbers + at, (n - at) * sizeof(*numbers));
    numbers[at] = value;
    return true;
}

static void insert_most_popular(size_t *numbers, size_t n)
{
    size_t value = 0;

    while (value < n && numbers[value] == value)
        value++;
    (void)insert(numbers, n, value);
}

void zipf_draw_different(const struct zipf *zipf, struct dice *dice, size_t *out, size_t n_wanted)
{
    assert(n_wanted <= zipf->n);
    for (size_t n = 0; n < n_wanted; n++) {
        size_t n_in_vain = 0;

        while (n_in_vain < MOST_IN_VAIN && !insert(out, n, zipf_draw(zipf, dice)))
            n_in_vain++;
        if (n_in_vain == MOST_IN_VAIN)
            insert_most_popular(out, n);
    }
}
