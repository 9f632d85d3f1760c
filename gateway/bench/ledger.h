#ifndef GATEWAY_BENCH_LEDGER_H
#define GATEWAY_BENCH_LEDGER_H

#include <stdint.h>

/*
 * Which messages of one publisher one subscriber has received: tells the lost, the repeated and
 * the late from those in order. Messages are numbered from 0. Owning thread only.
 */

enum {
    LEDGER_SPAN = 4096, /* how far a message may run ahead of one that is not there yet */
};

enum ledger_verdict {
    LEDGER_IN_ORDER,  /* the next one */
    LEDGER_EARLY,     /* later than all so far, with a gap before it: lost, or still to come */
    LEDGER_LATE,      /* it fills a gap: the messages were reordered */
    LEDGER_DUPLICATE, /* it was here before */
    LEDGER_TOO_FAR,   /* LEDGER_SPAN or more ahead of one that is missing: not taken */
};

/** Zeroed memory is a line with nothing received. */
struct ledger_line {
    uint64_t next;   /* all below were received */
    uint64_t top;    /* behind the highest received; only kept while n_ahead is not 0 */
    uint64_t *ahead; /* LEDGER_SPAN bits, by number modulo the span; NULL until a gap */
    uint64_t n_ahead;
};

/** Frees what the line holds. */
void ledger_dispose(struct ledger_line *line);

enum ledger_verdict ledger_take_slowly_(struct ledger_line *line, uint64_t sequence);

/** Enters message `sequence`. */
static inline enum ledger_verdict ledger_take(struct ledger_line *line, uint64_t sequence)
{
    if (__builtin_expect(sequence == line->next && line->n_ahead == 0, 1)) {
        line->next++;
        return LEDGER_IN_ORDER;
    }
    return ledger_take_slowly_(line, sequence);
}

/** How many different messages were received. */
static inline uint64_t ledger_received(const struct ledger_line *line)
{
    return line->next + line->n_ahead;
}

#endif
