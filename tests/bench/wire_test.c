#include "tests/test.h"
#include "base/mem.h"
#include "gateway/bench/wire.h"

static void reads_whole_frames_one_by_one(void **state)
{
    struct slice input = SLICE("\x81\x02"
                               "ab\x02\x00\x89\x01"
                               "p\x82\x7e\x00\x7e");
    struct wire_frame frame;

    (void)state;
    assert_int_equal(wire_read(&input, 1000, &frame), LOAD_OK);
    assert_int_equal(frame.opcode, WIRE_TEXT);
    assert_true(frame.is_final);
    assert_slice(frame.payload, "ab");
    assert_int_equal(wire_read(&input, 1000, &frame), LOAD_OK);
    assert_int_equal(frame.opcode, WIRE_BINARY);
    assert_false(frame.is_final);
    assert_int_equal(frame.payload.len, 0);
    assert_int_equal(wire_read(&input, 1000, &frame), LOAD_OK);
    assert_int_equal(frame.opcode, WIRE_PING);
    assert_slice(frame.payload, "p");
    assert_int_equal(wire_read(&input, 1000, &frame), LOAD_MORE);
    assert_int_equal(input.len, 4);
}

static void compressed_messages_are_told(void **state)
{
    const struct {
        struct slice input;
        bool is_compressed;
    } rows[] = {{SLICE("\xc1\x00"), true},
                {SLICE("\x42\x00"), true},
                {SLICE("\x81\x00"), false},
                {SLICE("\x80\x00"), false}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slice input = rows[i].input;
        struct wire_frame frame;

        assert_int_equal(wire_read(&input, 1000, &frame), LOAD_OK);
        assert_int_equal(frame.is_compressed, rows[i].is_compressed);
    }
}

static void every_cut_waits_for_more(void **state)
{
    const size_t lens[] = {0, 1, 125, 126, 65535, 65536};

    (void)state;
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        size_t len = lens[i], head = len < 126 ? 2 : len < 65536 ? 4 : 10;
        char *bytes = mem_calloc(1, head + len + 1);
        struct slice input;
        struct wire_frame frame;

        bytes[0] = '\x82';
        bytes[1] = (char)(head == 2 ? len : head == 4 ? 126 : 127);
        for (size_t k = head, rest = len; head != 2 && k-- > 2; rest >>= 8)
            bytes[k] = (char)(rest & 0xff);
        for (size_t cut = 0; cut < head + len; cut += cut < 20 ? 1 : 997) {
            input = slice_of(bytes, cut);
            assert_int_equal(wire_read(&input, len, &frame), LOAD_MORE);
            assert_int_equal(input.len, cut);
        }
        input = slice_of(bytes, head + len + 1);
        assert_int_equal(wire_read(&input, len, &frame), LOAD_OK);
        assert_int_equal(frame.payload.len, len);
        assert_int_equal(input.len, 1);
        mem_free(bytes);
    }
}

static void refuses_what_a_server_may_not_send(void **state)
{
    const struct {
        struct slice input;
        enum load_status status;
    } bad[] = {
        {SLICE("\xc0\x00"), LOAD_ERR_WS_RESERVED},
        {SLICE("\xc9\x00"), LOAD_ERR_WS_RESERVED},
        {SLICE("\xa1\x00"), LOAD_ERR_WS_RESERVED},
        {SLICE("\x91\x00"), LOAD_ERR_WS_RESERVED},
        {SLICE("\x81\x80"), LOAD_ERR_WS_MASKED},
        {SLICE("\x83\x00"), LOAD_ERR_WS_OPCODE},
        {SLICE("\x87\x00"), LOAD_ERR_WS_OPCODE},
        {SLICE("\x8b\x00"), LOAD_ERR_WS_OPCODE},
        {SLICE("\x09\x00"), LOAD_ERR_WS_CONTROL},
        {SLICE("\x89\x7e"), LOAD_ERR_WS_CONTROL},
        {SLICE("\x82\x7e\x00\x7d"), LOAD_ERR_WS_LENGTH},
        {SLICE("\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff"), LOAD_ERR_WS_LENGTH},
        {SLICE("\x82\x7e\x03\xe9"), LOAD_ERR_WS_TOO_LARGE},
        {SLICE("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff"), LOAD_ERR_WS_TOO_LARGE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct slice input = bad[i].input;
        struct wire_frame frame;

        assert_int_equal(wire_read(&input, 1000, &frame), bad[i].status);
        assert_int_equal(input.len, bad[i].input.len);
    }
}

/* RFC 6455, 5.7: "Hello" under the mask 37 fa 21 3d. */
static void masks_as_the_rfc_does(void **state)
{
    const unsigned char key[] = {0x37, 0xfa, 0x21, 0x3d};
    uint32_t mask;
    char out[11];

    (void)state;
    memcpy(&mask, key, sizeof(mask));
    assert_int_equal(wire_len(5), sizeof(out));
    wire_write(out, WIRE_TEXT, mask, (struct slice)SLICE("Hello"));
    assert_memory_equal(out, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", sizeof(out));
}

static void every_length_unmasks_to_what_was_written(void **state)
{
    static char payload[70000], out[70000 + 14];
    const size_t lens[] = {0, 1, 7, 8, 9, 125, 126, 1000, 65535, 65536, 70000};
    const uint32_t masks[] = {0, 0x12345678};

    (void)state;
    for (size_t i = 0; i < sizeof(payload); i++)
        payload[i] = (char)(i * 7);
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]) * 2; i++) {
        size_t len = lens[i / 2], head = wire_len(len) - len;
        unsigned char key[4];

        memcpy(key, &masks[i % 2], sizeof(key));
        wire_write(out, WIRE_BINARY, masks[i % 2], slice_of(payload, len));
        assert_int_equal((unsigned char)out[0], 0x82);
        assert_int_equal(out[1] & 0x80, 0x80);
        assert_memory_equal(out + head - 4, key, 4);
        for (size_t k = 0; k < len; k++)
            assert_int_equal((char)((unsigned char)out[head + k] ^ key[k % 4]), payload[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_whole_frames_one_by_one),
        cmocka_unit_test(compressed_messages_are_told),
        cmocka_unit_test(every_cut_waits_for_more),
        cmocka_unit_test(refuses_what_a_server_may_not_send),
        cmocka_unit_test(masks_as_the_rfc_does),
        cmocka_unit_test(every_length_unmasks_to_what_was_written),
    };

    return cmocka_run_group_tests_name("bench/wire", tests, NULL, NULL);
}
