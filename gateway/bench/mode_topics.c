#include "gateway/bench/mode_topics.h"

#include <string.h>
#include "base/mem.h"
#include "gateway/bench/churners.h"
#include "gateway/bench/letter.h"
#include "gateway/bench/pace.h"
#include "gateway/bench/plan.h"

enum {
    PROBE_EVERY_NS = 100 * 1000 * 1000,
    USE_SENDER = 16, /* of dice: this and the part's number */
};

/* What a sender does in a part. */
struct flow {
    struct connection *connection; /* NULL when it is another process's */
    struct dice dice;
    uint64_t *sequences; /* the next, of each topic of the part; of an echo's only topic */
    uint64_t n_sent;
    uint64_t n_expected; /* deliveries that these must make */
    uint64_t *expected;  /* the same after each of the last W; by window only */
};

/* What a client receives: `data` of its connection. */
struct client {
    size_t *topics;            /* n_of_client of them, ascending */
    struct ledger_line *lines; /* a row of n_publishers for each, one line for an echo */
    bool *is_confirmed;        /* by a probe */
    size_t n_confirmed;
};

struct topics {
    struct plan plan;
    struct letter letter;
    char **names; /* where each topic is sent to */
    struct flow *flows[PLAN_N_PARTS];
    uint64_t next_due[PLAN_N_PARTS]; /* of a part's schedule, the next message that is ours */
    uint64_t *n_delivered;           /* here, of each publisher; by window only */
    bool *has_delivered;             /* more of them than the others know */
    struct churners *churners;
    size_t n_of_client; /* topics */
    size_t n_lines;     /* of a client */
    uint64_t probe_ns;
    size_t probe_topic; /* the next to be asked for */
};

static size_t n_publishers(const struct options *options)
{
    return options->n_publishers;
}

static uint64_t n_receivers(const struct options *options)
{
    (void)options;
    return 0; /* each topic has its own number */
}

static struct connection_role role(const struct options *options, size_t number)
{
    enum plan_kind kind = plan_kind(options, number);

    return (struct connection_role){
        .is_publisher = kind == PLAN_PUBLISHER,
        .is_strict = kind == PLAN_CHURNER,
        .user = plan_user(options, number),
    };
}

static char *subscription_id(const struct options *options, size_t number, size_t i)
{
    return options->ids == IDS_OWN ? mem_printf("sub-%zu-%zu", number, i)
                                   : worker_own_name("sub", i);
}

static void equip(struct worker *w, size_t number, struct connection_role *role)
{
    struct topics *t = w->mode_state;
    size_t *topics;

    if (plan_kind(w->options, number) != PLAN_CLIENT)
        return;
    topics = mem_calloc(t->n_of_client, sizeof(*topics));
    plan_topics_of_client(&t->plan, number, topics);
    for (size_t i = 0; i < t->n_of_client; i++)
        (void)sublist_add(&role->subscriptions, plan_subscribed_name(&t->plan, topics[i]),
                          subscription_id(w->options, number, i), topics[i]);
    mem_free(topics);
}

/* Whether the sender of message `turn` of a part's schedule is this process's. */
static bool is_ours(const struct worker *w, const struct plan_traffic *traffic, uint64_t turn)
{
    size_t number = traffic->first_sender + (size_t)(turn % traffic->n_senders);

    return number % w->team->n_members == w->index;
}

static bool has_senders(const struct worker *w, const struct plan_traffic *traffic)
{
    return traffic->n_topics != 0 &&
           worker_share(w, traffic->first_sender, traffic->first_sender + traffic->n_senders) != 0;
}

static void begin_part(struct worker *w, enum plan_part part)
{
    struct topics *t = w->mode_state;
    const struct plan_traffic *traffic = &t->plan.parts[part];

    if (!has_senders(w, traffic))
        return;
    t->flows[part] = mem_calloc(traffic->n_senders, sizeof(struct flow));
    while (!is_ours(w, traffic, t->next_due[part]))
        t->next_due[part]++;
    for (size_t i = 0; i < traffic->n_senders; i++) {
        struct flow *flow = &t->flows[part][i];

        if (!is_ours(w, traffic, i))
            continue;
        flow->dice = dice_of(w->options->seed, USE_SENDER + part, i);
        flow->sequences =
            mem_calloc(part == PLAN_ECHOES ? 1 : traffic->n_topics, sizeof(*flow->sequences));
        if (traffic->rate == 0)
            flow->expected = mem_calloc(w->options->window, sizeof(*flow->expected));
    }
}

static size_t longest(char **names, size_t n)
{
    size_t most = 0;

    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(names[i]);

        most = len > most ? len : most;
    }
    return most;
}

static void begin(struct worker *w)
{
    const struct options *o = w->options;
    struct topics *t = mem_calloc(1, sizeof(*t));

    w->mode_state = t;
    plan_init(&t->plan, o);
    t->n_of_client = plan_n_topics_of_client(&t->plan);
    t->n_lines = t->n_of_client * o->n_publishers;
    t->names = mem_calloc(t->plan.n_topics, sizeof(*t->names));
    for (size_t i = 0; i < t->plan.n_topics; i++)
        t->names[i] = plan_sent_name(&t->plan, i);
    letter_init_open(&t->letter, longest(t->names, t->plan.n_topics), o->content_type, o->body_size,
                     (enum mark_pattern)o->pattern);
    t->n_delivered = mem_calloc(o->n_publishers, sizeof(*t->n_delivered));
    t->has_delivered = mem_calloc(o->n_publishers, sizeof(*t->has_delivered));
    for (int part = 0; part < PLAN_N_PARTS; part++)
        begin_part(w, (enum plan_part)part);
    t->churners = churners_new(w, &t->plan);
}

static void free_clients(struct worker *w)
{
    struct topics *t = w->mode_state;

    for (size_t i = 0; i < w->n_started; i++) {
        struct client *client = w->connections[i]->data;

        if (client == NULL)
            continue;
        for (size_t k = 0; k < t->n_lines; k++)
            ledger_dispose(&client->lines[k]);
        mem_free(client->topics);
        mem_free(client->lines);
        mem_free(client->is_confirmed);
        mem_free(client);
    }
}

static void free_flows(struct topics *t)
{
    for (int part = 0; part < PLAN_N_PARTS; part++) {
        size_t n = t->flows[part] == NULL ? 0 : t->plan.parts[part].n_senders;

        for (size_t i = 0; i < n; i++) {
            mem_free(t->flows[part][i].sequences);
            mem_free(t->flows[part][i].expected);
        }
        mem_free(t->flows[part]);
    }
}

static void end(struct worker *w)
{
    struct topics *t = w->mode_state;

    free_clients(w);
    free_flows(t);
    churners_free(t->churners);
    for (size_t i = 0; i < t->plan.n_topics; i++)
        mem_free(t->names[i]);
    mem_free(t->names);
    letter_dispose(&t->letter);
    mem_free(t->n_delivered);
    mem_free(t->has_delivered);
    plan_dispose(&t->plan);
    mem_free(t);
}

static void settle_client(struct topics *t, struct connection *c)
{
    struct client *client = mem_calloc(1, sizeof(*client));

    client->topics = mem_calloc(t->n_of_client, sizeof(*client->topics));
    client->lines = mem_calloc(t->n_lines, sizeof(*client->lines));
    client->is_confirmed = mem_calloc(t->n_of_client, sizeof(*client->is_confirmed));
    plan_topics_of_client(&t->plan, c->number, client->topics);
    c->data = client;
}

static void on_settled(struct worker *w, struct connection *c)
{
    struct topics *t = w->mode_state;
    enum plan_kind kind = plan_kind(w->options, c->number);

    if (kind == PLAN_CHURNER)
        churners_on_settled(t->churners, c);
    else if (kind == PLAN_CLIENT)
        settle_client(t, c);
    for (int part = 0; part < PLAN_N_PARTS; part++) {
        const struct plan_traffic *traffic = &t->plan.parts[part];

        if (t->flows[part] != NULL && c->number >= traffic->first_sender &&
            c->number - traffic->first_sender < traffic->n_senders)
            t->flows[part][c->number - traffic->first_sender].connection = c;
    }
}

/* Which of the client's topics it is; false when it has it not. */
static bool find_topic(const struct topics *t, const struct client *client, size_t topic,
                       size_t *out)
{
    size_t low = 0, high = t->n_of_client;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (client->topics[middle] < topic)
            low = middle + 1;
        else
            high = middle;
    }
    *out = low;
    return low < t->n_of_client && client->topics[low] == topic;
}

/* The subscription of topic `at` is there. */
static void confirm(const struct topics *t, struct connection *c, size_t at)
{
    struct client *client = c->data;

    if (client->is_confirmed[at])
        return;
    client->is_confirmed[at] = true;
    if (++client->n_confirmed == t->n_of_client)
        connection_confirm(c);
}

static void note_delivery(struct worker *w, size_t publisher)
{
    struct topics *t = w->mode_state;

    t->n_delivered[publisher]++;
    t->has_delivered[publisher] = true;
}

static void receive(struct worker *w, struct connection *c, const struct mark *mark,
                    uint64_t now_ns)
{
    struct topics *t = w->mode_state;
    struct client *client = c->data;
    size_t topic = plan_unpack_topic(mark->sequence), at, sender = mark->publisher;
    bool is_echo = plan_part_of(&t->plan, topic) == PLAN_ECHOES;
    struct mark own = {sender, plan_unpack_sequence(mark->sequence), mark->time_ns};

    if (!find_topic(t, client, topic, &at) || (c->said != NULL && c->said->topic != topic)) {
        connection_fail(c, "a MESSAGE of a destination that its subscription does not have");
        return;
    }
    if (mark->time_ns == MARK_PROBE) {
        confirm(t, c, at);
        return;
    }
    if (w->phase == TEAM_CONNECT ||
        (is_echo ? sender != c->number : sender >= w->options->n_publishers)) {
        connection_fail(c, "a MESSAGE that was not sent in this run");
        return;
    }
    at = at * w->options->n_publishers + (is_echo ? 0 : sender);
    if (worker_count_received(w, &client->lines[at], &own, now_ns) && w->options->rate == 0 &&
        !is_echo)
        note_delivery(w, sender);
}

static void on_message(struct worker *w, struct connection *c, struct slice body, uint64_t now_ns)
{
    struct topics *t = w->mode_state;
    struct mark mark;

    if (plan_kind(w->options, c->number) == PLAN_PUBLISHER || !mark_read(body.base, &mark)) {
        connection_fail(c, load_strstatus(LOAD_ERR_MESSAGE_BODY));
        return;
    }
    if (plan_kind(w->options, c->number) == PLAN_CHURNER)
        churners_on_message(t->churners, c, &mark);
    else
        receive(w, c, &mark, now_ns);
}

static void on_changed(struct worker *w, struct connection *c, struct slice id, bool is_there)
{
    struct topics *t = w->mode_state;

    (void)id; /* there is one at a time that waits */
    if (plan_kind(w->options, c->number) == PLAN_CHURNER)
        churners_on_changed(t->churners, c, is_there);
}

static void post(struct worker *w, enum plan_part part, size_t sender, uint64_t due_ns,
                 uint64_t now_ns)
{
    struct topics *t = w->mode_state;
    const struct plan_traffic *traffic = &t->plan.parts[part];
    struct flow *flow = &t->flows[part][sender];
    size_t topic = plan_draw_topic(&t->plan, part, sender, &flow->dice);
    uint64_t *sequence = &flow->sequences[part == PLAN_ECHOES ? 0 : topic - traffic->first_topic];
    struct mark mark = {traffic->first_sender + sender, plan_pack(topic, *sequence),
                        due_ns - w->start_ns};

    letter_address(&t->letter, t->names[topic]);
    letter_post(&t->letter, flow->connection, &mark);
    (*sequence)++;
    flow->n_expected += t->plan.n_receivers[topic];
    if (flow->expected != NULL)
        flow->expected[flow->n_sent % w->options->window] = flow->n_expected;
    flow->n_sent++;
    worker_count_sent_to(w, t->plan.n_receivers[topic], now_ns);
}

static uint64_t delivered_everywhere(struct worker *w, size_t publisher)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < w->team->n_members; i++)
        sum += atomic_load_explicit(team_complete(w->team, i, publisher), memory_order_acquire);
    return sum;
}

/* Returns whether there may be more to send at once: messages to nobody need no answer. */
static bool pump_window(struct worker *w, enum plan_part part, size_t sender, uint64_t now_ns)
{
    struct topics *t = w->mode_state;
    struct flow *flow = &t->flows[part][sender];
    uint64_t delivered = delivered_everywhere(w, sender), window = w->options->window, n = 0;

    while (n < window && connection_has_room(flow->connection) &&
           (flow->n_sent < window || flow->expected[flow->n_sent % window] <= delivered)) {
        post(w, part, sender, now_ns, now_ns);
        n++;
    }
    return n == window;
}

static void flush_senders(struct worker *w, enum plan_part part)
{
    const struct topics *t = w->mode_state;
    const struct plan_traffic *traffic = &t->plan.parts[part];

    for (size_t i = 0; i < traffic->n_senders; i++) {
        if (is_ours(w, traffic, i))
            connection_flush(t->flows[part][i].connection);
    }
}

/* How far a part is. */
struct outlook {
    uint64_t next_ns; /* when to go on, unless something happens before */
    bool has_more;    /* something is still to be sent */
};

static struct outlook pump_windows(struct worker *w, enum plan_part part, uint64_t now_ns)
{
    const struct topics *t = w->mode_state;
    const struct plan_traffic *traffic = &t->plan.parts[part];
    struct outlook outlook = {w->start_ns + w->options->warmup_ns + w->options->seconds_ns, true};

    if (!worker_is_sending(w, now_ns))
        return (struct outlook){UINT64_MAX, false};
    for (size_t i = 0; i < traffic->n_senders; i++) {
        if (is_ours(w, traffic, i) && pump_window(w, part, i, now_ns))
            outlook.next_ns = now_ns;
    }
    flush_senders(w, part);
    return outlook;
}

static struct outlook pump_schedule(struct worker *w, enum plan_part part, uint64_t now_ns)
{
    struct topics *t = w->mode_state;
    const struct plan_traffic *traffic = &t->plan.parts[part];
    uint64_t *next = &t->next_due[part], due;
    size_t sender;

    for (;;) {
        due = w->start_ns + pace_due_ns(traffic->rate, *next);
        sender = (size_t)(*next % traffic->n_senders);
        /* What the connection has no room for stays due, and late. */
        if (due > now_ns || !worker_is_sending(w, due) ||
            !connection_has_room(t->flows[part][sender].connection))
            break;
        post(w, part, sender, due, now_ns);
        if (part == PLAN_ECHOES) /* of many senders each has little to send */
            connection_flush(t->flows[part][sender].connection);
        do {
            (*next)++;
        } while (!is_ours(w, traffic, *next));
    }
    if (part != PLAN_ECHOES)
        flush_senders(w, part);
    /* One that is late waits for room, which an event tells of. */
    return (struct outlook){due > now_ns ? due : UINT64_MAX, worker_is_sending(w, due)};
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t pump_all(struct worker *w, uint64_t now_ns)
{
    struct topics *t = w->mode_state;
    bool has_more = worker_is_sending(w, now_ns);
    uint64_t next_ns = UINT64_MAX;

    for (int part = 0; part < PLAN_N_PARTS; part++) {
        struct outlook outlook;

        if (t->flows[part] == NULL)
            continue;
        outlook = t->plan.parts[part].rate == 0 ? pump_windows(w, (enum plan_part)part, now_ns)
                                                : pump_schedule(w, (enum plan_part)part, now_ns);
        next_ns = earlier(next_ns, outlook.next_ns);
        has_more = has_more || outlook.has_more;
    }
    if (t->churners != NULL && worker_is_sending(w, now_ns))
        next_ns = earlier(next_ns, churners_pump(t->churners, now_ns));
    if (!has_more && churners_are_quiet(t->churners, now_ns))
        worker_say_sent_all(w);
    return next_ns;
}

/* Tells the others how many deliveries their publishers' messages have made here. */
static void tell_deliveries(struct worker *w)
{
    struct topics *t = w->mode_state;

    for (size_t i = 0; i < w->options->n_publishers; i++) {
        size_t owner = i % w->team->n_members;

        if (!t->has_delivered[i])
            continue;
        t->has_delivered[i] = false;
        atomic_store_explicit(team_complete(w->team, w->index, i), t->n_delivered[i],
                              memory_order_release);
        if (owner != w->index)
            team_wake(w->team, owner);
    }
}

/* The first publisher asks for all subscriptions, one after the other. Such a message bears its
 * topic, and for a time what no time is. */
static uint64_t send_probes(struct worker *w, uint64_t now_ns)
{
    struct topics *t = w->mode_state;
    struct flow *flow;

    if (w->settings.confirm != CONFIRM_PROBE || w->index != 0)
        return UINT64_MAX;
    flow = &t->flows[w->options->mode == OPTIONS_USERS ? PLAN_USERS : PLAN_SHARED][0];
    if (flow->connection == NULL)
        return UINT64_MAX;
    if (now_ns < t->probe_ns)
        return t->probe_ns;
    for (; t->probe_topic < t->plan.n_topics; t->probe_topic++) {
        struct mark probe = {0, plan_pack(t->probe_topic, 0), MARK_PROBE};

        if (t->plan.n_receivers[t->probe_topic] == 0)
            continue;
        if (!connection_has_room(flow->connection))
            break;
        letter_address(&t->letter, t->names[t->probe_topic]);
        letter_post(&t->letter, flow->connection, &probe);
    }
    if (t->probe_topic == t->plan.n_topics) {
        t->probe_topic = 0;
        t->probe_ns = now_ns + PROBE_EVERY_NS;
    }
    connection_flush(flow->connection);
    return t->probe_ns;
}

static uint64_t pump(struct worker *w, uint64_t now_ns)
{
    tell_deliveries(w);
    if (w->phase == TEAM_CONNECT)
        return send_probes(w, now_ns);
    if (w->phase == TEAM_STOP)
        return UINT64_MAX;
    return now_ns < w->start_ns ? w->start_ns : pump_all(w, now_ns);
}

const struct mode mode_topics = {
    .count = plan_n_connections,
    .n_publishers = n_publishers,
    .n_receivers = n_receivers,
    .role = role,
    .equip = equip,
    .begin = begin,
    .end = end,
    .on_settled = on_settled,
    .on_message = on_message,
    .on_changed = on_changed,
    .pump = pump,
};
