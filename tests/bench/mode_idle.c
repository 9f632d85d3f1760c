#include "tests/bench/mode_idle.h"

#include "base/mem.h"

static size_t count(const struct options *options)
{
    return options->n_connections;
}

static size_t n_publishers(const struct options *options)
{
    (void)options;
    return 0;
}

static uint64_t n_receivers(const struct options *options)
{
    (void)options;
    return 0;
}

static struct connection_role role(const struct options *options, size_t number)
{
    return (struct connection_role){
        .destination = mem_strdup(options->destination),
        .id = worker_subscription_id(options, number),
    };
}

static void nothing(struct worker *w)
{
    (void)w;
}

static void on_settled(struct worker *w, struct connection *c)
{
    (void)w;
    (void)c;
}

static void on_message(struct worker *w, struct connection *c, struct slice body, uint64_t now_ns)
{
    (void)w;
    (void)body;
    (void)now_ns;
    connection_fail(c, "a MESSAGE that nobody sent");
}

static uint64_t pump(struct worker *w, uint64_t now_ns)
{
    (void)w;
    (void)now_ns;
    return UINT64_MAX;
}

const struct mode mode_idle = {
    .count = count,
    .n_publishers = n_publishers,
    .n_receivers = n_receivers,
    .role = role,
    .begin = nothing,
    .end = nothing,
    .on_settled = on_settled,
    .on_message = on_message,
    .pump = pump,
};
