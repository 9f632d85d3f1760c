#include "tests/test.h"
#include "base/mem.h"
#include "gateway/websocket/deflate.h"
#include "gateway/websocket/inflate.h"

enum { LIMIT = 1000 };

struct fixture {
    struct ws_inflater *inflater;
    struct buf out;
};

static struct fixture begin(uint8_t bits, bool keeps_context, size_t limit)
{
    struct fixture f = {.inflater = ws_inflater_new(bits, keeps_context)};

    buf_init(&f.out, limit);
    return f;
}

static void end(struct fixture *f)
{
    ws_inflater_free(f->inflater);
    buf_dispose(&f->out);
}

static enum ws_inflate_status inflate_whole(struct fixture *f, struct slice message)
{
    buf_dispose(&f->out);
    return ws_inflate(f->inflater, message, true, &f->out);
}

static void expect(struct fixture *f, struct slice message, struct slice text)
{
    assert_int_equal(inflate_whole(f, message), WS_INFLATE_OK);
    assert_int_equal(f->out.len, text.len);
    assert_memory_equal(f->out.base == NULL ? "" : f->out.base, text.base, text.len);
}

/* What zlib makes of `text` in one message. The caller frees it. */
static struct buf deflated(uint8_t bits, struct slice text)
{
    struct ws_deflater *deflater = ws_deflater_new(bits, 6, false);
    struct buf out;

    buf_init(&out, SIZE_MAX);
    ws_deflate(deflater, text, &out);
    ws_deflater_free(deflater);
    return out;
}

static const struct slice hello = SLICE("Hello");

/* The examples of RFC 7692, section 7.2.3. */
static const struct slice ways_to_say_hello[] = {
    SLICE("\xf2\x48\xcd\xc9\xc9\x07\x00"),
    SLICE("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"), /* stored */
    SLICE("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"),             /* a last block, and an empty one */
    SLICE("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"), /* two blocks */
    SLICE("\xf3\x48\xcd\xc9\xc9\x07\x00"), /* a last block with nothing behind it */
};

enum { N_WAYS = sizeof(ways_to_say_hello) / sizeof(ways_to_say_hello[0]) };

static void the_examples_of_the_rfc_are_read(void **state)
{
    struct fixture alone = begin(15, false, LIMIT), kept = begin(15, true, LIMIT);

    (void)state;
    for (size_t i = 0; i < N_WAYS; i++) {
        expect(&alone, ways_to_say_hello[i], hello);
        expect(&kept, ways_to_say_hello[i], hello);
    }
    end(&alone);
    end(&kept);
}

static void a_message_may_come_in_any_pieces(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_WAYS; i++) {
        for (size_t cut = 0; cut <= ways_to_say_hello[i].len; cut++) {
            struct fixture f = begin(15, false, LIMIT);

            assert_int_equal(
                ws_inflate(f.inflater, slice_take(ways_to_say_hello[i], cut), false, &f.out),
                WS_INFLATE_OK);
            assert_int_equal(
                ws_inflate(f.inflater, slice_skip(ways_to_say_hello[i], cut), true, &f.out),
                WS_INFLATE_OK);
            assert_slice(buf_slice(&f.out), "Hello");
            end(&f);
        }
    }
}

static void an_empty_message_is_a_byte_or_none(void **state)
{
    struct fixture f = begin(15, true, LIMIT);

    (void)state;
    expect(&f, (struct slice)SLICE("\x00"), slice_str(""));
    expect(&f, slice_str(""), slice_str(""));
    expect(&f, ways_to_say_hello[0], hello);
    end(&f);
}

/* Section 7.2.3.2: the second Hello points to the first. */
static void with_a_context_a_message_refers_to_those_before_it(void **state)
{
    static const struct slice again = SLICE("\xf2\x00\x11\x00\x00");
    struct fixture kept = begin(15, true, LIMIT), alone = begin(15, false, LIMIT);

    (void)state;
    expect(&kept, ways_to_say_hello[0], hello);
    expect(&kept, again, hello);
    expect(&kept, again, hello);
    expect(&alone, ways_to_say_hello[0], hello);
    assert_int_equal(inflate_whole(&alone, again), WS_INFLATE_ERR_DATA);
    end(&kept);
    end(&alone);
}

/* Section 7.2.3.4: a block that says it is the last one changes nothing of that. */
static void a_context_lives_on_behind_a_last_block(void **state)
{
    struct fixture f = begin(15, true, LIMIT);

    (void)state;
    for (size_t i = 2; i < N_WAYS; i++) {
        expect(&f, ways_to_say_hello[i], hello);
        expect(&f, (struct slice)SLICE("\xf2\x00\x11\x00\x00"), hello);
    }
    end(&f);
}

static void what_is_no_deflate_data_is_refused(void **state)
{
    const struct slice bad[] = {
        SLICE("\x06"),                                         /* a kind of block that is none */
        SLICE("\xf2\x48\xcd\xc9\xc9\x06"),                     /* in the middle of a block */
        SLICE("\xf2\x48\xcd\xc9"),                             /* the same */
        SLICE("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c"),         /* in the middle of stored bytes */
        SLICE("\x00\x05\x00\xfb\xff\x48\x65\x6c\x6c\x6f"),     /* lengths that do not agree */
        SLICE("\xf2\x00\x11\x00\x00"),                         /* refers to what was never there */
        SLICE("\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff"), /* the end was not cut off */
        SLICE("Hello"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct fixture f = begin(15, i % 2 == 0, LIMIT);

        if (inflate_whole(&f, bad[i]) != WS_INFLATE_ERR_DATA)
            fail_msg("row %zu", i);
        ws_inflater_forget(f.inflater);
        expect(&f, ways_to_say_hello[0], hello);
        end(&f);
    }
}

static void a_message_may_be_as_long_as_the_limit_and_no_byte_longer(void **state)
{
    const size_t limits[] = {1, 5, 255, 256, 4095, 4096, 4097, 100000};

    (void)state;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        char *text = mem_calloc(1, limits[i] + 1);
        struct buf fits = deflated(15, slice_of(text, limits[i]));
        struct buf too_long = deflated(15, slice_of(text, limits[i] + 1));
        struct fixture f = begin(15, false, limits[i]);

        expect(&f, buf_slice(&fits), slice_of(text, limits[i]));
        assert_int_equal(inflate_whole(&f, buf_slice(&too_long)), WS_INFLATE_ERR_SIZE);
        assert_true(f.out.cap <= limits[i]);
        ws_inflater_forget(f.inflater);
        expect(&f, buf_slice(&fits), slice_of(text, limits[i]));
        buf_dispose(&fits);
        buf_dispose(&too_long);
        mem_free(text);
        end(&f);
    }
}

static void a_bomb_stops_at_the_limit(void **state)
{
    enum { BOMB_BYTES = 64 << 20 };
    char *zeros = mem_calloc(1, BOMB_BYTES);
    struct buf bomb = deflated(15, slice_of(zeros, BOMB_BYTES));
    struct fixture f = begin(15, false, 65536);

    (void)state;
    assert_true(bomb.len < BOMB_BYTES / 1000);
    assert_int_equal(inflate_whole(&f, buf_slice(&bomb)), WS_INFLATE_ERR_SIZE);
    assert_true(f.out.cap <= 65536);
    buf_dispose(&bomb);
    mem_free(zeros);
    end(&f);
}

/* 600 bytes of noise twice: only a window of more than 512 can say so. */
static void a_window_that_is_too_small_is_noticed(void **state)
{
    enum { NOISE = 600 };
    char text[2 * NOISE];
    uint32_t noise = 1;
    struct fixture small = begin(9, true, sizeof(text)), large = begin(15, true, sizeof(text));
    struct buf far;

    (void)state;
    for (size_t i = 0; i < NOISE; i++) {
        noise = noise * 1664525 + 1013904223;
        text[i] = text[i + NOISE] = (char)(noise >> 24);
    }
    far = deflated(15, slice_of(text, sizeof(text)));
    expect(&large, buf_slice(&far), slice_of(text, sizeof(text)));
    /* Within one call zlib reads from the output itself: in pieces it has the window alone. */
    assert_int_equal(
        ws_inflate(small.inflater, slice_take(buf_slice(&far), NOISE), false, &small.out),
        WS_INFLATE_OK);
    assert_int_equal(
        ws_inflate(small.inflater, slice_skip(buf_slice(&far), NOISE), true, &small.out),
        WS_INFLATE_ERR_DATA);
    buf_dispose(&far);
    end(&small);
    end(&large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_rfc_are_read),
        cmocka_unit_test(a_message_may_come_in_any_pieces),
        cmocka_unit_test(an_empty_message_is_a_byte_or_none),
        cmocka_unit_test(with_a_context_a_message_refers_to_those_before_it),
        cmocka_unit_test(a_context_lives_on_behind_a_last_block),
        cmocka_unit_test(what_is_no_deflate_data_is_refused),
        cmocka_unit_test(a_message_may_be_as_long_as_the_limit_and_no_byte_longer),
        cmocka_unit_test(a_bomb_stops_at_the_limit),
        cmocka_unit_test(a_window_that_is_too_small_is_noticed),
    };

    return cmocka_run_group_tests_name("gateway/websocket/inflate", tests, NULL, NULL);
}
