#include "tests/test.h"
#include "tests/random.h"
#include "tests/gateway/router/crowd.h"
#include <stdio.h>
#include <stdlib.h>
#include "base/mem.h"
#include "gateway/router/lagging.h"

/*
 * Receivers that lag, without any socket: what they hear is told as "<subscription>=<body>" for a
 * MESSAGE, with "+<n>" behind it when it says that n were dropped, and as it is for all else.
 */

enum { MAX_MESSAGES = 3, MAX_BYTES = 200000, TOO_LARGE = 400000 };

static const struct slice oldest = SLICE("/topic/oldest");
static const struct slice latest = SLICE("/topic/latest");
static const struct slice safe = SLICE("/topic/safe");

struct lane {
    struct crowd *crowd;
    struct router *router;
    struct policy *policy;
    struct buf heard;
};

static int set_up(void **state)
{
    static const struct slice not_lossy[] = {SLICE("/topic/safe")};
    static const struct slice drop[] = {SLICE("/topic/o*"), SLICE("/user/queue/prices"),
                                        SLICE("/queue/work")};
    static const struct slice keep[] = {SLICE("/topic/**")};
    static const struct policy_slow_rule rules[] = {
        {{not_lossy, 1}, {.mode = POLICY_SLOW_DISCONNECT}},
        {{drop, 3}, {POLICY_SLOW_DROP_OLDEST, SLICE(""), MAX_MESSAGES, MAX_BYTES}},
        {{keep, 1}, {POLICY_SLOW_LATEST, SLICE("key"), MAX_MESSAGES, MAX_BYTES}},
    };
    const struct policy_rules all = {
        .slow = rules, .n_slow = 3, .user_prefix = SLICE("/user/"), .separator = '/'};
    struct lane *lane = mem_calloc(1, sizeof(*lane));
    void *crowd;
    char *error = NULL;

    crowd_set_up(&crowd);
    lane->crowd = crowd;
    lane->router = &lane->crowd->h->router;
    lane->policy = policy_new(&all, &error);
    assert_non_null(lane->policy);
    lagging_set_policy(lane->router, lane->policy);
    buf_init(&lane->heard, SIZE_MAX);
    *state = lane;
    return 0;
}

static int tear_down(void **state)
{
    struct lane *lane = *state;
    struct harness *h = lane->crowd->h;
    void *crowd = lane->crowd;

    for (size_t i = 0; i < CROWD_SIZE; i++)
        receiver_leave(&lane->crowd->receivers[i], lane->router);
    assert_int_equal(harness_metric(h, METRIC_SLOW_SESSIONS), 0);
    assert_int_equal(harness_metric(h, METRIC_SLOW_WAITING), 0);
    crowd_tear_down(&crowd);
    policy_free(lane->policy);
    buf_dispose(&lane->heard);
    mem_free(lane);
    return 0;
}

#define LANE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static struct receiver *receiver_at(struct lane *lane, size_t i)
{
    return &lane->crowd->receivers[i];
}

static void publish_keyed(struct lane *lane, struct slice destination, const char *key,
                          const char *body)
{
    const struct msg_header headers[] = {
        {SLICE("destination"), destination},
        {SLICE("key"), slice_str(key == NULL ? "" : key)},
    };
    char id[64];
    struct msg *msg = msg_new(destination, headers, key == NULL ? 1 : 2,
                              router_next_id(lane->router, id), slice_str(body), false);

    router_publish(lane->router, msg, NULL);
    msg_unref(msg);
}

static void publish(struct lane *lane, struct slice destination, const char *body)
{
    publish_keyed(lane, destination, NULL, body);
}

static void say(struct lane *lane, size_t i, const char *text)
{
    memcpy(router_queue_frame(lane->router, receiver_at(lane, i), false, strlen(text)), text,
           strlen(text));
}

/* The value of a header of a MESSAGE, up to its line's end; NULL when there is none. */
static const char *find(const char *frame, const char *name, int *len)
{
    const char *at = strstr(frame, name);

    *len = 0;
    if (at == NULL || strstr(frame, "\n\n") < at)
        return NULL;
    at += strlen(name);
    *len = (int)strcspn(at, "\n");
    return at;
}

static void tell(struct lane *lane, struct slice frame)
{
    size_t head = frame.len < 128 ? 2 : frame.len < 65540 ? 4 : 10;
    struct slice content_bytes = slice_skip(frame, head);
    char *content = mem_printf("%.*s", SLICE_FMT(content_bytes));
    const char *value, *body = strstr(content, "\n\n");
    int len;

    if (lane->heard.len != 0)
        assert_true(buf_printf(&lane->heard, " "));
    if (strncmp(content, "MESSAGE\n", 8) != 0) {
        assert_true(buf_printf(&lane->heard, "%s", content));
    } else {
        value = find(content, "\nsubscription:", &len);
        assert_non_null(value);
        /* A body of a size that matters is told by its first letter. */
        assert_true(buf_printf(&lane->heard, "%.*s=%.*s", len, value,
                               strlen(body) > 100 ? 1 : (int)strlen(body), body + 2));
        value = find(content, "\ndropped:", &len);
        if (value != NULL)
            assert_true(buf_printf(&lane->heard, "+%.*s", len, value));
    }
    mem_free(content);
}

/* Writes all that is in the queue, and nothing from behind it. */
static void write_queue(struct lane *lane, size_t i)
{
    struct buf got;

    buf_init(&got, SIZE_MAX);
    harness_write(receiver_at(lane, i), receiver_at(lane, i)->outq.bytes, &got);
    while (got.len != 0) {
        size_t len = harness_frame_len(buf_slice(&got));

        assert_int_not_equal(len, 0);
        tell(lane, slice_take(buf_slice(&got), len));
        buf_consume(&got, len);
    }
    buf_dispose(&got);
}

static void write_all(struct lane *lane, size_t i)
{
    struct receiver *receiver = receiver_at(lane, i);

    router_distribute(lane->router);
    write_queue(lane, i);
    while (!lag_is_empty(receiver->lag)) {
        assert_int_not_equal(lag_refill(receiver->lag, &receiver->outq), 0);
        write_queue(lane, i);
    }
    crowd_take_all_dirty(lane->crowd);
}

static void assert_heard(struct lane *lane, const char *expected)
{
    assert_true(buf_append(&lane->heard, slice_of("", 1)));
    assert_string_equal(lane->heard.base, expected);
    buf_consume(&lane->heard, lane->heard.len);
}

static void assert_hears(struct lane *lane, size_t i, const char *expected)
{
    write_all(lane, i);
    assert_heard(lane, expected);
}

static void start(struct lane *lane, size_t i)
{
    assert_true(lagging_start(lane->router, receiver_at(lane, i)));
}

static uint64_t metric(const struct lane *lane, enum metric which)
{
    return harness_metric(lane->crowd->h, which);
}

static char *large_body(char letter, size_t len)
{
    char *body = mem_alloc(len + 1);

    memset(body, letter, len);
    body[len] = '\0';
    return body;
}

static void publish_large(struct lane *lane, struct slice destination, const char *key, char letter,
                          size_t len)
{
    char *body = large_body(letter, len);

    publish_keyed(lane, destination, key, body);
    mem_free(body);
}

/* --- drop_oldest --- */

static void the_oldest_go_and_the_next_message_says_how_many(void **state)
{
    struct lane *lane = *state;

    crowd_subscribe(lane->crowd, 0, "s", oldest);
    publish(lane, oldest, "1");
    start(lane, 0);
    for (const char *body = "23456789"; *body != '\0'; body++)
        publish(lane, oldest, (char[]){*body, '\0'});
    assert_int_equal(metric(lane, METRIC_SLOW_OLDEST_DROPPED), 5);
    assert_int_equal(metric(lane, METRIC_SLOW_WAITING), 3);
    assert_int_equal(metric(lane, METRIC_SLOW_SESSIONS), 1);
    assert_hears(lane, 0, "s=1 s=7+5 s=8 s=9");
    publish(lane, oldest, "a"); /* still lagging: what was said is not said again */
    assert_hears(lane, 0, "s=a");
    assert_int_equal(metric(lane, METRIC_DELIVERED), 10);
}

static void each_subscription_has_its_own_room_and_its_own_count(void **state)
{
    struct lane *lane = *state;

    crowd_subscribe(lane->crowd, 0, "a:b", oldest);
    crowd_subscribe(lane->crowd, 0, "other", slice_str("/topic/other"));
    start(lane, 0);
    for (const char *body = "1234"; *body != '\0'; body++) {
        publish(lane, oldest, (char[]){*body, '\0'});
        publish(lane, slice_str("/topic/other"), (char[]){*body, '\0'});
    }
    publish(lane, oldest, "5");
    assert_hears(lane, 0, "other=2+1 a\\cb=3+2 other=3 a\\cb=4 other=4 a\\cb=5");
}

static void bytes_are_limited_too_but_the_newest_always_stays(void **state)
{
    struct lane *lane = *state;

    crowd_subscribe(lane->crowd, 0, "s", oldest);
    start(lane, 0);
    publish_large(lane, oldest, NULL, 'a', MAX_BYTES / 2);
    publish_large(lane, oldest, NULL, 'b', MAX_BYTES / 2 - 1000);
    assert_int_equal(metric(lane, METRIC_SLOW_OLDEST_DROPPED), 0);
    publish(lane, oldest, "c");
    publish_large(lane, oldest, NULL, 'd', MAX_BYTES / 2);
    assert_int_equal(metric(lane, METRIC_SLOW_OLDEST_DROPPED), 1);
    publish_large(lane, oldest, NULL, 'e', TOO_LARGE);
    publish(lane, oldest, "f");
    publish_large(lane, oldest, NULL, 'g', TOO_LARGE);
    assert_hears(lane, 0, "s=g+6");
}

/* --- latest --- */

static void of_each_key_the_newest_comes_in_the_order_of_publication(void **state)
{
    struct lane *lane = *state;

    crowd_subscribe(lane->crowd, 0, "s", latest);
    start(lane, 0);
    publish_keyed(lane, latest, "x", "x1");
    publish_keyed(lane, latest, "y", "y1");
    publish_keyed(lane, latest, "x", "x2");
    publish_keyed(lane, latest, "x", "x3");
    assert_int_equal(metric(lane, METRIC_SLOW_REPLACED), 2);
    assert_int_equal(metric(lane, METRIC_SLOW_OLDEST_DROPPED), 0);
    assert_int_equal(metric(lane, METRIC_SLOW_WAITING), 2);
    assert_hears(lane, 0, "s=y1+2 s=x3");
}

static void messages_without_the_header_have_one_key(void **state)
{
    struct lane *lane = *state;

    crowd_subscribe(lane->crowd, 0, "s", latest);
    start(lane, 0);
    publish_keyed(lane, latest, "x", "x1");
    publish(lane, latest, "1");
    publish_keyed(lane, latest, "", "2"); /* as good as none */
    publish(lane, latest, "3");
    publish_keyed(lane, latest, "a\nb", "4"); /* escaped on the wire */
    publish_keyed(lane, latest, "a\nb", "5");
    assert_hears(lane, 0, "s=x1+3 s=3 s=5");
}

static void a_key_belongs_to_its_destination(void **state)
{
    struct lane *lane = *state;

    crowd_subscribe_kind(lane->crowd, 0, "s", DESTINATION_PATTERN, "/topic/latest*");
    start(lane, 0);
    publish_keyed(lane, slice_str("/topic/latest1"), "x", "1");
    publish_keyed(lane, slice_str("/topic/latest2"), "x", "2");
    publish_keyed(lane, slice_str("/topic/latest1"), "x", "3");
    assert_hears(lane, 0, "s=2+1 s=3");
}

static void with_too_many_keys_the_oldest_goes(void **state)
{
    struct lane *lane = *state;

    crowd_subscribe(lane->crowd, 0, "s", latest);
    start(lane, 0);
    publish_keyed(lane, latest, "x", "x1");
    publish_keyed(lane, latest, "y", "y1");
    publish_keyed(lane, latest, "z", "z1");
    publish_keyed(lane, latest, "x", "x2");
    publish_keyed(lane, latest, "w", "w1");
    assert_int_equal(metric(lane, METRIC_SLOW_REPLACED), 1);
    assert_int_equal(metric(lane, METRIC_SLOW_OLDEST_DROPPED), 1);
    assert_hears(lane, 0, "s=z1+2 s=x2 s=w1");
}

/* Else a key that changes faster than the client reads would never come. */
static void what_was_waiting_when_the_queue_was_empty_is_sent_whatever_comes(void **state)
{
    struct lane *lane = *state;
    struct receiver *receiver = receiver_at(lane, 0);

    crowd_subscribe(lane->crowd, 0, "s", latest);
    start(lane, 0);
    publish_large(lane, latest, "x", 'x', 65400);
    publish_keyed(lane, latest, "y", "y1");
    publish_large(lane, latest, "z", 'z', 65000);
    assert_in_range(lag_refill(receiver->lag, &receiver->outq), 65536, 67000);
    publish_keyed(lane, latest, "z", "z2");
    publish_keyed(lane, latest, "y", "y2"); /* y1 is written already */
    publish_keyed(lane, latest, "z", "z3"); /* z2 was promised to nobody */
    publish_keyed(lane, latest, "w", "w1"); /* z is one key of three, though twice there */
    write_queue(lane, 0);
    assert_heard(lane, "s=x s=y1");
    assert_int_equal(metric(lane, METRIC_SLOW_REPLACED), 1);
    assert_hears(lane, 0, "s=z+1 s=y2 s=z3 s=w1");
    assert_int_equal(metric(lane, METRIC_SLOW_OLDEST_DROPPED), 0);
}

/* --- what is never dropped --- */

static void all_else_keeps_its_place_and_is_never_dropped(void **state)
{
    struct lane *lane = *state;

    crowd_subscribe(lane->crowd, 0, "o", oldest);
    crowd_subscribe_first(lane->crowd, 10, "f", safe); /* by the log */
    crowd_subscribe(lane->crowd, 10, "f", safe);
    publish(lane, safe, "0");
    start(lane, 0);
    for (unsigned i = 1; i <= 5; i++) {
        publish(lane, oldest, (char[]){(char)('0' + i), '\0'});
        publish(lane, safe, (char[]){(char)('0' + i), '\0'});
        say(lane, 0, (char[]){(char)('a' + i), '\0'});
        if (i % 2 == 0)
            router_distribute(lane->router);
    }
    publish_large(lane, safe, NULL, 'L', 70000);
    assert_hears(lane, 0, "f=0 f=1 b f=2 c o=3+2 f=3 d o=4 f=4 e o=5 f=5 f f=L");
    for (size_t i = 1; i <= 10; i++)
        assert_hears(lane, i, "f=0 f=1 f=2 f=3 f=4 f=5 f=L");
}

static void with_nothing_waiting_all_else_goes_straight_to_the_queue(void **state)
{
    struct lane *lane = *state;
    struct receiver *receiver = receiver_at(lane, 0);

    crowd_subscribe(lane->crowd, 0, "o", oldest);
    start(lane, 0);
    say(lane, 0, "x");
    assert_true(lag_is_empty(receiver->lag));
    publish(lane, oldest, "1");
    say(lane, 0, "yy");
    assert_int_equal(lag_kept_bytes(receiver->lag), 4);
    assert_true(lag_bytes(receiver->lag) > 4);
    assert_int_equal(lagging_queued_bytes(receiver), 3 + lag_bytes(receiver->lag));
    assert_hears(lane, 0, "x o=1 yy");
    assert_int_equal(lagging_queued_bytes(receiver), 0);
}

static void a_subscription_that_acknowledges_loses_nothing(void **state)
{
    struct lane *lane = *state;
    const struct router_subscribe asked = {
        .id = slice_str("a"),
        .destination = oldest,
        .kind = DESTINATION_EXACT,
        .needs_ack = true,
        .ack_window = 100,
    };

    crowd_subscribe_as(lane->crowd, 0, &asked);
    assert_false(lagging_start(lane->router, receiver_at(lane, 0)));
    crowd_subscribe(lane->crowd, 0, "o", oldest);
    for (const char *body = "12345"; *body != '\0'; body++)
        publish(lane, oldest, (char[]){*body, '\0'});
    write_all(lane, 0);
    assert_true(buf_append(&lane->heard, slice_of("", 1)));
    for (const char *body = "12345"; *body != '\0'; body++)
        assert_non_null(strstr(lane->heard.base, (char[]){'a', '=', *body, '\0'}));
    assert_non_null(strstr(lane->heard.base, "o=3+2"));
    assert_null(strstr(lane->heard.base, "o=2"));
    assert_false(receiver_at(lane, 0)->is_window_full);
    lagging_stop(lane->router, receiver_at(lane, 0));
    assert_non_null(receiver_find(receiver_at(lane, 0), lane->router, slice_str("a")));
}

static void without_rules_nobody_lags(void **state)
{
    struct lane *lane = *state;

    crowd_subscribe(lane->crowd, 0, "o", oldest);
    lagging_set_policy(lane->router, NULL);
    assert_false(lagging_start(lane->router, receiver_at(lane, 0)));
    assert_null(receiver_at(lane, 0)->lag);
    lagging_stop(lane->router, receiver_at(lane, 0));
}

static void who_has_nothing_to_lose_stays_where_it_is(void **state)
{
    struct lane *lane = *state;

    crowd_subscribe(lane->crowd, 0, "f", safe);
    crowd_subscribe(lane->crowd, 0, "q", slice_str("/queue/elsewhere"));
    assert_false(lagging_start(lane->router, receiver_at(lane, 0)));
    assert_int_equal(metric(lane, METRIC_SLOW_SESSIONS), 0);
    for (const char *body = "12345"; *body != '\0'; body++)
        publish(lane, safe, (char[]){*body, '\0'});
    assert_hears(lane, 0, "f=1 f=2 f=3 f=4 f=5");
}

/* --- whose messages --- */

static void a_messages_own_destination_decides_for_a_pattern(void **state)
{
    struct lane *lane = *state;

    crowd_subscribe_kind(lane->crowd, 0, "p", DESTINATION_PATTERN, "/topic/*");
    start(lane, 0);
    for (const char *body = "12345"; *body != '\0'; body++) {
        publish(lane, safe, (char[]){*body, '\0'});
        publish(lane, oldest, (char[]){*body, '\0'});
    }
    assert_hears(lane, 0, "p=1 p=2 p=3 p=3+2 p=4 p=4 p=5 p=5");
}

static void user_destinations_are_named_as_clients_name_them(void **state)
{
    static const char id[] = "0123456789abcdef0123456789abcdef";
    static const struct {
        const char *target;
        const char *heard;
    } rows[] = {
        {"/queue/prices", "s=3+2 s=4 s=5"},
        {"queue/prices", "s=3+2 s=4 s=5"}, /* when broker prefixes have no slash */
        {"/queue/prices/x", "s=1 s=2 s=3 s=4 s=5"},
        {"/topic/oldest", "s=1 s=2 s=3 s=4 s=5"},
        {"/queue/work", "s=1 s=2 s=3 s=4 s=5"},
    };
    struct lane *lane = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *bound = mem_printf("%s-user%s", rows[i].target, id);

        crowd_subscribe_kind(lane->crowd, i, "s", DESTINATION_BOUND, bound);
        assert_int_equal(lagging_start(lane->router, receiver_at(lane, i)), i < 2);
        for (const char *body = "12345"; *body != '\0'; body++) {
            const struct msg_header header = {SLICE("destination"), SLICE("/user/x")};
            struct msg *plain =
                msg_new(slice_str("/x"), &header, 1, slice_str("i"), slice_of(body, 1), false);
            struct msg *msg = msg_new_bound(plain, slice_str(bound));

            router_send_bound(lane->router, HARNESS_WORKER, msg);
            msg_unref(msg);
            msg_unref(plain);
        }
        assert_hears(lane, i, rows[i].heard);
        mem_free(bound);
    }
}

static void a_selector_still_selects(void **state)
{
    struct lane *lane = *state;
    struct router_subscribe asked = {
        .id = slice_str("s"),
        .destination = oldest,
        .kind = DESTINATION_EXACT,
    };
    struct selector *selector;

    assert_int_equal(selector_new(slice_str("headers.key == 'x'"), &selector), SELECTOR_OK);
    asked.selector = selector;
    crowd_subscribe_as(lane->crowd, 0, &asked);
    crowd_subscribe_as(lane->crowd, 1, &asked);
    selector_unref(selector);
    start(lane, 0);
    for (const char *body = "12345"; *body != '\0'; body++) {
        publish_keyed(lane, oldest, "x", (char[]){*body, '\0'});
        publish_keyed(lane, oldest, "y", "no");
    }
    assert_hears(lane, 0, "s=3+2 s=4 s=5");
    assert_hears(lane, 1, "s=1 s=2 s=3 s=4 s=5");
    lagging_stop(lane->router, receiver_at(lane, 0));
    publish_keyed(lane, oldest, "x", "6");
    publish_keyed(lane, oldest, "y", "no");
    assert_hears(lane, 0, "s=6");
    assert_hears(lane, 1, "s=6");
    assert_int_equal(lane->router->groups.n, 1);
}

static void plain_subscribers_are_told_nothing(void **state)
{
    struct lane *lane = *state;

    receiver_init(receiver_at(lane, 0), lane->router, WIRE_WEBSOCKET_RAW);
    crowd_subscribe(lane->crowd, 0, "", oldest);
    start(lane, 0);
    for (const char *body = "12345"; *body != '\0'; body++)
        publish(lane, oldest, (char[]){*body, '\0'});
    assert_hears(lane, 0, "3 4 5");
}

static void an_echo_and_a_publish_to_others_only_hold(void **state)
{
    struct lane *lane = *state;
    struct msg *msg;

    crowd_subscribe(lane->crowd, 0, "s", oldest);
    crowd_subscribe(lane->crowd, 1, "s", oldest);
    start(lane, 0);
    msg = harness_message(lane->crowd->h, oldest, slice_str("m"));
    router_publish(lane->router, msg, receiver_at(lane, 0));
    assert_int_equal(router_echo(lane->router, msg, receiver_at(lane, 0)), 1);
    router_reply(lane->router, receiver_at(lane, 0), msg, slice_str("r"));
    msg_unref(msg);
    assert_hears(lane, 0, "s=m r=m");
    assert_hears(lane, 1, "s=m");
}

/* --- subscribing and leaving meanwhile --- */

static void after_an_unsubscribe_what_waits_still_comes_before_its_receipt(void **state)
{
    struct lane *lane = *state;

    crowd_subscribe(lane->crowd, 0, "s", oldest);
    start(lane, 0);
    for (const char *body = "12345"; *body != '\0'; body++)
        publish(lane, oldest, (char[]){*body, '\0'});
    crowd_unsubscribe(lane->crowd, 0, "s");
    say(lane, 0, "receipt");
    publish(lane, oldest, "6");
    crowd_subscribe(lane->crowd, 0, "s", slice_str("/topic/o"));
    say(lane, 0, "again");
    publish(lane, oldest, "7");
    for (const char *body = "abcd"; *body != '\0'; body++)
        publish(lane, slice_str("/topic/o"), (char[]){*body, '\0'});
    assert_hears(lane, 0, "s=3+2 s=4 s=5 receipt again s=b+1 s=c s=d");
    lagging_stop(lane->router, receiver_at(lane, 0));
    assert_int_equal(metric(lane, METRIC_SLOW_SESSIONS), 0);
}

static void who_subscribes_while_lagging_may_lose_at_once(void **state)
{
    struct lane *lane = *state;

    assert_false(lagging_start(lane->router, receiver_at(lane, 0)));
    crowd_subscribe(lane->crowd, 0, "s", oldest);
    crowd_subscribe(lane->crowd, 0, "f", safe);
    crowd_subscribe(lane->crowd, 1, "s", oldest);
    for (const char *body = "12345"; *body != '\0'; body++) {
        publish(lane, oldest, (char[]){*body, '\0'});
        publish(lane, safe, (char[]){*body, '\0'});
    }
    assert_hears(lane, 0, "f=1 f=2 s=3+2 f=3 s=4 f=4 s=5 f=5");
    assert_hears(lane, 1, "s=1 s=2 s=3 s=4 s=5");
}

static void when_all_has_come_the_group_is_shared_again(void **state)
{
    struct lane *lane = *state;
    struct receiver *receiver = receiver_at(lane, 0);

    crowd_subscribe_first(lane->crowd, 5, "s", oldest);
    assert_int_equal(lane->router->groups.n, 1);
    publish(lane, oldest, "0"); /* in the log when it starts */
    start(lane, 0);
    assert_int_equal(lane->router->groups.n, 2);
    assert_false(lagging_start(lane->router, receiver));
    publish(lane, oldest, "1");
    assert_hears(lane, 0, "s=0 s=1");
    publish(lane, oldest, "2");
    assert_hears(lane, 0, "s=2");
    lagging_stop(lane->router, receiver);
    assert_null(receiver->lag);
    assert_int_equal(lane->router->groups.n, 1);
    assert_int_equal(metric(lane, METRIC_SLOW_SESSIONS), 0);
    assert_int_equal(metric(lane, METRIC_SUBSCRIPTIONS), 5);
    publish(lane, oldest, "3");
    assert_hears(lane, 0, "s=3");
    for (size_t i = 1; i < 5; i++)
        assert_hears(lane, i, "s=0 s=1 s=2 s=3");
    crowd_unsubscribe(lane->crowd, 0, "s");
    assert_int_equal(metric(lane, METRIC_SUBSCRIPTIONS), 4);
}

/* A member that is the group's own, one in the middle, the last: and hundreds of one receiver. */
static void any_number_of_subscriptions_go_and_come_back(void **state)
{
    enum { N = 300 };
    struct lane *lane = *state;
    struct receiver *receiver = receiver_at(lane, 1);
    char id[16], name[32];

    for (unsigned k = 0; k < N; k++) {
        for (size_t i = 0; i < 3; i++) {
            snprintf(id, sizeof(id), "%u", k);
            snprintf(name, sizeof(name), k % 3 == 0 ? "/topic/safe" : "/topic/o%u", k % 5);
            crowd_subscribe(lane->crowd, i, id, slice_str(name));
        }
    }
    assert_int_equal(lane->router->groups.n, N);
    for (unsigned round = 0; round < 3; round++) {
        start(lane, 1);
        assert_int_equal(lane->router->groups.n, N + N * 2 / 3);
        assert_int_equal(receiver->subscriptions.n, N);
        for (unsigned k = 0; k < N; k++) {
            snprintf(id, sizeof(id), "%u", k);
            assert_non_null(receiver_find(receiver, lane->router, slice_str(id)));
        }
        lagging_stop(lane->router, receiver);
        assert_int_equal(lane->router->groups.n, N);
    }
    start(lane, 0);
    start(lane, 1);
    receiver_leave(receiver_at(lane, 0), lane->router);
    receiver_end_subscriptions(receiver, lane->router);
    assert_int_equal(lane->router->groups.n, N);
    lagging_stop(lane->router, receiver);
}

static void who_leaves_takes_all_with_it(void **state)
{
    struct lane *lane = *state;

    crowd_subscribe_first(lane->crowd, 3, "s", oldest);
    crowd_subscribe(lane->crowd, 0, "l", latest);
    start(lane, 0);
    start(lane, 1);
    publish(lane, oldest, "1");
    publish(lane, latest, "1");
    say(lane, 0, "x");
    receiver_leave(receiver_at(lane, 0), lane->router);
    assert_int_equal(metric(lane, METRIC_SLOW_WAITING), 1);
    assert_int_equal(metric(lane, METRIC_SLOW_SESSIONS), 1);
    assert_hears(lane, 1, "s=1");
}

static void a_cut_counts_every_frame_that_waits(void **state)
{
    struct lane *lane = *state;
    struct receiver *receiver = receiver_at(lane, 0);

    crowd_subscribe(lane->crowd, 0, "o", oldest);
    crowd_subscribe_first(lane->crowd, 5, "f", safe);
    start(lane, 0);
    publish(lane, oldest, "1");
    publish_large(lane, safe, NULL, 'L', 600); /* two frames in one range of the log */
    publish_large(lane, safe, NULL, 'M', 600);
    router_distribute(lane->router);
    say(lane, 0, "x");
    publish(lane, oldest, "2");
    crowd_unsubscribe(lane->crowd, 0, "o");
    assert_int_equal(lag_cut(receiver->lag), 5);
    assert_true(lag_is_empty(receiver->lag));
    assert_int_equal(lag_bytes(receiver->lag), 0);
    assert_int_equal(lag_kept_bytes(receiver->lag), 0);
    say(lane, 0, "goodbye");
    assert_hears(lane, 0, "goodbye");
}

/* --- memory --- */

static int64_t accounted(const struct lane *lane)
{
    return atomic_load(&lane->crowd->h->account.bytes) + lane->crowd->h->pool.unreported;
}

static void a_message_that_waits_for_many_is_counted_once(void **state)
{
    enum { N = 20, LEN = 50000 };
    struct lane *lane = *state;
    int64_t before;

    crowd_subscribe_first(lane->crowd, N, "s", oldest);
    for (size_t i = 0; i < N; i++)
        start(lane, i);
    before = accounted(lane);
    publish_large(lane, oldest, NULL, 'a', LEN);
    publish_large(lane, oldest, NULL, 'b', LEN);
    assert_in_range(accounted(lane) - before, 2 * LEN, 2 * LEN + 2 * (N + 1) * 300);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(lag_bytes(receiver_at(lane, i)->lag) / LEN, 2);
    for (size_t i = 0; i < N; i++)
        assert_hears(lane, i, "s=a s=b");
    assert_int_equal(accounted(lane), before);
}

/* --- at random --- */

enum { N_TOPICS = 4, N_KEYS = 5, STEPS = 1000 };

struct expectation {
    uint64_t n_published[N_TOPICS], n_heard[N_TOPICS], n_lost[N_TOPICS];
    uint64_t newest[N_TOPICS][N_KEYS], heard[N_TOPICS][N_KEYS];
    uint64_t order; /* of everything, over all topics */
};

static const char *const topics[N_TOPICS] = {"/topic/oldest", "/topic/latest", "/topic/safe",
                                             "/topic/other"};

/* Reads a number that ends with one of `ends`, or with the text. Moves `*at` behind the digits. */
static uint64_t read_number(char **at, const char *ends)
{
    char *begin = *at;
    uint64_t number = strtoull(begin, at, 10);

    assert_true(*at != begin && (**at == '\0' || strchr(ends, **at) != NULL));
    return number;
}

/* Everything in `heard` is in order, and of the topics' numbers none came twice. */
static void check_heard(struct lane *lane, struct expectation *e)
{
    char *at;

    assert_true(buf_append(&lane->heard, slice_of("", 1)));
    at = (char *)(uintptr_t)lane->heard.base;
    while (*at != '\0') {
        uint64_t number;

        if (*at == 'r') {
            at++;
            number = read_number(&at, " ");
        } else {
            size_t topic = (size_t)(*at - '0'), key;

            assert_in_range(topic, 0, N_TOPICS - 1);
            at += 2; /* "=" */
            number = read_number(&at, "/");
            at++;
            key = (size_t)read_number(&at, " +");
            assert_in_range(key, 0, N_KEYS - 1);
            e->n_heard[topic]++;
            e->heard[topic][key] = number;
            if (*at == '+') {
                at++;
                e->n_lost[topic] += read_number(&at, " ");
            }
        }
        assert_true(number > e->order);
        e->order = number;
        if (*at == ' ')
            at++;
    }
    buf_consume(&lane->heard, lane->heard.len);
}

static void nothing_is_lost_that_was_not_said_and_order_holds(void **state)
{
    struct lane *lane = *state;
    struct rng rng = {42};

    for (size_t i = 0; i < N_TOPICS; i++) {
        char id[2] = {(char)('0' + i), '\0'};

        crowd_subscribe_first(lane->crowd, 4, id, slice_str(topics[i]));
    }
    for (unsigned round = 0; round < 20; round++) {
        struct expectation e = {.order = 0};
        struct receiver *receiver = receiver_at(lane, 0);
        uint64_t number = 0;

        for (unsigned step = 0; step < STEPS; step++) {
            size_t topic = rng_below(&rng, N_TOPICS), key = rng_below(&rng, 2 + round % 4);
            char body[64], key_text[8];

            switch (rng_below(&rng, 24)) {
            case 0:
                lagging_start(lane->router, receiver);
                break;
            case 1:
                write_queue(lane, 0);
                if (lag_is_empty(receiver->lag) && receiver->outq.bytes == 0)
                    lagging_stop(lane->router, receiver);
                else if (receiver->lag != NULL)
                    lag_refill(receiver->lag, &receiver->outq);
                break;
            case 2:
                router_distribute(lane->router);
                break;
            case 3:
                snprintf(body, sizeof(body), "r%llu", (unsigned long long)++number);
                say(lane, 0, body);
                break;
            default:
                snprintf(key_text, sizeof(key_text), "%zu", key);
                snprintf(body, sizeof(body), "%llu/%zu", (unsigned long long)++number, key);
                publish_keyed(lane, slice_str(topics[topic]), key_text, body);
                e.n_published[topic]++;
                e.newest[topic][key] = number;
            }
        }
        write_all(lane, 0);
        check_heard(lane, &e);
        for (size_t i = 0; i < N_TOPICS; i++)
            assert_int_equal(e.n_heard[i] + e.n_lost[i], e.n_published[i]);
        assert_int_equal(e.n_lost[2], 0);
        /* With no more keys than may wait, the last of each has come. */
        for (size_t k = 0; 2 + round % 4 <= MAX_MESSAGES && k < N_KEYS; k++)
            assert_int_equal(e.heard[1][k], e.newest[1][k]);
        /* The others lost nothing at all. */
        for (size_t i = 1; i < 4; i++) {
            struct expectation other = {.order = 0};

            write_all(lane, i);
            check_heard(lane, &other);
            assert_memory_equal(other.n_heard, e.n_published, sizeof(other.n_heard));
        }
    }
    assert_true(metric(lane, METRIC_SLOW_OLDEST_DROPPED) > 1000);
    assert_true(metric(lane, METRIC_SLOW_REPLACED) > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LANE_TEST(the_oldest_go_and_the_next_message_says_how_many),
        LANE_TEST(each_subscription_has_its_own_room_and_its_own_count),
        LANE_TEST(bytes_are_limited_too_but_the_newest_always_stays),
        LANE_TEST(of_each_key_the_newest_comes_in_the_order_of_publication),
        LANE_TEST(messages_without_the_header_have_one_key),
        LANE_TEST(a_key_belongs_to_its_destination),
        LANE_TEST(with_too_many_keys_the_oldest_goes),
        LANE_TEST(what_was_waiting_when_the_queue_was_empty_is_sent_whatever_comes),
        LANE_TEST(all_else_keeps_its_place_and_is_never_dropped),
        LANE_TEST(with_nothing_waiting_all_else_goes_straight_to_the_queue),
        LANE_TEST(a_subscription_that_acknowledges_loses_nothing),
        LANE_TEST(without_rules_nobody_lags),
        LANE_TEST(who_has_nothing_to_lose_stays_where_it_is),
        LANE_TEST(a_messages_own_destination_decides_for_a_pattern),
        LANE_TEST(user_destinations_are_named_as_clients_name_them),
        LANE_TEST(a_selector_still_selects),
        LANE_TEST(plain_subscribers_are_told_nothing),
        LANE_TEST(an_echo_and_a_publish_to_others_only_hold),
        LANE_TEST(after_an_unsubscribe_what_waits_still_comes_before_its_receipt),
        LANE_TEST(who_subscribes_while_lagging_may_lose_at_once),
        LANE_TEST(when_all_has_come_the_group_is_shared_again),
        LANE_TEST(any_number_of_subscriptions_go_and_come_back),
        LANE_TEST(who_leaves_takes_all_with_it),
        LANE_TEST(a_cut_counts_every_frame_that_waits),
        LANE_TEST(a_message_that_waits_for_many_is_counted_once),
        LANE_TEST(nothing_is_lost_that_was_not_said_and_order_holds),
    };

    return cmocka_run_group_tests_name("gateway/router/lagging", tests, NULL, NULL);
}
