#include "gateway/outbound/chunk.h"

#include <assert.h>
#include "base/mem.h"

/* Whole allocations, the struct included, so that a class is a round number for the allocator. */
static const uint32_t class_size[CHUNK_N_CLASSES] = {1024, 4096, 16384, 69632};

enum { REPORT_ABOVE_BYTES = 65536 };

void chunk_pool_init(struct chunk_pool *pool, struct chunk_account *account)
{
    *pool = (struct chunk_pool){.account = account};
}

static void report(struct chunk_pool *pool)
{
    atomic_fetch_add_explicit(&pool->account->bytes, pool->unreported, memory_order_relaxed);
    pool->unreported = 0;
}

static void count_bytes(struct chunk_pool *pool, int64_t bytes)
{
    pool->unreported += bytes;
    if (pool->unreported > REPORT_ABOVE_BYTES || pool->unreported < -REPORT_ABOVE_BYTES)
        report(pool);
}

static struct chunk *take_spare(struct chunk_pool *pool, int size_class)
{
    struct chunk *chunk = pool->free[size_class];

    if (chunk == NULL)
        return NULL;
    pool->free[size_class] = chunk->next_free;
    if (--pool->n_free[size_class] < pool->n_unused[size_class])
        pool->n_unused[size_class] = pool->n_free[size_class];
    return chunk;
}

static void free_spare(struct chunk_pool *pool, int size_class, unsigned n)
{
    for (; n != 0; n--)
        mem_free(take_spare(pool, size_class));
}

size_t chunk_pool_trim(struct chunk_pool *pool)
{
    size_t bytes = 0;

    for (int i = 0; i < CHUNK_N_CLASSES; i++) {
        bytes += (size_t)pool->n_unused[i] * class_size[i];
        free_spare(pool, i, pool->n_unused[i]);
        pool->n_unused[i] = pool->n_free[i];
    }
    return bytes;
}

bool chunk_pool_has_spare(const struct chunk_pool *pool)
{
    for (int i = 0; i < CHUNK_N_CLASSES; i++) {
        if (pool->n_free[i] != 0)
            return true;
    }
    return false;
}

void chunk_pool_dispose(struct chunk_pool *pool)
{
    for (int i = 0; i < CHUNK_N_CLASSES; i++)
        free_spare(pool, i, pool->n_free[i]);
    report(pool);
}

struct chunk *chunk_new(struct chunk_pool *pool, size_t size)
{
    size_t total = size + sizeof(struct chunk);
    struct chunk *chunk = NULL;
    int size_class = 0;

    assert(total < UINT32_MAX);
    while (size_class < CHUNK_N_CLASSES && class_size[size_class] < total)
        size_class++;
    if (size_class == CHUNK_N_CLASSES) {
        size_class = -1;
    } else {
        total = class_size[size_class];
        chunk = take_spare(pool, size_class);
    }
    if (chunk == NULL)
        chunk = mem_alloc(total);
    chunk->pool = pool;
    chunk->next_free = NULL;
    chunk->refs = 1;
    chunk->len = 0;
    chunk->cap = (uint32_t)(total - sizeof(struct chunk));
    chunk->size_class = size_class;
    count_bytes(pool, (int64_t)total);
    return chunk;
}

void chunk_unref(struct chunk *chunk)
{
    struct chunk_pool *pool = chunk->pool;

    assert(chunk->refs != 0);
    if (--chunk->refs != 0)
        return;
    count_bytes(pool, -(int64_t)(chunk->cap + sizeof(struct chunk)));
    if (chunk->size_class < 0) {
        mem_free(chunk);
        return;
    }
    chunk->next_free = pool->free[chunk->size_class];
    pool->free[chunk->size_class] = chunk;
    pool->n_free[chunk->size_class]++;
}

void chunk_pool_count(struct chunk_pool *pool, int64_t bytes)
{
    count_bytes(pool, bytes);
}

size_t chunk_account_bytes(const struct chunk_account *account)
{
    int64_t bytes = atomic_load_explicit(&account->bytes, memory_order_relaxed);

    return bytes < 0 ? 0 : (size_t)bytes;
}
