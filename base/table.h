#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include "base/siphash.h"
#include "base/slice.h"

/*
 * A hash table from byte strings to structs that embed a `struct table_node`. It allocates its
 * buckets only: nodes and keys belong to the caller and stay where they are. It grows by doubling
 * and never shrinks on its own. Owning thread only (or under the caller's lock).
 */

struct table_node {
    struct table_node *next;
    uint64_t hash;
    struct slice key; /* borrowed; must stay valid and unchanged while the node is in the table */
};

struct table {
    struct table_node **buckets; /* NULL until the first insert */
    size_t n_buckets;            /* 0 or a power of two */
    size_t n_nodes;
    struct siphash_key hash_key;
};

/** An empty table. Allocates nothing. The key should be random when peers choose the keys. */
void table_init(struct table *t, struct siphash_key hash_key);

/** Frees the buckets. Nodes that are still in it are the caller's to free. */
void table_dispose(struct table *t);

uint64_t table_hash(const struct table *t, struct slice key);

/** The node with that key, or NULL. `hash` is what table_hash gives for the key. */
struct table_node *table_find_hashed(const struct table *t, struct slice key, uint64_t hash);

static inline struct table_node *table_find(const struct table *t, struct slice key)
{
    return t->n_nodes == 0 ? NULL : table_find_hashed(t, key, table_hash(t, key));
}

/** Adds a node whose `key` is set; the key must not be in the table yet. */
void table_insert(struct table *t, struct table_node *node);

/** Takes out a node that is in the table. */
void table_remove(struct table *t, struct table_node *node);

/**
 * Walks all nodes in no order: start with NULL, ends with NULL. The node returned last may be
 * removed (and freed) before the next call only when `next_of` was read before: take the next
 * node first, then remove.
 */
struct table_node *table_next(const struct table *t, const struct table_node *node);

/** The struct of type `type` whose member `member` is the node; NULL for NULL. */
#define TABLE_ENTRY(node, type, member) ((type *)table_entry_((node), offsetof(type, member)))

static inline void *table_entry_(struct table_node *node, size_t offset)
{
    return node == NULL ? NULL : (void *)((char *)node - offset);
}

#endif
