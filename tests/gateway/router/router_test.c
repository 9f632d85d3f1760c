#include "tests/test.h"
#include "tests/random.h"
#include "tests/gateway/router/crowd.h"
#include <stdio.h>
#include "base/mem.h"

static const struct slice topic = SLICE("/topic/a");

/* --- subscriptions --- */

static void an_id_is_unique_for_its_receiver_only(void **state)
{
    struct crowd *f = *state;

    crowd_subscribe(f, 0, "a", topic);
    assert_false(
        router_subscribe(&f->h->router, &f->receivers[0], slice_str("a"), slice_str("/other")));
    assert_false(router_subscribe(&f->h->router, &f->receivers[0], slice_str("a"), topic));
    assert_int_equal(interest_find(&f->h->interest, slice_str("/other"), NULL), 0);
    assert_int_equal(f->receivers[0].subscriptions.n, 1);
    crowd_subscribe(f, 1, "a", topic);
    crowd_subscribe(f, 0, "b", topic); /* the same destination twice is two subscriptions */
    crowd_unsubscribe(f, 0, "a");
    crowd_subscribe(f, 0, "a", slice_str("/other"));
    assert_int_equal(harness_metric(f->h, METRIC_SUBSCRIPTIONS), 3);
}

static void a_subscription_is_found_by_its_id_and_knows_its_destination(void **state)
{
    const struct slice ids[] = {{NULL, 0}, SLICE("a"), SLICE("b"), SLICE("a\0"), SLICE("A")};
    struct crowd *f = *state;
    struct router *router = &f->h->router;

    for (size_t i = 0; i < 5; i++)
        assert_null(receiver_find(&f->receivers[0], router, ids[i]));
    for (size_t i = 0; i < 4; i++)
        assert_true(
            router_subscribe(router, &f->receivers[0], ids[i], i == 2 ? slice_str("") : ids[i]));
    for (size_t i = 0; i < 4; i++)
        assert_true(
            slice_eq(subscription_destination(receiver_find(&f->receivers[0], router, ids[i])),
                     i == 2 ? slice_str("") : ids[i]));
    assert_null(receiver_find(&f->receivers[0], router, ids[4]));
    assert_null(receiver_find(&f->receivers[1], router, ids[1]));
}

static void a_thousand_subscriptions_of_a_receiver_are_all_found_and_each_may_go(void **state)
{
    enum { N = 1000 };
    struct crowd *f = *state;
    struct rng rng = {7};
    size_t order[N];
    char id[16];

    for (size_t i = 0; i < N; i++) {
        snprintf(id, sizeof(id), "sub-%zu", i);
        crowd_subscribe(f, 0, id, topic);
        order[i] = i;
        for (size_t k = 0; k <= i; k += 1 + i / 20) {
            snprintf(id, sizeof(id), "sub-%zu", k);
            assert_non_null(receiver_find(&f->receivers[0], &f->h->router, slice_str(id)));
        }
    }
    assert_in_range(f->receivers[0].subscriptions.n_buckets, N / 2,
                    2 * N); /* they are not one long list */
    for (size_t n = N; n != 0; n--) {
        size_t k = rng_below(&rng, n);

        snprintf(id, sizeof(id), "sub-%zu", order[k]);
        crowd_unsubscribe(f, 0, id);
        assert_null(receiver_find(&f->receivers[0], &f->h->router, slice_str(id)));
        order[k] = order[n - 1];
        assert_int_equal(f->receivers[0].subscriptions.n, n - 1);
    }
    assert_int_equal(f->h->router.groups.n, 0);
}

static void a_destination_is_in_the_interest_table_while_it_has_subscribers(void **state)
{
    struct crowd *f = *state;
    uint64_t n;

    crowd_subscribe_first(f, 3, "a", topic);
    assert_int_equal(interest_find(&f->h->interest, topic, &n), 1 << HARNESS_WORKER);
    assert_int_equal(n, 3);
    receiver_leave(&f->receivers[0], &f->h->router);
    receiver_end_subscriptions(&f->receivers[1], &f->h->router);
    receiver_end_subscriptions(&f->receivers[1], &f->h->router);
    (void)interest_find(&f->h->interest, topic, &n);
    assert_int_equal(n, 1);
    crowd_unsubscribe(f, 2, "a");
    assert_int_equal(interest_find(&f->h->interest, topic, &n), 0);
    assert_int_equal(n, 0);
}

/* --- publishing --- */

static void a_message_reaches_every_subscription_with_its_own_id(void **state)
{
    const size_t sizes[] = {1, CROWD_FEW, CROWD_FEW + 1, CROWD_MANY};
    const size_t lens[] = {0, 10, 3000, 4096, 70000, 1 << 20};
    struct crowd *f = *state;
    char *body = mem_alloc(1 << 20);

    memset(body, 'b', 1 << 20);
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < sizes[i]; k++) {
            crowd_subscribe(f, k, "mine", topic);
            crowd_subscribe(f, k + 20, "other", topic);
        }
        crowd_subscribe(f, 40, "mine", slice_str("/topic/b"));
        for (size_t k = 0; k < 6; k++) {
            struct msg *msg = harness_message(f->h, topic, slice_of(body, lens[k]));

            assert_int_equal(router_publish(&f->h->router, msg, NULL), 2 * sizes[i]);
            router_distribute(&f->h->router);
            harness_expect(&f->expected, WIRE_WEBSOCKET, msg, "mine");
            for (size_t j = 0; j < sizes[i]; j++)
                crowd_assert_gets_expected(f, j);
            crowd_expect_nothing(f);
            harness_expect(&f->expected, WIRE_WEBSOCKET, msg, "other");
            for (size_t j = 0; j < sizes[i]; j++)
                crowd_assert_gets_expected(f, j + 20);
            crowd_expect_nothing(f);
            crowd_assert_gets_expected(f, 40);
            msg_unref(msg);
        }
        for (size_t k = 0; k < 100; k++)
            receiver_end_subscriptions(&f->receivers[k], &f->h->router);
    }
    mem_free(body);
}

static void receivers_of_another_wire_form_get_it_in_theirs(void **state)
{
    struct crowd *f = *state;

    for (size_t i = 0; i < CROWD_MANY; i++) {
        receiver_init(&f->receivers[i + 20], &f->h->router, WIRE_WEBSOCKET_RAW);
        crowd_subscribe(f, i, "same", topic);
        crowd_subscribe(f, i + 20, "same", topic);
    }
    assert_int_equal(crowd_publish(f, topic, "hello", NULL, "same"), 2 * CROWD_MANY);
    router_distribute(&f->h->router);
    for (size_t i = 0; i < CROWD_MANY; i++)
        crowd_assert_gets_expected(f, i);
    crowd_expect_nothing(f);
    harness_expect_frame(&f->expected, true, slice_str("hello"));
    for (size_t i = 0; i < CROWD_MANY; i++)
        crowd_assert_gets_expected(f, i + 20);
}

static void order_holds_over_groups_whether_logged_or_copied(void **state)
{
    struct crowd *f = *state;

    crowd_subscribe_first(f, CROWD_MANY, "many", topic);
    for (size_t i = 0; i < CROWD_FEW; i++)
        crowd_subscribe(f, i, "few", slice_str("/topic/b"));
    for (int i = 0; i < 20; i++) {
        crowd_publish(f, topic, "by the log", NULL, "many");
        if (i % 3 == 0)
            crowd_publish(f, topic, "the same segment", NULL, "many");
        crowd_publish(f, slice_str("/topic/b"), "at once", NULL, "few");
    }
    router_distribute(&f->h->router);
    for (size_t i = 0; i < CROWD_FEW; i++)
        crowd_assert_gets_expected(f, i);
}

static void publishing_mails_every_other_worker_with_subscribers_once(void **state)
{
    const unsigned peers[] = {0, 1, 63};
    struct crowd *f = *state;
    struct interest_entry *entry = NULL;

    assert_int_equal(crowd_publish(f, topic, "nobody", NULL, NULL), 0);
    for (size_t i = 0; i < 3; i++) {
        entry = interest_acquire(&f->h->interest, topic, peers[i]);
        interest_count(entry, 10);
    }
    assert_int_equal(crowd_publish(f, topic, "peers only", NULL, NULL), 30);
    assert_int_equal(f->h->n_wakes, 0); /* nothing happens on this worker: the mail wakes it */
    crowd_subscribe_first(f, 2, "a", topic);
    assert_int_equal(crowd_publish(f, topic, "and own", NULL, NULL), 32);
    assert_true(f->h->n_wakes > 0);
    for (unsigned i = 0; i < INTEREST_MAX_WORKERS; i++)
        assert_int_equal(f->h->n_mailed[i], i == 0 || i == 1 || i == 63 ? 2 : 0);
    assert_int_equal(harness_metric(f->h, METRIC_MAILED), 6);
    for (size_t i = 0; i < 3; i++) {
        interest_count(entry, -10);
        interest_release(&f->h->interest, entry, peers[i]);
    }
}

static void mail_is_delivered_here_and_not_mailed_on(void **state)
{
    struct crowd *f = *state;
    struct interest_entry *entry = interest_acquire(&f->h->interest, topic, 5);
    struct msg *msg = harness_message(f->h, topic, slice_str("mail"));

    router_deliver(&f->h->router, msg, NULL);
    crowd_subscribe_first(f, CROWD_MANY, "a", topic);
    router_deliver(&f->h->router, msg, NULL);
    router_distribute(&f->h->router);
    harness_expect(&f->expected, WIRE_WEBSOCKET, msg, "a");
    for (size_t i = 0; i < CROWD_MANY; i++)
        crowd_assert_gets_expected(f, i);
    assert_int_equal(f->h->n_mailed[5], 0);
    msg_unref(msg);
    interest_release(&f->h->interest, entry, 5);
}

static void except_gets_nothing_and_is_not_counted_as_delivered(void **state)
{
    const size_t sizes[] = {1, CROWD_FEW, CROWD_FEW + 1, CROWD_MANY};

    for (size_t i = 0; i < 4; i++) {
        struct crowd *f = *state;
        size_t n = sizes[i];
        uint64_t before = harness_metric(f->h, METRIC_DELIVERED);

        crowd_subscribe_first(f, n, "a", topic);
        crowd_subscribe(f, 50, "a", slice_str("/elsewhere"));
        assert_int_equal(crowd_publish(f, topic, "for all", NULL, "a"), n);
        assert_int_equal(crowd_publish(f, topic, "not for 0", &f->receivers[0], NULL), n);
        assert_int_equal(crowd_publish(f, topic, "nor this", &f->receivers[0], NULL), n);
        crowd_publish(f, topic, "for all again", NULL, "a");
        assert_int_equal(f->h->router.tick_deliveries, 4 * n - 2);
        assert_int_equal(harness_metric(f->h, METRIC_DELIVERED) - before, 4 * n - 2);
        /* who is no member of the group makes no difference */
        crowd_publish(f, topic, "not for 50", &f->receivers[50], "a");
        assert_int_equal(harness_metric(f->h, METRIC_DELIVERED) - before, 5 * n - 2);
        router_distribute(&f->h->router);
        crowd_assert_gets_expected(f, 0);
        for (size_t k = 1; k < n; k++) {
            harness_write(&f->receivers[k], f->receivers[k].outq.bytes, &f->got);
            assert_true(f->got.len > f->expected.len);
            buf_consume(&f->got, f->got.len);
        }
        crowd_expect_nothing(f);
        crowd_assert_gets_expected(f, 50);
        crowd_take_all_dirty(f);
        for (size_t k = 0; k < 100; k++)
            receiver_end_subscriptions(&f->receivers[k], &f->h->router);
    }
}

static void receivers_share_the_bytes_of_what_is_logged(void **state)
{
    enum { N = 100, LEN = 20000, N_MESSAGES = 10 };
    struct crowd *f = *state;
    char *body = mem_calloc(1, LEN + 1);

    memset(body, 'x', LEN);
    crowd_subscribe_first(f, N, "a", topic);
    for (int i = 0; i < N_MESSAGES; i++)
        crowd_publish(f, topic, body, NULL, "a");
    router_distribute(&f->h->router);
    /* 20 MB are queued. Chunks of 64 KiB waste a little; the account lags behind as much. */
    assert_in_range(chunk_account_bytes(&f->h->account), LEN * N_MESSAGES - 65536,
                    LEN * N_MESSAGES * 2);
    for (size_t i = 0; i < N; i++)
        crowd_assert_gets_expected(f, i);
    mem_free(body);
}

static void echo_reaches_the_receivers_own_subscriptions_of_the_destination_only(void **state)
{
    struct crowd *f = *state;
    struct msg *msg = harness_message(f->h, topic, slice_str("echo"));

    assert_int_equal(router_echo(&f->h->router, msg, &f->receivers[0]), 0);
    assert_null(router_take_dirty(&f->h->router));
    crowd_subscribe_first(f, CROWD_MANY, "a", topic);
    crowd_subscribe(f, 0, "b", slice_str("/topic/b"));
    crowd_publish(f, topic, "before", NULL, "a");
    assert_int_equal(router_echo(&f->h->router, msg, &f->receivers[0]), 1);
    harness_expect(&f->expected, WIRE_WEBSOCKET, msg, "a");
    assert_ptr_equal(router_take_dirty(&f->h->router), &f->receivers[0]);
    crowd_assert_gets_expected(f, 0);
    crowd_expect_nothing(f);
    crowd_assert_gets_expected(f, 1); /* nothing yet: the log is not distributed */
    crowd_subscribe(f, 0, "c", topic);
    assert_int_equal(router_echo(&f->h->router, msg, &f->receivers[0]), 2);
    msg_unref(msg);
}

static void ids_are_made_of_the_start_the_worker_and_a_number(void **state)
{
    struct crowd *f = *state;
    char id[64];

    assert_slice(router_next_id(&f->h->router, id), "0000000000000abc-2-0");
    assert_slice(router_next_id(&f->h->router, id), "0000000000000abc-2-1");
    f->h->router.next_id = 10;
    assert_slice(router_next_id(&f->h->router, id), "0000000000000abc-2-10");
    f->h->router.next_id = UINT64_MAX;
    assert_slice(router_next_id(&f->h->router, id), "0000000000000abc-2-18446744073709551615");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CROWD_TEST(an_id_is_unique_for_its_receiver_only),
        CROWD_TEST(a_subscription_is_found_by_its_id_and_knows_its_destination),
        CROWD_TEST(a_thousand_subscriptions_of_a_receiver_are_all_found_and_each_may_go),
        CROWD_TEST(a_destination_is_in_the_interest_table_while_it_has_subscribers),
        CROWD_TEST(a_message_reaches_every_subscription_with_its_own_id),
        CROWD_TEST(receivers_of_another_wire_form_get_it_in_theirs),
        CROWD_TEST(order_holds_over_groups_whether_logged_or_copied),
        CROWD_TEST(publishing_mails_every_other_worker_with_subscribers_once),
        CROWD_TEST(mail_is_delivered_here_and_not_mailed_on),
        CROWD_TEST(except_gets_nothing_and_is_not_counted_as_delivered),
        CROWD_TEST(receivers_share_the_bytes_of_what_is_logged),
        CROWD_TEST(echo_reaches_the_receivers_own_subscriptions_of_the_destination_only),
        CROWD_TEST(ids_are_made_of_the_start_the_worker_and_a_number),
    };

    return cmocka_run_group_tests_name("gateway/router/router", tests, NULL, NULL);
}
