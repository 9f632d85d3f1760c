#include "tests/test.h"
#include "tests/random.h"
#include "gateway/router/backlog.h"

enum { N = 200 };

static void new_items_go_out_in_their_order(void **state)
{
    struct backlog_item items[N];
    struct backlog backlog;

    (void)state;
    backlog_init(&backlog);
    assert_true(backlog_is_empty(&backlog));
    assert_null(backlog_take(&backlog));
    for (size_t i = 0; i < N; i++)
        backlog_append(&backlog, &items[i]);
    assert_false(backlog_is_empty(&backlog));
    for (size_t i = 0; i < N; i++)
        assert_ptr_equal(backlog_take(&backlog), &items[i]);
    assert_true(backlog_is_empty(&backlog));
    assert_null(backlog_take(&backlog));
    backlog_dispose(&backlog);
}

static void what_comes_back_goes_to_its_place(void **state)
{
    struct backlog_item items[5];
    struct backlog backlog;

    (void)state;
    backlog_init(&backlog);
    for (size_t i = 0; i < 5; i++)
        backlog_append(&backlog, &items[i]);
    for (size_t i = 0; i < 4; i++)
        (void)backlog_take(&backlog);
    backlog_return(&backlog, &items[2]);
    backlog_return(&backlog, &items[0]);
    backlog_return(&backlog, &items[3]);
    assert_ptr_equal(backlog_take(&backlog), &items[0]);
    backlog_return(&backlog, &items[1]);
    assert_ptr_equal(backlog_take(&backlog), &items[1]);
    assert_ptr_equal(backlog_take(&backlog), &items[2]);
    assert_ptr_equal(backlog_take(&backlog), &items[3]);
    assert_ptr_equal(backlog_take(&backlog), &items[4]);
    assert_null(backlog_take(&backlog));
    backlog_dispose(&backlog);
}

static void any_mixture_goes_out_lowest_first(void **state)
{
    struct backlog_item items[N];
    size_t out[N], n_appended = 0, n_out = 0, n_in = 0;
    struct backlog backlog;
    struct rng rng = {3};

    (void)state;
    backlog_init(&backlog);
    for (int step = 0; step < 20000; step++) {
        size_t what = rng_below(&rng, 10);

        if (what == 0 && n_appended < N) {
            backlog_append(&backlog, &items[n_appended++]);
            n_in++;
        } else if (what < 5 && n_out != 0) {
            size_t k = rng_below(&rng, n_out);

            backlog_return(&backlog, &items[out[k]]);
            out[k] = out[--n_out];
            n_in++;
        } else if (n_in != 0) {
            struct backlog_item *item = backlog_take(&backlog);
            size_t lowest = 0;

            for (bool is_out = true; is_out; lowest += is_out) {
                is_out = false;
                for (size_t k = 0; k < n_out; k++)
                    is_out |= out[k] == lowest;
            }
            assert_ptr_equal(item, &items[lowest]);
            out[n_out++] = lowest;
            n_in--;
        }
        assert_int_equal(backlog_is_empty(&backlog), n_in == 0);
    }
    assert_int_equal(n_appended, N);
    backlog_dispose(&backlog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_items_go_out_in_their_order),
        cmocka_unit_test(what_comes_back_goes_to_its_place),
        cmocka_unit_test(any_mixture_goes_out_lowest_first),
    };

    return cmocka_run_group_tests_name("gateway/router/backlog", tests, NULL, NULL);
}
