#include "gateway/router/interest.h"

#include <assert.h>
#include <string.h>
#include "base/mem.h"

void interest_init(struct interest *interest, struct siphash_key hash_key)
{
    for (size_t i = 0; i < INTEREST_N_SHARDS; i++) {
        pthread_mutex_init(&interest->shards[i].mutex, NULL);
        table_init(&interest->shards[i].entries, hash_key);
    }
}

void interest_dispose(struct interest *interest)
{
    for (size_t i = 0; i < INTEREST_N_SHARDS; i++) {
        assert(interest->shards[i].entries.n_nodes == 0);
        table_dispose(&interest->shards[i].entries);
        pthread_mutex_destroy(&interest->shards[i].mutex);
    }
}

/* The table takes the low bits of the hash, so the shard takes high ones. */
static struct interest_shard *shard_of(struct interest *interest, uint64_t hash)
{
    return &interest->shards[hash >> 58];
}

static uint64_t hash_of(struct interest *interest, struct slice destination)
{
    return table_hash(&interest->shards[0].entries, destination);
}

struct interest_entry *interest_acquire(struct interest *interest, struct slice destination,
                                        unsigned worker)
{
    uint64_t hash = hash_of(interest, destination);
    struct interest_shard *shard = shard_of(interest, hash);
    struct interest_entry *entry;

    pthread_mutex_lock(&shard->mutex);
    entry = TABLE_ENTRY(table_find_hashed(&shard->entries, destination, hash),
                        struct interest_entry, node);
    if (entry == NULL) {
        char *key;

        entry = mem_calloc(1, sizeof(*entry) + destination.len);
        key = (char *)(entry + 1);
        if (destination.len != 0)
            memcpy(key, destination.base, destination.len);
        entry->node.key = slice_of(key, destination.len);
        table_insert(&shard->entries, &entry->node);
    }
    entry->refs++;
    atomic_fetch_or(&entry->workers, UINT64_C(1) << worker);
    pthread_mutex_unlock(&shard->mutex);
    return entry;
}

void interest_release(struct interest *interest, struct interest_entry *entry, unsigned worker)
{
    struct interest_shard *shard = shard_of(interest, entry->node.hash);

    pthread_mutex_lock(&shard->mutex);
    atomic_fetch_and(&entry->workers, ~(UINT64_C(1) << worker));
    if (--entry->refs == 0) {
        table_remove(&shard->entries, &entry->node);
        mem_free(entry);
    }
    pthread_mutex_unlock(&shard->mutex);
}

uint64_t interest_find(struct interest *interest, struct slice destination, uint64_t *subscriptions)
{
    uint64_t hash = hash_of(interest, destination);
    struct interest_shard *shard = shard_of(interest, hash);
    struct interest_entry *entry;
    uint64_t workers = 0, n = 0;

    pthread_mutex_lock(&shard->mutex);
    entry = TABLE_ENTRY(table_find_hashed(&shard->entries, destination, hash),
                        struct interest_entry, node);
    if (entry != NULL) {
        workers = atomic_load(&entry->workers);
        n = atomic_load_explicit(&entry->subscriptions, memory_order_relaxed);
    }
    pthread_mutex_unlock(&shard->mutex);
    if (subscriptions != NULL)
        *subscriptions = n;
    return workers;
}
