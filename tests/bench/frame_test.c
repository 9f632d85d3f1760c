#include "tests/test.h"
#include "base/mem.h"
#include "gateway/bench/frame.h"
#include "gateway/bench/mark.h"

static void reads_command_headers_and_body(void **state)
{
    struct frame frame;
    struct slice value = SLICE("unset");

    (void)state;
    assert_int_equal(
        frame_parse((struct slice)SLICE("MESSAGE\na:1\nb:\\c\\\\\na:2\n\nbody\0\n"), &frame),
        LOAD_OK);
    assert_slice(frame.command, "MESSAGE");
    assert_slice(frame.body, "body");
    assert_true(frame_header(&frame, (struct slice)SLICE("a"), &value));
    assert_slice(value, "1");
    assert_true(frame_header(&frame, (struct slice)SLICE("b"), &value));
    assert_slice(value, "\\c\\\\");
    assert_false(frame_header(&frame, (struct slice)SLICE("c"), &value));
    assert_int_equal(
        frame_parse((struct slice)SLICE("RECEIPT\r\nreceipt-id:1\r\n\r\n\0\r\n"), &frame), LOAD_OK);
    assert_true(frame_header(&frame, (struct slice)SLICE("receipt-id"), &value));
    assert_slice(value, "1");
    assert_int_equal(frame_parse((struct slice)SLICE("CONNECTED\nuser-name:a\\b:c\n\n\0"), &frame),
                     LOAD_OK);
    assert_int_equal(
        frame_parse((struct slice)SLICE("MESSAGE\ncontent-length:3\n\na\0b\0"), &frame), LOAD_OK);
    assert_int_equal(frame.body.len, 3);
}

static void refuses_what_is_not_one_frame(void **state)
{
    const struct {
        struct slice text;
        enum load_status status;
    } bad[] = {
        {SLICE(""), LOAD_ERR_STOMP_COMMAND},
        {SLICE("MESSAGE"), LOAD_ERR_STOMP_COMMAND},
        {SLICE("SEND\n\n\0"), LOAD_ERR_STOMP_COMMAND},
        {SLICE("message\n\n\0"), LOAD_ERR_STOMP_COMMAND},
        {SLICE("MESSAGE\nabc\n\n\0"), LOAD_ERR_STOMP_HEADER},
        {SLICE("MESSAGE\n:abc\n\n\0"), LOAD_ERR_STOMP_HEADER},
        {SLICE("MESSAGE\na:b:c\n\n\0"), LOAD_ERR_STOMP_HEADER},
        {SLICE("MESSAGE\na:b\rc\n\n\0"), LOAD_ERR_STOMP_HEADER},
        {SLICE("MESSAGE\na:b\\x\n\n\0"), LOAD_ERR_STOMP_ESCAPE},
        {SLICE("MESSAGE\na:b\\\n\n\0"), LOAD_ERR_STOMP_ESCAPE},
        {SLICE("MESSAGE\na:b"), LOAD_ERR_STOMP_END},
        {SLICE("MESSAGE\na:b\n"), LOAD_ERR_STOMP_END},
        {SLICE("MESSAGE\na:b\n\nbody"), LOAD_ERR_STOMP_END},
        {SLICE("MESSAGE\na:b\n\nbody\0x"), LOAD_ERR_STOMP_END},
        {SLICE("MESSAGE\n\na\0MESSAGE\n\nb\0"), LOAD_ERR_STOMP_END},
        {SLICE("MESSAGE\ncontent-length:3\n\nbody\0"), LOAD_ERR_STOMP_LENGTH},
        {SLICE("MESSAGE\ncontent-length:5\n\nbody\0"), LOAD_ERR_STOMP_LENGTH},
        {SLICE("MESSAGE\ncontent-length:9\n\nbody\0"), LOAD_ERR_STOMP_LENGTH},
        {SLICE("MESSAGE\ncontent-length:-1\n\nbody\0"), LOAD_ERR_STOMP_LENGTH},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct frame frame;
        enum load_status status = frame_parse(bad[i].text, &frame);

        if (status != bad[i].status)
            print_error("row %zu: %s\n", i, load_strstatus(status));
        assert_int_equal(status, bad[i].status);
    }
}

#define HEAD "MESSAGE\ndestination:/topic/a\nsubscription:s\nmessage-id:1\n"
#define BODY "0123456789012345678901234567890123456789opqr"

static const struct frame_expectation expected = {SLICE("/topic/a"), SLICE("s"), sizeof(BODY) - 1,
                                                  MARK_LETTERS};

static void a_message_must_be_what_was_expected(void **state)
{
    const struct {
        struct slice text;
        enum load_status status;
    } rows[] = {
        {SLICE(HEAD "\n" BODY "\0"), LOAD_OK},
        {SLICE(HEAD "content-length:44\n\n" BODY "\0\n"), LOAD_OK},
        {SLICE("RECEIPT\nreceipt-id:1\n\n\0"), LOAD_ERR_STOMP_COMMAND},
        {SLICE("MESSAGE\nsubscription:s\nmessage-id:1\n\n" BODY "\0"),
         LOAD_ERR_MESSAGE_DESTINATION},
        {SLICE("MESSAGE\ndestination:/topic/b\nsubscription:s\nmessage-id:1\n\n" BODY "\0"),
         LOAD_ERR_MESSAGE_DESTINATION},
        {SLICE("MESSAGE\ndestination:/topic/a\nsubscription:t\nmessage-id:1\n\n" BODY "\0"),
         LOAD_ERR_MESSAGE_SUBSCRIPTION},
        {SLICE("MESSAGE\ndestination:/topic/a\nsubscription:s\nmessage-id:\n\n" BODY "\0"),
         LOAD_ERR_MESSAGE_ID},
        {SLICE("MESSAGE\ndestination:/topic/a\nsubscription:s\n\n" BODY "\0"), LOAD_ERR_MESSAGE_ID},
        {SLICE(HEAD "\n" BODY "s\0"), LOAD_ERR_MESSAGE_BODY},
        {SLICE(HEAD "\n0123456789012345678901234567890123456789opqs\0"), LOAD_ERR_MESSAGE_BODY},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slice body = SLICE("");
        enum load_status status = frame_check_message(rows[i].text, &expected, &body);

        if (status != rows[i].status)
            print_error("row %zu: %s\n", i, load_strstatus(status));
        assert_int_equal(status, rows[i].status);
        if (status == LOAD_OK)
            assert_slice(body, BODY);
    }
}

static void the_quick_way_finds_the_same_body(void **state)
{
    const struct slice good[] = {SLICE(HEAD "\n" BODY "\0"), SLICE(HEAD "\n" BODY "\0\n"),
                                 SLICE("MESSAGE\n\n" BODY "\0")};
    struct slice body = SLICE("");

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(frame_find_body(good[i], expected.body_len, &body));
        assert_slice(body, BODY);
    }
}

static void the_quick_way_leaves_doubt_to_the_strict_one(void **state)
{
    const struct slice doubtful[] = {
        SLICE(""),
        SLICE(BODY "\0"),
        SLICE("MESSAGE\n"),
        SLICE(HEAD BODY "\0"),               /* no empty line */
        SLICE(HEAD "\n" BODY),               /* no NUL */
        SLICE(HEAD "\nx" BODY "\0"),         /* longer */
        SLICE("RECEIPT\na:b\n\n" BODY "\0"), /* another command */
        SLICE("MESSAGE\r\n\r\n" BODY "\0"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(doubtful) / sizeof(doubtful[0]); i++) {
        /* A copy of its own size, so that a read before or behind it shows. */
        struct slice text = slice_of(mem_alloc(doubtful[i].len), doubtful[i].len);
        struct slice body;

        memcpy((char *)(uintptr_t)text.base, doubtful[i].base, text.len);
        assert_false(frame_find_body(text, expected.body_len, &body));
        mem_free((char *)(uintptr_t)text.base);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_command_headers_and_body),
        cmocka_unit_test(refuses_what_is_not_one_frame),
        cmocka_unit_test(a_message_must_be_what_was_expected),
        cmocka_unit_test(the_quick_way_finds_the_same_body),
        cmocka_unit_test(the_quick_way_leaves_doubt_to_the_strict_one),
    };

    return cmocka_run_group_tests_name("bench/frame", tests, NULL, NULL);
}
