#include "tests/gateway/worker/probe.h"

#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"

/* What a tick left dirty is written: by sends in turn and by sends handed over together. */

enum {
    LIMIT = 1 << 30,
    N = SEND_BATCH_MAX + 44, /* more than one batch */
    LONG = 600               /* not copied together */
};

enum { MUCH = 4096 };

static const enum worker_io_uring modes[] = {WORKER_IO_URING_OFF, WORKER_IO_URING_AUTO};
enum { N_MODES = sizeof(modes) / sizeof(modes[0]) };

struct crowd {
    struct fleet fleet;
    struct probe probes[N];
};

static struct crowd *crowd_open(enum worker_io_uring mode)
{
    struct crowd *crowd = mem_calloc(1, sizeof(*crowd));

    fleet_start_with(&crowd->fleet, 1, LIMIT, mode);
    for (size_t i = 0; i < N; i++)
        probe_open(&crowd->probes[i], &crowd->fleet, 0, 0);
    return crowd;
}

static void crowd_close(struct crowd *crowd)
{
    fleet_abort_streams(&crowd->fleet);
    for (size_t i = 0; i < N; i++)
        probe_close(&crowd->probes[i]);
    fleet_stop(&crowd->fleet);
    mem_free(crowd);
}

static char letter_of(size_t i)
{
    return (char)('A' + i % 26);
}

static void queue_for_all(struct worker *worker, void *ctx)
{
    struct crowd *crowd = ctx;

    (void)worker;
    for (size_t i = 0; i < N; i++)
        probe_queue(&crowd->probes[i], letter_of(i), 40);
}

static void queue_for_three(struct worker *worker, void *ctx)
{
    struct crowd *crowd = ctx;

    (void)worker;
    for (size_t i = 0; i < 3; i++)
        probe_queue(&crowd->probes[i], letter_of(i), 40);
}

static void expect_all(struct crowd *crowd)
{
    for (size_t i = 0; i < N; i++)
        probe_expect(&crowd->probes[i], letter_of(i), 40);
}

static bool has_batch(struct worker *worker, void *ctx)
{
    *(bool *)ctx = worker->send_batch != NULL;
    return true;
}

static void each_of_many_gets_its_own_by_batches_where_there_are_some(void **state)
{
    (void)state;
    for (size_t mode = 0; mode < N_MODES; mode++) {
        struct crowd *crowd = crowd_open(modes[mode]);
        bool is_batched;

        fleet_wait(&crowd->fleet, 0, has_batch, &is_batched);
        if (modes[mode] == WORKER_IO_URING_OFF)
            assert_false(is_batched);
        fleet_ask(&crowd->fleet, 0, queue_for_all, crowd);
        expect_all(crowd);
        fleet_wait_for_metric(&crowd->fleet, METRIC_SENDS_BATCHED, is_batched ? N : 0);
        crowd_close(crowd);
    }
}

static void a_few_are_not_worth_a_batch(void **state)
{
    struct crowd *crowd = crowd_open(WORKER_IO_URING_AUTO);

    (void)state;
    fleet_ask(&crowd->fleet, 0, queue_for_three, crowd);
    for (size_t i = 0; i < 3; i++)
        probe_expect(&crowd->probes[i], letter_of(i), 40);
    assert_int_equal(fleet_metric(&crowd->fleet, METRIC_SENDS_BATCHED), 0);
    crowd_close(crowd);
}

static void queue_pieces_for_all(struct worker *worker, void *ctx)
{
    struct crowd *crowd = ctx;

    for (size_t i = 0; i < N; i++) {
        struct chunk *chunk = chunk_new(&worker->pool, LONG);

        probe_queue(&crowd->probes[i], 'a', 40);
        memset(chunk->data, letter_of(i), LONG);
        chunk->len = LONG;
        outq_push_ref(&crowd->probes[i].stream.receiver.outq, &worker->pool, chunk, 0, LONG);
        chunk_unref(chunk);
        probe_queue(&crowd->probes[i], 'z', 40);
    }
}

static void several_pieces_of_a_queue_go_out_in_order(void **state)
{
    (void)state;
    for (size_t mode = 0; mode < N_MODES; mode++) {
        struct crowd *crowd = crowd_open(modes[mode]);

        fleet_ask(&crowd->fleet, 0, queue_pieces_for_all, crowd);
        for (size_t i = 0; i < N; i++) {
            char expected[LONG], read_back[LONG];

            memset(expected, letter_of(i), LONG);
            probe_expect(&crowd->probes[i], 'a', 40);
            fd_read(crowd->probes[i].fd, read_back, LONG);
            assert_memory_equal(read_back, expected, LONG);
            probe_expect(&crowd->probes[i], 'z', 40);
        }
        crowd_close(crowd);
    }
}

/* Until the worker's end of the socket takes no more; returns how much that was. */
static size_t fill(const struct probe *probe)
{
    static const char bytes[4096] = "";
    size_t n = 0, piece = sizeof(bytes);
    ssize_t sent;

    while (piece != 0) {
        sent = send(probe->worker_fd, bytes, piece, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0)
            n += (size_t)sent;
        else
            piece /= 2;
    }
    return n;
}

static void queue_for_those_there(struct worker *worker, void *ctx)
{
    struct crowd *crowd = ctx;

    (void)worker;
    for (size_t i = 0; i < N; i++) {
        if (crowd->probes[i].n_ends == 0) /* the worker may have seen the end already */
            probe_queue(&crowd->probes[i], letter_of(i), 40);
    }
}

/* Every second client has gone, and the sockets of the others are full. */
static void what_a_batch_leaves_over_comes_later_and_who_has_gone_ends(void **state)
{
    (void)state;
    for (size_t mode = 0; mode < N_MODES; mode++) {
        struct crowd *crowd = crowd_open(modes[mode]);
        size_t filled[N];

        for (size_t i = 1; i < N; i += 2)
            filled[i] = fill(&crowd->probes[i]);
        for (size_t i = 0; i < N; i += 2) {
            close(crowd->probes[i].fd);
            crowd->probes[i].fd = -1;
        }
        fleet_ask(&crowd->fleet, 0, queue_for_those_there, crowd);
        fleet_wait_for_streams(&crowd->fleet, 0, N / 2);
        for (size_t i = 1; i < N; i += 2) {
            char *bytes = mem_alloc(filled[i]);

            fd_read(crowd->probes[i].fd, bytes, filled[i]);
            mem_free(bytes);
            probe_expect(&crowd->probes[i], letter_of(i), 40);
        }
        for (size_t i = 0; i < N; i++) {
            assert_int_equal(crowd->probes[i].n_ends, i % 2 == 0 ? 1 : 0);
            assert_int_equal(crowd->probes[i].n_limits, 0);
        }
        crowd_close(crowd);
    }
}

static void queue_much_for_all(struct worker *worker, void *ctx)
{
    struct crowd *crowd = ctx;

    (void)worker;
    for (size_t i = 0; i < N; i++)
        probe_queue(&crowd->probes[i], letter_of(i), MUCH);
}

static void what_is_long_is_no_matter_for_a_batch(void **state)
{
    struct crowd *crowd = crowd_open(WORKER_IO_URING_AUTO);

    (void)state;
    fleet_ask(&crowd->fleet, 0, queue_much_for_all, crowd);
    for (size_t i = 0; i < N; i++)
        probe_expect(&crowd->probes[i], letter_of(i), MUCH);
    assert_int_equal(fleet_metric(&crowd->fleet, METRIC_SENDS_BATCHED), 0);
    crowd_close(crowd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_of_many_gets_its_own_by_batches_where_there_are_some),
        cmocka_unit_test(a_few_are_not_worth_a_batch),
        cmocka_unit_test(several_pieces_of_a_queue_go_out_in_order),
        cmocka_unit_test(what_a_batch_leaves_over_comes_later_and_who_has_gone_ends),
        cmocka_unit_test(what_is_long_is_no_matter_for_a_batch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
