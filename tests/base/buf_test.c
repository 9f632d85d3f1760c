#include "tests/test.h"
#include "base/buf.h"

static void nothing_passes_the_ceiling(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 10);
    assert_true(buf_append(&b, (struct slice)SLICE("0123456")));
    assert_false(buf_append(&b, (struct slice)SLICE("789x")));
    assert_slice(buf_slice(&b), "0123456");
    assert_true(buf_append(&b, (struct slice)SLICE("789")));
    assert_null(buf_reserve(&b, 1));
    assert_int_equal(b.cap, 10);
    buf_dispose(&b);
    assert_null(b.base);
    assert_int_equal(b.max, 10);
}

static void consume_keeps_the_rest(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    assert_true(buf_append(&b, (struct slice)SLICE("abcdef")));
    buf_consume(&b, 4);
    assert_slice(buf_slice(&b), "ef");
    buf_consume(&b, 2);
    assert_int_equal(b.len, 0);
    buf_dispose(&b);
}

static void printf_appends_and_respects_the_ceiling(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 8);
    assert_true(buf_printf(&b, "%d-%s", 12, "ab"));
    assert_slice(buf_slice(&b), "12-ab");
    assert_false(buf_printf(&b, "%s", "cdef"));
    assert_slice(buf_slice(&b), "12-ab");
    buf_dispose(&b);
}

static void growth_keeps_the_bytes(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100000);
    for (size_t i = 0; i < 50000; i++) {
        char byte = (char)(i * 31);

        assert_true(buf_append(&b, slice_of(&byte, 1)));
    }
    for (size_t i = 0; i < 50000; i++)
        assert_int_equal(b.base[i], (char)(i * 31));
    buf_dispose(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_passes_the_ceiling),
        cmocka_unit_test(consume_keeps_the_rest),
        cmocka_unit_test(printf_appends_and_respects_the_ceiling),
        cmocka_unit_test(growth_keeps_the_bytes),
    };

    return cmocka_run_group_tests_name("base/buf", tests, NULL, NULL);
}
