#include "tests/test.h"
#include "tests/random.h"
#include "gateway/outbound/chunk.h"

enum { ACCOUNT_LAG_BYTES = 65536 };

static size_t full_size(const struct chunk *chunk)
{
    return chunk->cap + sizeof(*chunk);
}

static void a_new_chunk_is_empty_has_one_reference_and_the_room_asked_for(void **state)
{
    const size_t sizes[] = {0, 1, 992, 993, 4064, 4065, 16352, 16353, 65536, 69600, 69601, 1 << 20};
    struct chunk_account account = {0};
    struct chunk_pool pool;

    (void)state;
    chunk_pool_init(&pool, &account);
    /* Twice, so that the second round sees what the first has given back. */
    for (size_t i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
        size_t size = sizes[i % (sizeof(sizes) / sizeof(sizes[0]))];
        struct chunk *chunk = chunk_new(&pool, size);

        assert_int_equal(chunk->refs, 1);
        assert_int_equal(chunk->len, 0);
        assert_true(chunk->cap >= size);
        memset(chunk->data, 'x', chunk->cap); /* the sanitizer knows whether it is there */
        chunk->len = chunk->cap;
        chunk_unref(chunk);
    }
    chunk_pool_dispose(&pool);
}

static void only_the_last_reference_gives_a_chunk_back(void **state)
{
    struct chunk_account account = {0};
    struct chunk_pool pool;
    struct chunk *chunk, *other;

    (void)state;
    chunk_pool_init(&pool, &account);
    chunk = chunk_new(&pool, 100);
    chunk_ref(chunk);
    chunk_ref(chunk);
    chunk_unref(chunk);
    chunk_unref(chunk);
    assert_int_equal(chunk->refs, 1);
    other = chunk_new(&pool, 100);
    assert_ptr_not_equal(other, chunk);
    chunk_unref(chunk);
    assert_ptr_equal(chunk_new(&pool, 100), chunk);
    chunk_unref(chunk);
    chunk_unref(other);
    chunk_pool_dispose(&pool);
}

static void a_spare_chunk_is_used_again_for_its_class_only(void **state)
{
    struct chunk_account account = {0};
    struct chunk_pool pool;
    struct chunk *small, *large;
    uint32_t cap;

    (void)state;
    chunk_pool_init(&pool, &account);
    small = chunk_new(&pool, 10);
    cap = small->cap;
    chunk_unref(small);
    assert_ptr_equal(chunk_new(&pool, 20), small);
    assert_int_equal(small->cap, cap); /* the whole of it, also the second time */
    chunk_unref(small);
    large = chunk_new(&pool, small->cap + 1);
    assert_ptr_not_equal(large, small);
    assert_ptr_equal(chunk_new(&pool, small->cap), small);
    chunk_unref(large);
    chunk_unref(small);
    chunk_pool_dispose(&pool);
}

static void everything_but_the_largest_is_kept_to_be_used_again(void **state)
{
    const struct {
        size_t size;
        int32_t size_class;
        unsigned n_spare;
    } rows[] = {{900, 0, 300}, {4000, 1, 300}, {16000, 2, 300}, {65536, 3, 300}, {70000, -1, 0}};
    struct chunk_account account = {0};
    struct chunk_pool pool;

    (void)state;
    chunk_pool_init(&pool, &account);
    assert_false(chunk_pool_has_spare(&pool));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct chunk *chunks[300];

        for (size_t k = 0; k < 300; k++) {
            chunks[k] = chunk_new(&pool, rows[i].size);
            assert_int_equal(chunks[k]->size_class, rows[i].size_class);
        }
        for (size_t k = 0; k < 300; k++)
            chunk_unref(chunks[k]);
        if (rows[i].size_class >= 0)
            assert_int_equal(pool.n_free[rows[i].size_class], rows[i].n_spare);
        assert_true(chunk_pool_has_spare(&pool));
    }
    chunk_pool_dispose(&pool);
    for (size_t i = 0; i < CHUNK_N_CLASSES; i++) {
        assert_null(pool.free[i]);
        assert_int_equal(pool.n_free[i], 0);
    }
}

/* As a tick does: takes `n` and gives them back. */
static void use(struct chunk_pool *pool, size_t n)
{
    struct chunk *chunks[100];

    assert_in_range(n, 0, 100);
    for (size_t i = 0; i < n; i++)
        chunks[i] = chunk_new(pool, 10);
    for (size_t i = 0; i < n; i++)
        chunk_unref(chunks[i]);
}

static void a_trim_frees_what_nobody_needed_since_the_one_before(void **state)
{
    struct chunk_account account = {0};
    struct chunk_pool pool;

    (void)state;
    chunk_pool_init(&pool, &account);
    use(&pool, 100);
    chunk_pool_trim(&pool);
    assert_int_equal(pool.n_free[0], 100); /* they came back since: not spare all the time */
    use(&pool, 30);
    use(&pool, 60);
    use(&pool, 10);
    chunk_pool_trim(&pool);
    assert_int_equal(pool.n_free[0], 60); /* the most that were out at a time */
    chunk_pool_trim(&pool);
    assert_int_equal(pool.n_free[0], 0);
    assert_false(chunk_pool_has_spare(&pool));
    chunk_pool_dispose(&pool);
}

static void a_chunk_counts_once_at_its_full_size_whatever_its_references(void **state)
{
    struct chunk_account account = {0};
    struct chunk_pool pool;
    struct chunk *chunk;
    size_t bytes;

    (void)state;
    chunk_pool_init(&pool, &account);
    chunk = chunk_new(&pool, 1 << 20);
    bytes = full_size(chunk);
    assert_int_equal(chunk_account_bytes(&account), bytes);
    for (int i = 0; i < 1000; i++)
        chunk_ref(chunk);
    assert_int_equal(chunk_account_bytes(&account), bytes);
    for (int i = 0; i < 1000; i++)
        chunk_unref(chunk);
    assert_int_equal(chunk_account_bytes(&account), bytes);
    chunk_unref(chunk);
    assert_int_equal(chunk_account_bytes(&account), 0);
    chunk_pool_dispose(&pool);
}

static void the_account_is_right_to_within_64_KiB_for_each_pool(void **state)
{
    enum { N_POOLS = 2, N_CHUNKS = 64 };
    const size_t sizes[] = {1, 900, 4000, 16000, 65536, 200000};
    struct rng rng = {1};
    struct chunk_account account = {0};
    struct chunk_pool pools[N_POOLS];
    struct chunk *chunks[N_CHUNKS] = {NULL};
    size_t held = 0;

    (void)state;
    for (size_t i = 0; i < N_POOLS; i++)
        chunk_pool_init(&pools[i], &account);
    for (size_t i = 0; i < 20000; i++) {
        size_t at = rng_below(&rng, N_CHUNKS), counted;

        if (chunks[at] == NULL) {
            chunks[at] = chunk_new(&pools[at % N_POOLS], sizes[rng_below(&rng, 6)]);
            held += full_size(chunks[at]);
        } else {
            held -= full_size(chunks[at]);
            chunk_unref(chunks[at]);
            chunks[at] = NULL;
        }
        counted = chunk_account_bytes(&account);
        assert_in_range(counted > held ? counted - held : held - counted, 0,
                        N_POOLS * ACCOUNT_LAG_BYTES);
    }
    for (size_t i = 0; i < N_CHUNKS; i++) {
        if (chunks[i] != NULL)
            chunk_unref(chunks[i]);
    }
    for (size_t i = 0; i < N_POOLS; i++)
        chunk_pool_dispose(&pools[i]);
    assert_int_equal(atomic_load(&account.bytes), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_chunk_is_empty_has_one_reference_and_the_room_asked_for),
        cmocka_unit_test(only_the_last_reference_gives_a_chunk_back),
        cmocka_unit_test(a_spare_chunk_is_used_again_for_its_class_only),
        cmocka_unit_test(everything_but_the_largest_is_kept_to_be_used_again),
        cmocka_unit_test(a_trim_frees_what_nobody_needed_since_the_one_before),
        cmocka_unit_test(a_chunk_counts_once_at_its_full_size_whatever_its_references),
        cmocka_unit_test(the_account_is_right_to_within_64_KiB_for_each_pool),
    };

    return cmocka_run_group_tests_name("gateway/outbound/chunk", tests, NULL, NULL);
}
