#include "tests/test.h"
#include <stdio.h>
#include "base/table.h"

struct entry {
    int value;
    struct table_node node;
    char name[16];
};

static void finds_what_is_in_it_and_nothing_else(void **state)
{
    enum { N = 5000 };
    static struct entry entries[N];
    struct table t;
    size_t n_seen = 0;

    (void)state;
    table_init(&t, (struct siphash_key){11, 22});
    assert_null(table_find(&t, (struct slice)SLICE("k1")));
    for (int i = 0; i < N; i++) {
        entries[i].value = i;
        snprintf(entries[i].name, sizeof(entries[i].name), "k%d", i);
        entries[i].node.key = slice_str(entries[i].name);
        table_insert(&t, &entries[i].node);
    }
    assert_int_equal(t.n_nodes, N);
    for (int i = 0; i < N; i += 2)
        table_remove(&t, &entries[i].node);
    for (int i = 0; i < N; i++) {
        struct entry *found =
            TABLE_ENTRY(table_find(&t, slice_str(entries[i].name)), struct entry, node);

        assert_ptr_equal(found, i % 2 == 0 ? NULL : &entries[i]);
    }
    for (struct table_node *node = table_next(&t, NULL); node != NULL; node = table_next(&t, node))
        n_seen++;
    assert_int_equal(n_seen, N / 2);
    table_dispose(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_is_in_it_and_nothing_else),
    };

    return cmocka_run_group_tests_name("base/table", tests, NULL, NULL);
}
