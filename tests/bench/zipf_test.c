#include "tests/test.h"
#include <stdbool.h>
#include <stdlib.h>
#include "base/mem.h"
#include "gateway/bench/zipf.h"

enum { ROLLS = 200000 };

static void ranks_come_as_often_as_their_weights_say(void **state)
{
    const struct {
        double exponent;
        size_t n;
        double share[4]; /* of the first ranks */
    } rows[] = {
        {1.0, 3, {6.0 / 11, 3.0 / 11, 2.0 / 11}},
        {0.0, 4, {0.25, 0.25, 0.25, 0.25}},
        {2.0, 2, {0.8, 0.2}},
        {1.0, 1, {1.0}},
        {1.0, 1000, {0.13359, 0.06680, 0.04453, 0.03340}}, /* 1 / (k * H(1000)) */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t *counts = mem_calloc(rows[i].n, sizeof(*counts));
        struct dice dice = dice_of(7, 0, i);
        struct zipf zipf;

        zipf_init(&zipf, rows[i].n, rows[i].exponent);
        for (size_t k = 0; k < ROLLS; k++) {
            size_t drawn = zipf_draw(&zipf, &dice);

            assert_true(drawn < rows[i].n);
            counts[drawn]++;
        }
        for (size_t k = 0; k < 4 && k < rows[i].n; k++) {
            double share = (double)counts[k] / ROLLS;

            /* Five standard deviations of the most scattered one are 0.0056. */
            assert_true(share > rows[i].share[k] - 0.006 && share < rows[i].share[k] + 0.006);
        }
        zipf_dispose(&zipf);
        mem_free(counts);
    }
}

static void different_ones_are_different_and_in_order(void **state)
{
    const struct {
        size_t n, n_wanted;
        double exponent;
    } rows[] = {{1, 1, 1.0}, {5, 5, 1.0}, {100, 10, 1.0}, {50, 50, 9.0}, {1000, 0, 1.0}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t *out = mem_calloc(rows[i].n_wanted, sizeof(*out));
        struct dice dice = dice_of(7, 1, i);
        struct zipf zipf;

        zipf_init(&zipf, rows[i].n, rows[i].exponent);
        zipf_draw_different(&zipf, &dice, out, rows[i].n_wanted);
        for (size_t k = 0; k < rows[i].n_wanted; k++) {
            assert_true(out[k] < rows[i].n);
            assert_true(k == 0 || out[k] > out[k - 1]);
        }
        zipf_dispose(&zipf);
        mem_free(out);
    }
}

/* With so steep a law nothing but the first ranks is ever drawn: they are taken in their order. */
static void what_is_never_drawn_is_filled_up_by_popularity(void **state)
{
    struct dice dice = dice_of(7, 2, 0);
    struct zipf zipf;
    size_t out[20];

    (void)state;
    zipf_init(&zipf, 1000, 40.0);
    zipf_draw_different(&zipf, &dice, out, 20);
    for (size_t k = 0; k < 20; k++)
        assert_int_equal(out[k], k);
    zipf_dispose(&zipf);
}

static void the_same_seed_gives_the_same_and_another_another(void **state)
{
    struct dice a = dice_of(1, 2, 3), b = dice_of(1, 2, 3);
    struct dice others[] = {dice_of(2, 2, 3), dice_of(1, 3, 3), dice_of(1, 2, 4), dice_of(1, 3, 2)};

    (void)state;
    for (int i = 0; i < 100; i++) {
        uint64_t roll = dice_roll(&a);

        assert_int_equal(roll, dice_roll(&b));
        for (size_t k = 0; k < 4; k++)
            assert_int_not_equal(roll, dice_roll(&others[k]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_come_as_often_as_their_weights_say),
        cmocka_unit_test(different_ones_are_different_and_in_order),
        cmocka_unit_test(what_is_never_drawn_is_filled_up_by_popularity),
        cmocka_unit_test(the_same_seed_gives_the_same_and_another_another),
    };

    return cmocka_run_group_tests_name("bench/zipf", tests, NULL, NULL);
}
