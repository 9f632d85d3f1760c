#ifndef GATEWAY_BENCH_TALLY_H
#define GATEWAY_BENCH_TALLY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Up to which message all of `n_parties` subscribers have received a publisher's row: a counter
 * for each message that is in flight, nothing for each subscriber. Owning thread only.
 */

struct tally {
    uint64_t complete; /* all parties have all messages below this one */
    uint64_t n_parties;
    uint64_t mask;
    uint32_t *counts; /* by number, modulo a power of two */
};

/** Room for `window` messages in flight. Ends with tally_dispose. */
void tally_init(struct tally *tally, uint64_t n_parties, uint64_t window);

void tally_dispose(struct tally *tally);

/**
 * One party has received message `sequence`, for the first time. Returns true when `complete`
 * moved on. A number that cannot be in flight is ignored.
 */
static inline bool tally_add(struct tally *tally, uint64_t sequence)
{
    if (sequence - tally->complete > tally->mask)
        return false;
    tally->counts[sequence & tally->mask]++;
    if (tally->counts[tally->complete & tally->mask] < tally->n_parties)
        return false;
    do {
        tally->counts[tally->complete & tally->mask] = 0;
        tally->complete++;
    } while (tally->counts[tally->complete & tally->mask] >= tally->n_parties);
    return true;
}

#endif
