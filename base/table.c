#include "base/table.h"

#include <assert.h>
#include "base/mem.h"

enum { TABLE_FIRST_BUCKETS = 16 };

void table_init(struct table *t, struct siphash_key hash_key)
{
    *t = (struct table){.hash_key = hash_key};
}

void table_dispose(struct table *t)
{
    mem_free(t->buckets);
    table_init(t, t->hash_key);
}

uint64_t table_hash(const struct table *t, struct slice key)
{
    return siphash(&t->hash_key, key);
}

static struct table_node **bucket_of(const struct table *t, uint64_t hash)
{
    return &t->buckets[hash & (t->n_buckets - 1)];
}

struct table_node *table_find_hashed(const struct table *t, struct slice key, uint64_t hash)
{
    if (t->n_nodes == 0)
        return NULL;
    for (struct table_node *node = *bucket_of(t, hash); node != NULL; node = node->next) {
        if (node->hash == hash && slice_eq(node->key, key))
            return node;
    }
    return NULL;
}

static void grow(struct table *t)
{
    struct table old = *t;

    t->n_buckets = old.n_buckets == 0 ? TABLE_FIRST_BUCKETS : old.n_buckets * 2;
    t->buckets = mem_calloc(t->n_buckets, sizeof(*t->buckets));
    for (size_t i = 0; i < old.n_buckets; i++) {
        struct table_node *node = old.buckets[i];

        while (node != NULL) {
            struct table_node *next = node->next;
            struct table_node **bucket = bucket_of(t, node->hash);

            node->next = *bucket;
            *bucket = node;
            node = next;
        }
    }
    mem_free(old.buckets);
}

void table_insert(struct table *t, struct table_node *node)
{
    struct table_node **bucket;

    node->hash = table_hash(t, node->key);
    assert(table_find_hashed(t, node->key, node->hash) == NULL);
    if (t->n_nodes >= t->n_buckets)
        grow(t);
    bucket = bucket_of(t, node->hash);
    node->next = *bucket;
    *bucket = node;
    t->n_nodes++;
}

void table_remove(struct table *t, struct table_node *node)
{
    struct table_node **at = bucket_of(t, node->hash);

    while (*at != node) {
        assert(*at != NULL);
        at = &(*at)->next;
    }
    *at = node->next;
    node->next = NULL;
    t->n_nodes--;
}

struct table_node *table_next(const struct table *t, const struct table_node *node)
{
    size_t i = 0;

    if (node != NULL) {
        if (node->next != NULL)
            return node->next;
        i = (size_t)(node->hash & (t->n_buckets - 1)) + 1;
    }
    for (; i < t->n_buckets; i++) {
        if (t->buckets[i] != NULL)
            return t->buckets[i];
    }
    return NULL;
}
