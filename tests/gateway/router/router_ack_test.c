#include "tests/test.h"
#include "tests/gateway/router/crowd.h"
#include <stdio.h>
#include "base/mem.h"

/*
 * Subscriptions whose deliveries are acknowledged, those that are told apart one by one, and what
 * reaches a receiver without a subscription.
 */

static const struct slice topic = SLICE("/topic/a");

/* --- helpers --- */

static struct subscription *subscribe_ack(struct crowd *f, size_t i, const char *id,
                                          enum destination_kind kind, const char *destination,
                                          uint32_t window)
{
    const struct router_subscribe asked = {
        .id = slice_str(id),
        .destination = slice_str(destination),
        .kind = kind,
        .needs_ack = true,
        .ack_window = window,
    };

    return crowd_subscribe_as(f, i, &asked);
}

static struct msg *message(struct crowd *f, const char *destination, const char *body)
{
    return harness_message(f->h, slice_str(destination), slice_str(body));
}

/* What a subscription has to get that acknowledges. */
static void expect_with_ack(struct crowd *f, const struct msg *msg, const char *id,
                            const char *more)
{
    char *lines = mem_printf("ack:%.*s\n%s", SLICE_FMT(msg->id), more);

    harness_expect_lines(&f->expected, WIRE_WEBSOCKET, msg, id, slice_str(lines));
    mem_free(lines);
}

/* Publishes; expects it with an `ack` line for the subscription, unless `id` is NULL. */
static void publish(struct crowd *f, const char *body, const char *id)
{
    struct msg *msg = message(f, "/topic/a", body);

    router_publish(&f->h->router, msg, NULL);
    if (id != NULL)
        expect_with_ack(f, msg, id, "");
    msg_unref(msg);
}

static struct acks *acks_of(const struct subscription *s)
{
    return &group_more(s->group)->acks;
}

static void keep_last(void *ctx, const struct ack_entry *entry)
{
    struct ack_entry *last = ctx;

    *last = *entry;
}

/* --- windows --- */

static void what_is_to_be_acknowledged_has_an_ack_line_and_waits_in_the_window(void **state)
{
    struct crowd *f = *state;
    struct subscription *s = subscribe_ack(f, 0, "a", DESTINATION_EXACT, "/topic/a", 10);
    struct msg *msg = message(f, "/topic/a", "news");
    struct ack_entry entry = {.tag = 7}, id;

    crowd_subscribe(f, 0, "plain", topic);
    crowd_subscribe(f, 1, "a", topic); /* the same id, and no acknowledgements */
    assert_int_equal(router_publish(&f->h->router, msg, NULL), 3);
    assert_int_equal(acks_count(acks_of(s)), 1);
    assert_true(router_read_id(&f->h->router, msg->id, &id));
    assert_true(acks_take_one(acks_of(s), id.worker, id.number, &entry));
    assert_int_equal(entry.tag, 0);
    assert_int_equal(crowd_count(f, 0), 2);
    crowd_unsubscribe(f, 0, "plain");
    router_publish(&f->h->router, msg, NULL);
    expect_with_ack(f, msg, "a", "");
    crowd_assert_gets(f, 0);
    harness_expect(&f->expected, WIRE_WEBSOCKET, msg, "a");
    harness_expect(&f->expected, WIRE_WEBSOCKET, msg, "a");
    crowd_assert_gets(f, 1);
    msg_unref(msg);
}

static void equal_subscriptions_that_acknowledge_have_a_window_each(void **state)
{
    struct crowd *f = *state;
    struct subscription *all[CROWD_MANY];

    for (size_t i = 0; i < CROWD_MANY; i++)
        all[i] = subscribe_ack(f, i, "a", DESTINATION_EXACT, "/topic/a", (uint32_t)i + 1);
    for (size_t n = 0; n < 3; n++)
        publish(f, "news", NULL);
    assert_int_equal(f->h->router.n_log, 0);
    for (size_t i = 0; i < CROWD_MANY; i++) {
        assert_int_equal(acks_count(acks_of(all[i])), i < 2 ? i + 1 : 3);
        assert_int_equal(f->receivers[i].is_window_full, i < 2);
        assert_int_equal(crowd_count(f, i), i < 2 ? i + 1 : 3);
        for (size_t k = 0; k < i; k++)
            assert_ptr_not_equal(all[i]->group, all[k]->group);
    }
}

static void a_full_window_is_told_and_disturbs_nobody_else(void **state)
{
    struct crowd *f = *state;
    struct subscription *s = subscribe_ack(f, 0, "a", DESTINATION_EXACT, "/topic/a", 2);
    uint64_t before = harness_metric(f->h, METRIC_DELIVERED);
    struct ack_entry entry;

    crowd_subscribe(f, 0, "b", slice_str("/topic/b"));
    for (size_t i = 1; i <= CROWD_MANY; i++)
        crowd_subscribe(f, i, "p", topic);
    publish(f, "one", "a");
    publish(f, "two", "a");
    assert_false(f->receivers[0].is_window_full);
    crowd_assert_gets(f, 0);
    router_distribute(&f->h->router);
    crowd_take_all_dirty(f);
    assert_int_equal(harness_metric(f->h, METRIC_DELIVERED) - before, 2 * (CROWD_MANY + 1));
    publish(f, "too much", NULL);
    assert_true(f->receivers[0].is_window_full);
    assert_true(f->receivers[0].is_dirty); /* its owner has to look at it */
    assert_int_equal(harness_metric(f->h, METRIC_DELIVERED) - before, 3 * CROWD_MANY + 2);
    assert_int_equal(acks_count(acks_of(s)), 2);
    crowd_publish(f, slice_str("/topic/b"), "another subscription", NULL, "b");
    router_distribute(&f->h->router);
    crowd_assert_gets(f, 0);
    for (size_t i = 1; i <= CROWD_MANY; i++)
        assert_int_equal(crowd_count(f, i), 3);
    /* There is room again for what comes after an ACK. */
    assert_int_equal(acks_take_through(acks_of(s), HARNESS_WORKER, 1, keep_last, &entry), 2);
    publish(f, "three", "a");
    crowd_assert_gets(f, 0);
}

static void except_does_not_fill_its_window(void **state)
{
    struct crowd *f = *state;
    struct subscription *s = subscribe_ack(f, 0, "a", DESTINATION_EXACT, "/topic/a", 1);

    for (int i = 0; i < 3; i++)
        crowd_publish(f, topic, "of its own", &f->receivers[0], NULL);
    assert_int_equal(acks_count(acks_of(s)), 0);
    assert_false(f->receivers[0].is_window_full);
    assert_int_equal(crowd_count(f, 0), 0);
}

static void an_echo_is_acknowledged_too(void **state)
{
    struct crowd *f = *state;
    struct subscription *s = subscribe_ack(f, 0, "a", DESTINATION_PATTERN, "/topic/*", 1);
    struct msg *messages[] = {message(f, "/topic/a", "one"), message(f, "/topic/a", "two")};

    assert_int_equal(router_echo(&f->h->router, messages[0], &f->receivers[0]), 1);
    assert_int_equal(acks_count(acks_of(s)), 1);
    assert_false(f->receivers[0].is_window_full);
    assert_int_equal(router_echo(&f->h->router, messages[1], &f->receivers[0]), 0);
    assert_true(f->receivers[0].is_window_full);
    expect_with_ack(f, messages[0], "a", "");
    crowd_assert_gets(f, 0);
    msg_unref(messages[0]);
    msg_unref(messages[1]);
}

static void patterns_bound_ones_and_selectors_have_windows_as_well(void **state)
{
    struct crowd *f = *state;
    struct router_subscribe asked = {
        .id = SLICE("s"),
        .destination = SLICE("/topic/a"),
        .kind = DESTINATION_EXACT,
        .needs_ack = true,
        .ack_window = 1,
    };
    const char *const bound_name = "/queue/a-user00112233445566778899aabbccddeeff";
    struct subscription *pattern = subscribe_ack(f, 0, "p", DESTINATION_PATTERN, "/topic/*", 5);
    struct subscription *bound = subscribe_ack(f, 1, "b", DESTINATION_BOUND, bound_name, 5);
    struct subscription *selecting;
    struct msg *msg = message(f, "/topic/a", "news"), *to_one;

    assert_int_equal(selector_new(slice_str("headers.none == 'x'"), &asked.selector), SELECTOR_OK);
    selecting = crowd_subscribe_as(f, 2, &asked);
    selector_unref(asked.selector);
    assert_int_equal(router_publish(&f->h->router, msg, NULL), 2);
    to_one = msg_new_bound(msg, slice_str(bound_name));
    router_send_bound(&f->h->router, HARNESS_WORKER, to_one);
    assert_int_equal(acks_count(acks_of(pattern)), 1);
    assert_int_equal(acks_count(acks_of(bound)), 1);
    assert_int_equal(acks_count(acks_of(selecting)), 0); /* what it does not want takes no room */
    expect_with_ack(f, msg, "p", "");
    crowd_assert_gets(f, 0);
    expect_with_ack(f, msg, "b", "");
    crowd_assert_gets(f, 1);
    crowd_assert_gets(f, 2);
    msg_unref(to_one);
    msg_unref(msg);
}

static void a_receivers_windows_are_listed_and_added_up(void **state)
{
    struct crowd *f = *state;
    struct receiver *receiver = &f->receivers[0];
    const uint32_t windows[] = {3, 50, 700};
    char id[] = "0";
    size_t n = 0;

    crowd_subscribe(f, 0, "plain", topic);
    assert_true(LIST_EMPTY(&receiver->ack_groups));
    for (size_t i = 0; i < 3; i++, id[0]++)
        subscribe_ack(f, 0, id, DESTINATION_EXACT, "/topic/a", windows[i]);
    assert_int_equal(receiver->ack_windows, 753);
    crowd_unsubscribe(f, 0, "1");
    crowd_unsubscribe(f, 0, "plain");
    assert_int_equal(receiver->ack_windows, 703);
    for (const struct group_more *more = LIST_FIRST(&receiver->ack_groups); more != NULL;
         more = LIST_NEXT(more, ack_link), n++)
        assert_ptr_equal(group_of_more(more)->single->receiver, receiver);
    assert_int_equal(n, 2);
    publish(f, "one that nobody acknowledges", NULL);
    receiver_end_subscriptions(receiver, &f->h->router);
    assert_true(LIST_EMPTY(&receiver->ack_groups));
    assert_int_equal(receiver->ack_windows, 0);
}

/* --- one by one --- */

static void one_delivery_has_lines_of_its_own_and_a_tag(void **state)
{
    static const char *const lines[] = {"redelivered:true\nx-delivery-count:2\n", "", "x:y\n"};
    struct crowd *f = *state;
    struct subscription *s = subscribe_ack(f, 0, "q", DESTINATION_QUEUE, "/queue/a", 3);
    struct ack_entry entry = {.tag = 0};

    for (size_t i = 0; i < 3; i++) {
        struct msg *msg = message(f, "/queue/a", "job");

        assert_true(router_deliver_one(&f->h->router, s, msg, slice_str(lines[i]), 100 + i));
        expect_with_ack(f, msg, "q", lines[i]);
        msg_unref(msg);
    }
    crowd_assert_gets(f, 0);
    for (size_t i = 0; i < 3; i++) {
        assert_true(acks_take_one(acks_of(s), HARNESS_WORKER, i, &entry));
        assert_int_equal(entry.tag, 100 + i);
    }
}

static void one_delivery_to_a_full_window_is_refused(void **state)
{
    struct crowd *f = *state;
    struct subscription *s = subscribe_ack(f, 0, "q", DESTINATION_QUEUE, "/queue/a", 1);
    struct msg *messages[] = {message(f, "/queue/a", "one"), message(f, "/queue/a", "two")};

    assert_true(router_deliver_one(&f->h->router, s, messages[0], slice_str(""), 1));
    assert_int_equal(crowd_count(f, 0), 1);
    crowd_take_all_dirty(f);
    assert_false(router_deliver_one(&f->h->router, s, messages[1], slice_str(""), 2));
    assert_true(outq_is_empty(&f->receivers[0].outq));
    /* whoever hands out single messages knows another place for it: that is no slow consumer */
    assert_false(f->receivers[0].is_window_full);
    assert_null(router_take_dirty(&f->h->router));
    msg_unref(messages[0]);
    msg_unref(messages[1]);
}

static void one_delivery_that_nobody_acknowledges_has_no_ack_line(void **state)
{
    struct crowd *f = *state;
    struct subscription *s = crowd_subscribe_kind(f, 0, "q", DESTINATION_QUEUE, "/queue/a");
    struct msg *msg = message(f, "/queue/a", "job");

    for (int i = 0; i < 5; i++) {
        assert_true(router_deliver_one(&f->h->router, s, msg, slice_str("x:y\n"), 0));
        harness_expect_lines(&f->expected, WIRE_WEBSOCKET, msg, "q", slice_str("x:y\n"));
    }
    crowd_assert_gets(f, 0);
    msg_unref(msg);
}

static void one_delivery_comes_behind_what_was_published_before(void **state)
{
    struct crowd *f = *state;
    struct subscription *s = subscribe_ack(f, 0, "q", DESTINATION_QUEUE, "/queue/a", 9);

    for (size_t i = 0; i < CROWD_MANY; i++)
        crowd_subscribe(f, i, "many", topic);
    for (int i = 0; i < 3; i++) {
        struct msg *msg = message(f, "/queue/a", "job");

        crowd_publish(f, topic, "by the log", NULL, "many");
        assert_true(router_deliver_one(&f->h->router, s, msg, slice_str(""), 0));
        expect_with_ack(f, msg, "q", "");
        msg_unref(msg);
    }
    router_distribute(&f->h->router);
    crowd_assert_gets(f, 0);
}

static void consumers_of_a_queue_are_told_apart_by_a_serial(void **state)
{
    struct crowd *f = *state;
    uint64_t serials[6];

    for (size_t i = 0; i < 6; i++) {
        /* the same id, receiver and destination each time: the serial never comes again */
        const struct subscription *s =
            crowd_subscribe_kind(f, 0, "q", DESTINATION_QUEUE, "/queue/a");

        assert_int_equal(s->group->kind, GROUP_ALONE);
        serials[i] = group_more(s->group)->serial;
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(serials[k], serials[i]);
        crowd_unsubscribe(f, 0, "q");
    }
}

/* --- without a subscription --- */

static void a_reply_reaches_its_receiver_whether_it_has_that_id_or_not(void **state)
{
    struct crowd *f = *state;
    struct msg *msg = message(f, "/app/init", "answer");
    uint64_t before;

    crowd_subscribe_first(f, CROWD_MANY, "a", topic);
    crowd_publish(f, topic, "before", NULL, "a");
    before = harness_metric(f->h, METRIC_DELIVERED);
    router_reply(&f->h->router, &f->receivers[0], msg, slice_str("no:such"));
    harness_expect(&f->expected, WIRE_WEBSOCKET, msg, "no:such");
    router_reply(&f->h->router, &f->receivers[0], msg, slice_str("a"));
    harness_expect(&f->expected, WIRE_WEBSOCKET, msg, "a");
    assert_int_equal(harness_metric(f->h, METRIC_DELIVERED) - before, 2);
    assert_true(f->receivers[0].is_dirty);
    crowd_publish(f, topic, "behind", NULL, "a");
    router_distribute(&f->h->router);
    crowd_assert_gets(f, 0);
    assert_int_equal(crowd_count(f, 1), 2);
    assert_null(receiver_find(&f->receivers[0], &f->h->router, slice_str("no:such")));
    msg_unref(msg);
}

/* --- message ids --- */

static void the_routers_own_ids_are_read_back(void **state)
{
    const uint64_t numbers[] = {0, 9, 10, 12345678901, UINT64_MAX};
    struct crowd *f = *state;

    for (size_t i = 0; i < 5; i++) {
        struct ack_entry entry = {.number = 1};
        char text[64];

        f->h->router.next_id = numbers[i];
        assert_true(router_read_id(&f->h->router, router_next_id(&f->h->router, text), &entry));
        assert_int_equal(entry.worker, HARNESS_WORKER);
        assert_int_equal(entry.number, numbers[i]);
    }
}

static void ids_of_other_workers_are_read_and_foreign_ones_refused(void **state)
{
    static const struct {
        const char *id;
        bool is_ours;
        unsigned worker;
    } table[] = {
        {"0000000000000abc-0-0", true, 0},
        {"0000000000000abc-63-7", true, 63},
        {"0000000000000abc-64-7", false, 0}, /* there is no such worker */
        {"0000000000000abd-2-7", false, 0},  /* another start of the process */
        {"0000000000000ABC-2-7", false, 0},
        {"abc-2-7", false, 0},
        {"0000000000000abc-2-", false, 0},
        {"0000000000000abc-2-x", false, 0},
        {"0000000000000abc-2-7 ", false, 0},
        {"0000000000000abc-2-7-1", false, 0},
        {"0000000000000abc-2--7", false, 0},
        {"0000000000000abc-2-18446744073709551616", false, 0}, /* one more than there is */
        {"0000000000000abc--7", false, 0},
        {"0000000000000abc-x-7", false, 0},
        {"0000000000000abc-2", false, 0},
        {"0000000000000abc-", false, 0},
        {"0000000000000abc", false, 0},
        {"", false, 0},
        {" 0000000000000abc-2-7", false, 0},
    };
    struct crowd *f = *state;

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct ack_entry entry = {.number = 1};

        assert_int_equal(router_read_id(&f->h->router, slice_str(table[i].id), &entry),
                         table[i].is_ours);
        if (table[i].is_ours)
            assert_int_equal(entry.worker, table[i].worker);
    }
}

/* --- who has ended --- */

struct ended {
    struct crowd *f;
    size_t n;
    size_t n_waiting;
    char ids[64];
};

static void note_ended(void *ctx, struct subscription *s)
{
    struct ended *ended = ctx;

    ended->n++;
    ended->n_waiting += acks_count(acks_of(s));
    (void)strncat(ended->ids, s->group->id, s->group->id_len);
    assert_int_equal(s->group->kind, GROUP_ALONE);
    assert_ptr_equal(s->group->single, s);
    assert_slice(slice_take(subscription_destination(s), 1), "/");
    /* It is still what it was. */
    assert_ptr_equal(receiver_find(s->receiver, &ended->f->h->router, group_id(s->group)), s);
}

static void whoever_hands_out_single_messages_hears_of_each_end_once(void **state)
{
    struct crowd *f = *state;
    struct ended ended = {.f = f};
    struct router_subscribe selecting = {.id = SLICE("s"), .destination = SLICE("/topic/a")};

    router_on_ended(&f->h->router, note_ended, &ended);
    assert_int_equal(selector_new(slice_str("true"), &selecting.selector), SELECTOR_OK);
    for (size_t i = 0; i < 3; i++) {
        subscribe_ack(f, i, "a", DESTINATION_EXACT, "/topic/a", 4);
        crowd_subscribe_kind(f, i, "q", DESTINATION_QUEUE, "/queue/a");
        crowd_subscribe(f, i, "e", topic);
        crowd_subscribe_kind(f, i, "p", DESTINATION_PATTERN, "/topic/*");
        crowd_subscribe_as(f, i, &selecting);
    }
    selector_unref(selecting.selector);
    publish(f, "waits", NULL);
    crowd_unsubscribe(f, 0, "e");
    crowd_unsubscribe(f, 0, "p");
    crowd_unsubscribe(f, 0, "s");
    assert_int_equal(ended.n, 0);
    crowd_unsubscribe(f, 0, "q");
    assert_string_equal(ended.ids, "q");
    crowd_unsubscribe(f, 0, "a");
    assert_string_equal(ended.ids, "qa");
    assert_int_equal(ended.n_waiting, 1);
    receiver_end_subscriptions(&f->receivers[1], &f->h->router);
    assert_int_equal(ended.n, 4);
    receiver_leave(&f->receivers[1], &f->h->router);
    assert_int_equal(ended.n, 4);
    receiver_leave(&f->receivers[2], &f->h->router);
    assert_int_equal(ended.n, 6);
    assert_int_equal(ended.n_waiting, 3);
    router_on_ended(&f->h->router, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CROWD_TEST(what_is_to_be_acknowledged_has_an_ack_line_and_waits_in_the_window),
        CROWD_TEST(equal_subscriptions_that_acknowledge_have_a_window_each),
        CROWD_TEST(a_full_window_is_told_and_disturbs_nobody_else),
        CROWD_TEST(except_does_not_fill_its_window),
        CROWD_TEST(an_echo_is_acknowledged_too),
        CROWD_TEST(patterns_bound_ones_and_selectors_have_windows_as_well),
        CROWD_TEST(a_receivers_windows_are_listed_and_added_up),
        CROWD_TEST(one_delivery_has_lines_of_its_own_and_a_tag),
        CROWD_TEST(one_delivery_to_a_full_window_is_refused),
        CROWD_TEST(one_delivery_that_nobody_acknowledges_has_no_ack_line),
        CROWD_TEST(one_delivery_comes_behind_what_was_published_before),
        CROWD_TEST(consumers_of_a_queue_are_told_apart_by_a_serial),
        CROWD_TEST(a_reply_reaches_its_receiver_whether_it_has_that_id_or_not),
        CROWD_TEST(the_routers_own_ids_are_read_back),
        CROWD_TEST(ids_of_other_workers_are_read_and_foreign_ones_refused),
        CROWD_TEST(whoever_hands_out_single_messages_hears_of_each_end_once),
    };

    return cmocka_run_group_tests_name("gateway/router/router_ack", tests, NULL, NULL);
}
