#include "tests/gateway/worker/probe.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A stream on a running worker: reading, writing, limits and the orderly close. */

enum { LIMIT = 256 * 1024 * 1024 };

static void finish_task(struct worker *worker, void *ctx)
{
    (void)worker;
    stream_finish(ctx, false);
}

static void finish_and_await_task(struct worker *worker, void *ctx)
{
    (void)worker;
    stream_finish(ctx, true);
}

static void abort_task(struct worker *worker, void *ctx)
{
    (void)worker;
    stream_abort(ctx);
    stream_abort(ctx);
}

static void pause_task(struct worker *worker, void *ctx)
{
    (void)worker;
    stream_pause(ctx);
}

static void resume_task(struct worker *worker, void *ctx)
{
    (void)worker;
    stream_resume(ctx);
}

static void peer_closed_task(struct worker *worker, void *ctx)
{
    (void)worker;
    stream_peer_closed(ctx, true);
}

static bool has_read(struct worker *worker, void *ctx)
{
    const struct probe *probe = ctx;

    (void)worker;
    return probe->n_bytes == (size_t)(uintptr_t)probe->ctx;
}

static void wait_for_bytes(struct probe *probe, size_t n)
{
    probe->ctx = (void *)(uintptr_t)n; /* as has_read wants it */
    fleet_wait(probe->fleet, probe->worker, has_read, probe);
}

static bool is_blocked(struct worker *worker, void *ctx)
{
    (void)worker;
    return ((const struct probe *)ctx)->stream.is_blocked;
}

static bool is_in_state(struct worker *worker, void *ctx)
{
    const struct probe *probe = ctx;

    (void)worker;
    return probe->stream.state == (uint8_t)(uintptr_t)probe->ctx;
}

static void wait_for_state(struct probe *probe, enum stream_state state)
{
    probe->ctx = (void *)(uintptr_t)state;
    fleet_wait(probe->fleet, probe->worker, is_in_state, probe);
}

/* --- reading --- */

static void input_comes_in_order_and_the_peers_end_is_told_once(void **state)
{
    struct fleet fleet;
    struct probe probe = {.n_inputs = 0};

    (void)state;
    fleet_start(&fleet, 1, LIMIT);
    probe_open(&probe, &fleet, 0, 0);
    fd_write(probe.fd, slice_str("one "));
    fd_write(probe.fd, slice_str("two"));
    (void)shutdown(probe.fd, SHUT_WR);
    probe_close(&probe);
    assert_int_equal(probe.how, STREAM_END_PEER);
    assert_memory_equal(probe.input, "one two", 7);
    assert_int_equal(fleet_metric(&fleet, METRIC_BYTES_IN), 7);
    fleet_stop(&fleet);
}

static void a_paused_stream_is_not_read_until_it_is_resumed(void **state)
{
    struct fleet fleet;
    struct probe probe = {.n_inputs = 0};

    (void)state;
    fleet_start(&fleet, 1, LIMIT);
    probe_open(&probe, &fleet, 0, 0);
    fleet_ask(&fleet, 0, pause_task, &probe.stream);
    fd_write(probe.fd, slice_str("abc"));
    for (int i = 0; i < 20; i++)
        fleet_wait_for_streams(&fleet, 0, 1);
    assert_int_equal(probe.n_inputs, 0);
    fleet_ask(&fleet, 0, resume_task, &probe.stream);
    wait_for_bytes(&probe, 3);
    fd_write(probe.fd, slice_str("def"));
    wait_for_bytes(&probe, 6);
    (void)close(probe.fd);
    probe_close(&probe);
    fleet_stop(&fleet);
}

static size_t pause_after_two(struct probe *probe, struct slice input)
{
    if (probe->n_inputs == 0) {
        stream_pause(&probe->stream);
        return input.len < 2 ? input.len : 2;
    }
    return input.len;
}

static void what_a_pause_left_is_given_first(void **state)
{
    struct fleet fleet;
    struct probe probe = {.on_input = pause_after_two};

    (void)state;
    fleet_start(&fleet, 1, LIMIT);
    probe_open(&probe, &fleet, 0, 0);
    fd_write(probe.fd, slice_str("abcd"));
    wait_for_bytes(&probe, 2);
    fd_write(probe.fd, slice_str("ef"));
    fleet_ask(&fleet, 0, resume_task, &probe.stream);
    wait_for_bytes(&probe, 6);
    assert_memory_equal(probe.input, "abcdef", 6);
    (void)shutdown(probe.fd, SHUT_WR);
    probe_close(&probe);
    fleet_stop(&fleet);
}

static size_t pause_and_resume(struct probe *probe, struct slice input)
{
    stream_pause(&probe->stream);
    stream_resume(&probe->stream);
    return input.len;
}

static void a_pause_that_ends_within_the_callback_loses_nothing(void **state)
{
    struct fleet fleet;
    struct probe probe = {.on_input = pause_and_resume};

    (void)state;
    fleet_start(&fleet, 1, LIMIT);
    probe_open(&probe, &fleet, 0, 0);
    for (size_t i = 1; i <= 5; i++) {
        fd_write(probe.fd, slice_str("x"));
        wait_for_bytes(&probe, i);
    }
    (void)shutdown(probe.fd, SHUT_WR);
    probe_close(&probe);
    fleet_stop(&fleet);
}

static size_t one_by_one(struct probe *probe, struct slice input)
{
    if (input.len > 1)
        stream_yield(&probe->stream);
    return 1;
}

static void what_a_yield_left_is_given_in_order(void **state)
{
    struct fleet fleet;
    struct probe probe = {.on_input = one_by_one};
    char letters[600];

    (void)state;
    for (size_t i = 0; i < sizeof(letters); i++)
        letters[i] = (char)('a' + i % 26);
    fleet_start(&fleet, 1, LIMIT);
    probe_open(&probe, &fleet, 0, 0);
    fd_write(probe.fd, slice_of(letters, 300));
    fd_write(probe.fd, slice_of(letters + 300, 300));
    wait_for_bytes(&probe, 600);
    assert_memory_equal(probe.input, letters, 600);
    assert_int_equal(probe.n_inputs, 600);
    (void)shutdown(probe.fd, SHUT_WR);
    probe_close(&probe);
    fleet_stop(&fleet);
}

/* --- writing and its limits --- */

static void all_that_is_queued_is_written_in_order(void **state)
{
    struct fleet fleet;
    struct probe probe = {.limits = {64 * 1024 * 1024, 10000}};

    (void)state;
    fleet_start(&fleet, 1, LIMIT);
    probe_open(&probe, &fleet, 0, 8192);
    for (char c = 'a'; c <= 'z'; c++)
        probe_ask_queue(&probe, c, (size_t)(c - 'a') * 3001);
    for (char c = 'a'; c <= 'z'; c++)
        probe_expect(&probe, c, (size_t)(c - 'a') * 3001);
    fleet_ask(&fleet, 0, abort_task, &probe.stream);
    probe_close(&probe);
    assert_int_equal(probe.how, STREAM_END_CLOSED);
    assert_int_equal(probe.n_limits, 0);
    fleet_stop(&fleet);
}

static void more_than_the_buffer_limit_behind_a_write_is_an_overflow(void **state)
{
    struct fleet fleet;
    struct probe probe = {.limits = {100000, 60000}};
    char byte[400000];

    (void)state;
    fleet_start(&fleet, 1, LIMIT);
    probe_open(&probe, &fleet, 0, 8192);
    /* What was offered at once does not count, however much it is. */
    probe_ask_queue(&probe, 'a', 300000);
    fleet_wait(&fleet, 0, is_blocked, &probe);
    probe_ask_queue(&probe, 'b', 60000);
    fleet_wait_for_streams(&fleet, 0, 1);
    assert_int_equal(probe.n_limits, 0);
    probe_ask_queue(&probe, 'c', 60000);
    wait_for_state(&probe, STREAM_FLUSHING);
    assert_int_equal(probe.n_limits, 1);
    assert_int_equal(probe.limit, STREAM_LIMIT_BUFFER);
    /* Cut at the end of the frame in flight. */
    assert_int_equal(fd_read_to_end(probe.fd, byte, sizeof(byte)), 300010);
    (void)shutdown(probe.fd, SHUT_WR);
    probe_close(&probe);
    fleet_stop(&fleet);
}

static void a_write_that_takes_too_long_is_an_overflow(void **state)
{
    struct fleet fleet;
    struct probe probe = {.limits = {64 * 1024 * 1024, 40}};

    (void)state;
    fleet_start(&fleet, 1, LIMIT);
    probe_open(&probe, &fleet, 0, 8192);
    probe_ask_queue(&probe, 'a', 300000);
    wait_for_state(&probe, STREAM_FLUSHING);
    assert_int_equal(probe.n_limits, 1);
    assert_int_equal(probe.limit, STREAM_LIMIT_TIME);
    fleet_ask(&fleet, 0, abort_task, &probe.stream);
    probe_close(&probe);
    fleet_stop(&fleet);
}

/* As if the write had been stuck for ever so long; the timer still believes in its deadline. */
static void backdate(struct worker *worker, void *ctx)
{
    (void)worker;
    ((struct probe *)ctx)->stream.stuck_since_ms = 1;
}

static bool is_moving(struct worker *worker, void *ctx)
{
    (void)worker;
    return ((const struct probe *)ctx)->stream.stuck_since_ms > 1;
}

static void a_write_that_moves_on_is_none(void **state)
{
    struct fleet fleet;
    struct probe probe = {.limits = {64 * 1024 * 1024, 5000}};
    char bytes[50000];

    (void)state;
    fleet_start(&fleet, 1, LIMIT);
    probe_open(&probe, &fleet, 0, 8192);
    probe_ask_queue(&probe, 'a', 1000000);
    for (int i = 0; i < 10; i++) {
        fleet_wait(&fleet, 0, is_blocked, &probe);
        fleet_ask(&fleet, 0, backdate, &probe);
        fd_read(probe.fd, bytes, sizeof(bytes));
        fleet_wait(&fleet, 0, is_moving, &probe);
    }
    assert_int_equal(probe.n_limits, 0);
    fleet_skip(&fleet, 0, 5100);
    assert_int_equal(probe.n_limits, 1);
    fleet_ask(&fleet, 0, abort_task, &probe.stream);
    probe_close(&probe);
    fleet_stop(&fleet);
}

static void above_the_process_limit_the_longest_queue_goes(void **state)
{
    struct fleet fleet;
    struct probe small = {.limits = {64 * 1024 * 1024, 60000}}, large = small;

    (void)state;
    fleet_start(&fleet, 1, 2 * 1024 * 1024);
    probe_open(&small, &fleet, 0, 8192);
    probe_open(&large, &fleet, 0, 8192);
    probe_ask_queue(&small, 's', 300000);
    probe_ask_queue(&large, 'l', 600000);
    fleet_wait(&fleet, 0, is_blocked, &large);
    assert_int_equal(large.n_limits, 0);
    probe_ask_queue(&large, 'l', 1000000);
    wait_for_state(&large, STREAM_FLUSHING);
    assert_int_equal(large.limit, STREAM_LIMIT_MEMORY);
    assert_int_equal(small.n_limits, 0);
    fleet_abort_streams(&fleet);
    probe_close(&small);
    probe_close(&large);
    fleet_stop(&fleet);
}

/* --- the close --- */

static void a_finished_stream_writes_all_then_shuts_down(void **state)
{
    struct fleet fleet;
    struct probe probe = {.n_inputs = 0};
    char more;

    (void)state;
    fleet_start(&fleet, 1, LIMIT);
    probe_open(&probe, &fleet, 0, 8192);
    probe_ask_queue(&probe, 'a', 200000);
    fleet_ask(&fleet, 0, finish_task, &probe.stream);
    probe_expect(&probe, 'a', 200000);
    assert_int_equal(fd_read_to_end(probe.fd, &more, 1), 0);
    wait_for_state(&probe, STREAM_DRAINING);
    /* Input that nobody reads any more must not become a reset. */
    fd_write(probe.fd, slice_str("too late"));
    for (int i = 0; i < 5; i++)
        fleet_wait_for_streams(&fleet, 0, 1);
    assert_int_equal(probe.n_ends, 0);
    (void)shutdown(probe.fd, SHUT_WR);
    probe_close(&probe);
    assert_int_equal(probe.how, STREAM_END_CLOSED);
    fleet_stop(&fleet);
}

static void the_peers_close_is_awaited_before_the_shutdown(void **state)
{
    struct fleet fleet;
    struct probe probe = {.n_inputs = 0};
    char more;

    (void)state;
    fleet_start(&fleet, 1, LIMIT);
    probe_open(&probe, &fleet, 0, 0);
    probe_ask_queue(&probe, 'a', 10);
    fleet_ask(&fleet, 0, finish_and_await_task, &probe.stream);
    probe_expect(&probe, 'a', 10);
    wait_for_state(&probe, STREAM_AWAITING);
    /* What comes meanwhile is looked at. */
    fd_write(probe.fd, slice_str("bye"));
    wait_for_bytes(&probe, 3);
    fd_assert_silent(probe.fd);
    fleet_ask(&fleet, 0, peer_closed_task, &probe.stream);
    assert_int_equal(fd_read_to_end(probe.fd, &more, 1), 0);
    (void)close(probe.fd);
    probe_close(&probe);
    fleet_stop(&fleet);
}

static void a_peer_that_never_closes_is_given_5_s_and_2_s(void **state)
{
    struct fleet fleet;
    struct probe probe = {.n_inputs = 0};
    char more;

    (void)state;
    fleet_start(&fleet, 1, LIMIT);
    probe_open(&probe, &fleet, 0, 0);
    fleet_ask(&fleet, 0, finish_and_await_task, &probe.stream);
    wait_for_state(&probe, STREAM_AWAITING);
    fleet_skip(&fleet, 0, 4900);
    fd_assert_silent(probe.fd);
    fleet_skip(&fleet, 0, 200);
    assert_int_equal(fd_read_to_end(probe.fd, &more, 1), 0);
    wait_for_state(&probe, STREAM_DRAINING);
    fleet_skip(&fleet, 0, 2100);
    probe_close(&probe);
    assert_int_equal(probe.how, STREAM_END_CLOSED);
    fleet_stop(&fleet);
}

static void a_peer_that_reads_nothing_is_given_5_s(void **state)
{
    struct fleet fleet;
    struct probe probe = {.n_inputs = 0};

    (void)state;
    fleet_start(&fleet, 1, LIMIT);
    probe_open(&probe, &fleet, 0, 8192);
    probe_ask_queue(&probe, 'a', 300000);
    fleet_ask(&fleet, 0, finish_and_await_task, &probe.stream);
    fleet_wait(&fleet, 0, is_blocked, &probe);
    fleet_skip(&fleet, 0, 5100);
    probe_close(&probe);
    assert_int_equal(probe.n_limits, 0);
    fleet_stop(&fleet);
}

static void a_peer_that_sends_without_end_is_read_up_to_64_kib(void **state)
{
    struct fleet fleet;
    struct probe probe = {.n_inputs = 0};
    char block[4096], more;
    size_t n = 0;

    (void)state;
    memset(block, 'x', sizeof(block));
    fleet_start(&fleet, 1, LIMIT);
    probe_open(&probe, &fleet, 0, 0);
    fleet_ask(&fleet, 0, finish_task, &probe.stream);
    assert_int_equal(fd_read_to_end(probe.fd, &more, 1), 0);
    while (fd_try_write(probe.fd, slice_of(block, sizeof(block))))
        n += sizeof(block);
    assert_true(n >= 65536);
    probe_close(&probe);
    assert_int_equal(probe.how, STREAM_END_CLOSED);
    fleet_stop(&fleet);
}

static void a_paused_stream_that_is_finished_reads_again(void **state)
{
    struct fleet fleet;
    struct probe probe = {.on_input = pause_after_two};
    char more;

    (void)state;
    fleet_start(&fleet, 1, LIMIT);
    probe_open(&probe, &fleet, 0, 0);
    fd_write(probe.fd, slice_str("abcd"));
    wait_for_bytes(&probe, 2);
    fleet_ask(&fleet, 0, finish_task, &probe.stream);
    assert_int_equal(fd_read_to_end(probe.fd, &more, 1), 0);
    (void)close(probe.fd);
    probe_close(&probe);
    assert_memory_equal(probe.input, "abcd", 4);
    fleet_stop(&fleet);
}

static void a_broken_connection_ends_while_it_waits_to_write(void **state)
{
    struct fleet fleet;
    struct probe probe = {.n_inputs = 0};

    (void)state;
    fleet_start(&fleet, 1, LIMIT);
    probe_open(&probe, &fleet, 0, 8192);
    fleet_ask(&fleet, 0, pause_task, &probe.stream);
    probe_ask_queue(&probe, 'a', 300000);
    fleet_wait(&fleet, 0, is_blocked, &probe);
    (void)close(probe.fd);
    probe.fd = -1;
    probe_close(&probe);
    assert_int_equal(probe.how, STREAM_END_PEER);
    fleet_stop(&fleet);
}

static void an_abort_ends_at_once_whatever_is_queued(void **state)
{
    struct fleet fleet;
    struct probe probe = {.on_input = one_by_one};

    (void)state;
    fleet_start(&fleet, 1, LIMIT);
    probe_open(&probe, &fleet, 0, 8192);
    probe_ask_queue(&probe, 'a', 300000);
    fd_write(probe.fd, slice_str("abcdefgh"));
    fleet_ask(&fleet, 0, abort_task, &probe.stream);
    probe_close(&probe);
    assert_int_equal(probe.how, STREAM_END_CLOSED);
    fleet_stop(&fleet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(input_comes_in_order_and_the_peers_end_is_told_once),
        cmocka_unit_test(a_paused_stream_is_not_read_until_it_is_resumed),
        cmocka_unit_test(what_a_pause_left_is_given_first),
        cmocka_unit_test(a_pause_that_ends_within_the_callback_loses_nothing),
        cmocka_unit_test(what_a_yield_left_is_given_in_order),
        cmocka_unit_test(all_that_is_queued_is_written_in_order),
        cmocka_unit_test(more_than_the_buffer_limit_behind_a_write_is_an_overflow),
        cmocka_unit_test(a_write_that_takes_too_long_is_an_overflow),
        cmocka_unit_test(a_write_that_moves_on_is_none),
        cmocka_unit_test(above_the_process_limit_the_longest_queue_goes),
        cmocka_unit_test(a_finished_stream_writes_all_then_shuts_down),
        cmocka_unit_test(the_peers_close_is_awaited_before_the_shutdown),
        cmocka_unit_test(a_peer_that_never_closes_is_given_5_s_and_2_s),
        cmocka_unit_test(a_peer_that_reads_nothing_is_given_5_s),
        cmocka_unit_test(a_peer_that_sends_without_end_is_read_up_to_64_kib),
        cmocka_unit_test(a_paused_stream_that_is_finished_reads_again),
        cmocka_unit_test(a_broken_connection_ends_while_it_waits_to_write),
        cmocka_unit_test(an_abort_ends_at_once_whatever_is_queued),
    };

    return cmocka_run_group_tests_name("gateway/worker/stream", tests, NULL, NULL);
}
