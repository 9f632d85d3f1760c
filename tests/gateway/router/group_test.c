#include "tests/test.h"
#include "tests/random.h"
#include <stdio.h>
#include "base/mem.h"
#include "gateway/router/destination.h"
#include "gateway/router/group.h"
#include "gateway/router/router.h"

static const struct siphash_key hash_key = {1, 2};

struct fixture {
    struct groups groups;
    struct destination a, b; /* only their addresses are looked at */
};

static int set_up(void **state)
{
    struct fixture *f = mem_calloc(1, sizeof(*f));

    groups_init(&f->groups, hash_key);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    groups_dispose(&f->groups); /* asserts that there is none */
    mem_free(f);
    return 0;
}

static struct group *get(struct fixture *f, const struct group_spec *spec, bool expect_new)
{
    bool is_new = !expect_new;
    struct group *g = groups_find_or_add(&f->groups, spec, siphash(&hash_key, spec->id), &is_new);

    assert_int_equal(is_new, expect_new);
    assert_ptr_equal(g->destination, spec->destination);
    assert_int_equal(g->wire, spec->wire);
    assert_true(slice_eq(group_id(g), spec->id));
    return g;
}

static struct selector *selector(const char *text)
{
    struct selector *made = NULL;

    assert_int_equal(selector_new(slice_str(text), &made), SELECTOR_OK);
    return made;
}

static void groups_of_equal_specs_are_one(void **state)
{
    struct fixture *f = *state;
    const struct group_spec specs[] = {
        {.destination = &f->a, .id = SLICE("sub-0"), .wire = WIRE_WEBSOCKET},
        {.destination = &f->b, .id = SLICE("sub-0"), .wire = WIRE_WEBSOCKET},
        {.destination = &f->a, .id = SLICE("sub-1"), .wire = WIRE_WEBSOCKET},
        {.destination = &f->a, .id = SLICE("sub-0"), .wire = WIRE_WEBSOCKET_RAW},
        {.destination = &f->a, .id = SLICE(""), .wire = WIRE_WEBSOCKET},
        {.destination = &f->a, .id = {NULL, 0}, .wire = WIRE_WEBSOCKET_RAW},
        {.destination = &f->a, .id = SLICE("sub-0\0"), .wire = WIRE_WEBSOCKET},
    };
    enum { N = sizeof(specs) / sizeof(specs[0]) };
    struct group *groups[N];

    for (size_t i = 0; i < N; i++) {
        groups[i] = get(f, &specs[i], true);
        assert_int_equal(groups[i]->kind, GROUP_PLAIN);
        assert_int_equal(groups[i]->n_members, 0);
    }
    assert_int_equal(f->groups.n, N);
    for (size_t i = 0; i < N; i++)
        assert_ptr_equal(get(f, &specs[i], false), groups[i]);
    for (size_t i = 0; i < N; i++) {
        groups_remove(&f->groups, groups[i]);
        groups[i] = get(f, &specs[i], true); /* gone means gone */
        groups_remove(&f->groups, groups[i]);
    }
}

static void the_id_is_copied(void **state)
{
    struct fixture *f = *state;
    char id[] = "sub-0";
    struct group_spec spec = {.destination = &f->a, .id = slice_str(id)};
    struct group *g = get(f, &spec, true);

    memset(id, 'x', sizeof(id) - 1);
    assert_slice(group_id(g), "sub-0");
    groups_remove(&f->groups, g);
}

static void selectors_share_a_group_by_their_text(void **state)
{
    struct fixture *f = *state;
    struct selector *one = selector("headers.a == '1'"), *same = selector("headers.a == '1'");
    struct selector *spaced = selector("headers.a  == '1'");
    struct group_spec spec = {.destination = &f->a, .id = SLICE("s")};
    struct group *plain = get(f, &spec, true), *selecting, *other;

    spec.selector = one;
    selecting = get(f, &spec, true);
    assert_int_equal(selecting->kind, GROUP_SELECTING);
    assert_ptr_equal(group_of_more(group_more(selecting)), selecting);
    spec.selector = same;
    assert_ptr_equal(get(f, &spec, false), selecting);
    spec.selector = spaced;
    other = get(f, &spec, true);
    spec.selector = NULL;
    assert_ptr_equal(get(f, &spec, false), plain);
    /* The group has a reference of its own. */
    selector_unref(one);
    selector_unref(same);
    selector_unref(spaced);
    assert_slice(selector_text(group_more(selecting)->selector), "headers.a == '1'");
    groups_remove(&f->groups, selecting);
    groups_remove(&f->groups, other);
    groups_remove(&f->groups, plain);
}

static void one_that_is_to_be_alone_is_never_shared(void **state)
{
    struct fixture *f = *state;
    struct selector *select = selector("headers.a == '1'");
    struct group_spec spec = {
        .destination = &f->a,
        .id = SLICE("s"),
        .selector = select,
        .is_alone = true,
        .needs_ack = true,
        .is_cumulative = true,
        .ack_window = 7,
    };
    const struct group_spec shared = {.destination = &f->a, .id = SLICE("s"), .selector = select};
    struct group *groups[5], *common;

    for (uint64_t i = 0; i < 5; i++) {
        spec.serial = i;
        groups[i] = get(f, &spec, true);
        assert_int_equal(groups[i]->kind, GROUP_ALONE);
        assert_int_equal(group_more(groups[i])->serial, i);
        assert_true(group_more(groups[i])->needs_ack && group_more(groups[i])->is_cumulative);
        assert_int_equal(group_more(groups[i])->acks.limit, 7);
        assert_ptr_equal(group_of_more(group_more(groups[i])), groups[i]);
    }
    common = get(f, &shared, true);
    assert_ptr_equal(get(f, &shared, false), common);
    spec.serial = 0;
    groups_remove(&f->groups, get(f, &spec, true)); /* not even with the same serial */
    for (uint64_t i = 0; i < 5; i++)
        groups_remove(&f->groups, groups[i]);
    groups_remove(&f->groups, common);
    selector_unref(select);
}

static void what_waits_for_an_acknowledgement_goes_with_its_group(void **state)
{
    struct fixture *f = *state;
    const struct group_spec spec = {.destination = &f->a,
                                    .id = SLICE("s"),
                                    .is_alone = true,
                                    .needs_ack = true,
                                    .ack_window = 9};
    struct group *g = get(f, &spec, true);

    for (uint64_t i = 0; i < 9; i++) {
        const struct ack_entry entry = {.number = i};

        assert_true(acks_push(&group_more(g)->acks, &entry));
    }
    groups_remove(&f->groups, g); /* a leak would be seen */
}

static void members_come_and_go_in_any_order(void **state)
{
    enum { N = 300 };
    struct fixture *f = *state;
    const struct group_spec spec = {.destination = &f->a, .id = SLICE("s")};
    struct group *g = get(f, &spec, true);
    struct receiver *receivers = mem_calloc(N, sizeof(*receivers));
    struct subscription *in[N];
    struct rng rng = {5};
    uint32_t n = 0;
    size_t n_own = 0;

    for (size_t round = 0; round < 4; round++) {
        static const uint32_t most[] = {1, 2, N, 3};

        while (n < most[round]) {
            in[n] = group_add(g, &receivers[n]);
            assert_ptr_equal(in[n]->group, g);
            n_own += in[n] == &g->own;
            n++;
            assert_int_equal(g->n_members, n);
        }
        while (n != 0) {
            size_t k = rng_below(&rng, n);

            for (uint32_t i = 0; i < n; i++) {
                assert_true(in[i]->index < n);
                assert_ptr_equal(group_members(g)[in[i]->index], in[i]);
                assert_true(in[i]->receiver >= receivers && in[i]->receiver < receivers + N);
            }
            group_remove(g, in[k]);
            in[k] = in[--n];
            assert_int_equal(g->n_members, n);
        }
        assert_int_equal(n_own, round + 1); /* the place in the group is used again */
    }
    groups_remove(&f->groups, g);
    mem_free(receivers);
}

static void a_hundred_thousand_groups_are_told_apart(void **state)
{
    enum { N = 100000 };
    struct fixture *f = *state;
    struct group **groups = mem_calloc(N, sizeof(struct group *));
    size_t longest = 0;
    char id[32];

    for (size_t i = 0; i < N; i++) {
        struct group_spec spec = {.destination = i % 2 == 0 ? &f->a : &f->b};

        spec.id = slice_of(id, (size_t)snprintf(id, sizeof(id), "sub-%zu", i / 2));
        groups[i] = get(f, &spec, true);
    }
    assert_in_range(f->groups.n_buckets, N, 2 * N);
    for (size_t i = 0; i < f->groups.n_buckets; i++) {
        size_t n = 0;

        for (const struct group *g = f->groups.buckets[i]; g != NULL; g = g->next_in_bucket)
            n++;
        longest = n > longest ? n : longest;
    }
    assert_in_range(longest, 1, 16); /* ids that differ by a digit do not meet */
    for (size_t i = 0; i < N; i++) {
        struct group_spec spec = {.destination = i % 2 == 0 ? &f->a : &f->b};

        spec.id = slice_of(id, (size_t)snprintf(id, sizeof(id), "sub-%zu", i / 2));
        assert_ptr_equal(get(f, &spec, false), groups[i]);
        groups_remove(&f->groups, groups[i]);
    }
    mem_free(groups);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(groups_of_equal_specs_are_one),
        TEST(the_id_is_copied),
        TEST(selectors_share_a_group_by_their_text),
        TEST(one_that_is_to_be_alone_is_never_shared),
        TEST(what_waits_for_an_acknowledgement_goes_with_its_group),
        TEST(members_come_and_go_in_any_order),
        TEST(a_hundred_thousand_groups_are_told_apart),
    };

    return cmocka_run_group_tests_name("gateway/router/group", tests, NULL, NULL);
}
