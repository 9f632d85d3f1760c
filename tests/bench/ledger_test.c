#include "tests/test.h"
#include "gateway/bench/ledger.h"
#include "gateway/bench/tally.h"

struct step {
    uint64_t sequence;
    enum ledger_verdict verdict;
};

static void play(const struct step *steps, size_t n, uint64_t received, uint64_t next)
{
    struct ledger_line line = {0};

    for (size_t i = 0; i < n; i++) {
        enum ledger_verdict verdict = ledger_take(&line, steps[i].sequence);

        if (verdict != steps[i].verdict)
            print_error("step %zu: verdict %d\n", i, (int)verdict);
        assert_int_equal(verdict, steps[i].verdict);
    }
    assert_int_equal(ledger_received(&line), received);
    assert_int_equal(line.next, next);
    ledger_dispose(&line);
}

#define PLAY(received, next, ...)                                                                  \
    do {                                                                                           \
        const struct step steps[] = {__VA_ARGS__};                                                 \
        play(steps, sizeof(steps) / sizeof(steps[0]), (received), (next));                         \
    } while (0)

static void a_row_in_order_is_in_order(void **state)
{
    (void)state;
    PLAY(3, 3, {0, LEDGER_IN_ORDER}, {1, LEDGER_IN_ORDER}, {2, LEDGER_IN_ORDER});
}

static void what_was_here_before_is_a_duplicate(void **state)
{
    (void)state;
    PLAY(2, 2, {0, LEDGER_IN_ORDER}, {0, LEDGER_DUPLICATE}, {1, LEDGER_IN_ORDER},
         {0, LEDGER_DUPLICATE});
    PLAY(2, 1, {0, LEDGER_IN_ORDER}, {5, LEDGER_EARLY}, {5, LEDGER_DUPLICATE});
}

static void a_lost_one_leaves_a_gap(void **state)
{
    (void)state;
    PLAY(3, 1, {0, LEDGER_IN_ORDER}, {2, LEDGER_EARLY}, {3, LEDGER_EARLY});
}

static void one_that_fills_a_gap_is_late(void **state)
{
    (void)state;
    PLAY(4, 4, {0, LEDGER_IN_ORDER}, {2, LEDGER_EARLY}, {1, LEDGER_LATE}, {3, LEDGER_IN_ORDER});
    /* Also when another gap stays before it. */
    PLAY(4, 5 - 4, {0, LEDGER_IN_ORDER}, {4, LEDGER_EARLY}, {3, LEDGER_LATE}, {5, LEDGER_EARLY});
    PLAY(5, 5, {4, LEDGER_EARLY}, {2, LEDGER_LATE}, {3, LEDGER_LATE}, {0, LEDGER_LATE},
         {1, LEDGER_LATE});
}

static void nothing_runs_further_ahead_than_the_span(void **state)
{
    (void)state;
    PLAY(2, 1, {0, LEDGER_IN_ORDER}, {1 + LEDGER_SPAN, LEDGER_TOO_FAR}, {LEDGER_SPAN, LEDGER_EARLY},
         {UINT64_MAX, LEDGER_TOO_FAR});
}

static void a_shuffled_row_is_received_once_and_whole(void **state)
{
    enum { N = 20000, BLOCK = 1000 };
    struct ledger_line line = {0};

    (void)state;
    /* 7 is prime to 1,000: each block of 1,000 comes whole, in another order. */
    for (uint64_t i = 0; i < N; i++) {
        uint64_t sequence = i / BLOCK * BLOCK + i % BLOCK * 7 % BLOCK;
        enum ledger_verdict verdict = ledger_take(&line, sequence);

        assert_true(verdict != LEDGER_DUPLICATE && verdict != LEDGER_TOO_FAR);
    }
    assert_int_equal(line.next, N);
    assert_int_equal(line.n_ahead, 0);
    ledger_dispose(&line);
}

static void complete_is_what_all_parties_have(void **state)
{
    struct tally tally;

    (void)state;
    tally_init(&tally, 3, 4);
    assert_false(tally_add(&tally, 0));
    assert_false(tally_add(&tally, 0));
    assert_false(tally_add(&tally, 1));
    assert_false(tally_add(&tally, 1));
    assert_false(tally_add(&tally, 1)); /* all have 1, not all have 0 */
    assert_true(tally_add(&tally, 0));
    assert_int_equal(tally.complete, 2);
    for (uint64_t i = 2; i < 100; i++) {
        assert_false(tally_add(&tally, i));
        assert_false(tally_add(&tally, i));
        assert_true(tally_add(&tally, i));
        assert_int_equal(tally.complete, i + 1);
    }
    tally_dispose(&tally);
}

static void a_tally_ignores_what_cannot_be_in_flight(void **state)
{
    struct tally tally;

    (void)state;
    tally_init(&tally, 1, 4);
    assert_false(tally_add(&tally, 4));
    assert_false(tally_add(&tally, UINT64_MAX));
    assert_true(tally_add(&tally, 0));
    assert_false(tally_add(&tally, 0));
    assert_int_equal(tally.complete, 1);
    tally_dispose(&tally);
}

static void nobody_to_wait_for_is_complete(void **state)
{
    struct tally tally;

    (void)state;
    tally_init(&tally, 0, 4);
    assert_true(tally.complete > UINT32_MAX && tally.complete + 65536 > tally.complete);
    tally_dispose(&tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_in_order_is_in_order),
        cmocka_unit_test(what_was_here_before_is_a_duplicate),
        cmocka_unit_test(a_lost_one_leaves_a_gap),
        cmocka_unit_test(one_that_fills_a_gap_is_late),
        cmocka_unit_test(nothing_runs_further_ahead_than_the_span),
        cmocka_unit_test(a_shuffled_row_is_received_once_and_whole),
        cmocka_unit_test(complete_is_what_all_parties_have),
        cmocka_unit_test(a_tally_ignores_what_cannot_be_in_flight),
        cmocka_unit_test(nobody_to_wait_for_is_complete),
    };

    return cmocka_run_group_tests_name("bench/ledger", tests, NULL, NULL);
}
