#include "tests/gateway/session/rig.h"

/* Endpoints without STOMP: echo and broadcast. */

static size_t give_piece(struct peer *peer, struct slice bytes, bool is_binary, bool is_first,
                         bool is_last)
{
    const struct session_input input = {
        .is_binary = is_binary,
        .is_first = is_first,
        .is_last = is_last,
        .frames_left = &peer->frames_left,
    };

    return session_input(&peer->session, bytes, &input);
}

static void echo_sends_back_the_type_that_came_with_its_prefix_on_text(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = rig_open(rig, RIG_ECHO, NULL), *other = rig_open(rig, RIG_ECHO, NULL);

    (void)state;
    assert_int_equal(peer->session.state, SESSION_CONNECTED);
    peer_say(peer, "안녕");
    peer_say_binary(peer, "\xff\x01");
    peer_say(peer, "");
    peer_say_binary(peer, "");
    assert_string_equal(peer_heard(peer), "echo: 안녕[binary]\xff\x01"
                                          "echo: [binary]");
    assert_string_equal(peer_heard(other), "");
    rig_free(rig);
}

static void a_message_in_pieces_is_one_message(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = rig_open(rig, RIG_ECHO, NULL);

    (void)state;
    assert_int_equal(give_piece(peer, slice_str("ab"), false, true, false), 2);
    assert_int_equal(give_piece(peer, slice_str(""), false, false, false), 0);
    assert_int_equal(give_piece(peer, slice_str("cd"), false, false, false), 2);
    assert_string_equal(peer_heard(peer), "");
    assert_int_equal(give_piece(peer, slice_str(""), false, false, true), 0);
    assert_string_equal(peer_heard(peer), "echo: abcd");
    assert_int_equal(give_piece(peer, slice_str(""), true, true, false), 0);
    assert_int_equal(give_piece(peer, slice_str("x"), true, false, true), 1);
    assert_string_equal(peer_heard(peer), "[binary]x");
    rig_free(rig);
}

static void messages_beyond_the_share_of_the_tick_wait(void **state)
{
    struct rig *rig = rig_started();
    struct peer *peer = rig_open(rig, RIG_ECHO, NULL);

    (void)state;
    peer->frames_left = 1;
    assert_int_equal(peer_give(peer, slice_str("a"), false), 1);
    assert_int_equal(peer->frames_left, 0);
    assert_int_equal(peer_give(peer, slice_str("b"), false), 0);
    /* Of an empty one nothing could be left, so it is taken. */
    peer_say(peer, "");
    peer->frames_left = 1;
    rig->is_congested = true;
    assert_int_equal(peer_give(peer, slice_str("b"), false), 0);
    rig->is_congested = false;
    assert_int_equal(peer_give(peer, slice_str("b"), false), 1);
    assert_string_equal(peer_heard(peer), "echo: aecho: echo: b");
    rig_free(rig);
}

static void a_room_hears_each_message_but_not_its_sender(void **state)
{
    struct rig *rig = rig_started();
    struct peer *a = rig_open(rig, RIG_ROOM, NULL), *b = rig_open(rig, RIG_ROOM, NULL),
                *c = rig_open(rig, RIG_ROOM, NULL), *d = rig_open(rig, RIG_ROOM, NULL),
                *elsewhere = rig_open(rig, RIG_MIRROR, NULL);

    (void)state;
    peer_say(a, "hi");
    peer_say_binary(b, "\xff");
    peer_say(a, "");
    assert_string_equal(peer_heard(a), "[binary]\xff");
    assert_string_equal(peer_heard(b), "hi");
    assert_string_equal(peer_heard(c), "hi[binary]\xff");
    assert_string_equal(peer_heard(d), "hi[binary]\xff");
    assert_string_equal(peer_heard(elsewhere), "");
    assert_int_equal(rig_metric(rig, METRIC_PUBLISHED), 3);
    rig_free(rig);
}

static void a_mirroring_room_gives_senders_their_own(void **state)
{
    struct rig *rig = rig_started();
    struct peer *a = rig_open(rig, RIG_MIRROR, NULL), *b = rig_open(rig, RIG_MIRROR, NULL);

    (void)state;
    peer_say(a, "hi");
    assert_string_equal(peer_heard(a), "hi");
    assert_string_equal(peer_heard(b), "hi");
    rig_free(rig);
}

static void the_sender_of_a_room_may_leave_in_the_same_tick(void **state)
{
    struct rig *rig = rig_started();
    struct peer *a = rig_open(rig, RIG_ROOM, NULL), *b = rig_open(rig, RIG_ROOM, NULL),
                *c = rig_open(rig, RIG_ROOM, NULL), *d = rig_open(rig, RIG_ROOM, NULL);

    (void)state;
    peer_say(a, "hi");
    peer_end(a);
    peer_end(b);
    assert_string_equal(peer_heard(c), "hi");
    assert_string_equal(peer_heard(d), "hi");
    rig_free(rig);
}

static void plain_sessions_need_a_token_unless_anonymous_is_allowed(void **state)
{
    static const struct {
        bool anonymous, endpoint_anonymous;
        const char *user;
        bool is_allowed;
    } rows[] = {
        {false, false, NULL, false},
        {false, false, "alice", true},
        {true, false, NULL, true},
        {false, true, NULL, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig *rig = rig_new();
        struct peer *peer;

        rig->config.auth.anonymous = rows[i].anonymous;
        rig->endpoints[RIG_ECHO].anonymous = rows[i].endpoint_anonymous;
        rig_start(rig);
        peer = rig_open(rig, RIG_ECHO, rows[i].user);
        if (rows[i].is_allowed) {
            peer_say(peer, "x");
            assert_string_equal(peer_heard(peer), "echo: x");
        } else {
            peer_say(peer, "x");
            assert_closed(peer, 1008, "");
            assert_string_equal(peer->close_reason, "A token is required");
        }
        rig_free(rig);
    }
}

static void access_rules_hold_on_the_path(void **state)
{
    static const struct slice room = SLICE("/room");
    static const struct {
        unsigned denied;
        bool may_open, may_send;
    } rows[] = {
        {AUTH_CONNECT, false, false},
        {AUTH_SUBSCRIBE, false, false},
        {AUTH_SEND, true, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig *rig = rig_new();
        struct peer *peer;

        rig_rule(rig, rows[i].denied, &room, AUTH_ALLOW_NONE);
        rig_rule(rig, AUTH_CONNECT | AUTH_SEND | AUTH_SUBSCRIBE, NULL, AUTH_ALLOW_ALL);
        rig_start(rig);
        peer = rig_open(rig, RIG_ROOM, NULL);
        assert_int_equal(peer->n_closes, !rows[i].may_open);
        peer_say(peer, "x");
        assert_closed(peer, 1008, "");
        assert_string_equal(peer->close_reason, "Access denied");
        rig_free(rig);
    }
}

static void stomp_and_raw_subscribers_share_a_destination(void **state)
{
    struct rig *rig = rig_new();
    struct peer *stomp, *raw, *sender;
    struct slice prefixes[] = {SLICE("/topic"), SLICE("/room")};

    (void)state;
    rig->config.broker.destination_prefixes = (struct config_strings){prefixes, 2};
    rig_start(rig);
    stomp = rig_open(rig, RIG_STOMP, NULL);
    raw = rig_open(rig, RIG_ROOM, NULL);
    sender = rig_open(rig, RIG_ROOM, NULL);
    peer_connect(stomp);
    peer_subscribe(stomp, "", "/room");
    peer_say(sender, "hi");
    peer_say_binary(sender, "\xff");
    assert_string_equal(peer_heard(stomp),
                        "MESSAGE\ndestination:/room\ncontent-type:text/plain;charset=UTF-8\n"
                        "subscription:\nmessage-id:0000000000000abc-0-0\ncontent-length:2\n\nhi^"
                        "[binary]MESSAGE\ndestination:/room\ncontent-type:application/octet-stream"
                        "\nsubscription:\nmessage-id:0000000000000abc-0-1\ncontent-length:1\n\n"
                        "\xff^");
    peer_say(stomp, "SEND\ndestination:/room\n\nyo\0");
    assert_string_equal(peer_heard(raw), "hi[binary]\xffyo");
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echo_sends_back_the_type_that_came_with_its_prefix_on_text),
        cmocka_unit_test(a_message_in_pieces_is_one_message),
        cmocka_unit_test(messages_beyond_the_share_of_the_tick_wait),
        cmocka_unit_test(a_room_hears_each_message_but_not_its_sender),
        cmocka_unit_test(a_mirroring_room_gives_senders_their_own),
        cmocka_unit_test(the_sender_of_a_room_may_leave_in_the_same_tick),
        cmocka_unit_test(plain_sessions_need_a_token_unless_anonymous_is_allowed),
        cmocka_unit_test(access_rules_hold_on_the_path),
        cmocka_unit_test(stomp_and_raw_subscribers_share_a_destination),
    };

    return cmocka_run_group_tests_name("gateway/session/plain_session", tests, NULL, NULL);
}
