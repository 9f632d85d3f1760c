#ifndef GATEWAY_BROKER_BROKER_H
#define GATEWAY_BROKER_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/slice.h"
#include "base/table.h"
#include "gateway/ops/metrics.h"
#include "gateway/router/errand.h"
#include "gateway/router/last.h"
#include "gateway/router/policy.h"
#include "gateway/router/queue.h"
#include "gateway/router/queue_room.h"
#include "gateway/router/router.h"
#include "gateway/router/sequence.h"
#include "gateway/router/users.h"

/*
 * What stands between a message and the router (Spring's SimpleBrokerMessageHandler and
 * UserDestinationMessageHandler, and what goes beyond them): destinations that need one order for
 * all, which the worker that the destination's hash names decides, and users, who may have
 * sessions on every worker.
 *
 * A publish to an owned destination goes to its owner first, who numbers it (a sequence), keeps it
 * (the last message) or hands it to one consumer (a competing queue). All others go straight to
 * the router.
 *
 * One for each worker, used by that worker only; what they share has locks of its own.
 */

/** Names a session across workers and time; slot and generation, never a pointer. */
struct session_ref {
    uint32_t slot;
    uint32_t generation;
};

/** Shared by the brokers of all workers. Outlives them. */
struct broker_shared {
    unsigned n_workers;
    struct siphash_key hash_key;
    uint64_t start_id;
    struct policy *policy; /* owned */
    struct users users;
    struct last last;
    struct queue_room room;
};

struct broker_limits {
    size_t last_messages; /* kept for who asks for the last one */
    size_t last_bytes;
    struct queue_room_limits queue;
};

/** Takes the policy. */
void broker_shared_init(struct broker_shared *shared, struct policy *policy,
                        const struct broker_limits *limits, unsigned n_workers,
                        struct siphash_key hash_key, uint64_t start_id);

/** All brokers are gone. */
void broker_shared_dispose(struct broker_shared *shared);

/** What the broker asks of others. All are called on the owning worker's thread. */
struct broker_hooks {
    /** Takes the errand to a worker, or to this one at the end of its tick. */
    void (*send)(void *ctx, unsigned worker, struct errand *errand);
    /** What a session asked for has taken effect: its RECEIPT is due. The session may be gone. */
    void (*receipt)(void *ctx, struct session_ref session, struct slice receipt);
    /** Whether the process ends, and nothing more need be told to other workers. */
    bool (*is_ending)(void *ctx);
    void *ctx;
};

struct broker {
    struct broker_shared *shared;
    unsigned worker;
    struct router *router;
    struct metrics *metrics;
    struct broker_hooks hooks;
    struct sequences sequences;
    struct queues queues;
    struct table consumers; /* of competing queues, on this worker, by serial */
};

/** Borrows all for its life. `sequence_limit` is this worker's share. */
void broker_init(struct broker *broker, struct broker_shared *shared, unsigned worker,
                 struct router *router, struct metrics *metrics, size_t sequence_limit,
                 struct broker_hooks hooks);

/** All sessions have ended. What queues still hold is dropped, and counted (if there is any). */
void broker_dispose(struct broker *broker);

/** What became of a publish. */
enum broker_outcome {
    BROKER_ROUTED, /* it is with every worker that has subscribers, or with its owner */
    BROKER_FULL,   /* a competing queue has no room: it was not accepted */
};

struct broker_due;

/**
 * Whose RECEIPT is due once all that was asked with it has taken effect on its owners. The caller
 * fills in session, is_asked and text, hands it to any number of calls, and then asks
 * broker_receipt_is_due.
 */
struct broker_receipt {
    struct session_ref session;
    bool is_asked;
    struct slice text;      /* of the receipt header; borrowed for the calls */
    struct broker_due *due; /* the broker's: owners have still to answer. NULL at first */
};

/**
 * The last call with a receipt. Returns true when it may be sent now; else it comes by
 * hooks.receipt.
 */
bool broker_receipt_is_due(struct broker *broker, struct broker_receipt *receipt)
    __attribute__((warn_unused_result));

/** Takes room for one message in a competing queue; true for all other destinations. */
bool broker_reserve(struct broker *broker, struct slice destination, size_t body_len)
    __attribute__((warn_unused_result));

/** Gives back what was not published. */
void broker_unreserve(struct broker *broker, struct slice destination, size_t body_len);

/**
 * Publishes. Borrows the message and the receipt (NULL: none). `except`, when not NULL, gets
 * nothing (only for destinations that nobody owns). With `is_reserved` broker_reserve was called
 * before, and BROKER_FULL is not returned. `*n` (unless NULL) is the number of matching
 * subscriptions.
 */
enum broker_outcome broker_publish(struct broker *broker, struct msg *msg,
                                   const struct receiver *except, struct broker_receipt *receipt,
                                   bool is_reserved, uint64_t *n);

/** Whether there are any competing queues by configuration. */
bool broker_has_queues(const struct broker *broker);

/** Whether a destination is a competing queue. */
bool broker_is_queue(const struct broker *broker, struct slice destination);

/**
 * Subscribes to a competing queue. Without `needs_ack` a message
 * counts as acknowledged once it is in the session's queue.
 */
enum router_status
broker_subscribe_queue(struct broker *broker, struct receiver *receiver, struct session_ref session,
                       const struct router_subscribe *asked, struct broker_receipt *receipt)
    __attribute__((warn_unused_result));

/** A consumer has acknowledged, or refused, what came with `tag`. */
void broker_settle(struct broker *broker, const struct subscription *subscription, uint64_t tag,
                   bool is_ack);

/** A subscription that is alone in its group ends: see struct router_hooks. */
void broker_subscription_ended(struct broker *broker, struct subscription *subscription);

/* --- users --- */

/** The bound destination of a session: `target` "-user" and the id. Ends with mem_free(base). */
struct slice broker_bound_name(struct slice target, struct slice session_id);

/**
 * Publishes to a user's sessions, or to one of them: the bound destinations of `target`. Borrows
 * the message, whose headers say already what receivers are shown. Returns to how many sessions.
 */
uint64_t broker_publish_to_user(struct broker *broker, const struct msg *msg, struct slice user,
                                struct slice target);

/** The same for one session of this worker. */
void broker_publish_to_session(struct broker *broker, const struct msg *msg,
                               struct slice session_id, struct slice target);

#endif
