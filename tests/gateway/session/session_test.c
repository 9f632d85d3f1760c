#include "tests/gateway/session/rig.h"

#include <stdio.h>

/* Timers, limits and the end of a session, whatever it says. */

static struct rig *rig_with(uint32_t first_ms, uint32_t ping_ms)
{
    struct rig *rig = rig_new();

    rig->config.transport.time_to_first_message_ms = first_ms;
    rig->config.transport.ping_interval_ms = ping_ms;
    return rig;
}

/* --- the first message --- */

static void without_connect_in_time_the_session_is_closed_4500(void **state)
{
    struct rig *rig = rig_with(1000, 0);
    struct peer *silent, *talker, *broken, *plain;

    (void)state;
    rig_start(rig);
    silent = rig_open(rig, RIG_STOMP, NULL);
    talker = rig_open(rig, RIG_STOMP, NULL);
    broken = rig_open(rig, RIG_STOMP, NULL);
    plain = rig_open(rig, RIG_ECHO, NULL);
    rig_advance(rig, 500);
    peer_connect(talker);
    /* Neither beats nor half a CONNECT count. */
    peer_say(broken, "\n");
    peer_say(broken, "CONNECT\naccept-version:1.2\n");
    rig_advance(rig, 480);
    assert_int_equal(silent->n_closes, 0);
    rig_advance(rig, 50);
    assert_closed(silent, 4500, "");
    assert_string_equal(silent->close_reason, "No CONNECT in time");
    assert_closed(broken, 4500, "");
    rig_advance(rig, 10000);
    assert_int_equal(talker->n_closes, 0);
    assert_int_equal(plain->n_closes, 0);
    assert_int_equal(rig_metric(rig, METRIC_CLOSED_FIRST_MESSAGE), 2);
    rig_free(rig);
}

static void a_session_without_deadlines_arms_no_timer(void **state)
{
    struct rig *rig = rig_with(1000, 0);
    struct peer *peer;

    (void)state;
    rig_start(rig);
    peer = rig_open(rig, RIG_STOMP, NULL);
    peer_connect(peer);
    rig_advance(rig, 5000);
    assert_int_equal(rig->timers.n_armed, 0);
    assert_int_equal(peer->n_closes, 0);
    rig_free(rig);
}

/* --- heart-beats --- */

static struct peer *connect_with_beats(struct rig *rig, const char *heartbeat)
{
    struct peer *peer = rig_open(rig, RIG_STOMP, NULL);
    char frame[64];
    int n = snprintf(frame, sizeof(frame), "CONNECT\nheart-beat:%s\n\n", heartbeat);

    peer_say_(peer, slice_of(frame, (size_t)n + 1), false);
    (void)peer_heard(peer);
    return peer;
}

static void beats_are_sent_when_nothing_else_was(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = connect_with_beats(rig, "0,10000");
    struct peer *wants_none = connect_with_beats(rig, "10000,0");

    (void)state;
    rig_advance(rig, 9900);
    assert_string_equal(peer_heard(peer), "");
    rig_advance(rig, 200);
    assert_string_equal(peer_heard(peer), "\n");
    rig_advance(rig, 9000);
    assert_string_equal(peer_heard(peer), "");
    /* Whatever is sent puts the next one off. */
    peer_say(peer, "ACK\nid:x\nreceipt:1\n\n\0");
    rig_advance(rig, 9000);
    assert_string_equal(peer_heard(peer), "RECEIPT\nreceipt-id:1\n\n^");
    rig_advance(rig, 31100);
    assert_string_equal(peer_heard(peer), "\n\n\n\n");
    assert_string_equal(peer_heard(wants_none), "ERROR\nmessage:Session closed.\n"
                                                "content-length:0\n\n^");
    assert_int_equal(rig_metric(rig, METRIC_HEARTBEATS_SENT), 5);
    rig_free(rig);
}

static void beats_come_at_short_intervals_too(void **state)
{
    struct rig *rig = rig_new();
    struct peer *peer;

    (void)state;
    rig->config.broker.heartbeat_send_ms = 50;
    rig_start(rig);
    peer = connect_with_beats(rig, "0,50");
    rig_advance(rig, 1000);
    /* One in 50 ms, each late by at most a slot of the wheel. */
    assert_in_range(strlen(peer_heard(peer)), 1000 / (50 + 16), 1000 / 50);
    rig_free(rig);
}

static void a_client_may_be_silent_for_three_intervals(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = connect_with_beats(rig, "5000,0"); /* we want one in 10 s */

    (void)state;
    rig_advance(rig, 29900);
    assert_int_equal(peer->n_closes, 0);
    peer_say(peer, "\n");
    rig_advance(rig, 29900);
    assert_int_equal(peer->n_closes, 0);
    rig_advance(rig, 200);
    assert_closed(peer, 1002, "ERROR\nmessage:Session closed.\ncontent-length:0\n\n^");
    assert_int_equal(peer->session.reason, SESSION_HEARTBEAT_LOST);
    assert_int_equal(rig_metric(rig, METRIC_CLOSED_HEARTBEAT), 1);
    rig_free(rig);
}

static void a_client_whose_input_we_hold_is_not_silent(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = connect_with_beats(rig, "10000,0");

    (void)state;
    peer->is_held = true;
    rig_advance(rig, 60000);
    assert_int_equal(peer->n_closes, 0);
    peer->is_held = false;
    peer->last_read_ms = rig->now_ms;
    rig_advance(rig, 29900);
    assert_int_equal(peer->n_closes, 0);
    rig_advance(rig, 1200);
    assert_int_equal(peer->close_code, 1002);
    rig_free(rig);
}

static void no_beats_after_disconnect(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = connect_with_beats(rig, "10000,10000");

    (void)state;
    peer_say(peer, "DISCONNECT\nreceipt:r\n\n\0");
    (void)peer_heard(peer);
    rig_advance(rig, 120000);
    assert_string_equal(peer_heard(peer), "");
    assert_int_equal(peer->n_closes, 0);
    rig_free(rig);
}

static void a_beat_that_cannot_be_written_is_not_repeated_without_end(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = connect_with_beats(rig, "0,10000");

    (void)state;
    /* The queue is written in this rig, but the clock of the transport stands still. */
    for (int i = 0; i < 500; i++) {
        rig_advance(rig, 100);
        peer->last_write_ms = 0;
    }
    assert_in_range(strlen(peer_heard(peer)), 4, 50);
    rig_free(rig);
}

/* --- pings --- */

static void two_unanswered_pings_end_a_session(void **state)
{
    struct rig *rig = rig_with(0, 1000);
    struct peer *stomp, *plain;

    (void)state;
    rig_start(rig);
    stomp = rig_open(rig, RIG_STOMP, NULL);
    plain = rig_open(rig, RIG_ECHO, NULL);
    rig_advance(rig, 1040);
    assert_int_equal(stomp->n_pings, 1);
    assert_int_equal(plain->n_pings, 1);
    rig_advance(rig, 1040);
    assert_int_equal(stomp->n_pings, 2);
    assert_int_equal(stomp->n_closes, 0);
    rig_advance(rig, 1040);
    assert_closed(stomp, 1002, "");
    assert_string_equal(stomp->close_reason, "No pong received");
    assert_closed(plain, 1002, "");
    assert_int_equal(stomp->n_pings, 2);
    assert_int_equal(rig_metric(rig, METRIC_PINGS_SENT), 4);
    assert_int_equal(rig_metric(rig, METRIC_CLOSED_PING), 2);
    rig_free(rig);
}

static void a_pong_or_any_input_answers_a_ping(void **state)
{
    struct rig *rig = rig_with(0, 1000);
    struct peer *ponger, *talker, *held;

    (void)state;
    rig_start(rig);
    ponger = rig_open(rig, RIG_STOMP, NULL);
    talker = rig_open(rig, RIG_ECHO, NULL);
    held = rig_open(rig, RIG_ECHO, NULL);
    held->is_held = true;
    for (int i = 0; i < 10; i++) {
        rig_advance(rig, 1500);
        session_pong(&ponger->session);
        (void)peer_give(talker, slice_str("x"), false);
    }
    assert_int_equal(ponger->n_closes, 0);
    assert_int_equal(talker->n_closes, 0);
    assert_int_equal(held->n_closes, 0);
    assert_in_range(ponger->n_pings, 13, 15);
    rig_free(rig);
}

/* A tab in the background: its timers stand still for minutes, its socket answers. */
static void a_client_whose_beats_stop_lives_while_its_socket_answers(void **state)
{
    struct rig *rig = rig_with(0, 30000);
    struct peer *peer;

    (void)state;
    rig_start(rig);
    peer = connect_with_beats(rig, "10000,0");
    for (unsigned i = 1; i <= 10; i++) {
        unsigned n_pings = peer->n_pings;

        for (unsigned waited = 0; waited < 40000 && peer->n_pings == n_pings; waited += 16)
            rig_advance(rig, 16);
        rig_advance(rig, i * 100); /* each pong takes longer than the one before */
        assert_int_equal(peer->n_closes, 0);
        peer->last_read_ms = rig->now_ms;
        session_pong(&peer->session);
    }
    rig_advance(rig, 31000); /* the socket is gone, too */
    assert_int_equal(peer->session.reason, SESSION_HEARTBEAT_LOST);
    rig_free(rig);
}

static void an_interval_of_zero_sends_no_pings(void **state)
{
    struct rig *rig = rig_with(0, 0);
    struct peer *peer;

    (void)state;
    rig_start(rig);
    peer = rig_open(rig, RIG_STOMP, NULL);
    rig_advance(rig, 100000);
    assert_int_equal(peer->n_pings, 0);
    assert_int_equal(peer->n_closes, 0);
    rig_free(rig);
}

/* --- the rest --- */

static void a_session_that_says_nothing_for_idle_timeout_is_closed_1000(void **state)
{
    struct rig *rig = rig_with(0, 0);
    struct peer *peer, *other;

    (void)state;
    rig->endpoints[RIG_ECHO].idle_timeout_ms = 1000;
    rig_start(rig);
    peer = rig_open(rig, RIG_ECHO, NULL);
    other = rig_open(rig, RIG_ROOM, NULL);
    for (int i = 0; i < 3; i++) {
        rig_advance(rig, 900);
        session_pong(&peer->session); /* pongs are no messages */
        session_pong(&other->session);
        if (i == 0)
            peer_say(peer, "x");
        peer->last_read_ms = other->last_read_ms = rig->now_ms;
        assert_int_equal(peer->n_closes, i == 2);
    }
    assert_closed(peer, 1000, "echo: x");
    assert_string_equal(peer->close_reason, "Idle for too long");
    assert_int_equal(rig_metric(rig, METRIC_CLOSED_IDLE), 1);
    assert_int_equal(other->n_closes, 0);
    rig_free(rig);
}

static void an_overflow_drops_the_queue_and_closes_4500(void **state)
{
    static const struct {
        enum session_reason reason;
        enum metric metric;
    } rows[] = {
        {SESSION_SEND_BUFFER, METRIC_CLOSED_SEND_BUFFER},
        {SESSION_SEND_TIME, METRIC_CLOSED_SEND_TIME},
        {SESSION_MEMORY, METRIC_CLOSED_MEMORY},
    };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct rig *rig = rig_started();
        struct peer *peer = rig_open(rig, RIG_STOMP, NULL);

        peer_connect(peer);
        peer_subscribe(peer, "0", "/topic/a");
        session_overflow(&peer->session, rows[i].reason);
        session_overflow(&peer->session, rows[i].reason);
        assert_true(peer->is_cut);
        assert_closed(peer, 4500, "");
        assert_string_equal(peer->close_reason,
                            "Failed to send message within the configured send limit");
        assert_int_equal(rig_metric(rig, rows[i].metric), 1);
        assert_int_equal(peer->receiver.subscriptions.n, 0);
        rig_free(rig);
    }
}

static void only_the_first_close_counts(void **state)
{
    struct rig *rig = rig_with(0, 1000);
    struct peer *peer;

    (void)state;
    rig_start(rig);
    peer = rig_open(rig, RIG_STOMP, NULL);
    peer_connect(peer);
    session_close(&peer->session, SESSION_SHUTDOWN, 1001, slice_str("bye"));
    session_close(&peer->session, SESSION_IDLE, 1000, slice_str("again"));
    session_overflow(&peer->session, SESSION_SEND_BUFFER);
    peer_say(peer, "FOO\n\n\0");
    rig_advance(rig, 10000);
    assert_closed(peer, 1001, "");
    assert_string_equal(peer->close_reason, "bye");
    assert_false(peer->is_cut);
    assert_int_equal(peer->n_pings, 0);
    assert_int_equal(rig->timers.n_armed, 0);
    rig_free(rig);
}

static void the_end_of_a_session_is_logged_with_its_reason(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = rig_open(rig, RIG_STOMP, "alice");
    struct session_id_text text;
    char id[64];

    (void)state;
    (void)snprintf(id, sizeof(id), "id=%.*s", SLICE_FMT(session_id(&peer->session, &text)));
    peer_say(peer, "FOO\n\n\0");
    rig_assert_logged(rig, "reason=protocol-error user=alice endpoint=/ws");
    peer = rig_open(rig, RIG_STOMP, NULL);
    (void)snprintf(id, sizeof(id), "id=%.*s", SLICE_FMT(session_id(&peer->session, &text)));
    peer_end(peer);
    rig_assert_logged(rig, id);
    rig_free(rig);
}

static void a_session_refused_at_its_opening_has_an_id_in_the_log(void **state)
{
    struct rig *rig = rig_new();
    struct session_id_text text;
    char id[64];

    (void)state;
    rig_rule(rig, AUTH_CONNECT, NULL, AUTH_ALLOW_NONE);
    rig_start(rig);
    (void)snprintf(id, sizeof(id), "id=%.*s",
                   SLICE_FMT(session_id(&rig_open(rig, RIG_ECHO, NULL)->session, &text)));
    rig_assert_logged(rig, id);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_connect_in_time_the_session_is_closed_4500),
        cmocka_unit_test(a_session_without_deadlines_arms_no_timer),
        cmocka_unit_test(beats_are_sent_when_nothing_else_was),
        cmocka_unit_test(beats_come_at_short_intervals_too),
        cmocka_unit_test(a_client_may_be_silent_for_three_intervals),
        cmocka_unit_test(a_client_whose_input_we_hold_is_not_silent),
        cmocka_unit_test(no_beats_after_disconnect),
        cmocka_unit_test(a_beat_that_cannot_be_written_is_not_repeated_without_end),
        cmocka_unit_test(two_unanswered_pings_end_a_session),
        cmocka_unit_test(a_pong_or_any_input_answers_a_ping),
        cmocka_unit_test(a_client_whose_beats_stop_lives_while_its_socket_answers),
        cmocka_unit_test(an_interval_of_zero_sends_no_pings),
        cmocka_unit_test(a_session_that_says_nothing_for_idle_timeout_is_closed_1000),
        cmocka_unit_test(an_overflow_drops_the_queue_and_closes_4500),
        cmocka_unit_test(only_the_first_close_counts),
        cmocka_unit_test(the_end_of_a_session_is_logged_with_its_reason),
        cmocka_unit_test(a_session_refused_at_its_opening_has_an_id_in_the_log),
    };

    return cmocka_run_group_tests_name("gateway/session/session", tests, NULL, NULL);
}
