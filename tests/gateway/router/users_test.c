#include "tests/test.h"
#include "tests/random.h"
#include <pthread.h>
#include <stdio.h>
#include "base/mem.h"
#include "gateway/router/users.h"

static const struct siphash_key hash_key = {1, 2};

static int set_up(void **state)
{
    struct users *users = mem_alloc(sizeof(*users));

    users_init(users, hash_key);
    *state = users;
    return 0;
}

static int tear_down(void **state)
{
    users_dispose(*state); /* asserts that nobody is left */
    mem_free(*state);
    return 0;
}

static struct user_session session(unsigned n)
{
    struct user_session s = {.worker = n % 64};

    memcpy(s.id, &n, sizeof(n));
    return s;
}

static void add(struct users *users, const char *user, unsigned n)
{
    struct user_session s = session(n);

    users_add(users, slice_str(user), &s);
}

static void remove_session(struct users *users, const char *user, unsigned n)
{
    struct user_session s = session(n);

    users_remove(users, slice_str(user), &s);
}

static bool has(struct users *users, const char *user, unsigned n)
{
    return users_has(users, slice_str(user), session(n).id);
}

/** Fails unless the user's sessions are these, in that order. */
static void assert_sessions(struct users *users, const char *user, const unsigned *expected,
                            size_t n)
{
    struct user_sessions found;

    users_find(users, slice_str(user), &found);
    assert_int_equal(found.n, n);
    for (size_t i = 0; i < n; i++) {
        struct user_session s = session(expected[i]);

        assert_int_equal(found.items[i].worker, s.worker);
        assert_memory_equal(found.items[i].id, s.id, sizeof(s.id));
    }
    user_sessions_dispose(&found);
}

static void nobody_has_sessions_before_they_come(void **state)
{
    assert_sessions(*state, "joe", NULL, 0);
    assert_false(has(*state, "joe", 0));
}

static void sessions_are_found_in_the_order_of_their_coming(void **state)
{
    unsigned expected[40];

    for (unsigned i = 0; i < 40; i++) {
        expected[i] = (i * 7) % 40;
        add(*state, "joe", expected[i]);
        assert_sessions(*state, "joe", expected, i + 1);
    }
    for (unsigned i = 40; i-- > 0;) {
        remove_session(*state, "joe", expected[i]);
        assert_sessions(*state, "joe", expected, i);
    }
}

static void users_are_told_apart_byte_by_byte(void **state)
{
    const struct slice names[] = {SLICE("joe"), SLICE("Joe"), SLICE("jo"), SLICE("joe\0"),
                                  SLICE("")};
    const size_t n = sizeof(names) / sizeof(names[0]);

    for (unsigned i = 0; i < n; i++) {
        struct user_session s = session(i);

        users_add(*state, names[i], &s);
    }
    for (unsigned i = 0; i < n; i++) {
        for (unsigned k = 0; k < n; k++)
            assert_int_equal(users_has(*state, names[i], session(k).id), i == k);
    }
    for (unsigned i = 0; i < n; i++) {
        struct user_session s = session(i);

        users_remove(*state, names[i], &s);
    }
}

static void a_session_that_is_not_there_is_removed_without_effect(void **state)
{
    remove_session(*state, "joe", 1);
    add(*state, "joe", 1);
    remove_session(*state, "joe", 2);
    remove_session(*state, "jim", 1);
    assert_sessions(*state, "joe", (unsigned[]){1}, 1);
    add(*state, "joe", 3);
    remove_session(*state, "joe", 2);
    assert_sessions(*state, "joe", (unsigned[]){1, 3}, 2);
    remove_session(*state, "joe", 1);
    remove_session(*state, "joe", 3);
}

static void what_was_found_stays_when_the_sessions_leave(void **state)
{
    for (unsigned n = 1; n <= 9; n += 4) {
        struct user_sessions found;

        for (unsigned i = 0; i < n; i++)
            add(*state, "joe", i);
        users_find(*state, slice_str("joe"), &found);
        for (unsigned i = 0; i < n; i++)
            remove_session(*state, "joe", i);
        assert_int_equal(found.n, n);
        for (unsigned i = 0; i < n; i++)
            assert_memory_equal(found.items[i].id, session(i).id, USER_SESSION_ID_LEN);
        user_sessions_dispose(&found);
        assert_int_equal(found.n, 0);
    }
}

enum { MODEL_USERS = 5, MODEL_SESSIONS = 60 };

/** Any coming and going, compared with plain arrays after each step. */
static void any_coming_and_going_leaves_what_a_list_would_hold(void **state)
{
    static const char *const names[MODEL_USERS] = {"a", "b", "c", "d", "e"};
    unsigned list[MODEL_USERS][MODEL_SESSIONS];
    size_t n[MODEL_USERS] = {0};
    struct rng rng = {11};

    for (int step = 0; step < 20000; step++) {
        size_t user = rng_below(&rng, MODEL_USERS);
        unsigned s = (unsigned)rng_below(&rng, MODEL_SESSIONS);
        size_t at = 0;

        while (at < n[user] && list[user][at] != s)
            at++;
        assert_int_equal(has(*state, names[user], s), at < n[user]);
        if (at < n[user]) {
            remove_session(*state, names[user], s);
            n[user]--;
            memmove(&list[user][at], &list[user][at + 1], (n[user] - at) * sizeof(unsigned));
        } else if (rng_below(&rng, 1024) < 1024U >> (step / 2000)) {
            add(*state, names[user], s);
            list[user][n[user]++] = s;
        }
        assert_sessions(*state, names[user], list[user], n[user]);
    }
    for (size_t user = 0; user < MODEL_USERS; user++) {
        while (n[user] != 0)
            remove_session(*state, names[user], list[user][--n[user]]);
    }
}

struct visitor {
    struct users *users;
    unsigned worker;
    size_t n_wrong;
};

static void *come_and_go(void *arg)
{
    struct visitor *v = arg;

    for (unsigned i = 0; i < 3000; i++) {
        char own[16];
        struct user_sessions found;
        bool is_in = false;

        (void)snprintf(own, sizeof(own), "u%u-%u", v->worker, i % 50);
        add(v->users, own, i * 2 + v->worker);
        add(v->users, "shared", i * 2 + v->worker);
        users_find(v->users, slice_str("shared"), &found);
        for (size_t k = 0; k < found.n; k++)
            is_in |= memcmp(found.items[k].id, session(i * 2 + v->worker).id, 16) == 0;
        user_sessions_dispose(&found);
        v->n_wrong += !is_in || !has(v->users, own, i * 2 + v->worker);
        remove_session(v->users, "shared", i * 2 + v->worker);
        remove_session(v->users, own, i * 2 + v->worker);
        v->n_wrong += has(v->users, "shared", i * 2 + v->worker);
    }
    return NULL;
}

static void workers_share_the_registry(void **state)
{
    struct visitor visitors[2] = {{*state, 0, 0}, {*state, 1, 0}};
    pthread_t threads[2];

    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &visitors[i]), 0);
    for (size_t i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(visitors[i].n_wrong, 0);
    }
    assert_sessions(*state, "shared", NULL, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_has_sessions_before_they_come),
        TEST(sessions_are_found_in_the_order_of_their_coming),
        TEST(users_are_told_apart_byte_by_byte),
        TEST(a_session_that_is_not_there_is_removed_without_effect),
        TEST(what_was_found_stays_when_the_sessions_leave),
        TEST(any_coming_and_going_leaves_what_a_list_would_hold),
        TEST(workers_share_the_registry),
    };

    return cmocka_run_group_tests_name("gateway/router/users", tests, NULL, NULL);
}
