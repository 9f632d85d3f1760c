#ifndef GATEWAY_ROUTER_ERRAND_H
#define GATEWAY_ROUTER_ERRAND_H

#include <stddef.h>

/*
 * Something to be done on another worker's thread, in order with the messages that are mailed
 * there. Embedded at the front of what it needs.
 */

struct errand {
    /** Does it and frees it. `ctx` is what the worker it came to keeps for errands. */
    void (*run)(struct errand *errand, void *ctx);
    size_t bytes; /* what it counts for against the mailbox's limit */
};

#endif
