#include "tests/gateway/websocket/net.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/mem.h"
#include "gateway/websocket/deflate.h"

/* Connections with permessage-deflate, as their clients see them. */

enum { FIRST_AND_LAST = 0xc1, BINARY = 0xc2, FIRST = 0x41, NEXT = 0x00, LAST = 0x80 };

static const struct ws_deflate_agreement alone = {.server_bits = 15, .client_bits = 15};
static const struct ws_deflate_agreement keeping = {
    .server_keeps_context = true,
    .client_keeps_context = true,
    .server_bits = 10,
    .client_bits = 10,
};

/* What a client compresses and inflates with; the same for all its messages. */
struct codec {
    struct ws_deflater *deflater;
    struct ws_inflater *inflater;
};

static struct codec codec_of(const struct ws_deflate_agreement *agreed)
{
    return (struct codec){
        ws_deflater_new(agreed->client_bits, 6, agreed->client_keeps_context),
        ws_inflater_new(agreed->server_bits, agreed->server_keeps_context),
    };
}

static void codec_free(struct codec *codec)
{
    ws_deflater_free(codec->deflater);
    ws_inflater_free(codec->inflater);
}

static struct buf deflated(const struct codec *codec, struct slice text)
{
    struct buf out;

    buf_init(&out, SIZE_MAX);
    ws_deflate(codec->deflater, text, &out);
    return out;
}

static void send_deflated(struct client *client, const struct codec *codec, unsigned char head,
                          struct slice text)
{
    struct buf payload = deflated(codec, text);

    client_frame(client, head, buf_slice(&payload));
    buf_dispose(&payload);
}

/* Reads a MESSAGE with that body; it is compressed when that makes it shorter. */
static void expect_message(struct client *client, const struct codec *codec, const char *body)
{
    size_t len = strlen(body);
    struct buf text;

    buf_init(&text, SIZE_MAX);
    client_next(client);
    if (client->head == FIRST_AND_LAST)
        assert_int_equal(
            ws_inflate(codec->inflater, slice_of(client->payload, client->len), true, &text),
            WS_INFLATE_OK);
    else
        assert_true(buf_append(&text, slice_of(client->payload, client->len)));
    assert_int_equal(client->head & 0x3f, FIRST_AND_LAST & 0x3f);
    assert_true(client->head == FIRST_AND_LAST || len < 50);
    assert_true(text.len > len + 1);
    assert_memory_equal(text.base, "MESSAGE\n", 8);
    assert_memory_equal(text.base + text.len - len - 1, body, len);
    buf_dispose(&text);
}

static char *json_of(size_t len)
{
    static const char pattern[] = "{\"symbol\":\"ABC\",\"price\":17.25},";
    char *text = mem_alloc(len + 1);

    for (size_t i = 0; i < len; i++)
        text[i] = pattern[i % (sizeof(pattern) - 1)];
    text[len] = '\0';
    return text;
}

/* A SEND of the body, with its NUL. */
static struct buf send_of(const char *body)
{
    struct buf frame;

    buf_init(&frame, SIZE_MAX);
    assert_true(buf_printf(&frame, "SEND\ndestination:/topic/a\n\n%s", body));
    assert_true(buf_append(&frame, slice_of("", 1)));
    return frame;
}

static void messages_go_compressed_both_ways(void **state)
{
    const struct ws_deflate_agreement *const agreements[] = {&alone, &keeping};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct net *net = net_started();
        struct client *client = client_open_deflate(net, 0, NET_STOMP, agreements[i]);
        struct codec codec = codec_of(agreements[i]);
        char *body = json_of(2000);
        struct buf send = send_of(body);

        client_connect(client);
        client_subscribe(client, "s", "/topic/a");
        for (size_t k = 0; k < 5; k++) {
            send_deflated(client, &codec, FIRST_AND_LAST, buf_slice(&send));
            expect_message(client, &codec, body);
        }
        /* What is not compressed is read as ever, and does not disturb the context. */
        client_frame(client, 0x81, buf_slice(&send));
        expect_message(client, &codec, body);
        send_deflated(client, &codec, FIRST_AND_LAST, buf_slice(&send));
        expect_message(client, &codec, body);
        assert_int_equal(fleet_metric(&net->fleet, METRIC_INFLATED), 6);
        assert_int_equal(fleet_metric(&net->fleet, METRIC_DEFLATED), 7);
        client_say_close(client, 1000);
        expect_close(client, 1000, "");
        buf_dispose(&send);
        mem_free(body);
        codec_free(&codec);
        net_free(net);
    }
}

static void a_compressed_message_may_come_in_any_fragments(void **state)
{
    struct net *net = net_started();
    struct client *client = client_open_deflate(net, 0, NET_STOMP, &alone);
    struct codec codec = codec_of(&alone);
    char *body = json_of(300);
    struct buf send = send_of(body), payload = deflated(&codec, buf_slice(&send));

    (void)state;
    client_connect(client);
    client_subscribe(client, "s", "/topic/a");
    for (size_t cut = 0; cut <= payload.len; cut++) {
        client_frame(client, FIRST, slice_take(buf_slice(&payload), cut));
        client_frame(client, 0x89, slice_str("hey"));
        client_frame(client, NEXT, slice_str(""));
        client_frame(client, LAST, slice_skip(buf_slice(&payload), cut));
        expect_frame(client, 0x8a, "hey", __FILE__, __LINE__);
        expect_message(client, &codec, body);
    }
    buf_dispose(&send);
    buf_dispose(&payload);
    mem_free(body);
    codec_free(&codec);
    net_free(net);
}

/* The session stops in the middle of what one message held; nothing else is read meanwhile. */
static void a_suspended_session_reads_the_rest_later(void **state)
{
    static const struct slice text =
        SLICE("CONNECT\naccept-version:1.2\nAuthorization:Bearer slow\n"
              "\n\0SUBSCRIBE\nid:s\ndestination:/topic/a\n\n\0"
              "SEND\ndestination:/topic/a\n\nhello\0");
    struct net *net = net_started();
    struct client *client = client_open_deflate(net, 0, NET_STOMP, &keeping);
    struct codec codec = codec_of(&keeping);
    struct buf payload = deflated(&codec, text);

    (void)state;
    client_frame(client, FIRST, buf_slice(&payload));
    client_frame(client, LAST, slice_str("")); /* whose end holds no byte */
    send_deflated(client, &codec, FIRST_AND_LAST,
                  (struct slice)SLICE("SEND\ndestination:/topic/a\n\nagain\0"));
    fleet_wait_for_metric(&net->fleet, METRIC_INFLATED, 1);
    net_resolve(net, 0, "alice");
    expect_text(client, "CONNECTED\nversion:1.2\nheart-beat:0,0\nuser-name:alice\n\n^");
    expect_message(client, &codec, "hello");
    expect_message(client, &codec, "again");
    buf_dispose(&payload);
    codec_free(&codec);
    net_free(net);
}

static void input_that_is_held_is_read_later(void **state)
{
    struct net *net = net_started();
    struct client *stomp = client_open_deflate(net, 0, NET_STOMP, &alone);
    struct client *plain = client_open_deflate(net, 0, NET_ECHO, &alone);
    struct codec codec = codec_of(&alone);

    (void)state;
    client_connect(stomp);
    client_subscribe(stomp, "s", "/topic/a");
    net_hold(net, true);
    send_deflated(
        stomp, &codec, FIRST_AND_LAST,
        (struct slice)SLICE("SEND\ndestination:/topic/a\n\n1\0SEND\ndestination:/topic/a\n"
                            "\n2\0"));
    send_deflated(plain, &codec, BINARY, slice_str("\xff plain"));
    fleet_wait_for_metric(&net->fleet, METRIC_INFLATED, 2);
    net_hold(net, false);
    expect_message(stomp, &codec, "1");
    expect_message(stomp, &codec, "2");
    expect_binary(plain, "\xff plain");
    codec_free(&codec);
    net_free(net);
}

/* More frames than a tick's share in one message, and messages that become a lot. */
static void large_shares_come_in_order(void **state)
{
    enum { N_FRAMES = 1000, N_MESSAGES = 20 };
    struct net *net = net_started();
    struct client *client = client_open_deflate(net, 0, NET_STOMP, &alone);
    struct codec codec = codec_of(&alone);
    struct buf frames;

    (void)state;
    net->config.transport.send_buffer_size_limit = 64 << 20;
    buf_init(&frames, SIZE_MAX);
    client_connect(client);
    client_subscribe(client, "s", "/topic/a");
    for (unsigned i = 0; i < N_FRAMES; i++) {
        assert_true(buf_printf(&frames, "SEND\ndestination:/topic/a\n\n%u", i));
        assert_true(buf_append(&frames, slice_of("", 1)));
    }
    for (unsigned k = 0; k < N_MESSAGES; k++) {
        send_deflated(client, &codec, FIRST_AND_LAST, buf_slice(&frames));
        for (unsigned i = 0; i < N_FRAMES; i++) {
            char body[16];

            (void)snprintf(body, sizeof(body), "\n\n%u", i);
            expect_message(client, &codec, body);
        }
    }
    buf_dispose(&frames);
    codec_free(&codec);
    net_free(net);
}

static void what_cannot_be_read_closes_with_its_code(void **state)
{
    enum { LIMIT = 65536 };
    static const struct {
        const char *payload; /* NULL: zeros, one more than may be */
        unsigned char head;
        uint16_t code;
        const char *reason;
    } rows[] = {
        {NULL, BINARY, 1009, "message too big"},
        {"\x06", BINARY, 1007, "compressed data that cannot be read"},
        {"\xf2\x48\xcd", BINARY, 1007, "compressed data that cannot be read"},
        {"hello", 0xc9, 1002, "reserved bit set"}, /* a ping */
        {"hello", 0xc0, 1002, "reserved bit set"}, /* a continuation */
        {"hello", 0xe1, 1002, "reserved bit set"}, /* another bit */
    };
    struct net *net = net_started();
    struct codec codec = codec_of(&alone);
    char *zeros = mem_calloc(1, LIMIT + 1);

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct client *client = client_open_deflate(net, 0, NET_ECHO, &alone);

        if (rows[i].payload == NULL)
            send_deflated(client, &codec, rows[i].head, slice_of(zeros, LIMIT + 1));
        else
            client_frame(client, rows[i].head, slice_str(rows[i].payload));
        client_answer_close(client, rows[i].code, rows[i].reason);
    }
    {
        struct client *client = client_open_deflate(net, 0, NET_ECHO, &alone);

        send_deflated(client, &codec, FIRST_AND_LAST, slice_str("\xff"));
        client_answer_close(client, 1007, "text that is not UTF-8");
    }
    {
        struct client *client = client_open_deflate(net, 0, NET_ECHO, &alone);

        send_deflated(client, &codec, BINARY, slice_of(zeros, LIMIT));
        client_next(client);
        assert_int_equal(client->len, LIMIT);
    }
    mem_free(zeros);
    codec_free(&codec);
    net_free(net);
}

static void without_an_agreement_rsv1_is_an_error(void **state)
{
    struct net *net = net_started();
    struct client *client = client_open(net, 0, NET_ECHO);

    (void)state;
    client_frame(client, FIRST_AND_LAST, slice_str("\xf2\x48\xcd\xc9\xc9\x07"));
    client_answer_close(client, 1002, "reserved bit set");
    net_free(net);
}

/* Receivers on two workers, half of them with ids of their own. */
static void a_publish_is_deflated_once_for_all(void **state)
{
    enum { N_CLIENTS = 200 };
    struct net *net = net_new();
    struct client *clients[N_CLIENTS];
    struct codec codec = codec_of(&alone);
    char *body = json_of(1024);

    (void)state;
    net_start(net, 2);
    for (unsigned i = 0; i < N_CLIENTS; i++) {
        char id[16];

        (void)snprintf(id, sizeof(id), "%u", i % 4 < 2 ? 0 : i);
        clients[i] = client_open_deflate(net, i % 2, NET_STOMP, &alone);
        client_connect(clients[i]);
        client_subscribe(clients[i], id, "/topic/a");
    }
    for (unsigned k = 1; k <= 5; k++) {
        net_publish(net, 0, "/topic/a", slice_str(body));
        for (unsigned i = 0; i < N_CLIENTS; i++)
            expect_message(clients[i], &codec, body);
        assert_int_equal(fleet_metric(&net->fleet, METRIC_DEFLATED), k);
    }
    mem_free(body);
    codec_free(&codec);
    net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_go_compressed_both_ways),
        cmocka_unit_test(a_compressed_message_may_come_in_any_fragments),
        cmocka_unit_test(a_suspended_session_reads_the_rest_later),
        cmocka_unit_test(input_that_is_held_is_read_later),
        cmocka_unit_test(large_shares_come_in_order),
        cmocka_unit_test(what_cannot_be_read_closes_with_its_code),
        cmocka_unit_test(without_an_agreement_rsv1_is_an_error),
        cmocka_unit_test(a_publish_is_deflated_once_for_all),
    };

    return cmocka_run_group_tests_name("gateway/websocket/deflate_flow", tests, NULL, NULL);
}
