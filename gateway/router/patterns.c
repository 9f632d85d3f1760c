#include "gateway/router/patterns.h"

#include <assert.h>
#include <string.h>
#include "base/mem.h"

void patterns_init(struct patterns *patterns, unsigned n_workers, size_t max_live, char separator,
                   struct siphash_key hash_key)
{
    *patterns = (struct patterns){
        .n_workers = n_workers,
        .max_live = max_live,
        .separator = separator,
    };
    pthread_mutex_init(&patterns->mutex, NULL);
    table_init(&patterns->by_text, hash_key);
}

void patterns_dispose(struct patterns *patterns)
{
    assert(patterns->n_live == 0);
    table_dispose(&patterns->by_text);
    mem_free(patterns->list);
    pthread_mutex_destroy(&patterns->mutex);
}

void pattern_unref(struct pattern *pattern)
{
    if (atomic_fetch_sub_explicit(&pattern->refs, 1, memory_order_acq_rel) == 1) {
        ant_pattern_free(pattern->ant);
        mem_free(pattern);
    }
}

static struct pattern *find(const struct patterns *patterns, struct slice text)
{
    return TABLE_ENTRY(table_find(&patterns->by_text, text), struct pattern, node);
}

/* Holes are closed when they are half of the list, so that walking it costs what is in it. */
static void close_holes(struct patterns *patterns)
{
    size_t n = 0;

    if (patterns->n_list < 2 * patterns->n_live + 16)
        return;
    for (size_t i = 0; i < patterns->n_list; i++) {
        if (patterns->list[i].pattern != NULL)
            patterns->list[n++] = patterns->list[i];
    }
    patterns->n_list = n;
}

/* The first place in the list that is newer. */
static size_t first_newer(const struct patterns *patterns, uint64_t generation)
{
    size_t low = 0, high = patterns->n_list;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (patterns->list[middle].generation <= generation)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void append(struct patterns *patterns, struct pattern *pattern)
{
    close_holes(patterns);
    if (patterns->n_list == patterns->list_cap) {
        patterns->list_cap = patterns->list_cap == 0 ? 16 : patterns->list_cap * 2;
        patterns->list = mem_realloc(patterns->list, patterns->list_cap * sizeof(*patterns->list));
    }
    pattern->generation = patterns_generation(patterns) + 1;
    patterns->list[patterns->n_list++] = (struct pattern_place){pattern->generation, pattern};
    patterns->n_live++;
    table_insert(&patterns->by_text, &pattern->node);
}

static struct pattern *pattern_new(const struct patterns *patterns, struct ant_pattern *ant)
{
    struct pattern *pattern =
        mem_calloc(1, sizeof(*pattern) + patterns->n_workers * sizeof(pattern->local[0]));

    pattern->ant = ant;
    pattern->node.key = ant_pattern_text(ant);
    atomic_init(&pattern->refs, 1);
    return pattern;
}

/* Under the mutex. A new one is announced last, when everything else of it can be seen. */
static void hold(struct patterns *patterns, struct pattern *pattern, unsigned worker, void *local)
{
    pattern->local[worker] = local;
    pattern->n_holders++;
    atomic_fetch_or(&pattern->workers, UINT64_C(1) << worker);
    if (pattern->generation > patterns_generation(patterns))
        atomic_store_explicit(&patterns->generation, pattern->generation, memory_order_release);
}

enum patterns_status patterns_acquire(struct patterns *patterns, struct slice text, unsigned worker,
                                      void *local, struct pattern **out, const char **why)
{
    enum patterns_status status = PATTERNS_OK;
    struct pattern *pattern;
    struct ant_pattern *ant;
    enum ant_status compiled;

    pthread_mutex_lock(&patterns->mutex);
    pattern = find(patterns, text);
    if (pattern != NULL) {
        hold(patterns, pattern, worker, local);
        pthread_mutex_unlock(&patterns->mutex);
        *out = pattern;
        return PATTERNS_OK;
    }
    pthread_mutex_unlock(&patterns->mutex);

    /* Compiled without the mutex: another worker may add the same text meanwhile. */
    compiled = ant_pattern_new(text, patterns->separator, &ant);
    if (compiled != ANT_OK) {
        *why = ant_strstatus(compiled);
        return PATTERNS_ERR_SYNTAX;
    }
    pthread_mutex_lock(&patterns->mutex);
    pattern = find(patterns, text);
    if (pattern == NULL && patterns->n_live < patterns->max_live) {
        pattern = pattern_new(patterns, ant);
        ant = NULL;
        append(patterns, pattern);
    }
    if (pattern != NULL)
        hold(patterns, pattern, worker, local);
    else
        status = PATTERNS_ERR_TOO_MANY;
    pthread_mutex_unlock(&patterns->mutex);
    ant_pattern_free(ant);
    *out = pattern;
    return status;
}

void patterns_release(struct patterns *patterns, struct pattern *pattern, unsigned worker)
{
    bool is_last;

    pthread_mutex_lock(&patterns->mutex);
    pattern->local[worker] = NULL;
    atomic_fetch_and(&pattern->workers, ~(UINT64_C(1) << worker));
    is_last = --pattern->n_holders == 0;
    if (is_last) {
        size_t at = first_newer(patterns, pattern->generation - 1);

        assert(patterns->list[at].pattern == pattern);
        patterns->list[at].pattern = NULL;
        patterns->n_live--;
        table_remove(&patterns->by_text, &pattern->node);
        atomic_store_explicit(&pattern->is_gone, true, memory_order_release);
    }
    pthread_mutex_unlock(&patterns->mutex);
    if (is_last)
        pattern_unref(pattern);
}

void pattern_refs_add(struct pattern_refs *refs, struct pattern *pattern)
{
    if (refs->n == refs->cap) {
        refs->cap = refs->cap == 0 ? 4 : refs->cap * 2;
        refs->items = mem_realloc(refs->items, refs->cap * sizeof(struct pattern *));
    }
    refs->items[refs->n++] = pattern;
}

void pattern_refs_dispose(struct pattern_refs *refs)
{
    for (uint32_t i = 0; i < refs->n; i++)
        pattern_unref(refs->items[i]);
    mem_free(refs->items);
    *refs = (struct pattern_refs){.n = 0};
}

void patterns_take_newer(struct patterns *patterns, uint64_t *seen, struct pattern_refs *out)
{
    pthread_mutex_lock(&patterns->mutex);
    for (size_t i = first_newer(patterns, *seen); i < patterns->n_list; i++) {
        struct pattern *pattern = patterns->list[i].pattern;

        if (pattern == NULL)
            continue;
        atomic_fetch_add_explicit(&pattern->refs, 1, memory_order_relaxed);
        pattern_refs_add(out, pattern);
    }
    *seen = patterns_generation(patterns);
    pthread_mutex_unlock(&patterns->mutex);
}
