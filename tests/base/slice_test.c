#include "tests/test.h"

static void cut_takes_the_first_separator(void **state)
{
    struct slice head, tail;

    (void)state;
    assert_true(slice_cut((struct slice)SLICE("a:b:c"), ':', &head, &tail));
    assert_slice(head, "a");
    assert_slice(tail, "b:c");
    assert_true(slice_cut((struct slice)SLICE("a:"), ':', &head, &tail));
    assert_int_equal(tail.len, 0);
    assert_false(slice_cut((struct slice)SLICE("abc"), ':', &head, &tail));
    assert_slice(head, "a");
}

static void numbers_are_digits_within_a_bound(void **state)
{
    const struct slice bad[] = {SLICE(""),    SLICE("-1"),  SLICE("+1"),
                                SLICE(" 1"),  SLICE("1 "),  SLICE("0x1"),
                                SLICE("256"), SLICE("1e2"), SLICE("99999999999999999999999")};
    uint64_t n = 7;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(slice_to_u64(bad[i], 255, &n));
        assert_int_equal(n, 7);
    }
    assert_true(slice_to_u64((struct slice)SLICE("255"), 255, &n));
    assert_int_equal(n, 255);
    assert_true(slice_to_u64((struct slice)SLICE("0"), 0, &n));
    assert_int_equal(n, 0);
    assert_false(slice_to_u64((struct slice)SLICE("5"), 3, &n));
    assert_true(slice_to_u64((struct slice)SLICE("18446744073709551615"), UINT64_MAX, &n));
    assert_true(n == UINT64_MAX);
    assert_false(slice_to_u64((struct slice)SLICE("18446744073709551616"), UINT64_MAX, &n));
}

static void comparisons(void **state)
{
    (void)state;
    assert_true(
        slice_eq_nocase((struct slice)SLICE("WebSocket"), (struct slice)SLICE("websocket")));
    assert_false(slice_eq_nocase((struct slice)SLICE("[ab"), (struct slice)SLICE("{ab")));
    assert_true(slice_cmp((struct slice)SLICE("ab"), (struct slice)SLICE("abc")) < 0);
    assert_true(slice_cmp((struct slice)SLICE("b"), (struct slice)SLICE("abc")) > 0);
    assert_true(slice_starts_with((struct slice)SLICE("/topic"), (struct slice)SLICE("")));
    assert_true(slice_ends_with((struct slice)SLICE("/topic"), (struct slice)SLICE("ic")));
    assert_false(slice_ends_with((struct slice)SLICE("ic"), (struct slice)SLICE("/topic")));
    assert_true(slice_eq(slice_str(NULL), slice_str("")));
}

static void trim_and_skip_stay_inside(void **state)
{
    (void)state;
    assert_slice(slice_trim((struct slice)SLICE(" \ta b\t ")), "a b");
    assert_int_equal(slice_trim((struct slice)SLICE(" \t ")).len, 0);
    assert_int_equal(slice_skip((struct slice)SLICE("abc"), 9).len, 0);
    assert_int_equal(slice_take((struct slice)SLICE("abc"), 9).len, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_takes_the_first_separator),
        cmocka_unit_test(numbers_are_digits_within_a_bound),
        cmocka_unit_test(comparisons),
        cmocka_unit_test(trim_and_skip_stay_inside),
    };

    return cmocka_run_group_tests_name("base/slice", tests, NULL, NULL);
}
