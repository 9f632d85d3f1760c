#include "tests/test.h"
#include <stdio.h>
#include "gateway/router/sequence.h"

static const struct siphash_key hash_key = {1, 2};

static struct sequence_number next(struct sequences *set, const char *destination)
{
    struct sequence_number number;

    sequences_next(set, slice_str(destination), &number);
    return number;
}

static struct slice epoch(const struct sequence_number *number)
{
    return slice_of(number->epoch, number->epoch_len);
}

static bool is_same_epoch(struct sequence_number a, struct sequence_number b)
{
    return slice_eq(epoch(&a), epoch(&b));
}

static void numbers_count_up_from_one_for_each_destination(void **state)
{
    struct sequences set;
    struct sequence_number a, b;

    (void)state;
    sequences_init(&set, 10, hash_key, 7, 0);
    for (uint64_t i = 1; i <= 100; i++) {
        a = next(&set, "/topic/a");
        assert_int_equal(a.number, i);
        if (i % 10 == 0) {
            b = next(&set, "/topic/b");
            assert_int_equal(b.number, i / 10);
        }
        assert_slice(epoch(&a), "0000000000000007-0-1");
    }
    assert_slice(epoch(&b), "0000000000000007-0-2");
    sequences_dispose(&set);
}

static void no_two_starts_or_workers_share_an_epoch(void **state)
{
    const uint64_t starts[] = {0, 1, UINT64_MAX};
    const unsigned workers[] = {0, 1, 63};
    struct sequence_number seen[9];

    (void)state;
    for (size_t i = 0; i < 9; i++) {
        struct sequences set;

        sequences_init(&set, 1, hash_key, starts[i / 3], workers[i % 3]);
        seen[i] = next(&set, "/topic/a");
        sequences_dispose(&set);
        for (size_t k = 0; k < i; k++)
            assert_false(is_same_epoch(seen[i], seen[k]));
    }
    assert_slice(epoch(&seen[8]), "ffffffffffffffff-63-1");
}

static void the_longest_epoch_has_room(void **state)
{
    struct sequences set;
    struct sequence_number a;

    (void)state;
    sequences_init(&set, 1, hash_key, UINT64_MAX, 63);
    set.n_epochs = UINT64_MAX - 1;
    a = next(&set, "/topic/a");
    assert_slice(epoch(&a), "ffffffffffffffff-63-18446744073709551615");
    assert_int_equal(a.epoch_len, sizeof(a.epoch));
    sequences_dispose(&set);
}

static void a_destination_that_was_forgotten_begins_a_new_epoch_at_one(void **state)
{
    struct sequences set;
    struct sequence_number first, again;

    (void)state;
    sequences_init(&set, 1, hash_key, 7, 3);
    (void)next(&set, "/topic/a");
    first = next(&set, "/topic/a");
    assert_int_equal(first.number, 2);
    (void)next(&set, "/topic/b");
    again = next(&set, "/topic/a");
    assert_int_equal(again.number, 1);
    assert_false(is_same_epoch(first, again));
    sequences_dispose(&set);
}

static void the_least_recently_numbered_is_forgotten(void **state)
{
    struct sequences set;

    (void)state;
    sequences_init(&set, 3, hash_key, 7, 3);
    (void)next(&set, "a");
    (void)next(&set, "b");
    (void)next(&set, "c");
    assert_int_equal(next(&set, "a").number, 2);
    (void)next(&set, "d"); /* instead of b */
    assert_int_equal(next(&set, "a").number, 3);
    assert_int_equal(next(&set, "c").number, 2);
    assert_int_equal(next(&set, "d").number, 2);
    assert_int_equal(next(&set, "b").number, 1); /* instead of a */
    assert_int_equal(next(&set, "a").number, 1);
    assert_int_equal(set.entries.n_nodes, 3);
    sequences_dispose(&set);
}

/** What a client checks: within an epoch each number is the one before plus one. */
static void within_an_epoch_no_number_is_left_out_whatever_is_forgotten(void **state)
{
    enum { N = 30 };
    struct sequence_number last[N] = {{.number = 0}};
    struct sequences set;
    size_t n_epochs = 0;

    (void)state;
    sequences_init(&set, 8, hash_key, 7, 3);
    for (size_t i = 0; i < 20000; i++) {
        size_t k = (i * i / 7 + i / 100) % N;
        char name[16];
        struct sequence_number number;

        (void)snprintf(name, sizeof(name), "/topic/%zu", k);
        number = next(&set, name);
        if (is_same_epoch(number, last[k])) {
            assert_int_equal(number.number, last[k].number + 1);
        } else {
            assert_int_equal(number.number, 1);
            n_epochs++;
        }
        last[k] = number;
    }
    assert_int_equal(n_epochs, set.n_epochs);
    assert_true(n_epochs > N && n_epochs < 20000);
    sequences_dispose(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_count_up_from_one_for_each_destination),
        cmocka_unit_test(no_two_starts_or_workers_share_an_epoch),
        cmocka_unit_test(the_longest_epoch_has_room),
        cmocka_unit_test(a_destination_that_was_forgotten_begins_a_new_epoch_at_one),
        cmocka_unit_test(the_least_recently_numbered_is_forgotten),
        cmocka_unit_test(within_an_epoch_no_number_is_left_out_whatever_is_forgotten),
    };

    return cmocka_run_group_tests_name("gateway/router/sequence", tests, NULL, NULL);
}
