#ifndef TESTS_BENCH_MICRO_WORLD_H
#define TESTS_BENCH_MICRO_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include "gateway/router/router.h"

/*
 * What micro's cases share: a router of one worker with receivers that throw away what they are
 * sent, and where the counting begins. Hash keys are fixed, and nothing asks the clock.
 */

struct world {
    struct chunk_account account;
    struct chunk_pool pool;
    struct interest interest;
    struct patterns patterns;
    struct metrics metrics;
    struct router router;
    struct receiver *receivers;
    size_t n_receivers;
    char *body; /* of the messages: 128 bytes, or 1 KiB for wire forms that compress */
    size_t body_len;
};

/** Ends with world_free, when nothing but its own receivers has subscriptions. */
struct world *world_new(size_t n_receivers);
struct world *world_new_for(size_t n_receivers, enum wire wire);
void world_free(struct world *w);

/** Ends a tick: everybody gets what is theirs, and drops it. */
void world_end_tick(struct world *w);

/** Memory filled with a text as often as it fits, and with spaces. */
char *filled(size_t len, const char *pattern);

/** A text of JSON that repeats itself about as much as a list of quotes does. */
char *json_of(size_t len);

/** Aborts unless `ok`: so that no result is thrown away before it was made. */
void use(bool ok);

/** The preparations are over: from here on valgrind counts. */
void count_from_here(void);

#endif
