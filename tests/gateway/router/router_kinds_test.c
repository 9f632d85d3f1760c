#include "tests/test.h"
#include "tests/gateway/router/crowd.h"
#include <stdio.h>

/*
 * Subscriptions that are not to all of one destination: patterns and selectors.
 */

#define ID_A "00112233445566778899aabbccddeeff"

enum { OTHER_WORKER = 5, THIRD_WORKER = 6 };

static const struct slice topic = SLICE("/topic/a");

/* --- helpers --- */

static struct msg *message(struct crowd *f, const char *destination, const char *body)
{
    return harness_message(f->h, slice_str(destination), slice_str(body));
}

/* Receiver `i` gets the message once for each of the ids, in any order, and nothing else. */
static void assert_gets_for_each(struct crowd *f, size_t i, const struct msg *msg,
                                 const char *const *ids, size_t n)
{
    bool seen[8] = {false};
    size_t n_seen = 0;

    assert_true(n <= 8);
    harness_write(&f->receivers[i], f->receivers[i].outq.bytes, &f->got);
    while (f->got.len != 0) {
        size_t len = harness_frame_len(buf_slice(&f->got)), k;

        for (k = 0; k < n; k++) {
            harness_expect(&f->expected, WIRE_WEBSOCKET, msg, ids[k]);
            if (!seen[k] && slice_eq(buf_slice(&f->expected), slice_of(f->got.base, len)))
                break;
            crowd_expect_nothing(f);
        }
        crowd_expect_nothing(f);
        assert_true(k < n);
        seen[k] = true;
        n_seen++;
        buf_consume(&f->got, len);
    }
    assert_int_equal(n_seen, n);
}

static struct pattern *acquire(struct crowd *f, const char *text, unsigned worker, int n)
{
    struct pattern *pattern = NULL;
    const char *why;

    assert_int_equal(patterns_acquire(&f->h->patterns, slice_str(text), worker, f, &pattern, &why),
                     PATTERNS_OK);
    patterns_count(pattern, n);
    return pattern;
}

static void release(struct crowd *f, struct pattern *pattern, unsigned worker, int n)
{
    patterns_count(pattern, -n);
    patterns_release(&f->h->patterns, pattern, worker);
}

/* --- patterns --- */

static void a_pattern_gets_the_messages_of_all_destinations_that_match(void **state)
{
    const size_t sizes[] = {1, CROWD_FEW, CROWD_FEW + 1, CROWD_MANY};

    for (size_t i = 0; i < 4; i++) {
        struct crowd *f = *state;

        for (size_t k = 0; k < sizes[i]; k++)
            crowd_subscribe_kind(f, k, "p", DESTINATION_PATTERN, "/topic/*");
        assert_int_equal(crowd_publish(f, topic, "one", NULL, "p"), sizes[i]);
        assert_int_equal(crowd_publish(f, slice_str("/topic/b"), "two", NULL, "p"), sizes[i]);
        assert_int_equal(crowd_publish(f, slice_str("/topic/b/c"), "no", NULL, NULL), 0);
        assert_int_equal(crowd_publish(f, slice_str("/topic/*"), "as it is", NULL, "p"), sizes[i]);
        assert_int_equal(crowd_publish(f, slice_str(""), "no", NULL, NULL), 0);
        assert_int_equal(f->h->router.tick_deliveries, 3 * sizes[i]);
        router_distribute(&f->h->router);
        for (size_t k = 0; k < sizes[i]; k++)
            crowd_assert_gets_expected(f, k);
        crowd_expect_nothing(f);
        for (size_t k = 0; k < CROWD_SIZE; k++)
            receiver_end_subscriptions(&f->receivers[k], &f->h->router);
    }
}

static void each_subscription_that_matches_gives_a_message_of_its_own(void **state)
{
    static const char *const ids[] = {"exact", "again", "star", "tree"};
    struct crowd *f = *state;
    struct msg *msg = message(f, "/topic/a", "news");

    for (size_t i = 0; i < CROWD_MANY; i++) {
        crowd_subscribe(f, i, "exact", topic);
        crowd_subscribe(f, i, "again", topic);
        crowd_subscribe_kind(f, i, "star", DESTINATION_PATTERN, "/topic/*");
        crowd_subscribe_kind(f, i, "tree", DESTINATION_PATTERN, "/**");
        crowd_subscribe_kind(f, i, "elsewhere", DESTINATION_PATTERN, "/queue/*");
    }
    crowd_subscribe_kind(f, 50, "tree", DESTINATION_PATTERN, "/**");
    assert_int_equal(router_publish(&f->h->router, msg, NULL), 4 * CROWD_MANY + 1);
    router_distribute(&f->h->router);
    for (size_t i = 0; i < CROWD_MANY; i++)
        assert_gets_for_each(f, i, msg, ids, 4);
    assert_gets_for_each(f, 50, msg, &ids[3], 1);
    crowd_unsubscribe(f, 0, "tree");
    crowd_unsubscribe(f, 0, "exact");
    assert_int_equal(router_publish(&f->h->router, msg, NULL), 4 * CROWD_MANY - 1);
    router_distribute(&f->h->router);
    assert_gets_for_each(f, 0, msg, &ids[1], 2);
    msg_unref(msg);
}

static void a_pattern_sees_destinations_that_were_published_to_before_it_came(void **state)
{
    struct crowd *f = *state;
    struct pattern *pattern;

    crowd_subscribe_kind(f, 9, "old", DESTINATION_PATTERN, "/none/*"); /* there is a generation */
    crowd_subscribe(f, 8, "exact", topic);
    for (int i = 0; i < 3; i++) {
        crowd_publish(f, topic, "seen before", NULL, NULL);                 /* with subscribers */
        crowd_publish(f, slice_str("/topic/b"), "seen before", NULL, NULL); /* cached */
        crowd_subscribe_kind(f, 0, "p", DESTINATION_PATTERN, i == 1 ? "/topic/**" : "/topic/*");
        assert_int_equal(crowd_publish(f, topic, "now", NULL, "p"), 2);
        assert_int_equal(crowd_publish(f, slice_str("/topic/b"), "now", NULL, "p"), 1);
        crowd_assert_gets(f, 0);
        crowd_unsubscribe(f, 0, "p");
        assert_int_equal(crowd_publish(f, topic, "not any more", NULL, NULL), 1);
        assert_int_equal(crowd_publish(f, slice_str("/topic/b"), "not any more", NULL, NULL), 0);
        crowd_assert_gets(f, 0);
    }
    pattern = acquire(f, "/topic/?", OTHER_WORKER, 7); /* nor do another worker's wait */
    assert_int_equal(crowd_publish(f, slice_str("/topic/b"), "now", NULL, NULL), 7);
    assert_int_equal(f->h->n_mailed[OTHER_WORKER], 1);
    release(f, pattern, OTHER_WORKER, 7);
}

static void a_new_pattern_sees_nothing_older_than_itself(void **state)
{
    struct crowd *f = *state;

    for (size_t i = 0; i < CROWD_MANY; i++)
        crowd_subscribe_kind(f, i, "p", DESTINATION_PATTERN, "/topic/*");
    crowd_publish(f, topic, "too early", NULL, NULL);
    crowd_subscribe_kind(f, 50, "p", DESTINATION_PATTERN, "/topic/*");
    crowd_publish(f, topic, "just right", NULL, "p"); /* in the same segment */
    router_distribute(&f->h->router);
    crowd_assert_gets(f, 50);
}

static void workers_with_a_pattern_that_matches_get_mail_once(void **state)
{
    struct crowd *f = *state;
    struct interest_entry *entry = interest_acquire(&f->h->interest, topic, OTHER_WORKER);
    struct pattern *star = acquire(f, "/topic/*", OTHER_WORKER, 10);
    struct pattern *tree = acquire(f, "/**", THIRD_WORKER, 200);
    struct pattern *none = acquire(f, "/queue/*", 7, 5000);

    interest_count(entry, 1);
    assert_int_equal(crowd_publish(f, topic, "news", NULL, NULL), 211);
    assert_int_equal(f->h->n_wakes, 0); /* the mail wakes the worker */
    crowd_subscribe_kind(f, 0, "p", DESTINATION_PATTERN, "/**");
    assert_int_equal(crowd_publish(f, topic, "news", NULL, "p"), 212);
    assert_int_equal(crowd_publish(f, slice_str("/x"), "news", NULL, "p"), 201);
    crowd_subscribe(f, 0, "e", topic);
    assert_int_equal(router_count(&f->h->router, topic), 213);
    assert_int_equal(router_count(&f->h->router, slice_str("/x")), 201);
    assert_int_equal(router_count(&f->h->router, slice_str("x")), 0);
    for (unsigned i = 0; i < INTEREST_MAX_WORKERS; i++)
        assert_int_equal(f->h->n_mailed[i], i == OTHER_WORKER ? 2 : i == THIRD_WORKER ? 3 : 0);
    crowd_assert_gets(f, 0);
    interest_count(entry, -1);
    interest_release(&f->h->interest, entry, OTHER_WORKER);
    release(f, star, OTHER_WORKER, 10);
    release(f, none, 7, 5000);
    release(f, tree, THIRD_WORKER, 200);
    assert_int_equal(router_count(&f->h->router, topic), 2);
}

static void mail_reaches_patterns_of_this_worker_and_is_not_mailed_on(void **state)
{
    struct crowd *f = *state;
    struct pattern *tree = acquire(f, "/**", THIRD_WORKER, 1);
    struct msg *msg = message(f, "/topic/a", "mail");

    router_deliver(&f->h->router, msg, NULL);
    crowd_subscribe_kind(f, 0, "p", DESTINATION_PATTERN, "/topic/*");
    router_deliver(&f->h->router, msg, NULL);
    harness_expect(&f->expected, WIRE_WEBSOCKET, msg, "p");
    crowd_assert_gets(f, 0);
    receiver_leave(&f->receivers[0], &f->h->router);
    router_deliver(&f->h->router, msg, NULL); /* too late: nobody is there */
    assert_int_equal(f->h->n_mailed[THIRD_WORKER], 0);
    release(f, tree, THIRD_WORKER, 1);
    router_deliver(&f->h->router, msg, NULL);
    msg_unref(msg);
}

static void order_holds_over_patterns_and_exact_destinations(void **state)
{
    struct crowd *f = *state;

    for (size_t i = 0; i < CROWD_MANY; i++) {
        crowd_subscribe(f, i, "many", slice_str("/queue/m"));
        crowd_subscribe_kind(f, i, "pattern", DESTINATION_PATTERN, "/topic/**");
    }
    for (size_t i = 0; i < CROWD_FEW; i++) {
        crowd_subscribe(f, i, "few", slice_str("/queue/f"));
        crowd_subscribe_kind(f, i, "rare", DESTINATION_PATTERN, "/rare/?");
    }
    for (int i = 0; i < 20; i++) {
        crowd_publish(f, slice_str("/queue/m"), "by the log", NULL, "many");
        crowd_publish(f, i % 2 == 0 ? topic : slice_str("/topic/b/c"), "by the log", NULL,
                      "pattern");
        if (i % 3 == 0)
            crowd_publish(f, slice_str("/queue/f"), "at once", NULL, "few");
        if (i % 4 == 0)
            crowd_publish(f, slice_str("/rare/x"), "at once", NULL, "rare");
    }
    router_distribute(&f->h->router);
    for (size_t i = 0; i < CROWD_FEW; i++)
        crowd_assert_gets_expected(f, i);
}

static void except_gets_nothing_by_a_pattern_either(void **state)
{
    const size_t sizes[] = {1, CROWD_FEW, CROWD_MANY};

    for (size_t i = 0; i < 3; i++) {
        struct crowd *f = *state;
        uint64_t before = harness_metric(f->h, METRIC_DELIVERED);

        for (size_t k = 0; k < sizes[i]; k++)
            crowd_subscribe_kind(f, k, "p", DESTINATION_PATTERN, "/topic/*");
        crowd_subscribe(f, 0, "e", topic);
        assert_int_equal(crowd_publish(f, topic, "news", &f->receivers[0], NULL), sizes[i] + 1);
        assert_int_equal(harness_metric(f->h, METRIC_DELIVERED) - before, sizes[i] - 1);
        router_distribute(&f->h->router);
        assert_int_equal(crowd_count(f, 0), 0);
        for (size_t k = 1; k < sizes[i]; k++)
            assert_int_equal(crowd_count(f, k), 1);
        crowd_take_all_dirty(f);
        for (size_t k = 0; k < CROWD_SIZE; k++)
            receiver_end_subscriptions(&f->receivers[k], &f->h->router);
    }
}

static void echo_reaches_the_receivers_own_patterns_too(void **state)
{
    static const char *const ids[] = {"p", "e", "q"};
    struct crowd *f = *state;
    struct msg *msg = message(f, "/topic/a", "echo");
    uint64_t n;

    for (size_t i = 0; i < CROWD_MANY; i++)
        crowd_subscribe_kind(f, i, "p", DESTINATION_PATTERN, "/topic/*");
    assert_int_equal(router_echo(&f->h->router, msg, &f->receivers[0]), 1);
    assert_gets_for_each(f, 0, msg, ids, 1);
    crowd_subscribe(f, 0, "e", topic);
    crowd_subscribe_kind(f, 0, "q", DESTINATION_PATTERN, "/**");
    crowd_subscribe_kind(f, 0, "no", DESTINATION_PATTERN, "/queue/*");
    crowd_subscribe_kind(f, 0, "queue", DESTINATION_QUEUE, "/topic/a");
    crowd_subscribe_kind(f, 0, "bound", DESTINATION_BOUND, "/topic/a");
    crowd_subscribe_kind(f, 0, "bound pattern", DESTINATION_BOUND_PATTERN, "/topic/*-user" ID_A);
    n = harness_metric(f->h, METRIC_DELIVERED);
    assert_int_equal(router_echo(&f->h->router, msg, &f->receivers[0]), 3);
    assert_int_equal(harness_metric(f->h, METRIC_DELIVERED) - n, 3);
    router_distribute(&f->h->router);
    assert_gets_for_each(f, 0, msg, ids, 3);
    assert_int_equal(crowd_count(f, 1), 0);
    msg_unref(msg);
}

static void what_is_refused_leaves_nothing_behind(void **state)
{
    struct crowd *f = *state;
    struct router_subscribe asked = {
        .id = SLICE("p"),
        .destination = SLICE("/topic/{a:[}"),
        .kind = DESTINATION_PATTERN,
    };
    struct subscription *none = NULL;
    const char *why = NULL;
    char name[16];

    assert_int_equal(router_subscribe_as(&f->h->router, &f->receivers[0], &asked, &none, &why),
                     ROUTER_ERR_PATTERN);
    assert_non_null(why);
    crowd_subscribe_kind(f, 0, "taken", DESTINATION_PATTERN, "/topic/*");
    asked.id = slice_str("taken");
    asked.destination = slice_str("/never/*");
    assert_int_equal(router_subscribe_as(&f->h->router, &f->receivers[0], &asked, &none, &why),
                     ROUTER_ERR_ID);
    asked.id = slice_str("p");
    for (unsigned i = 1; i < HARNESS_MAX_PATTERNS; i++) {
        (void)snprintf(name, sizeof(name), "/%u/*", i);
        crowd_subscribe_kind(f, 1, name, DESTINATION_PATTERN, name);
    }
    assert_int_equal(router_subscribe_as(&f->h->router, &f->receivers[0], &asked, &none, &why),
                     ROUTER_ERR_PATTERNS);
    assert_null(none);
    assert_null(receiver_find(&f->receivers[0], &f->h->router, asked.id));
    assert_int_equal(f->receivers[0].subscriptions.n, 1);
    assert_int_equal(f->receivers[0].n_patterns, 1);
    assert_int_equal(f->receivers[1].n_patterns, HARNESS_MAX_PATTERNS - 1);
    assert_int_equal(harness_metric(f->h, METRIC_SUBSCRIPTIONS), HARNESS_MAX_PATTERNS);
    asked.destination = slice_str("/topic/*"); /* one that is there already */
    assert_int_equal(router_subscribe_as(&f->h->router, &f->receivers[0], &asked, &none, &why),
                     ROUTER_OK);
}

static void patterns_of_a_receiver_are_counted(void **state)
{
    struct crowd *f = *state;
    const struct receiver *receiver = &f->receivers[0];

    crowd_subscribe(f, 0, "e", topic);
    crowd_subscribe_kind(f, 0, "b", DESTINATION_BOUND, "/queue/a-user" ID_A);
    assert_int_equal(receiver->n_patterns, 0);
    crowd_subscribe_kind(f, 0, "p", DESTINATION_PATTERN, "/topic/*");
    crowd_subscribe_kind(f, 0, "bp", DESTINATION_BOUND_PATTERN, "/queue/*-user" ID_A);
    assert_int_equal(receiver->n_patterns, 2);
    crowd_unsubscribe(f, 0, "p");
    crowd_unsubscribe(f, 0, "e");
    assert_int_equal(receiver->n_patterns, 1);
    receiver_end_subscriptions(&f->receivers[0], &f->h->router);
    assert_int_equal(receiver->n_patterns, 0);
    assert_int_equal(patterns_live(&f->h->patterns), 0);
}

static void a_pattern_that_the_log_names_stays_until_the_tick_ends(void **state)
{
    struct crowd *f = *state;

    for (size_t i = 0; i < CROWD_MANY; i++)
        crowd_subscribe_kind(f, i, "p", DESTINATION_PATTERN, "/topic/*");
    crowd_publish(f, topic, "last words", NULL, "p");
    for (size_t i = 0; i < CROWD_MANY; i++)
        crowd_unsubscribe(f, i, "p");
    assert_int_equal(crowd_publish(f, topic, "to nobody", NULL, NULL), 0);
    crowd_subscribe_kind(f, 50, "p", DESTINATION_PATTERN, "/topic/*"); /* comes back meanwhile */
    router_distribute(&f->h->router);
    for (size_t i = 0; i < CROWD_MANY; i++)
        crowd_assert_gets_expected(f, i);
    crowd_expect_nothing(f);
    assert_int_equal(crowd_publish(f, topic, "again", NULL, "p"), 1);
    crowd_assert_gets(f, 50);
    crowd_unsubscribe(f, 50, "p");
    assert_int_equal(patterns_live(&f->h->patterns), 0);
}

/* --- selectors --- */

static void subscribe_selecting(struct crowd *f, size_t i, const char *id, const char *text,
                                enum destination_kind kind, const char *destination)
{
    struct router_subscribe asked = {
        .id = slice_str(id),
        .destination = slice_str(destination),
        .kind = kind,
    };

    assert_int_equal(selector_new(slice_str(text), &asked.selector), SELECTOR_OK);
    crowd_subscribe_as(f, i, &asked);
    selector_unref(asked.selector); /* the router has its own */
}

/* A message with the header `color`, twice, and one that is called in capitals. */
static struct msg *colored(struct crowd *f, const char *destination, const char *color)
{
    const struct msg_header headers[] = {
        {SLICE("destination"), slice_str(destination)},
        {SLICE("COLOR"), SLICE("loud")},
        {SLICE("color"), slice_str(color)},
        {SLICE("color"), SLICE("second")},
    };
    char id[64];

    return msg_new(slice_str(destination), headers, 4, router_next_id(&f->h->router, id),
                   slice_str(color), false);
}

static void a_selector_chooses_for_the_whole_group(void **state)
{
    static const char *const colors[] = {"red", "blue", "red", "", "redder"};
    const size_t sizes[] = {1, CROWD_FEW, CROWD_MANY};

    for (size_t i = 0; i < 3; i++) {
        struct crowd *f = *state;
        uint64_t before = harness_metric(f->h, METRIC_DELIVERED);

        for (size_t k = 0; k < sizes[i]; k++)
            subscribe_selecting(f, k, "s", "headers.color == 'red'", DESTINATION_EXACT, "/topic/a");
        assert_int_equal(f->h->router.groups.n, 1);
        for (size_t k = 0; k < 5; k++) {
            struct msg *msg = colored(f, "/topic/a", colors[k]);

            /* whoever might get it: what other workers' selectors say is not known here */
            assert_int_equal(router_publish(&f->h->router, msg, NULL), sizes[i]);
            if (strcmp(colors[k], "red") == 0)
                harness_expect(&f->expected, WIRE_WEBSOCKET, msg, "s");
            msg_unref(msg);
        }
        assert_int_equal(harness_metric(f->h, METRIC_DELIVERED) - before, 2 * sizes[i]);
        router_distribute(&f->h->router);
        for (size_t k = 0; k < sizes[i]; k++)
            crowd_assert_gets_expected(f, k);
        crowd_expect_nothing(f);
        for (size_t k = 0; k < CROWD_SIZE; k++)
            receiver_end_subscriptions(&f->receivers[k], &f->h->router);
    }
}

static void a_selector_sees_headers_as_they_were_before_they_were_escaped(void **state)
{
    static const struct {
        const char *color, *selector;
        bool matches;
    } table[] = {
        {"a:b", "headers.color == 'a:b'", true},
        {"a:b", "headers.color == 'a\\cb'", false},
        {"1\n2", "headers.color == '1\n2'", true},
        {"back\\slash", "headers.color == 'back\\slash'", true},
        {"\r\n:\\", "headers.color == '\r\n:\\'", true},
        {"\r\n:\\", "headers.color != headers.color", false},
        {"x:y", "headers.color == 'x:y' and headers.color != 'x' and headers.color > 'x'", true},
        {"red", "headers.color == 'second'", false}, /* the first of a name counts */
        {"red", "headers.COLOR == 'loud'", true},    /* names are told apart by case */
        {"red", "headers.Color == null", true},      /* so there is none */
        {"red", "headers.destination == '/topic/a'", true},
        {"red", "headers.DESTINATION == '/topic/a'", true},
        {"red", "headers.color > 7", false}, /* an error is no */
        {"ü:€", "headers.color == 'ü:€'", true},
    };
    struct crowd *f = *state;

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct msg *msg = colored(f, "/topic/a", table[i].color);

        subscribe_selecting(f, 0, "s", table[i].selector, DESTINATION_EXACT, "/topic/a");
        router_publish(&f->h->router, msg, NULL);
        if (table[i].matches)
            harness_expect(&f->expected, WIRE_WEBSOCKET, msg, "s");
        crowd_assert_gets(f, 0);
        crowd_unsubscribe(f, 0, "s");
        msg_unref(msg);
    }
}

static void selectors_work_with_patterns_bound_destinations_and_echo(void **state)
{
    static const char *const red = "headers.color == 'red'";
    struct crowd *f = *state;
    struct msg *messages[] = {colored(f, "/topic/a", "red"), colored(f, "/topic/a", "blue")};

    subscribe_selecting(f, 0, "p", red, DESTINATION_PATTERN, "/topic/*");
    subscribe_selecting(f, 1, "b", red, DESTINATION_BOUND, "/queue/a-user" ID_A);
    for (size_t i = 0; i < 2; i++) {
        struct msg *bound = msg_new_bound(messages[i], slice_str("/queue/a-user" ID_A));

        router_publish(&f->h->router, messages[i], NULL);
        assert_int_equal(crowd_count(f, 0), i == 0);
        assert_int_equal(router_echo(&f->h->router, messages[i], &f->receivers[0]), i == 0);
        assert_int_equal(crowd_count(f, 0), i == 0);
        router_send_bound(&f->h->router, HARNESS_WORKER, bound);
        assert_int_equal(crowd_count(f, 1), i == 0);
        msg_unref(bound);
        msg_unref(messages[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CROWD_TEST(a_pattern_gets_the_messages_of_all_destinations_that_match),
        CROWD_TEST(each_subscription_that_matches_gives_a_message_of_its_own),
        CROWD_TEST(a_pattern_sees_destinations_that_were_published_to_before_it_came),
        CROWD_TEST(a_new_pattern_sees_nothing_older_than_itself),
        CROWD_TEST(workers_with_a_pattern_that_matches_get_mail_once),
        CROWD_TEST(mail_reaches_patterns_of_this_worker_and_is_not_mailed_on),
        CROWD_TEST(order_holds_over_patterns_and_exact_destinations),
        CROWD_TEST(except_gets_nothing_by_a_pattern_either),
        CROWD_TEST(echo_reaches_the_receivers_own_patterns_too),
        CROWD_TEST(what_is_refused_leaves_nothing_behind),
        CROWD_TEST(patterns_of_a_receiver_are_counted),
        CROWD_TEST(a_pattern_that_the_log_names_stays_until_the_tick_ends),
        CROWD_TEST(a_selector_chooses_for_the_whole_group),
        CROWD_TEST(a_selector_sees_headers_as_they_were_before_they_were_escaped),
        CROWD_TEST(selectors_work_with_patterns_bound_destinations_and_echo),
    };

    return cmocka_run_group_tests_name("gateway/router/router_kinds", tests, NULL, NULL);
}
