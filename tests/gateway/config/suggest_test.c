#include "tests/test.h"
#include "gateway/config/suggest.h"

static void distance_counts_edits_and_swaps(void **state)
{
    const struct {
        const char *a, *b;
        size_t distance;
    } rows[] = {
        {"", "", 0},          {"a", "", 1},        {"path", "path", 0},   {"path", "pth", 1},
        {"path", "patth", 1}, {"path", "paht", 1}, {"level", "lvele", 2}, {"kitten", "sitting", 3},
        {"abc", "xyz", 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(suggest_distance(slice_str(rows[i].a), slice_str(rows[i].b)),
                         rows[i].distance);
        assert_int_equal(suggest_distance(slice_str(rows[i].b), slice_str(rows[i].a)),
                         rows[i].distance);
    }
}

static void very_long_texts_are_cut(void **state)
{
    char text[1000];

    (void)state;
    memset(text, 'x', sizeof(text));
    assert_int_equal(suggest_distance(slice_of(text, sizeof(text)), slice_str("")), 127);
}

static void the_nearest_wins_and_far_ones_do_not_count(void **state)
{
    struct suggest s = suggest_for(slice_str("heartbaet"));

    (void)state;
    suggest_offer(&s, slice_str("workers"));
    assert_string_equal(s.best, "");
    suggest_offer(&s, slice_str("heartbeats"));
    suggest_offer(&s, slice_str("heartbeat"));
    suggest_offer(&s, slice_str("heartbeaten"));
    assert_string_equal(s.best, "heartbeat");
}

static void case_and_separators_do_not_count(void **state)
{
    struct suggest s = suggest_for(slice_str("messageSizeLimit"));

    (void)state;
    suggest_offer(&s, slice_str("message_size_limit"));
    assert_string_equal(s.best, "message_size_limit");
    assert_int_equal(s.distance, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distance_counts_edits_and_swaps),
        cmocka_unit_test(very_long_texts_are_cut),
        cmocka_unit_test(the_nearest_wins_and_far_ones_do_not_count),
        cmocka_unit_test(case_and_separators_do_not_count),
    };

    return cmocka_run_group_tests_name("gateway/config/suggest", tests, NULL, NULL);
}
