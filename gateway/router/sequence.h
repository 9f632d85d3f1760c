#ifndef GATEWAY_ROUTER_SEQUENCE_H
#define GATEWAY_ROUTER_SEQUENCE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include "base/slice.h"
#include "base/table.h"

/*
 * The message numbers of the destinations that one worker owns. Numbers count up by one within an
 * epoch, from 1. A destination's epoch begins when it is first numbered: after a start, or after
 * it was forgotten because others were used more recently. No epoch is ever used twice, so a
 * client that sees a new one knows that it may have missed something, and one that sees a number
 * left out within an epoch knows that it did. Owning worker only.
 */

/** `epoch` has room for "<start id in hex>-<worker>-<count>" whatever the count. */
struct sequence_number {
    uint64_t number;
    char epoch[40]; /* not NUL-terminated */
    size_t epoch_len;
};

struct sequences {
    struct table entries;
    TAILQ_HEAD(sequence_list, sequence) by_use; /* the least recently used is the first */
    size_t limit;
    uint64_t n_epochs; /* so far */
    char prefix[24];
    size_t prefix_len;
};

/**
 * At most `limit` (not 0) destinations are remembered. `start_id` is random for each start of the
 * process; with it and the worker (below 64) epochs differ from those of all others.
 */
void sequences_init(struct sequences *set, size_t limit, struct siphash_key hash_key,
                    uint64_t start_id, unsigned worker);

void sequences_dispose(struct sequences *set);

/** The next number of the destination. May forget another destination. */
void sequences_next(struct sequences *set, struct slice destination, struct sequence_number *out);

#endif
