#include "gateway/bench/mode_idle.h"

#include "base/mem.h"

size_t mode_idle_count(const struct options *options)
{
    return options->n_connections;
}

size_t mode_idle_n_publishers(const struct options *options)
{
    (void)options;
    return 0;
}

uint64_t mode_idle_n_receivers(const struct options *options)
{
    (void)options;
    return 0;
}

struct connection_role mode_idle_role(const struct options *options, size_t number)
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

void mode_idle_on_settled(struct worker *w, struct connection *c)
{
    (void)w;
    (void)c;
}

void mode_idle_on_message(struct worker *w, struct connection *c, struct slice body,
                          uint64_t now_ns)
{
    (void)w;
    (void)body;
    (void)now_ns;
    connection_fail(c, "a MESSAGE that nobody sent");
}

/* By rate; otherwise a connection is due when there is room for it. */
static uint64_t start_due_ns(const struct worker *w, size_t number)
{
    const uint64_t second = 1000000000;

    if (w->options->rate == 0)
        return 0;
    return atomic_load(&w->team->start_ns) + number * second / w->options->rate;
}

static void on_ready(struct worker *w, struct connection *c)
{
    uint64_t due_ns = w->options->rate == 0 ? c->dialed_ns : start_due_ns(w, c->number);

    histogram_add(&w->member->latency, loop_now_ns() - due_ns);
}

static uint64_t pump(struct worker *w, uint64_t now_ns)
{
    (void)w;
    (void)now_ns;
    return UINT64_MAX;
}

const struct mode mode_idle = {
    .count = mode_idle_count,
    .n_publishers = mode_idle_n_publishers,
    .n_receivers = mode_idle_n_receivers,
    .role = mode_idle_role,
    .begin = nothing,
    .end = nothing,
    .start_due_ns = start_due_ns,
    .on_settled = mode_idle_on_settled,
    .on_ready = on_ready,
    .on_message = mode_idle_on_message,
    .pump = pump,
};
