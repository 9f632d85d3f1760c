#include "tests/test.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include "gateway/router/queue_room.h"

static const struct siphash_key hash_key = {1, 2};

static bool reserve(struct queue_room *room, const char *destination, size_t bytes)
{
    return queue_room_reserve(room, slice_str(destination), bytes);
}

static void release(struct queue_room *room, const char *destination, size_t n, size_t bytes)
{
    queue_room_release(room, slice_str(destination), n, bytes);
}

static size_t count_entries(const struct queue_room *room)
{
    size_t n = 0;

    for (size_t i = 0; i < QUEUE_ROOM_N_SHARDS; i++)
        n += room->shards[i].entries.n_nodes;
    return n;
}

static void messages_of_one_destination_are_limited(void **state)
{
    struct queue_room room;

    (void)state;
    queue_room_init(&room, &(struct queue_room_limits){2, 1000, SIZE_MAX}, hash_key);
    assert_true(reserve(&room, "/queue/a", 1));
    assert_true(reserve(&room, "/queue/a", 1));
    assert_false(reserve(&room, "/queue/a", 1));
    assert_true(reserve(&room, "/queue/b", 1));
    release(&room, "/queue/a", 1, 1);
    assert_true(reserve(&room, "/queue/a", 1));
    assert_false(reserve(&room, "/queue/a", 0));
    queue_room_dispose(&room);
}

static void bytes_of_one_destination_are_limited(void **state)
{
    struct queue_room room;

    (void)state;
    queue_room_init(&room, &(struct queue_room_limits){100, 1000, SIZE_MAX}, hash_key);
    assert_false(reserve(&room, "/queue/a", 1001));
    assert_false(reserve(&room, "/queue/a", SIZE_MAX));
    assert_true(reserve(&room, "/queue/a", 400));
    assert_false(reserve(&room, "/queue/a", 601));
    assert_false(reserve(&room, "/queue/a", SIZE_MAX));
    assert_true(reserve(&room, "/queue/a", 600));
    assert_false(reserve(&room, "/queue/a", 1));
    assert_true(reserve(&room, "/queue/b", 1000));
    release(&room, "/queue/a", 1, 400);
    assert_false(reserve(&room, "/queue/a", 401));
    assert_true(reserve(&room, "/queue/a", 400));
    queue_room_dispose(&room);
}

static void bytes_of_all_destinations_together_are_limited(void **state)
{
    struct queue_room room;

    (void)state;
    queue_room_init(&room, &(struct queue_room_limits){100, 1000, 1500}, hash_key);
    assert_true(reserve(&room, "/queue/a", 1000));
    assert_false(reserve(&room, "/queue/b", 501));
    assert_true(reserve(&room, "/queue/b", 500));
    assert_false(reserve(&room, "/queue/c", 1));
    assert_int_equal(count_entries(&room), 2);
    release(&room, "/queue/a", 1, 1000);
    assert_true(reserve(&room, "/queue/c", 1000));
    queue_room_dispose(&room);
}

static void a_destination_without_messages_takes_no_memory(void **state)
{
    struct queue_room room;

    (void)state;
    queue_room_init(&room, &(struct queue_room_limits){100, 1000, SIZE_MAX}, hash_key);
    assert_false(reserve(&room, "/queue/a", 1001));
    assert_int_equal(count_entries(&room), 0);
    assert_true(reserve(&room, "/queue/a", 10));
    assert_true(reserve(&room, "/queue/a", 20));
    assert_true(reserve(&room, "/queue/a", 0));
    assert_int_equal(count_entries(&room), 1);
    release(&room, "/queue/a", 2, 30);
    assert_int_equal(count_entries(&room), 1);
    release(&room, "/queue/a", 1, 0);
    assert_int_equal(count_entries(&room), 0);
    assert_int_equal(room.total_bytes, 0);
    queue_room_dispose(&room);
}

enum { N_ROUNDS = 5000, MAX_MESSAGES = 3 };

struct publisher {
    struct queue_room *room;
    _Atomic int *inside;
    size_t n_wrong;
    size_t n_in;
};

static void *go_in_and_out(void *arg)
{
    struct publisher *p = arg;

    for (int i = 0; i < N_ROUNDS; i++) {
        int held = 0;

        while (held < 2 && reserve(p->room, "/queue/a", 10)) {
            held++;
            p->n_wrong += atomic_fetch_add(p->inside, 1) >= MAX_MESSAGES;
        }
        p->n_in += (size_t)held;
        for (; held != 0; held--) {
            atomic_fetch_sub(p->inside, 1);
            release(p->room, "/queue/a", 1, 10);
        }
    }
    return NULL;
}

static void two_publishers_never_pass_the_limit_together(void **state)
{
    _Atomic int inside = 0;
    struct queue_room room;
    struct publisher publishers[2] = {{&room, &inside, 0, 0}, {&room, &inside, 0, 0}};
    pthread_t threads[2];

    (void)state;
    queue_room_init(&room, &(struct queue_room_limits){MAX_MESSAGES, 1000, SIZE_MAX}, hash_key);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, go_in_and_out, &publishers[i]), 0);
    for (size_t i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(publishers[i].n_wrong, 0);
        assert_true(publishers[i].n_in >= N_ROUNDS); /* of 3 places one is always left */
    }
    assert_int_equal(count_entries(&room), 0);
    assert_int_equal(room.total_bytes, 0);
    queue_room_dispose(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_one_destination_are_limited),
        cmocka_unit_test(bytes_of_one_destination_are_limited),
        cmocka_unit_test(bytes_of_all_destinations_together_are_limited),
        cmocka_unit_test(a_destination_without_messages_takes_no_memory),
        cmocka_unit_test(two_publishers_never_pass_the_limit_together),
    };

    return cmocka_run_group_tests_name("gateway/router/queue_room", tests, NULL, NULL);
}
