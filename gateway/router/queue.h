#ifndef GATEWAY_ROUTER_QUEUE_H
#define GATEWAY_ROUTER_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/slice.h"
#include "base/table.h"
#include "gateway/router/msg.h"

/*
 * The competing queues that one worker owns: each message of such a destination goes to one of its
 * subscribers, here called consumers, wherever they live, and is kept until that one acknowledges
 * it. (Not in Spring's simple broker, whose subscribers all get everything.)
 *
 * - A consumer has a window: so many deliveries may be unacknowledged. Those with a free window
 *   take turns. A consumer in `auto` mode has one, too: its worker acknowledges what it has
 *   handed over.
 * - Messages go out in the order of publication. What comes back goes out before what is new, in
 *   its own order, with a delivery count above 1.
 * - What comes back because its consumer left may go to anybody. A NACKed message goes to another
 *   consumer than the one that refused it last, waiting for a free window if it must; to the same
 *   one only when there is no other.
 * - A message that was NACKed or returned QUEUE_MAX_FAILURES times is dropped. That a consumer left
 *   with it does not count: else a client on a bad line would lose what it never looked at.
 * - A queue exists while it has consumers or messages. All messages that were published are in
 *   the backlog, in flight, acknowledged or dropped, whatever happens.
 *
 * A pure state machine: what it decides goes out through hooks. They may call back into it, also
 * for the same queue; a consumer with a free window is then served after they have returned. All is
 * O(1), but for consumers that leave: O(log n) for each message that they had. Owning worker only.
 */

enum { QUEUE_MAX_FAILURES = 16 };

/** A subscription of a session on any worker; it consumes one queue. */
struct queue_consumer {
    unsigned worker;
    uint32_t slot; /* of the session, which with its generation never comes again */
    uint32_t generation;
    uint64_t serial; /* of the subscription, unique in the session */
};

struct queue_delivery {
    uint64_t id;     /* never the same again */
    struct msg *msg; /* borrowed for the call */
    uint32_t count;  /* deliveries of this message so far, this one included */
    bool is_auto;    /* as the consumer was added */
};

/** What the queues do not do themselves. All are needed. */
struct queue_hooks {
    /** The message is the consumer's until it is acknowledged. Borrows all for the call. */
    void (*deliver)(void *ctx, const struct queue_consumer *consumer,
                    const struct queue_delivery *delivery);
    /** So many messages with so many bytes are done with: acknowledged or dropped. */
    void (*release)(void *ctx, struct slice destination, size_t n, size_t bytes);
    /** The message failed too often; `release` follows. Borrows it for the call. */
    void (*dropped)(void *ctx, struct msg *msg);
    void *ctx;
};

/** Read the counts, change nothing. */
struct queues {
    struct table queues;    /* by destination */
    struct table consumers; /* of all queues */
    struct table in_flight; /* messages by the id of their delivery */
    size_t n_messages;      /* those in flight included */
    uint64_t n_deliveries;  /* ever */
    struct queue_hooks hooks;
};

void queues_init(struct queues *set, struct siphash_key hash_key, struct queue_hooks hooks);

/** Drops all consumers and messages; calls no hook. */
void queues_dispose(struct queues *set);

/**
 * A consumer with a `window` (not 0) begins to get what waits. Returns false, with nothing
 * changed, when that consumer is there already. `is_auto` is told with its deliveries, no more.
 */
bool queues_add_consumer(struct queues *set, struct slice destination,
                         const struct queue_consumer *consumer, uint32_t window, bool is_auto);

/**
 * The consumer has left: what it had not acknowledged goes back to its place in the queue.
 * Returns false when there is no such consumer.
 */
bool queues_remove_consumer(struct queues *set, const struct queue_consumer *consumer);

/** Takes a reference of its own. `bytes` is what `release` will tell once it is done with. */
void queues_publish_sized(struct queues *set, struct msg *msg, size_t bytes);

static inline void queues_publish(struct queues *set, struct msg *msg)
{
    queues_publish_sized(set, msg, msg_bytes(msg));
}

/**
 * The three ends of a delivery. They return false, with nothing changed, unless the delivery is in
 * flight at this very consumer: late, repeated and foreign ones are harmless.
 */

/** The consumer is done with the message. */
bool queues_ack(struct queues *set, const struct queue_consumer *consumer, uint64_t id);

/** The consumer does not want it. */
bool queues_nack(struct queues *set, const struct queue_consumer *consumer, uint64_t id);

/** The consumer was gone when the message came: it leaves, as by queues_remove_consumer. */
bool queues_return(struct queues *set, const struct queue_consumer *consumer, uint64_t id);

#endif
