#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "gateway/router/lag.h"
#include "gateway/router/parts.h"

enum {
    FEW_MEMBERS = 2,      /* copied to at once: a log entry would cost more */
    FEW_MAX_BYTES = 4096, /* but not a large message */
    RUN_MIN_GROUPS = 16,  /* fewer are served at once */
    LOOKED_AT_MAX = 64,   /* subscriptions of one receiver, to see whether it is in a run */
};

static struct wire_address address_of(const struct group *g)
{
    return (struct wire_address){
        .wire = (enum wire)g->wire,
        .id = group_id(g),
        .is_plain_id = g->is_plain_id,
    };
}

/* How long the message is for that address, with what it was packed to looked up, or made. */
static size_t measure(struct router *router, const struct msg *msg, struct wire_address *to)
{
    if (wire_window_bits(to->wire) != 0)
        to->packed = packer_pack(&router->packer, msg, to->wire);
    return wire_message_len(msg, to);
}

/* Compressed for this receiver alone, and as long as what it got before makes it. Returns false
 * when it has to go as it is. */
static bool copy_in_context(struct router *router, struct receiver *receiver, const struct msg *msg,
                            const struct wire_address *to)
{
    struct slice packed = packer_pack_in_context(&router->packer, &receiver->deflater, msg, to);
    char *out;

    if (packed.len == 0)
        return false;
    out = ticklog_push_space(router, receiver, wire_framed_len(to->wire, packed.len));
    out = wire_write_compressed_head(to->wire, msg->is_binary, packed.len, out);
    memcpy(out, packed.base, packed.len);
    return true;
}

static inline void copy_message(struct router *router, struct receiver *receiver,
                                const struct msg *msg, const struct wire_address *to, size_t len)
{
    router_catch_up(router, receiver);
    if (!wire_keeps_context(to->wire) || !copy_in_context(router, receiver, msg, to))
        wire_write_message(msg, to, ticklog_push_space(router, receiver, len));
    router_mark_dirty(router, receiver);
}

void delivery_count(struct router *router, uint64_t n)
{
    if (n == 0)
        return;
    router->tick_deliveries += n;
    metrics_add(router->metrics, METRIC_DELIVERED, n);
    router->hooks.wake(router->hooks.ctx);
}

/* --- selectors and acknowledgements --- */

struct selecting {
    const struct msg *msg;
    char *owned[SELECTOR_STEPS_MAX]; /* values that had escapes */
    size_t n_owned;
};

static bool find_selected(void *ctx, struct slice name, struct slice *value)
{
    struct selecting *selecting = ctx;
    char *owned;
    bool found;

    if (slice_eq_nocase(name, (struct slice)SLICE("destination"))) {
        *value = selecting->msg->destination;
        return true;
    }
    /* Headers are UTF-8: the parser lets nothing else in. */
    found = msg_find_header(selecting->msg, name, value, &owned);
    if (owned != NULL && selecting->n_owned == SELECTOR_STEPS_MAX) {
        mem_free(owned);
        return false;
    }
    if (owned != NULL)
        selecting->owned[selecting->n_owned++] = owned;
    return found;
}

static bool is_selected(const struct group *g, const struct msg *msg)
{
    struct selecting selecting = {.msg = msg};
    const struct selector_headers headers = {find_selected, &selecting};
    const struct selector *selector = group_more(g)->selector;
    bool matches = selector == NULL || selector_matches(selector, &headers);

    while (selecting.n_owned != 0)
        mem_free(selecting.owned[--selecting.n_owned]);
    return matches;
}

static const struct slice ack_name = SLICE("ack:");

/* The header lines of a message that is to be acknowledged: borrowed until the next call. */
static struct slice ack_lines(struct router *router, const struct msg *msg, struct slice more)
{
    struct buf *lines = &router->lines;
    char *at;

    buf_consume(lines, lines->len);
    at = buf_reserve(lines, ack_name.len + msg->id.len + 1 + more.len);
    if (at == NULL)
        abort(); /* it has no ceiling */
    memcpy(at, ack_name.base, ack_name.len);
    memcpy(at + ack_name.len, msg->id.base, msg->id.len);
    at[ack_name.len + msg->id.len] = '\n';
    if (more.len != 0)
        memcpy(at + ack_name.len + msg->id.len + 1, more.base, more.len);
    return slice_of(at, ack_name.len + msg->id.len + 1 + more.len);
}

bool router_deliver_one(struct router *router, struct subscription *s, const struct msg *msg,
                        struct slice lines, uint64_t tag)
{
    struct group *g = s->group;
    struct group_more *more = group_more(g);
    struct wire_address to = address_of(g);

    to.lines = lines;
    if (more->needs_ack) {
        struct ack_entry entry = {.tag = tag};

        if (!router_read_id(router, msg->id, &entry) || !acks_push(&more->acks, &entry))
            return false;
        to.lines = ack_lines(router, msg, lines);
    }
    copy_message(router, s->receiver, msg, &to, measure(router, msg, &to));
    return true;
}

void router_reply(struct router *router, struct receiver *receiver, const struct msg *msg,
                  struct slice id)
{
    struct wire_address to = {.wire = receiver->wire, .id = id};

    copy_message(router, receiver, msg, &to, measure(router, msg, &to));
    delivery_count(router, 1);
}

/* To a receiver that lags. Returns false when it may not lose the message. */
static bool deliver_to_ring(struct router *router, struct subscription *s, const struct msg *msg)
{
    router_catch_up(router, s->receiver);
    if (!lag_add(group_more(s->group)->ring, msg))
        return false;
    router_mark_dirty(router, s->receiver);
    return true;
}

/* A fan-out does not wait for one receiver: a full window is a slow consumer. Returns how many
 * messages were delivered. */
static uint64_t deliver_alone(struct router *router, struct subscription *s, const struct msg *msg)
{
    if (group_more(s->group)->ring != NULL && deliver_to_ring(router, s, msg))
        return 1;
    if (router_deliver_one(router, s, msg, slice_str(""), 0))
        return 1;
    s->receiver->is_window_full = true;
    router_mark_dirty(router, s->receiver);
    return 0;
}

/* --- to a group --- */

static inline uint64_t deliver_to_group(struct router *router, struct group *g,
                                        const struct msg *msg, const struct receiver *except)
{
    struct wire_address to = address_of(g);
    struct subscription **members = group_members(g);
    uint64_t n = g->n_members;
    size_t len;

    if (except != NULL && router_is_member(router, g, except))
        n--;
    if (n == 0 || (g->kind != GROUP_PLAIN && !is_selected(g, msg)))
        return 0;
    if (g->kind == GROUP_ALONE)
        return deliver_alone(router, g->single, msg);
    len = measure(router, msg, &to);
    if (!wire_keeps_context(to.wire) && (g->n_members > FEW_MEMBERS || len > FEW_MAX_BYTES)) {
        ticklog_add(router, g, msg, &to, len, except);
    } else {
        for (uint32_t i = 0; i < g->n_members; i++) {
            if (members[i]->receiver != except)
                copy_message(router, members[i]->receiver, msg, &to, len);
        }
    }
    return n;
}

/* --- what may wait --- */

/*
 * Where most subscribers have ids of their own, a message alone would be a walk over the memory of
 * all of them, more than the caches hold. So messages to one destination wait for each other, and
 * then each subscriber gets all of them at once. Nobody can tell: no subscriber has two
 * subscriptions there, and a run is handed out before a member is told anything else, before the
 * destination's subscriptions change, and at the tick's end.
 */
void router_end_run(struct router *router)
{
    struct run *run = &router->run;
    uint32_t n = run->n;

    if (n == 0)
        return;
    run->n = 0;
    for (struct group *g = run->destination->groups; g != NULL; g = g->next) {
        for (uint32_t i = 0; i < n; i++)
            deliver_to_group(router, g, run->msgs[i], NULL);
    }
    for (uint32_t i = 0; i < n; i++)
        msg_unref(run->msgs[i]);
}

static bool may_wait(const struct destination *d, const struct msg *msg,
                     const struct receiver *except)
{
    return d->n_groups >= RUN_MIN_GROUPS && d->n_not_plain == 0 && d->n_further == 0 &&
           except == NULL && d->n_members <= (uint64_t)d->n_groups * FEW_MEMBERS &&
           msg->head.len + msg->tail.len <= FEW_MAX_BYTES;
}

static void add_to_run(struct router *router, struct destination *d, struct msg *msg)
{
    struct run *run = &router->run;

    if (run->n != 0 && (run->destination != d || run->n == RUN_MAX))
        router_end_run(router);
    run->destination = d;
    run->msgs[run->n++] = msg_ref(msg);
}

uint64_t delivery_to(struct router *router, struct destination *d, struct msg *msg,
                     const struct receiver *except)
{
    uint64_t n = 0;

    if (may_wait(d, msg, except)) {
        add_to_run(router, d, msg);
        return d->n_members;
    }
    router_end_run(router);
    for (struct group *g = d->groups; g != NULL; g = g->next)
        n += deliver_to_group(router, g, msg, except);
    return n;
}

bool delivery_may_have(const struct receiver *receiver, const struct destination *d)
{
    return receiver->subscriptions.n > LOOKED_AT_MAX ||
           subscriptions_have(&receiver->subscriptions, d);
}

void delivery_end_run_of(struct router *router, const struct destination *d)
{
    if (router->run.n != 0 && router->run.destination == d)
        router_end_run(router);
}

/* --- to the sender itself --- */

struct echo {
    struct router *router;
    const struct msg *msg;
    uint64_t n;
};

static void echo_visited(struct subscription *s, void *ctx)
{
    struct echo *echo = ctx;
    struct group *g = s->group;
    const struct destination *d = g->destination;
    bool matches =
        d->kind == DESTINATION_PATTERN
            ? ant_pattern_match(d->pattern->ant, echo->msg->destination)
            : d->kind == DESTINATION_EXACT && slice_eq(d->node.key, echo->msg->destination);
    struct wire_address to = address_of(g);

    if (!matches || (g->kind != GROUP_PLAIN && !is_selected(g, echo->msg)))
        return;
    if (g->kind == GROUP_ALONE) {
        echo->n += deliver_alone(echo->router, s, echo->msg);
        return;
    }
    copy_message(echo->router, s->receiver, echo->msg, &to, measure(echo->router, echo->msg, &to));
    echo->n++;
}

uint64_t router_echo(struct router *router, const struct msg *msg, struct receiver *receiver)
{
    struct echo echo = {router, msg, 0};

    subscriptions_each(&receiver->subscriptions, echo_visited, &echo);
    delivery_count(router, echo.n);
    return echo.n;
}
