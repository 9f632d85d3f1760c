#include <stdint.h>
#include <stdlib.h>
#include "base/ant.h"

/*
 * Input: pattern, newline, pattern, newline, path. Short ones are matched by the rules as they are
 * written down, too, by plain recursion; comparing patterns must agree with matching.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NAIVE_MAX = 11 }; /* bytes: the recursion is exponential */

static void check(bool claim)
{
    if (!claim)
        abort();
}

/** Bytes of one character: the fuzzer's texts need not be UTF-8. */
static size_t character_len(struct slice s)
{
    unsigned char lead = (unsigned char)s.base[0];
    size_t max = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1, len = 1;

    while (len < max && len < s.len && ((unsigned char)s.base[len] & 0xc0) == 0x80)
        len++;
    return len;
}

static bool naive_token(struct slice p, struct slice t)
{
    size_t close = p.len;

    if (p.len == 0)
        return t.len == 0;
    if (p.base[0] == '{')
        close = slice_find(p, '}');
    if (p.base[0] == '*' || (close > 1 && close < p.len)) {
        struct slice rest = slice_skip(p, p.base[0] == '*' ? 1 : close + 1);

        return naive_token(rest, t) ||
               (t.len != 0 && naive_token(p, slice_skip(t, character_len(t))));
    }
    if (t.len == 0)
        return false;
    if (p.base[0] == '?')
        return naive_token(slice_skip(p, 1), slice_skip(t, character_len(t)));
    return slice_eq(slice_take(p, character_len(p)), slice_take(t, character_len(t))) &&
           naive_token(slice_skip(p, character_len(p)), slice_skip(t, character_len(t)));
}

static size_t split(struct slice path, struct slice *tokens)
{
    size_t n = 0;

    while (path.len != 0) {
        struct slice token = slice_take(path, slice_find(path, '/'));

        if (token.len != 0)
            tokens[n++] = token;
        path = slice_skip(path, token.len + 1);
    }
    return n;
}

static bool is_tree(struct slice token)
{
    return slice_eq(token, slice_str("**"));
}

static bool naive_tokens(const struct slice *p, size_t n_p, const struct slice *t, size_t n_t)
{
    if (n_p == 0)
        return n_t == 0;
    if (is_tree(p[0]))
        return naive_tokens(p + 1, n_p - 1, t, n_t) ||
               (n_t != 0 && naive_tokens(p, n_p, t + 1, n_t - 1));
    return n_t != 0 && naive_token(p[0], t[0]) && naive_tokens(p + 1, n_p - 1, t + 1, n_t - 1);
}

static bool naive_match(struct slice pattern, struct slice path)
{
    struct slice slash = slice_str("/"), p[NAIVE_MAX], t[NAIVE_MAX];
    size_t n_p = split(pattern, p), n_t = split(path, t);
    bool has_tree = false;

    if (slice_starts_with(pattern, slash) != slice_starts_with(path, slash))
        return false;
    for (size_t i = 0; i < n_p; i++)
        has_tree = has_tree || is_tree(p[i]);
    if (!has_tree && n_p != 0 && slice_eq(p[n_p - 1], slice_str("*")) &&
        slice_ends_with(path, slash) && naive_tokens(p, n_p - 1, t, n_t))
        return true;
    if (!naive_tokens(p, n_p, t, n_t))
        return false;
    return (n_p != 0 && is_tree(p[n_p - 1])) ||
           slice_ends_with(pattern, slash) == slice_ends_with(path, slash);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice all = slice_of((const char *)data, size), first, second, path;
    struct ant_pattern *a = NULL, *b = NULL;

    if (!slice_cut(all, '\n', &first, &all) || !slice_cut(all, '\n', &second, &path))
        return 0;
    (void)ant_is_pattern(first);
    if (ant_pattern_new(first, &a) == ANT_OK && ant_pattern_new(second, &b) == ANT_OK) {
        bool in_a = ant_pattern_match(a, path), in_b = ant_pattern_match(b, path);
        bool intersects = ant_pattern_intersects(a, b);
        bool covers = ant_pattern_covers(a, b);

        if (first.len < NAIVE_MAX && path.len < NAIVE_MAX)
            check(in_a == naive_match(first, path));
        check(intersects == ant_pattern_intersects(b, a));
        check(intersects || !(in_a && in_b));
        check(!covers || in_a || !in_b);
        check(!covers || intersects);
        check(ant_pattern_covers(a, a));
    }
    ant_pattern_free(a);
    ant_pattern_free(b);
    return 0;
}
