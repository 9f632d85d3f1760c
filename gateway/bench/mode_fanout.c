#include "gateway/bench/mode_fanout.h"

#include "base/mem.h"
#include "gateway/bench/letter.h"
#include "gateway/bench/pace.h"
#include "gateway/bench/tally.h"

enum { PROBE_EVERY_NS = 100 * 1000 * 1000 };

/* Connections are numbered: publishers, subscribers, slow ones. */
struct publisher {
    struct connection *connection; /* NULL when it is another process's */
    uint64_t next;
};

struct fanout {
    struct letter letter;
    struct publisher *publishers;
    struct tally *tallies;     /* of our subscribers, one for each publisher; by window only */
    struct ledger_line *lines; /* a row of n_publishers for each of our subscribers */
    size_t n_lines, n_lines_used;
    bool *is_to_wake; /* members whose publishers may go on */
    bool has_news;    /* one of them is set */
    uint64_t probe_ns;
};

static size_t count(const struct options *options)
{
    return options->n_publishers + options->n_subscribers + options->n_slow;
}

static size_t n_publishers(const struct options *options)
{
    return options->n_publishers;
}

static uint64_t n_receivers(const struct options *options)
{
    return options->n_subscribers;
}

static struct connection_role role(const struct options *options, size_t number)
{
    struct connection_role role = {.is_publisher = number < options->n_publishers};

    if (!role.is_publisher) {
        role.destination = mem_strdup(options->destination);
        role.id = worker_subscription_id(options, number);
        role.is_slow = number >= options->n_publishers + options->n_subscribers;
    }
    return role;
}

static void begin(struct worker *w)
{
    const struct options *o = w->options;
    struct fanout *f = mem_calloc(1, sizeof(*f));
    size_t first = o->n_publishers;
    size_t n_subscribers = worker_share(w, first, first + o->n_subscribers);

    w->mode_state = f;
    letter_init(&f->letter, o->destination, o->content_type, o->body_size,
                (enum mark_pattern)o->pattern);
    f->publishers = mem_calloc(o->n_publishers, sizeof(*f->publishers));
    f->n_lines = n_subscribers * o->n_publishers;
    f->lines = mem_calloc(f->n_lines, sizeof(*f->lines));
    f->is_to_wake = mem_calloc(w->team->n_members, sizeof(*f->is_to_wake));
    f->tallies = mem_calloc(o->n_publishers, sizeof(*f->tallies));
    for (size_t i = 0; i < o->n_publishers; i++) {
        tally_init(&f->tallies[i], n_subscribers, o->window);
        atomic_store(team_complete(w->team, w->index, i), f->tallies[i].complete);
    }
}

static void end(struct worker *w)
{
    struct fanout *f = w->mode_state;

    letter_dispose(&f->letter);
    for (size_t i = 0; i < f->n_lines; i++)
        ledger_dispose(&f->lines[i]);
    for (size_t i = 0; i < w->options->n_publishers; i++)
        tally_dispose(&f->tallies[i]);
    mem_free(f->publishers);
    mem_free(f->tallies);
    mem_free(f->lines);
    mem_free(f->is_to_wake);
    mem_free(f);
}

static void on_settled(struct worker *w, struct connection *c)
{
    struct fanout *f = w->mode_state;

    if (c->role.is_publisher) {
        f->publishers[c->number].connection = c;
    } else if (!c->role.is_slow) {
        c->data = &f->lines[f->n_lines_used];
        f->n_lines_used += w->options->n_publishers;
    }
}

/* What of this publisher's is complete in this process has moved on. */
static void note_complete(struct worker *w, size_t publisher)
{
    struct fanout *f = w->mode_state;
    size_t owner = publisher % w->team->n_members;

    atomic_store_explicit(team_complete(w->team, w->index, publisher),
                          f->tallies[publisher].complete, memory_order_release);
    if (owner != w->index) {
        f->is_to_wake[owner] = true;
        f->has_news = true;
    }
}

static void on_message(struct worker *w, struct connection *c, struct slice body, uint64_t now_ns)
{
    struct fanout *f = w->mode_state;
    struct ledger_line *lines = c->data;
    struct mark mark;

    if (lines == NULL || !mark_read(body.base, &mark)) {
        connection_fail(c, load_strstatus(LOAD_ERR_MESSAGE_BODY));
        return;
    }
    if (mark.sequence == MARK_PROBE) {
        connection_confirm(c);
        return;
    }
    if (mark.publisher >= w->options->n_publishers || w->phase == TEAM_CONNECT) {
        connection_fail(c, "a MESSAGE that was not sent in this run");
        return;
    }
    if (worker_count_received(w, &lines[mark.publisher], &mark, now_ns) && w->options->rate == 0 &&
        tally_add(&f->tallies[mark.publisher], mark.sequence))
        note_complete(w, mark.publisher);
}

static void post(struct worker *w, struct publisher *p, size_t number, uint64_t due_ns,
                 uint64_t now_ns)
{
    struct fanout *f = w->mode_state;
    struct mark mark = {number, p->next, due_ns - w->start_ns};

    letter_post(&f->letter, p->connection, &mark);
    p->next++;
    worker_count_sent(w, now_ns);
}

static uint64_t complete_everywhere(struct worker *w, size_t publisher)
{
    uint64_t complete = UINT64_MAX;

    for (size_t i = 0; i < w->team->n_members; i++) {
        uint64_t member =
            atomic_load_explicit(team_complete(w->team, i, publisher), memory_order_acquire);

        if (member < complete)
            complete = member;
    }
    return complete;
}

static void pump_window(struct worker *w, size_t number, uint64_t now_ns)
{
    struct fanout *f = w->mode_state;
    struct publisher *p = &f->publishers[number];
    uint64_t limit;

    if (!worker_is_sending(w, now_ns))
        return;
    limit = complete_everywhere(w, number) + w->options->window;
    while (p->next < limit && connection_has_room(p->connection))
        post(w, p, number, now_ns, now_ns);
}

/* When the publisher's next message is due: the schedule deals messages out in turn. */
static uint64_t due_ns(const struct worker *w, const struct publisher *p, size_t number)
{
    return w->start_ns + pace_due_ns(w->options->rate, p->next * w->options->n_publishers + number);
}

/* Returns when the next is due, UINT64_MAX when the schedule is at its end. */
static uint64_t pump_rate(struct worker *w, size_t number, uint64_t now_ns)
{
    struct fanout *f = w->mode_state;
    struct publisher *p = &f->publishers[number];
    uint64_t due = due_ns(w, p, number);

    /* What the connection has no room for stays due, and late. */
    while (due <= now_ns && worker_is_sending(w, due) && connection_has_room(p->connection)) {
        post(w, p, number, due, now_ns);
        due = due_ns(w, p, number);
    }
    return worker_is_sending(w, due) ? due : UINT64_MAX;
}

static uint64_t pump_publishers(struct worker *w, uint64_t now_ns)
{
    struct fanout *f = w->mode_state;
    uint64_t next_ns = UINT64_MAX;
    bool has_more = w->options->rate == 0 && worker_is_sending(w, now_ns);

    for (size_t i = w->index; i < w->options->n_publishers; i += w->team->n_members) {
        uint64_t due = UINT64_MAX;

        if (f->publishers[i].connection == NULL)
            continue;
        if (w->options->rate == 0)
            pump_window(w, i, now_ns);
        else
            due = pump_rate(w, i, now_ns);
        connection_flush(f->publishers[i].connection);
        has_more = has_more || due != UINT64_MAX;
        /* One that is late waits for room, which an event tells of. */
        if (due > now_ns && due < next_ns)
            next_ns = due;
    }
    if (!has_more)
        worker_say_sent_all(w);
    return next_ns;
}

/* The first publisher asks for all subscribers. */
static void send_probe(struct worker *w, uint64_t now_ns)
{
    const struct mark probe = {0, MARK_PROBE, 0};
    struct fanout *f = w->mode_state;
    struct connection *c = f->publishers[0].connection;

    if (c == NULL || w->settings.confirm != CONFIRM_PROBE || now_ns < f->probe_ns)
        return;
    f->probe_ns = now_ns + PROBE_EVERY_NS;
    letter_post(&f->letter, c, &probe);
    connection_flush(c);
}

static uint64_t pump(struct worker *w, uint64_t now_ns)
{
    struct fanout *f = w->mode_state;

    if (f->has_news) {
        for (size_t i = 0; i < w->team->n_members; i++) {
            if (f->is_to_wake[i])
                team_wake(w->team, i);
            f->is_to_wake[i] = false;
        }
        f->has_news = false;
    }
    if (w->phase == TEAM_CONNECT) {
        send_probe(w, now_ns);
        return UINT64_MAX;
    }
    if (w->phase == TEAM_STOP)
        return UINT64_MAX;
    return now_ns < w->start_ns ? w->start_ns : pump_publishers(w, now_ns);
}

const struct mode mode_fanout = {
    .count = count,
    .n_publishers = n_publishers,
    .n_receivers = n_receivers,
    .role = role,
    .begin = begin,
    .end = end,
    .on_settled = on_settled,
    .on_message = on_message,
    .pump = pump,
};
