#include "tests/test.h"
#include "tests/gateway/router/crowd.h"
#include <stdio.h>

/*
 * The order of what one tick brings: the log, who catches up with it when, and who is dirty.
 */

static const struct slice topic = SLICE("/topic/a");

/* --- order within a tick --- */

static void a_new_subscription_sees_nothing_older_than_itself(void **state)
{
    struct crowd *f = *state;

    crowd_subscribe_first(f, CROWD_MANY, "a", topic);
    crowd_publish(f, topic, "too early", NULL, NULL);
    crowd_subscribe(f, 50, "a", topic);
    crowd_publish(f, topic, "just right", NULL, "a"); /* in the same segment */
    router_distribute(&f->h->router);
    crowd_assert_gets_expected(f, 50);
}

static void a_receiver_made_within_a_tick_sees_nothing_older_than_itself(void **state)
{
    struct crowd *f = *state;

    crowd_subscribe_first(f, CROWD_MANY, "a", topic);
    crowd_publish(f, topic, "too early", NULL, NULL);
    receiver_init(&f->receivers[50], &f->h->router, WIRE_WEBSOCKET);
    crowd_subscribe(f, 50, "a", topic);
    crowd_publish(f, topic, "just right", NULL, "a");
    router_distribute(&f->h->router);
    crowd_assert_gets_expected(f, 50);
}

static void a_reply_behind_an_unsubscribe_comes_after_the_last_message(void **state)
{
    struct crowd *f = *state;

    crowd_subscribe_first(f, CROWD_MANY, "a", topic);
    crowd_publish(f, topic, "last", NULL, "a");
    crowd_unsubscribe(f, 3, "a");
    crowd_publish(f, topic, "too late", NULL, NULL);
    memcpy(router_queue_frame(&f->h->router, &f->receivers[3], false, 7), "RECEIPT", 7);
    harness_expect_frame(&f->expected, false, slice_str("RECEIPT"));
    crowd_publish(f, topic, "much too late", NULL, NULL);
    router_distribute(&f->h->router);
    crowd_assert_gets_expected(f, 3);
}

static void subscribing_again_within_a_tick_gives_no_message_twice(void **state)
{
    struct crowd *f = *state;

    crowd_subscribe_first(f, CROWD_MANY, "a", topic);
    for (int i = 0; i < 5; i++) {
        crowd_publish(f, topic, "seen", NULL, "a");
        crowd_unsubscribe(f, 0, "a");
        crowd_publish(f, topic, "missed", NULL, NULL);
        crowd_subscribe(f, 0, "a", topic);
    }
    crowd_publish(f, topic, "seen", NULL, "a");
    router_distribute(&f->h->router);
    crowd_assert_gets_expected(f, 0);
    crowd_expect_nothing(f);
    router_distribute(&f->h->router);
    crowd_assert_gets_expected(f, 0);
}

static void a_group_that_the_log_names_stays_until_the_tick_ends(void **state)
{
    struct crowd *f = *state;
    struct router *router = &f->h->router;

    crowd_subscribe_first(f, CROWD_MANY, "a", topic);
    crowd_publish(f, topic, "last words", NULL, "a");
    for (size_t i = 0; i < CROWD_MANY; i++)
        crowd_unsubscribe(f, i, "a");
    assert_int_equal(router->groups.n, 1);
    assert_int_equal(crowd_publish(f, topic, "to nobody", NULL, NULL), 0);
    crowd_subscribe(f, 0, "b", topic); /* the destination's second group outlives the first */
    router_distribute(router);
    assert_int_equal(router->groups.n, 1);
    assert_int_equal(router->destinations.tables[DESTINATION_EXACT].n_nodes, 1);
    for (size_t i = 0; i < CROWD_MANY; i++)
        crowd_assert_gets_expected(f, i);
    crowd_unsubscribe(f, 0, "b");
    assert_int_equal(router->destinations.tables[DESTINATION_EXACT].n_nodes, 0);
}

static void a_dropped_group_takes_its_destination_along_at_the_end_of_the_tick(void **state)
{
    struct crowd *f = *state;

    crowd_subscribe_first(f, CROWD_MANY, "a", topic);
    for (size_t i = 0; i < CROWD_MANY; i++)
        crowd_subscribe(f, i, "b", slice_str("/topic/b"));
    for (int i = 0; i < 3; i++) { /* several segments each */
        crowd_publish(f, topic, "one", NULL, NULL);
        crowd_publish(f, slice_str("/topic/b"), "two", NULL, NULL);
    }
    for (size_t i = 0; i < CROWD_MANY; i++)
        receiver_leave(&f->receivers[i], &f->h->router);
    assert_int_equal(f->h->router.destinations.tables[DESTINATION_EXACT].n_nodes, 2);
    router_distribute(&f->h->router);
    assert_int_equal(f->h->router.groups.n, 0);
    assert_int_equal(f->h->router.destinations.tables[DESTINATION_EXACT].n_nodes, 0);
    assert_int_equal(interest_find(&f->h->interest, topic, NULL), 0);
}

static void who_leaves_gets_nothing_and_the_others_get_theirs(void **state)
{
    const size_t leavers[] = {0, 4, CROWD_MANY - 1}; /* at each end of the members, and within */

    for (size_t i = 0; i < 3; i++) {
        struct crowd *f = *state;

        for (size_t k = 0; k < CROWD_MANY; k++)
            receiver_init(&f->receivers[k], &f->h->router, WIRE_WEBSOCKET);
        crowd_subscribe_first(f, CROWD_MANY, "a", topic);
        crowd_publish(f, topic, "before", NULL, "a");
        (void)router_queue_bytes(&f->h->router, &f->receivers[leavers[i]], 10);
        receiver_leave(&f->receivers[leavers[i]], &f->h->router);
        receiver_leave(&f->receivers[leavers[i]], &f->h->router);
        crowd_publish(f, topic, "after", NULL, "a");
        router_distribute(&f->h->router);
        for (size_t k = 0; k < CROWD_MANY; k++) {
            if (k != leavers[i])
                crowd_assert_gets_expected(f, k);
        }
        assert_true(outq_is_empty(&f->receivers[leavers[i]].outq));
        crowd_take_all_dirty(f);
        crowd_expect_nothing(f);
        for (size_t k = 0; k < CROWD_MANY; k++)
            receiver_leave(&f->receivers[k], &f->h->router);
    }
}

static void a_tick_like_the_one_before_is_one_piece_to_write(void **state)
{
    struct crowd *f = *state;
    char body[600];

    memset(body, 'b', sizeof(body) - 1);
    body[sizeof(body) - 1] = '\0';
    crowd_subscribe_first(f, CROWD_MANY, "a", topic);
    for (uint32_t n_pieces = 2; n_pieces >= 1; n_pieces--) {
        for (int i = 0; i < 10; i++)
            crowd_publish(f, topic, body, NULL, "a");
        router_distribute(&f->h->router);
        assert_int_equal(f->receivers[3].outq.n, n_pieces);
        for (size_t i = 0; i < CROWD_MANY; i++)
            crowd_assert_gets_expected(f, i);
        crowd_expect_nothing(f);
    }
}

/* --- messages that wait for each other --- */

static const char *own_id(size_t i, char *out)
{
    (void)snprintf(out, 16, "own-%zu", i);
    return out;
}

static void all_subscribe_with_ids_of_their_own(struct crowd *f)
{
    char id[16];

    for (size_t i = 0; i < CROWD_SIZE; i++)
        crowd_subscribe(f, i, own_id(i, id), topic);
}

static void more_messages_than_wait_together_arrive_in_order(void **state)
{
    enum { N_MESSAGES = RUN_MAX * 2 + 5 };
    struct crowd *f = *state;
    char body[16], id[16];

    all_subscribe_with_ids_of_their_own(f);
    for (size_t i = 0; i < N_MESSAGES; i++) {
        (void)snprintf(body, sizeof(body), "%zu", i);
        assert_int_equal(crowd_publish(f, topic, body, NULL, own_id(7, id)), CROWD_SIZE);
    }
    assert_int_equal(f->h->router.run.n, 5);
    router_distribute(&f->h->router);
    assert_int_equal(f->h->router.run.n, 0);
    crowd_assert_gets(f, 7);
    assert_int_equal(crowd_count(f, CROWD_SIZE - 1), N_MESSAGES);
}

static void all_may_leave_while_messages_wait(void **state)
{
    struct crowd *f = *state;

    all_subscribe_with_ids_of_their_own(f);
    crowd_publish(f, topic, "for nobody any more", NULL, NULL);
    assert_int_equal(f->h->router.run.n, 1);
    for (size_t i = 0; i < CROWD_SIZE; i++)
        receiver_leave(&f->receivers[i], &f->h->router);
    assert_int_equal(f->h->router.destinations.tables[DESTINATION_EXACT].n_nodes, 0);
    router_distribute(&f->h->router);
    assert_int_equal(interest_find(&f->h->interest, topic, NULL), 0);
}

static void ending_all_subscriptions_still_delivers_what_was_published(void **state)
{
    struct crowd *f = *state;
    char id[16];

    for (size_t i = 0; i < 30; i++) {
        snprintf(id, sizeof(id), "%zu", i);
        crowd_subscribe_first(f, 3, id, topic);
        crowd_publish(f, topic, "news", NULL, NULL); /* i + 1 frames: their order is not said */
    }
    receiver_end_subscriptions(&f->receivers[0], &f->h->router);
    assert_int_equal(f->receivers[0].subscriptions.n, 0);
    crowd_publish(f, topic, "too late", NULL, NULL);
    router_distribute(&f->h->router);
    harness_write(&f->receivers[0], f->receivers[0].outq.bytes, &f->got);
    for (size_t i = 0; i < 30 * 31 / 2; i++) {
        size_t len = harness_frame_len(buf_slice(&f->got));

        assert_int_not_equal(len, 0);
        buf_consume(&f->got, len);
    }
    assert_int_equal(f->got.len, 0);
}

/* The same history for two receivers, of which one catches up by the chain of its groups'
 * segments and the other, with many subscriptions, by a look at every segment. */
static void both_ways_to_catch_up_give_the_same(void **state)
{
    enum { N_MESSAGES = 12 };
    static const char *const names[] = {"/topic/a", "/topic/b", "/topic/c"};
    struct crowd *f = *state;
    char id[16];

    for (size_t k = 0; k < 3; k++) {
        snprintf(id, sizeof(id), "%zu", k);
        for (size_t i = 0; i < CROWD_MANY; i++)
            crowd_subscribe(f, i, id, slice_str(names[k]));
    }
    for (size_t i = 0; i < 40; i++) {
        snprintf(id, sizeof(id), "more-%zu", i);
        crowd_subscribe(f, 1, id, slice_str("/quiet"));
    }
    for (size_t i = 0; i < N_MESSAGES; i++) {
        snprintf(id, sizeof(id), "%zu", i * i % 3);
        crowd_publish(f, slice_str(names[i * i % 3]), "news", NULL, id);
        if (i == 5) { /* in the middle of a segment, too */
            router_catch_up(&f->h->router, &f->receivers[0]);
            router_catch_up(&f->h->router, &f->receivers[1]);
        }
    }
    assert_in_range(f->h->router.n_log, 4, 40);
    router_catch_up(&f->h->router, &f->receivers[0]);
    router_catch_up(&f->h->router, &f->receivers[1]);
    crowd_assert_gets_expected(f, 0);
    crowd_assert_gets_expected(f, 1);
    router_distribute(&f->h->router);
    crowd_assert_gets_expected(f, 2);
    crowd_expect_nothing(f);
    crowd_assert_gets_expected(f, 0);
    crowd_assert_gets_expected(f, 1);
}

static void messages_of_one_group_make_one_segment(void **state)
{
    struct crowd *f = *state;

    crowd_subscribe_first(f, CROWD_MANY, "a", topic);
    for (int i = 0; i < 20; i++)
        crowd_publish(f, topic, "news", NULL, "a");
    assert_int_equal(f->h->router.n_log, 1);
    router_distribute(&f->h->router);
    assert_int_equal(f->h->router.n_log, 0);
    assert_int_equal(f->receivers[0].outq.n, 1);
    crowd_assert_gets_expected(f, 0);
}

static void a_write_that_is_half_done_goes_on_where_it_stopped(void **state)
{
    struct crowd *f = *state;

    crowd_subscribe_first(f, CROWD_MANY, "a", topic);
    crowd_publish(f, topic, "first", NULL, "a");
    router_distribute(&f->h->router);
    harness_write(&f->receivers[0], 17, &f->got);
    outq_unpin(&f->receivers[0].outq, &f->h->pool);
    crowd_publish(f, topic, "second", NULL, "a");
    router_catch_up(&f->h->router, &f->receivers[0]);
    harness_write(&f->receivers[0], 60, &f->got);
    crowd_publish(f, topic, "third", NULL, "a");
    router_distribute(&f->h->router);
    crowd_assert_gets_expected(f, 0);
}

/* --- who is dirty --- */

static void whoever_gets_something_is_dirty_once(void **state)
{
    struct crowd *f = *state;
    size_t n = 0;
    unsigned n_wakes;

    crowd_subscribe_first(f, CROWD_MANY, "a", topic);
    crowd_subscribe(f, 0, "b", topic);
    crowd_publish(f, topic, "one", NULL, NULL);
    crowd_publish(f, topic, "two", NULL, NULL);
    (void)router_queue_bytes(&f->h->router, &f->receivers[1], 1);
    n_wakes = f->h->n_wakes;
    router_mark_dirty(&f->h->router, &f->receivers[1]);
    assert_int_equal(f->h->n_wakes, n_wakes);
    router_distribute(&f->h->router);
    for (struct receiver *r; (r = router_take_dirty(&f->h->router)) != NULL; n++) {
        assert_false(r->is_dirty);
        assert_true(r >= &f->receivers[0] && r < &f->receivers[CROWD_MANY]);
        assert_false(outq_is_empty(&r->outq));
    }
    assert_int_equal(n, CROWD_MANY);
    router_mark_dirty(&f->h->router, &f->receivers[1]); /* again, and the list is whole */
    assert_true(f->h->n_wakes > n_wakes);
    assert_ptr_equal(router_take_dirty(&f->h->router), &f->receivers[1]);
    assert_null(router_take_dirty(&f->h->router));
}

static void whoever_leaves_leaves_the_list_of_the_dirty_too(void **state)
{
    struct crowd *f = *state;
    struct router *router = &f->h->router;

    /* The first, the last and one within leave a list of five; then one more comes. */
    for (size_t i = 0; i < 5; i++)
        router_mark_dirty(router, &f->receivers[i]);
    receiver_leave(&f->receivers[4], router);
    receiver_leave(&f->receivers[0], router);
    receiver_leave(&f->receivers[2], router);
    router_mark_dirty(router, &f->receivers[4]); /* it is closed: no more */
    router_mark_dirty(router, &f->receivers[5]);
    assert_ptr_equal(router_take_dirty(router), &f->receivers[1]);
    assert_ptr_equal(router_take_dirty(router), &f->receivers[3]);
    assert_ptr_equal(router_take_dirty(router), &f->receivers[5]);
    assert_null(router_take_dirty(router));
    router_mark_dirty(router, &f->receivers[6]);
    receiver_leave(&f->receivers[6], router); /* the only one */
    router_mark_dirty(router, &f->receivers[7]);
    assert_ptr_equal(router_take_dirty(router), &f->receivers[7]);
    assert_null(router_take_dirty(router));
}

static void deliveries_of_a_tick_are_counted_until_it_ends(void **state)
{
    struct crowd *f = *state;

    crowd_subscribe_first(f, CROWD_MANY, "a", topic);
    crowd_subscribe(f, 0, "b", topic);
    crowd_publish(f, topic, "one", NULL, NULL);
    assert_int_equal(f->h->router.tick_deliveries, CROWD_MANY + 1);
    crowd_publish(f, topic, "two", NULL, NULL);
    assert_int_equal(f->h->router.tick_deliveries, 2 * (CROWD_MANY + 1));
    router_distribute(&f->h->router);
    assert_int_equal(f->h->router.tick_deliveries, 0);
    assert_int_equal(harness_metric(f->h, METRIC_DELIVERED), 2 * (CROWD_MANY + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CROWD_TEST(a_new_subscription_sees_nothing_older_than_itself),
        CROWD_TEST(a_receiver_made_within_a_tick_sees_nothing_older_than_itself),
        CROWD_TEST(a_reply_behind_an_unsubscribe_comes_after_the_last_message),
        CROWD_TEST(subscribing_again_within_a_tick_gives_no_message_twice),
        CROWD_TEST(a_group_that_the_log_names_stays_until_the_tick_ends),
        CROWD_TEST(a_dropped_group_takes_its_destination_along_at_the_end_of_the_tick),
        CROWD_TEST(who_leaves_gets_nothing_and_the_others_get_theirs),
        CROWD_TEST(a_tick_like_the_one_before_is_one_piece_to_write),
        CROWD_TEST(more_messages_than_wait_together_arrive_in_order),
        CROWD_TEST(all_may_leave_while_messages_wait),
        CROWD_TEST(ending_all_subscriptions_still_delivers_what_was_published),
        CROWD_TEST(both_ways_to_catch_up_give_the_same),
        CROWD_TEST(messages_of_one_group_make_one_segment),
        CROWD_TEST(a_write_that_is_half_done_goes_on_where_it_stopped),
        CROWD_TEST(whoever_gets_something_is_dirty_once),
        CROWD_TEST(whoever_leaves_leaves_the_list_of_the_dirty_too),
        CROWD_TEST(deliveries_of_a_tick_are_counted_until_it_ends),
    };

    return cmocka_run_group_tests_name("gateway/router/router_tick", tests, NULL, NULL);
}
