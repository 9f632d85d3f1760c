#ifndef GATEWAY_ROUTER_PATTERNS_H
#define GATEWAY_ROUTER_PATTERNS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/ant.h"
#include "base/slice.h"
#include "base/table.h"

/*
 * The patterns that clients have subscribed to (Spring's DefaultSubscriptionRegistry keeps them
 * beside its destination cache), shared by all workers: one entry for each text, in the order in
 * which they first came. Each has a number, the generation; whoever remembers up to which
 * generation a destination was matched needs to look at the newer ones only.
 *
 * The mutex guards the list, the table and who holds an entry. What an entry says of its workers
 * may be read without it by whoever holds a reference. Any thread.
 */

struct pattern {
    struct table_node node; /* its key is the pattern's own text */
    struct ant_pattern *ant;
    uint64_t generation;
    _Atomic uint32_t refs;          /* the list's, and one for each destination that remembers it */
    _Atomic uint64_t workers;       /* bit i: worker i has subscribers */
    _Atomic uint64_t subscriptions; /* of all workers */
    _Atomic bool is_gone;           /* out of the list: nobody subscribes to this entry again */
    uint32_t n_holders;             /* workers */
    void *local[];                  /* each worker's own; touched by that worker only */
};

struct pattern_place {
    uint64_t generation;
    struct pattern *pattern; /* NULL: it has gone */
};

struct patterns {
    pthread_mutex_t mutex;
    struct table by_text;
    struct pattern_place *list; /* by generation */
    size_t n_list;
    size_t list_cap;
    _Atomic size_t n_live;
    size_t max_live;
    unsigned n_workers;
    char separator;
    _Atomic uint64_t generation; /* of the newest; 0: there has been none */
};

enum patterns_status {
    PATTERNS_OK,
    PATTERNS_ERR_SYNTAX,   /* it cannot be compiled */
    PATTERNS_ERR_TOO_MANY, /* the process has its limit */
};

/** `separator` is the one of Ant patterns, `max_live` the most entries at a time. */
void patterns_init(struct patterns *patterns, unsigned n_workers, size_t max_live, char separator,
                   struct siphash_key hash_key);

/** All workers must have released theirs. */
void patterns_dispose(struct patterns *patterns);

/**
 * The entry of a text for a worker that has its first subscriber there: the worker's bit is set
 * and `local` is in its place when this returns, so every later publish sees it. The worker holds
 * it until patterns_release. `*out` is set on PATTERNS_OK only; on PATTERNS_ERR_SYNTAX `*why` is
 * a static text.
 */
enum patterns_status patterns_acquire(struct patterns *patterns, struct slice text, unsigned worker,
                                      void *local, struct pattern **out, const char **why)
    __attribute__((warn_unused_result));

/** The worker's last subscriber has gone. */
void patterns_release(struct patterns *patterns, struct pattern *pattern, unsigned worker);

/** One subscription more or less, by a worker that holds the entry. */
static inline void patterns_count(struct pattern *pattern, int change)
{
    atomic_fetch_add_explicit(&pattern->subscriptions, (uint64_t)(int64_t)change,
                              memory_order_relaxed);
}

/** The generation of the newest pattern. */
static inline uint64_t patterns_generation(const struct patterns *patterns)
{
    return atomic_load_explicit(&patterns->generation, memory_order_acquire);
}

/** How many patterns there are now. */
static inline size_t patterns_live(const struct patterns *patterns)
{
    return atomic_load_explicit(&patterns->n_live, memory_order_acquire);
}

/** A growing list of references, kept by the caller. */
struct pattern_refs {
    struct pattern **items;
    uint32_t n;
    uint32_t cap;
};

/**
 * Adds a reference to each pattern newer than `*seen` to `out`, matching or not, and moves `*seen`.
 */
void patterns_take_newer(struct patterns *patterns, uint64_t *seen, struct pattern_refs *out);

void pattern_refs_add(struct pattern_refs *refs, struct pattern *pattern);

/** Gives all references back and frees the list. */
void pattern_refs_dispose(struct pattern_refs *refs);

void pattern_unref(struct pattern *pattern);

#endif
