#include "tests/test.h"
#include "tests/random.h"
#include <pthread.h>
#include <stdio.h>
#include "base/mem.h"
#include "gateway/router/last.h"

static const struct siphash_key hash_key = {1, 2};

static struct msg *new_msg(const char *destination, const char *id, size_t body_len)
{
    char *body = mem_calloc(body_len, 1);
    struct msg *msg =
        msg_new(slice_str(destination), NULL, 0, slice_str(id), slice_of(body, body_len), false);

    mem_free(body);
    return msg;
}

static void put(struct last *last, const char *destination, const char *id, size_t body_len)
{
    struct msg *msg = new_msg(destination, id, body_len);

    last_put(last, msg);
    msg_unref(msg);
}

static size_t cost(const char *destination, const char *id, size_t body_len)
{
    struct msg *msg = new_msg(destination, id, body_len);
    size_t bytes = msg_bytes(msg);

    msg_unref(msg);
    return bytes;
}

/** Fails unless the last message has that id; NULL: there is none. */
static void assert_last(struct last *last, const char *destination, const char *id)
{
    struct msg *msg = last_get(last, slice_str(destination));

    if (id == NULL) {
        assert_null(msg);
        return;
    }
    assert_non_null(msg);
    assert_true(slice_eq(msg->id, slice_str(id)));
    msg_unref(msg);
}

static void the_last_message_of_each_destination_is_kept(void **state)
{
    struct last last;

    (void)state;
    last_init(&last, 10, 10000, hash_key);
    assert_last(&last, "/topic/a", NULL);
    put(&last, "/topic/a", "1", 0);
    put(&last, "/topic/b", "2", 0);
    put(&last, "/topic/a", "3", 10);
    assert_last(&last, "/topic/a", "3");
    assert_last(&last, "/topic/b", "2");
    assert_last(&last, "/topic/c", NULL);
    assert_int_equal(last.n_messages, 2);
    assert_int_equal(last.n_bytes, cost("/topic/a", "3", 10) + cost("/topic/b", "2", 0));
    last_dispose(&last);
}

static void whoever_got_a_message_has_it_after_it_was_replaced(void **state)
{
    struct last last;
    struct msg *msg;

    (void)state;
    last_init(&last, 10, 10000, hash_key);
    put(&last, "/topic/a", "1", 5);
    msg = last_get(&last, slice_str("/topic/a"));
    put(&last, "/topic/a", "2", 5);
    assert_int_equal(msg->refs, 1);
    assert_slice(msg->id, "1");
    msg_unref(msg);
    last_dispose(&last);
}

static void nothing_is_given_up_while_there_is_room(void **state)
{
    enum { N = 100 }; /* far from equal in the shards */
    struct last last;
    char name[32];

    (void)state;
    last_init(&last, N, SIZE_MAX, hash_key);
    for (int i = 0; i < N; i++) {
        (void)snprintf(name, sizeof(name), "/topic/%d", i);
        put(&last, name, name, 0);
    }
    for (int i = 0; i < N; i++) {
        (void)snprintf(name, sizeof(name), "/topic/%d", i);
        assert_last(&last, name, name);
    }
    last_dispose(&last);
}

static void the_least_recently_used_is_given_up_over_all_shards(void **state)
{
    enum { N = 50 };
    struct last last;
    char name[32];

    (void)state;
    last_init(&last, N, SIZE_MAX, hash_key);
    for (int i = 0; i < 3 * N; i++) {
        (void)snprintf(name, sizeof(name), "/topic/%d", i);
        put(&last, name, name, 0);
        assert_last(&last, "/topic/0", "/topic/0"); /* which is a use */
    }
    assert_int_equal(last.n_messages, N);
    for (int i = 1; i < 3 * N; i++) {
        (void)snprintf(name, sizeof(name), "/topic/%d", i);
        assert_last(&last, name, i > 2 * N ? name : NULL);
    }
    last_dispose(&last);
}

static void bytes_are_bounded_as_well(void **state)
{
    size_t small = cost("/topic/a", "1", 100), large = cost("/topic/a", "1", 1000);
    struct last last;

    (void)state;
    last_init(&last, 100, large + small, hash_key);
    put(&last, "/topic/a", "1", 100);
    put(&last, "/topic/b", "2", 100);
    put(&last, "/topic/c", "3", 1000); /* in the place of the oldest */
    assert_last(&last, "/topic/a", NULL);
    assert_last(&last, "/topic/b", "2");
    assert_last(&last, "/topic/c", "3");
    assert_int_equal(last.n_bytes, large + small);
    put(&last, "/topic/b", "4", 101); /* a byte too much by replacing: c is the oldest */
    assert_last(&last, "/topic/b", "4");
    assert_last(&last, "/topic/c", NULL);
    last_dispose(&last);
}

static void a_message_above_the_limit_takes_the_outdated_one_with_it(void **state)
{
    size_t limit = cost("/topic/a", "1", 100);
    struct last last;

    (void)state;
    last_init(&last, 100, limit, hash_key);
    put(&last, "/topic/a", "1", 100);
    assert_last(&last, "/topic/a", "1");
    put(&last, "/topic/b", "2", 101);
    assert_last(&last, "/topic/b", NULL);
    assert_last(&last, "/topic/a", "1"); /* others are none of its business */
    put(&last, "/topic/a", "3", 101);
    assert_last(&last, "/topic/a", NULL);
    assert_int_equal(last.n_messages, 0);
    assert_int_equal(last.n_bytes, 0);
    last_dispose(&last);
}

static void limits_of_nothing_keep_nothing(void **state)
{
    const size_t limits[][2] = {{0, 10000}, {10, 0}, {0, 0}};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct last last;

        last_init(&last, limits[i][0], limits[i][1], hash_key);
        put(&last, "/topic/a", "1", 0);
        assert_last(&last, "/topic/a", NULL);
        last_dispose(&last);
    }
}

/** What is there is the newest, whatever the sizes, and the sums are right. */
static void any_puts_leave_only_what_is_newest_and_within_the_limits(void **state)
{
    enum { N = 40, MAX_MESSAGES = 12, MAX_BYTES = 6000 };
    unsigned newest[N] = {0};
    size_t lens[N] = {0};
    struct rng rng = {5};
    struct last last;

    (void)state;
    last_init(&last, MAX_MESSAGES, MAX_BYTES, hash_key);
    for (unsigned step = 1; step <= 4000; step++) {
        size_t k = rng_below(&rng, N), n = 0, bytes = 0;
        char name[32], id[16];

        (void)snprintf(name, sizeof(name), "/topic/%zu", k);
        (void)snprintf(id, sizeof(id), "%u", step);
        newest[k] = step;
        lens[k] = rng_below(&rng, rng_one_in(&rng, 20) ? 7000 : 700);
        put(&last, name, id, lens[k]);
        for (size_t i = 0; i < N; i++) {
            struct msg *msg;

            (void)snprintf(name, sizeof(name), "/topic/%zu", i);
            (void)snprintf(id, sizeof(id), "%u", newest[i]);
            msg = last_get(&last, slice_str(name));
            if (i == k)
                assert_int_equal(msg != NULL, cost(name, id, lens[i]) <= MAX_BYTES);
            if (msg == NULL)
                continue;
            assert_true(slice_eq(msg->id, slice_str(id)));
            assert_int_equal(msg->body.len, lens[i]);
            n++;
            bytes += msg_bytes(msg);
            msg_unref(msg);
        }
        assert_true(n <= MAX_MESSAGES && bytes <= MAX_BYTES);
        assert_int_equal(last.n_messages, n);
        assert_int_equal(last.n_bytes, bytes);
    }
    last_dispose(&last);
}

struct owner {
    struct last *last;
    unsigned index;
    size_t n_wrong;
};

/** Each puts to its own destinations and reads all: what it reads of one never gets older. */
static void *put_and_get(void *arg)
{
    struct owner *owner = arg;
    unsigned long seen[20] = {0};

    for (unsigned step = 1; step <= 5000; step++) {
        char name[32], id[16];
        unsigned k = (step * 7 + step / 13) % 20;
        struct msg *msg;

        (void)snprintf(name, sizeof(name), "/topic/%u", step % 10 * 2 + owner->index);
        (void)snprintf(id, sizeof(id), "%u", step);
        put(owner->last, name, id, step % 300);
        (void)snprintf(name, sizeof(name), "/topic/%u", k);
        msg = last_get(owner->last, slice_str(name));
        if (msg != NULL) {
            uint64_t got;

            if (!slice_to_u64(msg->id, UINT64_MAX, &got) || got < seen[k])
                owner->n_wrong++;
            else
                seen[k] = got;
            msg_unref(msg);
        }
    }
    return NULL;
}

static void workers_share_it(void **state)
{
    struct last last;
    struct owner owners[2] = {{&last, 0, 0}, {&last, 1, 0}};
    pthread_t threads[2];

    (void)state;
    last_init(&last, 10, 3000, hash_key);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, put_and_get, &owners[i]), 0);
    for (size_t i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(owners[i].n_wrong, 0);
    }
    assert_true(last.n_messages != 0 && last.n_messages <= 10 && last.n_bytes <= 3000);
    last_dispose(&last);
    assert_int_equal(last.n_messages, 0);
    assert_int_equal(last.n_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_message_of_each_destination_is_kept),
        cmocka_unit_test(whoever_got_a_message_has_it_after_it_was_replaced),
        cmocka_unit_test(nothing_is_given_up_while_there_is_room),
        cmocka_unit_test(the_least_recently_used_is_given_up_over_all_shards),
        cmocka_unit_test(bytes_are_bounded_as_well),
        cmocka_unit_test(a_message_above_the_limit_takes_the_outdated_one_with_it),
        cmocka_unit_test(limits_of_nothing_keep_nothing),
        cmocka_unit_test(any_puts_leave_only_what_is_newest_and_within_the_limits),
        cmocka_unit_test(workers_share_it),
    };

    return cmocka_run_group_tests_name("gateway/router/last", tests, NULL, NULL);
}
