#include "tests/gateway/worker/probe.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "gateway/router/lagging.h"

/* Streams whose peers read too slowly what they may lose: "/lossy" keeps the newest five. */

enum { LIMIT = 256 << 20, KEPT = 5, LEN = 20000, OFFERED = 300000 };

struct slow {
    struct fleet fleet;
    struct policy *policy;
    struct probe probe;
    unsigned n_limits; /* the probe's, as last read */
};

static void set_policy_task(struct worker *worker, void *ctx)
{
    lagging_set_policy(&worker->router, ctx);
}

static void subscribe_task(struct worker *worker, void *ctx)
{
    struct probe *probe = ctx;

    assert_true(router_subscribe(&worker->router, &probe->stream.receiver, slice_str("l"),
                                 slice_str("/lossy")));
    assert_true(router_subscribe(&worker->router, &probe->stream.receiver, slice_str("s"),
                                 slice_str("/safe")));
}

static void open_probe(struct slow *slow, struct probe *probe)
{
    probe_open(probe, &slow->fleet, 0, 8192);
    fleet_ask(&slow->fleet, 0, subscribe_task, probe);
}

static void start(struct slow *slow, uint64_t send_buffer_bytes, uint32_t send_time_ms,
                  uint64_t process_limit)
{
    static const struct slice lossy[] = {SLICE("/lossy")};
    static const struct policy_slow_rule rule = {
        {lossy, 1}, {POLICY_SLOW_DROP_OLDEST, SLICE(""), KEPT, 64 << 20}};
    const struct policy_rules rules = {.slow = &rule, .n_slow = 1, .separator = '/'};
    char *error = NULL;

    memset(slow, 0, sizeof(*slow));
    slow->policy = policy_new(&rules, &error);
    assert_non_null(slow->policy);
    fleet_start(&slow->fleet, 1, process_limit);
    fleet_ask(&slow->fleet, 0, set_policy_task, slow->policy);
    slow->probe.limits = (struct stream_limits){send_buffer_bytes, send_time_ms};
    open_probe(slow, &slow->probe);
}

static void stop(struct slow *slow)
{
    fleet_stop(&slow->fleet);
    policy_free(slow->policy);
}

struct publishing {
    const char *destination;
    char letter;
};

static void publish_task(struct worker *worker, void *ctx)
{
    const struct publishing *publishing = ctx;
    char body[LEN], id[64];
    const struct msg_header header = {SLICE("destination"), slice_str(publishing->destination)};
    struct msg *msg;

    memset(body, publishing->letter, sizeof(body));
    msg = msg_new(header.value, &header, 1, router_next_id(&worker->router, id),
                  slice_of(body, sizeof(body)), true);
    router_publish(&worker->router, msg, NULL);
    msg_unref(msg);
}

/* One message of LEN bytes for each letter, each in a tick of its own or nearly. */
static void publish(struct slow *slow, const char *destination, const char *letters)
{
    for (; *letters != '\0'; letters++) {
        struct publishing publishing = {destination, *letters};

        fleet_ask(&slow->fleet, 0, publish_task, &publishing);
    }
}

static bool is_blocked(struct worker *worker, void *ctx)
{
    (void)worker;
    return ((const struct probe *)ctx)->stream.is_blocked;
}

static void block(struct slow *slow, struct probe *probe)
{
    probe_ask_queue(probe, '!', OFFERED);
    fleet_wait(&slow->fleet, 0, is_blocked, probe);
}

static bool lags(struct worker *worker, void *ctx)
{
    (void)worker;
    return ((const struct probe *)ctx)->stream.receiver.lag != NULL;
}

static bool keeps_up(struct worker *worker, void *ctx)
{
    return !lags(worker, ctx);
}

static bool is_limited(struct worker *worker, void *ctx)
{
    (void)worker;
    return ((const struct probe *)ctx)->n_limits != 0;
}

/* The next frame's letter; all of its bytes are that. 0 at the end of the stream. */
static char read_letter(struct probe *probe)
{
    unsigned char head[4];
    char body[LEN];
    size_t len;

    if (fd_read_to_end(probe->fd, (char *)head, 2) != 2)
        return '\0';
    fd_read(probe->fd, (char *)head + 2, 2);
    len = (size_t)head[2] << 8 | head[3];
    assert_in_range(len, 1, sizeof(body));
    fd_read(probe->fd, body, len);
    for (size_t i = 1; i < len; i++)
        assert_int_equal(body[i], body[0]);
    return body[0];
}

static void read_letters(struct probe *probe, const char *letters)
{
    for (; *letters != '\0'; letters++)
        assert_int_equal(read_letter(probe), *letters);
}

static void abort_and_stop(struct slow *slow)
{
    fleet_abort_streams(&slow->fleet);
    probe_close(&slow->probe);
    stop(slow);
}

/* a to d come before anybody notices (64 KiB are a little more than three), e to l are five too
 * many and three. */
static void who_lags_loses_the_oldest_and_is_not_closed(void **state)
{
    struct slow slow;

    (void)state;
    start(&slow, 200000, 60000, LIMIT);
    block(&slow, &slow.probe);
    publish(&slow, "/lossy", "abcd");
    fleet_wait(&slow.fleet, 0, lags, &slow.probe);
    publish(&slow, "/lossy", "efghijkl");
    probe_expect(&slow.probe, '!', OFFERED);
    read_letters(&slow.probe, "abcdhijkl");
    fleet_wait(&slow.fleet, 0, keeps_up, &slow.probe);
    assert_int_equal(fleet_metric(&slow.fleet, METRIC_SLOW_OLDEST_DROPPED), 3);
    assert_int_equal(fleet_metric(&slow.fleet, METRIC_SLOW_SESSIONS), 0);
    assert_int_equal(slow.probe.n_limits, 0);
    publish(&slow, "/lossy", "mn");
    publish(&slow, "/safe", "o");
    read_letters(&slow.probe, "mno");
    abort_and_stop(&slow);
}

static void a_short_stop_is_no_lag(void **state)
{
    struct slow slow;

    (void)state;
    start(&slow, 1 << 20, 60000, LIMIT);
    block(&slow, &slow.probe);
    publish(&slow, "/lossy", "abc");
    probe_ask_queue(&slow.probe, '?', 1000); /* its tick comes after that of the last message */
    fleet_wait(&slow.fleet, 0, keeps_up, &slow.probe);
    assert_int_equal(fleet_metric(&slow.fleet, METRIC_SLOW_SESSIONS), 0);
    probe_expect(&slow.probe, '!', OFFERED);
    read_letters(&slow.probe, "abc?");
    abort_and_stop(&slow);
}

/* What may not be lost still has its limit, also while it waits behind what may. */
static void what_must_arrive_is_limited_as_ever(void **state)
{
    struct slow slow;

    (void)state;
    start(&slow, 200000, 60000, LIMIT);
    block(&slow, &slow.probe);
    publish(&slow, "/lossy", "abcd");
    fleet_wait(&slow.fleet, 0, lags, &slow.probe);
    publish(&slow, "/lossy", "efghij");
    publish(&slow, "/safe", "012345678");
    fleet_wait_for_streams(&slow.fleet, 0, 1);
    assert_int_equal(slow.probe.n_limits, 0);
    publish(&slow, "/safe", "9");
    fleet_wait(&slow.fleet, 0, is_limited, &slow.probe);
    assert_int_equal(slow.probe.limit, STREAM_LIMIT_BUFFER);
    /* a to d, five that waited, and the ten that must have arrived: cut, and counted. */
    assert_int_equal(fleet_metric(&slow.fleet, METRIC_DROPPED), 4 + 5 + 10);
    assert_int_equal(fleet_metric(&slow.fleet, METRIC_SLOW_WAITING), 0);
    probe_expect(&slow.probe, '!', OFFERED);
    assert_int_equal(read_letter(&slow.probe), '\0');
    (void)shutdown(slow.probe.fd, SHUT_WR);
    probe_close(&slow.probe);
    stop(&slow);
}

static void who_takes_nothing_at_all_is_closed_in_time(void **state)
{
    struct slow slow;

    (void)state;
    start(&slow, 200000, 5000, LIMIT);
    block(&slow, &slow.probe);
    publish(&slow, "/lossy", "abcdefg");
    fleet_wait(&slow.fleet, 0, lags, &slow.probe);
    fleet_skip(&slow.fleet, 0, 5100);
    fleet_wait(&slow.fleet, 0, is_limited, &slow.probe);
    assert_int_equal(slow.probe.limit, STREAM_LIMIT_TIME);
    abort_and_stop(&slow);
}

static void finish_task(struct worker *worker, void *ctx)
{
    (void)worker;
    stream_finish(ctx, false);
}

static void a_close_comes_behind_all_that_waits(void **state)
{
    struct slow slow;

    (void)state;
    start(&slow, 200000, 60000, LIMIT);
    block(&slow, &slow.probe);
    publish(&slow, "/lossy", "abcd");
    fleet_wait(&slow.fleet, 0, lags, &slow.probe);
    publish(&slow, "/lossy", "efghij");
    publish(&slow, "/safe", "0");
    fleet_ask(&slow.fleet, 0, finish_task, &slow.probe.stream);
    probe_expect(&slow.probe, '!', OFFERED);
    read_letters(&slow.probe, "abcdfghij0");
    assert_int_equal(read_letter(&slow.probe), '\0');
    (void)shutdown(slow.probe.fd, SHUT_WR);
    probe_close(&slow.probe);
    stop(&slow);
}

static void read_n_limits(struct worker *worker, void *ctx)
{
    struct slow *slow = ctx;

    (void)worker;
    slow->n_limits = slow->probe.n_limits;
}

/* 1.6 MiB is 80 %: twice what was offered is below it, a few messages more are not. */
static void above_the_process_limit_what_waits_makes_a_queue_long(void **state)
{
    enum { N = 100 };
    struct slow slow;
    struct probe other = {.limits = {64 << 20, 60000}};

    (void)state;
    start(&slow, 64 << 20, 60000, 2 << 20);
    open_probe(&slow, &other);
    block(&slow, &slow.probe);
    block(&slow, &other);
    publish(&slow, "/lossy", "abcd");
    fleet_wait(&slow.fleet, 0, lags, &slow.probe);
    fleet_wait(&slow.fleet, 0, lags, &other);
    publish(&slow, "/lossy", "e");
    /* No more than it takes: what a session that is being closed has left counts, too. */
    for (unsigned i = 0; i < N && slow.n_limits == 0; i++) {
        probe_ask_queue(&slow.probe, 'x', LEN);
        fleet_ask(&slow.fleet, 0, read_n_limits, &slow);
    }
    fleet_wait(&slow.fleet, 0, is_limited, &slow.probe);
    assert_int_equal(slow.probe.limit, STREAM_LIMIT_MEMORY);
    assert_int_equal(other.n_limits, 0);
    fleet_abort_streams(&slow.fleet);
    probe_close(&other);
    probe_close(&slow.probe);
    stop(&slow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_lags_loses_the_oldest_and_is_not_closed),
        cmocka_unit_test(a_short_stop_is_no_lag),
        cmocka_unit_test(what_must_arrive_is_limited_as_ever),
        cmocka_unit_test(who_takes_nothing_at_all_is_closed_in_time),
        cmocka_unit_test(a_close_comes_behind_all_that_waits),
        cmocka_unit_test(above_the_process_limit_what_waits_makes_a_queue_long),
    };

    return cmocka_run_group_tests_name("gateway/worker/slow", tests, NULL, NULL);
}
