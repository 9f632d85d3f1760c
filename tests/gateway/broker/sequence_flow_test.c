#include "tests/test.h"
#include "tests/random.h"
#include "tests/gateway/broker/office.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/mem.h"

/*
 * Numbered destinations over several workers against what a subscriber may rely on: within an epoch
 * no number is left out and none comes twice, whoever publishes, and when it came. Subscribers come
 * and go at random, to the destination and to a pattern, and mail arrives when it likes.
 */

enum { N_WORKERS = 3, N_SUBSCRIBERS = 6, STEPS = 20000 };

struct subscriber {
    bool is_there;
    unsigned worker;
    struct receiver receiver;
    unsigned long long last; /* number seen; 0: none yet */
    char epoch[64];
};

struct flow {
    struct office *office;
    struct rng rng;
    unsigned long long n_published;
    unsigned long long n_seen;
    struct subscriber subscribers[N_SUBSCRIBERS];
};

static void enter(struct flow *f, struct subscriber *s)
{
    bool is_pattern = rng_one_in(&f->rng, 4);
    const struct router_subscribe asked = {
        .id = SLICE("s"),
        .destination = slice_str(is_pattern ? "/topic/*" : "/topic/seq"),
        .kind = is_pattern ? DESTINATION_PATTERN : DESTINATION_EXACT,
    };

    s->worker = (unsigned)rng_below(&f->rng, N_WORKERS);
    s->last = 0;
    s->is_there = true;
    receiver_init(&s->receiver, &f->office->workers[s->worker].router, WIRE_WEBSOCKET);
    assert_int_equal(router_subscribe_as(&f->office->workers[s->worker].router, &s->receiver,
                                         &asked, NULL, NULL),
                     ROUTER_OK);
}

static void take_frame(struct flow *f, struct subscriber *s, const char *frame)
{
    const char *at = strstr(frame, "\nx-seq:"), *lines = strstr(frame, "\nx-epoch:");
    unsigned long long number;
    char epoch[64];

    assert_non_null(at);
    assert_non_null(lines);
    number = strtoull(at + strlen("\nx-seq:"), NULL, 10);
    assert_int_equal(sscanf(lines, "\nx-epoch:%63[^\n]", epoch), 1);
    if (s->last != 0) {
        assert_string_equal(epoch, s->epoch);
        assert_int_equal(number, s->last + 1);
    }
    s->last = number;
    memcpy(s->epoch, epoch, sizeof(epoch));
    f->n_seen++;
}

static void hear(struct flow *f, struct subscriber *s)
{
    struct buf got;
    char *frame, *end;

    buf_init(&got, SIZE_MAX);
    office_hear(f->office, s->worker, &s->receiver, &got);
    assert_true(buf_append(&got, slice_of("", 1)));
    for (frame = got.base; (end = strchr(frame, '^')) != NULL; frame = end + 1) {
        *end = '\0';
        take_frame(f, s, frame);
    }
    buf_dispose(&got);
}

static void leave(struct flow *f, struct subscriber *s)
{
    hear(f, s);
    receiver_leave(&s->receiver, &f->office->workers[s->worker].router);
    s->is_there = false;
}

static void publish(struct flow *f)
{
    unsigned worker = (unsigned)rng_below(&f->rng, N_WORKERS);
    struct msg *msg = office_message(f->office, worker, "/topic/seq", "x");

    assert_int_equal(
        broker_publish(&f->office->workers[worker].broker, msg, NULL, NULL, false, NULL),
        BROKER_ROUTED);
    f->n_published++;
    msg_unref(msg);
}

static void step(struct flow *f)
{
    struct subscriber *s = &f->subscribers[rng_below(&f->rng, N_SUBSCRIBERS)];

    switch (rng_below(&f->rng, 8)) {
    case 0:
    case 1:
        publish(f);
        break;
    case 2:
        if (!s->is_there)
            enter(f, s);
        else if (rng_one_in(&f->rng, 3))
            leave(f, s);
        break;
    case 3:
        if (s->is_there)
            hear(f, s);
        break;
    default:
        (void)office_deliver(f->office, (unsigned)rng_below(&f->rng, N_WORKERS));
        break;
    }
}

static void no_number_is_left_out_whoever_comes_and_goes(void **state)
{
    static const struct slice sequenced[] = {SLICE("/topic/seq")};
    static const struct policy_rules rules = {.sequenced = {sequenced, 1}, .separator = '/'};
    static const struct broker_limits limits = {.last_messages = 1};

    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct flow *f = mem_calloc(1, sizeof(*f));

        f->office = office_new(N_WORKERS, &rules, &limits);
        f->rng.state = seed;
        for (unsigned i = 0; i < STEPS; i++)
            step(f);
        office_deliver_all(f->office);
        /* Who is still there has all, up to the very last. */
        for (size_t i = 0; i < N_SUBSCRIBERS; i++) {
            struct subscriber *s = &f->subscribers[i];

            if (!s->is_there)
                continue;
            hear(f, s);
            assert_true(s->last == 0 || s->last == f->n_published);
            leave(f, s);
        }
        assert_true(f->n_seen > f->n_published);
        office_free(f->office);
        mem_free(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_number_is_left_out_whoever_comes_and_goes),
    };

    return cmocka_run_group_tests_name("gateway/broker/sequence_flow", tests, NULL, NULL);
}
