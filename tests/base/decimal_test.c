#include "tests/test.h"
#include "base/decimal.h"

static void a_number_has_its_digits_and_nothing_behind_them(void **state)
{
    static const struct {
        uint64_t n;
        const char *digits;
    } rows[] = {
        {0, "0"},
        {9, "9"},
        {10, "10"},
        {1234567890, "1234567890"},
        {UINT64_MAX, "18446744073709551615"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char out[DECIMAL_MAX + 1];
        char *end;

        memset(out, '#', sizeof(out));
        end = decimal_write(rows[i].n, out);
        assert_int_equal(end - out, strlen(rows[i].digits));
        assert_memory_equal(out, rows[i].digits, strlen(rows[i].digits));
        assert_int_equal(*end, '#');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_has_its_digits_and_nothing_behind_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
