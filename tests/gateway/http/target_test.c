#include "tests/test.h"
#include "gateway/http/target.h"

static void targets_are_split(void **state)
{
    static const struct {
        struct slice target;
        struct slice path;
        struct slice query;
    } cases[] = {
        {SLICE("/"), SLICE("/"), SLICE("")},
        {SLICE("/ws?a=b?c"), SLICE("/ws"), SLICE("a=b?c")},
        {SLICE("/ws?"), SLICE("/ws"), SLICE("")},
        {SLICE("/ws#f?x"), SLICE("/ws"), SLICE("")},
        {SLICE("http://h:1/ws?a"), SLICE("/ws"), SLICE("a")},
        {SLICE("HTTPS://h?a"), SLICE("/"), SLICE("a")},
        {SLICE("http://h"), SLICE("/"), SLICE("")},
        {SLICE("*"), SLICE("*"), SLICE("")},
        {SLICE("ftp://h/ws"), SLICE("ftp://h/ws"), SLICE("")},
        {SLICE(""), SLICE("/"), SLICE("")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_target split = http_target_split(cases[i].target);

        if (!slice_eq(split.path, cases[i].path) || !slice_eq(split.query, cases[i].query))
            fail_msg("%.*s gave %.*s and %.*s", SLICE_FMT(cases[i].target), SLICE_FMT(split.path),
                     SLICE_FMT(split.query));
    }
}

static void percent_codes_are_two_digits(void **state)
{
    static const struct {
        struct slice coded;
        const char *decoded; /* NULL: refused */
    } cases[] = {
        {SLICE(""), ""},
        {SLICE("a+b"), "a+b"},
        {SLICE("%41%6a%6A"), "Ajj"},
        {SLICE("%2F%25"), "/%"},
        {SLICE("%"), NULL},
        {SLICE("a%4"), NULL},
        {SLICE("%g0"), NULL},
        {SLICE("%0g"), NULL},
        {SLICE("%%41"), NULL},
        {SLICE("12345678"), "12345678"},
        {SLICE("123456789"), NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf out;
        bool is_fine;

        buf_init(&out, 8);
        is_fine = http_percent_decode(cases[i].coded, &out);
        if (is_fine != (cases[i].decoded != NULL) ||
            (is_fine && !slice_eq(buf_slice(&out), slice_str(cases[i].decoded))))
            fail_msg("%.*s gave %.*s", SLICE_FMT(cases[i].coded), SLICE_FMT(buf_slice(&out)));
        buf_dispose(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_split),
        cmocka_unit_test(percent_codes_are_two_digits),
    };

    return cmocka_run_group_tests_name("gateway/http/target", tests, NULL, NULL);
}
