#include "gateway/bench/plan.h"

#include <assert.h>
#include "base/mem.h"

/* What dice are for: clients and those that send must not throw the same. */
enum { USE_TOPICS_OF_CLIENT = 1 };

static bool has_shared(const struct options *o)
{
    return o->mode != OPTIONS_USERS;
}

static size_t n_users(const struct options *o)
{
    if (o->mode == OPTIONS_USERS)
        return (o->n_clients + o->n_sessions - 1) / o->n_sessions;
    return o->user_rate != 0 ? o->n_clients : 0; /* 0 but in mode mixed */
}

static size_t n_sessions(const struct options *o)
{
    return o->mode == OPTIONS_USERS ? o->n_sessions : 1;
}

/* The topic of a client's user, within the part. */
static size_t user_of_client(const struct options *o, size_t number)
{
    return (number - o->n_publishers) / n_sessions(o);
}

static void count_receivers(struct plan *plan)
{
    const struct options *o = plan->options;
    size_t n = plan_n_topics_of_client(plan);
    size_t *topics = mem_calloc(n, sizeof(*topics));

    for (size_t i = 0; i < o->n_clients; i++) {
        plan_topics_of_client(plan, o->n_publishers + i, topics);
        for (size_t k = 0; k < n; k++)
            plan->n_receivers[topics[k]]++;
    }
    mem_free(topics);
}

void plan_init(struct plan *plan, const struct options *o)
{
    bool is_mixed = o->mode == OPTIONS_MIXED;
    size_t n_shared = has_shared(o) ? o->n_destinations : 0;
    size_t n_echoes = is_mixed && o->echo_rate != 0 ? o->n_clients : 0;

    *plan = (struct plan){.options = o, .n_topics = n_shared + n_users(o) + n_echoes};
    plan->parts[PLAN_SHARED] =
        (struct plan_traffic){0, n_shared, 0, o->n_publishers, is_mixed ? o->fanout_rate : o->rate};
    plan->parts[PLAN_USERS] = (struct plan_traffic){n_shared, n_users(o), 0, o->n_publishers,
                                                    is_mixed ? o->user_rate : o->rate};
    plan->parts[PLAN_ECHOES] = (struct plan_traffic){n_shared + n_users(o), n_echoes,
                                                     o->n_publishers, o->n_clients, o->echo_rate};
    if (is_mixed && o->fanout_rate == 0)
        plan->parts[PLAN_SHARED].n_senders = 0; /* subscribed to, and silent */
    plan->n_receivers = mem_calloc(plan->n_topics, sizeof(*plan->n_receivers));
    if (n_shared != 0) {
        plan->n_shared_of_client = o->n_subscriptions;
        zipf_init(&plan->shared, n_shared, (double)o->zipf / 1e9);
    }
    count_receivers(plan);
}

void plan_dispose(struct plan *plan)
{
    zipf_dispose(&plan->shared);
    mem_free(plan->n_receivers);
    *plan = (struct plan){0};
}

size_t plan_n_connections(const struct options *options)
{
    return options->n_publishers + options->n_clients + options->n_churners;
}

enum plan_kind plan_kind(const struct options *options, size_t number)
{
    if (number < options->n_publishers)
        return PLAN_PUBLISHER;
    return number < options->n_publishers + options->n_clients ? PLAN_CLIENT : PLAN_CHURNER;
}

enum plan_part plan_part_of(const struct plan *plan, size_t topic)
{
    if (topic < plan->parts[PLAN_USERS].first_topic)
        return PLAN_SHARED;
    return topic < plan->parts[PLAN_ECHOES].first_topic ? PLAN_USERS : PLAN_ECHOES;
}

size_t plan_n_topics_of_client(const struct plan *plan)
{
    return plan->n_shared_of_client + (plan->parts[PLAN_USERS].n_topics != 0) +
           (plan->parts[PLAN_ECHOES].n_topics != 0);
}

void plan_topics_of_client(const struct plan *plan, size_t number, size_t *out)
{
    const struct plan_traffic *users = &plan->parts[PLAN_USERS];
    const struct plan_traffic *echoes = &plan->parts[PLAN_ECHOES];
    struct dice dice = dice_of(plan->options->seed, USE_TOPICS_OF_CLIENT, number);

    assert(plan_kind(plan->options, number) == PLAN_CLIENT);
    if (plan->n_shared_of_client != 0)
        zipf_draw_different(&plan->shared, &dice, out, plan->n_shared_of_client);
    out += plan->n_shared_of_client;
    if (users->n_topics != 0)
        *out++ = users->first_topic + user_of_client(plan->options, number);
    if (echoes->n_topics != 0)
        *out = echoes->first_topic + number - echoes->first_sender;
}

size_t plan_draw_topic(const struct plan *plan, enum plan_part part, size_t sender,
                       struct dice *dice)
{
    const struct plan_traffic *traffic = &plan->parts[part];

    switch (part) {
    case PLAN_SHARED:
        return traffic->first_topic + zipf_draw(&plan->shared, dice);
    case PLAN_USERS:
        return traffic->first_topic + (size_t)dice_below(dice, traffic->n_topics);
    default:
        return traffic->first_topic + sender;
    }
}

static char *own_name(const struct plan *plan, const char *infix, enum plan_part part, size_t topic)
{
    return mem_printf("%s-%s%zu", plan->options->destination, infix,
                      topic - plan->parts[part].first_topic);
}

char *plan_subscribed_name(const struct plan *plan, size_t topic)
{
    switch (plan_part_of(plan, topic)) {
    case PLAN_SHARED:
        return own_name(plan, "", PLAN_SHARED, topic);
    case PLAN_USERS:
        return mem_printf("/user%s", plan->options->user_destination);
    default:
        return own_name(plan, "echo-", PLAN_ECHOES, topic);
    }
}

char *plan_sent_name(const struct plan *plan, size_t topic)
{
    if (plan_part_of(plan, topic) != PLAN_USERS)
        return plan_subscribed_name(plan, topic);
    return mem_printf("/user/user-%zu%s", topic - plan->parts[PLAN_USERS].first_topic,
                      plan->options->user_destination);
}

char *plan_user(const struct options *options, size_t number)
{
    if (!options_has_users(options))
        return NULL;
    switch (plan_kind(options, number)) {
    case PLAN_PUBLISHER:
        return mem_printf("publisher-%zu", number);
    case PLAN_CLIENT:
        return mem_printf("user-%zu", user_of_client(options, number));
    default:
        return mem_printf("guest-%zu", number);
    }
}
