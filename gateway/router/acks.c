#include "gateway/router/acks.h"

#include <assert.h>
#include <string.h>
#include "base/mem.h"

/*
 * The slots are linked in order, so that one can leave from anywhere, and chained in buckets by
 * their message, so that an acknowledgement finds its own. One block: the slots, then as many
 * buckets.
 */

enum { FIRST_SLOTS = 4 };

static const uint32_t NONE = UINT32_MAX;

struct acks_slot {
    struct ack_entry entry;
    uint32_t previous; /* in order */
    uint32_t next;     /* in order, or of the free ones */
    uint32_t chained;  /* the next in its bucket */
};

static uint32_t *buckets_of(const struct acks *acks)
{
    return (uint32_t *)(acks->slots + acks->n_slots);
}

/* The numbers are ours and in sequence: peers cannot aim at a bucket. */
static uint32_t *bucket_of(const struct acks *acks, uint32_t worker, uint64_t number)
{
    uint64_t hash = (number + ((uint64_t)worker << 32)) * UINT64_C(0x9e3779b97f4a7c15);

    return &buckets_of(acks)[(hash >> 32) & (acks->n_slots - 1)];
}

void acks_init(struct acks *acks, uint32_t limit)
{
    assert(limit <= UINT32_C(1) << 30);
    *acks = (struct acks){.limit = limit, .first = NONE, .last = NONE, .free = NONE};
}

void acks_dispose(struct acks *acks)
{
    mem_free(acks->slots);
    acks_init(acks, acks->limit);
}

static uint32_t find(const struct acks *acks, uint32_t worker, uint64_t number)
{
    uint32_t i = acks->n == 0 ? NONE : *bucket_of(acks, worker, number);

    while (i != NONE &&
           (acks->slots[i].entry.number != number || acks->slots[i].entry.worker != worker))
        i = acks->slots[i].chained;
    return i;
}

static void chain(struct acks *acks, uint32_t i)
{
    struct acks_slot *slot = &acks->slots[i];
    uint32_t *bucket = bucket_of(acks, slot->entry.worker, slot->entry.number);

    slot->chained = *bucket;
    *bucket = i;
}

static void unchain(struct acks *acks, uint32_t i)
{
    const struct ack_entry *entry = &acks->slots[i].entry;
    uint32_t *at = bucket_of(acks, entry->worker, entry->number);

    while (*at != i)
        at = &acks->slots[*at].chained;
    *at = acks->slots[i].chained;
}

/* All slots are in use. */
static void grow(struct acks *acks)
{
    uint32_t old = acks->n_slots, n_slots = old == 0 ? FIRST_SLOTS : 2 * old;

    acks->slots = mem_realloc(acks->slots, n_slots * (sizeof(*acks->slots) + sizeof(uint32_t)));
    acks->n_slots = n_slots;
    memset(buckets_of(acks), 0xff, n_slots * sizeof(uint32_t));
    for (uint32_t i = 0; i < old; i++)
        chain(acks, i);
    for (uint32_t i = old; i < n_slots; i++)
        acks->slots[i].next = i + 1 < n_slots ? i + 1 : NONE;
    acks->free = old;
}

bool acks_push(struct acks *acks, const struct ack_entry *entry)
{
    struct acks_slot *slot;
    uint32_t i;

    assert(find(acks, entry->worker, entry->number) == NONE);
    if (acks->n == acks->limit)
        return false;
    if (acks->free == NONE)
        grow(acks);
    i = acks->free;
    slot = &acks->slots[i];
    acks->free = slot->next;
    *slot = (struct acks_slot){.entry = *entry, .previous = acks->last, .next = NONE};
    chain(acks, i);
    if (acks->last == NONE)
        acks->first = i;
    else
        acks->slots[acks->last].next = i;
    acks->last = i;
    acks->n++;
    return true;
}

static struct ack_entry take(struct acks *acks, uint32_t i)
{
    struct acks_slot *slot = &acks->slots[i];
    struct ack_entry entry = slot->entry;

    unchain(acks, i);
    if (slot->previous == NONE)
        acks->first = slot->next;
    else
        acks->slots[slot->previous].next = slot->next;
    if (slot->next == NONE)
        acks->last = slot->previous;
    else
        acks->slots[slot->next].previous = slot->previous;
    slot->next = acks->free;
    acks->free = i;
    acks->n--;
    if (acks->n == 0)
        acks_dispose(acks);
    return entry;
}

bool acks_take_one(struct acks *acks, uint32_t worker, uint64_t number, struct ack_entry *out)
{
    uint32_t i = find(acks, worker, number);

    if (i == NONE)
        return false;
    *out = take(acks, i);
    return true;
}

size_t acks_take_through(struct acks *acks, uint32_t worker, uint64_t number, acks_visit visit,
                         void *ctx)
{
    struct ack_entry entry;
    size_t n = 0;

    if (find(acks, worker, number) == NONE)
        return 0;
    do {
        entry = take(acks, acks->first);
        visit(ctx, &entry);
        n++;
    } while (entry.number != number || entry.worker != worker);
    return n;
}

void acks_drain(struct acks *acks, acks_visit visit, void *ctx)
{
    for (uint32_t n = acks->n; n != 0; n--) {
        struct ack_entry entry = take(acks, acks->first);

        visit(ctx, &entry);
    }
}
