#include "tests/gateway/config/loading.h"

static void shown_text_is_safe_on_a_terminal(void **state)
{
    const struct {
        struct slice text;
        const char *shown;
    } rows[] = {
        {SLICE(""), "\"\""},
        {SLICE("a b"), "\"a b\""},
        {SLICE("\x1b[31m"), "\"\\x1b[31m\""},
        {SLICE("응답"), "\"응답\""},
        {SLICE("\xc2\x9b"), "\"\\xc2\\x9b\""},
        {SLICE("\xff\xec\x9d"), "\"\\xff\\xec\\x9d\""},
        {SLICE("a\0b"), "\"a\\x00b\""},
    };
    char text[500];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(config_show(rows[i].text).text, rows[i].shown);
    memset(text, 'x', sizeof(text));
    assert_true(strlen(config_show(slice_of(text, sizeof(text))).text) < 100);
    memset(text, '\x01', sizeof(text));
    assert_true(strlen(config_show(slice_of(text, sizeof(text))).text) < 100);
}

static void errors_come_by_place_and_have_a_bound(void **state)
{
    const struct config_origin file = {CONFIG_ORIGIN_FILE, SLICE("f"), 2, 1};
    const struct config_origin earlier = {CONFIG_ORIGIN_FILE, SLICE("f"), 1, 9};
    const struct config_origin variable = {CONFIG_ORIGIN_ENVIRONMENT, SLICE("V\x1b"), 0, 0};
    const struct config_origin flag = {CONFIG_ORIGIN_FLAG, SLICE("--set"), 0, 0};
    struct config_errors errors;

    (void)state;
    config_errors_init(&errors);
    config_errors_add(&errors, flag, slice_str("a"), "1");
    config_errors_add(&errors, variable, slice_str("a"), "2");
    config_errors_add(&errors, file, slice_str("a"), "3");
    config_errors_add(&errors, file, slice_str("a"), "4");
    config_errors_add(&errors, earlier, slice_str("a"), "5");
    config_errors_sort(&errors);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(errors.items[i].text, &"5\0003\0004\0002\0001"[2 * i]);
    assert_string_equal(errors.items[3].where, "V?");
    for (size_t i = 0; i < 200; i++)
        config_errors_add(&errors, file, slice_str("a"), "more");
    assert_int_equal(errors.n, CONFIG_ERRORS_MAX);
    assert_int_equal(errors.total, 205);
    config_errors_dispose(&errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shown_text_is_safe_on_a_terminal),
        cmocka_unit_test(errors_come_by_place_and_have_a_bound),
    };

    return cmocka_run_group_tests_name("gateway/config/errors", tests, NULL, NULL);
}
