#include "tests/test.h"

#include <pthread.h>
#include <stdio.h>
#include "gateway/router/destination.h"

/* The patterns that all workers share, and what a worker remembers of them. */

static const struct siphash_key key = {9, 9};

static struct pattern *acquire(struct patterns *patterns, const char *text, unsigned worker,
                               void *local)
{
    struct pattern *pattern = NULL;
    const char *why = NULL;

    assert_int_equal(patterns_acquire(patterns, slice_str(text), worker, local, &pattern, &why),
                     PATTERNS_OK);
    return pattern;
}

/* How many patterns are newer than `seen`, which moves. */
static uint32_t count_newer(struct patterns *patterns, uint64_t *seen)
{
    struct pattern_refs refs = {.n = 0};
    uint32_t n;

    patterns_take_newer(patterns, seen, &refs);
    n = refs.n;
    pattern_refs_dispose(&refs);
    return n;
}

static void workers_share_the_entry_of_a_text(void **state)
{
    struct patterns patterns;
    struct pattern *first, *second;
    int a, b;

    (void)state;
    patterns_init(&patterns, 3, 10, '/', key);
    first = acquire(&patterns, "/a/*", 0, &a);
    second = acquire(&patterns, "/a/*", 2, &b);
    assert_ptr_equal(first, second);
    assert_int_equal(atomic_load(&first->workers), 5);
    assert_ptr_equal(first->local[0], &a);
    assert_ptr_equal(first->local[2], &b);
    assert_int_equal(patterns_live(&patterns), 1);
    patterns_release(&patterns, first, 0);
    assert_int_equal(atomic_load(&first->workers), 4);
    assert_null(first->local[0]);
    patterns_release(&patterns, first, 2);
    assert_int_equal(patterns_live(&patterns), 0);
    patterns_dispose(&patterns);
}

static void who_has_seen_some_sees_the_newer_ones_only(void **state)
{
    struct patterns patterns;
    struct pattern *p[4];
    uint64_t seen = 0;

    (void)state;
    patterns_init(&patterns, 1, 10, '/', key);
    assert_int_equal(count_newer(&patterns, &seen), 0);
    p[0] = acquire(&patterns, "/0*", 0, NULL);
    p[1] = acquire(&patterns, "/1*", 0, NULL);
    assert_int_equal(count_newer(&patterns, &seen), 2);
    assert_int_equal(count_newer(&patterns, &seen), 0);
    p[2] = acquire(&patterns, "/2*", 0, NULL);
    patterns_release(&patterns, p[1], 0);
    assert_int_equal(count_newer(&patterns, &seen), 1);
    /* One that comes again is a new one. */
    p[1] = acquire(&patterns, "/1*", 0, NULL);
    assert_int_equal(count_newer(&patterns, &seen), 1);
    seen = 0;
    assert_int_equal(count_newer(&patterns, &seen), 3);
    for (int i = 0; i < 3; i++)
        patterns_release(&patterns, p[i], 0);
    patterns_dispose(&patterns);
}

static void one_that_has_gone_stays_for_who_remembers_it(void **state)
{
    struct patterns patterns;
    struct pattern_refs refs = {.n = 0};
    struct pattern *p;
    uint64_t seen = 0;

    (void)state;
    patterns_init(&patterns, 1, 10, '/', key);
    p = acquire(&patterns, "/a/*", 0, NULL);
    patterns_take_newer(&patterns, &seen, &refs);
    patterns_release(&patterns, p, 0);
    assert_true(atomic_load(&refs.items[0]->is_gone));
    assert_int_equal(atomic_load(&refs.items[0]->workers), 0);
    pattern_refs_dispose(&refs);
    patterns_dispose(&patterns);
}

static void holes_of_the_list_are_closed(void **state)
{
    struct patterns patterns;
    struct pattern *stays;
    char text[32];

    (void)state;
    patterns_init(&patterns, 1, 10, '/', key);
    stays = acquire(&patterns, "/stays/*", 0, NULL);
    for (int i = 0; i < 10000; i++) {
        snprintf(text, sizeof(text), "/%d/*", i);
        patterns_release(&patterns, acquire(&patterns, text, 0, NULL), 0);
    }
    assert_in_range(patterns.n_list, 1, 32);
    assert_int_equal(patterns_generation(&patterns), 10001);
    patterns_release(&patterns, stays, 0);
    patterns_dispose(&patterns);
}

static void what_cannot_be_is_refused_and_leaves_nothing(void **state)
{
    struct patterns patterns;
    struct pattern *p[2], *none = NULL;
    const char *why = NULL;

    (void)state;
    patterns_init(&patterns, 1, 2, '/', key);
    assert_int_equal(patterns_acquire(&patterns, slice_str("/{a:[}"), 0, NULL, &none, &why),
                     PATTERNS_ERR_SYNTAX);
    assert_non_null(why);
    p[0] = acquire(&patterns, "/0*", 0, NULL);
    p[1] = acquire(&patterns, "/1*", 0, NULL);
    assert_int_equal(patterns_acquire(&patterns, slice_str("/2*"), 0, NULL, &none, &why),
                     PATTERNS_ERR_TOO_MANY);
    assert_int_equal(patterns_live(&patterns), 2);
    patterns_release(&patterns, p[0], 0);
    patterns_release(&patterns, acquire(&patterns, "/2*", 0, NULL), 0);
    patterns_release(&patterns, p[1], 0);
    patterns_dispose(&patterns);
}

/* --- threads --- */

struct racer {
    struct patterns *patterns;
    unsigned worker;
    unsigned long n_seen;
};

static void *race(void *arg)
{
    struct racer *racer = arg;
    uint64_t seen = 0;
    char text[32];

    for (unsigned i = 0; i < 3000; i++) {
        struct pattern *p = NULL;
        const char *why = NULL;

        snprintf(text, sizeof(text), "/%u/*", i * 7 % 5);
        if (patterns_acquire(racer->patterns, slice_str(text), racer->worker, racer, &p, &why) !=
            PATTERNS_OK)
            continue;
        patterns_count(p, 1);
        racer->n_seen += count_newer(racer->patterns, &seen);
        patterns_count(p, -1);
        patterns_release(racer->patterns, p, racer->worker);
    }
    return NULL;
}

static void workers_may_come_and_go_at_the_same_time(void **state)
{
    struct patterns patterns;
    struct racer racers[3];
    pthread_t threads[3];

    (void)state;
    patterns_init(&patterns, 3, 10, '/', key);
    for (unsigned i = 0; i < 3; i++) {
        racers[i] = (struct racer){&patterns, i, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (unsigned i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        assert_true(racers[i].n_seen > 0);
    }
    assert_int_equal(patterns_live(&patterns), 0);
    patterns_dispose(&patterns);
}

/* --- what a worker remembers --- */

struct memory {
    struct interest interest;
    struct patterns patterns;
    struct destinations set;
};

static void memory_init(struct memory *m, size_t cache_limit)
{
    interest_init(&m->interest, key);
    patterns_init(&m->patterns, 1, 10, '/', key);
    destinations_init(&m->set, 0, &m->interest, &m->patterns, cache_limit, key);
}

static void memory_dispose(struct memory *m)
{
    destinations_dispose(&m->set);
    patterns_dispose(&m->patterns);
    interest_dispose(&m->interest);
}

static struct destination *subscribe(struct memory *m, enum destination_kind kind, const char *name)
{
    struct destination *d = NULL;
    const char *why = NULL;

    assert_int_equal(destinations_subscribe(&m->set, kind, slice_str(name), &d, &why),
                     DESTINATION_OK);
    return d;
}

static void without_patterns_nothing_is_remembered(void **state)
{
    struct memory m;

    (void)state;
    memory_init(&m, 4);
    assert_null(destinations_look_up(&m.set, slice_str("/a")));
    assert_int_equal(m.set.n_cached, 0);
    memory_dispose(&m);
}

static void the_least_recently_used_destination_is_forgotten_first(void **state)
{
    struct memory m;
    struct destination *pattern, *first;

    (void)state;
    memory_init(&m, 3);
    pattern = subscribe(&m, DESTINATION_PATTERN, "/*");
    first = destinations_look_up(&m.set, slice_str("/1"));
    assert_int_equal(first->matched.n, 1);
    (void)destinations_look_up(&m.set, slice_str("/2"));
    (void)destinations_look_up(&m.set, slice_str("/3"));
    assert_ptr_equal(destinations_look_up(&m.set, slice_str("/1")), first); /* used again */
    (void)destinations_look_up(&m.set, slice_str("/4"));
    assert_int_equal(m.set.n_cached, 3);
    assert_null(table_find(&m.set.tables[DESTINATION_EXACT], slice_str("/2")));
    assert_ptr_equal(destinations_look_up(&m.set, slice_str("/1")), first);
    destinations_drop(&m.set, pattern);
    memory_dispose(&m);
}

static void a_remembered_destination_may_get_subscribers_and_lose_them(void **state)
{
    struct memory m;
    struct destination *pattern, *d;

    (void)state;
    memory_init(&m, 3);
    pattern = subscribe(&m, DESTINATION_PATTERN, "/*");
    d = destinations_look_up(&m.set, slice_str("/1"));
    assert_null(destinations_find(&m.set, DESTINATION_EXACT, slice_str("/1")));
    assert_int_equal(interest_find(&m.interest, slice_str("/1"), NULL), 0);
    assert_ptr_equal(subscribe(&m, DESTINATION_EXACT, "/1"), d);
    assert_int_equal(m.set.n_cached, 0);
    assert_int_equal(interest_find(&m.interest, slice_str("/1"), NULL), 1);
    assert_int_equal(d->matched.n, 1);
    destinations_drop(&m.set, d);
    assert_int_equal(interest_find(&m.interest, slice_str("/1"), NULL), 0);
    destinations_drop(&m.set, pattern);
    memory_dispose(&m);
}

static void a_pattern_that_has_gone_is_forgotten_with_the_next_that_comes(void **state)
{
    struct memory m;
    struct destination *first, *second, *d;

    (void)state;
    memory_init(&m, 3);
    first = subscribe(&m, DESTINATION_PATTERN, "/*");
    d = destinations_look_up(&m.set, slice_str("/1"));
    destinations_drop(&m.set, first);
    second = subscribe(&m, DESTINATION_PATTERN, "/?");
    assert_ptr_equal(destinations_look_up(&m.set, slice_str("/1")), d);
    assert_int_equal(d->matched.n, 1);
    assert_ptr_equal(d->matched.items[0], second->pattern);
    destinations_drop(&m.set, second);
    memory_dispose(&m);
}

static void bound_patterns_are_found_by_the_session_that_a_name_ends_with(void **state)
{
    static const char *const a = "/queue/*-user0123456789abcdef0123456789abcdef";
    static const char *const b = "/queue/?-user0123456789abcdef0123456789abcdef";
    struct memory m;
    struct destination *one, *two;

    (void)state;
    memory_init(&m, 3);
    one = subscribe(&m, DESTINATION_BOUND_PATTERN, a);
    two = subscribe(&m, DESTINATION_BOUND_PATTERN, b);
    assert_ptr_equal(destinations_bound_patterns(
                         &m.set, slice_str("/queue/x-user0123456789abcdef0123456789abcdef")),
                     two);
    assert_ptr_equal(two->bound.next, one);
    assert_null(destinations_bound_patterns(
        &m.set, slice_str("/queue/x-user0123456789abcdef0123456789abcdee")));
    assert_null(destinations_bound_patterns(&m.set, slice_str("/short")));
    assert_int_equal(patterns_live(&m.patterns), 0); /* nobody else knows of them */
    destinations_drop(&m.set, one);
    destinations_drop(&m.set, two);
    memory_dispose(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_share_the_entry_of_a_text),
        cmocka_unit_test(who_has_seen_some_sees_the_newer_ones_only),
        cmocka_unit_test(one_that_has_gone_stays_for_who_remembers_it),
        cmocka_unit_test(holes_of_the_list_are_closed),
        cmocka_unit_test(what_cannot_be_is_refused_and_leaves_nothing),
        cmocka_unit_test(workers_may_come_and_go_at_the_same_time),
        cmocka_unit_test(without_patterns_nothing_is_remembered),
        cmocka_unit_test(the_least_recently_used_destination_is_forgotten_first),
        cmocka_unit_test(a_remembered_destination_may_get_subscribers_and_lose_them),
        cmocka_unit_test(a_pattern_that_has_gone_is_forgotten_with_the_next_that_comes),
        cmocka_unit_test(bound_patterns_are_found_by_the_session_that_a_name_ends_with),
    };

    return cmocka_run_group_tests_name("gateway/router/patterns", tests, NULL, NULL);
}
