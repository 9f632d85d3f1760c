#include "tests/test.h"
#include "tests/gateway/router/harness.h"

#include "base/mem.h"

static void count_mail(void *ctx, unsigned worker, struct msg *msg)
{
    struct harness *h = ctx;

    assert_in_range(worker, 0, INTEREST_MAX_WORKERS - 1);
    h->n_mailed[worker]++;
    h->mailed_id = msg->id;
}

static void count_wake(void *ctx)
{
    ((struct harness *)ctx)->n_wakes++;
}

struct harness *harness_new(void)
{
    const struct siphash_key key = {3, 4};
    struct harness *h = mem_calloc(1, sizeof(*h));

    chunk_pool_init(&h->pool, &h->account);
    interest_init(&h->interest, key);
    patterns_init(&h->patterns, INTEREST_MAX_WORKERS, HARNESS_MAX_PATTERNS, '/', key);
    router_init(&h->router, HARNESS_WORKER, &h->interest, &h->patterns, HARNESS_CACHE_LIMIT,
                &h->pool, &h->metrics, key, 0xabc,
                (struct router_hooks){.mail = count_mail, .wake = count_wake, .ctx = h});
    return h;
}

void harness_free(struct harness *h)
{
    router_distribute(&h->router); /* groups that the log names go with it */
    assert_null(router_take_dirty(&h->router));
    assert_int_equal(h->router.groups.n, 0);
    assert_int_equal(harness_metric(h, METRIC_SUBSCRIPTIONS), 0);
    router_dispose(&h->router);
    patterns_dispose(&h->patterns);
    interest_dispose(&h->interest);
    chunk_pool_dispose(&h->pool);
    assert_int_equal(atomic_load(&h->account.bytes), 0);
    mem_free(h);
}

uint64_t harness_metric(const struct harness *h, enum metric metric)
{
    return atomic_load(&h->metrics.values[metric]);
}

struct msg *harness_message(struct harness *h, struct slice destination, struct slice body)
{
    const struct msg_header headers[] = {
        {SLICE("destination"), destination},
        {SLICE("x:y"), SLICE("1\n2")},
    };
    char id[64];

    return msg_new(destination, headers, 2, router_next_id(&h->router, id), body,
                   body.len % 3 == 2);
}

static void put(struct buf *out, struct slice bytes)
{
    assert_true(buf_append(out, bytes));
}

void harness_expect_frame(struct buf *out, bool is_binary, struct slice content)
{
    unsigned char head[10] = {is_binary ? 0x82 : 0x81};
    size_t n = 2;

    if (content.len < 126) {
        head[1] = (unsigned char)content.len;
    } else if (content.len < 65536) {
        head[1] = 126;
        head[2] = (unsigned char)(content.len >> 8);
        head[3] = (unsigned char)content.len;
        n = 4;
    } else {
        head[1] = 127;
        for (unsigned i = 0; i < 8; i++)
            head[2 + i] = (unsigned char)(content.len >> (56 - 8 * i));
        n = 10;
    }
    put(out, slice_of((const char *)head, n));
    put(out, content);
}

void harness_expect_lines(struct buf *out, enum wire wire, const struct msg *msg, const char *id,
                          struct slice lines)
{
    struct buf content;

    buf_init(&content, SIZE_MAX);
    if (wire == WIRE_WEBSOCKET) {
        put(&content, msg->head);
        put(&content, slice_str("subscription:"));
        for (; *id != '\0'; id++)
            put(&content, *id == ':' ? slice_str("\\c") : slice_of(id, 1));
        put(&content, slice_str("\n"));
        put(&content, lines);
        assert_true(buf_printf(&content, "message-id:%.*s\ncontent-length:%zu\n\n",
                               SLICE_FMT(msg->id), msg->body.len));
        put(&content, msg->body);
        put(&content, slice_of("", 1));
    } else {
        put(&content, msg->body);
    }
    harness_expect_frame(out, msg->is_binary, buf_slice(&content));
    buf_dispose(&content);
}

void harness_expect(struct buf *out, enum wire wire, const struct msg *msg, const char *id)
{
    harness_expect_lines(out, wire, msg, id, slice_str(""));
}

size_t harness_frame_len(struct slice bytes)
{
    const unsigned char *head = (const unsigned char *)bytes.base;
    size_t n_head = 2, len;

    if (bytes.len < 2)
        return 0;
    len = head[1];
    if (len >= 126) {
        n_head = len == 126 ? 4 : 10;
        if (bytes.len < n_head)
            return 0;
        len = 0;
        for (size_t i = 2; i < n_head; i++)
            len = len << 8 | head[i];
    }
    return bytes.len < n_head + len ? 0 : n_head + len;
}

void harness_write(struct receiver *receiver, size_t n, struct buf *out)
{
    struct outq *q = &receiver->outq;

    assert_true(n <= q->bytes);
    while (n != 0) {
        struct iovec iov[7];
        int n_pieces = outq_peek(q, iov, 7);
        size_t written = 0;

        assert_true(n_pieces > 0);
        for (int i = 0; i < n_pieces && written < n; i++) {
            size_t part = iov[i].iov_len < n - written ? iov[i].iov_len : n - written;

            put(out, slice_of(iov[i].iov_base, part));
            written += part;
        }
        outq_consume(q, written);
        n -= written;
    }
}
