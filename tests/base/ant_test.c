#include "base/ant.h"

#include "base/mem.h"
#include "tests/test.h"

#include "tests/base/ant_vectors.inc"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct ant_pattern *compile(struct slice text)
{
    struct ant_pattern *p = NULL;

    if (ant_pattern_new(text, &p) != ANT_OK)
        fail_msg("\"%.*s\" does not compile", SLICE_FMT(text));
    return p;
}

static void agrees_with_spring(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        struct ant_pattern *p = compile(vectors[i].pattern);

        assert_true(slice_eq(ant_pattern_text(p), vectors[i].pattern));
        assert_int_equal(ant_is_pattern(vectors[i].pattern), vectors[i].is_pattern);
        assert_int_equal(strlen(vectors[i].matches), COUNT(vector_paths));
        for (size_t k = 0; k < COUNT(vector_paths); k++) {
            if (ant_pattern_match(p, vector_paths[k]) != (vectors[i].matches[k] == '1'))
                fail_msg("\"%.*s\" and \"%.*s\": Spring says %c", SLICE_FMT(vectors[i].pattern),
                         SLICE_FMT(vector_paths[k]), vectors[i].matches[k]);
        }
        ant_pattern_free(p);
    }
}

static void refuses_what_it_cannot_do_like_spring(void **state)
{
    const struct slice bad[] = {SLICE("/topic/{id:[0-9]+}"), SLICE("/topic/{id:[0-9]{2}}"),
                                SLICE("/topic/{a{b}}"), SLICE("/{:}"), SLICE("/a/x{b{c")};
    struct ant_pattern *p = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(ant_pattern_new(bad[i], &p), ANT_ERR_BRACES);
        assert_null(p);
    }
    ant_pattern_free(NULL);
}

static void a_pattern_has_a_longest_length(void **state)
{
    char text[ANT_PATTERN_MAX + 1];
    struct ant_pattern *p = NULL;

    (void)state;
    memset(text, '*', sizeof(text));
    for (size_t i = 0; i < sizeof(text); i += 2)
        text[i] = '/';
    assert_int_equal(ant_pattern_new(slice_of(text, sizeof(text)), &p), ANT_ERR_LENGTH);
    assert_null(p);
    p = compile(slice_of(text, sizeof(text) - 1));
    assert_true(ant_pattern_match(p, slice_of(text, sizeof(text) - 1)));
    assert_true(ant_pattern_intersects(p, p));
    assert_true(ant_pattern_covers(p, p));
    ant_pattern_free(p);
}

/* With backtracking into every star, each of these would outlive us. */
static void no_pattern_is_exponential(void **state)
{
    const char *blocks[] = {"*a", "?*", "**/", "**/a*/"};
    static char path[20000];

    (void)state;
    for (size_t k = 0; k < COUNT(blocks); k++) {
        char text[ANT_PATTERN_MAX];
        size_t len = strlen(blocks[k]), n = 0;
        struct ant_pattern *p;

        text[n++] = '/';
        for (; n + len < sizeof(text) - 1; n += len)
            memcpy(text + n, blocks[k], len);
        text[n++] = 'b';
        for (size_t i = 0; i < sizeof(path); i++)
            path[i] = k >= 2 && i % 2 == 0 ? '/' : 'a';
        path[0] = '/';
        p = compile(slice_of(text, n));
        assert_false(ant_pattern_match(p, slice_of(path, sizeof(path))));
        assert_true(ant_pattern_intersects(p, p));
        assert_true(ant_pattern_covers(p, p));
        ant_pattern_free(p);
    }
}

struct pair {
    struct slice a;
    struct slice b;
    bool intersects;
    bool a_covers_b;
    bool b_covers_a;
};

static void patterns_compare_by_what_they_match(void **state)
{
    const struct pair pairs[] = {
        {SLICE("/topic/**"), SLICE("/topic/secret"), true, true, false},
        {SLICE("/topic/*"), SLICE("/topic/secret"), true, true, false},
        {SLICE("/topic/*"), SLICE("/topic/**"), true, false, true},
        {SLICE("/topic/*"), SLICE("/topic/*"), true, true, true},
        {SLICE("/topic/*"), SLICE("/topic/{name}"), true, true, false}, /* "/topic/" */
        {SLICE("/topic/*"), SLICE("/topic/"), true, true, false},
        {SLICE("/topic/*"), SLICE("/topic"), false, false, false},
        {SLICE("/topic/**"), SLICE("/topic"), true, true, false},
        {SLICE("/topic/**"), SLICE("topic/**"), false, false, false},
        {SLICE("/topic/a*"), SLICE("/topic/*b"), true, false, false},
        {SLICE("/topic/a*"), SLICE("/topic/b*"), false, false, false},
        {SLICE("/topic/a?c"), SLICE("/topic/?b?"), true, false, false},
        {SLICE("/topic/a?c"), SLICE("/topic/ab"), false, false, false},
        {SLICE("/topic/?\xc3\xa9"), SLICE("/topic/a?"), true, false, false},
        {SLICE("/topic/?"), SLICE("/topic/\xf0\x9f\x98\x80"), true, true, false},
        {SLICE("/topic/??"), SLICE("/topic/\xc3\xa9"), false, false, false},
        {SLICE("/topic/*?"), SLICE("/topic/?*"), true, true, true},
        {SLICE("/topic/{x}"), SLICE("/topic/?*"), true, true, true},
        {SLICE("/topic/{x}"), SLICE("/topic/*a"), true, true, false},
        {SLICE("/**/secret"), SLICE("/topic/*"), true, false, false},
        {SLICE("/**/secret"), SLICE("/topic/s*t"), true, false, false},
        {SLICE("/**/secret"), SLICE("/topic/public*"), false, false, false},
        {SLICE("/**/secret/**"), SLICE("/topic/**"), true, false, false},
        {SLICE("/**/secret/**"), SLICE("/a/b/secret/c/d"), true, true, false},
        {SLICE("/a/**/b"), SLICE("/a/b/**"), true, false, false},
        {SLICE("/a/**/b"), SLICE("/b/**/a"), false, false, false},
        {SLICE("/a/**/b/**"), SLICE("/a/*/b/*"), true, true, false},
        {SLICE("/**"), SLICE("/**/a/**/b"), true, true, false},
        {SLICE("/**/*"), SLICE("/"), false, false, false},
        {SLICE("/**"), SLICE("/"), true, true, false},
        {SLICE("/a/"), SLICE("/a"), false, false, false},
        {SLICE("/a/*/"), SLICE("/a/"), true, true, false},
        {SLICE("/a/*/"), SLICE("/a/b"), false, false, false},
        {SLICE("/a/**/b/"), SLICE("/a/**/b"), false, false, false},
        {SLICE("/**"), SLICE("/**/"), true, true, true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++) {
        struct ant_pattern *a = compile(pairs[i].a), *b = compile(pairs[i].b);

        if (ant_pattern_intersects(a, b) != pairs[i].intersects ||
            ant_pattern_intersects(b, a) != pairs[i].intersects ||
            ant_pattern_covers(a, b) != pairs[i].a_covers_b ||
            ant_pattern_covers(b, a) != pairs[i].b_covers_a)
            fail_msg("row %zu: \"%.*s\" and \"%.*s\"", i, SLICE_FMT(pairs[i].a),
                     SLICE_FMT(pairs[i].b));
        ant_pattern_free(a);
        ant_pattern_free(b);
    }
}

/* What Spring matches decides: a shared path means they intersect, a lone one means no cover. */
static void comparing_never_contradicts_matching(void **state)
{
    static struct ant_pattern *all[COUNT(vectors)];
    size_t n_intersect = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++)
        all[i] = compile(vectors[i].pattern);
    for (size_t i = 0; i < COUNT(vectors); i++) {
        assert_true(ant_pattern_covers(all[i], all[i]));
        for (size_t k = 0; k < COUNT(vectors); k++) {
            bool intersects = ant_pattern_intersects(all[i], all[k]);
            bool covers = ant_pattern_covers(all[i], all[k]);

            assert_int_equal(intersects, ant_pattern_intersects(all[k], all[i]));
            n_intersect += intersects;
            for (size_t n = 0; n < COUNT(vector_paths); n++) {
                bool in_i = vectors[i].matches[n] == '1', in_k = vectors[k].matches[n] == '1';

                assert_true(intersects || !(in_i && in_k));
                assert_true(!covers || in_i || !in_k);
            }
        }
    }
    assert_true(n_intersect < COUNT(vectors) * COUNT(vectors) / 2);
    for (size_t i = 0; i < COUNT(vectors); i++)
        ant_pattern_free(all[i]);
}

/** The n-th text over an alphabet, shortest first; returns its length. */
static size_t nth_text(size_t n, const char *alphabet, char *out)
{
    size_t base = strlen(alphabet), len = 0;

    for (; n != 0; n = (n - 1) / base)
        out[len++] = alphabet[(n - 1) % base];
    return len;
}

/*
 * Each pattern of up to 4 bytes against each path of up to 8: long enough for any two of them that
 * have a path in common to show one.
 */
static void comparing_short_patterns_is_exact(void **state)
{
    enum { N_PATTERNS = 341, N_PATHS = 9841, N_WORDS = (N_PATHS + 63) / 64 };
    static struct ant_pattern *all[N_PATTERNS];
    static uint64_t matches[N_PATTERNS][N_WORDS];
    size_t n_covers = 0;

    (void)state;
    for (size_t i = 0; i < N_PATTERNS; i++) {
        char text[8], path[16];

        all[i] = compile(slice_of(text, nth_text(i, "/*?a", text)));
        memset(matches[i], 0, sizeof(matches[i]));
        for (size_t n = 0; n < N_PATHS; n++) {
            size_t len = nth_text(n, "/ab", path);

            matches[i][n / 64] |= (uint64_t)ant_pattern_match(all[i], slice_of(path, len))
                                  << (n % 64);
        }
    }
    for (size_t i = 0; i < N_PATTERNS; i++) {
        for (size_t k = 0; k < N_PATTERNS; k++) {
            uint64_t both = 0, only_k = 0;
            bool covers = ant_pattern_covers(all[i], all[k]);

            for (size_t w = 0; w < N_WORDS; w++) {
                both |= matches[i][w] & matches[k][w];
                only_k |= matches[k][w] & ~matches[i][w];
            }
            if (ant_pattern_intersects(all[i], all[k]) != (both != 0) || (covers && only_k != 0))
                fail_msg("\"%.*s\" and \"%.*s\"", SLICE_FMT(ant_pattern_text(all[i])),
                         SLICE_FMT(ant_pattern_text(all[k])));
            n_covers += covers;
        }
    }
    assert_true(n_covers > N_PATTERNS);
    for (size_t i = 0; i < N_PATTERNS; i++)
        ant_pattern_free(all[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_spring),
        cmocka_unit_test(refuses_what_it_cannot_do_like_spring),
        cmocka_unit_test(a_pattern_has_a_longest_length),
        cmocka_unit_test(no_pattern_is_exponential),
        cmocka_unit_test(patterns_compare_by_what_they_match),
        cmocka_unit_test(comparing_never_contradicts_matching),
        cmocka_unit_test(comparing_short_patterns_is_exact),
    };

    return cmocka_run_group_tests_name("base/ant", tests, NULL, NULL);
}
