#include "tests/test.h"
#include "stomp/charset.h"
#include "stomp/mime.h"

/* Each row as Spring 7 answers it. */
static void types_are_printed_in_springs_form(void **state)
{
    static const struct {
        struct slice value;
        const char *printed;
    } rows[] = {
        {SLICE("application/json"), "application/json"},
        {SLICE("a/b; c=d"), "a/b;c=d"},
        {SLICE("TEXT/Plain;charset=UTF-8"), "text/plain;charset=UTF-8"},
        {SLICE("TEXT/Plain ; Charset=Utf-8;charset=utf-8"), "text/plain;charset=utf-8"},
        {SLICE(" a/b "), "a/b"},
        {SLICE("\x01"
               "a/b\r\n"),
         "a/b"},
        {SLICE("*"), "*/*"},
        {SLICE("*/*;q=.2"), "*/*;q=.2"},
        {SLICE("application/*+json"), "application/*+json"},
        {SLICE("multipart/x;c=d"), "multipart/x;c=d"},
        {SLICE("a/b;c"), "a/b"},
        {SLICE("a/b;"), "a/b"},
        {SLICE("a/b;;c=d;"), "a/b;c=d"},
        {SLICE("a/b;c=d;c"), "a/b;c=d"},
        {SLICE("a/b;c= d ;e =f"), "a/b;c=d;e=f"},
        {SLICE("a/b;c=\"x;y\";d='z'"), "a/b;c=\"x;y\";d='z'"},
        {SLICE("a/b;c=\"a\\\"b\""), "a/b;c=\"a\\\"b\""},
        {SLICE("a/b;c=\"a\\\";b\""), "a/b;c=\"a\\\";b\""},
        {SLICE("a/b; c=\"d\" "), "a/b;c=\"d\""},
        {SLICE("a/b;c='"), "a/b;c='"},
        {SLICE("a/b;c=1;C=2;d=3;c=4"), "a/b;C=2;d=3"},
        {SLICE("a/b;c=1;C=2;d=3"), "a/b;C=2;d=3"},
        {SLICE("a/b;charset=\"UTF-8\""), "a/b;charset=\"UTF-8\""},
        {SLICE("a/b;charset='utf-16'"), "a/b;charset='utf-16'"},
        {SLICE("a/b;charset=U;charset=latin1"), "a/b;charset=latin1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *reason = NULL;
        struct buf printed;

        buf_init(&printed, 100);
        assert_true(buf_append(&printed, (struct slice)SLICE("+")));
        assert_int_equal(stomp_mime_parse(rows[i].value, &printed, &reason), STOMP_OK);
        assert_null(reason);
        assert_true(printed.len != 0 && printed.base[0] == '+');
        if (!slice_eq(slice_skip(buf_slice(&printed), 1), slice_str(rows[i].printed)))
            fail_msg("\"%.*s\" gives \"%.*s\"", SLICE_FMT(rows[i].value),
                     SLICE_FMT(buf_slice(&printed)));
        assert_int_equal(stomp_mime_parse(rows[i].value, NULL, NULL), STOMP_OK);
        buf_dispose(&printed);
    }
}

static void what_is_wrong_is_said_in_springs_words(void **state)
{
    static const struct {
        struct slice value;
        const char *words;
        const char *reason;
    } rows[] = {
        {SLICE(""), "'mimeType' must not be empty", NULL},
        {SLICE(";"), "'mimeType' must not be empty", NULL},
        {SLICE(" "), "'mimeType' must not be empty", NULL},
        {SLICE("text"), "does not contain '/'", NULL},
        {SLICE("text/"), "does not contain subtype after '/'", NULL},
        {SLICE("/x"), "'type' must not be empty", NULL},
        {SLICE("*/x"), "wildcard type is legal only in '*/*' (all mime types)", NULL},
        {SLICE("a/b;=x"), "'parameter' must not be empty", NULL},
        {SLICE("a/b;x="), "'value' must not be empty", NULL},
        {SLICE("text/plain;charset=U"), "unsupported charset 'U'", "unsupported charset"},
        {SLICE("a/b;charset=utf-8;Charset=U"), "unsupported charset 'U'", "unsupported charset"},
        {SLICE("a/b;charset=-x"), "-x", "illegal charset name"},
        {SLICE("a/b;charset=\"\""), "", "illegal charset name"},
        {SLICE("a/b;c=d e"), "Invalid token character ' ' in token \"d e\"",
         "Invalid token character"},
        {SLICE("a b/c"), "Invalid token character ' ' in token \"a b\"", "Invalid token character"},
        {SLICE("a/b/c"), "Invalid token character '/' in token \"b/c\"", "Invalid token character"},
        {SLICE("a/b\xc3\xa9"), "Invalid token character '\xc3\xa9' in token \"b\xc3\xa9\"",
         "Invalid token character"},
        {SLICE("a/b;c=\"x"), "Invalid token character '\"' in token \"\"x\"",
         "Invalid token character"},
        {SLICE("a/b;c=="), "Invalid token character '=' in token \"=\"", "Invalid token character"},
        {SLICE("a/b;charset=A;c=,"), "Invalid token character ',' in token \",\"",
         "Invalid token character"},
        {SLICE("a/b\x7f"), "Invalid token character '?' in token \"b?\"",
         "Invalid token character"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[128];
        const char *reason = NULL;
        struct buf printed;

        buf_init(&printed, 100);
        assert_int_equal(stomp_mime_parse(rows[i].value, &printed, &reason),
                         STOMP_ERR_CONTENT_TYPE);
        assert_int_equal(printed.len, 0);
        assert_string_equal(reason, rows[i].reason != NULL ? rows[i].reason : rows[i].words);
        stomp_mime_explain(rows[i].value, text, sizeof(text));
        assert_string_equal(text, rows[i].words);
        buf_dispose(&printed);
    }
}

static void the_words_fit_whatever_the_value(void **state)
{
    char value[4000], text[128];

    (void)state;
    memset(value, '(', sizeof(value));
    memcpy(value, "a/b;c=", 6);
    stomp_mime_explain(slice_of(value, sizeof(value)), text, sizeof(text));
    assert_true(strlen(text) < sizeof(text) - 1);
    assert_string_equal(text + strlen(text) - 5, "(...\"");
    memset(value, 'x', sizeof(value));
    memcpy(value, "a/b;charset=", 12);
    stomp_mime_explain(slice_of(value, sizeof(value)), text, sizeof(text));
    assert_string_equal(text + strlen(text) - 5, "x...'");
}

static void parameters_are_bounded(void **state)
{
    char value[200];
    size_t len = 3;
    const char *reason = NULL;

    (void)state;
    memcpy(value, "a/b", 3);
    for (int i = 0; i < 33; i++) {
        if (i == 32)
            assert_int_equal(stomp_mime_parse(slice_of(value, len), NULL, NULL), STOMP_OK);
        value[len++] = ';';
        value[len++] = (char)('a' + i / 16);
        value[len++] = (char)('a' + i % 16);
        value[len++] = '=';
        value[len++] = 'x';
    }
    assert_int_equal(stomp_mime_parse(slice_of(value, len), NULL, &reason), STOMP_ERR_CONTENT_TYPE);
    assert_string_equal(reason, "too many parameters");
}

static void a_print_that_does_not_fit_is_an_error(void **state)
{
    struct buf printed;

    (void)state;
    buf_init(&printed, 2);
    assert_int_equal(stomp_mime_parse((struct slice)SLICE("a/b"), &printed, NULL),
                     STOMP_ERR_CONTENT_TYPE);
    assert_int_equal(printed.len, 0);
    buf_dispose(&printed);
}

static void binary_is_what_octet_stream_is_compatible_with(void **state)
{
    static const struct {
        struct slice value;
        bool is_binary;
    } rows[] = {
        {SLICE("application/octet-stream"), true},
        {SLICE("Application/Octet-Stream ; a=b"), true},
        {SLICE("application/*"), true},
        {SLICE("*/*;q=1"), true},
        {SLICE("*"), true},
        {SLICE(""), false},
        {SLICE("text/plain"), false},
        {SLICE("application/json"), false},
        {SLICE("application/*+octet-stream"), true},
        {SLICE("application/*+json"), false},
        {SLICE("application"), false},
        {SLICE("text/plain;a=application/octet-stream"), false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(stomp_mime_is_binary(rows[i].value), rows[i].is_binary);
}

static void charsets_are_known_whatever_their_case(void **state)
{
    /* the first and the last of the table, the longest, and those that are in use */
    const struct slice known[] = {SLICE("037"),
                                  SLICE("utf-8"),
                                  SLICE("UTF8"),
                                  SLICE("ISO-8859-1"),
                                  SLICE("euc-kr"),
                                  SLICE("MS949"),
                                  SLICE("Shift_JIS"),
                                  SLICE("US-ASCII"),
                                  SLICE("x-windows-949"),
                                  SLICE("windows-1252"),
                                  SLICE("gb18030"),
                                  SLICE("x0212"),
                                  SLICE("Extended_UNIX_Code_Packed_Format_for_Japanese")};
    const struct slice unknown[] = {SLICE(""),      SLICE("U"),       SLICE("utf-9"),
                                    SLICE("utf 8"), SLICE("x-utf-8"), SLICE("zzzzzzz")};
    char too_long[100];

    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (!stomp_charset_is_known(known[i]) || !stomp_charset_is_legal(known[i]))
            fail_msg("%.*s", SLICE_FMT(known[i]));
    }
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
        assert_false(stomp_charset_is_known(unknown[i]));
    memset(too_long, 'u', sizeof(too_long));
    assert_false(stomp_charset_is_known(slice_of(too_long, sizeof(too_long))));
    assert_false(stomp_charset_is_legal((struct slice)SLICE("-a")));
    assert_true(stomp_charset_is_legal((struct slice)SLICE("a-+.:_9")));
    assert_false(stomp_charset_is_legal((struct slice)SLICE("a/b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_are_printed_in_springs_form),
        cmocka_unit_test(what_is_wrong_is_said_in_springs_words),
        cmocka_unit_test(the_words_fit_whatever_the_value),
        cmocka_unit_test(parameters_are_bounded),
        cmocka_unit_test(a_print_that_does_not_fit_is_an_error),
        cmocka_unit_test(binary_is_what_octet_stream_is_compatible_with),
        cmocka_unit_test(charsets_are_known_whatever_their_case),
    };

    return cmocka_run_group_tests_name("stomp/mime", tests, NULL, NULL);
}
