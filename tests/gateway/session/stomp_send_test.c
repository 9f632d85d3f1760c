#include "tests/gateway/session/rig.h"

#include <stdio.h>

/* What a SEND becomes: which headers, to whom, as text or binary. */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Two sessions: one that sends, one that is subscribed with the id "s". */
struct pair {
    struct rig *rig;
    struct peer *sender, *receiver;
};

static struct pair pair_new(const char *destination)
{
    struct pair pair = {.rig = rig_started()};

    pair.receiver = rig_open(pair.rig, RIG_STOMP, NULL);
    pair.sender = rig_open(pair.rig, RIG_STOMP, NULL);
    peer_connect(pair.receiver);
    peer_connect(pair.sender);
    peer_subscribe(pair.receiver, "s", destination);
    return pair;
}

static void headers_are_copied_as_spring_does(void **state)
{
    static const struct {
        struct slice frame;
        const char *heard;
    } rows[] = {
        /* all in their order, repeated ones together, content-type as Spring prints it */
        {SLICE("SEND\ndestination:/topic/a\ncontent-type:application/json; charset=utf-8\n"
               "x:1\ny:\nx:2\nheart-beat:1,1\n\nBODY\0"),
         "MESSAGE\ndestination:/topic/a\ncontent-type:application/json;charset=utf-8\n"
         "x:1\nx:2\ny:\nheart-beat:1,1\nsubscription:s\n"
         "message-id:0000000000000abc-0-0\ncontent-length:4\n\nBODY^"},
        /* the destination keeps its place, and is there once */
        {SLICE("SEND\nb:1\ndestination:/topic/a\na:2\ndestination:/topic/b\n\nx\0"),
         "MESSAGE\nb:1\ndestination:/topic/a\na:2\nsubscription:s\n"
         "message-id:0000000000000abc-0-0\ncontent-length:1\n\nx^"},
        /* the first of two types; none stays none */
        {SLICE("SEND\ndestination:/topic/a\ncontent-type:text/plain\ncontent-type:a/b\n\nx\0"),
         "MESSAGE\ndestination:/topic/a\ncontent-type:text/plain\nsubscription:s\n"
         "message-id:0000000000000abc-0-0\ncontent-length:1\n\nx^"},
        /* what a client may not say, or what is meant for the server */
        {SLICE("SEND\ndestination:/topic/a\nsubscription:evil\nmessage-id:evil\nreceipt:r\n"
               "ack:a\ncontent-length:1\nsimpOrigDestination:/user/queue/x\n"
               "Receipt:kept\n\nx\0"),
         "MESSAGE\ndestination:/topic/a\nReceipt:kept\nsubscription:s\n"
         "message-id:0000000000000abc-0-0\ncontent-length:1\n\nx^"},
        {SLICE("SEND\ndestination:/topic/a\nx-seq:7\nx-epoch:mine\nredelivered:true\n"
               "x-delivery-count:2\ndropped:9\nx-sequel:kept\n\nx\0"),
         "MESSAGE\ndestination:/topic/a\nx-sequel:kept\nsubscription:s\n"
         "message-id:0000000000000abc-0-0\ncontent-length:1\n\nx^"},
        /* escapes are undone and made again */
        {SLICE("SEND\ndestination:/topic/a\nk\\cey:a\\nb\\\\c\\r\n\nx\0"),
         "MESSAGE\ndestination:/topic/a\nk\\cey:a\\nb\\\\c\\r\nsubscription:s\n"
         "message-id:0000000000000abc-0-0\ncontent-length:1\n\nx^"},
        /* an empty body, and one with a NUL inside */
        {SLICE("SEND\ndestination:/topic/a\n\n\0"),
         "MESSAGE\ndestination:/topic/a\nsubscription:s\n"
         "message-id:0000000000000abc-0-0\ncontent-length:0\n\n^"},
        {SLICE("SEND\ndestination:/topic/a\ncontent-length:3\n\na\0b\0"),
         "MESSAGE\ndestination:/topic/a\nsubscription:s\n"
         "message-id:0000000000000abc-0-0\ncontent-length:3\n\na^b^"},
        {SLICE("SEND\ndestination:/topic/a\n\n한글\0"),
         "MESSAGE\ndestination:/topic/a\nsubscription:s\n"
         "message-id:0000000000000abc-0-0\ncontent-length:6\n\n한글^"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pair pair = pair_new("/topic/a");

        peer_say_(pair.sender, rows[i].frame, false);
        assert_string_equal(peer_heard(pair.receiver), rows[i].heard);
        rig_free(pair.rig);
    }
}

static void a_message_has_the_same_id_for_all_and_the_next_another(void **state)
{
    struct pair pair = pair_new("/topic/a");

    (void)state;
    peer_subscribe(pair.sender, "t", "/topic/a");
    peer_say(pair.sender, "SEND\ndestination:/topic/a\n\nx\0SEND\ndestination:/topic/a\n\ny\0");
    assert_string_equal(peer_heard(pair.receiver),
                        "MESSAGE\ndestination:/topic/a\nsubscription:s\n"
                        "message-id:0000000000000abc-0-0\ncontent-length:1\n\nx^"
                        "MESSAGE\ndestination:/topic/a\nsubscription:s\n"
                        "message-id:0000000000000abc-0-1\ncontent-length:1\n\ny^");
    assert_non_null(strstr(peer_heard(pair.sender), "subscription:t\n"
                                                    "message-id:0000000000000abc-0-0\n"));
    rig_free(pair.rig);
}

static void the_sender_hears_itself_before_its_receipt(void **state)
{
    struct pair pair = pair_new("/topic/a");

    (void)state;
    peer_say(pair.receiver, "SEND\ndestination:/topic/a\nreceipt:r\n\nx\0");
    assert_string_equal(peer_heard(pair.receiver),
                        "MESSAGE\ndestination:/topic/a\nsubscription:s\n"
                        "message-id:0000000000000abc-0-0\ncontent-length:1\n\nx^"
                        "RECEIPT\nreceipt-id:r\n\n^");
    rig_free(pair.rig);
}

/* --- text or binary --- */

static void bodies_that_are_no_text_go_out_in_binary_messages(void **state)
{
    static const struct {
        struct slice headers; /* of the SEND, beside the destination */
        struct slice body;
        bool came_binary, goes_binary;
    } rows[] = {
        {SLICE("content-type:application/octet-stream\n"), SLICE("abc"), false, true},
        {SLICE("content-type:application/*\n"), SLICE("abc"), false, true},
        {SLICE("content-type:*/*\n"), SLICE("abc"), false, true},
        {SLICE("content-type:application/octet-stream\n"), SLICE(""), false, false},
        {SLICE("content-type:application/json\n"), SLICE("abc"), true, false},
        {SLICE(""), SLICE("abc"), true, false},
        {SLICE(""), SLICE("h\xc3\xa9"), true, false},
        {SLICE(""), SLICE("h\xc3"), true, true},
        {SLICE("content-type:text/plain\n"), SLICE("\xff\xfe"), true, true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pair pair = pair_new("/topic/a");
        char frame[256];
        int n = snprintf(frame, sizeof(frame), "SEND\ndestination:/topic/a\n%.*s\n%.*s",
                         SLICE_FMT(rows[i].headers), SLICE_FMT(rows[i].body));
        const char *heard;

        peer_say_(pair.sender, slice_of(frame, (size_t)n + 1), rows[i].came_binary);
        heard = peer_heard(pair.receiver);
        if (rows[i].goes_binary)
            assert_memory_equal(heard, "[binary]MESSAGE\n", 16);
        else
            assert_memory_equal(heard, "MESSAGE\n", 8);
        /* The body as it came, behind the head. */
        assert_memory_equal(strstr(heard, "\n\n") + 2, rows[i].body.base, rows[i].body.len);
        rig_free(pair.rig);
    }
}

static void a_frame_may_come_in_text_and_binary_pieces(void **state)
{
    struct pair pair = pair_new("/topic/a");

    (void)state;
    peer_say(pair.sender, "SEND\ndestination:/topic/a\n\nab");
    peer_say_binary(pair.sender, "c\xff\0");
    assert_string_equal(peer_heard(pair.receiver),
                        "[binary]MESSAGE\ndestination:/topic/a\nsubscription:s\n"
                        "message-id:0000000000000abc-0-0\ncontent-length:4\n\nabc\xff^");
    rig_free(pair.rig);
}

/* --- routes --- */

/* An idle client costs no memory for what it has sent. */
static void a_frame_in_pieces_leaves_no_memory_behind(void **state)
{
    struct pair pair = pair_new("/topic/a");

    (void)state;
    peer_say(pair.sender, "SEND\ndestination:/topic/a\n\nfirst ");
    assert_non_null(pair.sender->session.input.stomp.partial.base);
    peer_say(pair.sender, "second\0");
    assert_null(pair.sender->session.input.stomp.partial.base);
    assert_non_null(strstr(peer_heard(pair.receiver), "\n\nfirst second^"));
    rig_free(pair.rig);
}

static void echo_goes_to_the_senders_own_subscriptions(void **state)
{
    struct pair pair = pair_new("/app/echo");

    (void)state;
    peer_subscribe(pair.sender, "1", "/app/echo");
    peer_subscribe(pair.sender, "2", "/topic/other");
    peer_say(pair.sender, "SEND\ndestination:/app/echo\nx:1\nreceipt:r\n\nhi\0");
    assert_string_equal(peer_heard(pair.sender),
                        "MESSAGE\ndestination:/app/echo\nx:1\nsubscription:1\n"
                        "message-id:0000000000000abc-0-0\ncontent-length:2\n\nhi^"
                        "RECEIPT\nreceipt-id:r\n\n^");
    assert_string_equal(peer_heard(pair.receiver), "");
    rig_free(pair.rig);
}

static void echo_puts_its_prefix_before_text_only(void **state)
{
    static const struct {
        struct slice frame;
        bool came_binary;
        const char *heard;
    } rows[] = {
        {SLICE("SEND\ndestination:/app/hello\n\n안녕\0"), false,
         "MESSAGE\ndestination:/app/hello\nsubscription:s\n"
         "message-id:0000000000000abc-0-0\ncontent-length:14\n\n서버: 안녕^"},
        {SLICE("SEND\ndestination:/app/hello\n\n\0"), false,
         "MESSAGE\ndestination:/app/hello\nsubscription:s\n"
         "message-id:0000000000000abc-0-0\ncontent-length:8\n\n서버: ^"},
        {SLICE("SEND\ndestination:/app/hello\n\nhi\0"), true,
         "MESSAGE\ndestination:/app/hello\nsubscription:s\n"
         "message-id:0000000000000abc-0-0\ncontent-length:10\n\n서버: hi^"},
        {SLICE("SEND\ndestination:/app/hello\n\n\xff\0"), true,
         "[binary]MESSAGE\ndestination:/app/hello\nsubscription:s\n"
         "message-id:0000000000000abc-0-0\ncontent-length:1\n\n\xff^"},
        {SLICE("SEND\ndestination:/app/hello\ncontent-type:application/octet-stream\n\nhi\0"),
         false,
         "[binary]MESSAGE\ndestination:/app/hello\ncontent-type:application/octet-stream\n"
         "subscription:s\nmessage-id:0000000000000abc-0-0\ncontent-length:2\n\nhi^"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pair pair = pair_new("/app/hello");

        peer_say_(pair.receiver, rows[i].frame, rows[i].came_binary);
        assert_string_equal(peer_heard(pair.receiver), rows[i].heard);
        rig_free(pair.rig);
    }
}

static void send_to_takes_body_type_and_the_named_headers(void **state)
{
    static const struct {
        const char *destination;
        struct slice frame;
        const char *heard;
    } rows[] = {
        /* Of `receipt` no receiver hears, named or not. */
        {"/topic/chat",
         SLICE("SEND\ncolour:red\nx:1\ndestination:/app/chat\ncontent-type:text/plain; "
               "charset=utf-8\n"
               "x-name:a\nreceipt:r\nx-name:b\n\nhi\0"),
         "MESSAGE\ndestination:/topic/chat\ncolour:red\ncontent-type:text/plain;charset=utf-8\n"
         "x-name:a\nx-name:b\nsubscription:s\n"
         "message-id:0000000000000abc-0-0\ncontent-length:2\n\nhi^"},
        {"/topic/plain", SLICE("SEND\ndestination:/app/plain\nx-name:a\n\nhi\0"),
         "MESSAGE\ndestination:/topic/plain\nsubscription:s\n"
         "message-id:0000000000000abc-0-0\ncontent-length:2\n\nhi^"},
        /* A route without send_to: the destination itself. */
        {"/app/stays", SLICE("SEND\ndestination:/app/stays\nx-name:a\n\nhi\0"),
         "MESSAGE\ndestination:/app/stays\nx-name:a\nsubscription:s\n"
         "message-id:0000000000000abc-0-0\ncontent-length:2\n\nhi^"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pair pair = pair_new(rows[i].destination);

        peer_say_(pair.sender, rows[i].frame, false);
        assert_string_equal(peer_heard(pair.receiver), rows[i].heard);
        rig_free(pair.rig);
    }
}

static void a_route_whose_destination_comes_out_empty_leads_nowhere(void **state)
{
    static struct slice all[] = {SLICE("**")};
    static struct config_queue queues[] = {{{all, 1}, CONFIG_QUEUE_COMPETING}};
    struct config_route routes[] = {
        {.destination = SLICE("/app/to.{room}"), .send_to = SLICE("{room}")},
        {.destination = SLICE("/app/user.{room}"), .send_to_user = SLICE("{room}")},
    };
    static const struct slice frames[] = {
        SLICE("SEND\ndestination:/app/to.\nreceipt:r\n\nx\0"),
        SLICE("SEND\ndestination:/app/user.\nreceipt:r\n\nx\0"),
    };
    struct rig *rig = rig_new();
    struct peer *peer;

    (void)state;
    rig->config.routes = routes;
    rig->config.n_routes = COUNT(routes);
    rig->config.broker.queues = queues;
    rig->config.broker.n_queues = 1;
    rig_start(rig);
    peer = rig_open(rig, RIG_STOMP, NULL);
    peer_connect(peer);
    for (size_t i = 0; i < COUNT(frames); i++) {
        peer_say_(peer, frames[i], false);
        assert_string_equal(peer_heard(peer), "RECEIPT\nreceipt-id:r\nx-unrouted:true\n\n^");
        assert_int_equal(rig_metric(rig, METRIC_UNROUTED), i + 1);
    }
    assert_int_equal(rig->broker.queues.n_messages, 0); /* for which no room was taken */
    rig_free(rig);
}

static void many_headers_are_copied_up_to_the_limit(void **state)
{
    struct pair pair = pair_new("/topic/a");
    char frame[4096];
    const char *heard;
    size_t n = (size_t)snprintf(frame, sizeof(frame), "SEND\ndestination:/topic/a\n");

    (void)state;
    for (int i = 0; i < 63; i++)
        n += (size_t)snprintf(frame + n, sizeof(frame) - n, "h-%02d:v\n", i);
    n += (size_t)snprintf(frame + n, sizeof(frame) - n, "\nx");
    peer_say_(pair.sender, slice_of(frame, n + 1), false);
    heard = peer_heard(pair.receiver);
    assert_non_null(strstr(heard, "\nh-00:v\nh-01:v\n"));
    assert_non_null(strstr(heard, "\nh-62:v\nsubscription:s\n"));
    rig_free(pair.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_copied_as_spring_does),
        cmocka_unit_test(a_message_has_the_same_id_for_all_and_the_next_another),
        cmocka_unit_test(the_sender_hears_itself_before_its_receipt),
        cmocka_unit_test(bodies_that_are_no_text_go_out_in_binary_messages),
        cmocka_unit_test(a_frame_may_come_in_text_and_binary_pieces),
        cmocka_unit_test(a_frame_in_pieces_leaves_no_memory_behind),
        cmocka_unit_test(echo_goes_to_the_senders_own_subscriptions),
        cmocka_unit_test(echo_puts_its_prefix_before_text_only),
        cmocka_unit_test(send_to_takes_body_type_and_the_named_headers),
        cmocka_unit_test(a_route_whose_destination_comes_out_empty_leads_nowhere),
        cmocka_unit_test(many_headers_are_copied_up_to_the_limit),
    };

    return cmocka_run_group_tests_name("gateway/session/stomp_send", tests, NULL, NULL);
}
