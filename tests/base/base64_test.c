#include "tests/test.h"
#include "base/base64.h"

/* RFC 4648, section 10. */
static void agrees_with_the_rfc(void **state)
{
    const struct {
        struct slice plain, standard, url;
    } rows[] = {
        {SLICE(""), SLICE(""), SLICE("")},
        {SLICE("f"), SLICE("Zg=="), SLICE("Zg")},
        {SLICE("fo"), SLICE("Zm8="), SLICE("Zm8")},
        {SLICE("foo"), SLICE("Zm9v"), SLICE("Zm9v")},
        {SLICE("foob"), SLICE("Zm9vYg=="), SLICE("Zm9vYg")},
        {SLICE("fooba"), SLICE("Zm9vYmE="), SLICE("Zm9vYmE")},
        {SLICE("\xfb\xff\xfe"), SLICE("+//+"), SLICE("-__-")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (int a = 0; a < 2; a++) {
            struct slice text = a == BASE64_STANDARD ? rows[i].standard : rows[i].url;
            char out[16];
            size_t len;

            assert_int_equal(base64_encoded_len((enum base64_alphabet)a, rows[i].plain.len),
                             text.len);
            base64_encode((enum base64_alphabet)a, rows[i].plain, out);
            assert_true(slice_eq(slice_of(out, text.len), text));
            assert_true(base64_decode((enum base64_alphabet)a, text, out, &len));
            assert_true(slice_eq(slice_of(out, len), rows[i].plain));
        }
    }
}

static void refuses_what_is_not_canonical(void **state)
{
    const struct slice bad_url[] = {SLICE("Zg=="), SLICE("Zh"),   SLICE("Zm9"),   SLICE("Z"),
                                    SLICE("Zm 8"), SLICE("+//+"), SLICE("Zm9v\n")};
    const struct slice bad_standard[] = {SLICE("Zg"),       SLICE("Zg="),  SLICE("Zh=="),
                                         SLICE("Z==="),     SLICE("===="), SLICE("-__-"),
                                         SLICE("Zg==Zg=="), SLICE("Zm9=")};
    char out[16];
    size_t len = 99;

    (void)state;
    for (size_t i = 0; i < sizeof(bad_url) / sizeof(bad_url[0]); i++)
        assert_false(base64_decode(BASE64_URL, bad_url[i], out, &len));
    for (size_t i = 0; i < sizeof(bad_standard) / sizeof(bad_standard[0]); i++)
        assert_false(base64_decode(BASE64_STANDARD, bad_standard[i], out, &len));
    assert_int_equal(len, 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_rfc),
        cmocka_unit_test(refuses_what_is_not_canonical),
    };

    return cmocka_run_group_tests_name("base/base64", tests, NULL, NULL);
}
