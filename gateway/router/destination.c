#include "gateway/router/destination.h"

#include <assert.h>
#include <string.h>
#include "base/mem.h"

struct slice destination_target(struct slice bound)
{
    return slice_take(bound, bound.len - (sizeof("-user") - 1) - SESSION_ID_LEN);
}

void destinations_init(struct destinations *set, unsigned worker, struct interest *interest,
                       struct patterns *patterns, size_t cache_limit, struct siphash_key hash_key)
{
    *set = (struct destinations){
        .worker = worker,
        .interest = interest,
        .patterns = patterns,
        .cache_limit = cache_limit,
    };
    for (int i = 0; i < DESTINATION_N_KINDS; i++)
        table_init(&set->tables[i], hash_key);
    table_init(&set->bound_owners, hash_key);
    TAILQ_INIT(&set->cache);
}

static void evict(struct destinations *set, struct destination *d)
{
    TAILQ_REMOVE(&set->cache, d, cache_link);
    set->n_cached--;
    table_remove(&set->tables[DESTINATION_EXACT], &d->node);
    pattern_refs_dispose(&d->matched);
    mem_free(d);
}

void destinations_dispose(struct destinations *set)
{
    while (!TAILQ_EMPTY(&set->cache))
        evict(set, TAILQ_FIRST(&set->cache));
    for (int i = 0; i < DESTINATION_N_KINDS; i++) {
        assert(set->tables[i].n_nodes == 0);
        table_dispose(&set->tables[i]);
    }
    assert(set->bound_owners.n_nodes == 0);
    table_dispose(&set->bound_owners);
}

static struct destination *find_node(const struct destinations *set, enum destination_kind kind,
                                     struct slice name)
{
    return TABLE_ENTRY(table_find(&set->tables[kind], name), struct destination, node);
}

struct destination *destinations_find(const struct destinations *set, enum destination_kind kind,
                                      struct slice name)
{
    struct destination *d = find_node(set, kind, name);

    return d == NULL || d->is_cached ? NULL : d;
}

static struct destination *destination_new(enum destination_kind kind, struct slice name)
{
    struct destination *d = mem_calloc(1, sizeof(*d) + name.len);
    char *key = (char *)(d + 1);

    if (name.len != 0)
        memcpy(key, name.base, name.len);
    d->node.key = slice_of(key, name.len);
    d->kind = (uint8_t)kind;
    return d;
}

/* --- bound patterns --- */

static struct slice owner_of(struct slice name)
{
    return slice_of(name.base + name.len - SESSION_ID_LEN, SESSION_ID_LEN);
}

static struct bound_owner *find_owner(const struct destinations *set, struct slice name)
{
    if (set->bound_owners.n_nodes == 0 || name.len < SESSION_ID_LEN)
        return NULL;
    return TABLE_ENTRY(table_find(&set->bound_owners, owner_of(name)), struct bound_owner, node);
}

static enum destination_status bind_pattern(struct destinations *set, struct destination *d,
                                            const char **why)
{
    struct bound_owner *owner;
    enum ant_status compiled =
        ant_pattern_new(d->node.key, set->patterns->separator, &d->bound.ant);

    if (compiled != ANT_OK) {
        *why = ant_strstatus(compiled);
        return DESTINATION_ERR_PATTERN;
    }
    owner = find_owner(set, d->node.key);
    if (owner == NULL) {
        owner = mem_calloc(1, sizeof(*owner));
        memcpy(owner->id, owner_of(d->node.key).base, SESSION_ID_LEN);
        owner->node.key = slice_of(owner->id, SESSION_ID_LEN);
        table_insert(&set->bound_owners, &owner->node);
    }
    d->bound.owner = owner;
    d->bound.next = owner->patterns;
    owner->patterns = d;
    return DESTINATION_OK;
}

/* A session may have a few only: its list is walked. */
static void unbind_pattern(struct destinations *set, struct destination *d)
{
    struct bound_owner *owner = d->bound.owner;
    struct destination **at = &owner->patterns;

    while (*at != d)
        at = &(*at)->bound.next;
    *at = d->bound.next;
    if (owner->patterns == NULL) {
        table_remove(&set->bound_owners, &owner->node);
        mem_free(owner);
    }
    ant_pattern_free(d->bound.ant);
}

struct destination *destinations_bound_patterns(const struct destinations *set, struct slice name)
{
    const struct bound_owner *owner = find_owner(set, name);

    return owner == NULL ? NULL : owner->patterns;
}

/* --- subscribers come and go --- */

static enum destination_status enter(struct destinations *set, struct destination *d,
                                     const char **why)
{
    switch ((enum destination_kind)d->kind) {
    case DESTINATION_EXACT:
        d->interest = interest_acquire(set->interest, d->node.key, set->worker);
        break;
    case DESTINATION_PATTERN:
        switch (patterns_acquire(set->patterns, d->node.key, set->worker, d, &d->pattern, why)) {
        case PATTERNS_OK:
            break;
        case PATTERNS_ERR_SYNTAX:
            return DESTINATION_ERR_PATTERN;
        case PATTERNS_ERR_TOO_MANY:
            return DESTINATION_ERR_PATTERNS;
        }
        break;
    case DESTINATION_BOUND_PATTERN:
        return bind_pattern(set, d, why);
    case DESTINATION_BOUND:
    case DESTINATION_QUEUE:
    case DESTINATION_N_KINDS:
        break;
    }
    return DESTINATION_OK;
}

enum destination_status destinations_subscribe(struct destinations *set, enum destination_kind kind,
                                               struct slice name, struct destination **out,
                                               const char **why)
{
    struct destination *d = find_node(set, kind, name);
    enum destination_status status;

    if (d != NULL && d->is_cached) {
        TAILQ_REMOVE(&set->cache, d, cache_link);
        set->n_cached--;
        d->is_cached = false;
        d->interest = interest_acquire(set->interest, name, set->worker);
    }
    if (d == NULL) {
        d = destination_new(kind, name);
        status = enter(set, d, why);
        if (status != DESTINATION_OK) {
            mem_free(d);
            return status;
        }
        table_insert(&set->tables[kind], &d->node);
    }
    *out = d;
    return DESTINATION_OK;
}

void destinations_drop(struct destinations *set, struct destination *d)
{
    assert(d->n_groups == 0 && !d->is_cached);
    if (d->kind == DESTINATION_EXACT)
        interest_release(set->interest, d->interest, set->worker);
    else if (d->kind == DESTINATION_PATTERN)
        patterns_release(set->patterns, d->pattern, set->worker);
    else if (d->kind == DESTINATION_BOUND_PATTERN)
        unbind_pattern(set, d);
    table_remove(&set->tables[d->kind], &d->node);
    pattern_refs_dispose(&d->matched);
    mem_free(d);
}

void destination_count(struct destination *d, int change)
{
    d->n_members += (uint32_t)change;
    if (d->kind == DESTINATION_EXACT)
        interest_count(d->interest, change);
    else if (d->kind == DESTINATION_PATTERN)
        patterns_count(d->pattern, change);
}

/* --- what matches --- */

static void forget_gone(struct pattern_refs *matched)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < matched->n; i++) {
        if (atomic_load_explicit(&matched->items[i]->is_gone, memory_order_acquire))
            pattern_unref(matched->items[i]);
        else
            matched->items[n++] = matched->items[i];
    }
    matched->n = n;
}

/* Only those newer than the last time are tested. */
static void match_newer(struct destinations *set, struct destination *d)
{
    struct pattern_refs newer = {.n = 0};

    forget_gone(&d->matched);
    patterns_take_newer(set->patterns, &d->matched_generation, &newer);
    for (uint32_t i = 0; i < newer.n; i++) {
        if (ant_pattern_match(newer.items[i]->ant, d->node.key))
            pattern_refs_add(&d->matched, newer.items[i]);
        else
            pattern_unref(newer.items[i]);
    }
    newer.n = 0;
    pattern_refs_dispose(&newer);
}

static struct destination *add_cached(struct destinations *set, struct slice name)
{
    struct destination *d;

    while (set->n_cached >= set->cache_limit)
        evict(set, TAILQ_FIRST(&set->cache));
    d = destination_new(DESTINATION_EXACT, name);
    d->is_cached = true;
    TAILQ_INSERT_TAIL(&set->cache, d, cache_link);
    set->n_cached++;
    table_insert(&set->tables[DESTINATION_EXACT], &d->node);
    return d;
}

struct destination *destinations_look_up(struct destinations *set, struct slice name)
{
    uint64_t generation = patterns_generation(set->patterns);
    struct destination *d = find_node(set, DESTINATION_EXACT, name);

    if (d == NULL) {
        if (patterns_live(set->patterns) == 0)
            return NULL;
        d = add_cached(set, name);
    } else if (d->is_cached) {
        TAILQ_REMOVE(&set->cache, d, cache_link);
        TAILQ_INSERT_TAIL(&set->cache, d, cache_link);
    }
    if (d->matched_generation != generation)
        match_newer(set, d);
    return d;
}
