#ifndef GATEWAY_SESSION_QUIET_H
#define GATEWAY_SESSION_QUIET_H

#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"
#include "base/siphash.h"

/*
 * Keeps peers from writing our log without bound: so many lines a second for what they cause, and
 * one line for each destination that nobody routes, up to a number. Owning worker only.
 */

enum { QUIET_LINES_A_SECOND = 50, QUIET_MAX_DESTINATIONS = 1024 };

struct quiet {
    uint64_t window_ms;
    unsigned n_lines;
    uint64_t n_suppressed; /* since the last line that was allowed */
    struct siphash_key hash_key;
    uint64_t seen[QUIET_MAX_DESTINATIONS * 2]; /* hashes; 0: free */
    unsigned n_seen;
};

/** Whether a line may be written now; `*suppressed` is how many were not since the last one. */
bool quiet_allows(struct quiet *quiet, uint64_t now_ms, uint64_t *suppressed);

/** Whether this destination is a new one; false also when no more can be remembered. */
bool quiet_is_new(struct quiet *quiet, struct slice destination);

#endif
