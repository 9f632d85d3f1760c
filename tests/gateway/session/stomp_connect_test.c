#include "tests/gateway/session/rig.h"

#include <stdio.h>

/* CONNECT and what it is answered: versions, heart-beats, users, tokens. */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void connected_names_version_heartbeat_and_user_in_this_order(void **state)
{
    struct rig *rig = rig_new();
    struct peer *peer;

    (void)state;
    rig->config.broker.heartbeat_send_ms = 15000;
    rig->config.broker.heartbeat_receive_ms = 20000;
    rig_start(rig);
    peer = rig_open(rig, RIG_STOMP, "joe");
    peer_say(peer, "CONNECT\naccept-version:1.0,1.1,1.2\nheart-beat:1,2\n\n\0");
    assert_string_equal(peer_heard(peer), "CONNECTED\nversion:1.2\nheart-beat:15000,20000\n"
                                          "user-name:joe\n\n^");
    assert_int_equal(peer->session.state, SESSION_CONNECTED);
    assert_int_equal(rig_metric(rig, METRIC_SESSIONS), 1);
    rig_free(rig);
}

static void the_highest_common_version_is_chosen(void **state)
{
    static const struct {
        const char *headers, *version;
    } rows[] = {
        {"accept-version:1.0,1.1,1.2\n", "1.2"}, {"accept-version:1.2,1.1\n", "1.2"},
        {"accept-version:1.1\n", "1.1"},         {"accept-version:1.0\n", "1.0"},
        {"accept-version:1.0,9.9\n", "1.0"},     {"", "1.0"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig *rig = rig_started();
        struct peer *peer = rig_open(rig, RIG_STOMP, NULL);
        char frame[128], expected[128];
        /* STOMP is another name of CONNECT. */
        int n = snprintf(frame, sizeof(frame), "%s\n%s\n", i % 2 ? "STOMP" : "CONNECT",
                         rows[i].headers);

        peer_say_(peer, slice_of(frame, (size_t)n + 1), false);
        (void)snprintf(expected, sizeof(expected),
                       "CONNECTED\nversion:%s\nheart-beat:10000,10000\n\n^", rows[i].version);
        assert_string_equal(peer_heard(peer), expected);
        rig_free(rig);
    }
}

static void connect_that_cannot_be_obeyed_is_an_error_and_1002(void **state)
{
    static const struct {
        struct slice frame;
        const char *heard;
    } rows[] = {
        {SLICE("CONNECT\naccept-version:2.0,1.3\n\n\0"),
         "ERROR\nmessage:Supported protocol versions are 1.0,1.1,1.2\ncontent-length:0\n\n^"},
        {SLICE("CONNECT\nheart-beat:a,b\n\n\0"),
         "ERROR\nmessage:The heart-beat header must be two numbers joined by a comma\n"
         "content-length:0\n\n^"},
        {SLICE("CONNECT\nheart-beat:-1,0\n\n\0"),
         "ERROR\nmessage:The heart-beat header must be two numbers joined by a comma\n"
         "content-length:0\n\n^"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig *rig = rig_started();
        struct peer *peer = rig_open(rig, RIG_STOMP, NULL);

        peer_say_(peer, rows[i].frame, false);
        assert_closed(peer, 1002, rows[i].heard);
        assert_int_equal(peer->session.reason, SESSION_PROTOCOL_ERROR);
        assert_int_equal(rig_metric(rig, METRIC_ERROR_FRAMES), 1);
        rig_free(rig);
    }
}

static void heartbeats_with_spaces_or_without_a_comma_are_taken(void **state)
{
    static const struct {
        struct slice frame;
        uint32_t write_ms, read_ms;
    } rows[] = {
        {SLICE("CONNECT\nheart-beat:5000, 20000\n\n\0"), 20000, 10000},
        {SLICE("CONNECT\nheart-beat:20000,5000\n\n\0"), 10000, 20000},
        {SLICE("CONNECT\nheart-beat:0,0\n\n\0"), 0, 0},
        {SLICE("CONNECT\nheart-beat:5000\n\n\0"), 0, 0},
        {SLICE("CONNECT\n\n\0"), 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig *rig = rig_started();
        struct peer *peer = rig_open(rig, RIG_STOMP, NULL);

        peer_say_(peer, rows[i].frame, false);
        assert_int_equal(peer->session.state, SESSION_CONNECTED);
        assert_int_equal(peer->session.heartbeat.write_ms, rows[i].write_ms);
        assert_int_equal(peer->session.heartbeat.read_ms, rows[i].read_ms);
        rig_free(rig);
    }
}

static void end_of_lines_before_connect_are_no_error(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = rig_open(rig, RIG_STOMP, NULL);

    (void)state;
    peer_say(peer, "\n");
    peer_say(peer, "\r\n\n");
    assert_int_equal(peer->n_closes, 0);
    peer_connect(peer);
    rig_free(rig);
}

static void a_frame_before_connect_is_an_unknown_session(void **state)
{
    static const struct slice frames[] = {
        SLICE("SEND\ndestination:/topic/a\n\nx\0"),
        SLICE("SUBSCRIBE\nid:0\ndestination:/topic/a\n\n\0"),
        SLICE("UNSUBSCRIBE\nid:0\n\n\0"),
        SLICE("DISCONNECT\n\n\0"),
        SLICE("ACK\nid:0\n\n\0"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(frames); i++) {
        struct rig *rig = rig_started();
        struct peer *peer = rig_open(rig, RIG_STOMP, NULL);
        struct session_id_text id;
        char expected[160];

        peer_say_(peer, frames[i], false);
        (void)snprintf(expected, sizeof(expected),
                       "ERROR\nmessage:Unknown session\\c %.*s\ncontent-length:0\n\n^",
                       SLICE_FMT(session_id(&peer->session, &id)));
        assert_closed(peer, 1002, expected);
        rig_free(rig);
    }
}

static void a_second_connect_finds_the_session_there(void **state)
{
    static const struct slice frames[] = {
        SLICE("CONNECT\naccept-version:1.2\n\n\0"),
        SLICE("STOMP\naccept-version:1.2\n\n\0"),
        SLICE("DISCONNECT\nreceipt:r\n\n\0CONNECT\n\n\0"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(frames); i++) {
        struct rig *rig = rig_started();
        struct peer *peer = rig_open(rig, RIG_STOMP, NULL);

        peer_connect(peer);
        peer_say_(peer, frames[i], false);
        assert_closed(peer, 1002,
                      i == 2 ? "RECEIPT\nreceipt-id:r\n\n^"
                               "ERROR\nmessage:Session already exists\ncontent-length:0\n\n^"
                             : "ERROR\nmessage:Session already exists\ncontent-length:0\n\n^");
        rig_free(rig);
    }
}

/* --- tokens --- */

struct token_row {
    size_t endpoint;
    bool anonymous; /* auth.anonymous */
    const char *handshake_user;
    struct slice frame;
    const char *heard;
};

#define HELLO "CONNECTED\nversion:1.2\nheart-beat:10000,10000\n"
#define WITH(token) SLICE("CONNECT\naccept-version:1.2\n" token "\n\0")
#define SORRY(text) "ERROR\nmessage:" text "\ncontent-length:0\n\n^"

static const struct token_row token_rows[] = {
    /* by the handshake, by CONNECT, by both */
    {RIG_STOMP, false, "alice", WITH(""), HELLO "user-name:alice\n\n^"},
    {RIG_STOMP, false, NULL, WITH("Authorization:Bearer alice\n"), HELLO "user-name:alice\n\n^"},
    {RIG_STOMP, false, NULL, WITH("authorization:bearer bob\n"), HELLO "user-name:bob\n\n^"},
    {RIG_STOMP, false, "alice", WITH("Authorization:Bearer alice\n"), HELLO "user-name:alice\n\n^"},
    {RIG_STOMP, false, "alice", WITH("Authorization:Bearer bob\n"),
     SORRY("The tokens of the handshake and of CONNECT name different users")},
    {RIG_STOMP, true, "alice", WITH("Authorization:Bearer bob\n"),
     SORRY("The tokens of the handshake and of CONNECT name different users")},
    /* none, where one is needed and where not */
    {RIG_STOMP, false, NULL, WITH(""), SORRY("A token is required")},
    {RIG_STOMP, true, NULL, WITH(""), HELLO "\n^"},
    {RIG_OPEN, false, NULL, WITH(""), HELLO "\n^"},
    {RIG_OPEN, false, NULL, WITH("Authorization:Bearer alice\n"), HELLO "user-name:alice\n\n^"},
    {RIG_STOMP, false, NULL, WITH("Authorization:Basic YTpi\n"), SORRY("A token is required")},
    {RIG_STOMP, false, NULL, WITH("login:alice\npasscode:x\n"), SORRY("A token is required")},
    /* a bad one, wherever anonymous clients may come */
    {RIG_STOMP, false, NULL, WITH("Authorization:Bearer evil\n"), SORRY("The token is invalid")},
    {RIG_STOMP, true, NULL, WITH("Authorization:Bearer evil\n"), SORRY("The token is invalid")},
    {RIG_OPEN, true, "alice", WITH("Authorization:Bearer evil\n"), SORRY("The token is invalid")},
};

static void tokens_of_handshake_and_connect(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(token_rows); i++) {
        const struct token_row *row = &token_rows[i];
        bool is_refused = strncmp(row->heard, "ERROR", 5) == 0;
        struct rig *rig = rig_new();
        struct peer *peer;

        rig->config.auth.anonymous = row->anonymous;
        rig_start(rig);
        peer = rig_open(rig, row->endpoint, row->handshake_user);
        peer_say_(peer, row->frame, false);
        if (is_refused)
            assert_closed(peer, 1002, row->heard);
        else
            assert_string_equal(peer_heard(peer), row->heard);
        assert_int_equal(rig_metric(rig, METRIC_AUTH_FAILED), is_refused);
        assert_int_equal(rig_metric(rig, METRIC_SESSIONS), !is_refused);
        rig_free(rig);
    }
}

static void a_malformed_bearer_is_refused(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = rig_open(rig, RIG_STOMP, NULL);

    (void)state;
    peer_say(peer, "CONNECT\nAuthorization:Bearer a b\n\n\0");
    assert_int_equal(peer->close_code, 1002);
    assert_int_equal(rig_metric(rig, METRIC_AUTH_FAILED), 1);
    rig_free(rig);
}

static void connect_needs_the_rule_of_its_endpoint(void **state)
{
    static const struct slice path = SLICE("/ws");
    struct rig *rig = rig_new();
    struct peer *nobody, *alice;

    (void)state;
    rig_rule(rig, AUTH_CONNECT, &path, AUTH_ALLOW_AUTHENTICATED);
    rig_start(rig);
    nobody = rig_open(rig, RIG_STOMP, NULL);
    peer_say(nobody, "CONNECT\n\n\0");
    assert_closed(nobody, 1002, SORRY("Access denied"));
    assert_int_equal(rig_metric(rig, METRIC_ACCESS_DENIED), 1);
    alice = rig_open(rig, RIG_STOMP, "alice");
    peer_connect(alice);
    rig_free(rig);
}

/* --- a verdict that comes later --- */

#define SLOW "CONNECT\naccept-version:1.2\nAuthorization:Bearer slow\n\n\0"

static struct peer *open_pending(struct rig *rig)
{
    static const struct slice bytes = SLICE(SLOW "SUBSCRIBE\nid:0\ndestination:/topic/a\n\n\0");
    struct peer *peer = rig_open(rig, RIG_STOMP, NULL);

    /* The frame behind CONNECT is not looked at before the verdict. */
    assert_int_equal(peer_give(peer, bytes, false), sizeof(SLOW) - 1);
    assert_true(peer->is_paused);
    assert_string_equal(peer_heard(peer), "");
    return peer;
}

static void a_pending_token_holds_the_input_until_it_is_allowed(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = open_pending(rig);

    (void)state;
    rig_advance(rig, 5000);
    session_resolve(&rig->env, rig->pending, SESSION_ALLOWED, rig_identity("carol"));
    assert_false(peer->is_paused);
    assert_string_equal(peer_heard(peer), HELLO "user-name:carol\n\n^");
    peer_say(peer, "SUBSCRIBE\nid:0\ndestination:/topic/a\n\n\0");
    assert_int_equal(peer->receiver.subscriptions.n, 1);
    /* A second verdict has nothing to decide. */
    session_resolve(&rig->env, rig->pending, SESSION_REFUSED, NULL);
    session_resolve(&rig->env, rig->pending, SESSION_ALLOWED, rig_identity("dora"));
    assert_int_equal(peer->n_closes, 0);
    rig_free(rig);
}

static void a_pending_token_may_be_refused(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = open_pending(rig);

    (void)state;
    session_resolve(&rig->env, rig->pending, SESSION_REFUSED, NULL);
    assert_closed(peer, 1002, SORRY("The token could not be checked"));
    assert_int_equal(rig_metric(rig, METRIC_AUTH_FAILED), 1);
    rig_free(rig);
}

static void without_a_verdict_in_time_the_token_is_refused(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = open_pending(rig);

    (void)state;
    rig_advance(rig, 14900);
    assert_int_equal(peer->n_closes, 0);
    rig_advance(rig, 200);
    assert_closed(peer, 1002, SORRY("The token could not be checked"));
    /* The late one is nobody's. */
    session_resolve(&rig->env, rig->pending, SESSION_ALLOWED, rig_identity("late"));
    assert_int_equal(peer->n_closes, 1);
    rig_free(rig);
}

static void the_first_message_limit_holds_for_a_pending_token_too(void **state)
{
    struct rig *rig = rig_new();
    struct peer *peer;

    (void)state;
    rig->config.transport.time_to_first_message_ms = 3000;
    rig_start(rig);
    peer = open_pending(rig);
    rig_advance(rig, 3100);
    assert_closed(peer, 4500, "");
    session_resolve(&rig->env, rig->pending, SESSION_ALLOWED, rig_identity("late"));
    rig_free(rig);
}

static void a_verdict_for_a_session_that_has_gone_is_ignored(void **state)
{
    struct rig *rig = rig_started();
    struct session_ref gone, unknown = {1000, 1};
    struct peer *heir;

    (void)state;
    peer_end(open_pending(rig));
    gone = rig->pending;
    session_resolve(&rig->env, gone, SESSION_ALLOWED, rig_identity("late"));
    session_resolve(&rig->env, unknown, SESSION_ALLOWED, rig_identity("nobody"));

    /* The next session has the same slot and waits itself. */
    heir = open_pending(rig);
    assert_int_equal(rig->pending.slot, gone.slot);
    assert_int_not_equal(rig->pending.generation, gone.generation);
    session_resolve(&rig->env, gone, SESSION_ALLOWED, rig_identity("late"));
    assert_true(heir->is_paused);
    session_resolve(&rig->env, rig->pending, SESSION_ALLOWED, rig_identity("heir"));
    assert_string_equal(peer_heard(heir), HELLO "user-name:heir\n\n^");
    rig_free(rig);
}

static void a_pending_token_must_name_the_user_of_the_handshake(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = rig_open(rig, RIG_STOMP, "alice");

    (void)state;
    peer_say(peer, SLOW);
    session_resolve(&rig->env, rig->pending, SESSION_ALLOWED, rig_identity("bob"));
    assert_closed(peer, 1002,
                  SORRY("The tokens of the handshake and of CONNECT name different users"));
    rig_free(rig);
}

static void many_sessions_have_slots_of_their_own(void **state)
{
    struct rig *rig = rig_started();

    (void)state;
    for (size_t i = 0; i < 200; i++)
        assert_int_equal(rig_open(rig, RIG_STOMP, NULL)->session.ref.slot, i);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connected_names_version_heartbeat_and_user_in_this_order),
        cmocka_unit_test(the_highest_common_version_is_chosen),
        cmocka_unit_test(connect_that_cannot_be_obeyed_is_an_error_and_1002),
        cmocka_unit_test(heartbeats_with_spaces_or_without_a_comma_are_taken),
        cmocka_unit_test(end_of_lines_before_connect_are_no_error),
        cmocka_unit_test(a_frame_before_connect_is_an_unknown_session),
        cmocka_unit_test(a_second_connect_finds_the_session_there),
        cmocka_unit_test(tokens_of_handshake_and_connect),
        cmocka_unit_test(a_malformed_bearer_is_refused),
        cmocka_unit_test(connect_needs_the_rule_of_its_endpoint),
        cmocka_unit_test(a_pending_token_holds_the_input_until_it_is_allowed),
        cmocka_unit_test(a_pending_token_may_be_refused),
        cmocka_unit_test(without_a_verdict_in_time_the_token_is_refused),
        cmocka_unit_test(the_first_message_limit_holds_for_a_pending_token_too),
        cmocka_unit_test(a_verdict_for_a_session_that_has_gone_is_ignored),
        cmocka_unit_test(a_pending_token_must_name_the_user_of_the_handshake),
        cmocka_unit_test(many_sessions_have_slots_of_their_own),
    };

    return cmocka_run_group_tests_name("gateway/session/stomp_connect", tests, NULL, NULL);
}
