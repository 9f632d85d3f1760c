#include "tests/test.h"
#include "base/mem.h"
#include "gateway/websocket/deflate.h"
#include "gateway/websocket/inflate.h"

static char *json_of(size_t len)
{
    static const char pattern[] = "{\"symbol\":\"ABC\",\"price\":17.25,\"volume\":1200},";
    char *text = mem_alloc(len);

    for (size_t i = 0; i < len; i++)
        text[i] = i % 97 == 0 ? "abcdefghijkl"[i / 97 % 12] : pattern[i % (sizeof(pattern) - 1)];
    return text;
}

static void expect(struct ws_inflater *inflater, struct slice message, struct slice text)
{
    struct buf out;

    buf_init(&out, text.len);
    assert_int_equal(ws_inflate(inflater, message, true, &out), WS_INFLATE_OK);
    assert_int_equal(out.len, text.len);
    assert_memory_equal(out.base, text.base, text.len);
    buf_dispose(&out);
}

static void what_is_deflated_is_read_by_a_window_of_that_size(void **state)
{
    const size_t lens[] = {1, 2, 100, 1024, 32768, 65536, 300000};

    (void)state;
    for (uint8_t bits = 9; bits <= 15; bits++) {
        for (int level = 1; level <= 9; level += 4) {
            struct ws_deflater *deflater = ws_deflater_new(bits, level, false);
            struct ws_inflater *inflater = ws_inflater_new(bits, false);

            for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
                char *text = json_of(lens[i]);
                struct buf out;

                buf_init(&out, SIZE_MAX);
                ws_deflate(deflater, slice_of(text, lens[i]), &out);
                if (lens[i] > 1000)
                    assert_true(out.len < lens[i] / 2);
                expect(inflater, buf_slice(&out), slice_of(text, lens[i]));
                buf_dispose(&out);
                mem_free(text);
            }
            ws_deflater_free(deflater);
            ws_inflater_free(inflater);
        }
    }
}

static void the_same_message_is_the_same_bytes_without_a_context(void **state)
{
    struct ws_deflater *alone = ws_deflater_new(15, 6, false);
    struct ws_deflater *keeping = ws_deflater_new(15, 6, true);
    struct ws_inflater *inflater = ws_inflater_new(15, true);
    char *text = json_of(1024);
    struct slice message = slice_of(text, 1024);
    struct buf out[4];

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        buf_init(&out[i], SIZE_MAX);
        ws_deflate(i < 2 ? alone : keeping, message, &out[i]);
    }
    assert_int_equal(out[0].len, out[1].len);
    assert_memory_equal(out[0].base, out[1].base, out[0].len);
    assert_true(out[3].len < out[2].len / 4); /* with one it says: as before */
    expect(inflater, buf_slice(&out[2]), message);
    expect(inflater, buf_slice(&out[3]), message);
    for (size_t i = 0; i < 4; i++)
        buf_dispose(&out[i]);
    mem_free(text);
    ws_deflater_free(alone);
    ws_deflater_free(keeping);
    ws_inflater_free(inflater);
}

static void stored_bytes_may_stand_before_a_deflated_end(void **state)
{
    const size_t lens[] = {0, 1, 255, 256, 1000, 65535};
    struct ws_deflater *deflater = ws_deflater_new(9, 6, false);
    struct ws_inflater *inflater = ws_inflater_new(9, false);
    char *text = json_of(65535 + 1024);
    struct buf end;

    (void)state;
    buf_init(&end, SIZE_MAX);
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        char *message;

        buf_dispose(&end);
        ws_deflate(deflater, slice_of(text + lens[i], 1024), &end);
        message = mem_alloc(WS_STORED_HEAD + lens[i] + end.len);
        assert_ptr_equal(ws_write_stored_head(message, lens[i]), message + WS_STORED_HEAD);
        memcpy(message + WS_STORED_HEAD, text, lens[i]);
        memcpy(message + WS_STORED_HEAD + lens[i], end.base, end.len);
        expect(inflater, slice_of(message, WS_STORED_HEAD + lens[i] + end.len),
               slice_of(text, lens[i] + 1024));
        mem_free(message);
    }
    buf_dispose(&end);
    mem_free(text);
    ws_deflater_free(deflater);
    ws_inflater_free(inflater);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_deflated_is_read_by_a_window_of_that_size),
        cmocka_unit_test(the_same_message_is_the_same_bytes_without_a_context),
        cmocka_unit_test(stored_bytes_may_stand_before_a_deflated_end),
    };

    return cmocka_run_group_tests_name("gateway/websocket/deflate", tests, NULL, NULL);
}
