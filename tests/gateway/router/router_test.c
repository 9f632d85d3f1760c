#include "tests/test.h"
#include "tests/random.h"
#include "tests/gateway/router/harness.h"
#include <stdio.h>
#include "base/mem.h"

enum { MANY = 10, FEW = 2 }; /* above FEW members a group's messages go by the log */

static const struct slice topic = SLICE("/topic/a");

struct fixture {
    struct harness *h;
    struct receiver receivers[100];
    struct buf expected, got;
};

static int set_up(void **state)
{
    struct fixture *f = mem_calloc(1, sizeof(*f));

    f->h = harness_new();
    for (size_t i = 0; i < 100; i++)
        receiver_init(&f->receivers[i], &f->h->router, WIRE_WEBSOCKET);
    buf_init(&f->expected, SIZE_MAX);
    buf_init(&f->got, SIZE_MAX);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < 100; i++)
        receiver_leave(&f->receivers[i], &f->h->router);
    buf_dispose(&f->expected);
    buf_dispose(&f->got);
    harness_free(f->h);
    mem_free(f);
    return 0;
}

static void subscribe(struct fixture *f, size_t i, const char *id, struct slice destination)
{
    assert_true(router_subscribe(&f->h->router, &f->receivers[i], slice_str(id), destination));
}

static void subscribe_first(struct fixture *f, size_t n, const char *id)
{
    for (size_t i = 0; i < n; i++)
        subscribe(f, i, id, topic);
}

static void unsubscribe(struct fixture *f, size_t i, const char *id)
{
    struct subscription *s = receiver_find(&f->receivers[i], &f->h->router, slice_str(id));

    assert_non_null(s);
    router_unsubscribe(&f->h->router, s);
}

/* Publishes a body; notes what a subscription of that id has to get, unless `id` is NULL. */
static uint64_t publish(struct fixture *f, struct slice destination, const char *body,
                        const struct receiver *except, const char *id)
{
    struct msg *msg = harness_message(f->h, destination, slice_str(body));
    uint64_t n = router_publish(&f->h->router, msg, except);

    if (id != NULL)
        harness_expect(&f->expected, WIRE_WEBSOCKET, msg, id);
    msg_unref(msg);
    return n;
}

/* All that waits for a receiver is what was expected; it is written. */
static void assert_gets_expected(struct fixture *f, size_t i)
{
    harness_write(&f->receivers[i], f->receivers[i].outq.bytes, &f->got);
    assert_int_equal(f->got.len, f->expected.len);
    if (f->got.len != 0)
        assert_memory_equal(f->got.base, f->expected.base, f->got.len);
    buf_consume(&f->got, f->got.len);
}

static void expect_nothing(struct fixture *f)
{
    buf_consume(&f->expected, f->expected.len);
}

static void take_all_dirty(struct fixture *f)
{
    while (router_take_dirty(&f->h->router) != NULL)
        continue;
}

/* --- subscriptions --- */

static void an_id_is_unique_for_its_receiver_only(void **state)
{
    struct fixture *f = *state;

    subscribe(f, 0, "a", topic);
    assert_false(
        router_subscribe(&f->h->router, &f->receivers[0], slice_str("a"), slice_str("/other")));
    assert_false(router_subscribe(&f->h->router, &f->receivers[0], slice_str("a"), topic));
    assert_int_equal(interest_find(&f->h->interest, slice_str("/other"), NULL), 0);
    assert_int_equal(f->receivers[0].subscriptions.n, 1);
    subscribe(f, 1, "a", topic);
    subscribe(f, 0, "b", topic); /* the same destination twice is two subscriptions */
    unsubscribe(f, 0, "a");
    subscribe(f, 0, "a", slice_str("/other"));
    assert_int_equal(harness_metric(f->h, METRIC_SUBSCRIPTIONS), 3);
}

static void a_subscription_is_found_by_its_id_and_knows_its_destination(void **state)
{
    const struct slice ids[] = {{NULL, 0}, SLICE("a"), SLICE("b"), SLICE("a\0"), SLICE("A")};
    struct fixture *f = *state;
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
    struct fixture *f = *state;
    struct rng rng = {7};
    size_t order[N];
    char id[16];

    for (size_t i = 0; i < N; i++) {
        snprintf(id, sizeof(id), "sub-%zu", i);
        subscribe(f, 0, id, topic);
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
        unsubscribe(f, 0, id);
        assert_null(receiver_find(&f->receivers[0], &f->h->router, slice_str(id)));
        order[k] = order[n - 1];
        assert_int_equal(f->receivers[0].subscriptions.n, n - 1);
    }
    assert_int_equal(f->h->router.groups.n, 0);
}

static void a_destination_is_in_the_interest_table_while_it_has_subscribers(void **state)
{
    struct fixture *f = *state;
    uint64_t n;

    subscribe_first(f, 3, "a");
    assert_int_equal(interest_find(&f->h->interest, topic, &n), 1 << HARNESS_WORKER);
    assert_int_equal(n, 3);
    receiver_leave(&f->receivers[0], &f->h->router);
    receiver_end_subscriptions(&f->receivers[1], &f->h->router);
    receiver_end_subscriptions(&f->receivers[1], &f->h->router);
    (void)interest_find(&f->h->interest, topic, &n);
    assert_int_equal(n, 1);
    unsubscribe(f, 2, "a");
    assert_int_equal(interest_find(&f->h->interest, topic, &n), 0);
    assert_int_equal(n, 0);
}

/* --- publishing --- */

static void a_message_reaches_every_subscription_with_its_own_id(void **state)
{
    const size_t sizes[] = {1, FEW, FEW + 1, MANY};
    const size_t lens[] = {0, 10, 3000, 4096, 70000, 1 << 20};
    struct fixture *f = *state;
    char *body = mem_alloc(1 << 20);

    memset(body, 'b', 1 << 20);
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < sizes[i]; k++) {
            subscribe(f, k, "mine", topic);
            subscribe(f, k + 20, "other", topic);
        }
        subscribe(f, 40, "mine", slice_str("/topic/b"));
        for (size_t k = 0; k < 6; k++) {
            struct msg *msg = harness_message(f->h, topic, slice_of(body, lens[k]));

            assert_int_equal(router_publish(&f->h->router, msg, NULL), 2 * sizes[i]);
            router_distribute(&f->h->router);
            harness_expect(&f->expected, WIRE_WEBSOCKET, msg, "mine");
            for (size_t j = 0; j < sizes[i]; j++)
                assert_gets_expected(f, j);
            expect_nothing(f);
            harness_expect(&f->expected, WIRE_WEBSOCKET, msg, "other");
            for (size_t j = 0; j < sizes[i]; j++)
                assert_gets_expected(f, j + 20);
            expect_nothing(f);
            assert_gets_expected(f, 40);
            msg_unref(msg);
        }
        for (size_t k = 0; k < 100; k++)
            receiver_end_subscriptions(&f->receivers[k], &f->h->router);
    }
    mem_free(body);
}

static void receivers_of_another_wire_form_get_it_in_theirs(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < MANY; i++) {
        receiver_init(&f->receivers[i + 20], &f->h->router, WIRE_WEBSOCKET_RAW);
        subscribe(f, i, "same", topic);
        subscribe(f, i + 20, "same", topic);
    }
    assert_int_equal(publish(f, topic, "hello", NULL, "same"), 2 * MANY);
    router_distribute(&f->h->router);
    for (size_t i = 0; i < MANY; i++)
        assert_gets_expected(f, i);
    expect_nothing(f);
    harness_expect_frame(&f->expected, true, slice_str("hello"));
    for (size_t i = 0; i < MANY; i++)
        assert_gets_expected(f, i + 20);
}

static void order_holds_over_groups_whether_logged_or_copied(void **state)
{
    struct fixture *f = *state;

    subscribe_first(f, MANY, "many");
    for (size_t i = 0; i < FEW; i++)
        subscribe(f, i, "few", slice_str("/topic/b"));
    for (int i = 0; i < 20; i++) {
        publish(f, topic, "by the log", NULL, "many");
        if (i % 3 == 0)
            publish(f, topic, "the same segment", NULL, "many");
        publish(f, slice_str("/topic/b"), "at once", NULL, "few");
    }
    router_distribute(&f->h->router);
    for (size_t i = 0; i < FEW; i++)
        assert_gets_expected(f, i);
}

static void publishing_mails_every_other_worker_with_subscribers_once(void **state)
{
    const unsigned peers[] = {0, 1, 63};
    struct fixture *f = *state;
    struct interest_entry *entry = NULL;

    assert_int_equal(publish(f, topic, "nobody", NULL, NULL), 0);
    for (size_t i = 0; i < 3; i++) {
        entry = interest_acquire(&f->h->interest, topic, peers[i]);
        interest_count(entry, 10);
    }
    assert_int_equal(publish(f, topic, "peers only", NULL, NULL), 30);
    assert_int_equal(f->h->n_wakes, 0); /* nothing happens on this worker: the mail wakes it */
    subscribe_first(f, 2, "a");
    assert_int_equal(publish(f, topic, "and own", NULL, NULL), 32);
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
    struct fixture *f = *state;
    struct interest_entry *entry = interest_acquire(&f->h->interest, topic, 5);
    struct msg *msg = harness_message(f->h, topic, slice_str("mail"));

    router_deliver(&f->h->router, msg, NULL);
    subscribe_first(f, MANY, "a");
    router_deliver(&f->h->router, msg, NULL);
    router_distribute(&f->h->router);
    harness_expect(&f->expected, WIRE_WEBSOCKET, msg, "a");
    for (size_t i = 0; i < MANY; i++)
        assert_gets_expected(f, i);
    assert_int_equal(f->h->n_mailed[5], 0);
    msg_unref(msg);
    interest_release(&f->h->interest, entry, 5);
}

static void except_gets_nothing_and_is_not_counted_as_delivered(void **state)
{
    const size_t sizes[] = {1, FEW, FEW + 1, MANY};

    for (size_t i = 0; i < 4; i++) {
        struct fixture *f = *state;
        size_t n = sizes[i];
        uint64_t before = harness_metric(f->h, METRIC_DELIVERED);

        subscribe_first(f, n, "a");
        subscribe(f, 50, "a", slice_str("/elsewhere"));
        assert_int_equal(publish(f, topic, "for all", NULL, "a"), n);
        assert_int_equal(publish(f, topic, "not for 0", &f->receivers[0], NULL), n);
        assert_int_equal(publish(f, topic, "nor this", &f->receivers[0], NULL), n);
        publish(f, topic, "for all again", NULL, "a");
        assert_int_equal(f->h->router.tick_deliveries, 4 * n - 2);
        assert_int_equal(harness_metric(f->h, METRIC_DELIVERED) - before, 4 * n - 2);
        /* who is no member of the group makes no difference */
        publish(f, topic, "not for 50", &f->receivers[50], "a");
        assert_int_equal(harness_metric(f->h, METRIC_DELIVERED) - before, 5 * n - 2);
        router_distribute(&f->h->router);
        assert_gets_expected(f, 0);
        for (size_t k = 1; k < n; k++) {
            harness_write(&f->receivers[k], f->receivers[k].outq.bytes, &f->got);
            assert_true(f->got.len > f->expected.len);
            buf_consume(&f->got, f->got.len);
        }
        expect_nothing(f);
        assert_gets_expected(f, 50);
        take_all_dirty(f);
        for (size_t k = 0; k < 100; k++)
            receiver_end_subscriptions(&f->receivers[k], &f->h->router);
    }
}

static void receivers_share_the_bytes_of_what_is_logged(void **state)
{
    enum { N = 100, LEN = 20000, N_MESSAGES = 10 };
    struct fixture *f = *state;
    char *body = mem_calloc(1, LEN + 1);

    memset(body, 'x', LEN);
    subscribe_first(f, N, "a");
    for (int i = 0; i < N_MESSAGES; i++)
        publish(f, topic, body, NULL, "a");
    router_distribute(&f->h->router);
    /* 20 MB are queued. Chunks of 64 KiB waste a little; the account lags behind as much. */
    assert_in_range(chunk_account_bytes(&f->h->account), LEN * N_MESSAGES - 65536,
                    LEN * N_MESSAGES * 2);
    for (size_t i = 0; i < N; i++)
        assert_gets_expected(f, i);
    mem_free(body);
}

static void echo_reaches_the_receivers_own_subscriptions_of_the_destination_only(void **state)
{
    struct fixture *f = *state;
    struct msg *msg = harness_message(f->h, topic, slice_str("echo"));

    assert_int_equal(router_echo(&f->h->router, msg, &f->receivers[0]), 0);
    assert_null(router_take_dirty(&f->h->router));
    subscribe_first(f, MANY, "a");
    subscribe(f, 0, "b", slice_str("/topic/b"));
    publish(f, topic, "before", NULL, "a");
    assert_int_equal(router_echo(&f->h->router, msg, &f->receivers[0]), 1);
    harness_expect(&f->expected, WIRE_WEBSOCKET, msg, "a");
    assert_ptr_equal(router_take_dirty(&f->h->router), &f->receivers[0]);
    assert_gets_expected(f, 0);
    expect_nothing(f);
    assert_gets_expected(f, 1); /* nothing yet: the log is not distributed */
    subscribe(f, 0, "c", topic);
    assert_int_equal(router_echo(&f->h->router, msg, &f->receivers[0]), 2);
    msg_unref(msg);
}

static void ids_are_made_of_the_start_the_worker_and_a_number(void **state)
{
    struct fixture *f = *state;
    char id[64];

    assert_slice(router_next_id(&f->h->router, id), "0000000000000abc-2-0");
    assert_slice(router_next_id(&f->h->router, id), "0000000000000abc-2-1");
    f->h->router.next_id = 10;
    assert_slice(router_next_id(&f->h->router, id), "0000000000000abc-2-10");
    f->h->router.next_id = UINT64_MAX;
    assert_slice(router_next_id(&f->h->router, id), "0000000000000abc-2-18446744073709551615");
}

/* --- order within a tick --- */

static void a_new_subscription_sees_nothing_older_than_itself(void **state)
{
    struct fixture *f = *state;

    subscribe_first(f, MANY, "a");
    publish(f, topic, "too early", NULL, NULL);
    subscribe(f, 50, "a", topic);
    publish(f, topic, "just right", NULL, "a"); /* in the same segment */
    router_distribute(&f->h->router);
    assert_gets_expected(f, 50);
}

static void a_receiver_made_within_a_tick_sees_nothing_older_than_itself(void **state)
{
    struct fixture *f = *state;

    subscribe_first(f, MANY, "a");
    publish(f, topic, "too early", NULL, NULL);
    receiver_init(&f->receivers[50], &f->h->router, WIRE_WEBSOCKET);
    subscribe(f, 50, "a", topic);
    publish(f, topic, "just right", NULL, "a");
    router_distribute(&f->h->router);
    assert_gets_expected(f, 50);
}

static void a_reply_behind_an_unsubscribe_comes_after_the_last_message(void **state)
{
    struct fixture *f = *state;

    subscribe_first(f, MANY, "a");
    publish(f, topic, "last", NULL, "a");
    unsubscribe(f, 3, "a");
    publish(f, topic, "too late", NULL, NULL);
    memcpy(router_queue_frame(&f->h->router, &f->receivers[3], false, 7), "RECEIPT", 7);
    harness_expect_frame(&f->expected, false, slice_str("RECEIPT"));
    publish(f, topic, "much too late", NULL, NULL);
    router_distribute(&f->h->router);
    assert_gets_expected(f, 3);
}

static void subscribing_again_within_a_tick_gives_no_message_twice(void **state)
{
    struct fixture *f = *state;

    subscribe_first(f, MANY, "a");
    for (int i = 0; i < 5; i++) {
        publish(f, topic, "seen", NULL, "a");
        unsubscribe(f, 0, "a");
        publish(f, topic, "missed", NULL, NULL);
        subscribe(f, 0, "a", topic);
    }
    publish(f, topic, "seen", NULL, "a");
    router_distribute(&f->h->router);
    assert_gets_expected(f, 0);
    expect_nothing(f);
    router_distribute(&f->h->router);
    assert_gets_expected(f, 0);
}

static void a_group_that_the_log_names_stays_until_the_tick_ends(void **state)
{
    struct fixture *f = *state;
    struct router *router = &f->h->router;

    subscribe_first(f, MANY, "a");
    publish(f, topic, "last words", NULL, "a");
    for (size_t i = 0; i < MANY; i++)
        unsubscribe(f, i, "a");
    assert_int_equal(router->groups.n, 1);
    assert_int_equal(publish(f, topic, "to nobody", NULL, NULL), 0);
    subscribe(f, 0, "b", topic); /* the destination's second group outlives the first */
    router_distribute(router);
    assert_int_equal(router->groups.n, 1);
    assert_int_equal(router->destinations.tables[DESTINATION_EXACT].n_nodes, 1);
    for (size_t i = 0; i < MANY; i++)
        assert_gets_expected(f, i);
    unsubscribe(f, 0, "b");
    assert_int_equal(router->destinations.tables[DESTINATION_EXACT].n_nodes, 0);
}

static void a_dropped_group_takes_its_destination_along_at_the_end_of_the_tick(void **state)
{
    struct fixture *f = *state;

    subscribe_first(f, MANY, "a");
    for (size_t i = 0; i < MANY; i++)
        subscribe(f, i, "b", slice_str("/topic/b"));
    for (int i = 0; i < 3; i++) { /* several segments each */
        publish(f, topic, "one", NULL, NULL);
        publish(f, slice_str("/topic/b"), "two", NULL, NULL);
    }
    for (size_t i = 0; i < MANY; i++)
        receiver_leave(&f->receivers[i], &f->h->router);
    assert_int_equal(f->h->router.destinations.tables[DESTINATION_EXACT].n_nodes, 2);
    router_distribute(&f->h->router);
    assert_int_equal(f->h->router.groups.n, 0);
    assert_int_equal(f->h->router.destinations.tables[DESTINATION_EXACT].n_nodes, 0);
    assert_int_equal(interest_find(&f->h->interest, topic, NULL), 0);
}

static void who_leaves_gets_nothing_and_the_others_get_theirs(void **state)
{
    const size_t leavers[] = {0, 4, MANY - 1}; /* at each end of the members, and within */

    for (size_t i = 0; i < 3; i++) {
        struct fixture *f = *state;

        for (size_t k = 0; k < MANY; k++)
            receiver_init(&f->receivers[k], &f->h->router, WIRE_WEBSOCKET);
        subscribe_first(f, MANY, "a");
        publish(f, topic, "before", NULL, "a");
        (void)router_queue_bytes(&f->h->router, &f->receivers[leavers[i]], 10);
        receiver_leave(&f->receivers[leavers[i]], &f->h->router);
        receiver_leave(&f->receivers[leavers[i]], &f->h->router);
        publish(f, topic, "after", NULL, "a");
        router_distribute(&f->h->router);
        for (size_t k = 0; k < MANY; k++) {
            if (k != leavers[i])
                assert_gets_expected(f, k);
        }
        assert_true(outq_is_empty(&f->receivers[leavers[i]].outq));
        take_all_dirty(f);
        expect_nothing(f);
        for (size_t k = 0; k < MANY; k++)
            receiver_leave(&f->receivers[k], &f->h->router);
    }
}

static void ending_all_subscriptions_still_delivers_what_was_published(void **state)
{
    struct fixture *f = *state;
    char id[16];

    for (size_t i = 0; i < 30; i++) {
        snprintf(id, sizeof(id), "%zu", i);
        subscribe_first(f, 3, id);
        publish(f, topic, "news", NULL, NULL); /* i + 1 frames: their order is not said */
    }
    receiver_end_subscriptions(&f->receivers[0], &f->h->router);
    assert_int_equal(f->receivers[0].subscriptions.n, 0);
    publish(f, topic, "too late", NULL, NULL);
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
    struct fixture *f = *state;
    char id[16];

    for (size_t k = 0; k < 3; k++) {
        snprintf(id, sizeof(id), "%zu", k);
        for (size_t i = 0; i < MANY; i++)
            subscribe(f, i, id, slice_str(names[k]));
    }
    for (size_t i = 0; i < 40; i++) {
        snprintf(id, sizeof(id), "more-%zu", i);
        subscribe(f, 1, id, slice_str("/quiet"));
    }
    for (size_t i = 0; i < N_MESSAGES; i++) {
        snprintf(id, sizeof(id), "%zu", i * i % 3);
        publish(f, slice_str(names[i * i % 3]), "news", NULL, id);
        if (i == 5) { /* in the middle of a segment, too */
            router_catch_up(&f->h->router, &f->receivers[0]);
            router_catch_up(&f->h->router, &f->receivers[1]);
        }
    }
    assert_in_range(f->h->router.n_log, 4, 40);
    router_catch_up(&f->h->router, &f->receivers[0]);
    router_catch_up(&f->h->router, &f->receivers[1]);
    assert_gets_expected(f, 0);
    assert_gets_expected(f, 1);
    router_distribute(&f->h->router);
    assert_gets_expected(f, 2);
    expect_nothing(f);
    assert_gets_expected(f, 0);
    assert_gets_expected(f, 1);
}

static void messages_of_one_group_make_one_segment(void **state)
{
    struct fixture *f = *state;

    subscribe_first(f, MANY, "a");
    for (int i = 0; i < 20; i++)
        publish(f, topic, "news", NULL, "a");
    assert_int_equal(f->h->router.n_log, 1);
    router_distribute(&f->h->router);
    assert_int_equal(f->h->router.n_log, 0);
    assert_int_equal(f->receivers[0].outq.n, 1);
    assert_gets_expected(f, 0);
}

static void a_write_that_is_half_done_goes_on_where_it_stopped(void **state)
{
    struct fixture *f = *state;

    subscribe_first(f, MANY, "a");
    publish(f, topic, "first", NULL, "a");
    router_distribute(&f->h->router);
    harness_write(&f->receivers[0], 17, &f->got);
    outq_unpin(&f->receivers[0].outq, &f->h->pool);
    publish(f, topic, "second", NULL, "a");
    router_catch_up(&f->h->router, &f->receivers[0]);
    harness_write(&f->receivers[0], 60, &f->got);
    publish(f, topic, "third", NULL, "a");
    router_distribute(&f->h->router);
    assert_gets_expected(f, 0);
}

/* --- who is dirty --- */

static void whoever_gets_something_is_dirty_once(void **state)
{
    struct fixture *f = *state;
    size_t n = 0;
    unsigned n_wakes;

    subscribe_first(f, MANY, "a");
    subscribe(f, 0, "b", topic);
    publish(f, topic, "one", NULL, NULL);
    publish(f, topic, "two", NULL, NULL);
    (void)router_queue_bytes(&f->h->router, &f->receivers[1], 1);
    n_wakes = f->h->n_wakes;
    router_mark_dirty(&f->h->router, &f->receivers[1]);
    assert_int_equal(f->h->n_wakes, n_wakes);
    router_distribute(&f->h->router);
    for (struct receiver *r; (r = router_take_dirty(&f->h->router)) != NULL; n++) {
        assert_false(r->is_dirty);
        assert_true(r >= &f->receivers[0] && r < &f->receivers[MANY]);
        assert_false(outq_is_empty(&r->outq));
    }
    assert_int_equal(n, MANY);
    router_mark_dirty(&f->h->router, &f->receivers[1]); /* again, and the list is whole */
    assert_true(f->h->n_wakes > n_wakes);
    assert_ptr_equal(router_take_dirty(&f->h->router), &f->receivers[1]);
    assert_null(router_take_dirty(&f->h->router));
}

static void whoever_leaves_leaves_the_list_of_the_dirty_too(void **state)
{
    struct fixture *f = *state;
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
    struct fixture *f = *state;

    subscribe_first(f, MANY, "a");
    subscribe(f, 0, "b", topic);
    publish(f, topic, "one", NULL, NULL);
    assert_int_equal(f->h->router.tick_deliveries, MANY + 1);
    publish(f, topic, "two", NULL, NULL);
    assert_int_equal(f->h->router.tick_deliveries, 2 * (MANY + 1));
    router_distribute(&f->h->router);
    assert_int_equal(f->h->router.tick_deliveries, 0);
    assert_int_equal(harness_metric(f->h, METRIC_DELIVERED), 2 * (MANY + 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_id_is_unique_for_its_receiver_only),
        TEST(a_subscription_is_found_by_its_id_and_knows_its_destination),
        TEST(a_thousand_subscriptions_of_a_receiver_are_all_found_and_each_may_go),
        TEST(a_destination_is_in_the_interest_table_while_it_has_subscribers),
        TEST(a_message_reaches_every_subscription_with_its_own_id),
        TEST(receivers_of_another_wire_form_get_it_in_theirs),
        TEST(order_holds_over_groups_whether_logged_or_copied),
        TEST(publishing_mails_every_other_worker_with_subscribers_once),
        TEST(mail_is_delivered_here_and_not_mailed_on),
        TEST(except_gets_nothing_and_is_not_counted_as_delivered),
        TEST(receivers_share_the_bytes_of_what_is_logged),
        TEST(echo_reaches_the_receivers_own_subscriptions_of_the_destination_only),
        TEST(ids_are_made_of_the_start_the_worker_and_a_number),
        TEST(a_new_subscription_sees_nothing_older_than_itself),
        TEST(a_receiver_made_within_a_tick_sees_nothing_older_than_itself),
        TEST(a_reply_behind_an_unsubscribe_comes_after_the_last_message),
        TEST(subscribing_again_within_a_tick_gives_no_message_twice),
        TEST(a_group_that_the_log_names_stays_until_the_tick_ends),
        TEST(a_dropped_group_takes_its_destination_along_at_the_end_of_the_tick),
        TEST(who_leaves_gets_nothing_and_the_others_get_theirs),
        TEST(ending_all_subscriptions_still_delivers_what_was_published),
        TEST(both_ways_to_catch_up_give_the_same),
        TEST(messages_of_one_group_make_one_segment),
        TEST(a_write_that_is_half_done_goes_on_where_it_stopped),
        TEST(whoever_gets_something_is_dirty_once),
        TEST(whoever_leaves_leaves_the_list_of_the_dirty_too),
        TEST(deliveries_of_a_tick_are_counted_until_it_ends),
    };

    return cmocka_run_group_tests_name("gateway/router/router", tests, NULL, NULL);
}
