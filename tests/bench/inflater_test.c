#include "tests/test.h"
#include "gateway/bench/inflater.h"

/* The examples of RFC 7692, section 7.2.3. */

static struct slice inflate_all(struct inflater *inflater, struct slice payload)
{
    static char out[100];
    struct slice message = {NULL, 0};

    assert_int_equal(inflater_run(inflater, payload, out, sizeof(out), &message), LOAD_OK);
    return message;
}

static void a_block_of_each_kind_is_read(void **state)
{
    static const struct slice fixed = SLICE("\xf2\x48\xcd\xc9\xc9\x07\x00"),
                              stored = SLICE("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"),
                              last = SLICE("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"),
                              two = SLICE("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00");
    const struct slice rows[] = {fixed, stored, last, two, fixed};
    struct inflater *inflater = inflater_new(15, false);

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_slice(inflate_all(inflater, rows[i]), "Hello");
    assert_slice(inflate_all(inflater, (struct slice)SLICE("\x00")), "");
    inflater_free(inflater);
}

static void a_message_refers_to_those_before_it_only_with_a_context(void **state)
{
    static const struct slice first = SLICE("\xf2\x48\xcd\xc9\xc9\x07\x00"),
                              second = SLICE("\xf2\x00\x11\x00\x00");
    struct inflater *inflater = inflater_new(15, true);
    struct slice message;
    char out[100];

    (void)state;
    assert_slice(inflate_all(inflater, first), "Hello");
    assert_slice(inflate_all(inflater, second), "Hello");
    inflater_free(inflater);
    inflater = inflater_new(15, false);
    assert_slice(inflate_all(inflater, first), "Hello");
    assert_int_equal(inflater_run(inflater, second, out, sizeof(out), &message),
                     LOAD_ERR_WS_DEFLATE);
    assert_slice(inflate_all(inflater, first), "Hello");
    inflater_free(inflater);
}

static void what_is_no_whole_message_is_refused(void **state)
{
    const struct slice bad[] = {
        SLICE(""),
        SLICE("\xff"),                             /* a block of no kind */
        SLICE("\xf2\x48\xcd\xc9\xc9"),             /* cut */
        SLICE("\xf2\x48\xcd\xc9\xc9\x07"),         /* without the empty block's beginning */
        SLICE("\xf3\x48\xcd\xc9\xc9\x07\x00"),     /* nothing behind the last block */
        SLICE("\xf2\x48\xcd\xc9\xc9\x07\x00\x01"), /* another block begins */
        SLICE("\x00\x05\x00\xfa\xfe\x48\x65\x6c\x6c\x6f\x00"),
    };
    struct inflater *inflater = inflater_new(15, false);

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct slice message;
        char out[100];

        assert_int_equal(inflater_run(inflater, bad[i], out, sizeof(out), &message),
                         LOAD_ERR_WS_DEFLATE);
    }
    inflater_free(inflater);
}

static void a_message_has_its_most(void **state)
{
    static const struct slice hello = SLICE("\xf2\x48\xcd\xc9\xc9\x07\x00");
    struct inflater *inflater = inflater_new(8, false);
    struct slice message;
    char out[6];

    (void)state;
    assert_int_equal(inflater_run(inflater, hello, out, 5, &message), LOAD_ERR_WS_TOO_LARGE);
    assert_int_equal(inflater_run(inflater, hello, out, 6, &message), LOAD_OK);
    assert_slice(message, "Hello");
    inflater_free(inflater);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_of_each_kind_is_read),
        cmocka_unit_test(a_message_refers_to_those_before_it_only_with_a_context),
        cmocka_unit_test(what_is_no_whole_message_is_refused),
        cmocka_unit_test(a_message_has_its_most),
    };

    return cmocka_run_group_tests_name("bench/inflater", tests, NULL, NULL);
}
