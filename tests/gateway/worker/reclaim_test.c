#include "tests/test.h"
#include "gateway/worker/reclaim.h"

enum { KIB = 1024, MIB = 1024 * 1024 };

static void a_little_is_never_worth_it(void **state)
{
    struct reclaim reclaim = {0};

    (void)state;
    reclaim_note(&reclaim, 4 * MIB - 1);
    for (int i = 0; i < 10; i++)
        assert_false(reclaim_is_due(&reclaim));
}

static void memory_goes_back_once_when_the_storm_is_over(void **state)
{
    struct reclaim reclaim = {0};

    (void)state;
    for (int i = 0; i < 5; i++) {
        reclaim_note(&reclaim, 8 * MIB);
        assert_false(reclaim_is_due(&reclaim));
    }
    assert_true(reclaim_is_due(&reclaim));
    for (int i = 0; i < 10; i++)
        assert_false(reclaim_is_due(&reclaim));
}

static void a_few_that_still_leave_do_not_hold_it_up(void **state)
{
    struct reclaim reclaim = {0};

    (void)state;
    reclaim_note(&reclaim, 40 * MIB);
    assert_false(reclaim_is_due(&reclaim));
    reclaim_note(&reclaim, 3 * MIB);
    assert_false(reclaim_is_due(&reclaim)); /* 3 of 43: too many still */
    reclaim_note(&reclaim, 2 * MIB);
    assert_true(reclaim_is_due(&reclaim));
}

static void what_trickles_adds_up(void **state)
{
    struct reclaim reclaim = {0};
    unsigned n_due = 0;

    (void)state;
    for (int i = 0; i < 4 * 64; i++) {
        reclaim_note(&reclaim, 64 * KIB);
        n_due += reclaim_is_due(&reclaim);
    }
    assert_int_equal(n_due, 4); /* 16 MiB, given back each time there were 4 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_little_is_never_worth_it),
        cmocka_unit_test(memory_goes_back_once_when_the_storm_is_over),
        cmocka_unit_test(a_few_that_still_leave_do_not_hold_it_up),
        cmocka_unit_test(what_trickles_adds_up),
    };

    return cmocka_run_group_tests_name("gateway/worker/reclaim", tests, NULL, NULL);
}
