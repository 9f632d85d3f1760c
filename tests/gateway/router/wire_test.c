#include "tests/test.h"
#include "base/mem.h"
#include "gateway/router/wire.h"

static struct msg *make_message(struct slice body, bool is_binary)
{
    const struct msg_header header = {SLICE("destination"), SLICE("/d")};

    return msg_new((struct slice)SLICE("/d"), &header, 1, slice_str("i"), body, is_binary);
}

/* What wire_write_message writes, which must be as long as wire_message_len says. */
static struct slice written_with(enum wire wire, const struct msg *msg, struct slice id,
                                 struct slice lines)
{
    const struct wire_address to = {.wire = wire, .id = id, .lines = lines};
    size_t len = wire_message_len(msg, &to);
    char *out = mem_alloc(len); /* no byte more: the sanitizer knows */

    assert_ptr_equal(wire_write_message(msg, &to, out), out + len);
    return slice_of(out, len);
}

static struct slice written(enum wire wire, const struct msg *msg, struct slice id)
{
    return written_with(wire, msg, id, slice_str(""));
}

static void further_lines_stand_behind_the_subscription(void **state)
{
    struct msg *msg = make_message(slice_str("hi"), false);
    struct slice out =
        written_with(WIRE_WEBSOCKET, msg, slice_str("s"), slice_str("ack:i\nredelivered:true\n"));

    (void)state;
    assert_true(slice_ends_with(out, slice_of("destination:/d\nsubscription:s\nack:i\n"
                                              "redelivered:true\nmessage-id:i\n"
                                              "content-length:2\n\nhi\0",
                                              87)));
    mem_free((void *)(uintptr_t)out.base);
    out = written_with(WIRE_WEBSOCKET_RAW, msg, slice_str("s"), slice_str("ack:i\n"));
    assert_int_equal(out.len, 4);
    mem_free((void *)(uintptr_t)out.base);
    msg_unref(msg);
}

static void a_message_is_framed_for_its_transport(void **state)
{
    const struct {
        enum wire wire;
        bool is_binary;
        struct slice id, body, bytes;
    } rows[] = {
        {WIRE_WEBSOCKET, false, SLICE("sub-0"), SLICE("hi"),
         SLICE("\x81\x4c"
               "MESSAGE\ndestination:/d\nsubscription:sub-0\n"
               "message-id:i\ncontent-length:2\n\nhi\0")},
        {WIRE_WEBSOCKET, true, SLICE("a:b\\"), SLICE("\xff"),
         SLICE("\x82\x4c"
               "MESSAGE\ndestination:/d\nsubscription:a\\cb\\\\\n"
               "message-id:i\ncontent-length:1\n\n\xff\0")},
        {WIRE_WEBSOCKET_RAW, false, SLICE("any"), SLICE("hi"), SLICE("\x81\x02hi")},
        {WIRE_WEBSOCKET_RAW, true, SLICE("any"), SLICE("\xff"), SLICE("\x82\x01\xff")},
        {WIRE_WEBSOCKET_RAW, false, SLICE(""), {NULL, 0}, SLICE("\x81\x00")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct msg *msg = make_message(rows[i].body, rows[i].is_binary);
        struct slice bytes = written(rows[i].wire, msg, rows[i].id);

        assert_int_equal(bytes.len, rows[i].bytes.len);
        assert_memory_equal(bytes.base, rows[i].bytes.base, bytes.len);
        mem_free((char *)bytes.base);
        msg_unref(msg);
    }
}

static void a_head_is_as_long_as_the_length_says(void **state)
{
    const struct {
        size_t len, framed_len;
    } rows[] = {{0, 2}, {125, 127}, {126, 130}, {65535, 65539}, {65536, 65546}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char out[16];

        assert_int_equal(wire_framed_len(WIRE_WEBSOCKET, rows[i].len), rows[i].framed_len);
        assert_int_equal(wire_framed_len(WIRE_WEBSOCKET_RAW, rows[i].len), rows[i].framed_len);
        assert_int_equal(wire_write_head(WIRE_WEBSOCKET, false, rows[i].len, out) - out,
                         rows[i].framed_len - rows[i].len);
        assert_int_equal(out[0], '\x81');
        (void)wire_write_head(WIRE_WEBSOCKET_RAW, true, rows[i].len, out);
        assert_int_equal(out[0], '\x82');
    }
}

static void the_end_of_a_frame_is_found_from_any_byte_in_it(void **state)
{
    const size_t lens[] = {0, 1, 125, 126, 300, 0, 65535, 65536, 70000, 2};
    const size_t n = sizeof(lens) / sizeof(lens[0]);
    size_t ends[sizeof(lens) / sizeof(lens[0])], begin = 0;
    char *bytes = mem_calloc(1, 300000);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        char *content = wire_write_head(WIRE_WEBSOCKET, false, lens[i], bytes + begin);

        memset(content, '\xff', lens[i]); /* content that looks like heads of long frames */
        begin = ends[i] = (size_t)(content - bytes) + lens[i];
    }
    begin = 0;
    for (size_t i = 0; i < n; i++) {
        struct slice all = slice_of(bytes, ends[n - 1]);

        assert_int_equal(wire_frame_end(WIRE_WEBSOCKET, all, begin), begin);
        assert_int_equal(wire_frame_end(WIRE_WEBSOCKET, all, begin + 1), ends[i]);
        assert_int_equal(wire_frame_end(WIRE_WEBSOCKET_RAW, all, (begin + ends[i] + 1) / 2),
                         ends[i]);
        assert_int_equal(wire_frame_end(WIRE_WEBSOCKET, all, ends[i] - 1), ends[i]);
        assert_int_equal(wire_frame_end(WIRE_WEBSOCKET, all, ends[i]), ends[i]);
        begin = ends[i];
    }
    mem_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_framed_for_its_transport),
        cmocka_unit_test(further_lines_stand_behind_the_subscription),
        cmocka_unit_test(a_head_is_as_long_as_the_length_says),
        cmocka_unit_test(the_end_of_a_frame_is_found_from_any_byte_in_it),
    };

    return cmocka_run_group_tests_name("gateway/router/wire", tests, NULL, NULL);
}
