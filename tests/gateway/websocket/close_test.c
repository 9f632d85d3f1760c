#include "tests/gateway/websocket/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

/* How connections end: close frames both ways, ERRORs that arrive, slow clients that are cut. */

static struct client *connected(struct net *net)
{
    struct client *client = client_open(net, 0, NET_STOMP);

    client_connect(client);
    return client;
}

static void the_peers_close_is_echoed_and_then_the_end_comes(void **state)
{
    static const uint16_t codes[] = {1000, 1001, 3000, 4999, 1005};

    (void)state;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        struct net *net = net_started();
        struct client *client = client_open(net, 0, i % 2 == 0 ? NET_STOMP : NET_ECHO);

        client_say_close(client, codes[i]);
        expect_close(client, codes[i] == 1005 ? 1000 : codes[i], "");
        expect_end(client);
        client_vanish(client);
        fleet_wait_for_streams(&net->fleet, 0, 0);
        net_free(net);
    }
}

static void the_peers_reason_is_echoed(void **state)
{
    char payload[125] = {0x03, (char)0xe9}; /* 1001, and as long a reason as there may be */
    struct net *net = net_started();
    struct client *client = connected(net);

    (void)state;
    memset(payload + 2, 'r', sizeof(payload) - 2);
    client_frame(client, 0x88, slice_of(payload, sizeof(payload)));
    client_next(client);
    assert_int_equal(client->head, 0x88);
    assert_int_equal(client->len, sizeof(payload));
    assert_memory_equal(client->payload, payload, sizeof(payload));
    expect_end(client);
    net_free(net);
}

static void what_was_asked_before_a_close_is_answered_first(void **state)
{
    struct net *net = net_started();
    struct client *client = connected(net);

    (void)state;
    client_text(client, "ACK\nid:x\nreceipt:1\n\n\0");
    client_text(client, "ACK\nid:x\nreceipt:2\n\n\0");
    client_say_close(client, 1000);
    client_text(client, "ACK\nid:x\nreceipt:3\n\n\0"); /* behind a close is nothing */
    expect_text(client, "RECEIPT\nreceipt-id:1\n\n^");
    expect_text(client, "RECEIPT\nreceipt-id:2\n\n^");
    expect_close(client, 1000, "");
    expect_end(client);
    net_free(net);
}

static void an_error_arrives_though_the_peer_keeps_sending(void **state)
{
    static const struct slice send = SLICE("SEND\ndestination:/topic/a\n\nsome words\0");
    struct net *net = net_started();
    struct client *client = connected(net), *other = connected(net);

    (void)state;
    client_subscribe(other, "s", "/topic/a");
    client_text(client, "FOO\n\n\0");
    for (int i = 0; i < 3000; i++)
        client_frame(client, 0x81, send);
    client_frame(client, 0x89, slice_str("no answer any more"));
    expect_text(client, "ERROR\nmessage:Unknown command 'FOO'\ncontent-length:0\n\n^");
    client_answer_close(client, 1002, "");
    client_vanish(client);
    fleet_wait_for_streams(&net->fleet, 0, 1);
    fd_assert_silent(other->fd);
    net_free(net);
}

static void disconnect_without_a_receipt_ends_in_1002(void **state)
{
    struct net *net = net_started();
    struct client *client = connected(net);

    (void)state;
    /* The Java client's way: both in a row. */
    client_text(client, "DISCONNECT\n\n\0");
    client_say_close(client, 1000);
    expect_text(client, "ERROR\nmessage:Session closed.\ncontent-length:0\n\n^");
    expect_close(client, 1002, "");
    expect_end(client);
    net_free(net);
}

static void a_peer_that_never_answers_a_close_is_left(void **state)
{
    struct net *net = net_started();
    struct client *client = connected(net);

    (void)state;
    client_text(client, "FOO\n\n\0");
    client_next(client);
    expect_close(client, 1002, "");
    client_text(client, "what close?");
    fleet_wait_for_streams(&net->fleet, 0, 1);
    fleet_skip(&net->fleet, 0, 5100);
    expect_end(client);
    client_text(client, "still here");
    fleet_skip(&net->fleet, 0, 2100);
    fleet_wait_for_streams(&net->fleet, 0, 0);
    net_free(net);
}

static void a_peer_that_breaks_the_protocol_while_it_is_closed_is_not_awaited(void **state)
{
    struct net *net = net_started();
    struct client *client = connected(net);

    (void)state;
    client_text(client, "FOO\n\n\0");
    client_next(client);
    expect_close(client, 1002, "");
    fd_write(client->fd, slice_str("\x81\x01x"));
    expect_end(client);
    net_free(net);
}

static void a_peer_may_go_at_any_moment(void **state)
{
    static const struct slice starts[] = {
        SLICE(""),
        SLICE("CONNECT\n\n\0"),
        SLICE("CONNECT\nAuthorization:Bearer slow\n\n\0ACK\n"),
        SLICE("FOO\n\n\0"),
        SLICE("CONNECT\n\n\0DISCONNECT\nreceipt:r\n\n\0"),
        SLICE("CONNECT\n\n\0SUBSCRIBE\nid:0\ndestination:/topic/a\n\n\0SEND\nhalf:a frame"),
    };

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(starts) / sizeof(starts[0]); i++) {
        struct net *net = net_started();
        struct client *client = client_open(net, 0, NET_STOMP);

        client_frame(client, 0x81, starts[i / 2]);
        if (i / 2 == 2) {
            /* Nobody reads while the token is pending: the end shows afterwards. */
            fleet_wait_for_metric(&net->fleet, METRIC_CONNECT_FRAMES, 1);
            client_vanish(client);
            net_resolve(net, 0, i % 2 == 0 ? "alice" : NULL);
        } else if (i % 2 == 0) {
            client_vanish(client);
        } else {
            (void)shutdown(client->fd, SHUT_WR);
        }
        fleet_wait_for_streams(&net->fleet, 0, 0);
        net_free(net);
    }
}

/* --- slow clients --- */

/* Whole frames all of the same body, then the close; returns how many there were. */
static unsigned read_until_close(struct client *client, size_t body_len)
{
    unsigned n = 0;

    for (;; n++) {
        client_next(client);
        if (client->head == 0x88)
            break;
        assert_int_equal(client->head, 0x81);
        assert_memory_equal(client->payload, "MESSAGE\ndestination:/topic/a\n", 29);
        assert_true(client->len > body_len);
        for (size_t i = 1; i <= body_len; i++)
            assert_int_equal(client->payload[client->len - 1 - i], 'b');
    }
    assert_memory_equal(client->payload, "\x11\x94", 2); /* 4500 */
    assert_string_equal(client->payload + 2,
                        "Failed to send message within the configured send limit");
    client_say_close(client, 4500);
    expect_end(client);
    return n;
}

/* What is published to such a client, a message a tick, until the counter says that it was cut. */
static unsigned publish_until(struct net *net, size_t body_len, enum metric metric)
{
    char *body = malloc(body_len);
    unsigned n = 0;

    assert_non_null(body);
    memset(body, 'b', body_len);
    for (; fleet_metric(&net->fleet, metric) == 0; n++) {
        assert_true(n < 100000);
        net_publish(net, 0, "/topic/a", slice_of(body, body_len));
    }
    free(body);
    return n;
}

static void a_client_that_does_not_read_is_cut_at_the_buffer_limit(void **state)
{
    static const size_t body_lens[] = {10, 1000, 5000, 40000};

    (void)state;
    for (size_t i = 0; i < sizeof(body_lens) / sizeof(body_lens[0]); i++) {
        struct net *net = net_new();
        struct client *slow, *quick;
        unsigned n_published, n_read, n_dropped;

        net->config.transport.send_buffer_size_limit = 100000;
        net_start(net, 1);
        slow = client_open_with(net, 0, NET_STOMP, 8192, slice_str(""));
        quick = connected(net);
        client_connect(slow);
        client_subscribe(slow, "s", "/topic/a");
        client_subscribe(quick, "s", "/topic/quiet");
        n_published = publish_until(net, body_lens[i], METRIC_CLOSED_SEND_BUFFER);
        n_read = read_until_close(slow, body_lens[i]);
        /* What the limit held was dropped, and counted; one more may have come after the cut. */
        n_dropped = (unsigned)fleet_metric(&net->fleet, METRIC_DROPPED);
        assert_true(n_dropped > 0);
        assert_in_range(n_published - n_read - n_dropped, 0, 1);
        client_text(quick, "ACK\nid:x\nreceipt:1\n\n\0");
        expect_text(quick, "RECEIPT\nreceipt-id:1\n\n^");
        net_free(net);
    }
}

static void many_slow_clients_share_bytes_and_are_cut_at_whole_frames(void **state)
{
    struct net *net = net_new();
    struct client *slow[5];
    unsigned n = 0;

    (void)state;
    net->config.transport.send_buffer_size_limit = 50000;
    net_start(net, 1);
    for (size_t i = 0; i < 5; i++) {
        slow[i] = client_open_with(net, 0, NET_STOMP, 4096 + (int)i * 3000, slice_str(""));
        client_connect(slow[i]);
        client_subscribe(slow[i], "s", "/topic/a");
    }
    while (fleet_metric(&net->fleet, METRIC_CLOSED_SEND_BUFFER) < 5) {
        char body[333];

        memset(body, 'b', sizeof(body));
        assert_true(n++ < 10000);
        net_publish(net, 0, "/topic/a", slice_of(body, sizeof(body)));
    }
    for (size_t i = 0; i < 5; i++)
        (void)read_until_close(slow[i], 333);
    net_free(net);
}

static void a_client_that_does_not_read_is_cut_at_the_time_limit(void **state)
{
    struct net *net = net_new();
    struct client *slow;
    char *body = malloc(300000);

    (void)state;
    assert_non_null(body);
    memset(body, 'b', 300000);
    net->config.transport.send_time_limit_ms = 40;
    net_start(net, 1);
    slow = client_open_with(net, 0, NET_STOMP, 8192, slice_str(""));
    client_connect(slow);
    client_subscribe(slow, "s", "/topic/a");
    net_publish(net, 0, "/topic/a", slice_of(body, 300000));
    fleet_wait_for_metric(&net->fleet, METRIC_CLOSED_SEND_TIME, 1);
    net_publish(net, 0, "/topic/a", slice_of(body, 300000)); /* nobody's any more */
    assert_int_equal(read_until_close(slow, 300000), 1);
    free(body);
    net_free(net);
}

static void a_large_tick_is_no_slow_client(void **state)
{
    static const struct slice send = SLICE("SEND\ndestination:/topic/a\n\nb\0");
    struct net *net = net_new();
    struct client *client;

    (void)state;
    net->config.transport.send_buffer_size_limit = 1000;
    net_start(net, 1);
    client = connected(net);
    client_subscribe(client, "s", "/topic/a");
    for (int i = 0; i < 128; i++)
        client_frame(client, 0x81, send);
    for (int i = 0; i < 128; i++)
        client_next(client);
    client_text(client, "ACK\nid:x\nreceipt:1\n\n\0");
    expect_text(client, "RECEIPT\nreceipt-id:1\n\n^");
    net_free(net);
}

static void a_flood_of_pings_ends_a_client_that_reads_no_pongs(void **state)
{
    struct net *net = net_new();
    struct slice ping =
        client_frame_bytes(0x89, slice_str("0123456789012345678901234567890123456"));
    struct client *client;
    unsigned n = 0;

    (void)state;
    net->config.transport.send_buffer_size_limit = 20000;
    net_start(net, 1);
    client = client_open_with(net, 0, NET_ECHO, 8192, slice_str(""));
    while (fleet_metric(&net->fleet, METRIC_CLOSED_SEND_BUFFER) == 0) {
        assert_true(n++ < 100000);
        fd_write(client->fd, ping);
    }
    do
        client_next(client);
    while (client->head == 0x8a);
    assert_int_equal(client->head, 0x88);
    free((char *)ping.base);
    net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_peers_close_is_echoed_and_then_the_end_comes),
        cmocka_unit_test(the_peers_reason_is_echoed),
        cmocka_unit_test(what_was_asked_before_a_close_is_answered_first),
        cmocka_unit_test(an_error_arrives_though_the_peer_keeps_sending),
        cmocka_unit_test(disconnect_without_a_receipt_ends_in_1002),
        cmocka_unit_test(a_peer_that_never_answers_a_close_is_left),
        cmocka_unit_test(a_peer_that_breaks_the_protocol_while_it_is_closed_is_not_awaited),
        cmocka_unit_test(a_peer_may_go_at_any_moment),
        cmocka_unit_test(a_client_that_does_not_read_is_cut_at_the_buffer_limit),
        cmocka_unit_test(many_slow_clients_share_bytes_and_are_cut_at_whole_frames),
        cmocka_unit_test(a_client_that_does_not_read_is_cut_at_the_time_limit),
        cmocka_unit_test(a_large_tick_is_no_slow_client),
        cmocka_unit_test(a_flood_of_pings_ends_a_client_that_reads_no_pongs),
    };

    return cmocka_run_group_tests_name("gateway/websocket/close", tests, NULL, NULL);
}
