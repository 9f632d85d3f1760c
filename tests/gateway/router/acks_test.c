#include "gateway/router/acks.h"

#include "tests/test.h"
#include "tests/random.h"

/* --- helpers --- */

enum { SEEN_MAX = 256 };

/* What visits have been given. */
struct seen {
    struct ack_entry entries[SEEN_MAX];
    size_t n;
    struct acks *push_to; /* NULL, or where the next visits push a copy with one delivery more */
    size_t n_pushes;
};

static void see(void *ctx, const struct ack_entry *entry)
{
    struct seen *seen = ctx;

    assert_true(seen->n < SEEN_MAX);
    seen->entries[seen->n++] = *entry;
    if (seen->push_to != NULL && seen->n_pushes != 0) {
        struct ack_entry again = *entry;

        again.delivery_count++;
        seen->n_pushes--;
        assert_true(acks_push(seen->push_to, &again));
    }
}

static bool push(struct acks *acks, uint32_t worker, uint64_t number)
{
    return acks_push(acks, &(struct ack_entry){number, number * 10, worker, 1});
}

static void fill(struct acks *acks, uint64_t first, uint64_t last)
{
    for (uint64_t number = first; number <= last; number++)
        assert_true(push(acks, 0, number));
}

static void assert_seen(const struct seen *seen, const char *numbers)
{
    assert_int_equal(seen->n, strlen(numbers));
    for (size_t i = 0; i < seen->n; i++)
        assert_int_equal(seen->entries[i].number, numbers[i] - '0');
}

static void assert_drain(struct acks *acks, const char *numbers)
{
    struct seen seen = {.n = 0};

    acks_drain(acks, see, &seen);
    assert_seen(&seen, numbers);
    assert_int_equal(acks_count(acks), 0);
}

/* --- tests --- */

static void one_is_taken_from_anywhere(void **state)
{
    struct acks acks;
    struct ack_entry entry = {.number = 0};

    (void)state;
    acks_init(&acks, 10);
    fill(&acks, 1, 6);
    assert_true(acks_take_one(&acks, 0, 3, &entry));
    assert_int_equal(entry.number, 3);
    assert_int_equal(entry.tag, 30);
    assert_int_equal(entry.worker, 0);
    assert_int_equal(entry.delivery_count, 1);
    assert_true(acks_take_one(&acks, 0, 1, &entry));
    assert_true(acks_take_one(&acks, 0, 6, &entry));
    assert_int_equal(acks_count(&acks), 3);
    assert_false(acks_take_one(&acks, 0, 3, &entry));
    assert_int_equal(entry.number, 6);
    assert_drain(&acks, "245");
}

static void through_takes_it_and_all_before(void **state)
{
    struct acks acks;
    struct seen seen = {.n = 0};
    struct ack_entry entry;

    (void)state;
    acks_init(&acks, 10);
    fill(&acks, 1, 6);
    assert_true(acks_take_one(&acks, 0, 2, &entry));
    assert_int_equal(acks_take_through(&acks, 0, 4, see, &seen), 3);
    assert_seen(&seen, "134");
    assert_int_equal(acks_take_through(&acks, 0, 4, see, &seen), 0);
    assert_int_equal(acks_take_through(&acks, 1, 5, see, &seen), 0);
    assert_seen(&seen, "134");
    assert_drain(&acks, "56");
}

static void a_worker_s_numbers_are_its_own(void **state)
{
    struct acks acks;
    struct ack_entry entry;

    (void)state;
    acks_init(&acks, 10);
    assert_true(push(&acks, 1, 7));
    assert_true(push(&acks, 0, 7));
    assert_true(push(&acks, 2, 7));
    assert_false(acks_take_one(&acks, 3, 7, &entry));
    assert_true(acks_take_one(&acks, 0, 7, &entry));
    assert_int_equal(entry.worker, 0);
    assert_false(acks_take_one(&acks, 0, 7, &entry));
    assert_drain(&acks, "77");
}

static void a_window_can_be_full(void **state)
{
    struct acks acks, none;
    struct ack_entry entry;

    (void)state;
    acks_init(&acks, 5);
    fill(&acks, 1, 4);
    assert_false(acks_is_full(&acks));
    fill(&acks, 5, 5);
    assert_true(acks_is_full(&acks));
    assert_false(push(&acks, 0, 6));
    assert_true(acks_take_one(&acks, 0, 2, &entry));
    assert_true(push(&acks, 0, 6));
    assert_false(push(&acks, 0, 7));
    assert_drain(&acks, "13456");

    acks_init(&none, 0);
    assert_true(acks_is_full(&none));
    assert_false(push(&none, 0, 1));
    acks_dispose(&none);
}

static void an_empty_window_holds_no_memory(void **state)
{
    struct acks acks;
    struct ack_entry entry;

    (void)state;
    acks_init(&acks, 100);
    assert_null(acks.slots);
    for (int round = 0; round < 3; round++) {
        fill(&acks, 1, 9);
        assert_non_null(acks.slots);
        if (round == 0) {
            assert_drain(&acks, "123456789");
        } else if (round == 1) {
            struct seen seen = {.n = 0};

            assert_int_equal(acks_take_through(&acks, 0, 9, see, &seen), 9);
        } else {
            for (uint64_t number = 9; number != 0; number--)
                assert_true(acks_take_one(&acks, 0, number, &entry));
        }
        assert_null(acks.slots);
        assert_false(acks_take_one(&acks, 0, 1, &entry));
    }
    fill(&acks, 1, 3);
    acks_dispose(&acks);
    assert_null(acks.slots);
    assert_int_equal(acks_count(&acks), 0);
    fill(&acks, 1, 3);
    assert_drain(&acks, "123");
}

static void a_window_needs_no_more_slots_than_it_ever_held(void **state)
{
    struct acks acks;
    struct ack_entry entry;

    (void)state;
    acks_init(&acks, 1000000);
    fill(&acks, 1, 4);
    for (uint64_t number = 5; number < 10000; number++) {
        /* 1 is never acknowledged */
        assert_true(acks_take_one(&acks, 0, number - 3, &entry));
        fill(&acks, number, number);
    }
    assert_int_equal(acks.n_slots, 4);
    acks_dispose(&acks);
}

static void a_visit_may_push(void **state)
{
    struct acks acks;
    struct seen seen = {.push_to = &acks, .n_pushes = 4};

    (void)state;
    acks_init(&acks, 4);
    fill(&acks, 1, 4);
    /* As a NACK does, when the message comes back to the same consumer. */
    assert_int_equal(acks_take_through(&acks, 0, 3, see, &seen), 3);
    assert_seen(&seen, "123");
    assert_int_equal(acks_count(&acks), 4);
    seen.n = 0;
    seen.n_pushes = SEEN_MAX;
    acks_drain(&acks, see, &seen);
    assert_seen(&seen, "4123");
    assert_int_equal(seen.entries[0].delivery_count, 1);
    assert_int_equal(seen.entries[3].delivery_count, 2);
    assert_drain(&acks, "4123");
}

/* --- against a plain list --- */

enum { MODEL_MAX = 100 };

struct model {
    struct ack_entry entries[MODEL_MAX];
    size_t n;
};

static size_t model_find(const struct model *model, uint32_t worker, uint64_t number)
{
    size_t i = 0;

    while (i < model->n &&
           (model->entries[i].number != number || model->entries[i].worker != worker))
        i++;
    return i;
}

static void model_remove(struct model *model, size_t at, size_t n)
{
    memmove(model->entries + at, model->entries + at + n,
            (model->n - at - n) * sizeof(model->entries[0]));
    model->n -= n;
}

static void assert_same(const struct ack_entry *a, const struct ack_entry *b)
{
    assert_int_equal(a->number, b->number);
    assert_int_equal(a->tag, b->tag);
    assert_int_equal(a->worker, b->worker);
    assert_int_equal(a->delivery_count, b->delivery_count);
}

static void assert_seen_front(const struct seen *seen, const struct model *model, size_t n)
{
    assert_int_equal(seen->n, n);
    for (size_t i = 0; i < n; i++)
        assert_same(&seen->entries[i], &model->entries[i]);
}

/* One that is in the window, mostly. */
static struct ack_entry pick(struct rng *rng, const struct model *model)
{
    if (model->n == 0 || rng_one_in(rng, 8))
        return (struct ack_entry){.number = rng_below(rng, 1000), .worker = 9};
    return model->entries[rng_below(rng, rng_one_in(rng, 2) ? model->n : 1 + model->n / 8)];
}

static void agrees_with_a_plain_list(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct rng rng = {seed};
        struct model model = {.n = 0};
        struct acks acks;
        uint32_t limit = (uint32_t)rng_below(&rng, MODEL_MAX + 1);
        size_t pushes = 1 + rng_below(&rng, 20); /* in 20 calls */

        acks_init(&acks, limit);
        for (uint64_t step = 0; step < 3000; step++) {
            struct ack_entry entry = {step / 3, rng_next(&rng), (uint32_t)(step % 3),
                                      (uint32_t)step},
                             got;
            struct seen seen = {.n = 0};
            size_t at;

            if (rng_below(&rng, 20) < pushes) {
                assert_int_equal(acks_push(&acks, &entry), model.n < limit);
                if (model.n < limit)
                    model.entries[model.n++] = entry;
            } else if (rng_one_in(&rng, 4)) {
                entry = pick(&rng, &model);
                at = model_find(&model, entry.worker, entry.number);
                at = at < model.n ? at + 1 : 0;
                assert_int_equal(acks_take_through(&acks, entry.worker, entry.number, see, &seen),
                                 at);
                assert_seen_front(&seen, &model, at);
                model_remove(&model, 0, at);
            } else if (rng_one_in(&rng, 200)) {
                acks_drain(&acks, see, &seen);
                assert_seen_front(&seen, &model, model.n);
                model.n = 0;
            } else {
                entry = pick(&rng, &model);
                at = model_find(&model, entry.worker, entry.number);
                assert_int_equal(acks_take_one(&acks, entry.worker, entry.number, &got),
                                 at < model.n);
                if (at < model.n) {
                    assert_same(&got, &entry);
                    model_remove(&model, at, 1);
                }
            }
            assert_int_equal(acks_count(&acks), model.n);
            assert_int_equal(acks_is_full(&acks), model.n == limit);
            assert_int_equal(acks.slots == NULL, model.n == 0);
        }
        acks_dispose(&acks);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_is_taken_from_anywhere),
        cmocka_unit_test(through_takes_it_and_all_before),
        cmocka_unit_test(a_worker_s_numbers_are_its_own),
        cmocka_unit_test(a_window_can_be_full),
        cmocka_unit_test(an_empty_window_holds_no_memory),
        cmocka_unit_test(a_window_needs_no_more_slots_than_it_ever_held),
        cmocka_unit_test(a_visit_may_push),
        cmocka_unit_test(agrees_with_a_plain_list),
    };

    return cmocka_run_group_tests_name("gateway/session/acks", tests, NULL, NULL);
}
