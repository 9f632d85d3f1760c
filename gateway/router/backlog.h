#ifndef GATEWAY_ROUTER_BACKLOG_H
#define GATEWAY_ROUTER_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/*
 * What waits in one competing queue, in the order of publication: what is new in a list, what has
 * come back in a heap. All that has come back is older than all that is new, for the new is handed
 * out in order. Pure. Owning worker only.
 */

/** Embedded in a message of a queue; the link is free for other lists while it is not in here. */
struct backlog_item {
    TAILQ_ENTRY(backlog_item) link;
    uint64_t order; /* of publication; given by backlog_append */
};

TAILQ_HEAD(backlog_list, backlog_item);

struct backlog {
    struct backlog_list fresh;
    struct backlog_item **returned; /* a heap, the lowest order first */
    size_t n_returned;
    size_t cap;
    uint64_t next_order;
};

void backlog_init(struct backlog *backlog);

/** The items that are still in it are the caller's to free. */
void backlog_dispose(struct backlog *backlog);

static inline bool backlog_is_empty(const struct backlog *backlog)
{
    return backlog->n_returned == 0 && TAILQ_EMPTY(&backlog->fresh);
}

/** A new item, behind all others. */
void backlog_append(struct backlog *backlog, struct backlog_item *item);

/** An item that was taken comes back to its place. */
void backlog_return(struct backlog *backlog, struct backlog_item *item);

/** Takes out the first item, NULL when it is empty. */
struct backlog_item *backlog_take(struct backlog *backlog);

#endif
