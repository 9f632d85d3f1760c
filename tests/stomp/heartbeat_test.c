#include "tests/test.h"
#include "stomp/heartbeat.h"

static void parse_refuses_what_a_comma_joins_and_is_not_two_numbers(void **state)
{
    const struct slice bad[] = {SLICE(","),     SLICE("1,"),           SLICE(",1"),
                                SLICE("a,b"),   SLICE("1,4294967296"), SLICE("-1,1"),
                                SLICE("1,2,3"), SLICE("1 0,1"),        SLICE(" , ")};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct stomp_heartbeat hb = {7, 7};

        assert_int_equal(stomp_heartbeat_parse(bad[i], &hb), STOMP_ERR_HEADER_VALUE);
        assert_int_equal(hb.can_send_ms, 7);
        assert_int_equal(hb.wants_ms, 7);
    }
}

static void spaces_around_the_numbers_are_skipped(void **state)
{
    const struct slice good[] = {SLICE("1000,4294967295"), SLICE("1000, 4294967295"),
                                 SLICE(" 1000\t,\t4294967295 ")};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct stomp_heartbeat hb = {7, 7};

        assert_int_equal(stomp_heartbeat_parse(good[i], &hb), STOMP_OK);
        assert_int_equal(hb.can_send_ms, 1000);
        assert_int_equal(hb.wants_ms, UINT32_MAX);
    }
}

static void each_direction_runs_at_the_slower_side(void **state)
{
    struct stomp_heartbeat server = {10000, 10000}, client;

    (void)state;
    assert_int_equal(stomp_heartbeat_parse((struct slice)SLICE("5000,20000"), &client), STOMP_OK);
    assert_int_equal(stomp_heartbeat_negotiate(server, client).write_ms, 20000);
    assert_int_equal(stomp_heartbeat_negotiate(server, client).read_ms, 10000);
}

static void zero_turns_a_direction_off(void **state)
{
    struct stomp_heartbeat both = {10000, 10000}, never_sends = {0, 5000}, wants_none = {5000, 0};

    (void)state;
    assert_int_equal(stomp_heartbeat_negotiate(both, never_sends).write_ms, 10000);
    assert_int_equal(stomp_heartbeat_negotiate(both, never_sends).read_ms, 0);
    assert_int_equal(stomp_heartbeat_negotiate(both, wants_none).write_ms, 0);
    assert_int_equal(stomp_heartbeat_negotiate(both, wants_none).read_ms, 10000);
    assert_int_equal(stomp_heartbeat_negotiate(never_sends, both).write_ms, 0);
}

static void no_header_or_no_comma_turns_both_directions_off(void **state)
{
    const struct slice values[] = {SLICE(""), SLICE("10000"), SLICE("none")};

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct stomp_heartbeat server = {10000, 10000}, client = {7, 7};

        assert_int_equal(stomp_heartbeat_parse(values[i], &client), STOMP_OK);
        assert_int_equal(stomp_heartbeat_negotiate(server, client).write_ms, 0);
        assert_int_equal(stomp_heartbeat_negotiate(server, client).read_ms, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_refuses_what_a_comma_joins_and_is_not_two_numbers),
        cmocka_unit_test(spaces_around_the_numbers_are_skipped),
        cmocka_unit_test(each_direction_runs_at_the_slower_side),
        cmocka_unit_test(zero_turns_a_direction_off),
        cmocka_unit_test(no_header_or_no_comma_turns_both_directions_off),
    };

    return cmocka_run_group_tests_name("stomp/heartbeat", tests, NULL, NULL);
}
