#include <stdint.h>
#include <stdlib.h>
#include "base/ant.h"
#include "base/buf.h"
#include "base/mem.h"

/*
 * Input: separator (a dot, or any other byte for a slash), pattern, newline, pattern, newline,
 * path. Short ones without regular expressions are matched by the rules as they are written down,
 * too, by plain recursion, and their variables by a regular expression. Extracting and comparing
 * patterns must agree with matching.
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

static size_t split(struct slice path, char separator, struct slice *tokens)
{
    size_t n = 0;

    while (path.len != 0) {
        struct slice token = slice_take(path, slice_find(path, separator));

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

static bool naive_match(struct slice pattern, char separator, struct slice path)
{
    struct slice edge = slice_of(&separator, 1), p[NAIVE_MAX], t[NAIVE_MAX];
    size_t n_p = split(pattern, separator, p), n_t = split(path, separator, t);
    bool has_tree = false;

    if (slice_starts_with(pattern, edge) != slice_starts_with(path, edge))
        return false;
    for (size_t i = 0; i < n_p; i++)
        has_tree = has_tree || is_tree(p[i]);
    if (!has_tree && n_p != 0 && slice_eq(p[n_p - 1], slice_str("*")) &&
        slice_ends_with(path, edge) && naive_tokens(p, n_p - 1, t, n_t))
        return true;
    if (!naive_tokens(p, n_p, t, n_t))
        return false;
    return (n_p != 0 && is_tree(p[n_p - 1])) ||
           slice_ends_with(pattern, edge) == slice_ends_with(path, edge);
}

/** Whether it has neither regular expressions nor braces within braces. */
static bool is_plain(struct slice pattern)
{
    bool is_open = false;

    for (size_t i = 0; i < pattern.len; i++) {
        if (is_open && (pattern.base[i] == '{' || pattern.base[i] == ':'))
            return false;
        if (pattern.base[i] == '{')
            is_open = true;
        if (pattern.base[i] == '}')
            is_open = false;
    }
    return true;
}

/** A plain pattern with a regular expression for what each of its variables is anyway. */
static struct ant_pattern *with_regexes(struct slice pattern, char separator)
{
    const struct slice all = SLICE(":[\\s\\S]*");
    struct ant_pattern *out = NULL;
    struct buf text;
    size_t open = pattern.len;

    buf_init(&text, ANT_PATTERN_MAX);
    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.base[i];

        if (c == '{')
            open = i;
        if (c == separator)
            open = pattern.len;
        if ((c == '}' && open + 1 < i && !buf_append(&text, all)) ||
            !buf_append(&text, slice_of(&c, 1)))
            break;
        if (c == '}' && open + 1 < i)
            open = pattern.len;
    }
    /* It may be too long, or not UTF-8. */
    if (ant_pattern_new(buf_slice(&text), separator, &out) != ANT_OK)
        out = NULL;
    buf_dispose(&text);
    return out;
}

static void check_same_values(const struct ant_pattern *p, char separator, struct slice path,
                              const struct slice *values, size_t n)
{
    struct ant_pattern *same = with_regexes(ant_pattern_text(p), separator);
    struct slice *others = mem_calloc(n, sizeof(others[0]));

    if (same != NULL && ant_pattern_extract(same, path, others)) {
        for (size_t i = 0; i < n; i++)
            check(slice_eq(values[i], others[i]) && values[i].base == others[i].base);
    } else if (same != NULL) {
        check(ant_pattern_may_match(same, path)); /* a limit, or a path that is not UTF-8 */
    }
    mem_free(others);
    ant_pattern_free(same);
}

static void check_values(const struct ant_pattern *p, char separator, struct slice path)
{
    size_t n;
    const struct slice *names = ant_pattern_variables(p, &n);
    struct slice *values = mem_calloc(n, sizeof(values[0]));
    bool extracts = ant_pattern_extract(p, path, values);

    check(extracts == (ant_pattern_match(p, path) && ant_pattern_can_extract(p)));
    for (size_t i = 0; extracts && i < n; i++)
        check(names[i].base != NULL && values[i].base >= path.base &&
              values[i].base + values[i].len <= path.base + path.len);
    if (extracts && n != 0 && is_plain(ant_pattern_text(p)))
        check_same_values(p, separator, path, values, n);
    mem_free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice all = slice_of((const char *)data, size), first, second, path;
    struct ant_pattern *a = NULL, *b = NULL;
    char separator = size != 0 && data[0] == '.' ? '.' : '/';

    all = slice_skip(all, 1);
    if (!slice_cut(all, '\n', &first, &all) || !slice_cut(all, '\n', &second, &path))
        return 0;
    (void)ant_is_pattern(first);
    if (ant_pattern_new(first, separator, &a) == ANT_OK &&
        ant_pattern_new(second, separator, &b) == ANT_OK) {
        bool in_a = ant_pattern_match(a, path), in_b = ant_pattern_match(b, path);
        bool intersects = ant_pattern_intersects(a, b);
        bool covers = ant_pattern_covers(a, b);

        if (first.len < NAIVE_MAX && path.len < NAIVE_MAX && is_plain(first))
            check(in_a == naive_match(first, separator, path));
        check_values(a, separator, path);
        check(intersects == ant_pattern_intersects(b, a));
        check(intersects || !(in_a && in_b));
        check(!covers || !in_b || ant_pattern_may_match(a, path));
        check(!covers || intersects);
        check(ant_pattern_covers(a, a));
        check(!in_a || ant_pattern_may_match(a, path));
        check(ant_pattern_compare(a, b, path) == -ant_pattern_compare(b, a, path));
    }
    ant_pattern_free(a);
    ant_pattern_free(b);
    return 0;
}
