#include "tests/test.h"
#include "base/mem.h"
#include "gateway/bench/sublist.h"

static void one_is_found_by_its_whole_id_until_it_is_removed(void **state)
{
    struct sublist list = {0};

    (void)state;
    assert_null(sublist_find(&list, (struct slice)SLICE("sub-1")));
    for (size_t i = 0; i < 12; i++)
        (void)sublist_add(&list, mem_printf("/topic/%zu", i), mem_printf("sub-%zu", i), 100 + i);
    assert_int_equal(sublist_find(&list, (struct slice)SLICE("sub-1"))->topic, 101);
    assert_int_equal(sublist_find(&list, (struct slice)SLICE("sub-11"))->topic, 111);
    assert_null(sublist_find(&list, (struct slice)SLICE("sub-")));
    sublist_remove(&list, sublist_find(&list, (struct slice)SLICE("sub-1")));
    assert_null(sublist_find(&list, (struct slice)SLICE("sub-1")));
    assert_int_equal(list.n_items, 11);
    for (size_t i = 2; i < 12; i++)
        assert_int_equal(list.items[i - 1].topic, 100 + i);
    sublist_remove(&list, &list.items[10]);
    assert_int_equal(list.n_items, 10);
    sublist_dispose(&list);
    assert_int_equal(list.n_items, 0);
}

static void each_state_is_counted(void **state)
{
    struct sublist list = {0};

    (void)state;
    for (size_t i = 0; i < 5; i++)
        (void)sublist_add(&list, mem_strdup("/topic/a"), mem_printf("sub-%zu", i), 0);
    assert_int_equal(sublist_count(&list, SUBSCRIPTION_ASKED), 5);
    list.items[1].state = SUBSCRIPTION_THERE;
    list.items[2].state = SUBSCRIPTION_THERE;
    list.items[4].state = SUBSCRIPTION_LEAVING;
    assert_int_equal(sublist_count(&list, SUBSCRIPTION_ASKED), 2);
    assert_int_equal(sublist_count(&list, SUBSCRIPTION_THERE), 2);
    assert_int_equal(sublist_count(&list, SUBSCRIPTION_LEAVING), 1);
    sublist_dispose(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_is_found_by_its_whole_id_until_it_is_removed),
        cmocka_unit_test(each_state_is_counted),
    };

    return cmocka_run_group_tests_name("bench/sublist", tests, NULL, NULL);
}
