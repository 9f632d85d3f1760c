#include "tests/test.h"
#include "tests/gateway/broker/office.h"

#include "base/mem.h"
#include "tests/gateway/router/harness.h"

static void put_in_tray(struct office *office, unsigned worker, struct parcel_in_tray parcel)
{
    struct office_worker *w = &office->workers[worker];

    assert_in_range(worker, 0, office->n_workers - 1);
    if (w->n_tray == w->tray_cap) {
        w->tray_cap = w->tray_cap == 0 ? 16 : w->tray_cap * 2;
        w->tray = mem_realloc(w->tray, w->tray_cap * sizeof(*w->tray));
    }
    w->tray[w->n_tray++] = parcel;
}

static void mail(void *ctx, unsigned worker, struct msg *msg)
{
    struct office_worker *from = ctx;

    assert_int_not_equal(worker, from->index);
    put_in_tray(from->office, worker, (struct parcel_in_tray){.msg = msg_ref(msg)});
}

static void wake(void *ctx)
{
    (void)ctx;
}

static void send_errand(void *ctx, unsigned worker, struct errand *errand)
{
    put_in_tray(((struct office_worker *)ctx)->office, worker,
                (struct parcel_in_tray){.errand = errand});
}

static void note_receipt(void *ctx, struct session_ref session, struct slice receipt)
{
    struct office *office = ((struct office_worker *)ctx)->office;

    assert_true(buf_printf(&office->receipts, "%u:%.*s;", session.slot, SLICE_FMT(receipt)));
}

static bool is_ending(void *ctx)
{
    return ((struct office_worker *)ctx)->office->is_ending;
}

static void on_ended(void *ctx, struct subscription *subscription)
{
    broker_subscription_ended(ctx, subscription);
}

struct office *office_new(unsigned n_workers, const struct policy_rules *rules,
                          const struct broker_limits *limits)
{
    const struct siphash_key key = {5, 6};
    struct office *office = mem_calloc(1, sizeof(*office));
    char *error = NULL;
    struct policy *policy = policy_new(rules, &error);

    assert_non_null(policy);
    office->n_workers = n_workers;
    buf_init(&office->receipts, 65536);
    chunk_pool_init(&office->pool, &office->account);
    interest_init(&office->interest, key);
    patterns_init(&office->patterns, n_workers, 100, '/', key);
    broker_shared_init(&office->shared, policy, limits, n_workers, key, 0xabc);
    for (unsigned i = 0; i < n_workers; i++) {
        struct office_worker *w = &office->workers[i];

        w->office = office;
        w->index = i;
        router_init(&w->router, i, &office->interest, &office->patterns, 100, &office->pool,
                    &office->metrics, key, 0xabc,
                    (struct router_hooks){.mail = mail, .wake = wake, .ctx = w});
        broker_init(&w->broker, &office->shared, i, &w->router, &office->metrics, 100,
                    (struct broker_hooks){send_errand, note_receipt, is_ending, w});
        router_on_ended(&w->router, on_ended, &w->broker);
    }
    return office;
}

bool office_deliver(struct office *office, unsigned worker)
{
    struct office_worker *w = &office->workers[worker];
    struct parcel_in_tray parcel;

    if (w->n_tray == 0)
        return false;
    parcel = w->tray[0];
    memmove(w->tray, w->tray + 1, --w->n_tray * sizeof(*w->tray));
    if (parcel.msg != NULL) {
        router_deliver(&w->router, parcel.msg, NULL);
        msg_unref(parcel.msg);
    } else {
        parcel.errand->run(parcel.errand, &w->broker);
    }
    return true;
}

void office_deliver_all(struct office *office)
{
    bool any = true;

    while (any) {
        any = false;
        for (unsigned i = 0; i < office->n_workers; i++) {
            while (office_deliver(office, i))
                any = true;
        }
    }
}

void office_free(struct office *office)
{
    office_deliver_all(office);
    for (unsigned i = 0; i < office->n_workers; i++) {
        struct office_worker *w = &office->workers[i];

        router_distribute(&w->router);
        assert_null(router_take_dirty(&w->router));
        broker_dispose(&w->broker);
        router_dispose(&w->router);
        mem_free(w->tray);
    }
    broker_shared_dispose(&office->shared);
    patterns_dispose(&office->patterns);
    interest_dispose(&office->interest);
    chunk_pool_dispose(&office->pool);
    assert_int_equal(atomic_load(&office->account.bytes), 0);
    buf_dispose(&office->receipts);
    mem_free(office);
}

struct msg *office_message(struct office *office, unsigned worker, const char *destination,
                           const char *body)
{
    const struct msg_header header = {SLICE("destination"), slice_str(destination)};
    char id[64];

    return msg_new(header.value, &header, 1, router_next_id(&office->workers[worker].router, id),
                   slice_str(body), false);
}

/* What stands in front of a frame of that length. */
static size_t head_len(size_t frame_len)
{
    return frame_len < 2 + 126 ? 2 : 4;
}

void office_hear(struct office *office, unsigned worker, struct receiver *receiver, struct buf *out)
{
    struct buf bytes;
    size_t len;

    router_distribute(&office->workers[worker].router);
    buf_init(&bytes, SIZE_MAX);
    harness_write(receiver, receiver->outq.bytes, &bytes);
    while ((len = harness_frame_len(buf_slice(&bytes))) != 0) {
        size_t head = head_len(len);

        assert_true(buf_append(out, slice_of(bytes.base + head, len - head)));
        buf_consume(&bytes, len);
    }
    buf_dispose(&bytes);
    for (size_t i = 0; i < out->len; i++) {
        if (out->base[i] == '\0')
            out->base[i] = '^';
    }
}

uint64_t office_metric(const struct office *office, enum metric metric)
{
    return atomic_load(&office->metrics.values[metric]);
}
