#include <assert.h>
#include <stdlib.h>
#include "base/mem.h"
#include "gateway/router/lag.h"
#include "gateway/router/parts.h"

enum {
    LOG_CHUNK_BYTES = 65536,
    LOG_FIRST_BYTES = 4000,
    FETCH_AHEAD = 4, /* members whose memory is asked for before their turn */
};

static struct log_segment *last_segment(struct router *router)
{
    return router->n_log == 0 ? NULL : &router->log[router->n_log - 1];
}

/* A tick brings about as much as the one before it: what lies in one chunk is one piece to write.
 * The second chunk of a tick means that much is coming. */
static size_t next_chunk_bytes(const struct router *router)
{
    size_t bytes = router->last_log_bytes + router->last_log_bytes / 4;

    if (router->n_log != 0 || bytes > LOG_CHUNK_BYTES)
        return LOG_CHUNK_BYTES;
    return bytes < LOG_FIRST_BYTES ? LOG_FIRST_BYTES : bytes;
}

static struct log_segment *add_segment(struct router *router, struct group *g, size_t len,
                                       const struct receiver *except)
{
    struct log_segment *segment, *last = last_segment(router);
    struct chunk *chunk = last == NULL ? NULL : last->chunk;

    if (chunk != NULL && chunk->cap - chunk->len >= len) {
        chunk_ref(chunk);
    } else {
        size_t size = next_chunk_bytes(router);

        chunk = chunk_new(router->pool, size < len ? len : size);
    }
    if (router->n_log == router->log_cap) {
        router->log_cap = router->log_cap == 0 ? 64 : router->log_cap * 2;
        router->log = mem_realloc(router->log, router->log_cap * sizeof(*router->log));
    }
    assert(router->log != NULL);
    segment = &router->log[router->n_log++];
    *segment = (struct log_segment){
        .group = g,
        .chunk = chunk,
        .begin = router->log_end,
        .offset = chunk->len,
        .previous = g->last_segment,
        .except = except,
    };
    g->last_segment = router->n_log;
    return segment;
}

/* Appends to the last segment when that is the same group's and has room, else to a new one. */
void ticklog_add(struct router *router, struct group *g, const struct msg *msg,
                 const struct wire_address *to, size_t len, const struct receiver *except)
{
    struct log_segment *segment = last_segment(router);

    if (segment == NULL || segment->group != g || segment->except != except ||
        segment->chunk->cap - segment->chunk->len < len)
        segment = add_segment(router, g, len, except);
    wire_write_message(msg, to, segment->chunk->data + segment->chunk->len);
    segment->len += (uint32_t)len;
    segment->chunk->len += (uint32_t)len;
    router->log_end += len;
}

/* Both for a receiver that lags, whatever waits. Apart, so that the way of all others stays as
 * short as it is. */
char *ticklog_push_space_behind(struct router *router, struct receiver *receiver, size_t len)
{
    return lag_is_empty(receiver->lag) ? outq_push_space(&receiver->outq, router->pool, len)
                                       : lag_add_space(receiver->lag, len);
}

static __attribute__((noinline)) void push_ref_behind(struct router *router,
                                                      struct receiver *receiver,
                                                      struct chunk *chunk, uint32_t offset,
                                                      uint32_t len)
{
    if (lag_is_empty(receiver->lag))
        outq_push_ref(&receiver->outq, router->pool, chunk, offset, len);
    else
        lag_add_range(receiver->lag, chunk, offset, len);
}

/* Gives the part of a segment that the receiver does not have yet. */
static void take_segment(struct router *router, struct receiver *receiver,
                         const struct log_segment *segment)
{
    uint32_t skip = 0;

    if (segment->except == receiver)
        return;
    if (receiver->caught_up > segment->begin) {
        if (receiver->caught_up - segment->begin >= segment->len)
            return;
        skip = (uint32_t)(receiver->caught_up - segment->begin);
    }
    if (receiver->lag != NULL)
        push_ref_behind(router, receiver, segment->chunk, segment->offset + skip,
                        segment->len - skip);
    else
        outq_push_ref(&receiver->outq, router->pool, segment->chunk, segment->offset + skip,
                      segment->len - skip);
}

struct gathering {
    struct router *router;
    uint32_t n;
};

/* The segments of one subscription, newest first, back to where the receiver has caught up. */
static void gather_visited(struct subscription *s, void *ctx)
{
    struct gathering *gathering = ctx;
    struct router *router = gathering->router;

    for (uint32_t i = s->group->last_segment; i != 0; i = router->log[i - 1].previous) {
        const struct log_segment *segment = &router->log[i - 1];

        if (segment->begin + segment->len <= s->receiver->caught_up)
            return;
        if (gathering->n == router->gather_cap) {
            router->gather_cap = router->gather_cap == 0 ? 64 : router->gather_cap * 2;
            router->gather =
                mem_realloc(router->gather, router->gather_cap * sizeof(*router->gather));
        }
        router->gather[gathering->n++] = i - 1;
    }
}

static int by_index(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* The first segment that ends behind the position. */
static uint32_t segment_after(const struct router *router, uint64_t position)
{
    uint32_t low = 0, high = router->n_log;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (router->log[middle].begin + router->log[middle].len <= position)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void router_catch_up(struct router *router, struct receiver *receiver)
{
    uint32_t first;

    if (router->run.n != 0 && delivery_may_have(receiver, router->run.destination))
        router_end_run(router);
    if (receiver->caught_up == router->log_end || receiver->is_closed)
        return;
    if (receiver->caught_up < router->log_begin)
        receiver->caught_up = router->log_begin;
    first = segment_after(router, receiver->caught_up);
    if (receiver->subscriptions.n <= router->n_log - first) {
        struct gathering gathering = {router, 0};

        subscriptions_each(&receiver->subscriptions, gather_visited, &gathering);
        if (gathering.n > 1)
            qsort(router->gather, gathering.n, sizeof(*router->gather), by_index);
        for (uint32_t i = 0; i < gathering.n; i++)
            take_segment(router, receiver, &router->log[router->gather[i]]);
    } else {
        for (uint32_t i = first; i < router->n_log; i++) {
            const struct log_segment *segment = &router->log[i];

            if (router_is_member(router, segment->group, receiver))
                take_segment(router, receiver, segment);
        }
    }
    receiver->caught_up = router->log_end;
    if (!outq_is_empty(&receiver->outq) || !lag_is_empty(receiver->lag))
        router_mark_dirty(router, receiver);
}

void router_distribute(struct router *router)
{
    router_end_run(router);
    for (uint32_t i = 0; i < router->n_log; i++) {
        struct log_segment *segment = &router->log[i];
        struct group *g = segment->group;
        struct subscription **members = group_members(g);

        for (uint32_t k = 0; k < g->n_members; k++) {
            struct receiver *receiver = members[k]->receiver;

            if (k + 2 * FETCH_AHEAD < g->n_members)
                __builtin_prefetch(members[k + 2 * FETCH_AHEAD]);
            if (k + FETCH_AHEAD < g->n_members)
                mem_fetch(members[k + FETCH_AHEAD]->receiver, sizeof(*receiver));
            take_segment(router, receiver, segment);
            router_mark_dirty(router, receiver);
        }
        chunk_unref(segment->chunk);
        segment->chunk = NULL;
    }
    /* Only now, and at its last segment: a group may stand in several. */
    for (uint32_t i = 0; i < router->n_log; i++) {
        struct group *g = router->log[i].group;

        if (g->last_segment == i + 1) {
            g->last_segment = 0;
            router_drop_group_when_unused(router, g);
        }
    }
    if (router->n_log != 0)
        router->last_log_bytes = router->log_end - router->log_begin;
    router->n_log = 0;
    router->log_begin = router->log_end;
    router->tick_deliveries = 0;
}

/* --- queues --- */

void router_mark_dirty(struct router *router, struct receiver *receiver)
{
    if (receiver->is_dirty || receiver->is_closed)
        return;
    receiver->is_dirty = true;
    TAILQ_INSERT_TAIL(&router->dirty, receiver, dirty_link);
    router->hooks.wake(router->hooks.ctx);
}

struct receiver *router_take_dirty(struct router *router)
{
    struct receiver *receiver = TAILQ_FIRST(&router->dirty);

    if (receiver == NULL)
        return NULL;
    TAILQ_REMOVE(&router->dirty, receiver, dirty_link);
    receiver->is_dirty = false;
    return receiver;
}

char *router_queue_bytes(struct router *router, struct receiver *receiver, size_t len)
{
    router_catch_up(router, receiver);
    router_mark_dirty(router, receiver);
    return ticklog_push_space(router, receiver, len);
}

char *router_queue_frame(struct router *router, struct receiver *receiver, bool is_binary,
                         size_t len)
{
    char *out = router_queue_bytes(router, receiver, wire_framed_len(receiver->wire, len));

    return wire_write_head(receiver->wire, is_binary, len, out);
}
