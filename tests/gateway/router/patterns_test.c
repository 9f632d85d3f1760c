#include "tests/test.h"
#include "tests/random.h"
#include <pthread.h>
#include <stdio.h>
#include "base/mem.h"
#include "gateway/router/patterns.h"

static const struct siphash_key hash_key = {1, 2};

enum { N_WORKERS = 4, MAX_LIVE = 1000 };

static int set_up(void **state)
{
    struct patterns *patterns = mem_alloc(sizeof(*patterns));

    patterns_init(patterns, N_WORKERS, MAX_LIVE, '/', hash_key);
    *state = patterns;
    return 0;
}

static int tear_down(void **state)
{
    patterns_dispose(*state); /* asserts that no entry is left */
    mem_free(*state);
    return 0;
}

static uint64_t bit(unsigned worker)
{
    return UINT64_C(1) << worker;
}

static struct pattern *acquire(struct patterns *patterns, const char *text, unsigned worker,
                               void *local)
{
    struct pattern *pattern = NULL;
    const char *why = NULL;

    assert_int_equal(patterns_acquire(patterns, slice_str(text), worker, local, &pattern, &why),
                     PATTERNS_OK);
    assert_true(slice_eq(pattern->node.key, slice_str(text)));
    return pattern;
}

static struct pattern *acquire_nth(struct patterns *patterns, unsigned n)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "/topic/%u.*", n);
    return acquire(patterns, text, 0, NULL);
}

/* What is newer than `*seen`, as the text of the patterns with a blank behind each. */
static const char *newer(struct patterns *patterns, uint64_t *seen, char out[256])
{
    struct pattern_refs refs = {.n = 0};
    int len = 0;

    out[0] = '\0';
    patterns_take_newer(patterns, seen, &refs);
    for (uint32_t i = 0; i < refs.n; i++)
        len +=
            snprintf(out + len, (size_t)(256 - len), "%.*s ", SLICE_FMT(refs.items[i]->node.key));
    pattern_refs_dispose(&refs);
    assert_null(refs.items);
    return out;
}

/* --- one worker after the other --- */

static void equal_texts_are_one_entry_for_all_workers(void **state)
{
    struct patterns *patterns = *state;
    int locals[N_WORKERS];
    struct pattern *pattern = NULL;
    struct pattern *other;

    for (unsigned i = 0; i < N_WORKERS; i++) {
        struct pattern *same = acquire(patterns, "/topic/*", i, &locals[i]);

        assert_true(pattern == NULL || pattern == same);
        pattern = same;
        assert_int_equal(atomic_load(&pattern->workers), bit(i + 1) - 1);
        assert_ptr_equal(pattern->local[i], &locals[i]);
    }
    other = acquire(patterns, "/topic/**", 0, NULL);
    assert_ptr_not_equal(other, pattern);
    assert_int_equal(patterns_live(patterns), 2);
    assert_true(ant_pattern_match(pattern->ant, slice_str("/topic/a")));
    assert_false(ant_pattern_match(pattern->ant, slice_str("/topic/a/b")));
    for (unsigned i = 0; i < N_WORKERS; i++) {
        assert_false(atomic_load(&pattern->is_gone));
        assert_ptr_equal(pattern->local[i], &locals[i]);
        patterns_release(patterns, pattern, i);
    }
    patterns_release(patterns, other, 0);
    assert_int_equal(patterns_live(patterns), 0);
}

static void a_workers_bit_and_local_last_until_its_release(void **state)
{
    struct patterns *patterns = *state;
    int local;
    struct pattern *pattern = acquire(patterns, "/a/*", 1, &local);

    assert_ptr_equal(acquire(patterns, "/a/*", 3, &local), pattern);
    patterns_release(patterns, pattern, 1);
    assert_int_equal(atomic_load(&pattern->workers), bit(3));
    assert_null(pattern->local[1]);
    assert_ptr_equal(pattern->local[3], &local);
    assert_ptr_equal(acquire(patterns, "/a/*", 1, &local), pattern); /* back, as long as it lives */
    assert_int_equal(atomic_load(&pattern->workers), bit(1) | bit(3));
    patterns_release(patterns, pattern, 3);
    patterns_release(patterns, pattern, 1);
}

static void subscriptions_of_all_workers_are_counted(void **state)
{
    struct patterns *patterns = *state;
    struct pattern *pattern = acquire(patterns, "/a/*", 1, NULL);

    acquire(patterns, "/a/*", 2, NULL);
    patterns_count(pattern, 1);
    patterns_count(pattern, 1);
    patterns_count(pattern, 1);
    patterns_count(pattern, -1);
    assert_int_equal(atomic_load(&pattern->subscriptions), 2);
    patterns_release(patterns, pattern, 1);
    patterns_release(patterns, pattern, 2);
}

static void only_a_new_entry_has_a_new_generation(void **state)
{
    struct patterns *patterns = *state;
    struct pattern *a, *b;

    assert_int_equal(patterns_generation(patterns), 0);
    a = acquire(patterns, "/a/*", 0, NULL);
    assert_int_equal(patterns_generation(patterns), 1);
    acquire(patterns, "/a/*", 1, NULL);
    assert_int_equal(patterns_generation(patterns), 1);
    b = acquire(patterns, "/b/*", 1, NULL);
    assert_int_equal(patterns_generation(patterns), 2);
    patterns_release(patterns, b, 1);
    patterns_release(patterns, a, 0);
    patterns_release(patterns, a, 1);
    assert_int_equal(patterns_generation(patterns), 2); /* never back */
    a = acquire(patterns, "/a/*", 1, NULL);
    assert_int_equal(patterns_generation(patterns), 3);
    assert_int_equal(a->generation, 3);
    patterns_release(patterns, a, 1);
}

static void who_looks_again_gets_what_came_since(void **state)
{
    struct patterns *patterns = *state;
    struct pattern *entries[5];
    uint64_t seen = 0, never = 0;
    char out[256];

    assert_string_equal(newer(patterns, &seen, out), "");
    assert_int_equal(seen, 0);
    entries[0] = acquire(patterns, "/0", 0, NULL);
    entries[1] = acquire(patterns, "/1", 0, NULL);
    assert_string_equal(newer(patterns, &seen, out), "/0 /1 ");
    assert_int_equal(seen, 2);
    assert_string_equal(newer(patterns, &seen, out), "");
    entries[2] = acquire(patterns, "/2", 0, NULL);
    entries[3] = acquire(patterns, "/3", 0, NULL);
    entries[4] = acquire(patterns, "/4", 0, NULL);
    patterns_release(patterns, entries[1], 0);
    patterns_release(patterns, entries[3], 0);
    assert_string_equal(newer(patterns, &seen, out), "/2 /4 ");
    assert_string_equal(newer(patterns, &never, out), "/0 /2 /4 ");
    patterns_release(patterns, entries[0], 0);
    entries[0] = acquire(patterns, "/0", 0, NULL); /* again is new */
    assert_string_equal(newer(patterns, &seen, out), "/0 ");
    patterns_release(patterns, entries[0], 0);
    patterns_release(patterns, entries[2], 0);
    patterns_release(patterns, entries[4], 0);
    never = 0;
    assert_string_equal(newer(patterns, &never, out), "");
    assert_int_equal(never, 6);
}

static void holes_in_the_list_are_closed(void **state)
{
    enum { N = 300 };
    struct patterns *patterns = *state;
    struct pattern *kept[3];
    uint64_t seen = 0;
    char out[256];

    kept[0] = acquire_nth(patterns, 1000);
    for (unsigned i = 0; i < N; i++) {
        patterns_release(patterns, acquire_nth(patterns, i), 0);
        if (i == N / 2)
            kept[1] = acquire_nth(patterns, 1001);
        assert_true(patterns->n_list <= 2 * patterns->n_live + 17);
    }
    kept[2] = acquire_nth(patterns, 1002);
    assert_true(patterns->list_cap < N / 2);
    assert_string_equal(newer(patterns, &seen, out), "/topic/1000.* /topic/1001.* /topic/1002.* ");
    seen = kept[0]->generation; /* the order of the others has not suffered */
    assert_string_equal(newer(patterns, &seen, out), "/topic/1001.* /topic/1002.* ");
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(patterns_live(patterns), 3 - i);
        patterns_release(patterns, kept[i], 0);
    }
}

static void each_of_many_may_go_in_any_order(void **state)
{
    enum { N = 500 };
    struct patterns *patterns = *state;
    struct pattern *entries[N];
    struct rng rng = {11};

    for (unsigned i = 0; i < N; i++)
        entries[i] = acquire_nth(patterns, i);
    for (size_t n = N; n != 0; n--) {
        struct pattern_refs refs = {.n = 0};
        uint64_t seen = 0, generation = 0;
        size_t k = rng_below(&rng, n);

        patterns_release(patterns, entries[k], 0);
        entries[k] = entries[n - 1];
        patterns_take_newer(patterns, &seen, &refs);
        assert_int_equal(refs.n, n - 1);
        for (uint32_t i = 0; i < refs.n; i++) {
            assert_true(refs.items[i]->generation > generation);
            generation = refs.items[i]->generation;
        }
        pattern_refs_dispose(&refs);
    }
}

static void a_gone_entry_stays_for_whoever_remembers_it(void **state)
{
    struct patterns *patterns = *state;
    struct pattern_refs refs = {.n = 0};
    struct pattern *first = acquire(patterns, "/a/*", 2, NULL), *second;
    uint64_t seen = 0;

    patterns_take_newer(patterns, &seen, &refs);
    patterns_release(patterns, first, 2);
    assert_true(atomic_load(&first->is_gone));
    assert_int_equal(atomic_load(&first->workers), 0);
    second = acquire(patterns, "/a/*", 2, NULL);
    assert_ptr_not_equal(second, first);
    assert_false(atomic_load(&second->is_gone));
    assert_true(atomic_load(&first->is_gone));
    assert_true(slice_eq(refs.items[0]->node.key, slice_str("/a/*")));
    assert_true(ant_pattern_match(first->ant, slice_str("/a/b")));
    pattern_refs_dispose(&refs);
    patterns_release(patterns, second, 2);
}

/* --- what is refused --- */

static void what_cannot_be_compiled_leaves_nothing_behind(void **state)
{
    static char long_text[ANT_PATTERN_MAX + 2];
    const struct slice bad[] = {
        SLICE("/topic/{a:[}"), SLICE("/topic/{a:(}/*"), {long_text, ANT_PATTERN_MAX + 1}};
    struct patterns *patterns = *state;

    memset(long_text, '*', sizeof(long_text));
    for (size_t i = 0; i < 3; i++) {
        const char *why = NULL;
        struct pattern *pattern;

        assert_int_equal(patterns_acquire(patterns, bad[i], 0, NULL, &pattern, &why),
                         PATTERNS_ERR_SYNTAX);
        assert_non_null(why);
        assert_int_equal(patterns_live(patterns), 0);
        assert_int_equal(patterns_generation(patterns), 0);
    }
}

static void the_limit_is_on_entries_and_what_goes_makes_room(void **state)
{
    struct patterns patterns;
    struct pattern *a, *b, *c;
    const char *why;

    (void)state;
    patterns_init(&patterns, N_WORKERS, 2, '/', hash_key);
    a = acquire(&patterns, "/a/*", 0, NULL);
    b = acquire(&patterns, "/b/*", 0, NULL);
    assert_int_equal(patterns_acquire(&patterns, slice_str("/c/*"), 1, NULL, &c, &why),
                     PATTERNS_ERR_TOO_MANY);
    assert_int_equal(patterns_live(&patterns), 2);
    acquire(&patterns, "/a/*", 1, NULL); /* no new entry */
    patterns_release(&patterns, a, 0);
    assert_int_equal(patterns_acquire(&patterns, slice_str("/c/*"), 1, NULL, &c, &why),
                     PATTERNS_ERR_TOO_MANY);
    patterns_release(&patterns, b, 0);
    c = acquire(&patterns, "/c/*", 1, NULL);
    patterns_release(&patterns, a, 1);
    patterns_release(&patterns, c, 1);
    patterns_dispose(&patterns);
}

static void the_separator_is_the_one_of_the_list(void **state)
{
    struct patterns patterns;
    struct pattern *pattern;

    (void)state;
    patterns_init(&patterns, N_WORKERS, 2, '.', hash_key);
    pattern = acquire(&patterns, "a.*", 0, NULL);
    assert_true(ant_pattern_match(pattern->ant, slice_str("a.b/c")));
    assert_false(ant_pattern_match(pattern->ant, slice_str("a.b.c")));
    patterns_release(&patterns, pattern, 0);
    patterns_dispose(&patterns);
}

/* --- two workers at once --- */

enum { N_NAMES = 6, N_STEPS = 15000, N_ROUNDS = 1500 };

static const char *const names[N_NAMES] = {"/topic/*", "/topic/**", "/{a}/b",
                                           "/q/?",     "/queue/*",  "**"};

struct worker {
    struct patterns *patterns;
    unsigned index;
    uint64_t n_wrong;
    pthread_barrier_t *barrier;
};

/* As a destination does: remembers what it is given, forgets what has gone when there is more. */
static void remember(struct worker *worker, struct pattern_refs *known, uint64_t *seen)
{
    uint64_t before = *seen;
    uint32_t n = 0;

    for (uint32_t i = 0; i < known->n; i++) {
        if (atomic_load_explicit(&known->items[i]->is_gone, memory_order_acquire))
            pattern_unref(known->items[i]);
        else
            known->items[n++] = known->items[i];
    }
    known->n = n;
    patterns_take_newer(worker->patterns, seen, known);
    for (uint32_t i = n; i < known->n; i++)
        worker->n_wrong +=
            known->items[i]->generation <= before || known->items[i]->generation > *seen;
}

/* Acquires, releases, counts and looks up what the other thread does as well. cmocka's asserts
 * belong to the main thread, so what is wrong is counted. */
static void *come_and_go(void *arg)
{
    struct worker *worker = arg;
    struct pattern *held[N_NAMES] = {NULL};
    struct pattern_refs known = {.n = 0};
    struct rng rng = {worker->index};
    uint64_t seen = 0;

    for (size_t i = 0; i < N_STEPS; i++) {
        size_t k = rng_below(&rng, N_NAMES);
        const char *why;

        if (rng_one_in(&rng, 2)) {
            if (seen != patterns_generation(worker->patterns))
                remember(worker, &known, &seen);
            for (uint32_t j = 0; j < known.n; j++) {
                const struct pattern *pattern = known.items[j];
                const struct pattern *const *local = pattern->local[worker->index];

                /* What was put there is what holds it. */
                worker->n_wrong += local != NULL && *local != pattern;
                worker->n_wrong += (atomic_load(&pattern->workers) & ~(bit(1) | bit(2))) != 0;
                worker->n_wrong += ant_pattern_match(pattern->ant, slice_str("/x/y/z"));
                worker->n_wrong += atomic_load(&pattern->subscriptions) > 2;
            }
        } else if (held[k] == NULL) {
            if (patterns_acquire(worker->patterns, slice_str(names[k]), worker->index, &held[k],
                                 &held[k], &why) != PATTERNS_OK) {
                worker->n_wrong++;
                continue;
            }
            patterns_count(held[k], 1);
            worker->n_wrong += (atomic_load(&held[k]->workers) & bit(worker->index)) == 0;
            worker->n_wrong += !slice_eq(held[k]->node.key, slice_str(names[k]));
            worker->n_wrong += held[k]->generation > patterns_generation(worker->patterns);
        } else {
            worker->n_wrong += atomic_load(&held[k]->is_gone);
            patterns_count(held[k], -1);
            patterns_release(worker->patterns, held[k], worker->index);
            held[k] = NULL;
        }
    }
    for (size_t k = 0; k < N_NAMES; k++) {
        if (held[k] != NULL) {
            patterns_count(held[k], -1);
            patterns_release(worker->patterns, held[k], worker->index);
        }
    }
    pattern_refs_dispose(&known);
    return NULL;
}

/* What one has acquired (released) before the barrier, the other finds (does not find) behind it,
 * looking only at what is newer than the last time. */
static void *see_each_other(void *arg)
{
    struct worker *worker = arg;
    unsigned other = 3 - worker->index;
    struct pattern_refs known = {.n = 0};
    uint64_t seen = 0;

    for (size_t i = 0; i < N_ROUNDS; i++) {
        struct pattern *pattern = NULL;
        const char *why;
        bool is_found = false;

        if (patterns_acquire(worker->patterns, slice_str(names[i % N_NAMES]), worker->index, NULL,
                             &pattern, &why) != PATTERNS_OK)
            worker->n_wrong++;
        pthread_barrier_wait(worker->barrier);
        if (seen != patterns_generation(worker->patterns))
            remember(worker, &known, &seen);
        for (uint32_t j = 0; j < known.n; j++)
            is_found = is_found || (known.items[j] == pattern &&
                                    (atomic_load(&known.items[j]->workers) & bit(other)) != 0);
        worker->n_wrong += !is_found;
        pthread_barrier_wait(worker->barrier);
        patterns_release(worker->patterns, pattern, worker->index);
        pthread_barrier_wait(worker->barrier);
        for (uint32_t j = 0; j < known.n; j++)
            worker->n_wrong += atomic_load(&known.items[j]->workers) != 0;
        pthread_barrier_wait(worker->barrier);
    }
    pattern_refs_dispose(&known);
    return NULL;
}

static void run_two(struct patterns *patterns, void *(*run)(void *arg))
{
    pthread_barrier_t barrier;
    struct worker workers[2] = {{patterns, 1, 0, &barrier}, {patterns, 2, 0, &barrier}};
    pthread_t threads[2];

    pthread_barrier_init(&barrier, NULL, 2);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, &workers[i]), 0);
    for (size_t i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].n_wrong, 0);
    }
    pthread_barrier_destroy(&barrier);
    assert_int_equal(patterns_live(patterns), 0);
}

static void two_workers_that_come_and_go_leave_nothing_behind(void **state)
{
    run_two(*state, come_and_go);
}

static void an_entry_is_found_by_other_threads_once_acquire_has_returned(void **state)
{
    run_two(*state, see_each_other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(equal_texts_are_one_entry_for_all_workers),
        TEST(a_workers_bit_and_local_last_until_its_release),
        TEST(subscriptions_of_all_workers_are_counted),
        TEST(only_a_new_entry_has_a_new_generation),
        TEST(who_looks_again_gets_what_came_since),
        TEST(holes_in_the_list_are_closed),
        TEST(each_of_many_may_go_in_any_order),
        TEST(a_gone_entry_stays_for_whoever_remembers_it),
        TEST(what_cannot_be_compiled_leaves_nothing_behind),
        TEST(the_limit_is_on_entries_and_what_goes_makes_room),
        TEST(the_separator_is_the_one_of_the_list),
        TEST(two_workers_that_come_and_go_leave_nothing_behind),
        TEST(an_entry_is_found_by_other_threads_once_acquire_has_returned),
    };

    return cmocka_run_group_tests_name("gateway/router/patterns", tests, NULL, NULL);
}
