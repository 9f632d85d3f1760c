#ifndef GATEWAY_BENCH_PLAN_H
#define GATEWAY_BENCH_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "gateway/bench/options.h"
#include "gateway/bench/zipf.h"

/*
 * Who subscribes to what, and who sends where, in the modes destinations, users and mixed. All by
 * `--seed` alone: every process comes to the same plan. Pure. Immutable after plan_init.
 *
 * A topic is a destination, numbered through three parts: those that clients share, those of users,
 * and those that a client sends to itself by. Connections are numbered: publishers, clients, and
 * those that churn.
 */

enum plan_part { PLAN_SHARED, PLAN_USERS, PLAN_ECHOES, PLAN_N_PARTS };
enum plan_kind { PLAN_PUBLISHER, PLAN_CLIENT, PLAN_CHURNER };

/** Who sends to a part's topics. */
struct plan_traffic {
    size_t first_topic, n_topics; /* none: the part is not in this mode */
    size_t first_sender, n_senders;
    uint64_t rate; /* messages a second of all senders; 0: by window */
};

struct plan {
    const struct options *options;
    struct plan_traffic parts[PLAN_N_PARTS];
    struct zipf shared; /* over the shared topics; zeroed when there are none */
    size_t n_topics;
    size_t n_shared_of_client;
    uint32_t
        *n_receivers; /* of each topic: clients that are subscribed, but for those that churn */
};

/** Borrows the options. Ends with plan_dispose. */
void plan_init(struct plan *plan, const struct options *options);

void plan_dispose(struct plan *plan);

/** Of all kinds. */
size_t plan_n_connections(const struct options *options);

enum plan_kind plan_kind(const struct options *options, size_t number);

/** Which part a topic is in. */
enum plan_part plan_part_of(const struct plan *plan, size_t topic);

/** How many topics every client is subscribed to. */
size_t plan_n_topics_of_client(const struct plan *plan);

/** Those of the client with connection `number`, in ascending order. */
void plan_topics_of_client(const struct plan *plan, size_t number, size_t *out);

/** The topic of a sender's next message in a part; `sender` counts from 0. */
size_t plan_draw_topic(const struct plan *plan, enum plan_part part, size_t sender,
                       struct dice *dice);

/** What is subscribed to; the caller owns it. */
char *plan_subscribed_name(const struct plan *plan, size_t topic);

/** What is sent to; the caller owns it. */
char *plan_sent_name(const struct plan *plan, size_t topic);

/** Whose connection it is; the caller owns it. NULL: nobody's in this mode. */
char *plan_user(const struct options *options, size_t number);

/*
 * The number of a message: of its publisher and topic, with the topic before it, so that it fits a
 * mark.
 */
#define PLAN_SEQUENCES UINT64_C(1000000000)

static inline uint64_t plan_pack(size_t topic, uint64_t sequence)
{
    return topic * PLAN_SEQUENCES + sequence;
}

static inline size_t plan_unpack_topic(uint64_t packed)
{
    return (size_t)(packed / PLAN_SEQUENCES);
}

static inline uint64_t plan_unpack_sequence(uint64_t packed)
{
    return packed % PLAN_SEQUENCES;
}

#endif
