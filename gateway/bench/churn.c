#include "gateway/bench/churn.h"

#include <assert.h>
#include <string.h>
#include "base/mem.h"

enum { MOST_IN_VAIN = 64 };

void churn_init(struct churn *churn, struct dice dice, size_t n_publishers)
{
    *churn = (struct churn){.dice = dice, .n_publishers = n_publishers};
    churn->next = mem_calloc(n_publishers * CHURN_MOST_TOPICS, sizeof(*churn->next));
}

void churn_dispose(struct churn *churn)
{
    mem_free(churn->next);
    *churn = (struct churn){0};
}

/* Where the topic is, n_topics when it is not there. */
static size_t find(const struct churn *churn, size_t topic)
{
    size_t at = 0;

    while (at < churn->n_topics && churn->topics[at] != topic)
        at++;
    return at;
}

struct churn_step churn_draw(struct churn *churn, const struct zipf *topics, uint64_t n_reconnects,
                             uint64_t n_steps)
{
    bool wants_more;

    if (dice_below(&churn->dice, n_steps) < n_reconnects)
        return (struct churn_step){.act = CHURN_RECONNECT};
    wants_more = churn->n_topics == 0 || dice_below(&churn->dice, 2) == 0;
    for (int i = 0; wants_more && churn->n_topics < CHURN_MOST_TOPICS && i < MOST_IN_VAIN; i++) {
        size_t topic = zipf_draw(topics, &churn->dice);

        if (find(churn, topic) == churn->n_topics)
            return (struct churn_step){CHURN_SUBSCRIBE, topic};
    }
    return (struct churn_step){CHURN_UNSUBSCRIBE,
                               churn->topics[dice_below(&churn->dice, churn->n_topics)]};
}

static uint64_t *row(struct churn *churn, size_t at)
{
    return &churn->next[at * churn->n_publishers];
}

void churn_begin(struct churn *churn, size_t topic)
{
    size_t at = churn->n_topics++;

    assert(at < CHURN_MOST_TOPICS);
    churn->topics[at] = topic;
    memset(row(churn, at), 0, churn->n_publishers * sizeof(*churn->next));
}

void churn_end(struct churn *churn, size_t topic)
{
    size_t at = find(churn, topic), last = --churn->n_topics;

    assert(at <= last);
    churn->topics[at] = churn->topics[last];
    memmove(row(churn, at), row(churn, last), churn->n_publishers * sizeof(*churn->next));
}

void churn_forget(struct churn *churn)
{
    churn->n_topics = 0;
}

bool churn_take(struct churn *churn, size_t topic, size_t publisher, uint64_t sequence,
                bool is_any_order)
{
    size_t at = find(churn, topic);
    uint64_t *next;

    if (at == churn->n_topics || publisher >= churn->n_publishers)
        return false;
    next = &row(churn, at)[publisher];
    if (*next != 0 && sequence != *next && !is_any_order)
        return false;
    *next = sequence + 1;
    return true;
}
