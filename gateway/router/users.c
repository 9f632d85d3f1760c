#include "gateway/router/users.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include "base/mem.h"

struct user_entry {
    struct table_node node; /* its key is the name, behind the struct */
    uint32_t n;
    uint32_t cap; /* 0: the one session is here, not in an array */
    union {
        struct user_session one;
        struct user_session *many;
    };
};

_Static_assert(sizeof(struct user_entry) <= 64, "a user with one session is meant to be small");

enum { FIRST_CAP = 4 };

void users_init(struct users *users, struct siphash_key hash_key)
{
    for (size_t i = 0; i < USERS_N_SHARDS; i++) {
        pthread_mutex_init(&users->shards[i].mutex, NULL);
        table_init(&users->shards[i].entries, hash_key);
    }
}

void users_dispose(struct users *users)
{
    for (size_t i = 0; i < USERS_N_SHARDS; i++) {
        assert(users->shards[i].entries.n_nodes == 0);
        table_dispose(&users->shards[i].entries);
        pthread_mutex_destroy(&users->shards[i].mutex);
    }
}

/** Locks the user's shard; `*entry` is NULL when the user has no session. */
static struct users_shard *lock_user(struct users *users, struct slice user,
                                     struct user_entry **entry)
{
    uint64_t hash = table_hash(&users->shards[0].entries, user);
    /* The table takes the low bits of the hash, so the shard takes high ones. */
    struct users_shard *shard = &users->shards[hash >> 58];

    pthread_mutex_lock(&shard->mutex);
    *entry = TABLE_ENTRY(table_find_hashed(&shard->entries, user, hash), struct user_entry, node);
    return shard;
}

static struct user_session *sessions_of(struct user_entry *entry)
{
    return entry->cap == 0 ? &entry->one : entry->many;
}

static struct user_entry *new_entry(struct slice user)
{
    struct user_entry *entry = mem_alloc(sizeof(*entry) + user.len);
    char *key = (char *)(entry + 1);

    if (user.len != 0)
        memcpy(key, user.base, user.len);
    entry->node.key = slice_of(key, user.len);
    entry->n = 0;
    entry->cap = 0;
    return entry;
}

/** Room for `cap` sessions in an array; those that there are move with it. */
static void resize(struct user_entry *entry, uint32_t cap)
{
    struct user_session *many = mem_calloc(cap, sizeof(*many));

    memcpy(many, sessions_of(entry), entry->n * sizeof(*many));
    if (entry->cap != 0)
        mem_free(entry->many);
    entry->many = many;
    entry->cap = cap;
}

/** The position of the session of that id, or entry->n. */
static uint32_t index_of(struct user_entry *entry, const unsigned char *id)
{
    const struct user_session *sessions = sessions_of(entry);
    uint32_t i = 0;

    while (i < entry->n && memcmp(sessions[i].id, id, USER_SESSION_ID_LEN) != 0)
        i++;
    return i;
}

void users_add(struct users *users, struct slice user, const struct user_session *session)
{
    struct user_entry *entry;
    struct users_shard *shard = lock_user(users, user, &entry);

    if (entry == NULL) {
        entry = new_entry(user);
        table_insert(&shard->entries, &entry->node);
    }
    assert(index_of(entry, session->id) == entry->n);
    if (entry->n == (entry->cap == 0 ? 1 : entry->cap))
        resize(entry, entry->cap == 0 ? FIRST_CAP : entry->cap * 2);
    sessions_of(entry)[entry->n++] = *session;
    pthread_mutex_unlock(&shard->mutex);
}

static void remove_at(struct user_entry *entry, uint32_t i)
{
    struct user_session *sessions = sessions_of(entry);

    memmove(&sessions[i], &sessions[i + 1], (entry->n - i - 1) * sizeof(*sessions));
    entry->n--;
    if (entry->cap != 0 && entry->n == 1) {
        struct user_session last = entry->many[0];

        mem_free(entry->many);
        entry->one = last;
        entry->cap = 0;
    } else if (entry->cap > FIRST_CAP && entry->n <= entry->cap / 4) {
        resize(entry, entry->cap / 2);
    }
}

void users_remove(struct users *users, struct slice user, const struct user_session *session)
{
    struct user_entry *entry;
    struct users_shard *shard = lock_user(users, user, &entry);

    if (entry != NULL) {
        uint32_t i = index_of(entry, session->id);

        if (i < entry->n)
            remove_at(entry, i);
        if (entry->n == 0) {
            table_remove(&shard->entries, &entry->node);
            mem_free(entry);
        }
    }
    pthread_mutex_unlock(&shard->mutex);
}

void users_find(struct users *users, struct slice user, struct user_sessions *out)
{
    struct user_entry *entry;
    struct users_shard *shard = lock_user(users, user, &entry);

    out->n = entry == NULL ? 0 : entry->n;
    out->items = out->few;
    out->many = NULL;
    if (out->n > sizeof(out->few) / sizeof(out->few[0])) {
        out->many = mem_calloc(out->n, sizeof(*out->many));
        memcpy(out->many, entry->many, out->n * sizeof(*out->many));
        out->items = out->many;
    } else if (entry != NULL) {
        memcpy(out->few, sessions_of(entry), out->n * sizeof(out->few[0]));
    }
    pthread_mutex_unlock(&shard->mutex);
}

void user_sessions_dispose(struct user_sessions *sessions)
{
    mem_free(sessions->many);
    sessions->many = NULL;
    sessions->items = sessions->few;
    sessions->n = 0;
}

bool users_has(struct users *users, struct slice user, const unsigned char id[USER_SESSION_ID_LEN])
{
    struct user_entry *entry;
    struct users_shard *shard = lock_user(users, user, &entry);
    bool has = entry != NULL && index_of(entry, id) < entry->n;

    pthread_mutex_unlock(&shard->mutex);
    return has;
}
