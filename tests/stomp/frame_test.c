#include "tests/test.h"
#include "stomp/frame.h"

static void a_command_is_found_by_the_name_it_prints(void **state)
{
    (void)state;
    for (int i = 0; i < STOMP_N_COMMANDS; i++) {
        enum stomp_command command = STOMP_N_COMMANDS;

        assert_true(stomp_command_find(stomp_command_name((enum stomp_command)i), &command));
        assert_int_equal(command, i);
    }
    assert_slice(stomp_command_name(STOMP_UNSUBSCRIBE), "UNSUBSCRIBE");
}

static void a_command_is_exact(void **state)
{
    const struct slice bad[] = {SLICE(""),       SLICE("send"),  SLICE("SEND "),     SLICE(" SEND"),
                                SLICE("SEND\0"), SLICE("SENDS"), SLICE("HEARTBEAT"), SLICE("SEN")};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        enum stomp_command command = STOMP_N_COMMANDS;

        assert_false(stomp_command_find(bad[i], &command));
        assert_int_equal(command, STOMP_N_COMMANDS);
    }
}

static void what_the_protocol_says_of_each_command(void **state)
{
    static const struct {
        enum stomp_command command;
        bool has_body, escapes, is_server;
    } rows[] = {
        {STOMP_CONNECT, false, false, false},    {STOMP_STOMP, false, false, false},
        {STOMP_SEND, true, true, false},         {STOMP_SUBSCRIBE, false, true, false},
        {STOMP_UNSUBSCRIBE, false, true, false}, {STOMP_ACK, false, true, false},
        {STOMP_NACK, false, true, false},        {STOMP_BEGIN, false, true, false},
        {STOMP_COMMIT, false, true, false},      {STOMP_ABORT, false, true, false},
        {STOMP_DISCONNECT, false, true, false},  {STOMP_CONNECTED, false, false, true},
        {STOMP_MESSAGE, true, true, true},       {STOMP_RECEIPT, false, true, true},
        {STOMP_ERROR, true, true, true},
    };

    (void)state;
    assert_int_equal(sizeof(rows) / sizeof(rows[0]), STOMP_N_COMMANDS);
    for (size_t i = 0; i < STOMP_N_COMMANDS; i++) {
        assert_int_equal(stomp_command_has_body(rows[i].command), rows[i].has_body);
        assert_int_equal(stomp_command_escapes(rows[i].command), rows[i].escapes);
        assert_int_equal(stomp_command_is_server(rows[i].command), rows[i].is_server);
    }
}

static void the_first_of_a_repeated_header_counts(void **state)
{
    const struct stomp_header headers[] = {
        {SLICE("a"), SLICE("1")}, {SLICE("b"), SLICE("2")}, {SLICE("a"), SLICE("3")}};
    const struct stomp_frame frame = {.headers = headers, .n_headers = 3};
    struct slice value;

    (void)state;
    assert_true(stomp_frame_header(&frame, (struct slice)SLICE("a"), &value));
    assert_slice(value, "1");
    assert_false(stomp_frame_header(&frame, (struct slice)SLICE("A"), &value));
    assert_int_equal(value.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_found_by_the_name_it_prints),
        cmocka_unit_test(a_command_is_exact),
        cmocka_unit_test(what_the_protocol_says_of_each_command),
        cmocka_unit_test(the_first_of_a_repeated_header_counts),
    };

    return cmocka_run_group_tests_name("stomp/frame", tests, NULL, NULL);
}
