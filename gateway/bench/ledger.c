#include "gateway/bench/ledger.h"

#include <stdbool.h>
#include <stddef.h>
#include "base/mem.h"

void ledger_dispose(struct ledger_line *line)
{
    mem_free(line->ahead);
    *line = (struct ledger_line){0};
}

static uint64_t *word_of(struct ledger_line *line, uint64_t sequence)
{
    return &line->ahead[sequence % LEDGER_SPAN / 64];
}

static uint64_t bit_of(uint64_t sequence)
{
    return (uint64_t)1 << (sequence % 64);
}

static bool has(struct ledger_line *line, uint64_t sequence)
{
    return (*word_of(line, sequence) & bit_of(sequence)) != 0;
}

/* The gap's first message came: what waited behind it is in order now. */
static enum ledger_verdict close_gap(struct ledger_line *line)
{
    enum ledger_verdict verdict = line->n_ahead == 0 ? LEDGER_IN_ORDER : LEDGER_LATE;

    line->next++;
    while (line->n_ahead != 0 && has(line, line->next)) {
        *word_of(line, line->next) &= ~bit_of(line->next);
        line->n_ahead--;
        line->next++;
    }
    return verdict;
}

enum ledger_verdict ledger_take_slowly_(struct ledger_line *line, uint64_t sequence)
{
    if (sequence < line->next)
        return LEDGER_DUPLICATE;
    if (sequence == line->next)
        return close_gap(line);
    if (sequence - line->next >= LEDGER_SPAN)
        return LEDGER_TOO_FAR;
    if (line->ahead == NULL)
        line->ahead = mem_calloc(LEDGER_SPAN / 64, sizeof(*line->ahead));
    if (has(line, sequence))
        return LEDGER_DUPLICATE;
    if (line->n_ahead == 0)
        line->top = line->next;
    *word_of(line, sequence) |= bit_of(sequence);
    line->n_ahead++;
    if (sequence < line->top)
        return LEDGER_LATE;
    line->top = sequence + 1;
    return LEDGER_EARLY;
}
