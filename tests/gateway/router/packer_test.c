#include "tests/test.h"
#include <stdio.h>
#include "base/mem.h"
#include "gateway/websocket/inflate.h"
#include "tests/gateway/router/crowd.h"

/* Compressed messages as their receivers read them, and how often one is compressed. */

enum { BODY = 1024, COMPRESSED_BIT = 0x40 };

static const struct slice topic = SLICE("/topic/a");

static void use_wire(struct crowd *f, size_t first, size_t n, enum wire wire)
{
    for (size_t i = first; i < first + n; i++)
        receiver_init(&f->receivers[i], &f->h->router, wire);
}

static void subscribe_own(struct crowd *f, size_t first, size_t n)
{
    for (size_t i = first; i < first + n; i++) {
        char id[32];

        (void)snprintf(id, sizeof(id), "sub-%zu", i);
        crowd_subscribe(f, i, id, topic);
    }
}

static char *json_of(size_t len)
{
    static const char pattern[] = "{\"symbol\":\"ABC\",\"price\":17.25},";
    char *text = mem_alloc(len);

    for (size_t i = 0; i < len; i++)
        text[i] = pattern[i % (sizeof(pattern) - 1)];
    return text;
}

static struct msg *publish(struct crowd *f, size_t body_len)
{
    char *body = json_of(body_len);
    struct msg *msg = harness_message(f->h, topic, slice_of(body, body_len));

    router_publish(&f->h->router, msg, NULL);
    mem_free(body);
    return msg;
}

static uint64_t n_deflated(const struct crowd *f)
{
    return harness_metric(f->h, METRIC_DEFLATED);
}

/* The frame that `bytes` begins with, its payload inflated if it is compressed; returns its length.
 * Byte by byte, so that what refers too far back is noticed. */
static size_t read_frame(struct ws_inflater *inflater, struct slice bytes, struct buf *out,
                         size_t *n_compressed)
{
    size_t len = harness_frame_len(bytes);
    size_t head = len < 128 ? 2 : len < 65540 ? 4 : 10;
    struct slice payload = slice_skip(slice_take(bytes, len), head);
    struct buf text;

    assert_int_not_equal(len, 0);
    if ((bytes.base[0] & COMPRESSED_BIT) == 0) {
        assert_true(buf_append(out, slice_take(bytes, len)));
        return len;
    }
    ++*n_compressed;
    buf_init(&text, SIZE_MAX);
    for (size_t i = 0; i < payload.len; i++)
        assert_int_equal(
            ws_inflate(inflater, slice_of(payload.base + i, 1), i + 1 == payload.len, &text),
            WS_INFLATE_OK);
    harness_expect_frame(out, (bytes.base[0] & 0x0f) == 2, buf_slice(&text));
    buf_dispose(&text);
    return len;
}

/* Reads all that waits for receiver `i`, as frames that are not compressed; returns how many were.
 */
static size_t read_all(struct crowd *f, size_t i, struct ws_inflater *inflater, struct buf *out)
{
    size_t n_compressed = 0;
    struct slice left;

    harness_write(&f->receivers[i], f->receivers[i].outq.bytes, &f->got);
    left = buf_slice(&f->got);
    while (left.len != 0)
        left = slice_skip(left, read_frame(inflater, left, out, &n_compressed));
    buf_consume(&f->got, f->got.len);
    return n_compressed;
}

/* Receiver `i` gets what is expected, which then is not expected any more. */
static void assert_reads(struct crowd *f, size_t i, struct ws_inflater *inflater,
                         size_t n_compressed)
{
    struct buf out;

    buf_init(&out, SIZE_MAX);
    assert_int_equal(read_all(f, i, inflater, &out), n_compressed);
    assert_int_equal(out.len, f->expected.len);
    if (out.len != 0)
        assert_memory_equal(out.base, f->expected.base, out.len);
    buf_dispose(&out);
    crowd_expect_nothing(f);
}

static void assert_reads_message(struct crowd *f, size_t i, const struct msg *msg, const char *id,
                                 size_t n_compressed)
{
    enum wire wire = f->receivers[i].wire;
    struct ws_inflater *inflater = ws_inflater_new(wire_window_bits(wire), false);

    harness_expect(&f->expected, wire_is_raw(wire) ? WIRE_WEBSOCKET_RAW : WIRE_WEBSOCKET, msg, id);
    assert_reads(f, i, inflater, n_compressed);
    ws_inflater_free(inflater);
}

static void a_message_is_deflated_once_for_everybody(void **state)
{
    struct crowd *f = *state;
    struct msg *msg;

    use_wire(f, 0, CROWD_SIZE, wire_compressed(WIRE_WEBSOCKET, 15, false));
    for (size_t i = 0; i < CROWD_SIZE / 2; i++)
        crowd_subscribe(f, i, "same", topic);
    subscribe_own(f, CROWD_SIZE / 2, CROWD_SIZE / 2);
    msg = publish(f, BODY);
    router_distribute(&f->h->router);
    assert_int_equal(n_deflated(f), 1);
    for (size_t i = 0; i < CROWD_SIZE; i++) {
        char id[32];

        (void)snprintf(id, sizeof(id), "sub-%zu", i);
        assert_true(f->receivers[i].outq.bytes < BODY / 3);
        assert_reads_message(f, i, msg, i < CROWD_SIZE / 2 ? "same" : id, 1);
    }
    msg_unref(msg);
}

static void each_window_is_honoured_and_deflated_once(void **state)
{
    struct crowd *f = *state;
    const size_t lens[] = {BODY, 40000, 100000};
    uint64_t before = 0;

    for (uint8_t bits = 9; bits <= 15; bits++) {
        use_wire(f, (size_t)(bits - 9) * 10, 5, wire_compressed(WIRE_WEBSOCKET, bits, false));
        use_wire(f, (size_t)(bits - 9) * 10 + 5, 5,
                 wire_compressed(WIRE_WEBSOCKET_RAW, bits, false));
    }
    for (size_t i = 0; i < 70; i++)
        crowd_subscribe(f, i, "s", topic);
    for (size_t k = 0; k < sizeof(lens) / sizeof(lens[0]); k++) {
        struct msg *msg = publish(f, lens[k]);

        router_distribute(&f->h->router);
        assert_int_equal(n_deflated(f), before + 14);
        before = n_deflated(f);
        for (size_t i = 0; i < 70; i++)
            assert_reads_message(f, i, msg, "s", 1);
        msg_unref(msg);
    }
}

static void nothing_is_deflated_that_nobody_takes(void **state)
{
    struct router_subscribe selecting = {
        .id = SLICE("s"), .destination = topic, .kind = DESTINATION_EXACT};
    struct crowd *f = *state;
    struct msg *msg;

    assert_int_equal(selector_new(slice_str("headers.x == 'no'"), &selecting.selector),
                     SELECTOR_OK);
    use_wire(f, 0, 2, wire_compressed(WIRE_WEBSOCKET, 15, false));
    crowd_subscribe_as(f, 0, &selecting);
    crowd_subscribe(f, 2, "s", topic);
    crowd_subscribe(f, 1, "s", slice_str("/topic/b"));
    msg = publish(f, BODY);
    assert_int_equal(n_deflated(f), 0);
    crowd_subscribe(f, 1, "t", topic);
    router_publish(&f->h->router, msg, &f->receivers[1]);
    assert_int_equal(n_deflated(f), 0);
    router_publish(&f->h->router, msg, NULL);
    assert_int_equal(n_deflated(f), 1);
    msg_unref(msg);
    selector_unref(selecting.selector);
}

static void what_does_not_pay_goes_out_as_it_is(void **state)
{
    struct crowd *f = *state;
    char noise[BODY];
    uint32_t seed = 7;
    struct msg *msg;

    use_wire(f, 0, 10, wire_compressed(WIRE_WEBSOCKET, 15, false));
    use_wire(f, 10, 1, wire_compressed(WIRE_WEBSOCKET_RAW, 15, false));
    use_wire(f, 11, 1, wire_compressed(WIRE_WEBSOCKET, 15, true));
    for (size_t i = 0; i < 12; i++)
        crowd_subscribe(f, i, "s", topic);
    router_set_compression(&f->h->router, 1, 100);

    msg = publish(f, 99); /* too short */
    router_distribute(&f->h->router);
    assert_int_equal(n_deflated(f), 0);
    for (size_t i = 0; i < 12; i++)
        assert_reads_message(f, i, msg, "s", 0);
    msg_unref(msg);

    msg = publish(f, 100);
    router_distribute(&f->h->router);
    for (size_t i = 0; i < 12; i++)
        assert_reads_message(f, i, msg, "s", 1);
    msg_unref(msg);

    receiver_end_subscriptions(&f->receivers[10], &f->h->router);
    receiver_end_subscriptions(&f->receivers[11], &f->h->router);
    for (size_t i = 0; i < sizeof(noise); i++) {
        seed = seed * 1664525 + 1013904223;
        noise[i] = (char)(seed >> 24);
    }
    msg = harness_message(f->h, topic, slice_of(noise, sizeof(noise)));
    router_publish(&f->h->router, msg, NULL);
    router_publish(&f->h->router, msg, NULL);
    router_distribute(&f->h->router);
    for (size_t i = 0; i < 10; i++) {
        harness_expect(&f->expected, WIRE_WEBSOCKET, msg, "s");
        assert_reads_message(f, i, msg, "s", 0);
    }
    assert_int_equal(n_deflated(f), 3 + 1); /* and that is remembered */
    msg_unref(msg);
}

static void an_empty_body_is_never_deflated(void **state)
{
    struct crowd *f = *state;
    struct msg *msg;

    use_wire(f, 0, 1, wire_compressed(WIRE_WEBSOCKET_RAW, 9, false));
    use_wire(f, 1, 1, wire_compressed(WIRE_WEBSOCKET_RAW, 9, true));
    for (size_t i = 0; i < 2; i++)
        crowd_subscribe(f, i, "s", topic);
    msg = publish(f, 0);
    router_distribute(&f->h->router);
    for (size_t i = 0; i < 2; i++)
        assert_reads_message(f, i, msg, "s", 0);
    msg_unref(msg);
}

/* What stands before the body must fit a stored block. */
static void a_head_of_any_length_is_sent(void **state)
{
    struct crowd *f = *state;
    char *value = mem_alloc(70000), *body = json_of(BODY);
    size_t n_before = 0;

    memset(value, 'v', 70000);
    use_wire(f, 0, 1, wire_compressed(WIRE_WEBSOCKET, 15, false));
    crowd_subscribe(f, 0, "s", topic);
    for (size_t len = 65300; len < 65600; len++) {
        const struct msg_header headers[] = {{SLICE("destination"), topic},
                                             {SLICE("x"), slice_of(value, len)}};
        struct msg *msg = msg_new(topic, headers, 2, slice_str("m"), slice_of(body, BODY), false);
        size_t head_len;

        harness_expect(&f->expected, WIRE_WEBSOCKET, msg, "s");
        head_len = f->expected.len - 10 - BODY - 1;
        crowd_expect_nothing(f);
        router_publish(&f->h->router, msg, NULL);
        router_distribute(&f->h->router);
        assert_reads_message(f, 0, msg, "s", head_len <= 65535 ? 1 : 0);
        n_before += head_len <= 65535 ? 1 : 0;
        msg_unref(msg);
    }
    assert_in_range(n_before, 100, 299);
    mem_free(value);
    mem_free(body);
}

/* Each of them reads its own run of messages, with other things between. */
static void contexts_are_kept_apart(void **state)
{
    enum { N = 5, N_MESSAGES = 20 };
    struct crowd *f = *state;
    struct ws_inflater *inflaters[N];
    struct buf expected[N];

    for (size_t i = 0; i < N; i++) {
        uint8_t bits = (uint8_t)(9 + i);

        use_wire(f, i, 1,
                 wire_compressed(i == 4 ? WIRE_WEBSOCKET_RAW : WIRE_WEBSOCKET, bits, true));
        inflaters[i] = ws_inflater_new(bits, true);
        buf_init(&expected[i], SIZE_MAX);
        crowd_subscribe(f, i, "s", topic);
        assert_null(f->receivers[i].deflater);
    }
    crowd_subscribe(f, 50, "s", topic);
    for (size_t k = 0; k < N_MESSAGES; k++) {
        struct msg *msg = publish(f, BODY + k);

        for (size_t i = 0; i < N; i++)
            harness_expect(&expected[i], i == 4 ? WIRE_WEBSOCKET_RAW : WIRE_WEBSOCKET, msg, "s");
        if (k % 4 == 1)
            router_distribute(&f->h->router);
        if (k % 5 == 2) {
            for (size_t i = 0; i < N; i++) {
                *router_queue_frame(&f->h->router, &f->receivers[i], false, 1) = '\n';
                harness_expect_frame(&expected[i], false, slice_str("\n"));
            }
        }
        msg_unref(msg);
    }
    router_distribute(&f->h->router);
    assert_int_equal(n_deflated(f), N * N_MESSAGES);
    for (size_t i = 0; i < N; i++) {
        assert_true(f->receivers[i].outq.bytes < N_MESSAGES * BODY / 4);
        assert_true(buf_append(&f->expected, buf_slice(&expected[i])));
        assert_reads(f, i, inflaters[i], N_MESSAGES);
        buf_dispose(&expected[i]);
        ws_inflater_free(inflaters[i]);
    }
}

static void answers_and_acknowledged_deliveries_are_packed_too(void **state)
{
    const struct router_subscribe acked = {
        .id = SLICE("a"),
        .destination = topic,
        .kind = DESTINATION_EXACT,
        .needs_ack = true,
        .ack_window = 10,
    };
    struct crowd *f = *state;
    struct ws_inflater *inflater = ws_inflater_new(12, false);
    struct msg *msg;
    char line[96];

    use_wire(f, 0, 1, wire_compressed(WIRE_WEBSOCKET, 12, false));
    crowd_subscribe_as(f, 0, &acked);
    msg = publish(f, BODY);
    crowd_unsubscribe(f, 0, "a");
    crowd_subscribe(f, 0, "e", topic);
    (void)snprintf(line, sizeof(line), "ack:%.*s\n", SLICE_FMT(msg->id));
    router_reply(&f->h->router, &f->receivers[0], msg, slice_str("reply:1"));
    assert_int_equal(router_echo(&f->h->router, msg, &f->receivers[0]), 1);
    harness_expect_lines(&f->expected, WIRE_WEBSOCKET, msg, "a", slice_str(line));
    harness_expect(&f->expected, WIRE_WEBSOCKET, msg, "reply:1");
    harness_expect(&f->expected, WIRE_WEBSOCKET, msg, "e");
    assert_reads(f, 0, inflater, 3);
    assert_int_equal(n_deflated(f), 1);
    ws_inflater_free(inflater);
    msg_unref(msg);
}

static void the_end_of_a_compressed_frame_is_found(void **state)
{
    struct crowd *f = *state;
    struct msg *msg;
    struct slice bytes;
    size_t first;

    use_wire(f, 0, 1, wire_compressed(WIRE_WEBSOCKET, 15, false));
    crowd_subscribe(f, 0, "s", topic);
    msg = publish(f, BODY);
    router_publish(&f->h->router, msg, NULL);
    router_distribute(&f->h->router);
    harness_write(&f->receivers[0], f->receivers[0].outq.bytes, &f->got);
    bytes = buf_slice(&f->got);
    first = harness_frame_len(bytes);
    for (size_t at = 1; at <= first; at++)
        assert_int_equal(wire_frame_end(f->receivers[0].wire, bytes, at), first);
    assert_int_equal(wire_frame_end(f->receivers[0].wire, bytes, first + 1), bytes.len);
    buf_consume(&f->got, f->got.len);
    msg_unref(msg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CROWD_TEST(a_message_is_deflated_once_for_everybody),
        CROWD_TEST(each_window_is_honoured_and_deflated_once),
        CROWD_TEST(nothing_is_deflated_that_nobody_takes),
        CROWD_TEST(what_does_not_pay_goes_out_as_it_is),
        CROWD_TEST(an_empty_body_is_never_deflated),
        CROWD_TEST(a_head_of_any_length_is_sent),
        CROWD_TEST(contexts_are_kept_apart),
        CROWD_TEST(answers_and_acknowledged_deliveries_are_packed_too),
        CROWD_TEST(the_end_of_a_compressed_frame_is_found),
    };

    return cmocka_run_group_tests_name("gateway/router/packer", tests, NULL, NULL);
}
