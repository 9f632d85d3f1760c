#include "tests/test.h"
#include "gateway/bench/floor.h"
#include "gateway/bench/frame.h"
#include "gateway/bench/wire.h"

static struct options small(uint64_t window, uint64_t body_size)
{
    return (struct options){
        .mode = OPTIONS_FLOOR,
        .destination = "/topic/bench",
        .content_type = "text/plain",
        .n_subscribers = 7,
        .window = window,
        .body_size = body_size,
        .seconds_ns = 20000000,
        .warmup_ns = 5000000,
    };
}

static void a_round_is_what_a_server_would_send(void **state)
{
    /* Around the steps of a WebSocket frame's length, the message's head included. */
    const uint64_t sizes[] = {40, 128, 16384, 65408, 70000};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct options options = small(3, sizes[i]);
        struct frame_expectation expected = {SLICE("/topic/bench"), SLICE("sub-0"), sizes[i],
                                             MARK_LETTERS};
        struct wire_frame frame;
        struct slice left, body;
        struct buf round;

        buf_init(&round, 1000000);
        assert_true(floor_write_round(&round, &options));
        left = buf_slice(&round);
        for (int k = 0; k < 3; k++) {
            assert_int_equal(wire_read(&left, 100000, &frame), LOAD_OK);
            assert_true(frame.is_final);
            assert_int_equal(frame.opcode, WIRE_TEXT);
            assert_int_equal(frame_check_message(frame.payload, &expected, &body), LOAD_OK);
        }
        assert_int_equal(left.len, 0);
        buf_dispose(&round);
    }
}

static void a_round_that_has_no_room_is_refused(void **state)
{
    struct options options = small(3, 128);
    struct buf round;

    (void)state;
    buf_init(&round, 600);
    assert_false(floor_write_round(&round, &options));
    buf_dispose(&round);
}

static void everything_sent_is_counted(void **state)
{
    const uint64_t windows[] = {1, 16};

    (void)state;
    for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
        struct options options = small(windows[i], 128);
        struct floor_result result = {0};

        assert_int_equal(floor_measure(&options, &result), 0);
        assert_true(result.n_deliveries_measured > 0);
        assert_true(result.n_deliveries > result.n_deliveries_measured);
        assert_int_equal(result.n_deliveries % (7 * windows[i]), 0);
        assert_int_equal(result.n_deliveries_measured % (7 * windows[i]), 0);
        assert_true(result.measured_ns >= options.seconds_ns);
        assert_true(result.server_cpu_ns > 0 && result.load_cpu_ns > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_round_is_what_a_server_would_send),
        cmocka_unit_test(a_round_that_has_no_room_is_refused),
        cmocka_unit_test(everything_sent_is_counted),
    };

    return cmocka_run_group_tests_name("bench/floor", tests, NULL, NULL);
}
