#include "tests/test.h"
#include "tests/random.h"
#include "base/mem.h"
#include "gateway/worker/timer.h"

#define ROUND_MS (UINT64_C(1) * TIMER_SLOT_MS * TIMER_N_SLOTS)

/* A timer that writes down when it fired and what it shall do then. */
struct alarm {
    struct timer timer; /* first, so that the callback's argument is the alarm */
    struct timer_wheel *wheel;
    uint64_t fired_ms;
    uint64_t rearm_ms;    /* not 0: arms itself again at this time */
    struct alarm *cancel; /* not NULL: cancels that one */
    struct alarm *arm;    /* not NULL: arms that one at once */
    unsigned n_fired;
    bool was_armed; /* while its callback ran */
};

static void on_alarm(struct timer *timer, uint64_t now_ms)
{
    struct alarm *alarm = (struct alarm *)timer;

    alarm->n_fired++;
    alarm->fired_ms = now_ms;
    alarm->was_armed = timer_is_armed(timer);
    if (alarm->rearm_ms != 0)
        timer_arm(alarm->wheel, timer, alarm->rearm_ms, on_alarm);
    if (alarm->cancel != NULL)
        timer_cancel(alarm->wheel, &alarm->cancel->timer);
    if (alarm->arm != NULL)
        timer_arm(alarm->wheel, &alarm->arm->timer, now_ms, on_alarm);
}

static int set_up(void **state)
{
    *state = mem_alloc(sizeof(struct timer_wheel));
    return 0;
}

static int tear_down(void **state)
{
    mem_free(*state);
    return 0;
}

static void a_timer_fires_never_early_and_at_most_a_slot_late(void **state)
{
    const uint64_t starts[] = {0, 1, 15, 16, 17, 1000003, UINT64_C(1) << 40};
    const uint64_t delays[] = {0,
                               1,
                               15,
                               16,
                               17,
                               100,
                               10000,
                               ROUND_MS - 17,
                               ROUND_MS - 1,
                               ROUND_MS,
                               ROUND_MS + 1,
                               ROUND_MS + 16,
                               3 * ROUND_MS + 5};
    struct timer_wheel *wheel = *state;

    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        for (size_t k = 0; k < sizeof(delays) / sizeof(delays[0]); k++) {
            struct alarm alarm = {.wheel = wheel};
            uint64_t deadline_ms = starts[i] + delays[k], now_ms = starts[i];

            timer_wheel_init(wheel, now_ms);
            timer_arm(wheel, &alarm.timer, deadline_ms, on_alarm);
            assert_true(timer_is_armed(&alarm.timer));
            for (; alarm.n_fired == 0; now_ms++) {
                unsigned n = timer_wheel_advance(wheel, now_ms);

                assert_true(now_ms < deadline_ms + TIMER_SLOT_MS);
                assert_int_equal(n, alarm.n_fired);
            }
            assert_true(alarm.fired_ms >= deadline_ms);
            assert_false(alarm.was_armed);
            assert_false(timer_is_armed(&alarm.timer));
            assert_int_equal(timer_wheel_advance(wheel, now_ms + 2 * ROUND_MS), 0);
            assert_int_equal(alarm.n_fired, 1);
        }
    }
}

static void waiting_as_told_is_as_good_as_looking_all_the_time(void **state)
{
    const uint64_t deadlines[] = {0,    1,        16,       999,          1000,
                                  1001, ROUND_MS, 5000 + 7, ROUND_MS + 3, 2 * ROUND_MS};
    struct timer_wheel *wheel = *state;

    for (size_t i = 0; i < sizeof(deadlines) / sizeof(deadlines[0]); i++) {
        struct alarm alarm = {.wheel = wheel};
        uint64_t now_ms = 3;

        timer_wheel_init(wheel, now_ms);
        timer_arm(wheel, &alarm.timer, now_ms + deadlines[i], on_alarm);
        for (unsigned n_turns = 0; alarm.n_fired == 0; n_turns++) {
            uint32_t wait_ms = timer_wheel_wait_ms(wheel, now_ms, 1000);

            assert_true(wait_ms <= 1000);
            assert_true(n_turns < 4 + deadlines[i] / 1000 * 2); /* it does not spin */
            now_ms += wait_ms;
            timer_wheel_advance(wheel, now_ms);
        }
        assert_true(alarm.fired_ms >= 3 + deadlines[i]);
        assert_true(alarm.fired_ms < 3 + deadlines[i] + TIMER_SLOT_MS);
    }
}

static void the_wait_is_at_most_what_is_asked_and_0_for_what_is_due(void **state)
{
    const struct {
        uint64_t deadline_ms, now_ms;
        uint32_t max_ms, wait_ms;
    } rows[] = {
        {160, 0, 1000, 160},
        {161, 0, 1000, 176},
        {160, 150, 1000, 10},
        {160, 160, 1000, 0},
        {160, 500, 1000, 0},
        {160, 0, 100, 100},
        {160, 0, 160, 160},
        {160, 0, 0, 0},
        {5000, 0, 1000, 1000},
        {ROUND_MS - 16, 0, UINT32_MAX, ROUND_MS - 16},
        /* advance was called last at 0: what has become due since then still counts */
        {4800, 5000, 1000, 0},
        {5600, 5000, 1000, 600},
        {5600, 5000, 100, 100},
    };
    struct timer_wheel *wheel = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct alarm alarm = {.wheel = wheel};

        timer_wheel_init(wheel, 0);
        assert_int_equal(timer_wheel_wait_ms(wheel, rows[i].now_ms, rows[i].max_ms),
                         rows[i].max_ms);
        timer_arm(wheel, &alarm.timer, rows[i].deadline_ms, on_alarm);
        assert_int_equal(timer_wheel_wait_ms(wheel, rows[i].now_ms, rows[i].max_ms),
                         rows[i].wait_ms);
        timer_cancel(wheel, &alarm.timer);
        assert_int_equal(timer_wheel_wait_ms(wheel, rows[i].now_ms, rows[i].max_ms),
                         rows[i].max_ms);
    }
}

static void after_a_long_pause_all_that_is_due_fires_and_nothing_else(void **state)
{
    enum { N = 400 };
    const uint64_t pauses[] = {1, 5, 100};
    struct timer_wheel *wheel = *state;

    for (size_t p = 0; p < sizeof(pauses) / sizeof(pauses[0]); p++) {
        struct alarm alarms[N];
        uint64_t now_ms = 12345, later_ms = now_ms + pauses[p] * ROUND_MS + 77;
        unsigned n_due = 0;

        timer_wheel_init(wheel, now_ms);
        for (size_t i = 0; i < N; i++) {
            uint64_t deadline_ms = now_ms + (uint64_t)i * (later_ms - now_ms) / (N / 2);

            alarms[i] = (struct alarm){.wheel = wheel};
            timer_arm(wheel, &alarms[i].timer, deadline_ms, on_alarm);
            /* of what became due in the last 16 ms the slot may not have come yet */
            n_due += deadline_ms <= later_ms - TIMER_SLOT_MS;
        }
        assert_in_range(timer_wheel_advance(wheel, later_ms), n_due, n_due + 1);
        for (size_t i = 0; i < N; i++) {
            if (alarms[i].timer.deadline_ms <= later_ms - TIMER_SLOT_MS)
                assert_int_equal(alarms[i].n_fired, 1);
            if (alarms[i].timer.deadline_ms > later_ms)
                assert_int_equal(alarms[i].n_fired, 0);
            timer_cancel(wheel, &alarms[i].timer);
        }
        assert_int_equal(wheel->n_armed, 0);
    }
}

static void arming_an_armed_timer_moves_it(void **state)
{
    struct timer_wheel *wheel = *state;
    struct alarm alarm = {.wheel = wheel};

    timer_wheel_init(wheel, 0);
    timer_arm(wheel, &alarm.timer, 100, on_alarm);
    timer_arm(wheel, &alarm.timer, 500, on_alarm);
    assert_int_equal(wheel->n_armed, 1);
    assert_int_equal(timer_wheel_advance(wheel, 499), 0);
    timer_arm(wheel, &alarm.timer, 500 + 3 * ROUND_MS, on_alarm);
    assert_int_equal(timer_wheel_advance(wheel, 1000), 0);
    timer_arm(wheel, &alarm.timer, 1024, on_alarm);
    assert_int_equal(timer_wheel_advance(wheel, 1024), 1);
}

static void a_cancelled_timer_does_not_fire_and_cancelling_twice_is_fine(void **state)
{
    struct timer_wheel *wheel = *state;
    struct alarm alarms[3] = {{.wheel = wheel}, {.wheel = wheel}, {.wheel = wheel}};

    timer_wheel_init(wheel, 0);
    for (size_t k = 0; k < 3; k++) { /* the first, the middle and the last of a slot's list */
        for (size_t i = 0; i < 3; i++) {
            alarms[i].n_fired = 0;
            timer_arm(wheel, &alarms[i].timer, 100 + k * 1000, on_alarm);
        }
        timer_cancel(wheel, &alarms[k].timer);
        timer_cancel(wheel, &alarms[k].timer);
        assert_false(timer_is_armed(&alarms[k].timer));
        assert_int_equal(timer_wheel_advance(wheel, 200 + k * 1000), 2);
        assert_int_equal(alarms[k].n_fired, 0);
    }
    timer_cancel(wheel, &alarms[0].timer);
    assert_int_equal(wheel->n_armed, 0);
}

/* All in one slot; whoever fires first keeps the other from firing. */
static void a_callback_may_cancel_a_timer_that_is_due_too(void **state)
{
    struct timer_wheel *wheel = *state;

    for (size_t k = 0; k < 3; k++) {
        struct alarm alarms[3] = {{.wheel = wheel}, {.wheel = wheel}, {.wheel = wheel}};

        timer_wheel_init(wheel, 0);
        for (size_t i = 0; i < 3; i++)
            timer_arm(wheel, &alarms[i].timer, 100, on_alarm);
        alarms[k].cancel = &alarms[(k + 1) % 3];
        alarms[(k + 1) % 3].cancel = &alarms[k];
        assert_int_equal(timer_wheel_advance(wheel, 200), 2);
        assert_int_equal(alarms[k].n_fired + alarms[(k + 1) % 3].n_fired, 1);
        assert_int_equal(alarms[(k + 2) % 3].n_fired, 1);
        assert_int_equal(wheel->n_armed, 0);
    }
}

static void a_callback_may_arm_a_timer_that_is_due_too_which_then_fires_later(void **state)
{
    struct timer_wheel *wheel = *state;
    struct alarm a = {.wheel = wheel}, b = {.wheel = wheel};

    timer_wheel_init(wheel, 0);
    timer_arm(wheel, &a.timer, 100, on_alarm);
    timer_arm(wheel, &b.timer, 100, on_alarm);
    a.arm = &b;
    b.arm = &a;
    assert_int_equal(timer_wheel_advance(wheel, 200), 1);
    assert_int_equal(wheel->n_armed, 1);
    a.arm = b.arm = NULL;
    assert_int_equal(timer_wheel_advance(wheel, 216), 1);
    assert_int_equal(wheel->n_armed, 0);
}

static void a_callback_that_arms_its_timer_fires_once_in_one_call(void **state)
{
    const struct {
        uint64_t rearm_ms, due_ms;
    } rows[] = {
        {1, 40016},                           /* long past: the next slot */
        {40000, 40016},                       /* now */
        {40001, 40016},                       /* soon */
        {40016, 40016},                       /* the next slot */
        {40000 + ROUND_MS, 40000 + ROUND_MS}, /* the same slot, a round later */
        {40000 + 2 * ROUND_MS, 40000 + 2 * ROUND_MS},
        {100 + 2 * ROUND_MS, 112 + 2 * ROUND_MS}, /* a slot that this call has not seen yet */
    };
    const uint64_t pauses[] = {0, ROUND_MS / 2, ROUND_MS};
    const size_t n_rows = sizeof(rows) / sizeof(rows[0]);
    struct timer_wheel *wheel = *state;

    for (size_t i = 0; i < 3 * n_rows; i++) {
        struct alarm alarm = {.wheel = wheel, .rearm_ms = rows[i / 3].rearm_ms};
        uint64_t due_ms = rows[i / 3].due_ms;

        timer_wheel_init(wheel, 40000 - pauses[i % 3]);
        timer_arm(wheel, &alarm.timer, 40000 - pauses[i % 3], on_alarm);
        assert_int_equal(timer_wheel_advance(wheel, 40000), 1);
        assert_true(timer_is_armed(&alarm.timer));
        alarm.rearm_ms = 0;
        assert_int_equal(timer_wheel_advance(wheel, due_ms - 1), 0);
        assert_int_equal(timer_wheel_advance(wheel, due_ms), 1);
    }
}

static void free_alarm(struct timer *timer, uint64_t now_ms)
{
    (void)now_ms;
    mem_free(timer);
}

static void a_callback_may_free_its_own_timer(void **state)
{
    struct timer_wheel *wheel = *state;

    timer_wheel_init(wheel, 0);
    for (size_t i = 0; i < 100; i++) {
        struct timer *timer = mem_calloc(1, sizeof(*timer));

        timer_arm(wheel, timer, 100 + i / 3 * 20 + i % 2 * ROUND_MS, free_alarm);
    }
    assert_int_equal(timer_wheel_advance(wheel, ROUND_MS), 50);
    assert_int_equal(timer_wheel_advance(wheel, 2 * ROUND_MS), 50);
    assert_int_equal(wheel->n_armed, 0);
}

static void a_clock_that_stands_still_fires_nothing_twice(void **state)
{
    struct timer_wheel *wheel = *state;
    struct alarm alarm = {.wheel = wheel};

    timer_wheel_init(wheel, 1600);
    timer_arm(wheel, &alarm.timer, 1600, on_alarm);
    assert_int_equal(timer_wheel_advance(wheel, 1600), 1);
    timer_arm(wheel, &alarm.timer, 1616, on_alarm);
    assert_int_equal(timer_wheel_advance(wheel, 1600), 0);
    assert_int_equal(timer_wheel_advance(wheel, 1500), 0);
    assert_int_equal(timer_wheel_advance(wheel, 1616), 1);
}

static void the_end_of_time_never_comes(void **state)
{
    const uint64_t deadlines[] = {UINT64_MAX, UINT64_MAX - 1, UINT64_MAX - 15, UINT64_MAX - 16};
    struct timer_wheel *wheel = *state;

    for (size_t i = 0; i < sizeof(deadlines) / sizeof(deadlines[0]); i++) {
        struct alarm alarm = {.wheel = wheel};

        timer_wheel_init(wheel, 5000);
        timer_arm(wheel, &alarm.timer, deadlines[i], on_alarm);
        for (uint64_t now_ms = 5000; now_ms < 5000 + 3 * ROUND_MS; now_ms += 16)
            assert_int_equal(timer_wheel_advance(wheel, now_ms), 0);
        assert_true(timer_is_armed(&alarm.timer));
    }
}

/* Many timers, moved and cancelled at random, against their deadlines. */
static void any_sequence_of_calls_fires_each_timer_in_its_time(void **state)
{
    enum { N = 200, N_STEPS = 20000 };
    struct timer_wheel *wheel = *state;

    for (uint64_t seed = 0; seed < 5; seed++) {
        struct rng rng = {seed};
        struct alarm *alarms = mem_calloc(N, sizeof(*alarms));
        uint64_t now_ms = rng_below(&rng, 1 << 20);

        timer_wheel_init(wheel, now_ms);
        for (size_t step = 0; step < N_STEPS; step++) {
            struct alarm *alarm = &alarms[rng_below(&rng, N)];
            size_t span = rng_one_in(&rng, 4) ? 3 * ROUND_MS : 3000;
            uint64_t n_armed = 0;

            alarm->wheel = wheel;
            if (rng_one_in(&rng, 5)) {
                timer_cancel(wheel, &alarm->timer);
            } else if (!rng_one_in(&rng, 3)) {
                alarm->n_fired = 0;
                timer_arm(wheel, &alarm->timer, now_ms + rng_below(&rng, span), on_alarm);
            } else {
                now_ms +=
                    rng_one_in(&rng, 50) ? rng_below(&rng, 2 * ROUND_MS) : rng_below(&rng, 100);
                timer_wheel_advance(wheel, now_ms);
            }
            for (size_t i = 0; i < N; i++) {
                n_armed += timer_is_armed(&alarms[i].timer);
                assert_in_range(alarms[i].n_fired, 0, 1);
                if (alarms[i].n_fired == 1)
                    assert_true(alarms[i].timer.deadline_ms <= alarms[i].fired_ms &&
                                !timer_is_armed(&alarms[i].timer));
                else if (timer_is_armed(&alarms[i].timer))
                    assert_true(alarms[i].timer.deadline_ms + TIMER_SLOT_MS > now_ms);
            }
            assert_int_equal(wheel->n_armed, n_armed);
        }
        mem_free(alarms);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_timer_fires_never_early_and_at_most_a_slot_late),
        TEST(waiting_as_told_is_as_good_as_looking_all_the_time),
        TEST(the_wait_is_at_most_what_is_asked_and_0_for_what_is_due),
        TEST(after_a_long_pause_all_that_is_due_fires_and_nothing_else),
        TEST(arming_an_armed_timer_moves_it),
        TEST(a_cancelled_timer_does_not_fire_and_cancelling_twice_is_fine),
        TEST(a_callback_may_cancel_a_timer_that_is_due_too),
        TEST(a_callback_may_arm_a_timer_that_is_due_too_which_then_fires_later),
        TEST(a_callback_that_arms_its_timer_fires_once_in_one_call),
        TEST(a_callback_may_free_its_own_timer),
        TEST(a_clock_that_stands_still_fires_nothing_twice),
        TEST(the_end_of_time_never_comes),
        TEST(any_sequence_of_calls_fires_each_timer_in_its_time),
    };

    return cmocka_run_group_tests_name("gateway/worker/timer", tests, NULL, NULL);
}
