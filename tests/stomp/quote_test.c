#include "tests/test.h"
#include "stomp/quote.h"

static void a_text_is_cut_and_made_printable(void **state)
{
    static const struct {
        struct slice text;
        const char *quoted; /* of at most 4 bytes */
    } rows[] = {
        {SLICE(""), ""},
        {SLICE("abcd"), "abcd"},
        {SLICE("abcde"), "abcd..."},
        {SLICE("a\0\n\x7f"), "a???"},
        {SLICE("\xea\xb0\x80"), "\xea\xb0\x80"},
        {SLICE("ab\xea\xb0\x80"), "ab..."},
        {SLICE("a\xf0\x9f\x98\x80"), "a..."},
        {SLICE("\xc3\xa4\xc3\xa4\xc3\xa4"), "\xc3\xa4\xc3\xa4..."},
        {SLICE("a\xff"), "a?"},
        {SLICE("\x80\x80\x80\x80\x80\x80"), "?..."},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char out[4 + 4];

        assert_ptr_equal(stomp_quote(rows[i].text, 4, out), out);
        assert_string_equal(out, rows[i].quoted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_cut_and_made_printable),
    };

    return cmocka_run_group_tests_name("stomp/quote", tests, NULL, NULL);
}
