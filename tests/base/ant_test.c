#include "base/ant.h"

#include "base/mem.h"
#include "tests/test.h"

#include "tests/base/ant_vectors.inc"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct ant_pattern *compile_by(struct slice text, char separator)
{
    struct ant_pattern *p = NULL;

    if (ant_pattern_new(text, separator, &p) != ANT_OK)
        fail_msg("\"%.*s\" does not compile", SLICE_FMT(text));
    return p;
}

static struct ant_pattern *compile(struct slice text)
{
    return compile_by(text, ANT_SEPARATOR);
}

/** What Spring said with one separator: tests/base/spring/AntVectors.java. */
struct table {
    char separator;
    const struct slice *paths;
    size_t n_paths;
    const struct ant_vector *vectors;
    size_t n_vectors;
    const struct ant_values *values;
    size_t n_values;
};

static const struct table tables[] = {
    {'/', slash_paths, COUNT(slash_paths), slash_vectors, COUNT(slash_vectors), slash_values,
     COUNT(slash_values)},
    {'.', dot_paths, COUNT(dot_paths), dot_vectors, COUNT(dot_vectors), dot_values,
     COUNT(dot_values)},
};

static void matches_what_spring_matches(void **state)
{
    (void)state;
    for (const struct table *t = tables; t < tables + COUNT(tables); t++) {
        for (size_t i = 0; i < t->n_vectors; i++) {
            const struct ant_vector *row = &t->vectors[i];
            struct ant_pattern *p = compile_by(row->pattern, t->separator);

            assert_true(slice_eq(ant_pattern_text(p), row->pattern));
            assert_int_equal(ant_is_pattern(row->pattern), row->is_pattern);
            assert_int_equal(strlen(row->matches), t->n_paths);
            for (size_t k = 0; k < t->n_paths; k++) {
                bool matches = row->matches[k] == '1';

                if (ant_pattern_match(p, t->paths[k]) != matches)
                    fail_msg("\"%.*s\" and \"%.*s\": Spring says %c", SLICE_FMT(row->pattern),
                             SLICE_FMT(t->paths[k]), row->matches[k]);
                assert_int_equal(ant_pattern_may_match(p, t->paths[k]), matches);
            }
            ant_pattern_free(p);
        }
    }
}

/** Fails unless `expected` (name NUL value NUL ...) is what was extracted. */
static void check_values(const struct ant_pattern *p, const struct slice *values,
                         struct slice expected, struct slice path)
{
    size_t n, n_found = 0;
    const struct slice *names = ant_pattern_variables(p, &n);
    struct slice name, value;

    while (slice_cut(expected, '\0', &name, &expected) &&
           slice_cut(expected, '\0', &value, &expected)) {
        size_t i = 0;

        while (i < n && !slice_eq(names[i], name))
            i++;
        if (i == n || !slice_eq(values[i], value))
            fail_msg("\"%.*s\" and \"%.*s\": Spring has %.*s = \"%.*s\"",
                     SLICE_FMT(ant_pattern_text(p)), SLICE_FMT(path), SLICE_FMT(name),
                     SLICE_FMT(value));
        n_found++;
    }
    assert_int_equal(n_found, n);
}

enum { VARIABLES_MAX = 8 };

static void extracts_what_spring_extracts(void **state)
{
    size_t n_extracted = 0;

    (void)state;
    for (const struct table *t = tables; t < tables + COUNT(tables); t++) {
        const struct ant_values *next = t->values;

        for (size_t i = 0; i < t->n_vectors; i++) {
            struct ant_pattern *p = compile_by(t->vectors[i].pattern, t->separator);
            bool any = strchr(t->vectors[i].matches, '1') != NULL;
            size_t n;

            (void)ant_pattern_variables(p, &n);
            assert_in_range(n, 0, VARIABLES_MAX);
            if (any)
                assert_int_equal(ant_pattern_can_extract(p), t->vectors[i].can_extract);
            for (size_t k = 0; k < t->n_paths; k++) {
                struct slice values[VARIABLES_MAX] = {SLICE("kept")};
                bool matches = t->vectors[i].matches[k] == '1';
                bool extracts = ant_pattern_extract(p, t->paths[k], values);

                assert_int_equal(extracts, matches && ant_pattern_can_extract(p));
                if (!extracts || n == 0) {
                    assert_slice(values[0], "kept");
                    continue;
                }
                assert_int_equal(next->pattern, i);
                assert_int_equal(next->path, k);
                check_values(p, values, next++->values, t->paths[k]);
                n_extracted++;
            }
            ant_pattern_free(p);
        }
        assert_ptr_equal(next, t->values + t->n_values);
    }
    assert_in_range(n_extracted, 1000, SIZE_MAX);
}

static void prefers_what_spring_prefers(void **state)
{
    (void)state;
    for (const struct table *t = tables; t < tables + COUNT(tables); t++) {
        static struct ant_pattern *all[COUNT(slash_vectors)];

        for (size_t i = 0; i < t->n_vectors; i++)
            all[i] = compile_by(t->vectors[i].pattern, t->separator);
        for (size_t i = 0; i < t->n_vectors; i++) {
            const struct ant_vector *row = &t->vectors[i];

            assert_int_equal(strlen(row->order), t->n_vectors);
            for (size_t k = 0; k < t->n_vectors; k++) {
                int own = ant_pattern_compare(all[i], all[k], row->pattern);
                int other = ant_pattern_compare(all[i], all[k], slice_str("-"));

                if (row->order[k] != 'a' + (own + 1) * 3 + other + 1)
                    fail_msg("\"%.*s\" and \"%.*s\": %d and %d", SLICE_FMT(row->pattern),
                             SLICE_FMT(t->vectors[k].pattern), own, other);
            }
        }
        for (size_t i = 0; i < t->n_vectors; i++)
            ant_pattern_free(all[i]);
    }
}

static void refuses_a_broken_regular_expression_at_once(void **state)
{
    /* Java takes these: one that leaves its braces, and what PCRE2 cannot follow. */
    const struct slice ours[] = {SLICE("/{x:a)|(b}"), SLICE("/{x:[a&&b]}"), SLICE("/{x:(?<=a+)b}")};
    struct ant_pattern *p = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT(broken_patterns); i++) {
        if (ant_pattern_new(broken_patterns[i], ANT_SEPARATOR, &p) != ANT_ERR_REGEX)
            fail_msg("\"%.*s\" is not refused", SLICE_FMT(broken_patterns[i]));
        assert_null(p);
    }
    for (size_t i = 0; i < COUNT(ours); i++)
        assert_int_equal(ant_pattern_new(ours[i], ANT_SEPARATOR, &p), ANT_ERR_REGEX);
    assert_null(p);
    ant_pattern_free(NULL);
}

/* The regular expressions would take for ever, in a pattern that may ask each of them often. */
static void a_limit_of_regular_expressions_is_no_match_but_maybe_one(void **state)
{
    static char path[16000];
    const struct slice patterns[] = {SLICE("/{x:(a+)+[bc]}"), SLICE("/**/{x:(a|a)*[bc]}/**"),
                                     SLICE("/**/{x:(?:a?){60}[bc]}/**/{y:(a+)+[bc]}/**")};
    struct slice values[2] = {SLICE("kept")};

    (void)state;
    for (size_t i = 0; i < COUNT(patterns); i++) {
        struct ant_pattern *p = compile(patterns[i]);
        struct slice long_token = slice_of(path, 40), many_tokens = slice_of(path, sizeof(path));

        memset(path, 'a', sizeof(path));
        path[0] = '/';
        assert_false(ant_pattern_match(p, long_token));
        assert_true(ant_pattern_may_match(p, long_token));
        assert_false(ant_pattern_extract(p, long_token, values));
        assert_slice(values[0], "kept");
        for (size_t k = 0; i > 0 && k < sizeof(path); k += 8)
            path[k] = '/';
        assert_false(ant_pattern_match(p, many_tokens));
        assert_true(ant_pattern_may_match(p, many_tokens));
        ant_pattern_free(p);
    }
}

static void a_pattern_has_a_longest_length(void **state)
{
    char text[ANT_PATTERN_MAX + 1];
    struct ant_pattern *p = NULL;

    (void)state;
    memset(text, '*', sizeof(text));
    for (size_t i = 0; i < sizeof(text); i += 2)
        text[i] = '/';
    assert_int_equal(ant_pattern_new(slice_of(text, sizeof(text)), ANT_SEPARATOR, &p),
                     ANT_ERR_LENGTH);
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
        /* A regular expression: literal tokens, and the literal parts of its own, are known. */
        {SLICE("/{x:[0-9]+}"), SLICE("/12"), true, true, false},
        {SLICE("/{x:[0-9]+}"), SLICE("/a"), false, false, false},
        {SLICE("/{x:[0-9]+}"), SLICE("/{x:[0-9]+}"), true, true, true},
        {SLICE("/{x:[0-9]+}"), SLICE("/{x:[a-z]+}"), true, false, false},
        {SLICE("/{x:[0-9]+}"), SLICE("/*"), true, false, true},
        {SLICE("/{x:[0-9]+}/a"), SLICE("/{y}/b"), false, false, false},
        {SLICE("/a{x:[0-9]+}"), SLICE("/a*"), true, false, true},
        {SLICE("/a{x:[0-9]+}"), SLICE("/b{x:[0-9]+}"), false, false, false},
        {SLICE("/**/{x:[0-9]+}/**"), SLICE("/a/1/b"), true, true, false},
        {SLICE("/{x:(a+)+[bc]}"), SLICE("/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), true, false, false},
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
    (void)state;
    for (const struct table *t = tables; t < tables + COUNT(tables); t++) {
        static struct ant_pattern *all[COUNT(slash_vectors)];
        size_t n_intersect = 0;

        for (size_t i = 0; i < t->n_vectors; i++)
            all[i] = compile_by(t->vectors[i].pattern, t->separator);
        for (size_t i = 0; i < t->n_vectors; i++) {
            assert_true(ant_pattern_covers(all[i], all[i]));
            for (size_t k = 0; k < t->n_vectors; k++) {
                bool intersects = ant_pattern_intersects(all[i], all[k]);
                bool covers = ant_pattern_covers(all[i], all[k]);

                assert_int_equal(intersects, ant_pattern_intersects(all[k], all[i]));
                n_intersect += intersects;
                for (size_t n = 0; n < t->n_paths; n++) {
                    bool in_i = t->vectors[i].matches[n] == '1';
                    bool in_k = t->vectors[k].matches[n] == '1';

                    assert_true(intersects || !(in_i && in_k));
                    assert_true(!covers || in_i || !in_k);
                }
            }
        }
        assert_in_range(n_intersect, 1, t->n_vectors * t->n_vectors * 2 / 3);
        for (size_t i = 0; i < t->n_vectors; i++)
            ant_pattern_free(all[i]);
    }
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

static void patterns_of_two_separators_are_not_compared(void **state)
{
    struct ant_pattern *slash = compile_by(slice_str("a"), '/');
    struct ant_pattern *dot = compile_by(slice_str("b"), '.');

    (void)state;
    assert_true(ant_pattern_intersects(slash, dot));
    assert_false(ant_pattern_covers(slash, dot));
    ant_pattern_free(slash);
    ant_pattern_free(dot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_what_spring_matches),
        cmocka_unit_test(extracts_what_spring_extracts),
        cmocka_unit_test(prefers_what_spring_prefers),
        cmocka_unit_test(refuses_a_broken_regular_expression_at_once),
        cmocka_unit_test(a_limit_of_regular_expressions_is_no_match_but_maybe_one),
        cmocka_unit_test(a_pattern_has_a_longest_length),
        cmocka_unit_test(no_pattern_is_exponential),
        cmocka_unit_test(patterns_compare_by_what_they_match),
        cmocka_unit_test(comparing_never_contradicts_matching),
        cmocka_unit_test(comparing_short_patterns_is_exact),
        cmocka_unit_test(patterns_of_two_separators_are_not_compared),
    };

    return cmocka_run_group_tests_name("base/ant", tests, NULL, NULL);
}
