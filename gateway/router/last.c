#include "gateway/router/last.h"

#include <stdbool.h>
#include "base/mem.h"

struct last_entry {
    struct table_node node; /* its key is the message's destination */
    TAILQ_ENTRY(last_entry) link;
    uint64_t used;
    struct msg *msg;
};

void last_init(struct last *last, size_t max_messages, size_t max_bytes,
               struct siphash_key hash_key)
{
    for (size_t i = 0; i < LAST_N_SHARDS; i++) {
        pthread_mutex_init(&last->shards[i].mutex, NULL);
        table_init(&last->shards[i].entries, hash_key);
        TAILQ_INIT(&last->shards[i].by_use);
        atomic_init(&last->shards[i].oldest, UINT64_MAX);
    }
    pthread_mutex_init(&last->room_mutex, NULL);
    last->max_messages = max_messages;
    last->max_bytes = max_bytes;
    atomic_init(&last->now, 0);
    atomic_init(&last->n_messages, 0);
    atomic_init(&last->n_bytes, 0);
}

/** Locks the shard of a destination; `*entry` is NULL when nothing is kept for it. */
static struct last_shard *lock_destination(struct last *last, struct slice destination,
                                           struct last_entry **entry)
{
    uint64_t hash = table_hash(&last->shards[0].entries, destination);
    /* The table takes the low bits of the hash, so the shard takes high ones. */
    struct last_shard *shard = &last->shards[hash >> 60];

    pthread_mutex_lock(&shard->mutex);
    *entry =
        TABLE_ENTRY(table_find_hashed(&shard->entries, destination, hash), struct last_entry, node);
    return shard;
}

static void note_oldest(struct last_shard *shard)
{
    struct last_entry *oldest = TAILQ_FIRST(&shard->by_use);

    atomic_store(&shard->oldest, oldest == NULL ? UINT64_MAX : oldest->used);
}

/** The shard is locked, the entry in none or in its list. */
static void note_use(struct last *last, struct last_shard *shard, struct last_entry *entry)
{
    entry->used = atomic_fetch_add_explicit(&last->now, 1, memory_order_relaxed);
    TAILQ_INSERT_TAIL(&shard->by_use, entry, link);
    note_oldest(shard);
}

/** The shard is locked. The reference of the entry goes to the caller. */
static struct msg *take_out(struct last *last, struct last_shard *shard, struct last_entry *entry)
{
    struct msg *msg = entry->msg;

    TAILQ_REMOVE(&shard->by_use, entry, link);
    note_oldest(shard);
    table_remove(&shard->entries, &entry->node);
    mem_free(entry);
    atomic_fetch_sub(&last->n_messages, 1);
    atomic_fetch_sub(&last->n_bytes, msg_bytes(msg));
    return msg;
}

void last_dispose(struct last *last)
{
    for (size_t i = 0; i < LAST_N_SHARDS; i++) {
        struct last_shard *shard = &last->shards[i];

        while (!TAILQ_EMPTY(&shard->by_use))
            msg_unref(take_out(last, shard, TAILQ_FIRST(&shard->by_use)));
        table_dispose(&shard->entries);
        pthread_mutex_destroy(&shard->mutex);
    }
    pthread_mutex_destroy(&last->room_mutex);
}

static bool is_over(struct last *last)
{
    return atomic_load(&last->n_messages) > last->max_messages ||
           atomic_load(&last->n_bytes) > last->max_bytes;
}

static struct last_shard *find_oldest(struct last *last)
{
    struct last_shard *found = NULL;
    uint64_t oldest = UINT64_MAX;

    for (size_t i = 0; i < LAST_N_SHARDS; i++) {
        uint64_t used = atomic_load(&last->shards[i].oldest);

        if (used < oldest) {
            oldest = used;
            found = &last->shards[i];
        }
    }
    return found;
}

/* One at a time: two who both see one message too many would give up two. */
static void make_room(struct last *last)
{
    pthread_mutex_lock(&last->room_mutex);
    while (is_over(last)) {
        struct last_shard *shard = find_oldest(last);
        struct last_entry *entry;
        struct msg *msg = NULL;

        if (shard == NULL)
            break; /* others have taken out the rest meanwhile */
        pthread_mutex_lock(&shard->mutex);
        entry = TAILQ_FIRST(&shard->by_use);
        if (entry != NULL)
            msg = take_out(last, shard, entry);
        pthread_mutex_unlock(&shard->mutex);
        if (msg != NULL)
            msg_unref(msg);
    }
    pthread_mutex_unlock(&last->room_mutex);
}

/** The shard is locked. Returns the message that was there, with its reference, or NULL. */
static struct msg *replace(struct last *last, struct last_shard *shard, struct last_entry *entry,
                           struct msg *msg)
{
    struct msg *old = NULL;

    if (entry != NULL) {
        old = entry->msg;
        TAILQ_REMOVE(&shard->by_use, entry, link);
        /* The same bytes, so the same place in the table; the old ones go with their message. */
        entry->node.key = msg->destination;
        atomic_fetch_add(&last->n_bytes, msg_bytes(msg) - msg_bytes(old));
    } else {
        entry = mem_alloc(sizeof(*entry));
        entry->node.key = msg->destination;
        table_insert(&shard->entries, &entry->node);
        atomic_fetch_add(&last->n_messages, 1);
        atomic_fetch_add(&last->n_bytes, msg_bytes(msg));
    }
    entry->msg = msg_ref(msg);
    note_use(last, shard, entry);
    return old;
}

void last_put(struct last *last, struct msg *msg)
{
    struct last_entry *entry;
    struct last_shard *shard = lock_destination(last, msg->destination, &entry);
    struct msg *old = NULL;

    if (last->max_messages != 0 && msg_bytes(msg) <= last->max_bytes)
        old = replace(last, shard, entry, msg);
    else if (entry != NULL)
        old = take_out(last, shard, entry);
    pthread_mutex_unlock(&shard->mutex);
    if (old != NULL)
        msg_unref(old);
    if (is_over(last))
        make_room(last);
}

struct msg *last_get(struct last *last, struct slice destination)
{
    struct last_entry *entry;
    struct last_shard *shard = lock_destination(last, destination, &entry);
    struct msg *msg = NULL;

    if (entry != NULL) {
        msg = msg_ref(entry->msg);
        TAILQ_REMOVE(&shard->by_use, entry, link);
        note_use(last, shard, entry);
    }
    pthread_mutex_unlock(&shard->mutex);
    return msg;
}
