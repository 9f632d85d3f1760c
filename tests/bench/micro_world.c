#include "tests/bench/micro_world.h"

#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/mem.h"
#ifdef __has_include
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#endif
#endif

char *filled(size_t len, const char *pattern)
{
    size_t pattern_len = strlen(pattern), whole = len - len % pattern_len;
    char *bytes = mem_alloc(len);

    memset(bytes, ' ', len);
    for (size_t i = 0; i < whole; i++)
        bytes[i] = pattern[i % pattern_len];
    return bytes;
}

char *json_of(size_t len)
{
    char *text = mem_alloc(len);
    struct buf out;

    buf_init(&out, SIZE_MAX);
    for (unsigned i = 0; out.len < len; i++)
        use(buf_printf(&out, "{\"symbol\":\"S%03u\",\"price\":%u.%02u,\"volume\":%u},",
                       i * 37 % 1000, 10 + i * 7919 % 500, i * 31 % 100, i * 104729 % 100000));
    memcpy(text, out.base, len);
    buf_dispose(&out);
    return text;
}

void use(bool ok)
{
    if (!ok)
        abort();
}

void count_from_here(void)
{
#ifdef CALLGRIND_START_INSTRUMENTATION
    CALLGRIND_START_INSTRUMENTATION;
#endif
}

static void ignore_mail(void *ctx, unsigned worker, struct msg *msg)
{
    (void)ctx;
    (void)worker;
    (void)msg;
}

static void ignore_wake(void *ctx)
{
    (void)ctx;
}

struct world *world_new(size_t n_receivers)
{
    return world_new_for(n_receivers, WIRE_WEBSOCKET);
}

struct world *world_new_for(size_t n_receivers, enum wire wire)
{
    const struct siphash_key key = {1, 2};
    struct world *w = mem_calloc(1, sizeof(*w));

    chunk_pool_init(&w->pool, &w->account);
    interest_init(&w->interest, key);
    patterns_init(&w->patterns, 1, 100, '/', key);
    router_init(&w->router, 0, &w->interest, &w->patterns, 10000, &w->pool, &w->metrics, key, 0xabc,
                (struct router_hooks){.mail = ignore_mail, .wake = ignore_wake});
    w->n_receivers = n_receivers;
    w->receivers = mem_calloc(n_receivers, sizeof(*w->receivers));
    for (size_t i = 0; i < n_receivers; i++)
        receiver_init(&w->receivers[i], &w->router, wire);
    w->body_len = wire_window_bits(wire) == 0 ? 128 : 1024;
    w->body = wire_window_bits(wire) == 0 ? filled(w->body_len, "{\"price\":17.25}")
                                          : json_of(w->body_len);
    return w;
}

void world_end_tick(struct world *w)
{
    struct receiver *receiver;

    router_distribute(&w->router);
    while ((receiver = router_take_dirty(&w->router)) != NULL)
        outq_dispose(&receiver->outq);
}

void world_free(struct world *w)
{
    for (size_t i = 0; i < w->n_receivers; i++)
        receiver_leave(&w->receivers[i], &w->router);
    router_dispose(&w->router);
    patterns_dispose(&w->patterns);
    interest_dispose(&w->interest);
    chunk_pool_dispose(&w->pool);
    mem_free(w->receivers);
    mem_free(w->body);
    mem_free(w);
}
