#include "tests/gateway/websocket/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each client has a share of a tick: what is beyond it waits, whole and in order. */

enum { N_FRAMES = 3000 };

/* ACK frames that ask for receipts 0 to N_FRAMES - 1, each of another length. */
static struct slice make_frames(size_t *begins)
{
    char *bytes = malloc((size_t)N_FRAMES * 128);
    size_t len = 0;

    assert_non_null(bytes);
    for (int i = 0; i < N_FRAMES; i++) {
        begins[i] = len;
        len += (size_t)snprintf(bytes + len, 128, "ACK\nid:x\nreceipt:%d\nx:%.*s\n\n", i, i % 50,
                                "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
        bytes[len++] = '\0';
    }
    begins[N_FRAMES] = len;
    return slice_of(bytes, len);
}

static void expect_receipts(struct client *client)
{
    char expected[64];

    for (int i = 0; i < N_FRAMES; i++) {
        (void)snprintf(expected, sizeof(expected), "RECEIPT\nreceipt-id:%d\n\n^", i);
        expect_text(client, expected);
    }
    fd_assert_silent(client->fd);
}

static struct net *net_with_large_messages(void)
{
    struct net *net = net_new();

    net->endpoints[NET_STOMP].message_size_limit = 1 << 20;
    net_start(net, 1);
    return net;
}

static void many_frames_in_one_message_are_all_answered_in_order(void **state)
{
    struct net *net = net_with_large_messages();
    struct client *client = client_open(net, 0, NET_STOMP);
    size_t begins[N_FRAMES + 1];
    struct slice frames = make_frames(begins);

    (void)state;
    client_connect(client);
    client_frame(client, 0x81, frames);
    expect_receipts(client);
    free((char *)frames.base);
    net_free(net);
}

static void many_messages_are_all_answered_in_order(void **state)
{
    struct net *net = net_with_large_messages();
    struct client *client = client_open(net, 0, NET_STOMP);
    size_t begins[N_FRAMES + 1];
    struct slice frames = make_frames(begins);

    (void)state;
    client_connect(client);
    for (int i = 0; i < N_FRAMES; i++)
        client_frame(client, 0x81, slice_of(frames.base + begins[i], begins[i + 1] - begins[i]));
    expect_receipts(client);
    free((char *)frames.base);
    net_free(net);
}

static void fragments_of_any_size_are_all_answered_in_order(void **state)
{
    static const size_t sizes[] = {1, 7, 997, 70001};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct net *net = net_with_large_messages();
        struct client *client = client_open(net, 0, NET_STOMP);
        size_t begins[N_FRAMES + 1];
        struct slice frames = make_frames(begins), left = frames;
        unsigned char opcode = 0x01;

        client_connect(client);
        while (left.len != 0) {
            struct slice piece = slice_take(left, sizes[i]);

            left = slice_skip(left, piece.len);
            client_frame(client, (unsigned char)(opcode | (left.len == 0 ? 0x80 : 0)), piece);
            opcode = 0;
        }
        expect_receipts(client);
        free((char *)frames.base);
        net_free(net);
    }
}

static void input_that_is_held_goes_on_where_it_stopped(void **state)
{
    struct net *net = net_with_large_messages();
    struct client *client = client_open(net, 0, NET_STOMP);
    size_t begins[N_FRAMES + 1];
    struct slice frames = make_frames(begins);

    (void)state;
    client_connect(client);
    net_hold(net, true);
    client_frame(client, 0x81, slice_take(frames, begins[N_FRAMES / 2] + 5));
    for (int i = 0; i < 10; i++)
        fleet_wait_for_streams(&net->fleet, 0, 1);
    fd_assert_silent(client->fd);
    net_hold(net, false);
    client_frame(client, 0x82, slice_skip(frames, begins[N_FRAMES / 2] + 5));
    expect_receipts(client);
    free((char *)frames.base);
    net_free(net);
}

static void a_held_client_may_be_closed_and_may_go(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct net *net = net_new();
        struct client *client;

        net->endpoints[NET_ECHO].idle_timeout_ms = i == 0 ? 60 : 0;
        net_start(net, 1);
        client = client_open(net, 0, NET_ECHO);
        net_hold(net, true);
        client_text(client, "one");
        client_frame(client, 0x01, slice_str("tw"));
        client_frame(client, 0x80, slice_str("o"));
        client_say_close(client, 1000);
        for (int k = 0; k < 10; k++)
            fleet_wait_for_streams(&net->fleet, 0, 1);
        fd_assert_silent(client->fd);
        if (i == 1) {
            client_vanish(client);
            fleet_abort_streams(&net->fleet);
        } else {
            net_hold(net, false);
            expect_text(client, "one");
            expect_text(client, "two");
            expect_close(client, 1000, "");
            expect_end(client);
        }
        net_free(net);
    }
}

static void a_plain_message_that_came_in_part_is_not_lost_while_input_is_held(void **state)
{
    struct net *net = net_started();
    struct client *client = client_open(net, 0, NET_ECHO);

    (void)state;
    client_frame(client, 0x01, slice_str("one,"));
    client_text(client_open(net, 0, NET_ECHO), "x"); /* whoever is served behind it */
    expect_text(net->clients, "x");
    net_hold(net, true);
    client_frame(client, 0x00, slice_str("two,"));
    client_frame(client, 0x80, slice_str(""));
    client_frame(client, 0x82, slice_str("three"));
    for (int i = 0; i < 10; i++)
        fleet_wait_for_streams(&net->fleet, 0, 2);
    fd_assert_silent(client->fd);
    net_hold(net, false);
    expect_text(client, "one,two,");
    expect_binary(client, "three");
    net_free(net);
}

static void empty_messages_and_pings_have_a_share_too(void **state)
{
    struct net *net = net_started();
    struct client *client = client_open(net, 0, NET_ECHO);
    char text[16];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(text, sizeof(text), "%d", i);
        client_frame(client, 0x81, slice_str(""));
        client_frame(client, 0x89, slice_str(text));
        client_frame(client, 0x82, slice_str(text));
    }
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(text, sizeof(text), "%d", i);
        expect_text(client, "");
        expect_frame(client, 0x8a, text, __FILE__, __LINE__);
        expect_binary(client, text);
    }
    net_free(net);
}

static void a_busy_client_does_not_keep_others_waiting(void **state)
{
    static const struct slice send = SLICE("SEND\ndestination:/topic/a\n\nbusy\0");
    struct net *net = net_with_large_messages();
    struct client *busy = client_open(net, 0, NET_STOMP), *other = client_open(net, 0, NET_STOMP),
                  *listener = client_open(net, 0, NET_STOMP);
    char *frames = malloc(send.len * N_FRAMES);
    int n_before = 0;

    (void)state;
    assert_non_null(frames);
    for (size_t i = 0; i < N_FRAMES; i++)
        memcpy(frames + i * send.len, send.base, send.len);
    client_connect(busy);
    client_connect(other);
    client_connect(listener);
    client_subscribe(listener, "s", "/topic/a");
    /* Both are there when input goes on: the busy one's 3,000 frames and the other's single one. */
    net_hold(net, true);
    client_frame(busy, 0x81, slice_of(frames, send.len * N_FRAMES));
    client_text(other, "SEND\ndestination:/topic/a\n\nother\0");
    for (int i = 0; i < 10; i++)
        fleet_wait_for_streams(&net->fleet, 0, 3);
    net_hold(net, false);
    for (;;) {
        client_next(listener);
        if (strstr(listener->payload, "\n\nother^") != NULL)
            break;
        assert_non_null(strstr(listener->payload, "\n\nbusy^"));
        n_before++;
    }
    assert_in_range(n_before, 0, 2 * 128);
    for (int i = n_before; i < N_FRAMES; i++)
        client_next(listener);
    free(frames);
    net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_frames_in_one_message_are_all_answered_in_order),
        cmocka_unit_test(many_messages_are_all_answered_in_order),
        cmocka_unit_test(fragments_of_any_size_are_all_answered_in_order),
        cmocka_unit_test(input_that_is_held_goes_on_where_it_stopped),
        cmocka_unit_test(a_held_client_may_be_closed_and_may_go),
        cmocka_unit_test(a_plain_message_that_came_in_part_is_not_lost_while_input_is_held),
        cmocka_unit_test(empty_messages_and_pings_have_a_share_too),
        cmocka_unit_test(a_busy_client_does_not_keep_others_waiting),
    };

    return cmocka_run_group_tests_name("gateway/websocket/share", tests, NULL, NULL);
}
