#include "tests/test.h"
#include "base/utf8.h"
#include "gateway/websocket/writer.h"

static void heads_have_the_shortest_length(void **state)
{
    const struct {
        enum ws_opcode opcode;
        uint64_t payload_len;
        struct slice head;
    } rows[] = {
        /* RFC 6455, section 5.7: Hello, a ping, 256 bytes, 64 KiB */
        {WS_TEXT, 5, SLICE("\x81\x05")},
        {WS_PING, 5, SLICE("\x89\x05")},
        {WS_BINARY, 256, SLICE("\x82\x7e\x01\x00")},
        {WS_BINARY, 65536, SLICE("\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00")},
        /* the edges */
        {WS_TEXT, 0, SLICE("\x81\x00")},
        {WS_PONG, 125, SLICE("\x8a\x7d")},
        {WS_TEXT, 126, SLICE("\x81\x7e\x00\x7e")},
        {WS_TEXT, 65535, SLICE("\x81\x7e\xff\xff")},
        {WS_TEXT, INT64_MAX, SLICE("\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char out[WS_MAX_HEAD + 1];

        memset(out, '!', sizeof(out));
        assert_int_equal(ws_head_len(rows[i].payload_len), rows[i].head.len);
        assert_ptr_equal(ws_write_head(out, rows[i].opcode, rows[i].payload_len),
                         out + rows[i].head.len);
        assert_memory_equal(out, rows[i].head.base, rows[i].head.len);
        assert_int_equal(out[rows[i].head.len], '!');
    }
}

static void the_head_of_a_compressed_message_has_the_bit_and_else_is_the_same(void **state)
{
    static const uint64_t lens[] = {0, 125, 126, 65535, 65536};

    (void)state;
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        char plain[WS_MAX_HEAD], out[WS_MAX_HEAD];
        size_t len = ws_head_len(lens[i]);

        (void)ws_write_head(plain, WS_TEXT, lens[i]);
        assert_ptr_equal(ws_write_compressed_head(out, WS_TEXT, lens[i]), out + len);
        assert_int_equal((unsigned char)out[0], 0xc1);
        assert_memory_equal(out + 1, plain + 1, len - 1);
    }
}

static void a_close_frame_is_a_code_and_a_reason(void **state)
{
    const struct {
        uint16_t code;
        struct slice reason, frame;
    } rows[] = {
        {1000, SLICE(""), SLICE("\x88\x02\x03\xe8")},
        {1001, {NULL, 0}, SLICE("\x88\x02\x03\xe9")},
        {4500, SLICE("slow"), SLICE("\x88\x06\x11\x94slow")},
        {1005, SLICE("unsaid"), SLICE("\x88\x00")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char out[127];
        size_t len = ws_write_close(out, rows[i].code, rows[i].reason);

        assert_true(slice_eq(slice_of(out, len), rows[i].frame));
    }
}

static void a_long_reason_is_cut_between_characters(void **state)
{
    const struct {
        struct slice character; /* the reason is it, over and over, behind `n_before` bytes */
        size_t n_before, kept;
    } rows[] = {
        {SLICE("a"), 0, 123},
        {SLICE("\xc3\xa9"), 0, 122},
        {SLICE("\xc3\xa9"), 1, 123},
        {SLICE("\xec\x84\x9c"), 0, 123},
        {SLICE("\xec\x84\x9c"), 1, 121},
        {SLICE("\xec\x84\x9c"), 2, 122},
        {SLICE("\xf0\x9f\x98\x80"), 0, 120},
        {SLICE("\xf0\x9f\x98\x80"), 1, 121},
        {SLICE("\xf0\x9f\x98\x80"), 2, 122},
        {SLICE("\xf0\x9f\x98\x80"), 3, 123},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char reason[200], out[127];
        size_t len = rows[i].n_before;

        memset(reason, 'x', len);
        for (; len + rows[i].character.len <= sizeof(reason); len += rows[i].character.len)
            memcpy(reason + len, rows[i].character.base, rows[i].character.len);
        assert_int_equal(ws_write_close(out, 1002, slice_of(reason, len)), 4 + rows[i].kept);
        assert_int_equal(out[1], 2 + rows[i].kept);
        assert_memory_equal(out + 4, reason, rows[i].kept);
        assert_true(utf8_is_valid(slice_of(out + 4, rows[i].kept)));
    }
}

static void a_reason_of_123_bytes_is_not_cut(void **state)
{
    char reason[123], out[127];

    (void)state;
    memset(reason, 'r', sizeof(reason));
    assert_int_equal(ws_write_close(out, 1009, slice_of(reason, sizeof(reason))), sizeof(out));
    assert_memory_equal(out, "\x88\x7d\x03\xf1", 4);
    assert_memory_equal(out + 4, reason, sizeof(reason));
}

static void close_codes_are_those_that_may_be_sent(void **state)
{
    const struct {
        uint16_t first, last;
        bool is_valid;
    } rows[] = {
        {0, 999, false},     {1000, 1003, true}, {1004, 1006, false},       {1007, 1014, true},
        {1015, 2999, false}, {3000, 4999, true}, {5000, UINT16_MAX, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (unsigned code = rows[i].first; code <= rows[i].last; code++)
            assert_int_equal(ws_close_code_is_valid((uint16_t)code), rows[i].is_valid);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_have_the_shortest_length),
        cmocka_unit_test(the_head_of_a_compressed_message_has_the_bit_and_else_is_the_same),
        cmocka_unit_test(a_close_frame_is_a_code_and_a_reason),
        cmocka_unit_test(a_long_reason_is_cut_between_characters),
        cmocka_unit_test(a_reason_of_123_bytes_is_not_cut),
        cmocka_unit_test(close_codes_are_those_that_may_be_sent),
    };

    return cmocka_run_group_tests_name("gateway/websocket/writer", tests, NULL, NULL);
}
