#include "gateway/bench/mode_storm.h"

#include "base/mem.h"
#include "gateway/bench/mode_idle.h"

struct storm {
    bool has_begun;
    uint64_t *dialed_ns;  /* of each of ours: its first attempt to come back; 0: none yet */
    size_t *to_try_again; /* numbers, at most one for each of ours */
    size_t n_to_try_again;
};

static void begin(struct worker *w)
{
    struct storm *s = mem_calloc(1, sizeof(*s));

    w->mode_state = s;
    s->dialed_ns = mem_calloc(w->n_connections, sizeof(*s->dialed_ns));
    s->to_try_again = mem_calloc(w->n_connections, sizeof(*s->to_try_again));
}

static void end(struct worker *w)
{
    struct storm *s = w->mode_state;

    mem_free(s->dialed_ns);
    mem_free(s->to_try_again);
    mem_free(s);
}

static uint64_t *first_dial(struct worker *w, const struct connection *c)
{
    struct storm *s = w->mode_state;
    uint64_t *first = &s->dialed_ns[c->number / w->team->n_members];

    if (*first == 0)
        *first = c->dialed_ns;
    return first;
}

static void on_ready(struct worker *w, struct connection *c)
{
    struct storm *s = w->mode_state;

    if (!s->has_begun)
        return;
    c->data = s; /* it is back */
    histogram_add(&w->member->latency, loop_now_ns() - *first_dial(w, c));
    w->counts.n_resumed += link_is_resumed(&c->link);
}

static bool on_closed(struct worker *w, struct connection *c)
{
    struct storm *s = w->mode_state;

    if (!s->has_begun || c->data != NULL)
        return false;
    w->counts.n_failures++;
    if (w->counts.n_failures > w->options->n_failures)
        return false;
    (void)first_dial(w, c);
    s->to_try_again[s->n_to_try_again++] = c->number;
    return true;
}

static void break_out(struct worker *w)
{
    struct storm *s = w->mode_state;

    s->has_begun = true;
    for (size_t i = 0; i < w->n_started; i++) {
        if (w->options->is_aborting)
            link_close(&w->connections[i]->link, true);
        connection_free(w->connections[i]);
        w->connections[i] = NULL;
    }
    w->n_started = 0;
    w->n_settled = 0;
    w->n_connecting = w->options->n_returning == 0 ? SIZE_MAX : w->options->n_returning;
}

static uint64_t pump(struct worker *w, uint64_t now_ns)
{
    struct storm *s = w->mode_state;

    (void)now_ns;
    if (w->phase != TEAM_RUN)
        return UINT64_MAX;
    if (!s->has_begun) {
        break_out(w);
        return 0; /* the next turn starts the first */
    }
    while (s->n_to_try_again != 0)
        worker_reconnect(w, s->to_try_again[--s->n_to_try_again]);
    return UINT64_MAX;
}

const struct mode mode_storm = {
    .count = mode_idle_count,
    .n_publishers = mode_idle_n_publishers,
    .n_receivers = mode_idle_n_receivers,
    .role = mode_idle_role,
    .begin = begin,
    .end = end,
    .on_settled = mode_idle_on_settled,
    .on_ready = on_ready,
    .on_closed = on_closed,
    .on_message = mode_idle_on_message,
    .pump = pump,
};
