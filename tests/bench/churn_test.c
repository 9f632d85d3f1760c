#include "tests/test.h"
#include "gateway/bench/churn.h"

enum { STEPS = 20000, PUBLISHERS = 2 };

static bool has(const struct churn *churn, size_t topic)
{
    for (size_t i = 0; i < churn->n_topics; i++) {
        if (churn->topics[i] == topic)
            return true;
    }
    return false;
}

/* Topics are taken that are not there and left that are, never more of them than may be. */
static void every_step_is_possible_and_all_kinds_come(void **state)
{
    const size_t n_topics[] = {1, 2, 1000};
    struct zipf zipf;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        size_t n[3] = {0}, most = 0;
        struct churn churn;

        zipf_init(&zipf, n_topics[i], 1.0);
        churn_init(&churn, dice_of(1, 2, i), PUBLISHERS);
        for (int k = 0; k < STEPS; k++) {
            struct churn_step step = churn_draw(&churn, &zipf, 1, 10);

            n[step.act]++;
            if (step.act == CHURN_RECONNECT) {
                churn_forget(&churn);
                assert_int_equal(churn.n_topics, 0);
                continue;
            }
            assert_int_equal(has(&churn, step.topic), step.act == CHURN_UNSUBSCRIBE);
            if (step.act == CHURN_SUBSCRIBE)
                churn_begin(&churn, step.topic);
            else
                churn_end(&churn, step.topic);
            assert_int_equal(has(&churn, step.topic), step.act == CHURN_SUBSCRIBE);
            most = churn.n_topics > most ? churn.n_topics : most;
        }
        assert_int_equal(most, n_topics[i] < CHURN_MOST_TOPICS ? n_topics[i] : CHURN_MOST_TOPICS);
        assert_in_range(n[CHURN_RECONNECT], STEPS / 10 - 300, STEPS / 10 + 300);
        assert_true(n[CHURN_SUBSCRIBE] > STEPS / 4 && n[CHURN_UNSUBSCRIBE] > STEPS / 4);
        churn_dispose(&churn);
        zipf_dispose(&zipf);
    }
}

static void a_run_without_a_gap_is_taken_from_wherever_it_begins(void **state)
{
    struct churn churn;

    (void)state;
    churn_init(&churn, dice_of(1, 2, 3), PUBLISHERS);
    assert_false(churn_take(&churn, 7, 0, 0, false)); /* not subscribed */
    churn_begin(&churn, 7);
    churn_begin(&churn, 8);
    assert_true(churn_take(&churn, 7, 0, 100, false));
    assert_true(churn_take(&churn, 7, 0, 101, false));
    assert_false(churn_take(&churn, 7, 0, 101, false)); /* again */
    assert_false(churn_take(&churn, 7, 0, 103, false)); /* 102 is missing */
    assert_true(churn_take(&churn, 7, 0, 102, false));
    assert_true(churn_take(&churn, 7, 1, 0, false)); /* each publisher and topic has its own */
    assert_true(churn_take(&churn, 8, 0, 5, false));
    assert_false(churn_take(&churn, 7, PUBLISHERS, 0, false));
    churn_end(&churn, 7);
    assert_false(churn_take(&churn, 7, 0, 103, false));
    assert_true(churn_take(&churn, 8, 0, 6, false)); /* moved to its place, and kept */
    churn_begin(&churn, 7);
    assert_true(churn_take(&churn, 7, 0, 200, false)); /* a new subscription begins anywhere */
    churn_dispose(&churn);
}

static void with_any_order_only_the_topic_is_checked(void **state)
{
    struct churn churn;

    (void)state;
    churn_init(&churn, dice_of(1, 2, 3), PUBLISHERS);
    churn_begin(&churn, 7);
    assert_true(churn_take(&churn, 7, 0, 9, true));
    assert_true(churn_take(&churn, 7, 0, 4, true));
    assert_false(churn_take(&churn, 8, 0, 10, true));
    churn_dispose(&churn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_step_is_possible_and_all_kinds_come),
        cmocka_unit_test(a_run_without_a_gap_is_taken_from_wherever_it_begins),
        cmocka_unit_test(with_any_order_only_the_topic_is_checked),
    };

    return cmocka_run_group_tests_name("bench/churn", tests, NULL, NULL);
}
