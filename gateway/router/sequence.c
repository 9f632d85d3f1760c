#include "gateway/router/sequence.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/decimal.h"
#include "base/mem.h"

struct sequence {
    struct table_node node; /* its key is the destination, behind the struct */
    TAILQ_ENTRY(sequence) link;
    uint64_t epoch;
    uint64_t last; /* number given out */
};

void sequences_init(struct sequences *set, size_t limit, struct siphash_key hash_key,
                    uint64_t start_id, unsigned worker)
{
    assert(limit != 0 && worker < 64);
    *set = (struct sequences){.limit = limit};
    table_init(&set->entries, hash_key);
    TAILQ_INIT(&set->by_use);
    set->prefix_len = (size_t)snprintf(set->prefix, sizeof(set->prefix), "%016llx-%u-",
                                       (unsigned long long)start_id, worker);
    assert(set->prefix_len + DECIMAL_MAX <= sizeof(((struct sequence_number *)NULL)->epoch));
}

static void forget(struct sequences *set, struct sequence *sequence)
{
    TAILQ_REMOVE(&set->by_use, sequence, link);
    table_remove(&set->entries, &sequence->node);
    mem_free(sequence);
}

void sequences_dispose(struct sequences *set)
{
    while (!TAILQ_EMPTY(&set->by_use))
        forget(set, TAILQ_FIRST(&set->by_use));
    table_dispose(&set->entries);
}

static struct sequence *begin_epoch(struct sequences *set, struct slice destination)
{
    struct sequence *sequence;
    char *key;

    if (set->entries.n_nodes == set->limit)
        forget(set, TAILQ_FIRST(&set->by_use));
    sequence = mem_alloc(sizeof(*sequence) + destination.len);
    key = (char *)(sequence + 1);
    if (destination.len != 0)
        memcpy(key, destination.base, destination.len);
    sequence->node.key = slice_of(key, destination.len);
    sequence->epoch = ++set->n_epochs;
    sequence->last = 0;
    table_insert(&set->entries, &sequence->node);
    TAILQ_INSERT_TAIL(&set->by_use, sequence, link);
    return sequence;
}

void sequences_next(struct sequences *set, struct slice destination, struct sequence_number *out)
{
    struct sequence *sequence =
        TABLE_ENTRY(table_find(&set->entries, destination), struct sequence, node);

    if (sequence == NULL) {
        sequence = begin_epoch(set, destination);
    } else if (TAILQ_NEXT(sequence, link) != NULL) {
        TAILQ_REMOVE(&set->by_use, sequence, link);
        TAILQ_INSERT_TAIL(&set->by_use, sequence, link);
    }
    out->number = ++sequence->last;
    memcpy(out->epoch, set->prefix, set->prefix_len);
    out->epoch_len =
        (size_t)(decimal_write(sequence->epoch, out->epoch + set->prefix_len) - out->epoch);
}
