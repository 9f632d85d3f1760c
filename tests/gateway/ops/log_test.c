#include "tests/test.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include "gateway/ops/log.h"

/* What one log_write gives. Static: it is compared after the call. */
static struct slice written(enum log_level level, enum log_level threshold, bool json,
                            const struct log_field *fields, size_t n_fields)
{
    static char text[64 * 1024];
    struct log log;
    int fds[2];
    ssize_t n;

    assert_int_equal(pipe(fds), 0);
    log_init(&log, fds[1], threshold, json);
    log_write(&log, level, "test.event", fields, n_fields);
    close(fds[1]);
    n = read(fds[0], text, sizeof(text));
    assert_true(n >= 0);
    close(fds[0]);
    return slice_of(text, (size_t)n);
}

/* Without the time, which stands first and is different each time. */
static void assert_line(bool json, struct log_field field, const char *expected)
{
    struct slice line = written(LOG_LEVEL_INFO, LOG_LEVEL_DEBUG, json, &field, 1);
    struct slice rest = slice_skip(line, json ? strlen("{\"time\":\"2026-01-01T00:00:00.000Z\"")
                                              : strlen("2026-01-01T00:00:00.000Z"));

    if (!slice_eq(rest, slice_str(expected)))
        fail_msg("got \"%.*s\", expected \"%s\"", SLICE_FMT(rest), expected);
}

static void values_are_told_apart_in_text(void **state)
{
    const struct {
        struct slice value;
        const char *shown;
    } cases[] = {
        {SLICE("plain/value-1:2"), "plain/value-1:2"},
        {SLICE(""), "\"\""},
        {SLICE("two words"), "\"two words\""},
        {SLICE("k=v"), "\"k=v\""},
        {SLICE("say \"hi\" \\"), "\"say \\\"hi\\\" \\\\\""},
        {SLICE("a\r\n\tb"), "\"a\\r\\n\\tb\""},
        {SLICE("\0\x1b[31m\x7f"), "\"\\x00\\x1b[31m\\x7f\""},
        {SLICE("\xec\x84\x9c\xeb\xb2\x84"), "\"\xec\x84\x9c\xeb\xb2\x84\""},
        {SLICE("\xc2\x9b"), "\"\\x9b\""}, /* CSI, as a terminal knows it */
        {SLICE("\xff\xc3"), "\"\\xff\\xc3\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char expected[256];

        (void)snprintf(expected, sizeof(expected), " info  test.event key=%s\n", cases[i].shown);
        assert_line(false, log_str("key", cases[i].value), expected);
    }
}

static void json_lines_are_json(void **state)
{
    const struct {
        struct slice value;
        const char *shown;
    } cases[] = {
        {SLICE("plain"), "\"plain\""},
        {SLICE(""), "\"\""},
        {SLICE("\"\\\n\r\t\x01"), "\"\\\"\\\\\\n\\r\\t\\u0001\""},
        {SLICE("\xec\x84\x9c"), "\"\xec\x84\x9c\""},
        {SLICE("a\xff"), "\"a\\ufffd\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char expected[256];

        (void)snprintf(expected, sizeof(expected),
                       ",\"level\":\"info\",\"event\":\"test.event\",\"key\":%s}\n",
                       cases[i].shown);
        assert_line(true, log_str("key", cases[i].value), expected);
    }
}

static void numbers_and_claims_stand_bare(void **state)
{
    (void)state;
    assert_line(false, log_u64("n", UINT64_MAX), " info  test.event n=18446744073709551615\n");
    assert_line(false, log_i64("n", INT64_MIN), " info  test.event n=-9223372036854775808\n");
    assert_line(true, log_bool("is", true),
                ",\"level\":\"info\",\"event\":\"test.event\",\"is\":true}\n");
    assert_line(true, log_bool("is", false),
                ",\"level\":\"info\",\"event\":\"test.event\",\"is\":false}\n");
}

static void a_long_value_is_cut_between_characters(void **state)
{
    char value[2000], expected[2000];

    (void)state;
    value[0] = 'x'; /* so that 512 bytes end inside a character */
    for (size_t i = 1; i + 1 < sizeof(value); i += 2)
        memcpy(value + i, "\xc3\xa9", 2);
    (void)snprintf(expected, sizeof(expected), " info  test.event key=\"%.511s...\"\n", value);
    assert_line(false, log_str("key", slice_of(value, 1001)), expected);
}

static void a_quiet_event_is_not_written(void **state)
{
    (void)state;
    assert_int_equal(written(LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, false, NULL, 0).len, 0);
    assert_int_not_equal(written(LOG_LEVEL_INFO, LOG_LEVEL_INFO, false, NULL, 0).len, 0);
}

static void fields_that_do_not_fit_are_left_out_whole(void **state)
{
    static char value[512];
    struct log_field fields[40];
    struct slice line;

    (void)state;
    memset(value, 1, sizeof(value));
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        fields[i] = log_str("key", slice_of(value, sizeof(value)));
    line = written(LOG_LEVEL_INFO, LOG_LEVEL_INFO, true, fields, 40);
    assert_true(line.len > 20000 && line.len < 40000);
    assert_true(slice_ends_with(line, (struct slice)SLICE("\\u0001\"}\n")));
}

static void errno_survives(void **state)
{
    (void)state;
    errno = EMFILE;
    (void)log_cstr("key", "value");
    log_write(&(struct log){.fd = -1}, LOG_LEVEL_ERROR, "test.event", NULL, 0);
    assert_int_equal(errno, EMFILE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_told_apart_in_text),
        cmocka_unit_test(json_lines_are_json),
        cmocka_unit_test(numbers_and_claims_stand_bare),
        cmocka_unit_test(a_long_value_is_cut_between_characters),
        cmocka_unit_test(a_quiet_event_is_not_written),
        cmocka_unit_test(fields_that_do_not_fit_are_left_out_whole),
        cmocka_unit_test(errno_survives),
    };

    return cmocka_run_group_tests_name("gateway/ops/log", tests, NULL, NULL);
}
