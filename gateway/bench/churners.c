#include "gateway/bench/churners.h"

#include "base/mem.h"
#include "gateway/bench/churn.h"
#include "gateway/bench/pace.h"

enum { USE_CHURN = 2 };

struct churner {
    struct churn churn;
    struct connection *connection;
    struct churn_step step; /* the last: what is waited for while is_busy */
    bool is_busy;
    uint64_t busy_ns;
    uint64_t n_due;   /* steps that are due and not done */
    uint64_t n_steps; /* done, for new ids */
};

struct churners {
    struct worker *w;
    const struct plan *plan;
    size_t first;      /* connection number of the first of all */
    uint64_t next_due; /* of the schedule's steps, the next that is ours */
    bool has_news;     /* one may have a step to do */
    struct churner items[];
};

static uint64_t steps_a_second(const struct churners *churners)
{
    return churners->w->options->churn_rate + churners->w->options->reconnect_rate;
}

static bool is_ours(const struct churners *churners, uint64_t turn)
{
    size_t number = churners->first + (size_t)(turn % churners->w->options->n_churners);

    return number % churners->w->team->n_members == churners->w->index;
}

struct churners *churners_new(struct worker *w, const struct plan *plan)
{
    const struct options *o = w->options;
    size_t first = o->n_publishers + o->n_clients;
    struct churners *churners;

    if (worker_share(w, first, first + o->n_churners) == 0)
        return NULL;
    churners = mem_calloc(1, sizeof(*churners) + o->n_churners * sizeof(churners->items[0]));
    churners->w = w;
    churners->plan = plan;
    churners->first = first;
    for (size_t i = 0; i < o->n_churners; i++)
        churn_init(&churners->items[i].churn, dice_of(o->seed, USE_CHURN, i), o->n_publishers);
    while (!is_ours(churners, churners->next_due))
        churners->next_due++;
    return churners;
}

void churners_free(struct churners *churners)
{
    if (churners == NULL)
        return;
    for (size_t i = 0; i < churners->w->options->n_churners; i++)
        churn_dispose(&churners->items[i].churn);
    mem_free(churners);
}

static struct churner *churner_of(struct churners *churners, const struct connection *c)
{
    return &churners->items[c->number - churners->first];
}

static void end_step(struct churners *churners, struct churner *churner)
{
    churner->is_busy = false;
    churner->n_steps++;
    churners->has_news = true;
}

void churners_on_settled(struct churners *churners, struct connection *c)
{
    struct churner *churner = churner_of(churners, c);

    churner->connection = c;
    if (churner->is_busy) {
        end_step(churners, churner);
        churners->w->counts.n_reconnected++;
    }
}

void churners_on_message(struct churners *churners, struct connection *c, const struct mark *mark)
{
    struct churner *churner = churner_of(churners, c);
    size_t topic = plan_unpack_topic(mark->sequence);

    /* Its connection reads strictly: `said` is there, and its destination was compared. */
    if (c->said == NULL || c->said->topic != topic)
        connection_fail(c, load_strstatus(LOAD_ERR_MESSAGE_SUBSCRIPTION));
    else if (!churn_take(&churner->churn, topic, mark->publisher,
                         plan_unpack_sequence(mark->sequence),
                         churners->w->options->order == ORDER_ANY))
        connection_fail(c, "one that comes and goes missed a message or got it again");
    else
        churners->w->counts.n_received_churned++;
}

void churners_on_changed(struct churners *churners, struct connection *c, bool is_there)
{
    struct churner *churner = churner_of(churners, c);

    if (!is_there)
        churn_end(&churner->churn, churner->step.topic);
    end_step(churners, churner);
    churners->w->counts.n_churned++;
}

/* The only subscription of its that is on the topic. */
static struct subscription *find(const struct connection *c, size_t topic)
{
    struct sublist list = c->role.subscriptions;

    while (list.items->topic != topic)
        list.items++;
    return list.items;
}

static void begin_step(struct churners *churners, struct churner *churner, uint64_t now_ns)
{
    struct connection *c = churner->connection;
    const struct plan *plan = churners->plan;
    size_t topic;

    churner->step = churn_draw(&churner->churn, &plan->shared, churners->w->options->reconnect_rate,
                               steps_a_second(churners));
    churner->is_busy = true;
    churner->busy_ns = now_ns;
    churner->n_due--;
    topic = churner->step.topic;
    switch (churner->step.act) {
    case CHURN_SUBSCRIBE:
        churn_begin(&churner->churn, topic);
        connection_subscribe(c, plan_subscribed_name(plan, topic),
                             worker_own_name("churn", churner->n_steps), topic);
        break;
    case CHURN_UNSUBSCRIBE:
        connection_unsubscribe(c, find(c, topic));
        break;
    case CHURN_RECONNECT:
        churn_forget(&churner->churn);
        c = worker_reconnect(churners->w, c->number);
        if (c != NULL)
            churner->connection = c;
        return;
    }
    connection_flush(c);
}

/* A step that takes so long will never end. */
static void lose_patience(const struct churners *churners, struct churner *churner, uint64_t now_ns)
{
    if (churner->is_busy && now_ns - churner->busy_ns > churners->w->options->patience_ns)
        connection_fail(churner->connection, "what it asked for was never confirmed");
}

static bool may_step(const struct churner *churner)
{
    return churner->n_due != 0 && !churner->is_busy &&
           churner->connection->state == CONNECTION_READY;
}

uint64_t churners_pump(struct churners *churners, uint64_t now_ns)
{
    struct worker *w = churners->w;
    uint64_t rate = steps_a_second(churners), due = UINT64_MAX;

    while (rate != 0) {
        due = w->start_ns + pace_due_ns(rate, churners->next_due);
        if (due > now_ns || !worker_is_sending(w, due))
            break;
        churners->items[churners->next_due % w->options->n_churners].n_due++;
        churners->has_news = true;
        do {
            churners->next_due++;
        } while (!is_ours(churners, churners->next_due));
    }
    for (size_t i = 0; churners->has_news && i < w->options->n_churners; i++) {
        lose_patience(churners, &churners->items[i], now_ns);
        if (may_step(&churners->items[i]))
            begin_step(churners, &churners->items[i], now_ns);
    }
    churners->has_news = false;
    return worker_is_sending(w, due) ? due : UINT64_MAX;
}

bool churners_are_quiet(struct churners *churners, uint64_t now_ns)
{
    bool are_quiet = true;

    for (size_t i = 0; churners != NULL && i < churners->w->options->n_churners; i++) {
        struct churner *churner = &churners->items[i];

        if (!churner->is_busy || churner->connection->state == CONNECTION_CLOSED)
            continue;
        are_quiet = false;
        lose_patience(churners, churner, now_ns);
    }
    return are_quiet;
}
