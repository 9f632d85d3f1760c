#include "tests/test.h"
#include "tests/random.h"
#include "base/buf.h"
#include "base/mem.h"
#include "gateway/outbound/outq.h"

enum { COPY_BELOW_BYTES = 512 }; /* what is shorter is copied, as outq.c measured it */

struct fixture {
    struct chunk_account account;
    struct chunk_pool pool;
    struct outq q;
};

static int set_up(void **state)
{
    struct fixture *f = mem_calloc(1, sizeof(*f));

    chunk_pool_init(&f->pool, &f->account);
    outq_init(&f->q);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    outq_dispose(&f->q);
    chunk_pool_dispose(&f->pool);
    assert_int_equal(atomic_load(&f->account.bytes), 0); /* every chunk has come back */
    mem_free(f);
    return 0;
}

/* A chunk full of bytes that tell where they stood. */
static struct chunk *new_chunk(struct fixture *f, size_t size)
{
    struct chunk *chunk = chunk_new(&f->pool, size);

    for (size_t i = 0; i < chunk->cap; i++)
        chunk->data[i] = (char)(i * 31 + i / 256);
    chunk->len = chunk->cap;
    return chunk;
}

/* Without the NUL. */
static void copy_text(char *out, const char *text)
{
    while (*text != '\0')
        *out++ = *text++;
}

static void push_text(struct fixture *f, const char *text)
{
    copy_text(outq_push_space(&f->q, &f->pool, strlen(text)), text);
}

/* All that is queued, copied together by way of outq_peek, which must agree with q->bytes. */
static struct slice content(const struct fixture *f)
{
    struct iovec *iov = mem_calloc(f->q.n + 1, sizeof(*iov));
    char *bytes = mem_alloc(f->q.bytes);
    int n = outq_peek(&f->q, iov, (int)f->q.n + 1);
    size_t len = 0;

    assert_int_equal(n, f->q.n);
    for (int i = 0; i < n; i++) {
        assert_true(len + iov[i].iov_len <= f->q.bytes);
        memcpy(bytes + len, iov[i].iov_base, iov[i].iov_len);
        len += iov[i].iov_len;
    }
    assert_int_equal(len, f->q.bytes);
    mem_free(iov);
    return slice_of(bytes, len);
}

static void assert_content(const struct fixture *f, struct slice expected)
{
    struct slice actual = content(f);

    assert_int_equal(actual.len, expected.len);
    assert_memory_equal(actual.base, expected.base, expected.len);
    mem_free((char *)actual.base);
}

static void an_empty_queue_holds_no_memory(void **state)
{
    struct fixture *f = *state;
    struct chunk *chunk = new_chunk(f, 60000);

    assert_true(outq_is_empty(&f->q));
    for (uint32_t i = 0; i < 20; i++)
        outq_push_ref(&f->q, &f->pool, chunk, i * 2000, 1000);
    push_text(f, "own bytes");
    assert_non_null(f->q.pieces);
    assert_non_null(f->q.own);
    outq_consume(&f->q, f->q.bytes);
    assert_true(outq_is_empty(&f->q));
    assert_null(f->q.pieces);
    assert_null(f->q.own);
    assert_int_equal(chunk->refs, 1);
    assert_content(f, slice_str(""));
    chunk_unref(chunk);
}

static void disposing_drops_every_reference(void **state)
{
    struct fixture *f = *state;
    struct chunk *chunk = new_chunk(f, 60000);

    outq_push_ref(&f->q, &f->pool, chunk, 0, 1000);
    outq_push_ref(&f->q, &f->pool, chunk, 2000, 1000);
    outq_push_ref(&f->q, &f->pool, chunk, 4000, 1000);
    push_text(f, "own bytes");
    outq_consume(&f->q, 500);
    assert_int_equal(chunk->refs, 4);
    outq_dispose(&f->q);
    outq_dispose(&f->q);
    assert_int_equal(chunk->refs, 1);
    chunk_unref(chunk);
}

static void ranges_that_adjoin_become_one_piece(void **state)
{
    struct fixture *f = *state;
    struct chunk *chunk = new_chunk(f, 60000);

    outq_push_ref(&f->q, &f->pool, chunk, 100, 600);
    outq_push_ref(&f->q, &f->pool, chunk, 700, 3); /* short, but nothing to copy */
    assert_int_equal(f->q.n, 1);
    outq_consume(&f->q, 550);
    outq_push_ref(&f->q, &f->pool, chunk, 703, 600);
    assert_int_equal(f->q.n, 1);
    assert_int_equal(chunk->refs, 2);
    assert_content(f, slice_of(chunk->data + 650, 653));
    chunk_unref(chunk);
}

static void a_short_range_behind_others_is_copied_a_long_one_and_the_first_are_not(void **state)
{
    const struct {
        bool is_first;
        uint32_t len;
        bool is_copied;
    } rows[] = {
        {true, 1, false},
        {true, COPY_BELOW_BYTES, false},
        {false, 1, true},
        {false, COPY_BELOW_BYTES - 1, true},
        {false, COPY_BELOW_BYTES, false},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct chunk *chunk = new_chunk(f, 60000);
        char expected[4 + COPY_BELOW_BYTES];
        size_t n_before = rows[i].is_first ? 0 : 4;

        copy_text(expected, "head");
        memcpy(expected + n_before, chunk->data + 5000, rows[i].len);
        if (!rows[i].is_first)
            push_text(f, "head");
        outq_push_ref(&f->q, &f->pool, chunk, 5000, rows[i].len);
        assert_int_equal(chunk->refs, rows[i].is_copied ? 1 : 2);
        assert_content(f, slice_of(expected, n_before + rows[i].len));
        outq_dispose(&f->q);
        chunk_unref(chunk);
    }
}

static void short_pieces_share_a_chunk_of_the_queues_own(void **state)
{
    struct fixture *f = *state;

    push_text(f, "one ");
    push_text(f, "two ");
    assert_int_equal(f->q.n, 1);
    push_text(f, "three");
    assert_int_equal(f->q.n, 1);
    outq_consume(&f->q, 6);
    push_text(f, "!");
    assert_int_equal(f->q.n, 1);
    assert_content(f, slice_str("o three!"));
}

static void a_short_run_of_own_bytes_stays_one_piece_also_half_written(void **state)
{
    struct fixture *f = *state;
    struct buf expected;
    struct slice left;

    buf_init(&expected, SIZE_MAX);
    for (int i = 0; i < 60; i++) { /* 15,000 bytes: through all sizes of own chunks */
        memset(outq_push_space(&f->q, &f->pool, 250), 'A' + i, 250);
        memset(buf_reserve(&expected, 250), 'A' + i, 250);
        buf_commit(&expected, 250);
        if (i == 1)
            outq_consume(&f->q, 333);
        assert_int_equal(f->q.n, 1);
    }
    left = slice_skip(buf_slice(&expected), 333);
    assert_content(f, left);
    buf_dispose(&expected);
}

static void own_chunks_grow_with_what_waits_and_take_any_length(void **state)
{
    const size_t lens[] = {900, 100, 4000, 1, 16000, 16001, 70000, 3, 100000, 16352, 16352};
    struct fixture *f = *state;
    struct buf expected;

    buf_init(&expected, SIZE_MAX);
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        char *out = outq_push_space(&f->q, &f->pool, lens[i]);

        memset(out, 'a' + (int)i, lens[i]);
        memset(buf_reserve(&expected, lens[i]), 'a' + (int)i, lens[i]);
        buf_commit(&expected, lens[i]);
        assert_content(f, buf_slice(&expected));
    }
    buf_dispose(&expected);
}

static void the_ring_keeps_its_order_when_it_wraps_and_grows(void **state)
{
    struct fixture *f = *state;
    struct chunk *chunk = new_chunk(f, 69600);

    /* At every fill and at every place of the first piece, up to a ring of 32. */
    for (uint32_t n_gone = 0; n_gone < 20; n_gone++) {
        uint32_t first = 0, next = 0;

        for (; next < n_gone + 2; next++)
            outq_push_ref(&f->q, &f->pool, chunk, next * 1000, 600);
        for (; first < n_gone; first++)
            outq_consume(&f->q, 600);
        for (; next < n_gone + 34; next++) {
            outq_push_ref(&f->q, &f->pool, chunk, next * 1000, 600);
            assert_int_equal(f->q.n, next + 1 - first);
        }
        for (; first < next; first++) {
            struct iovec iov[1];

            assert_int_equal(outq_peek(&f->q, iov, 1), 1);
            assert_ptr_equal(iov[0].iov_base, chunk->data + (size_t)first * 1000);
            assert_int_equal(iov[0].iov_len, 600);
            outq_consume(&f->q, 600);
        }
        assert_true(outq_is_empty(&f->q));
        assert_int_equal(chunk->refs, 1);
    }
    chunk_unref(chunk);
}

static void peek_fills_at_most_what_it_was_given(void **state)
{
    struct fixture *f = *state;
    struct chunk *chunk = new_chunk(f, 60000);
    struct iovec iov[4];

    assert_int_equal(outq_peek(&f->q, iov, 4), 0);
    for (uint32_t i = 0; i < 3; i++)
        outq_push_ref(&f->q, &f->pool, chunk, i * 2000, 1000);
    assert_int_equal(outq_peek(&f->q, iov, 0), 0);
    assert_int_equal(outq_peek(&f->q, iov, 2), 2);
    assert_ptr_equal(iov[1].iov_base, chunk->data + 2000);
    assert_int_equal(outq_peek(&f->q, iov, 4), 3);
    chunk_unref(chunk);
}

static void the_head_is_the_first_piece_as_it_was_before_partial_writes(void **state)
{
    struct fixture *f = *state;
    struct chunk *chunk = new_chunk(f, 60000);
    size_t written = 7;

    assert_int_equal(outq_head(&f->q, &written).len, 0);
    assert_int_equal(written, 0);

    outq_push_ref(&f->q, &f->pool, chunk, 100, 1000);
    outq_push_ref(&f->q, &f->pool, chunk, 3000, 1000);
    outq_consume(&f->q, 1);
    outq_consume(&f->q, 299);
    assert_ptr_equal(outq_head(&f->q, &written).base, chunk->data + 100);
    assert_int_equal(outq_head(&f->q, &written).len, 1000);
    assert_int_equal(written, 300);

    outq_consume(&f->q, 700); /* exactly to the end of the first */
    assert_ptr_equal(outq_head(&f->q, &written).base, chunk->data + 3000);
    assert_int_equal(written, 0);

    outq_consume(&f->q, 10);
    outq_push_ref(&f->q, &f->pool, chunk, 4000, 500); /* adjoins: the same piece, longer */
    assert_int_equal(outq_head(&f->q, &written).len, 1500);
    assert_int_equal(written, 10);

    outq_consume(&f->q, f->q.bytes);
    outq_push_ref(&f->q, &f->pool, chunk, 9000, 20);
    assert_ptr_equal(outq_head(&f->q, &written).base, chunk->data + 9000);
    assert_int_equal(written, 0);
    chunk_unref(chunk);
}

static void unpin_copies_a_short_rest_out_of_a_large_chunk(void **state)
{
    const struct {
        size_t chunk_size, written;
        uint32_t len; /* of the first piece */
        bool is_copied;
    } rows[] = {
        {65536, 0, 200, true},
        {65536, 199, 200, true},
        {65536, 100, COPY_BELOW_BYTES - 1, true},
        {65536, COPY_BELOW_BYTES - 1, COPY_BELOW_BYTES, false}, /* the head is kept whole */
        {4000, 10, 500, true},
        {900, 10, 200, false}, /* a copy would take as much */
        {900, 10, 800, false},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct chunk *chunk = new_chunk(f, rows[i].chunk_size);
        struct slice piece = slice_of(chunk->data + 50, rows[i].len), head;
        size_t written;

        outq_push_ref(&f->q, &f->pool, chunk, 50, rows[i].len);
        outq_consume(&f->q, rows[i].written);
        outq_unpin(&f->q, &f->pool);
        assert_int_equal(chunk->refs, rows[i].is_copied ? 1 : 2);
        head = outq_head(&f->q, &written);
        assert_true(slice_eq(head, piece));
        assert_int_equal(written, rows[i].written);
        assert_content(f, slice_skip(piece, rows[i].written));
        outq_dispose(&f->q);
        chunk_unref(chunk);
    }
}

static void unpin_does_not_copy_its_own_copy(void **state)
{
    struct fixture *f = *state;
    struct chunk *chunk = new_chunk(f, 65536), *copy;

    outq_push_ref(&f->q, &f->pool, chunk, 50, 100);
    outq_consume(&f->q, 10);
    outq_unpin(&f->q, &f->pool);
    copy = f->q.inline_pieces[0].chunk;
    assert_ptr_not_equal(copy, chunk);
    outq_unpin(&f->q, &f->pool);
    assert_ptr_equal(f->q.inline_pieces[0].chunk, copy);
    chunk_unref(chunk);
}

static void unpin_leaves_an_empty_queue_and_own_bytes_alone(void **state)
{
    struct fixture *f = *state;
    struct chunk *own;

    outq_unpin(&f->q, &f->pool);
    assert_true(outq_is_empty(&f->q));
    push_text(f, "short");
    own = f->q.own;
    outq_consume(&f->q, 2);
    outq_unpin(&f->q, &f->pool);
    assert_ptr_equal(f->q.own, own);
    push_text(f, " and more");
    assert_int_equal(f->q.n, 1);
    assert_content(f, slice_str("ort and more"));
}

static void truncate_keeps_the_first_bytes(void **state)
{
    const size_t kept[] = {0, 1, 599, 600, 601, 1200, 1201, 1204, 1205, 1206, SIZE_MAX};
    struct fixture *f = *state;

    /* Three pieces: 600 and 600 bytes by reference, 5 of its own; 100 of the first are written. */
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        struct chunk *chunk = new_chunk(f, 60000);
        char expected[1205];

        memcpy(expected, chunk->data, 600);
        memcpy(expected + 600, chunk->data + 1000, 600);
        copy_text(expected + 1200, "12345");
        outq_push_ref(&f->q, &f->pool, chunk, 0, 600);
        outq_push_ref(&f->q, &f->pool, chunk, 1000, 600);
        push_text(f, "12345");
        outq_consume(&f->q, 100);
        outq_truncate(&f->q, kept[i] < 100 ? 0 : kept[i] - 100);
        assert_content(f, slice_take(slice_skip(slice_of(expected, 1205), 100),
                                     kept[i] < 100 ? 0 : kept[i] - 100));
        if (kept[i] <= 100)
            assert_true(outq_is_empty(&f->q));
        outq_dispose(&f->q);
        assert_int_equal(chunk->refs, 1);
        chunk_unref(chunk);
    }
}

static void what_is_pushed_after_truncate_stands_behind_what_was_kept(void **state)
{
    struct fixture *f = *state;
    struct chunk *chunk = new_chunk(f, 60000);
    char expected[614];

    push_text(f, "0123456789");
    outq_truncate(&f->q, 4);
    push_text(f, "abc"); /* own bytes were cut: their chunk may not be written behind the cut */
    assert_content(f, slice_str("0123abc"));
    outq_truncate(&f->q, 0);
    push_text(f, "0123");
    copy_text(expected, "0123");
    outq_push_ref(&f->q, &f->pool, chunk, 0, 1000);
    outq_truncate(&f->q, 604);
    memcpy(expected + 4, chunk->data, 600);
    push_text(f, "0123456789");
    copy_text(expected + 604, "0123456789");
    assert_content(f, slice_of(expected, 614));
    chunk_unref(chunk);
}

/* --- any sequence of calls against plain bytes --- */

enum { MODEL_BYTES = 1 << 20 };

struct model {
    char bytes[MODEL_BYTES];    /* everything ever queued and not truncated */
    bool is_begin[MODEL_BYTES]; /* a push began here */
    size_t written, end;
};

static void note(struct model *m, const char *bytes, size_t len)
{
    m->is_begin[m->end] = true;
    memcpy(m->bytes + m->end, bytes, len);
    m->end += len;
}

static void assert_same(const struct fixture *f, const struct model *m)
{
    size_t written;
    struct slice head = outq_head(&f->q, &written);

    assert_content(f, slice_of(m->bytes + m->written, m->end - m->written));
    if (outq_is_empty(&f->q))
        return;
    assert_true(m->is_begin[m->written - written]);
    assert_memory_equal(head.base, m->bytes + m->written - written, head.len);
}

/* A shared chunk with ranges that are handed out one after the other, as the tick log does. */
struct source {
    struct chunk *chunk;
    uint32_t at;
};

static void push_from(struct fixture *f, struct model *m, struct source *source, struct rng *rng)
{
    uint32_t len =
        (uint32_t)(rng_one_in(rng, 2) ? 1 + rng_below(rng, 600) : 1 + rng_below(rng, 3000));

    if (source->chunk == NULL || source->chunk->cap - source->at < 4000) {
        if (source->chunk != NULL)
            chunk_unref(source->chunk);
        source->chunk = new_chunk(f, rng_one_in(rng, 2) ? 5000 : 65536);
        source->at = 0;
    }
    if (rng_one_in(rng, 3))
        source->at += (uint32_t)rng_below(rng, 500); /* what another queue has got */
    note(m, source->chunk->data + source->at, len);
    outq_push_ref(&f->q, &f->pool, source->chunk, source->at, len);
    source->at += len;
}

static void push_own(struct fixture *f, struct model *m, struct rng *rng)
{
    size_t len = rng_one_in(rng, 10) ? 1 + rng_below(rng, 30000) : 1 + rng_below(rng, 300);
    char *out = outq_push_space(&f->q, &f->pool, len);

    for (size_t i = 0; i < len; i++)
        out[i] = (char)rng_next(rng);
    note(m, out, len);
}

static void write_some(struct fixture *f, struct model *m, struct rng *rng)
{
    size_t n = rng_one_in(rng, 4) ? f->q.bytes : rng_below(rng, f->q.bytes + 1);

    if (rng_one_in(rng, 2))
        n = rng_below(rng, 400) < n ? rng_below(rng, n + 1) % 400 : n;
    outq_consume(&f->q, n);
    m->written += n;
    if (rng_one_in(rng, 2))
        outq_unpin(&f->q, &f->pool);
}

/* At the begin of a push, as only whole frames may go. */
static void truncate_some(struct fixture *f, struct model *m, struct rng *rng)
{
    size_t to = m->written + rng_below(rng, f->q.bytes + 1);

    while (to < m->end && !m->is_begin[to])
        to++;
    outq_truncate(&f->q, to - m->written);
    memset(m->is_begin + to, 0, m->end - to);
    m->end = to;
}

static void any_sequence_of_calls_gives_the_bytes_in_order(void **state)
{
    struct fixture *f = *state;
    struct model *m = mem_alloc(sizeof(*m));

    for (uint64_t seed = 0; seed < 60; seed++) {
        struct rng rng = {seed};
        struct source sources[2] = {{NULL, 0}, {NULL, 0}};
        size_t n_drain = 2 + rng_below(&rng, 12); /* how full it gets */

        memset(m->is_begin, 0, sizeof(m->is_begin));
        m->written = m->end = 0;
        while (m->end < MODEL_BYTES - 65536) {
            if (rng_one_in(&rng, n_drain))
                write_some(f, m, &rng);
            else if (rng_one_in(&rng, 30))
                truncate_some(f, m, &rng);
            else if (rng_one_in(&rng, 3))
                push_own(f, m, &rng);
            else
                push_from(f, m, &sources[rng_below(&rng, 2)], &rng);
            assert_same(f, m);
        }
        outq_dispose(&f->q);
        for (size_t i = 0; i < 2; i++) {
            assert_true(sources[i].chunk == NULL || sources[i].chunk->refs == 1);
            if (sources[i].chunk != NULL)
                chunk_unref(sources[i].chunk);
        }
    }
    mem_free(m);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_queue_holds_no_memory),
        TEST(disposing_drops_every_reference),
        TEST(ranges_that_adjoin_become_one_piece),
        TEST(a_short_range_behind_others_is_copied_a_long_one_and_the_first_are_not),
        TEST(short_pieces_share_a_chunk_of_the_queues_own),
        TEST(a_short_run_of_own_bytes_stays_one_piece_also_half_written),
        TEST(own_chunks_grow_with_what_waits_and_take_any_length),
        TEST(the_ring_keeps_its_order_when_it_wraps_and_grows),
        TEST(peek_fills_at_most_what_it_was_given),
        TEST(the_head_is_the_first_piece_as_it_was_before_partial_writes),
        TEST(unpin_copies_a_short_rest_out_of_a_large_chunk),
        TEST(unpin_does_not_copy_its_own_copy),
        TEST(unpin_leaves_an_empty_queue_and_own_bytes_alone),
        TEST(truncate_keeps_the_first_bytes),
        TEST(what_is_pushed_after_truncate_stands_behind_what_was_kept),
        TEST(any_sequence_of_calls_gives_the_bytes_in_order),
    };

    return cmocka_run_group_tests_name("gateway/outbound/outq", tests, NULL, NULL);
}
