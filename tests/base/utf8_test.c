#include "tests/test.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "tests/base/utf8_rows.h"
#include "tests/random.h"

/* Feeds bytes as the text says: `first` of them, then the rest in pieces of `step`. */
static bool feed_in_pieces(struct utf8_state *state, struct slice text, size_t first, size_t step)
{
    size_t n = first;

    do {
        /* A copy of its own, so that a sanitizer sees a byte read too much. */
        struct slice piece = slice_take(text, n);
        char *copy = mem_alloc(piece.len + 1);
        bool is_valid;

        memcpy(copy + 1, piece.base, piece.len);
        is_valid = utf8_feed(state, slice_of(copy + 1, piece.len));
        mem_free(copy);
        if (!is_valid)
            return false;
        text = slice_skip(text, n);
        n = step;
    } while (text.len != 0);
    return true;
}

static void a_text_is_judged_the_same_at_every_split(void **state)
{
    (void)state;
    for (size_t r = 0; r < N_UTF8_ROWS; r++) {
        bool is_valid = utf8_rows[r].bad_at == UTF8_NEVER;

        for (size_t first = 0; first <= utf8_rows[r].text.len; first++) {
            for (size_t step = 1; step <= utf8_rows[r].text.len + 1; step++) {
                struct utf8_state utf8 = {0};

                if (feed_in_pieces(&utf8, utf8_rows[r].text, first, step) != is_valid ||
                    (is_valid && utf8_is_complete(&utf8) != utf8_rows[r].is_complete))
                    fail_msg("%s, first %zu, then %zu", utf8_rows[r].name, first, step);
            }
        }
        if (utf8_is_valid(utf8_rows[r].text) != (is_valid && utf8_rows[r].is_complete))
            fail_msg("%s as a whole", utf8_rows[r].name);
    }
}

static void the_first_impossible_byte_is_refused_at_once(void **state)
{
    (void)state;
    for (size_t r = 0; r < N_UTF8_ROWS; r++) {
        for (size_t n = 0; n <= utf8_rows[r].text.len; n++) {
            struct utf8_state utf8 = {0};

            if (utf8_feed(&utf8, slice_take(utf8_rows[r].text, n)) != (n <= utf8_rows[r].bad_at))
                fail_msg("%s, the first %zu bytes", utf8_rows[r].name, n);
        }
    }
}

static size_t encode(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* With all non-characters of 6.22 among them. */
static void every_scalar_value_is_valid_and_nothing_else(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 0x200000; c++) {
        bool is_scalar = c < 0xd800 || (c > 0xdfff && c <= 0x10ffff);
        char text[8];
        size_t len = encode(c, text);

        if (utf8_is_valid(slice_of(text, len)) != is_scalar)
            fail_msg("U+%04X", (unsigned)c);
        text[len] = text[0]; /* in a run with the beginning of another */
        if (len > 1 && utf8_is_valid(slice_of(text, len + 1)))
            fail_msg("U+%04X and half a character", (unsigned)c);
    }
}

/* The grammar of RFC 3629, section 4, letter by letter. */
static bool is_valid_three(const unsigned char b[3])
{
    bool tail2 = b[2] >= 0x80 && b[2] <= 0xbf;

    if (b[0] == 0xe0)
        return b[1] >= 0xa0 && b[1] <= 0xbf && tail2;
    if (b[0] == 0xed)
        return b[1] >= 0x80 && b[1] <= 0x9f && tail2;
    return b[0] >= 0xe1 && b[0] <= 0xef && b[1] >= 0x80 && b[1] <= 0xbf && tail2;
}

static void three_bytes_are_valid_by_the_grammar_only(void **state)
{
    (void)state;
    for (unsigned n = 0xe00000; n <= 0xefffff; n++) {
        const unsigned char b[3] = {(unsigned char)(n >> 16), (unsigned char)(n >> 8),
                                    (unsigned char)n};

        if (utf8_is_valid(slice_of((const char *)b, 3)) != is_valid_three(b))
            fail_msg("%06x", n);
    }
}

/* Byte by byte, which is what the blocks of a long piece have to say as well. */
static bool feed_slowly(struct utf8_state *state, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!utf8_feed(state, slice_of(text.base + i, 1)))
            return false;
    }
    return true;
}

/* In memory of just its length, cut at `cut`. */
static void assert_same_as_slowly(struct slice text, size_t cut)
{
    struct utf8_state slow = {0}, fast = {0};
    char *first = mem_alloc(cut), *second = mem_alloc(text.len - cut);
    bool is_valid = feed_slowly(&slow, text), is_fast_valid;

    memcpy(first, text.base, cut);
    memcpy(second, text.base + cut, text.len - cut);
    is_fast_valid = utf8_feed(&fast, slice_of(first, cut)) &&
                    utf8_feed(&fast, slice_of(second, text.len - cut));
    mem_free(first);
    mem_free(second);
    assert_int_equal(is_fast_valid, is_valid);
    if (is_valid) {
        assert_int_equal(fast.need, slow.need);
        if (slow.need != 0)
            assert_true(fast.low == slow.low && fast.high == slow.high);
    }
}

static void a_text_is_judged_the_same_wherever_it_stands(void **state)
{
    static const struct slice fillers[] = {
        SLICE("x"),
        SLICE("\xc3\xa9"),
        SLICE("\xea\xb0\x80"),
        SLICE("\xf0\x9f\x98\x80"),
    };

    (void)state;
    for (size_t r = 0; r < N_UTF8_ROWS; r++) {
        for (size_t f = 0; f < sizeof(fillers) / sizeof(fillers[0]); f++) {
            for (size_t n = 0; n <= 40; n++) {
                char text[512];
                size_t len = 0;

                for (size_t i = 0; i < n; i++, len += fillers[f].len)
                    memcpy(text + len, fillers[f].base, fillers[f].len);
                memcpy(text + len, utf8_rows[r].text.base, utf8_rows[r].text.len);
                len += utf8_rows[r].text.len;
                assert_same_as_slowly(slice_of(text, len), 0);
                for (size_t i = 0; i < n % 23; i++, len += fillers[f].len)
                    memcpy(text + len, fillers[f].base, fillers[f].len);
                assert_same_as_slowly(slice_of(text, len), 0);
                assert_same_as_slowly(slice_of(text, len), n < len ? n : len);
            }
        }
    }
}

/* Characters at the edges of what is valid, and now and then a byte that breaks one. */
static void random_texts_are_judged_the_same_in_blocks(void **state)
{
    static const uint32_t edges[] = {'a',     0x7f,    0x80,     0x7ff,   0x800,   0xfff,
                                     0x1000,  0xd7ff,  0xe000,   0xffff,  0x10000, 0x3ffff,
                                     0x40000, 0xfffff, 0x100000, 0x10ffff};
    static const unsigned char bytes[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
                                          0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed,
                                          0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff};
    struct rng rng = {7};

    (void)state;
    for (int round = 0; round < 200000; round++) {
        char text[256];
        size_t len = 0, end = rng_below(&rng, 200);
        bool is_ascii = rng_one_in(&rng, 2);

        while (len < end) {
            if (is_ascii && !rng_one_in(&rng, 20))
                text[len++] = 'x';
            else
                len += encode(edges[rng_below(&rng, sizeof(edges) / sizeof(edges[0]))], text + len);
        }
        if (len != 0 && rng_one_in(&rng, 2))
            text[rng_below(&rng, len)] = (char)bytes[rng_below(&rng, sizeof(bytes))];
        if (rng_one_in(&rng, 4))
            len -= rng_below(&rng, len < 3 ? len + 1 : 4); /* ends inside a character */
        assert_same_as_slowly(slice_of(text, len), rng_below(&rng, len + 1));
        assert_same_as_slowly(slice_of(text, len), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_judged_the_same_at_every_split),
        cmocka_unit_test(the_first_impossible_byte_is_refused_at_once),
        cmocka_unit_test(every_scalar_value_is_valid_and_nothing_else),
        cmocka_unit_test(three_bytes_are_valid_by_the_grammar_only),
        cmocka_unit_test(a_text_is_judged_the_same_wherever_it_stands),
        cmocka_unit_test(random_texts_are_judged_the_same_in_blocks),
    };

    return cmocka_run_group_tests_name("base/utf8", tests, NULL, NULL);
}
