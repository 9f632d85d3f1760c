#include "tests/gateway/websocket/net.h"

#include <stdio.h>

/* Sessions on several workers: what is promised to one client holds for all. */

static struct net *net_of(unsigned n_workers)
{
    struct net *net = net_new();

    net_start(net, n_workers);
    return net;
}

static struct client *connected(struct net *net, unsigned worker)
{
    struct client *client = client_open(net, worker, NET_STOMP);

    client_connect(client);
    return client;
}

static void send_number(struct client *client, const char *destination, int number,
                        bool has_receipt)
{
    char frame[128];
    int n = snprintf(frame, sizeof(frame), "SEND\ndestination:%s\n%s\n%d", destination,
                     has_receipt ? "receipt:r\n" : "", number);

    client_frame(client, 0x81, slice_of(frame, (size_t)n + 1));
    if (has_receipt)
        expect_text(client, "RECEIPT\nreceipt-id:r\n\n^");
}

/* Reads a MESSAGE whose body is this number. */
static void expect_number(struct client *client, int number)
{
    char expected[32];

    client_next(client);
    (void)snprintf(expected, sizeof(expected), "\n\n%d^", number);
    if (strncmp(client->payload, "MESSAGE\n", 8) != 0 || strstr(client->payload, expected) == NULL)
        fail_msg("no message %d: %s", number, client->payload);
}

static void a_message_on_one_worker_arrives_on_the_other_in_order(void **state)
{
    struct net *net = net_of(2);
    struct client *sender = connected(net, 0), *near = connected(net, 0), *far = connected(net, 1);

    (void)state;
    client_subscribe(near, "s", "/topic/a");
    client_subscribe(far, "s", "/topic/a");
    for (int i = 0; i < 1000; i++)
        send_number(sender, "/topic/a", i, false);
    for (int i = 0; i < 1000; i++) {
        expect_number(near, i);
        expect_number(far, i);
    }
    assert_int_equal(fleet_metric(&net->fleet, METRIC_MAILED), 1000);
    net_free(net);
}

static void whoever_has_the_receipt_of_a_subscription_misses_nothing(void **state)
{
    struct net *net = net_of(2);
    struct client *subscriber = connected(net, 0), *sender = connected(net, 1);

    (void)state;
    for (int i = 0; i < 300; i++) {
        char destination[32];

        (void)snprintf(destination, sizeof(destination), "/topic/%d", i % 5);
        client_subscribe(subscriber, "s", destination);
        send_number(sender, destination, i, false);
        expect_number(subscriber, i);
        client_text(subscriber, "UNSUBSCRIBE\nid:s\nreceipt:u\n\n\0");
        expect_text(subscriber, "RECEIPT\nreceipt-id:u\n\n^");
        /* And whoever has the one of its end hears nothing more. */
        send_number(sender, destination, -1, true);
    }
    fd_assert_silent(subscriber->fd);
    net_free(net);
}

static void whoever_has_the_receipt_of_a_send_is_ahead_of_all_that_follow(void **state)
{
    struct net *net = net_of(3);
    struct client *first = connected(net, 0), *second = connected(net, 1),
                  *listener = connected(net, 2);

    (void)state;
    client_subscribe(listener, "s", "/topic/a");
    for (int i = 0; i < 300; i++) {
        send_number(first, "/topic/a", 2 * i, true);
        send_number(second, "/topic/a", 2 * i + 1, true);
    }
    for (int i = 0; i < 600; i++)
        expect_number(listener, i);
    net_free(net);
}

/* The sender's own queue is blocked when it sends: its receipt comes from a socket that becomes
 * writable, not from the tick in which it was asked for. */
static void a_receipt_from_a_slow_socket_is_no_earlier(void **state)
{
    struct net *net = net_of(2);
    struct client *slow, *listener;
    static char body[20000];

    (void)state;
    memset(body, 'b', sizeof(body));
    slow = client_open_with(net, 0, NET_STOMP, 4096, slice_str(""));
    client_connect(slow);
    client_subscribe(slow, "big", "/topic/big");
    listener = connected(net, 1);
    client_subscribe(listener, "s", "/topic/a");
    for (int i = 0; i < 50; i++) {
        char frame[128];
        int n = snprintf(frame, sizeof(frame), "SEND\ndestination:/topic/a\nreceipt:r\n\n%d", i);

        net_publish(net, 0, "/topic/big", slice_of(body, sizeof(body)));
        client_frame(slow, 0x81, slice_of(frame, (size_t)n + 1));
        client_next(slow);
        assert_memory_equal(slow->payload, "MESSAGE\n", 8);
        expect_text(slow, "RECEIPT\nreceipt-id:r\n\n^");
        expect_number(listener, i);
    }
    net_free(net);
}

static void a_room_spans_workers_and_a_push_reaches_it(void **state)
{
    struct net *net = net_of(2);
    struct client *a = client_open(net, 0, NET_ROOM), *b = client_open(net, 1, NET_ROOM),
                  *c = client_open(net, 0, NET_ROOM);

    (void)state;
    client_text(a, "hello from a");
    expect_text(b, "hello from a");
    expect_text(c, "hello from a");
    client_text(b, "hello from b");
    expect_text(a, "hello from b");
    expect_text(c, "hello from b");
    net_publish(net, 1, "/room", slice_str("pushed"));
    expect_text(a, "pushed");
    expect_text(b, "pushed");
    expect_text(c, "pushed");
    net_free(net);
}

static void clients_that_come_and_go_disturb_nobody(void **state)
{
    struct net *net = net_of(2);
    struct client *sender = connected(net, 0), *listener = connected(net, 1);

    (void)state;
    client_subscribe(listener, "s", "/topic/a");
    for (int i = 0; i < 100; i++) {
        struct client *guest = connected(net, (unsigned)i % 2);

        client_subscribe(guest, "s", "/topic/a");
        send_number(sender, "/topic/a", i, false);
        if (i % 3 == 0)
            expect_number(guest, i);
        client_vanish(guest);
        expect_number(listener, i);
    }
    fleet_wait_for_streams(&net->fleet, 0, 1);
    fleet_wait_for_streams(&net->fleet, 1, 1);
    net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_on_one_worker_arrives_on_the_other_in_order),
        cmocka_unit_test(whoever_has_the_receipt_of_a_subscription_misses_nothing),
        cmocka_unit_test(whoever_has_the_receipt_of_a_send_is_ahead_of_all_that_follow),
        cmocka_unit_test(a_receipt_from_a_slow_socket_is_no_earlier),
        cmocka_unit_test(a_room_spans_workers_and_a_push_reaches_it),
        cmocka_unit_test(clients_that_come_and_go_disturb_nobody),
    };

    return cmocka_run_group_tests_name("gateway/websocket/workers", tests, NULL, NULL);
}
