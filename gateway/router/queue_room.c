#include "gateway/router/queue_room.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include "base/mem.h"

struct room_entry {
    struct table_node node; /* its key is the destination, behind the struct */
    size_t n_messages;
    size_t bytes;
};

void queue_room_init(struct queue_room *room, const struct queue_room_limits *limits,
                     struct siphash_key hash_key)
{
    for (size_t i = 0; i < QUEUE_ROOM_N_SHARDS; i++) {
        pthread_mutex_init(&room->shards[i].mutex, NULL);
        table_init(&room->shards[i].entries, hash_key);
    }
    room->limits = *limits;
    atomic_init(&room->total_bytes, 0);
}

void queue_room_dispose(struct queue_room *room)
{
    for (size_t i = 0; i < QUEUE_ROOM_N_SHARDS; i++) {
        struct table *entries = &room->shards[i].entries;
        struct table_node *node = table_next(entries, NULL);

        while (node != NULL) {
            struct room_entry *entry = TABLE_ENTRY(node, struct room_entry, node);

            node = table_next(entries, node);
            table_remove(entries, &entry->node);
            mem_free(entry);
        }
        table_dispose(entries);
        pthread_mutex_destroy(&room->shards[i].mutex);
    }
}

/** Locks the shard of a destination; `*entry` is NULL when none of its room is taken. */
static struct queue_room_shard *lock_destination(struct queue_room *room, struct slice destination,
                                                 struct room_entry **entry)
{
    uint64_t hash = table_hash(&room->shards[0].entries, destination);
    /* The table takes the low bits of the hash, so the shard takes high ones. */
    struct queue_room_shard *shard = &room->shards[hash >> 58];

    pthread_mutex_lock(&shard->mutex);
    *entry =
        TABLE_ENTRY(table_find_hashed(&shard->entries, destination, hash), struct room_entry, node);
    return shard;
}

static bool fits(const struct queue_room *room, const struct room_entry *entry, size_t bytes)
{
    size_t n_messages = entry == NULL ? 0 : entry->n_messages;
    size_t taken = entry == NULL ? 0 : entry->bytes;

    return n_messages < room->limits.messages && bytes <= room->limits.bytes - taken;
}

/** All shards share the total, so it is taken by compare and swap. */
static bool take_total(struct queue_room *room, size_t bytes)
{
    size_t taken = atomic_load_explicit(&room->total_bytes, memory_order_relaxed);

    do {
        if (bytes > room->limits.total_bytes - taken)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&room->total_bytes, &taken, taken + bytes,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

static struct room_entry *add_entry(struct queue_room_shard *shard, struct slice destination)
{
    struct room_entry *entry = mem_calloc(1, sizeof(*entry) + destination.len);
    char *key = (char *)(entry + 1);

    if (destination.len != 0)
        memcpy(key, destination.base, destination.len);
    entry->node.key = slice_of(key, destination.len);
    table_insert(&shard->entries, &entry->node);
    return entry;
}

bool queue_room_reserve(struct queue_room *room, struct slice destination, size_t bytes)
{
    struct room_entry *entry;
    struct queue_room_shard *shard = lock_destination(room, destination, &entry);
    bool may = fits(room, entry, bytes) && take_total(room, bytes);

    if (may) {
        if (entry == NULL)
            entry = add_entry(shard, destination);
        entry->n_messages++;
        entry->bytes += bytes;
    }
    pthread_mutex_unlock(&shard->mutex);
    return may;
}

void queue_room_release(struct queue_room *room, struct slice destination, size_t n_messages,
                        size_t bytes)
{
    struct room_entry *entry;
    struct queue_room_shard *shard = lock_destination(room, destination, &entry);

    assert(entry != NULL && entry->n_messages >= n_messages && entry->bytes >= bytes);
    entry->n_messages -= n_messages;
    entry->bytes -= bytes;
    if (entry->n_messages == 0) {
        assert(entry->bytes == 0);
        table_remove(&shard->entries, &entry->node);
        mem_free(entry);
    }
    atomic_fetch_sub_explicit(&room->total_bytes, bytes, memory_order_relaxed);
    pthread_mutex_unlock(&shard->mutex);
}
