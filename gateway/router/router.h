#ifndef GATEWAY_ROUTER_ROUTER_H
#define GATEWAY_ROUTER_ROUTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include "base/buf.h"
#include "base/slice.h"
#include "base/table.h"
#include "gateway/ops/metrics.h"
#include "gateway/outbound/chunk.h"
#include "gateway/outbound/outq.h"
#include "gateway/router/acks.h"
#include "gateway/router/destination.h"
#include "gateway/router/group.h"
#include "gateway/router/interest.h"
#include "gateway/router/lag.h"
#include "gateway/router/msg.h"
#include "gateway/router/packer.h"
#include "gateway/router/subscriptions.h"
#include "gateway/router/wire.h"

/*
 * One worker's part of the router: its subscriptions, and the way of a message to them.
 *
 * Subscriptions of a destination that look the same on the wire (same id, wire form and selector)
 * are a group. A publish encodes the message once per group, into the tick log: an ordered list of
 * segments, each a run of frames for one group in a shared chunk. At the end of the tick
 * router_distribute walks the log in order and gives every member a reference to its segments, so
 * each session writes once however many messages came. A group of a few members is not logged:
 * the message is copied straight into their queues. Where there are many such groups, messages to
 * the destination wait for each other first: a run.
 *
 * A message for receivers that take compressed ones is compressed once, for all groups with the
 * same window (packer.h); a receiver whose context is kept gets its own copy of each at once.
 *
 * Order: what is queued for a receiver outside the log must first catch up with the log
 * (router_catch_up); the router does so itself wherever it queues. So a RECEIPT that follows an
 * UNSUBSCRIBE comes after the last message, and a new subscription sees nothing older than itself.
 *
 * What comes for a receiver that lags goes behind its queue: lag.h, lagging.h.
 *
 * Owning worker only, but for the interest table, which all workers share.
 */

/** Whoever can subscribe: embedded in a session. Zeroed and then receiver_init. */
struct receiver {
    struct outq outq;
    struct lag *lag;    /* behind outq; NULL: the receiver keeps up */
    uint64_t caught_up; /* the log up to here is in outq, or in lag, already */
    TAILQ_ENTRY(receiver) dirty_link;
    struct subscriptions subscriptions;
    struct ws_deflater *deflater; /* with a context that is kept, once it is needed; else NULL */
    enum wire wire;
    uint32_t ack_windows; /* of the subscriptions with needs_ack, added up */
    LIST_HEAD(ack_group_list, group_more) ack_groups; /* theirs */
    uint32_t n_patterns;                              /* of its subscriptions */
    bool is_dirty;       /* in the router's list: something may have to be written */
    bool is_closed;      /* gets nothing any more */
    bool is_window_full; /* it has missed a message: a limit for its owner to act on */
};

/** What the router does not do itself. */
struct router_hooks {
    /** Posts the message to another worker at the end of the tick; takes a reference of its own. */
    void (*mail)(void *ctx, unsigned worker, struct msg *msg);
    /** Something became dirty: the tick's end must come. */
    void (*wake)(void *ctx);
    void *ctx;
};

struct log_segment {
    struct group *group;
    struct chunk *chunk;
    uint64_t begin;  /* position in the log */
    uint32_t offset; /* its bytes are chunk->data[offset .. offset + len) */
    uint32_t len;
    uint32_t previous; /* index + 1 of the same group's segment before this one; 0: none */
    const struct receiver *except; /* gets none of it */
};

enum { RUN_MAX = 64 };

/** Messages to one destination that have been published, and wait to be delivered together. */
struct run {
    struct destination *destination;
    uint32_t n;
    struct msg *msgs[RUN_MAX]; /* one reference each */
};

struct router {
    unsigned worker;
    struct interest *interest;
    struct chunk_pool *pool;
    struct metrics *metrics;
    struct router_hooks hooks;
    void (*on_ended)(void *ctx, struct subscription *subscription); /* see router_on_ended */
    void *on_ended_ctx;
    struct destinations destinations;
    struct groups groups;
    struct lag_store lag_store;
    struct packer packer;
    struct buf lines; /* scratch: the header lines of one delivery */
    uint64_t next_serial;
    struct log_segment *log;
    uint32_t n_log;
    uint32_t log_cap;
    uint64_t log_begin; /* position of the first segment */
    uint64_t log_end;
    uint64_t last_log_bytes;  /* of the last tick that had any */
    uint64_t tick_deliveries; /* published in this tick, one for each receiving subscription */
    struct run run;
    TAILQ_HEAD(dirty_list, receiver) dirty;
    uint64_t next_id;
    char id_prefix[48];
    uint32_t id_prefix_len;
    uint32_t *gather; /* scratch of catch-up */
    uint32_t gather_cap;
};

/**
 * Borrows interest, patterns, pool and metrics for its life. `cache_limit` (at least 1) bounds the
 * destinations without subscribers here that are remembered; `start_id` is random for each start.
 */
void router_init(struct router *router, unsigned worker, struct interest *interest,
                 struct patterns *patterns, size_t cache_limit, struct chunk_pool *pool,
                 struct metrics *metrics, struct siphash_key hash_key, uint64_t start_id,
                 struct router_hooks hooks);

/** How compressed messages are made: level 1 to 9, and from how long a body on. */
void router_set_compression(struct router *router, int level, uint64_t min_bytes);

/** All receivers must have left. */
void router_dispose(struct router *router);

/** Calls `on_ended` when a subscription that is alone in its group is about to end. */
void router_on_ended(struct router *router,
                     void (*on_ended)(void *ctx, struct subscription *subscription), void *ctx);

void receiver_init(struct receiver *receiver, struct router *router, enum wire wire);

/** Ends all its subscriptions; what was published before is still delivered. Idempotent. */
void receiver_end_subscriptions(struct receiver *receiver, struct router *router);

/** Takes the receiver out of every group and drops what is queued. Idempotent. */
void receiver_leave(struct receiver *receiver, struct router *router);

/** The receiver's subscription of that id, or NULL. */
struct subscription *receiver_find(const struct receiver *receiver, const struct router *router,
                                   struct slice id);

/** The destination of a subscription; borrowed while it lives. */
struct slice subscription_destination(const struct subscription *subscription);

/** What is asked of router_subscribe_as. */
struct router_subscribe {
    struct slice id;
    struct slice destination;
    enum destination_kind kind;
    struct selector *selector; /* NULL: none. The router takes a reference of its own */
    bool needs_ack;            /* each delivery is to be acknowledged */
    bool is_cumulative;        /* with all before it (STOMP's `client`) */
    uint32_t ack_window;       /* at most so many that are not, with needs_ack */
};

enum router_status {
    ROUTER_OK,
    ROUTER_ERR_ID,       /* the receiver has a subscription of that id already */
    ROUTER_ERR_PATTERN,  /* the pattern cannot be compiled */
    ROUTER_ERR_PATTERNS, /* the process has its limit of patterns */
};

/**
 * Subscribes; visible to publishers on every worker when this returns. Borrows `asked`. On
 * ROUTER_OK `*out` (unless NULL) is the subscription, borrowed until it ends; on ROUTER_ERR_PATTERN
 * `*why` (which may be NULL for other kinds) is a static text.
 */
enum router_status router_subscribe_as(struct router *router, struct receiver *receiver,
                                       const struct router_subscribe *asked,
                                       struct subscription **out, const char **why)
    __attribute__((warn_unused_result));

/** The same for an exact destination. Returns false when there is one of that id already. */
bool router_subscribe(struct router *router, struct receiver *receiver, struct slice id,
                      struct slice destination) __attribute__((warn_unused_result));

/** Ends a subscription; what was published before is still delivered. */
void router_unsubscribe(struct router *router, struct subscription *subscription);

/**
 * Moves a subscription to a group of its own, or back to the one of its like. What was published
 * before is still delivered. Returns it, at another address.
 */
struct subscription *router_regroup(struct router *router, struct subscription *subscription,
                                    bool is_alone) __attribute__((returns_nonnull));

/** A new message-id; borrowed until the next call. `out` has room for 64 bytes. */
struct slice router_next_id(struct router *router, char *out);

/**
 * Delivers to the subscriptions of this worker and mails the others that have some. `except`, when
 * not NULL, gets nothing. Borrows the message. Returns how many subscriptions there are in all.
 */
uint64_t router_publish(struct router *router, struct msg *msg, const struct receiver *except);

/**
 * Delivers the messages that wait for others within a tick. To be called before other workers get
 * them, who then find them compressed.
 */
void router_end_run(struct router *router);

/** How many subscriptions, on all workers, a publish would reach. */
uint64_t router_count(struct router *router, struct slice destination);

/** Delivers mail: to this worker's subscriptions only. Borrows the message. */
void router_deliver(struct router *router, struct msg *msg, const struct receiver *except);

/** Delivers a bound message on the worker that its session lives on. Borrows it. */
void router_send_bound(struct router *router, unsigned worker, struct msg *msg);

/**
 * Delivers a message to one subscription that is alone in its group. `lines` are further header
 * lines; `tag` is kept with what is not acknowledged yet. Returns false when its window is full.
 */
bool router_deliver_one(struct router *router, struct subscription *subscription,
                        const struct msg *msg, struct slice lines, uint64_t tag)
    __attribute__((warn_unused_result));

/** Sends a message to a receiver as if to its subscription of that id, there or not. */
void router_reply(struct router *router, struct receiver *receiver, const struct msg *msg,
                  struct slice id);

/**
 * Reads a message-id that a router of this process gave: sets worker and number of `*out`. Returns
 * false for anything else.
 */
bool router_read_id(const struct router *router, struct slice id, struct ack_entry *out);

/** Delivers to the receiver's own subscriptions of the destination only; returns how many. */
uint64_t router_echo(struct router *router, const struct msg *msg, struct receiver *receiver);

/** Moves the receiver's share of the log into its queue: before anything else is queued there. */
void router_catch_up(struct router *router, struct receiver *receiver);

/**
 * Room for a transport frame of `len` bytes of content behind everything that was published; its
 * head is written, the caller fills in the content. Marks the receiver dirty.
 */
char *router_queue_frame(struct router *router, struct receiver *receiver, bool is_binary,
                         size_t len) __attribute__((returns_nonnull));

/** Room for `len` bytes that are a transport's own (a pong, a close frame), in the same order. */
char *router_queue_bytes(struct router *router, struct receiver *receiver, size_t len)
    __attribute__((returns_nonnull));

/** Something of the receiver's has to be looked at when the tick ends. */
void router_mark_dirty(struct router *router, struct receiver *receiver);

/** Whether something was published since the last router_distribute. */
static inline bool router_has_undistributed(const struct router *router)
{
    return router->n_log != 0 || router->run.n != 0;
}

/** The end of the tick: the run ends, the log's bytes go to its members' queues, it is empty. */
void router_distribute(struct router *router);

/** The next dirty receiver, no longer in the list; NULL when there is none. */
struct receiver *router_take_dirty(struct router *router);

#endif
