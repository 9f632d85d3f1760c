#include "tests/test.h"
#include "tests/gateway/router/crowd.h"

/*
 * Destinations that no publish reaches: what is bound to a session, and competing queues.
 */

#define ID_A "00112233445566778899aabbccddeeff"
#define ID_B "00112233445566778899aabbccddeefe"

enum { OTHER_WORKER = 5 };

static const struct slice topic = SLICE("/topic/a");

static void send_bound(struct crowd *f, unsigned worker, const char *destination, const char *body,
                       const char *id)
{
    struct msg *msg = harness_message(f->h, slice_str("/user/queue/shown"), slice_str(body));
    struct msg *bound = msg_new_bound(msg, slice_str(destination));

    router_send_bound(&f->h->router, worker, bound);
    if (id != NULL)
        harness_expect(&f->expected, WIRE_WEBSOCKET, msg, id); /* shown as it was */
    msg_unref(bound);
    msg_unref(msg);
}

static void a_bound_message_reaches_the_one_session_only(void **state)
{
    struct crowd *f = *state;
    uint64_t before = harness_metric(f->h, METRIC_DELIVERED);

    crowd_subscribe_kind(f, 0, "q", DESTINATION_BOUND, "/queue/a-user" ID_A);
    crowd_subscribe_kind(f, 1, "q", DESTINATION_BOUND, "/queue/a-user" ID_B);
    crowd_subscribe_kind(f, 2, "q", DESTINATION_BOUND, "/queue/b-user" ID_A);
    send_bound(f, HARNESS_WORKER, "/queue/a-user" ID_A, "for one", "q");
    send_bound(f, HARNESS_WORKER, "/queue/c-user" ID_A, "for nobody", NULL);
    assert_int_equal(harness_metric(f->h, METRIC_DELIVERED) - before, 1);
    router_distribute(&f->h->router);
    crowd_assert_gets(f, 0);
    crowd_assert_gets(f, 1);
    crowd_assert_gets(f, 2);
    for (unsigned i = 0; i < INTEREST_MAX_WORKERS; i++)
        assert_int_equal(f->h->n_mailed[i], 0);
}

static void a_bound_pattern_gets_what_its_session_does_and_matches(void **state)
{
    struct crowd *f = *state;

    crowd_subscribe_kind(f, 0, "star", DESTINATION_BOUND_PATTERN, "/queue/*-user" ID_A);
    crowd_subscribe_kind(f, 1, "star", DESTINATION_BOUND_PATTERN, "/queue/*-user" ID_B);
    crowd_subscribe_kind(f, 2, "other", DESTINATION_BOUND_PATTERN, "/topic/*-user" ID_A);
    send_bound(f, HARNESS_WORKER, "/queue/a-user" ID_A, "one", "star");
    send_bound(f, HARNESS_WORKER, "/queue/a/b-user" ID_A, "deeper", NULL);
    send_bound(f, HARNESS_WORKER, "/queue/x-user" ID_A, "two", "star");
    router_distribute(&f->h->router);
    crowd_assert_gets(f, 0);
    crowd_assert_gets(f, 1);
    crowd_assert_gets(f, 2);
    crowd_subscribe_kind(f, 0, "exact", DESTINATION_BOUND, "/queue/a-user" ID_A);
    crowd_subscribe_kind(f, 0, "tree", DESTINATION_BOUND_PATTERN, "/**/a-user" ID_A);
    send_bound(f, HARNESS_WORKER, "/queue/a-user" ID_A, "three of it", NULL);
    assert_int_equal(crowd_count(f, 0), 3);
    crowd_unsubscribe(f, 0, "star");
    send_bound(f, HARNESS_WORKER, "/queue/a-user" ID_A, "two of it", NULL);
    assert_int_equal(crowd_count(f, 0), 2);
    receiver_leave(&f->receivers[0], &f->h->router);
    send_bound(f, HARNESS_WORKER, "/queue/a-user" ID_A, "too late", NULL);
    assert_int_equal(f->h->router.destinations.bound_owners.n_nodes, 2);
}

static void what_is_bound_and_what_is_not_never_meet(void **state)
{
    struct crowd *f = *state;
    const char *const name = "/queue/a-user" ID_A;

    crowd_subscribe(f, 0, "e", slice_str(name));
    crowd_subscribe_kind(f, 1, "p", DESTINATION_PATTERN, "/queue/**");
    crowd_subscribe_kind(f, 2, "all", DESTINATION_PATTERN, "/**");
    crowd_subscribe_kind(f, 3, "q", DESTINATION_QUEUE, name);
    send_bound(f, HARNESS_WORKER, name, "bound", NULL);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(crowd_count(f, i), 0);
    crowd_subscribe_kind(f, 4, "b", DESTINATION_BOUND, name);
    crowd_subscribe_kind(f, 5, "bp", DESTINATION_BOUND_PATTERN, "/queue/*-user" ID_A);
    assert_int_equal(crowd_publish(f, slice_str(name), "not bound", NULL, NULL), 3);
    assert_int_equal(router_count(&f->h->router, slice_str(name)), 3);
    router_distribute(&f->h->router);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(crowd_count(f, i), i < 3);
    send_bound(f, HARNESS_WORKER, name, "bound", NULL);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(crowd_count(f, i), i > 3);
}

static void a_bound_message_goes_to_the_worker_that_its_session_lives_on(void **state)
{
    struct crowd *f = *state;

    crowd_subscribe_kind(f, 0, "q", DESTINATION_BOUND, "/queue/a-user" ID_A);
    send_bound(f, OTHER_WORKER, "/queue/a-user" ID_A, "elsewhere", NULL);
    assert_int_equal(crowd_count(f, 0), 0);
    assert_int_equal(f->h->n_mailed[OTHER_WORKER], 1);
    assert_int_equal(harness_metric(f->h, METRIC_MAILED), 1);
    send_bound(f, HARNESS_WORKER, "/queue/a-user" ID_A, "here", "q");
    crowd_assert_gets(f, 0);
    assert_int_equal(harness_metric(f->h, METRIC_MAILED), 1);
}

static void a_queue_is_not_for_publishes(void **state)
{
    struct crowd *f = *state;

    crowd_subscribe_kind(f, 0, "q", DESTINATION_QUEUE, "/topic/a");
    assert_int_equal(crowd_publish(f, topic, "news", NULL, NULL), 0);
    assert_int_equal(interest_find(&f->h->interest, topic, NULL), 0);
    assert_int_equal(crowd_count(f, 0), 0);
    crowd_subscribe_kind(f, 1, "e", DESTINATION_EXACT, "/topic/a");
    assert_int_equal(crowd_publish(f, topic, "news", NULL, "e"), 1);
    crowd_assert_gets(f, 1);
    assert_int_equal(crowd_count(f, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CROWD_TEST(a_bound_message_reaches_the_one_session_only),
        CROWD_TEST(a_bound_pattern_gets_what_its_session_does_and_matches),
        CROWD_TEST(what_is_bound_and_what_is_not_never_meet),
        CROWD_TEST(a_bound_message_goes_to_the_worker_that_its_session_lives_on),
        CROWD_TEST(a_queue_is_not_for_publishes),
    };

    return cmocka_run_group_tests_name("gateway/router/router_bound", tests, NULL, NULL);
}
