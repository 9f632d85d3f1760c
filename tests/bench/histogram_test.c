#include "tests/test.h"
#include "base/mem.h"
#include "gateway/bench/histogram.h"

static void a_quantile_is_within_a_thousandth(void **state)
{
    struct histogram *h = mem_alloc(sizeof(*h));

    (void)state;
    for (uint64_t value = 1; value < (uint64_t)1 << HISTOGRAM_VALUE_BITS; value += value / 7 + 1) {
        uint64_t found;

        memset(h, 0, sizeof(*h));
        histogram_add(h, value);
        histogram_add(h, ((uint64_t)1 << HISTOGRAM_VALUE_BITS) - 1); /* or the maximum answers */
        found = histogram_quantile(h, 500000);
        assert_true(found >= value);
        assert_true(found - value <= value / 1000);
    }
    mem_free(h);
}

static void cells_follow_each_other_without_gaps(void **state)
{
    size_t last = 0;

    (void)state;
    for (uint64_t value = 1; value < 300000; value++) {
        size_t cell = histogram_cell(value);

        assert_true(cell == last || cell == last + 1);
        last = cell;
    }
    assert_true(histogram_cell(UINT64_MAX) < HISTOGRAM_CELLS);
    assert_int_equal(histogram_cell(UINT64_MAX), HISTOGRAM_CELLS - 1);
}

static void quantiles_of_a_known_row(void **state)
{
    struct histogram *h = mem_calloc(1, sizeof(*h)), *other = mem_calloc(1, sizeof(*other));

    (void)state;
    assert_int_equal(histogram_quantile(h, 500000), 0);
    for (uint64_t i = 1; i <= 1000; i++)
        histogram_add(i % 2 == 0 ? h : other, i);
    histogram_merge(h, other);
    assert_int_equal(h->n_values, 1000);
    assert_int_equal(histogram_quantile(h, 500000), 500);
    assert_int_equal(histogram_quantile(h, 990000), 990);
    assert_int_equal(histogram_quantile(h, 999000), 999);
    assert_int_equal(histogram_quantile(h, 999001), 1000);
    assert_int_equal(histogram_quantile(h, 1000000), 1000);
    assert_int_equal(histogram_quantile(h, 0), 1);
    mem_free(h);
    mem_free(other);
}

static void no_quantile_is_above_the_maximum(void **state)
{
    struct histogram *h = mem_calloc(1, sizeof(*h));

    (void)state;
    histogram_add(h, 1000001);
    assert_int_equal(histogram_quantile(h, 990000), 1000001);
    histogram_add(h, UINT64_MAX);
    assert_true(h->max == UINT64_MAX);
    mem_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quantile_is_within_a_thousandth),
        cmocka_unit_test(cells_follow_each_other_without_gaps),
        cmocka_unit_test(quantiles_of_a_known_row),
        cmocka_unit_test(no_quantile_is_above_the_maximum),
    };

    return cmocka_run_group_tests_name("bench/histogram", tests, NULL, NULL);
}
