#include "tests/test.h"
#include "tests/gateway/router/expected.h"

#include "base/mem.h"

void expected_init(struct expected *expected)
{
    *expected = (struct expected){.n = 0};
    buf_init(&expected->got, SIZE_MAX);
}

void expected_dispose(struct expected *expected)
{
    expected_drop(expected);
    mem_free(expected->frames);
    buf_dispose(&expected->got);
}

void expected_add(struct expected *expected, uint64_t number, struct buf *bytes)
{
    if (expected->n == expected->cap) {
        expected->cap = expected->cap == 0 ? 64 : expected->cap * 2;
        expected->frames = mem_realloc(expected->frames, expected->cap * sizeof(*expected->frames));
    }
    expected->frames[expected->n++] =
        (struct expected_frame){number, mem_slice_dup(buf_slice(bytes))};
    expected->bytes += bytes->len;
    buf_dispose(bytes);
}

size_t expected_count(const struct expected *expected)
{
    return expected->n - expected->first;
}

/* The first takes the place of the one that goes: they have the same number. */
static void drop_frame(struct expected *expected, size_t i)
{
    expected->bytes -= expected->frames[i].bytes.len;
    mem_free((char *)(uintptr_t)expected->frames[i].bytes.base);
    expected->frames[i] = expected->frames[expected->first++];
    if (expected->first == expected->n)
        expected->first = expected->n = 0;
}

void expected_drop(struct expected *expected)
{
    while (expected->first != expected->n)
        drop_frame(expected, expected->first);
}

static void match(struct expected *expected)
{
    const struct expected_frame *frames = expected->frames;
    size_t len;

    while ((len = harness_frame_len(buf_slice(&expected->got))) != 0) {
        struct slice bytes = slice_of(expected->got.base, len);
        uint64_t number;
        size_t i = expected->first;

        assert_true(expected->first != expected->n);
        number = frames[expected->first].number;
        while (i != expected->n && frames[i].number == number && !slice_eq(frames[i].bytes, bytes))
            i++;
        assert_true(i != expected->n && frames[i].number == number);
        drop_frame(expected, i);
        buf_consume(&expected->got, len);
    }
    assert_true(expected->got.len <= expected->bytes);
}

void expected_write(struct expected *expected, struct receiver *receiver, size_t n)
{
    harness_write(receiver, n, &expected->got);
    match(expected);
}
