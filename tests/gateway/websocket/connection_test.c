#include "tests/gateway/websocket/net.h"

#include <stdio.h>
#include <stdlib.h>

/* A connection as its client sees it: frames in, frames out, and the real timers. */

#define MESSAGE(id, body_len, body)                                                                \
    "MESSAGE\ndestination:/topic/a\nsubscription:s\nmessage-id:0000000000000abc-0-" id             \
    "\ncontent-length:" body_len "\n\n" body "^"

static struct client *connected(struct net *net)
{
    struct client *client = client_open(net, 0, NET_STOMP);

    client_connect(client);
    return client;
}

static void write_in_pieces(struct client *client, struct slice bytes, size_t piece)
{
    while (bytes.len != 0) {
        fd_write(client->fd, slice_take(bytes, piece));
        bytes = slice_skip(bytes, piece);
    }
}

/* --- frames --- */

static void a_session_from_connect_to_disconnect(void **state)
{
    struct net *net = net_started();
    struct client *client = client_open(net, 0, NET_STOMP);

    (void)state;
    client_text(client, "CONNECT\naccept-version:1.2\nAuthorization:Bearer alice\n\n\0");
    expect_text(client, "CONNECTED\nversion:1.2\nheart-beat:0,0\nuser-name:alice\n\n^");
    client_subscribe(client, "s", "/topic/a");
    client_text(client, "SEND\ndestination:/topic/a\nreceipt:1\n\nhello\0");
    expect_text(client, MESSAGE("0", "5", "hello"));
    expect_text(client, "RECEIPT\nreceipt-id:1\n\n^");
    client_text(client, "DISCONNECT\nreceipt:2\n\n\0");
    expect_text(client, "RECEIPT\nreceipt-id:2\n\n^");
    client_say_close(client, 1000);
    expect_close(client, 1000, "");
    expect_end(client);
    client_vanish(client);
    fleet_wait_for_streams(&net->fleet, 0, 0);
    net_free(net);
}

static void frames_may_come_in_any_pieces(void **state)
{
    static const struct slice send = SLICE("SEND\ndestination:/topic/a\n\nhello\0");
    struct net *net = net_started();
    struct client *client = connected(net);

    (void)state;
    client_subscribe(client, "s", "/topic/a");

    /* One STOMP frame in three fragments with a ping between them, a byte at a time. */
    {
        struct slice parts[] = {
            client_frame_bytes(0x01, slice_take(send, 10)),
            client_frame_bytes(0x89, slice_str("hey")),
            client_frame_bytes(0x00, slice_take(slice_skip(send, 10), 15)),
            client_frame_bytes(0x80, slice_skip(send, 25)),
        };

        for (size_t i = 0; i < 4; i++) {
            write_in_pieces(client, parts[i], 1);
            free((char *)parts[i].base);
        }
    }
    expect_frame(client, 0x8a, "hey", __FILE__, __LINE__);
    expect_text(client, MESSAGE("0", "5", "hello"));

    /* One frame in several messages, text and binary; several frames in one message. */
    client_frame(client, 0x81, slice_take(send, 5));
    client_frame(client, 0x82, slice_skip(send, 5));
    expect_text(client, MESSAGE("1", "5", "hello"));
    client_text(client, "SEND\ndestination:/topic/a\n\na\0\n\nSEND\ndestination:/topic/a\n\nb\0\n");
    expect_text(client, MESSAGE("2", "1", "a"));
    expect_text(client, MESSAGE("3", "1", "b"));
    net_free(net);
}

static void input_that_came_with_the_handshake_is_read(void **state)
{
    static const struct slice connect = SLICE("CONNECT\naccept-version:1.1\n\n\0");
    struct net *net = net_started();
    struct slice bytes = client_frame_bytes(0x81, connect);
    struct client *client =
        client_open_with(net, 0, NET_STOMP, 0, slice_take(bytes, bytes.len - 3));

    (void)state;
    fd_write(client->fd, slice_skip(bytes, bytes.len - 3));
    expect_text(client, "CONNECTED\nversion:1.1\nheart-beat:0,0\n\n^");
    free((char *)bytes.base);
    net_free(net);
}

static void bodies_that_are_no_text_come_as_binary_messages(void **state)
{
    struct net *net = net_started();
    struct client *client = connected(net);

    (void)state;
    client_subscribe(client, "s", "/topic/a");
    client_text(client, "SEND\ndestination:/topic/a\ncontent-type:application/octet-stream\n\nx\0");
    client_next(client);
    assert_int_equal(client->head, 0x82);
    client_binary(client, "SEND\ndestination:/topic/a\n\n\xff\0");
    expect_binary(client, MESSAGE("1", "1", "\xff"));
    client_text(client, "SEND\ndestination:/topic/a\n\nx\0");
    expect_text(client, MESSAGE("2", "1", "x"));
    net_free(net);
}

static void plain_messages_of_all_shapes_are_echoed(void **state)
{
    struct net *net = net_started();
    struct client *client = client_open(net, 0, NET_ECHO);
    char *large = malloc(65537);

    (void)state;
    assert_non_null(large);
    memset(large, 'L', 65536);
    large[65536] = '\0';
    client_text(client, "안녕");
    expect_text(client, "안녕");
    client_text(client, "");
    expect_text(client, "");
    client_binary(client, "");
    expect_binary(client, "");
    client_frame(client, 0x01, slice_str(""));
    client_frame(client, 0x00, slice_str("a"));
    client_frame(client, 0x89, slice_str(""));
    client_frame(client, 0x00, slice_str("b"));
    client_frame(client, 0x80, slice_str(""));
    expect_frame(client, 0x8a, "", __FILE__, __LINE__);
    expect_text(client, "ab");
    client_frame(client, 0x02, slice_str(""));
    client_frame(client, 0x80, slice_str(""));
    expect_binary(client, "");
    client_frame(client, 0x82, slice_of(large, 65536));
    expect_binary(client, large);
    client_frame(client, 0x01, slice_of(large, 65535));
    client_frame(client, 0x80, slice_of(large, 1));
    expect_text(client, large);
    free(large);
    net_free(net);
}

static void what_is_no_websocket_is_closed_with_its_code(void **state)
{
    static const struct {
        struct slice bytes;
        uint16_t code;
    } rows[] = {
        {SLICE("\x81\x01x"), 1002},                        /* not masked */
        {SLICE("\xc1\x80\x01\x02\x03\x04"), 1002},         /* a reserved bit */
        {SLICE("\x83\x80\x01\x02\x03\x04"), 1002},         /* an unknown opcode */
        {SLICE("\x80\x80\x01\x02\x03\x04"), 1002},         /* nothing to be continued */
        {SLICE("\x81\x81\0\0\0\0\xff"), 1007},             /* text that is no UTF-8 */
        {SLICE("\x88\x81\0\0\0\0\x03"), 1002},             /* half a close code */
        {SLICE("\x82\xff\0\0\0\0\0\1\0\1\0\0\0\0"), 1009}, /* a head that says 64 KiB and one */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct net *net = net_started();
        struct client *client = client_open(net, 0, i % 2 == 0 ? NET_STOMP : NET_ECHO);

        fd_write(client->fd, rows[i].bytes);
        client_next(client);
        assert_int_equal(client->head, 0x88);
        assert_int_equal((unsigned char)client->payload[0] << 8 | (unsigned char)client->payload[1],
                         rows[i].code);
        /* What still comes makes no reset of it. */
        fd_write(client->fd, slice_str("more of the same"));
        expect_end(client);
        net_free(net);
    }
}

static void a_message_above_the_limit_is_1009_whatever_its_fragments(void **state)
{
    struct net *net = net_new();
    struct client *client;

    (void)state;
    net->endpoints[NET_ECHO].message_size_limit = 10;
    net_start(net, 1);
    client = client_open(net, 0, NET_ECHO);
    client_text(client, "0123456789");
    expect_text(client, "0123456789");
    client_frame(client, 0x01, slice_str("01234"));
    client_frame(client, 0x00, slice_str("56789"));
    client_frame(client, 0x00, slice_str("x"));
    client_next(client);
    assert_memory_equal(client->payload, "\x03\xf1", 2);
    expect_end(client);
    net_free(net);
}

/* --- timers --- */

static void heartbeats_go_out_and_their_absence_ends_the_session(void **state)
{
    struct net *net = net_new();
    struct client *client;

    (void)state;
    net->config.broker.heartbeat_send_ms = 30;
    net->config.broker.heartbeat_receive_ms = 40;
    net_start(net, 1);
    client = client_open(net, 0, NET_STOMP);
    client_text(client, "CONNECT\nheart-beat:40,30\n\n\0");
    expect_text(client, "CONNECTED\nversion:1.0\nheart-beat:30,40\n\n^");
    expect_text(client, "\n");
    /* Three times 40 ms later, with beats of ours all the while. */
    do
        client_next(client);
    while (strcmp(client->payload, "\n") == 0);
    assert_string_equal(client->payload, "ERROR\nmessage:Session closed.\ncontent-length:0\n\n^");
    client_answer_close(client, 1002, "");
    net_free(net);
}

static void without_connect_in_time_it_is_4500(void **state)
{
    struct net *net = net_new();
    struct client *client;

    (void)state;
    net->config.transport.time_to_first_message_ms = 30;
    net_start(net, 1);
    client = client_open(net, 0, NET_STOMP);
    client_text(client, "CONNECT\n"); /* half a frame and then nothing */
    client_answer_close(client, 4500, "No CONNECT in time");
    assert_int_equal(fleet_metric(&net->fleet, METRIC_CLOSED_FIRST_MESSAGE), 1);
    net_free(net);
}

static void an_idle_plain_connection_is_closed_1000(void **state)
{
    struct net *net = net_new();
    struct client *client;

    (void)state;
    net->endpoints[NET_ECHO].idle_timeout_ms = 50;
    net_start(net, 1);
    client = client_open(net, 0, NET_ECHO);
    client_text(client, "x");
    expect_text(client, "x");
    client_frame(client, 0x8a, slice_str("")); /* no message */
    client_answer_close(client, 1000, "Idle for too long");
    net_free(net);
}

static void two_unanswered_pings_are_1002(void **state)
{
    struct net *net = net_new();
    struct client *silent, *lively;

    (void)state;
    net->config.transport.ping_interval_ms = 40;
    net_start(net, 1);
    silent = client_open(net, 0, NET_STOMP);
    expect_frame(silent, 0x89, "", __FILE__, __LINE__);
    expect_frame(silent, 0x89, "", __FILE__, __LINE__);
    expect_close(silent, 1002, "No pong received");

    lively = client_open(net, 0, NET_STOMP);
    for (int i = 0; i < 6; i++) {
        expect_frame(lively, 0x89, "", __FILE__, __LINE__);
        client_frame(lively, 0x8a, slice_str(""));
    }
    assert_int_equal(fleet_metric(&net->fleet, METRIC_CLOSED_PING), 1);
    net_free(net);
}

/* --- tokens that are asked for elsewhere --- */

static void a_pending_connect_holds_what_follows(void **state)
{
    struct net *net = net_started();
    struct client *client = client_open(net, 0, NET_STOMP);

    (void)state;
    client_text(client, "CONNECT\naccept-version:1.2\nAuthorization:Bearer slow\n\n\0"
                        "SUBSCRIBE\nid:s\ndestination:/topic/a\nreceipt:1\n\n\0");
    client_text(client, "SEND\ndestination:/topic/a\nreceipt:2\n\nx\0");
    fleet_wait_for_metric(&net->fleet, METRIC_CONNECT_FRAMES, 1);
    fd_assert_silent(client->fd);
    net_resolve(net, 0, "carol");
    expect_text(client, "CONNECTED\nversion:1.2\nheart-beat:0,0\nuser-name:carol\n\n^");
    expect_text(client, "RECEIPT\nreceipt-id:1\n\n^");
    expect_text(client, MESSAGE("0", "1", "x"));
    expect_text(client, "RECEIPT\nreceipt-id:2\n\n^");
    net_free(net);
}

static void a_pending_connect_ends_with_its_connection_or_its_time(void **state)
{
    struct net *net = net_started();
    struct client *gone, *refused;

    (void)state;
    gone = client_open(net, 0, NET_STOMP);
    client_text(gone, "CONNECT\nAuthorization:Bearer slow\n\n\0");
    fleet_wait_for_metric(&net->fleet, METRIC_CONNECT_FRAMES, 1);
    fleet_abort_streams(&net->fleet);
    net_resolve(net, 0, "late"); /* a session that is not there any more */

    refused = client_open(net, 0, NET_STOMP);
    client_text(refused, "CONNECT\nAuthorization:Bearer slow\n\n\0ACK\n\n\0");
    fleet_wait_for_metric(&net->fleet, METRIC_CONNECT_FRAMES, 2);
    fleet_skip(&net->fleet, 0, 15100);
    expect_text(refused, "ERROR\nmessage:The token could not be checked\ncontent-length:0\n\n^");
    net_resolve(net, 0, "late"); /* one that is closing */
    client_answer_close(refused, 1002, "");
    net_free(net);
}

/* --- all of them --- */

static void close_some(struct worker *worker, void *ctx)
{
    struct net *net = ctx;

    ws_connection_close_some(&net->websockets[worker->index], 2);
}

static void a_shutdown_closes_some_at_a_time_with_1001(void **state)
{
    struct net *net = net_started();
    struct client *clients[3];

    (void)state;
    for (size_t i = 0; i < 3; i++)
        clients[i] = client_open(net, 0, i == 1 ? NET_ECHO : NET_STOMP);
    fleet_ask(&net->fleet, 0, close_some, net);
    client_answer_close(clients[2], 1001, "The server is shutting down");
    client_answer_close(clients[1], 1001, "The server is shutting down");
    fd_assert_silent(clients[0]->fd);
    fleet_ask(&net->fleet, 0, close_some, net);
    client_answer_close(clients[0], 1001, "The server is shutting down");
    net_free(net);
}

static void abort_all(struct worker *worker, void *ctx)
{
    struct net *net = ctx;

    ws_connection_abort_all(&net->websockets[worker->index]);
}

static void an_abort_ends_all_at_once(void **state)
{
    struct net *net = net_started();
    struct client *clients[3];

    (void)state;
    for (size_t i = 0; i < 3; i++)
        clients[i] = client_open(net, 0, NET_STOMP);
    fleet_ask(&net->fleet, 0, abort_all, net);
    for (size_t i = 0; i < 3; i++)
        expect_end(clients[i]);
    fleet_wait_for_streams(&net->fleet, 0, 0);
    net_free(net);
}

static void a_connection_too_many_is_closed_1013(void **state)
{
    struct net *net = net_new();
    struct client *first, *second;

    (void)state;
    net->config.transport.max_connections = 1;
    net_start(net, 1);
    first = client_open(net, 0, NET_STOMP);
    second = client_open(net, 0, NET_STOMP);
    client_answer_close(second, 1013, "Too many connections");
    client_connect(first);
    net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_from_connect_to_disconnect),
        cmocka_unit_test(frames_may_come_in_any_pieces),
        cmocka_unit_test(input_that_came_with_the_handshake_is_read),
        cmocka_unit_test(bodies_that_are_no_text_come_as_binary_messages),
        cmocka_unit_test(plain_messages_of_all_shapes_are_echoed),
        cmocka_unit_test(what_is_no_websocket_is_closed_with_its_code),
        cmocka_unit_test(a_message_above_the_limit_is_1009_whatever_its_fragments),
        cmocka_unit_test(heartbeats_go_out_and_their_absence_ends_the_session),
        cmocka_unit_test(without_connect_in_time_it_is_4500),
        cmocka_unit_test(an_idle_plain_connection_is_closed_1000),
        cmocka_unit_test(two_unanswered_pings_are_1002),
        cmocka_unit_test(a_pending_connect_holds_what_follows),
        cmocka_unit_test(a_pending_connect_ends_with_its_connection_or_its_time),
        cmocka_unit_test(a_shutdown_closes_some_at_a_time_with_1001),
        cmocka_unit_test(an_abort_ends_all_at_once),
        cmocka_unit_test(a_connection_too_many_is_closed_1013),
    };

    return cmocka_run_group_tests_name("gateway/websocket/connection", tests, NULL, NULL);
}
