#ifndef GATEWAY_CONFIG_SUGGEST_H
#define GATEWAY_CONFIG_SUGGEST_H

#include <stddef.h>
#include "base/slice.h"

/*
 * The nearest known name for a mistyped one. Case, `_` and `-` do not count, so that
 * `messageSizeLimit` is the same as `message_size_limit`. Pure. Any thread.
 */

struct suggest {
    struct slice wanted; /* borrowed */
    char best[128];      /* "" while nothing is near enough */
    size_t distance;     /* of the best */
};

/** Starts a search. Borrows `wanted` while it lasts. */
struct suggest suggest_for(struct slice wanted);

/** Keeps `name` when it is near enough and nearer than the best so far. */
void suggest_offer(struct suggest *s, struct slice name);

/**
 * How many characters must be added, removed, changed or swapped with their neighbour. Texts are
 * looked at up to 127 bytes.
 */
size_t suggest_distance(struct slice a, struct slice b);

#endif
