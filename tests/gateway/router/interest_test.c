#include "tests/test.h"
#include "tests/random.h"
#include <pthread.h>
#include <stdio.h>
#include "base/mem.h"
#include "gateway/router/interest.h"

static const struct siphash_key hash_key = {1, 2};

static int set_up(void **state)
{
    struct interest *interest = mem_alloc(sizeof(*interest));

    interest_init(interest, hash_key);
    *state = interest;
    return 0;
}

static int tear_down(void **state)
{
    interest_dispose(*state); /* asserts that no entry is left */
    mem_free(*state);
    return 0;
}

static uint64_t bit(unsigned worker)
{
    return UINT64_C(1) << worker;
}

static void nobody_is_interested_in_what_nobody_has_acquired(void **state)
{
    uint64_t n = 7;

    assert_int_equal(interest_find(*state, slice_str("/topic/a"), &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(interest_find(*state, slice_str("/topic/a"), NULL), 0);
}

static void each_worker_has_a_bit_from_acquire_to_release(void **state)
{
    const unsigned workers[] = {0, 63, 31, 1};
    struct interest_entry *entries[4];
    uint64_t mask = 0;

    for (size_t i = 0; i < 4; i++) {
        entries[i] = interest_acquire(*state, slice_str("/topic/a"), workers[i]);
        mask |= bit(workers[i]);
        assert_ptr_equal(entries[i], entries[0]);
        assert_int_equal(atomic_load(&entries[i]->workers), mask);
        assert_int_equal(interest_find(*state, slice_str("/topic/a"), NULL), mask);
        assert_int_equal(interest_find(*state, slice_str("/topic/b"), NULL), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        interest_release(*state, entries[i], workers[i]);
        mask &= ~bit(workers[i]);
        assert_int_equal(interest_find(*state, slice_str("/topic/a"), NULL), mask);
    }
}

static void subscriptions_of_all_workers_are_counted(void **state)
{
    struct interest_entry *entry = interest_acquire(*state, slice_str("/topic/a"), 3);
    uint64_t n;

    interest_acquire(*state, slice_str("/topic/a"), 4);
    interest_count(entry, 1);
    interest_count(entry, 1);
    interest_count(entry, 1);
    interest_count(entry, -1);
    assert_int_equal(interest_find(*state, slice_str("/topic/a"), &n), bit(3) | bit(4));
    assert_int_equal(n, 2);
    interest_count(entry, -2);
    interest_release(*state, entry, 3);
    interest_release(*state, entry, 4);
    (void)interest_find(*state, slice_str("/topic/a"), &n);
    assert_int_equal(n, 0);
}

static void a_destination_is_any_bytes_and_is_copied(void **state)
{
    const struct slice names[] = {
        {NULL, 0}, SLICE("\0"), SLICE("\0\0"), SLICE("/a\n"), SLICE("/a")};
    struct interest_entry *entries[5];

    for (size_t i = 0; i < 5; i++) {
        char copy[8];

        if (names[i].len != 0)
            memcpy(copy, names[i].base, names[i].len);
        entries[i] = interest_acquire(
            *state, names[i].len == 0 ? names[i] : slice_of(copy, names[i].len), (unsigned)i);
        memset(copy, 'x', sizeof(copy));
    }
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(interest_find(*state, names[i], NULL), bit((unsigned)i));
    for (size_t i = 0; i < 5; i++)
        interest_release(*state, entries[i], (unsigned)i);
}

static void ten_thousand_destinations_are_told_apart_over_all_shards(void **state)
{
    enum { N = 10000 };
    struct interest *interest = *state;
    struct interest_entry **entries = mem_calloc(N, sizeof(struct interest_entry *));
    char name[32];

    for (unsigned i = 0; i < N; i++) {
        size_t len = (size_t)snprintf(name, sizeof(name), "/topic/%u", i);

        entries[i] = interest_acquire(interest, slice_of(name, len), i % 64);
    }
    for (size_t i = 0; i < INTEREST_N_SHARDS; i++)
        assert_in_range(interest->shards[i].entries.n_nodes, N / INTEREST_N_SHARDS / 2,
                        N / INTEREST_N_SHARDS * 2);
    for (unsigned i = 0; i < N; i++) {
        size_t len = (size_t)snprintf(name, sizeof(name), "/topic/%u", i);

        assert_int_equal(interest_find(interest, slice_of(name, len), NULL), bit(i % 64));
        interest_release(interest, entries[i], i % 64);
        assert_int_equal(interest_find(interest, slice_of(name, len), NULL), 0);
    }
    mem_free(entries);
}

/* --- two workers at once --- */

enum { N_NAMES = 5, N_STEPS = 30000, N_ROUNDS = 2000 };

static const struct slice names[N_NAMES] = {SLICE("/topic/a"), SLICE("/topic/b"), SLICE("/queue/c"),
                                            SLICE("/d"), SLICE("")};

struct worker {
    struct interest *interest;
    unsigned index;
    uint64_t n_wrong;
    pthread_barrier_t *barrier;
};

/* Acquires, counts, looks up and releases what the other thread does as well. cmocka's asserts
 * belong to the main thread, so what is wrong is counted. */
static void *come_and_go(void *arg)
{
    struct worker *worker = arg;
    struct interest_entry *held[N_NAMES] = {NULL};
    struct rng rng = {worker->index};

    for (size_t i = 0; i < N_STEPS; i++) {
        size_t k = rng_below(&rng, N_NAMES);
        uint64_t n, mask = interest_find(worker->interest, names[k], &n);

        worker->n_wrong += ((mask & bit(worker->index)) != 0) != (held[k] != NULL);
        worker->n_wrong += (mask & ~(bit(1) | bit(2))) != 0 || n > 2;
        if (held[k] == NULL) {
            held[k] = interest_acquire(worker->interest, names[k], worker->index);
            interest_count(held[k], 1);
        } else {
            /* Without the lock, as a publisher that holds the entry reads it. */
            worker->n_wrong += (atomic_load(&held[k]->workers) & bit(worker->index)) == 0;
            worker->n_wrong += !slice_eq(held[k]->node.key, names[k]);
            interest_count(held[k], -1);
            interest_release(worker->interest, held[k], worker->index);
            held[k] = NULL;
        }
    }
    for (size_t k = 0; k < N_NAMES; k++) {
        if (held[k] != NULL) {
            interest_count(held[k], -1);
            interest_release(worker->interest, held[k], worker->index);
        }
    }
    return NULL;
}

/* What one has acquired (released) before the barrier, the other sees (no longer) behind it. */
static void *see_each_other(void *arg)
{
    struct worker *worker = arg;
    unsigned other = 3 - worker->index;

    for (size_t i = 0; i < N_ROUNDS; i++) {
        struct slice name = names[i % N_NAMES];
        struct interest_entry *entry = interest_acquire(worker->interest, name, worker->index);
        uint64_t n;

        interest_count(entry, 1);
        pthread_barrier_wait(worker->barrier);
        worker->n_wrong += (atomic_load(&entry->workers) & bit(other)) == 0;
        worker->n_wrong += interest_find(worker->interest, name, &n) != (bit(1) | bit(2));
        worker->n_wrong += n != 2;
        pthread_barrier_wait(worker->barrier);
        interest_count(entry, -1);
        interest_release(worker->interest, entry, worker->index);
        pthread_barrier_wait(worker->barrier);
        worker->n_wrong += interest_find(worker->interest, name, &n) != 0 || n != 0;
        pthread_barrier_wait(worker->barrier);
    }
    return NULL;
}

static void run_two(struct interest *interest, void *(*run)(void *arg))
{
    pthread_barrier_t barrier;
    struct worker workers[2] = {{interest, 1, 0, &barrier}, {interest, 2, 0, &barrier}};
    pthread_t threads[2];

    pthread_barrier_init(&barrier, NULL, 2);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, &workers[i]), 0);
    for (size_t i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].n_wrong, 0);
    }
    pthread_barrier_destroy(&barrier);
    for (size_t k = 0; k < N_NAMES; k++)
        assert_int_equal(interest_find(interest, names[k], NULL), 0);
}

static void two_workers_that_come_and_go_leave_nothing_behind(void **state)
{
    run_two(*state, come_and_go);
}

static void a_bit_is_seen_by_other_threads_once_acquire_has_returned(void **state)
{
    run_two(*state, see_each_other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_is_interested_in_what_nobody_has_acquired),
        TEST(each_worker_has_a_bit_from_acquire_to_release),
        TEST(subscriptions_of_all_workers_are_counted),
        TEST(a_destination_is_any_bytes_and_is_copied),
        TEST(ten_thousand_destinations_are_told_apart_over_all_shards),
        TEST(two_workers_that_come_and_go_leave_nothing_behind),
        TEST(a_bit_is_seen_by_other_threads_once_acquire_has_returned),
    };

    return cmocka_run_group_tests_name("gateway/router/interest", tests, NULL, NULL);
}
