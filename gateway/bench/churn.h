#ifndef GATEWAY_BENCH_CHURN_H
#define GATEWAY_BENCH_CHURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "gateway/bench/dice.h"
#include "gateway/bench/zipf.h"

/*
 * A client that subscribes and unsubscribes and connects again: what it does next, by its dice
 * alone, and whether what it receives can be. When exactly a subscription begins and ends only the
 * server knows, so its messages are not counted against those sent; but they must be of a topic
 * that it has, and of each publisher a run without a gap or repetition. Pure. Owning process only.
 */

enum { CHURN_MOST_TOPICS = 4 };

enum churn_act { CHURN_SUBSCRIBE, CHURN_UNSUBSCRIBE, CHURN_RECONNECT };

struct churn_step {
    enum churn_act act;
    size_t topic; /* but for CHURN_RECONNECT */
};

struct churn {
    struct dice dice;
    size_t n_publishers;
    size_t n_topics;
    size_t topics[CHURN_MOST_TOPICS];
    uint64_t *next; /* a row of n_publishers for each topic; 0: nothing came yet */
};

/** Ends with churn_dispose. */
void churn_init(struct churn *churn, struct dice dice, size_t n_publishers);

void churn_dispose(struct churn *churn);

/** What to do next: once in `n_steps` steps, `n_reconnects` times, it connects again. */
struct churn_step churn_draw(struct churn *churn, const struct zipf *topics, uint64_t n_reconnects,
                             uint64_t n_steps);

/** SUBSCRIBE is sent: messages of the topic may come from now on. */
void churn_begin(struct churn *churn, size_t topic);

/** UNSUBSCRIBE is confirmed: none may come any more. */
void churn_end(struct churn *churn, size_t topic);

/** The connection is gone, and all topics with it. */
void churn_forget(struct churn *churn);

/** Enters a message. Returns false when its topic is not there or it is not the next one. */
bool churn_take(struct churn *churn, size_t topic, size_t publisher, uint64_t sequence,
                bool is_any_order);

#endif
