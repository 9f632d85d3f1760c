#include "tests/test.h"
#include <stdio.h>
#include "base/mem.h"
#include "gateway/router/destination.h"

static const struct siphash_key hash_key = {1, 2};

/* The ids of two sessions, each as long as SESSION_ID_LEN. */
#define ID_A "00112233445566778899aabbccddeeff"
#define ID_B "00112233445566778899aabbccddeefe"

enum { WORKER = 2, OTHER_WORKER = 5, MAX_PATTERNS = 4, CACHE_LIMIT = 3 };

struct fixture {
    struct interest interest;
    struct patterns patterns;
    struct destinations set;
};

static int set_up(void **state)
{
    struct fixture *f = mem_calloc(1, sizeof(*f));

    interest_init(&f->interest, hash_key);
    patterns_init(&f->patterns, 8, MAX_PATTERNS, '/', hash_key);
    destinations_init(&f->set, WORKER, &f->interest, &f->patterns, CACHE_LIMIT, hash_key);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    destinations_dispose(&f->set); /* these three assert that nothing is left */
    patterns_dispose(&f->patterns);
    interest_dispose(&f->interest);
    mem_free(f);
    return 0;
}

static struct destination *subscribe(struct fixture *f, enum destination_kind kind,
                                     const char *name)
{
    struct destination *d = NULL;
    const char *why = NULL;

    assert_int_equal(destinations_subscribe(&f->set, kind, slice_str(name), &d, &why),
                     DESTINATION_OK);
    assert_int_equal(d->kind, kind);
    assert_true(slice_eq(d->node.key, slice_str(name)));
    assert_ptr_equal(destinations_find(&f->set, kind, slice_str(name)), d);
    return d;
}

static struct destination *look_up(struct fixture *f, const char *name)
{
    return destinations_look_up(&f->set, slice_str(name));
}

/* The patterns that match, in their order, with a blank behind each. */
static const char *matched(const struct destination *d, char out[256])
{
    int len = 0;

    out[0] = '\0';
    for (uint32_t i = 0; i < d->matched.n; i++)
        len += snprintf(out + len, (size_t)(256 - len), "%.*s ",
                        SLICE_FMT(d->matched.items[i]->node.key));
    return out;
}

/* --- subscribers --- */

static void a_destination_is_there_from_its_first_subscriber_to_its_last(void **state)
{
    struct fixture *f = *state;

    for (int kind = 0; kind < DESTINATION_N_KINDS; kind++) {
        const char *name = "/topic/{a}-user" ID_A;
        struct destination *d;

        assert_null(destinations_find(&f->set, (enum destination_kind)kind, slice_str(name)));
        d = subscribe(f, (enum destination_kind)kind, name);
        assert_ptr_equal(subscribe(f, (enum destination_kind)kind, name), d);
        for (int other = 0; other < DESTINATION_N_KINDS; other++) {
            if (other != kind)
                assert_null(
                    destinations_find(&f->set, (enum destination_kind)other, slice_str(name)));
        }
        destinations_drop(&f->set, d);
        assert_null(destinations_find(&f->set, (enum destination_kind)kind, slice_str(name)));
    }
}

static void one_name_may_be_of_every_kind_at_once(void **state)
{
    struct fixture *f = *state;
    struct destination *all[DESTINATION_N_KINDS];

    for (int kind = 0; kind < DESTINATION_N_KINDS; kind++)
        all[kind] = subscribe(f, (enum destination_kind)kind, "/topic/*-user" ID_A);
    for (int kind = 0; kind < DESTINATION_N_KINDS; kind++) {
        assert_ptr_equal(destinations_find(&f->set, (enum destination_kind)kind,
                                           slice_str("/topic/*-user" ID_A)),
                         all[kind]);
        destinations_drop(&f->set, all[kind]);
    }
}

static void only_exact_ones_are_in_the_interest_table_and_only_patterns_in_the_list(void **state)
{
    struct fixture *f = *state;

    for (int kind = 0; kind < DESTINATION_N_KINDS; kind++) {
        const char *name = "/topic/*-user" ID_A;
        struct destination *d = subscribe(f, (enum destination_kind)kind, name);
        uint64_t n;

        destination_count(d, 1);
        destination_count(d, 1);
        assert_int_equal(interest_find(&f->interest, slice_str(name), &n),
                         kind == DESTINATION_EXACT ? 1 << WORKER : 0);
        assert_int_equal(n, kind == DESTINATION_EXACT ? 2 : 0);
        assert_int_equal(patterns_live(&f->patterns), kind == DESTINATION_PATTERN);
        if (kind == DESTINATION_PATTERN) {
            assert_int_equal(atomic_load(&d->pattern->workers), 1 << WORKER);
            assert_int_equal(atomic_load(&d->pattern->subscriptions), 2);
            assert_ptr_equal(d->pattern->local[WORKER], d);
        }
        destination_count(d, -2);
        destinations_drop(&f->set, d);
        assert_int_equal(interest_find(&f->interest, slice_str(name), NULL), 0);
        assert_int_equal(patterns_live(&f->patterns), 0);
    }
}

static void what_is_refused_leaves_nothing_behind(void **state)
{
    struct fixture *f = *state;
    const char *why = NULL, *const broken = "/topic/{a:[}-user" ID_A;
    struct destination *d = NULL, *patterns[MAX_PATTERNS];
    char name[32];

    assert_int_equal(
        destinations_subscribe(&f->set, DESTINATION_PATTERN, slice_str(broken), &d, &why),
        DESTINATION_ERR_PATTERN);
    assert_non_null(why);
    why = NULL;
    assert_int_equal(
        destinations_subscribe(&f->set, DESTINATION_BOUND_PATTERN, slice_str(broken), &d, &why),
        DESTINATION_ERR_PATTERN);
    assert_non_null(why);
    assert_int_equal(f->set.bound_owners.n_nodes, 0);
    for (int i = 0; i < MAX_PATTERNS; i++) {
        (void)snprintf(name, sizeof(name), "/topic/%d/*", i);
        patterns[i] = subscribe(f, DESTINATION_PATTERN, name);
    }
    assert_int_equal(
        destinations_subscribe(&f->set, DESTINATION_PATTERN, slice_str("/one/more/*"), &d, &why),
        DESTINATION_ERR_PATTERNS);
    assert_null(d);
    assert_null(destinations_find(&f->set, DESTINATION_PATTERN, slice_str("/one/more/*")));
    assert_null(destinations_find(&f->set, DESTINATION_PATTERN, slice_str(broken)));
    for (int i = 0; i < MAX_PATTERNS; i++)
        destinations_drop(&f->set, patterns[i]);
}

/* --- what a publish needs --- */

static void without_patterns_only_what_has_subscribers_is_looked_at(void **state)
{
    struct fixture *f = *state;
    struct destination *d;

    assert_null(look_up(f, "/topic/a"));
    assert_int_equal(f->set.n_cached, 0);
    d = subscribe(f, DESTINATION_EXACT, "/topic/a");
    assert_ptr_equal(look_up(f, "/topic/a"), d);
    assert_int_equal(d->matched.n, 0);
    destinations_drop(&f->set, d);
    d = subscribe(f, DESTINATION_PATTERN, "/topic/*");
    destinations_drop(&f->set, d);
    assert_null(look_up(f, "/topic/a"));
}

static void a_destination_has_every_pattern_that_matches_it_once(void **state)
{
    struct fixture *f = *state;
    struct destination *d = subscribe(f, DESTINATION_EXACT, "/topic/a/b"), *patterns[3];
    char out[256];

    patterns[0] = subscribe(f, DESTINATION_PATTERN, "/topic/**");
    patterns[1] = subscribe(f, DESTINATION_PATTERN, "/topic/*"); /* does not */
    for (int i = 0; i < 3; i++) {
        assert_ptr_equal(look_up(f, "/topic/a/b"), d);
        assert_string_equal(matched(d, out), "/topic/** ");
    }
    patterns[2] = subscribe(f, DESTINATION_PATTERN, "/*/a/*"); /* newer than the first look */
    assert_string_equal(matched(d, out), "/topic/** ");
    look_up(f, "/topic/a/b");
    assert_string_equal(matched(d, out), "/topic/** /*/a/* ");
    assert_string_equal(matched(look_up(f, "/topic/b"), out), "/topic/** /topic/* ");
    for (int i = 0; i < 3; i++)
        destinations_drop(&f->set, patterns[i]);
    destinations_drop(&f->set, d);
}

static void only_what_is_newer_than_the_last_look_is_tested(void **state)
{
    struct fixture *f = *state;
    struct destination *old = subscribe(f, DESTINATION_PATTERN, "/topic/*"), *young;
    struct destination *d = subscribe(f, DESTINATION_EXACT, "/topic/a");
    char out[256];

    d->matched_generation = patterns_generation(&f->patterns); /* as if it had been looked at */
    look_up(f, "/topic/a");
    assert_string_equal(matched(d, out), "");
    young = subscribe(f, DESTINATION_PATTERN, "/topic/?");
    look_up(f, "/topic/a");
    assert_string_equal(matched(d, out), "/topic/? ");
    assert_int_equal(d->matched_generation, patterns_generation(&f->patterns));
    destinations_drop(&f->set, old);
    destinations_drop(&f->set, young);
    destinations_drop(&f->set, d);
}

static void a_pattern_that_has_gone_is_forgotten_when_others_have_come(void **state)
{
    struct fixture *f = *state;
    struct destination *d = subscribe(f, DESTINATION_EXACT, "/topic/a");
    struct destination *kept = subscribe(f, DESTINATION_PATTERN, "/topic/**"), *gone = NULL;
    char out[256];

    /* Each is the newest when it comes: what is remembered stays short. */
    for (int i = 0; i < 50; i++) {
        gone = subscribe(f, DESTINATION_PATTERN, "/topic/*");
        look_up(f, "/topic/a");
        assert_string_equal(matched(d, out), "/topic/** /topic/* ");
        destinations_drop(&f->set, gone);
        look_up(f, "/topic/a");
        for (uint32_t k = 0; k < d->matched.n; k++)
            assert_true(d->matched.items[k] == kept->pattern ||
                        d->matched.items[k]->local[WORKER] == NULL);
    }
    destinations_drop(&f->set, kept);
    destinations_drop(&f->set, d);
}

static void patterns_of_other_workers_are_matched_too(void **state)
{
    struct fixture *f = *state;
    struct pattern *pattern = NULL;
    const char *why;
    char out[256];

    assert_int_equal(
        patterns_acquire(&f->patterns, slice_str("/topic/*"), OTHER_WORKER, f, &pattern, &why),
        PATTERNS_OK);
    assert_string_equal(matched(look_up(f, "/topic/a"), out), "/topic/* ");
    assert_null(look_up(f, "/topic/a")->matched.items[0]->local[WORKER]);
    patterns_release(&f->patterns, pattern, OTHER_WORKER);
}

/* --- the cache --- */

static void the_cache_is_bounded_and_the_least_recently_used_goes_first(void **state)
{
    struct fixture *f = *state;
    struct destination *pattern = subscribe(f, DESTINATION_PATTERN, "/**"), *subscribed;
    const struct table *table = &f->set.tables[DESTINATION_EXACT];
    struct destination *first;
    char name[32];

    look_up(f, "/a");
    look_up(f, "/b");
    first = look_up(f, "/a"); /* now /b is the one to go */
    look_up(f, "/c");
    assert_int_equal(f->set.n_cached, CACHE_LIMIT);
    look_up(f, "/d");
    assert_int_equal(f->set.n_cached, CACHE_LIMIT);
    assert_null(table_find(table, slice_str("/b")));
    assert_non_null(table_find(table, slice_str("/c")));
    assert_ptr_equal(look_up(f, "/a"), first);
    subscribed = subscribe(f, DESTINATION_EXACT, "/with/subscribers");
    for (int i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof(name), "/%d", i);
        look_up(f, name);
        look_up(f, "/a"); /* used again and again: it stays */
        assert_int_equal(f->set.n_cached, CACHE_LIMIT);
        assert_int_equal(table->n_nodes, CACHE_LIMIT + 1);
    }
    assert_ptr_equal(look_up(f, "/a"), first);
    assert_ptr_equal(look_up(f, "/with/subscribers"), subscribed); /* these are not in the cache */
    destinations_drop(&f->set, subscribed);
    destinations_drop(&f->set, pattern);
}

static void what_is_cached_counts_as_no_destination(void **state)
{
    struct fixture *f = *state;
    struct destination *pattern = subscribe(f, DESTINATION_PATTERN, "/topic/*");

    assert_non_null(look_up(f, "/topic/a"));
    assert_null(destinations_find(&f->set, DESTINATION_EXACT, slice_str("/topic/a")));
    assert_int_equal(interest_find(&f->interest, slice_str("/topic/a"), NULL), 0);
    destinations_drop(&f->set, pattern);
}

static void a_cached_destination_gets_subscribers_and_loses_them_again(void **state)
{
    struct fixture *f = *state;
    struct destination *pattern = subscribe(f, DESTINATION_PATTERN, "/topic/*");
    char out[256];

    look_up(f, "/before");
    look_up(f, "/behind");
    for (int i = 0; i < 3; i++) {
        struct destination *cached = look_up(f, "/topic/a");
        struct destination *d;

        assert_int_equal(f->set.n_cached, 3);
        d = subscribe(f, DESTINATION_EXACT, "/topic/a");
        assert_ptr_equal(d, cached); /* with what it remembers */
        assert_string_equal(matched(d, out), "/topic/* ");
        assert_int_equal(f->set.n_cached, 2);
        assert_int_equal(interest_find(&f->interest, slice_str("/topic/a"), NULL), 1 << WORKER);
        destination_count(d, 1);
        assert_ptr_equal(look_up(f, "/topic/a"), d);
        assert_string_equal(matched(d, out), "/topic/* ");
        destination_count(d, -1);
        destinations_drop(&f->set, d);
        assert_int_equal(interest_find(&f->interest, slice_str("/topic/a"), NULL), 0);
        assert_string_equal(matched(look_up(f, "/topic/a"), out), "/topic/* ");
    }
    destinations_drop(&f->set, pattern);
}

static void what_is_evicted_is_matched_anew(void **state)
{
    struct fixture *f = *state;
    struct destination *patterns[2];
    char out[256];

    patterns[0] = subscribe(f, DESTINATION_PATTERN, "/topic/*");
    patterns[1] = subscribe(f, DESTINATION_PATTERN, "/topic/**");
    assert_string_equal(matched(look_up(f, "/topic/a"), out), "/topic/* /topic/** ");
    look_up(f, "/b");
    look_up(f, "/c");
    look_up(f, "/d");
    assert_null(table_find(&f->set.tables[DESTINATION_EXACT], slice_str("/topic/a")));
    assert_string_equal(matched(look_up(f, "/topic/a"), out), "/topic/* /topic/** ");
    destinations_drop(&f->set, patterns[0]);
    destinations_drop(&f->set, patterns[1]);
}

/* --- bound patterns --- */

static void bound_patterns_are_found_by_the_session_id_at_the_end(void **state)
{
    struct fixture *f = *state;
    struct destination *a1 = subscribe(f, DESTINATION_BOUND_PATTERN, "/queue/*-user" ID_A);
    struct destination *a2 = subscribe(f, DESTINATION_BOUND_PATTERN, "/queue/**-user" ID_A);
    struct destination *a3 = subscribe(f, DESTINATION_BOUND_PATTERN, "/{x}/y-user" ID_A);
    struct destination *b = subscribe(f, DESTINATION_BOUND_PATTERN, "/queue/*-user" ID_B);
    const struct slice name_a = SLICE("/queue/x-user" ID_A), name_b = SLICE("/q-user" ID_B);
    size_t n = 0;

    for (struct destination *d = destinations_bound_patterns(&f->set, name_a); d != NULL;
         d = d->bound.next, n++)
        assert_true(d == a1 || d == a2 || d == a3);
    assert_int_equal(n, 3);
    assert_ptr_equal(destinations_bound_patterns(&f->set, name_b), b);
    assert_null(b->bound.next);
    assert_true(ant_pattern_match(a1->bound.ant, name_a));
    destinations_drop(&f->set, a2); /* within the list, then its first and its last */
    assert_ptr_equal(destinations_bound_patterns(&f->set, name_a), a3);
    assert_ptr_equal(a3->bound.next, a1);
    destinations_drop(&f->set, a3);
    assert_ptr_equal(destinations_bound_patterns(&f->set, name_a), a1);
    destinations_drop(&f->set, a1);
    assert_null(destinations_bound_patterns(&f->set, name_a));
    assert_ptr_equal(destinations_bound_patterns(&f->set, name_b), b);
    destinations_drop(&f->set, b);
}

static void a_name_without_a_session_id_has_no_bound_patterns(void **state)
{
    struct fixture *f = *state;
    struct destination *d = subscribe(f, DESTINATION_BOUND_PATTERN, "/queue/*-user" ID_A);
    const struct slice names[] = {{NULL, 0},
                                  SLICE("/queue/a"),
                                  SLICE("0112233445566778899aabbccddeeff"),
                                  SLICE("/queue/x-user" ID_A "/")};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_null(destinations_bound_patterns(&f->set, names[i]));
    destinations_drop(&f->set, d);
}

static void bound_destinations_are_never_what_a_publish_looks_up(void **state)
{
    struct fixture *f = *state;
    struct destination *exact = subscribe(f, DESTINATION_BOUND, "/queue/a-user" ID_A);
    struct destination *pattern = subscribe(f, DESTINATION_BOUND_PATTERN, "/queue/**-user" ID_A);
    struct destination *queue = subscribe(f, DESTINATION_QUEUE, "/queue/a-user" ID_A);

    assert_null(look_up(f, "/queue/a-user" ID_A));
    assert_int_equal(patterns_live(&f->patterns), 0);
    destinations_drop(&f->set, exact);
    destinations_drop(&f->set, pattern);
    destinations_drop(&f->set, queue);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_destination_is_there_from_its_first_subscriber_to_its_last),
        TEST(one_name_may_be_of_every_kind_at_once),
        TEST(only_exact_ones_are_in_the_interest_table_and_only_patterns_in_the_list),
        TEST(what_is_refused_leaves_nothing_behind),
        TEST(without_patterns_only_what_has_subscribers_is_looked_at),
        TEST(a_destination_has_every_pattern_that_matches_it_once),
        TEST(only_what_is_newer_than_the_last_look_is_tested),
        TEST(a_pattern_that_has_gone_is_forgotten_when_others_have_come),
        TEST(patterns_of_other_workers_are_matched_too),
        TEST(the_cache_is_bounded_and_the_least_recently_used_goes_first),
        TEST(what_is_cached_counts_as_no_destination),
        TEST(a_cached_destination_gets_subscribers_and_loses_them_again),
        TEST(what_is_evicted_is_matched_anew),
        TEST(bound_patterns_are_found_by_the_session_id_at_the_end),
        TEST(a_name_without_a_session_id_has_no_bound_patterns),
        TEST(bound_destinations_are_never_what_a_publish_looks_up),
    };

    return cmocka_run_group_tests_name("gateway/router/destination", tests, NULL, NULL);
}
