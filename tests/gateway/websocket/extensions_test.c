#include "tests/test.h"
#include "base/buf.h"
#include "gateway/websocket/extensions.h"

enum { MAX_LINES = 4 };

/* As text: "name; parameter=value; flag, name", or "error" behind what came before. */
static void transcribe(const struct slice *lines, size_t n_lines, struct buf *out)
{
    struct ws_extensions reading;
    struct ws_extension extension;
    enum ws_extensions_status status;

    ws_extensions_init(&reading, lines, n_lines);
    while ((status = ws_extensions_next(&reading, &extension)) == WS_EXTENSIONS_OK) {
        struct ws_extension_parameter parameter;

        assert_true(
            buf_printf(out, "%s%.*s", out->len == 0 ? "" : ", ", SLICE_FMT(extension.name)));
        while (ws_extension_parameter(&extension.parameters, &parameter)) {
            assert_true(buf_printf(out, "; %.*s", SLICE_FMT(parameter.name)));
            if (parameter.value.base != NULL)
                assert_true(buf_printf(out, "=%.*s", SLICE_FMT(parameter.value)));
        }
        assert_int_equal(extension.parameters.len, 0);
    }
    if (status == WS_EXTENSIONS_ERR_SYNTAX)
        assert_true(buf_printf(out, "%serror", out->len == 0 ? "" : ", "));
}

static void expect(const struct slice *lines, size_t n_lines, const char *expected)
{
    struct buf out;

    buf_init(&out, 4096);
    transcribe(lines, n_lines, &out);
    if (!slice_eq(buf_slice(&out), slice_str(expected)))
        fail_msg("%.*s: got \"%.*s\", expected \"%s\"", SLICE_FMT(lines[0]),
                 SLICE_FMT(buf_slice(&out)), expected);
    buf_dispose(&out);
}

static void a_line_is_a_list_of_extensions_with_parameters(void **state)
{
    const struct {
        struct slice line;
        const char *expected;
    } rows[] = {
        {SLICE("foo"), "foo"},
        {SLICE("permessage-deflate; client_max_window_bits"),
         "permessage-deflate; client_max_window_bits"},
        /* RFC 6455, section 9.1, and RFC 7692, sections 5.1 and 7 */
        {SLICE("bar; baz=2"), "bar; baz=2"},
        {SLICE("permessage-foo; use_y, permessage-foo"), "permessage-foo; use_y, permessage-foo"},
        {SLICE("permessage-foo; x=10"), "permessage-foo; x=10"},
        {SLICE("a;b;c=d;e"), "a; b; c=d; e"},
        {SLICE("a; b=c; b=d; b"), "a; b=c; b=d; b"},
        {SLICE("a, a, a"), "a, a, a"},
        {SLICE("!#$%&'*+-.^_`|~09azAZ"), "!#$%&'*+-.^_`|~09azAZ"},
        /* blanks anywhere between, and empty elements */
        {SLICE(" \ta\t ;\t b = c\t, d "), "a; b=c, d"},
        {SLICE("a;b =\t\"c\" ,d"), "a; b=c, d"},
        {SLICE(",a"), "a"},
        {SLICE("a,"), "a"},
        {SLICE(", ,a , ,, b,"), "a, b"},
        /* quoted values are tokens too */
        {SLICE("a; b=\"c\"; d"), "a; b=c; d"},
        {SLICE("a; b=\"10\", e"), "a; b=10, e"},
        {SLICE("a; b=\"1\\0\""), "a; b=10"},
        {SLICE("a; b=\"\\1\\0\"; c=\"\\d\""), "a; b=10; c=d"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        expect(&rows[i].line, 1, rows[i].expected);
}

static void what_is_not_of_the_grammar_is_an_error(void **state)
{
    const struct {
        struct slice line;
        const char *expected;
    } rows[] = {
        {SLICE(""), "error"},
        {SLICE("  "), "error"},
        {SLICE(",,"), "error"},
        {SLICE(";"), "error"},
        {SLICE("; a"), "error"},
        {SLICE("a;"), "error"},
        {SLICE("a; "), "error"},
        {SLICE("a;;b"), "error"},
        {SLICE("a;,b"), "error"},
        {SLICE("a b"), "a, error"},
        {SLICE("a; b c"), "a; b, error"},
        {SLICE("a; b=c d"), "a; b=c, error"},
        {SLICE("a=b"), "a, error"},
        {SLICE("\"a\""), "error"},
        {SLICE("a; \"b\""), "error"},
        {SLICE("a; =b"), "error"},
        {SLICE("a; b="), "error"},
        {SLICE("a; b=,c"), "error"},
        {SLICE("a; b=;c"), "error"},
        {SLICE("a; b==c"), "error"},
        {SLICE("a; b=c=d"), "a; b=c, error"},
        {SLICE("a, b; c=/"), "a, error"},
        {SLICE("a\r\n b"), "a, error"},
        {SLICE("a\0"), "a, error"},
        {SLICE("\xc3\xa4"), "error"},
        {SLICE("a\x7f"), "a, error"},
        {SLICE("a; b=\""), "error"},
        {SLICE("a; b=\"c"), "error"},
        {SLICE("a; b=\"c\\"), "error"},
        {SLICE("a; b=\"c\\\""), "error"},
        {SLICE("a; b=\"\""), "error"},
        {SLICE("a; b=\"c d\""), "error"},
        {SLICE("a; b=\" c\""), "error"},
        {SLICE("a; b=\"c,d\""), "error"},
        {SLICE("a; b=\"\\\"\""), "error"},
        {SLICE("a; b=\"\\\\\""), "error"},
        {SLICE("a; b=\"c\"d"), "a; b=c, error"},
        {SLICE("a; b=c\"d\""), "a; b=c, error"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        expect(&rows[i].line, 1, rows[i].expected);
}

static void several_lines_are_one_list(void **state)
{
    const struct {
        struct slice lines[MAX_LINES];
        size_t n;
        const char *expected;
    } rows[] = {
        {{SLICE("a"), SLICE("b; c=d"), SLICE("e")}, 3, "a, b; c=d, e"},
        {{SLICE("a, b"), SLICE("c")}, 2, "a, b, c"},
        {{SLICE(""), SLICE("a")}, 2, "a"},
        {{SLICE("a"), SLICE(" , ")}, 2, "a"},
        {{{NULL, 0}, SLICE("a")}, 2, "a"},
        {{SLICE(""), SLICE(""), SLICE(",")}, 3, "error"},
        /* but what is one extension stands in one line */
        {{SLICE("a"), SLICE("; b")}, 2, "a, error"},
        {{SLICE("a;"), SLICE("b")}, 2, "error"},
        {{SLICE("a; b=\"c"), SLICE("d\"")}, 2, "error"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        expect(rows[i].lines, rows[i].n, rows[i].expected);
}

static void no_line_is_no_extension(void **state)
{
    struct ws_extensions reading;
    struct ws_extension extension;

    (void)state;
    ws_extensions_init(&reading, NULL, 0);
    assert_int_equal(ws_extensions_next(&reading, &extension), WS_EXTENSIONS_END);
}

/* It would be known by no one; that it is cut must not make it something that is. */
static void a_long_value_that_is_escaped_is_its_beginning(void **state)
{
    char line[4 + 2 * WS_EXTENSION_VALUE_MAX + 8] = "a;b=\"\\";
    struct slice whole;
    struct ws_extensions reading;
    struct ws_extension extension;
    struct ws_extension_parameter parameter;

    (void)state;
    memset(line + 6, 'x', WS_EXTENSION_VALUE_MAX + 1);
    line[6 + WS_EXTENSION_VALUE_MAX + 1] = '"';
    whole = slice_str(line);
    ws_extensions_init(&reading, &whole, 1);
    assert_int_equal(ws_extensions_next(&reading, &extension), WS_EXTENSIONS_OK);
    assert_true(ws_extension_parameter(&extension.parameters, &parameter));
    assert_int_equal(parameter.value.len, WS_EXTENSION_VALUE_MAX);
    assert_false(ws_extension_parameter(&extension.parameters, &parameter));
    assert_int_equal(ws_extensions_next(&reading, &extension), WS_EXTENSIONS_END);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_a_list_of_extensions_with_parameters),
        cmocka_unit_test(what_is_not_of_the_grammar_is_an_error),
        cmocka_unit_test(several_lines_are_one_list),
        cmocka_unit_test(no_line_is_no_extension),
        cmocka_unit_test(a_long_value_that_is_escaped_is_its_beginning),
    };

    return cmocka_run_group_tests_name("gateway/websocket/extensions", tests, NULL, NULL);
}
