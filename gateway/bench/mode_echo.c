#include "gateway/bench/mode_echo.h"

#include "base/mem.h"
#include "gateway/bench/letter.h"
#include "gateway/bench/pace.h"

enum { PROBE_EVERY_NS = 100 * 1000 * 1000 };

/* What a connection's `data` points to. */
struct client {
    struct letter letter;
    struct ledger_line line;
    uint64_t n_sent;
};

struct echo {
    bool has_begun; /* the first windows are out */
    uint64_t next;  /* by --rate: of all messages of the run, dealt out to the clients in turn */
    uint64_t probe_ns;
};

static size_t count(const struct options *options)
{
    return options->n_clients;
}

static size_t n_publishers(const struct options *options)
{
    (void)options;
    return 0; /* each client waits for itself only */
}

static uint64_t n_receivers(const struct options *options)
{
    (void)options;
    return 1;
}

static struct connection_role role(const struct options *options, size_t number)
{
    return (struct connection_role){
        .destination = worker_own_name(options->destination, number),
        .id = worker_subscription_id(options, number),
        .is_publisher = true,
    };
}

static void begin(struct worker *w)
{
    w->mode_state = mem_calloc(1, sizeof(struct echo));
}

static void end(struct worker *w)
{
    for (size_t i = 0; i < w->n_started; i++) {
        struct client *client = w->connections[i]->data;

        if (client == NULL)
            continue;
        letter_dispose(&client->letter);
        ledger_dispose(&client->line);
        mem_free(client);
    }
    mem_free(w->mode_state);
}

static void on_settled(struct worker *w, struct connection *c)
{
    struct client *client = mem_calloc(1, sizeof(*client));

    letter_init(&client->letter, c->role.destination, w->options->content_type,
                w->options->body_size, (enum mark_pattern)w->options->pattern);
    c->data = client;
}

/* `due_ns`: when it should go out; latency counts from there. */
static void post(struct worker *w, struct connection *c, uint64_t due_ns, uint64_t now_ns)
{
    struct client *client = c->data;
    struct mark mark = {c->number, client->n_sent, due_ns - w->start_ns};

    letter_post(&client->letter, c, &mark);
    client->n_sent++;
    worker_count_sent(w, now_ns);
}

static void on_message(struct worker *w, struct connection *c, struct slice body, uint64_t now_ns)
{
    struct client *client = c->data;
    struct mark mark;

    if (!mark_read(body.base, &mark)) {
        connection_fail(c, load_strstatus(LOAD_ERR_MESSAGE_BODY));
        return;
    }
    if (mark.sequence == MARK_PROBE) {
        connection_confirm(c);
        return;
    }
    if (mark.publisher != c->number || mark.sequence >= client->n_sent) {
        connection_fail(c, "a MESSAGE that was not sent in this run");
        return;
    }
    /* The next goes out with the flush at the end of this receive. */
    if (worker_count_received(w, &client->line, &mark, now_ns) && w->options->rate == 0 &&
        worker_is_sending(w, now_ns))
        post(w, c, now_ns, now_ns);
}

static void send_probes(struct worker *w, uint64_t now_ns)
{
    const struct mark probe = {0, MARK_PROBE, 0};
    struct echo *echo = w->mode_state;

    if (now_ns < echo->probe_ns)
        return;
    echo->probe_ns = now_ns + PROBE_EVERY_NS;
    for (size_t i = 0; i < w->n_started; i++) {
        struct connection *c = w->connections[i];
        struct client *client = c->data;

        if (c->state != CONNECTION_UNCONFIRMED)
            continue;
        letter_post(&client->letter, c, &probe);
        connection_flush(c);
    }
}

/* Returns when the last of them may go out. */
static uint64_t pump_windows(struct worker *w, uint64_t now_ns)
{
    struct echo *echo = w->mode_state;

    for (size_t i = 0; !echo->has_begun && i < w->n_started; i++) {
        for (uint64_t k = 0; k < w->options->window; k++)
            post(w, w->connections[i], now_ns, now_ns);
        connection_flush(w->connections[i]);
    }
    echo->has_begun = true;
    return w->start_ns + w->options->warmup_ns + w->options->seconds_ns;
}

/* Returns when the next is due. A client without room holds up those behind it: they are late. */
static uint64_t pump_rate(struct worker *w, uint64_t now_ns)
{
    struct echo *echo = w->mode_state;
    uint64_t due = w->start_ns + pace_due_ns(w->options->rate, echo->next);

    while (due <= now_ns && worker_is_sending(w, due)) {
        size_t number = (size_t)(echo->next % w->options->n_clients);

        if (number % w->team->n_members == w->index) {
            struct connection *c = w->connections[number / w->team->n_members];

            if (!connection_has_room(c))
                return UINT64_MAX;
            post(w, c, due, now_ns);
            connection_flush(c);
        }
        due = w->start_ns + pace_due_ns(w->options->rate, ++echo->next);
    }
    return due;
}

static uint64_t pump(struct worker *w, uint64_t now_ns)
{
    uint64_t next_ns = now_ns;

    if (w->phase == TEAM_CONNECT) {
        send_probes(w, now_ns);
        return UINT64_MAX;
    }
    if (now_ns < w->start_ns)
        return w->start_ns;
    if (w->options->rate != 0)
        next_ns = pump_rate(w, now_ns);
    else if (worker_is_sending(w, now_ns))
        next_ns = pump_windows(w, now_ns);
    if (next_ns > now_ns && (next_ns == UINT64_MAX || worker_is_sending(w, now_ns)))
        return next_ns;
    worker_say_sent_all(w);
    return UINT64_MAX;
}

const struct mode mode_echo = {
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
