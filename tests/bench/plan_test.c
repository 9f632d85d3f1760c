#include "tests/test.h"
#include "base/mem.h"
#include "gateway/bench/plan.h"

static const struct options destinations = {.mode = OPTIONS_DESTINATIONS,
                                            .destination = "/topic/a",
                                            .n_publishers = 3,
                                            .n_clients = 20,
                                            .n_destinations = 30,
                                            .n_subscriptions = 4,
                                            .zipf = 1000000000,
                                            .seed = 1};
static const struct options users = {.mode = OPTIONS_USERS,
                                     .destination = "/topic/a",
                                     .user_destination = "/queue/b",
                                     .secret = "s",
                                     .n_publishers = 2,
                                     .n_clients = 7,
                                     .n_sessions = 3};
static const struct options mixed = {.mode = OPTIONS_MIXED,
                                     .destination = "/topic/a",
                                     .user_destination = "/queue/b",
                                     .secret = "s",
                                     .n_publishers = 2,
                                     .n_clients = 5,
                                     .n_churners = 4,
                                     .n_destinations = 10,
                                     .n_subscriptions = 2,
                                     .fanout_rate = 1,
                                     .echo_rate = 1,
                                     .user_rate = 1};

static void assert_name(char *name, const char *expected)
{
    if (expected == NULL) {
        assert_null(name);
        return;
    }
    assert_string_equal(name, expected);
    mem_free(name);
}

/* What the expected deliveries are computed from must be what is subscribed to. */
static void receivers_are_the_clients_that_have_the_topic(void **state)
{
    const struct options *all[] = {&destinations, &users, &mixed};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const struct options *o = all[i];
        size_t topics[16], n, counts[64] = {0};
        struct plan plan;

        plan_init(&plan, o);
        n = plan_n_topics_of_client(&plan);
        assert_true(n <= 16 && plan.n_topics <= 64);
        for (size_t k = 0; k < o->n_clients; k++) {
            plan_topics_of_client(&plan, o->n_publishers + k, topics);
            for (size_t m = 0; m < n; m++) {
                assert_true(m == 0 || topics[m] > topics[m - 1]);
                counts[topics[m]]++;
            }
        }
        for (size_t k = 0; k < plan.n_topics; k++)
            assert_int_equal(plan.n_receivers[k], counts[k]);
        plan_dispose(&plan);
    }
}

static void the_same_seed_makes_the_same_plan(void **state)
{
    struct options other = destinations;
    size_t a[4], b[4], n_same = 0;
    struct plan plan, again, another;

    (void)state;
    other.seed = 2;
    plan_init(&plan, &destinations);
    plan_init(&again, &destinations);
    plan_init(&another, &other);
    for (size_t i = 3; i < 23; i++) {
        plan_topics_of_client(&plan, i, a);
        plan_topics_of_client(&again, i, b);
        assert_memory_equal(a, b, sizeof(a));
        plan_topics_of_client(&another, i, b);
        n_same += memcmp(a, b, sizeof(a)) == 0;
    }
    assert_true(n_same < 20);
    plan_dispose(&plan);
    plan_dispose(&again);
    plan_dispose(&another);
}

static void a_sender_stays_within_its_part(void **state)
{
    struct dice dice = dice_of(1, 2, 3);
    struct plan plan;

    (void)state;
    plan_init(&plan, &mixed);
    assert_int_equal(plan.n_topics, 10 + 5 + 5);
    for (int i = 0; i < 1000; i++) {
        assert_in_range(plan_draw_topic(&plan, PLAN_SHARED, 0, &dice), 0, 9);
        assert_in_range(plan_draw_topic(&plan, PLAN_USERS, 0, &dice), 10, 14);
        assert_int_equal(plan_draw_topic(&plan, PLAN_ECHOES, 3, &dice), 18);
    }
    assert_int_equal(plan_part_of(&plan, 9), PLAN_SHARED);
    assert_int_equal(plan_part_of(&plan, 10), PLAN_USERS);
    assert_int_equal(plan_part_of(&plan, 14), PLAN_USERS);
    assert_int_equal(plan_part_of(&plan, 15), PLAN_ECHOES);
    plan_dispose(&plan);
}

static void a_part_without_a_rate_is_not_in_a_mixed_run(void **state)
{
    struct options o = mixed;
    struct plan plan;

    (void)state;
    o.user_rate = 0;
    plan_init(&plan, &o);
    assert_int_equal(plan.n_topics, 10 + 5);
    assert_int_equal(plan_n_topics_of_client(&plan), 2 + 1);
    plan_dispose(&plan);
    o.echo_rate = 0;
    o.fanout_rate = 0;
    plan_init(&plan, &o);
    assert_int_equal(plan.n_topics, 10);
    assert_int_equal(plan.parts[PLAN_SHARED].n_senders, 0);
    plan_dispose(&plan);
}

static void names_say_whom_a_topic_is_for(void **state)
{
    struct plan plan;

    (void)state;
    plan_init(&plan, &mixed);
    assert_name(plan_sent_name(&plan, 9), "/topic/a-9");
    assert_name(plan_subscribed_name(&plan, 9), "/topic/a-9");
    assert_name(plan_sent_name(&plan, 11), "/user/user-1/queue/b");
    assert_name(plan_subscribed_name(&plan, 11), "/user/queue/b");
    assert_name(plan_sent_name(&plan, 16), "/topic/a-echo-1");
    assert_name(plan_subscribed_name(&plan, 16), "/topic/a-echo-1");
    plan_dispose(&plan);
}

static void sessions_share_a_user_and_others_have_their_own(void **state)
{
    struct plan plan;

    (void)state;
    plan_init(&plan, &users);
    assert_int_equal(plan.n_topics, 3);
    assert_int_equal(plan.n_receivers[0], 3);
    assert_int_equal(plan.n_receivers[2], 1); /* 7 clients */
    plan_dispose(&plan);
    assert_name(plan_user(&users, 1), "publisher-1");
    assert_name(plan_user(&users, 2), "user-0");
    assert_name(plan_user(&users, 4), "user-0");
    assert_name(plan_user(&users, 5), "user-1");
    assert_name(plan_user(&mixed, 2 + 4), "user-4");
    assert_name(plan_user(&mixed, 2 + 5), "guest-7");
    assert_name(plan_user(&destinations, 5), NULL);
}

static void topic_and_number_share_a_mark(void **state)
{
    (void)state;
    assert_int_equal(plan_pack(12, 34), 12000000034);
    assert_int_equal(plan_unpack_topic(12000000034), 12);
    assert_int_equal(plan_unpack_sequence(12000000034), 34);
    assert_true(plan_pack(3000000, PLAN_SEQUENCES - 1) < UINT64_C(10000000000000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(receivers_are_the_clients_that_have_the_topic),
        cmocka_unit_test(the_same_seed_makes_the_same_plan),
        cmocka_unit_test(a_sender_stays_within_its_part),
        cmocka_unit_test(a_part_without_a_rate_is_not_in_a_mixed_run),
        cmocka_unit_test(names_say_whom_a_topic_is_for),
        cmocka_unit_test(sessions_share_a_user_and_others_have_their_own),
        cmocka_unit_test(topic_and_number_share_a_mark),
    };

    return cmocka_run_group_tests_name("bench/plan", tests, NULL, NULL);
}
