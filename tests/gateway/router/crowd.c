#include "tests/test.h"
#include "tests/gateway/router/crowd.h"

#include "base/mem.h"

int crowd_set_up(void **state)
{
    struct crowd *f = mem_calloc(1, sizeof(*f));

    f->h = harness_new();
    for (size_t i = 0; i < CROWD_SIZE; i++)
        receiver_init(&f->receivers[i], &f->h->router, WIRE_WEBSOCKET);
    buf_init(&f->expected, SIZE_MAX);
    buf_init(&f->got, SIZE_MAX);
    *state = f;
    return 0;
}

int crowd_tear_down(void **state)
{
    struct crowd *f = *state;

    for (size_t i = 0; i < CROWD_SIZE; i++)
        receiver_leave(&f->receivers[i], &f->h->router);
    buf_dispose(&f->expected);
    buf_dispose(&f->got);
    harness_free(f->h);
    mem_free(f);
    return 0;
}

void crowd_subscribe(struct crowd *f, size_t i, const char *id, struct slice destination)
{
    assert_true(router_subscribe(&f->h->router, &f->receivers[i], slice_str(id), destination));
}

void crowd_subscribe_first(struct crowd *f, size_t n, const char *id, struct slice destination)
{
    for (size_t i = 0; i < n; i++)
        crowd_subscribe(f, i, id, destination);
}

struct subscription *crowd_subscribe_as(struct crowd *f, size_t i,
                                        const struct router_subscribe *asked)
{
    struct subscription *subscription = NULL;
    const char *why = NULL;

    assert_int_equal(
        router_subscribe_as(&f->h->router, &f->receivers[i], asked, &subscription, &why),
        ROUTER_OK);
    assert_ptr_equal(receiver_find(&f->receivers[i], &f->h->router, asked->id), subscription);
    return subscription;
}

struct subscription *crowd_subscribe_kind(struct crowd *f, size_t i, const char *id,
                                          enum destination_kind kind, const char *destination)
{
    const struct router_subscribe asked = {
        .id = slice_str(id),
        .destination = slice_str(destination),
        .kind = kind,
    };

    return crowd_subscribe_as(f, i, &asked);
}

void crowd_unsubscribe(struct crowd *f, size_t i, const char *id)
{
    struct subscription *s = receiver_find(&f->receivers[i], &f->h->router, slice_str(id));

    assert_non_null(s);
    router_unsubscribe(&f->h->router, s);
}

uint64_t crowd_publish(struct crowd *f, struct slice destination, const char *body,
                       const struct receiver *except, const char *id)
{
    struct msg *msg = harness_message(f->h, destination, slice_str(body));
    uint64_t n = router_publish(&f->h->router, msg, except);

    if (id != NULL)
        harness_expect(&f->expected, WIRE_WEBSOCKET, msg, id);
    msg_unref(msg);
    return n;
}

void crowd_assert_gets_expected(struct crowd *f, size_t i)
{
    harness_write(&f->receivers[i], f->receivers[i].outq.bytes, &f->got);
    assert_int_equal(f->got.len, f->expected.len);
    if (f->got.len != 0)
        assert_memory_equal(f->got.base, f->expected.base, f->got.len);
    buf_consume(&f->got, f->got.len);
}

void crowd_assert_gets(struct crowd *f, size_t i)
{
    crowd_assert_gets_expected(f, i);
    crowd_expect_nothing(f);
}

size_t crowd_count(struct crowd *f, size_t i)
{
    size_t n = 0;

    harness_write(&f->receivers[i], f->receivers[i].outq.bytes, &f->got);
    for (; f->got.len != 0; n++) {
        size_t len = harness_frame_len(buf_slice(&f->got));

        assert_int_not_equal(len, 0);
        buf_consume(&f->got, len);
    }
    return n;
}

void crowd_expect_nothing(struct crowd *f)
{
    buf_consume(&f->expected, f->expected.len);
}

void crowd_take_all_dirty(struct crowd *f)
{
    while (router_take_dirty(&f->h->router) != NULL)
        continue;
}
