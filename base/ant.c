#include "base/ant.h"

#include <assert.h>
#include "base/ant_token.h"
#include "base/mem.h"

/** What AntPatternComparator looks at. */
struct rank {
    bool is_catch_all; /* exactly separator and ** */
    bool is_prefix;    /* longer, and ends so */
    int n_variables;
    int n_stars;
    int n_double_stars;
    int length; /* in UTF-16 units, each variable counting for one */
};

struct ant_pattern {
    char *text;
    size_t len;
    char separator;
    bool starts_with_separator;
    bool ends_with_separator;
    bool has_tree;
    bool ends_with_star; /* the last token is exactly `*` */
    bool can_extract;
    struct ant_token *tokens;
    size_t n_tokens;
    struct slice *names; /* of variables, each once */
    size_t n_names;
    size_t n_variables; /* of all tokens */
    struct rank rank;
};

const char *ant_strstatus(enum ant_status status)
{
    switch (status) {
    case ANT_OK:
        return "ok";
    case ANT_ERR_LENGTH:
        return "the pattern is longer than 1024 bytes";
    case ANT_ERR_REGEX:
        return "a regular expression of the pattern is broken, or not supported";
    }
    return "unknown status";
}

bool ant_is_pattern(struct slice destination)
{
    bool brace = false;

    for (size_t i = 0; i < destination.len; i++) {
        char c = destination.base[i];

        if (c == '*' || c == '?' || (c == '}' && brace))
            return true;
        if (c == '{')
            brace = true;
    }
    return false;
}

/** The token at or after `*pos`, which is moved behind it; empty at the end of the path. */
static struct slice next_token(struct slice path, char separator, size_t *pos)
{
    size_t start;

    while (*pos < path.len && path.base[*pos] == separator)
        (*pos)++;
    start = *pos;
    *pos += slice_find(slice_skip(path, start), separator);
    return slice_take(slice_skip(path, start), *pos - start);
}

static bool starts_with(struct slice s, char byte)
{
    return s.len != 0 && s.base[0] == byte;
}

static bool ends_with(struct slice s, char byte)
{
    return s.len != 0 && s.base[s.len - 1] == byte;
}

/** How many bytes from `pos` on `\{[^/]+?\}` matches: with any separator, it is the slash. */
static size_t variable_len(struct slice text, size_t pos)
{
    if (text.base[pos] != '{' || pos + 1 == text.len || text.base[pos + 1] == '/')
        return 0;
    for (size_t i = pos + 2; i < text.len && text.base[i] != '/'; i++) {
        if (text.base[i] == '}')
            return i + 1 - pos;
    }
    return 0;
}

static int rank_length(struct slice text)
{
    int length = 0;

    for (size_t pos = 0; pos < text.len;) {
        size_t variable = variable_len(text, pos);
        unsigned char c = (unsigned char)text.base[pos];

        /* A character of four bytes is two units, others are one. */
        length += variable != 0 || c < 0xf0 ? (c & 0xc0) != 0x80 : 2;
        pos += variable != 0 ? variable : 1;
    }
    return length;
}

/** AntPatternComparator.PatternInfo: it counts characters of the text, whatever they mean there. */
static struct rank rank_of(struct slice text, char separator)
{
    const char tail[] = {separator, '*', '*'};
    struct rank rank = {.is_prefix = slice_ends_with(text, slice_of(tail, sizeof(tail)))};

    rank.is_catch_all = rank.is_prefix && text.len == sizeof(tail);
    rank.is_prefix = rank.is_prefix && !rank.is_catch_all;
    for (size_t i = 0; i < text.len; i++) {
        if (text.base[i] == '{') {
            rank.n_variables++;
        } else if (text.base[i] == '*' && i + 1 < text.len && text.base[i + 1] == '*') {
            rank.n_double_stars++;
            i++;
        } else if (text.base[i] == '*') {
            /* Neither a star at the very beginning counts, nor one of ".*" at the very end. */
            rank.n_stars += i > 0 && (i + 1 < text.len || text.base[i - 1] != '.');
        }
    }
    rank.length = rank_length(text);
    return rank;
}

static size_t find_name(const struct ant_pattern *p, struct slice name)
{
    size_t i = 0;

    while (i < p->n_names && !slice_eq(p->names[i], name))
        i++;
    return i;
}

static void collect_names(struct ant_pattern *p)
{
    p->can_extract = true;
    for (size_t i = 0; i < p->n_tokens; i++)
        p->n_variables += p->tokens[i].n_variables;
    p->names = mem_calloc(p->n_variables, sizeof(p->names[0]));
    for (size_t i = 0; i < p->n_tokens; i++) {
        const struct ant_token *token = &p->tokens[i];

        p->can_extract = p->can_extract && ant_token_can_capture(token);
        for (size_t k = 0; k < token->n_variables; k++) {
            if (find_name(p, token->variables[k]) == p->n_names)
                p->names[p->n_names++] = token->variables[k];
        }
    }
}

enum ant_status ant_pattern_new(struct slice text, char separator, struct ant_pattern **out)
{
    struct ant_pattern *p;
    struct slice copy;
    size_t n = 0;

    if (text.len > ANT_PATTERN_MAX)
        return ANT_ERR_LENGTH;
    p = mem_calloc(1, sizeof(*p));
    copy = mem_slice_dup(text);
    p->text = (char *)copy.base;
    p->len = copy.len;
    p->separator = separator;
    p->starts_with_separator = starts_with(copy, separator);
    p->ends_with_separator = ends_with(copy, separator);
    for (size_t pos = 0; next_token(copy, separator, &pos).len != 0;)
        n++;
    p->tokens = mem_calloc(n, sizeof(p->tokens[0]));
    for (size_t pos = 0; p->n_tokens < n; p->n_tokens++) {
        struct ant_token *token = &p->tokens[p->n_tokens];
        struct slice token_text = next_token(copy, separator, &pos);
        enum ant_status status = ant_token_init(token, token_text);

        if (status != ANT_OK) {
            ant_pattern_free(p);
            return status;
        }
        p->has_tree = p->has_tree || token->kind == ANT_TOKEN_TREE;
        p->ends_with_star = slice_eq(token_text, (struct slice)SLICE("*"));
    }
    collect_names(p);
    p->rank = rank_of(copy, separator);
    *out = p;
    return ANT_OK;
}

void ant_pattern_free(struct ant_pattern *pattern)
{
    if (pattern == NULL)
        return;
    for (size_t i = 0; i < pattern->n_tokens; i++)
        ant_token_dispose(&pattern->tokens[i]);
    mem_free(pattern->text);
    mem_free(pattern->tokens);
    mem_free(pattern->names);
    mem_free(pattern);
}

struct slice ant_pattern_text(const struct ant_pattern *pattern)
{
    return slice_of(pattern->text, pattern->len);
}

/** What is left of the pattern when the path has no more tokens. */
static bool match_end(const struct ant_pattern *p, size_t i, bool path_ends_with_separator)
{
    if (i + 1 == p->n_tokens && p->ends_with_star && !p->has_tree && path_ends_with_separator)
        return true;
    while (i < p->n_tokens && p->tokens[i].kind == ANT_TOKEN_TREE)
        i++;
    if (i < p->n_tokens)
        return false;
    return (i != 0 && p->tokens[i - 1].kind == ANT_TOKEN_TREE) ||
           p->ends_with_separator == path_ends_with_separator;
}

/*
 * As within a token: on a mismatch the last `**` takes one token more. That gives each token of the
 * pattern the one of the path that Spring gives it; `taken`, if not NULL, has room for them all.
 * One that matched a missing token or is a `**` has none.
 */
static enum regex_answer walk(const struct ant_pattern *p, struct slice path, struct slice *taken,
                              size_t *budget)
{
    size_t i = 0, pos = 0, tree = p->n_tokens, tree_pos = 0;

    if (p->starts_with_separator != starts_with(path, p->separator))
        return REGEX_NO_MATCH;
    for (;;) {
        size_t next = pos;
        struct slice token = next_token(path, p->separator, &next);
        enum regex_answer answer = REGEX_NO_MATCH;

        if (token.len == 0)
            return match_end(p, i, ends_with(path, p->separator)) ? REGEX_MATCH : REGEX_NO_MATCH;
        if (i < p->n_tokens && p->tokens[i].kind == ANT_TOKEN_TREE) {
            tree = i++;
            tree_pos = pos;
            if (i == p->n_tokens)
                return REGEX_MATCH;
            continue;
        }
        if (i < p->n_tokens)
            answer = ant_token_match(&p->tokens[i], token, budget);
        if (answer == REGEX_UNKNOWN)
            return REGEX_UNKNOWN;
        if (answer == REGEX_MATCH) {
            if (taken != NULL)
                taken[i] = token;
            i++;
            pos = next;
        } else if (tree != p->n_tokens) {
            (void)next_token(path, p->separator, &tree_pos);
            pos = tree_pos;
            i = tree + 1;
        } else {
            return REGEX_NO_MATCH;
        }
    }
}

bool ant_pattern_match(const struct ant_pattern *pattern, struct slice path)
{
    size_t budget = ANT_TOKEN_BUDGET;

    return walk(pattern, path, NULL, &budget) == REGEX_MATCH;
}

bool ant_pattern_may_match(const struct ant_pattern *pattern, struct slice path)
{
    size_t budget = ANT_TOKEN_BUDGET;

    return walk(pattern, path, NULL, &budget) != REGEX_NO_MATCH;
}

const struct slice *ant_pattern_variables(const struct ant_pattern *pattern, size_t *n)
{
    *n = pattern->n_names;
    return pattern->names;
}

bool ant_pattern_can_extract(const struct ant_pattern *pattern)
{
    return pattern->can_extract;
}

/** Sets the values of one token's variables; `room` is for as many as the pattern has. */
static bool extract_token(const struct ant_pattern *p, const struct ant_token *token,
                          struct slice text, struct slice *room, struct slice *values)
{
    size_t budget = ANT_TOKEN_BUDGET;

    if (ant_token_capture(token, text, room, &budget) != REGEX_MATCH)
        return false;
    for (size_t i = 0; i < token->n_variables; i++)
        values[find_name(p, token->variables[i])] = room[i];
    return true;
}

/*
 * The order in which Spring comes by the tokens, for of a name that comes twice the last value
 * stays: up to the first `**`, then from the end back to the last one, then what is between.
 */
static bool extract_tokens(const struct ant_pattern *p, const struct slice *taken,
                           struct slice *room, struct slice *values)
{
    size_t first = 0, last = p->n_tokens;
    bool ok = true;

    for (; ok && first < p->n_tokens && p->tokens[first].kind != ANT_TOKEN_TREE; first++)
        ok = extract_token(p, &p->tokens[first], taken[first], room, values);
    for (; ok && last > first && p->tokens[last - 1].kind != ANT_TOKEN_TREE; last--)
        ok = extract_token(p, &p->tokens[last - 1], taken[last - 1], room, values);
    for (; ok && first < last; first++)
        ok = extract_token(p, &p->tokens[first], taken[first], room, values);
    return ok;
}

bool ant_pattern_extract(const struct ant_pattern *pattern, struct slice path, struct slice *values)
{
    struct slice *taken, *room, *found;
    size_t budget = ANT_TOKEN_BUDGET;
    bool ok;

    if (!pattern->can_extract)
        return false;
    if (pattern->n_variables == 0)
        return ant_pattern_match(pattern, path);
    taken = mem_calloc(pattern->n_tokens, sizeof(taken[0]));
    room = mem_calloc(pattern->n_variables, sizeof(room[0]));
    found = mem_calloc(pattern->n_names, sizeof(found[0]));
    ok = walk(pattern, path, taken, &budget) == REGEX_MATCH &&
         extract_tokens(pattern, taken, room, found);
    for (size_t i = 0; ok && i < pattern->n_names; i++)
        values[i] = found[i];
    mem_free(taken);
    mem_free(room);
    mem_free(found);
    return ok;
}

static int sign(int difference)
{
    return (difference > 0) - (difference < 0);
}

int ant_pattern_compare(const struct ant_pattern *a, const struct ant_pattern *b, struct slice path)
{
    const struct rank *one = &a->rank, *two = &b->rank;
    bool one_is_path = slice_eq(ant_pattern_text(a), path);
    bool two_is_path = slice_eq(ant_pattern_text(b), path);
    int one_total = one->n_variables + one->n_stars + 2 * one->n_double_stars;
    int two_total = two->n_variables + two->n_stars + 2 * two->n_double_stars;

    assert(a->separator == b->separator);
    if (one->is_catch_all || two->is_catch_all)
        return one->is_catch_all - two->is_catch_all;
    if (one_is_path || two_is_path)
        return two_is_path - one_is_path;
    if (one->is_prefix && two->is_prefix)
        return sign(two->length - one->length);
    if (one->is_prefix && two->n_double_stars == 0)
        return 1;
    if (two->is_prefix && one->n_double_stars == 0)
        return -1;
    if (one_total != two_total)
        return sign(one_total - two_total);
    if (one->length != two->length)
        return sign(two->length - one->length);
    if (one->n_stars != two->n_stars)
        return sign(one->n_stars - two->n_stars);
    return sign(one->n_variables - two->n_variables);
}

/*
 * Comparing what two patterns match walks the table of (what is left of a, what is left of b) from
 * the ends; one row of it is kept. Tokens are compared by the same walk over their symbols.
 */

/** Which paths a pattern matches, by their last byte. */
enum ending { ENDING_EITHER, ENDING_SEPARATOR, ENDING_OTHER };

/**
 * A pattern that ends with a `*` token stands for two: itself, and itself without that token for
 * paths that end with a separator. Every pattern is the union of one or two of these.
 */
struct variant {
    const struct ant_token *tokens;
    size_t n_tokens;
    enum ending ending;
};

static size_t variants_of(const struct ant_pattern *p, struct variant out[2])
{
    bool tree_last = p->n_tokens != 0 && p->tokens[p->n_tokens - 1].kind == ANT_TOKEN_TREE;

    out[0] = (struct variant){p->tokens, p->n_tokens,
                              tree_last                ? ENDING_EITHER
                              : p->ends_with_separator ? ENDING_SEPARATOR
                                                       : ENDING_OTHER};
    if (!p->ends_with_star || p->has_tree)
        return 1;
    /* Without tokens a path that ends with a separator begins with it, too. */
    if (p->n_tokens == 1 && !p->starts_with_separator)
        return 1;
    out[1] = (struct variant){p->tokens, p->n_tokens - 1, ENDING_SEPARATOR};
    return 2;
}

static bool variants_intersect(const struct variant *a, const struct variant *b, size_t *budget)
{
    bool below[ANT_PATTERN_MAX / 2 + 2] = {false};

    if (a->ending != ENDING_EITHER && b->ending != ENDING_EITHER && a->ending != b->ending)
        return false;
    for (size_t i = a->n_tokens + 1; i-- > 0;) {
        bool corner = false;

        for (size_t j = b->n_tokens + 1; j-- > 0;) {
            bool a_tree = i < a->n_tokens && a->tokens[i].kind == ANT_TOKEN_TREE;
            bool b_tree = j < b->n_tokens && b->tokens[j].kind == ANT_TOKEN_TREE;
            bool down = i < a->n_tokens && below[j];
            bool right = j < b->n_tokens && below[j + 1];
            bool both = i < a->n_tokens && j < b->n_tokens && corner;

            corner = down;
            if (i == a->n_tokens && j == b->n_tokens)
                below[j] = true;
            else if (a_tree || b_tree)
                below[j] = down || right; /* as above, for tokens */
            else
                below[j] = both && ant_token_intersects(&a->tokens[i], &b->tokens[j], budget);
        }
    }
    return below[0];
}

static bool variant_covers(const struct variant *a, const struct variant *b, size_t *budget)
{
    bool below[ANT_PATTERN_MAX / 2 + 2] = {false};

    if (a->ending != ENDING_EITHER && a->ending != b->ending)
        return false;
    for (size_t i = a->n_tokens + 1; i-- > 0;) {
        bool corner = false;

        for (size_t j = b->n_tokens + 1; j-- > 0;) {
            bool down = i < a->n_tokens && below[j];
            bool both = i < a->n_tokens && j < b->n_tokens && corner;

            corner = down;
            if (i == a->n_tokens)
                below[j] = j == b->n_tokens;
            else if (a->tokens[i].kind == ANT_TOKEN_TREE)
                below[j] = down || (j < b->n_tokens && below[j + 1]);
            else
                below[j] = both && b->tokens[j].kind != ANT_TOKEN_TREE &&
                           ant_token_covers(&a->tokens[i], &b->tokens[j], budget);
        }
    }
    return below[0];
}

bool ant_pattern_intersects(const struct ant_pattern *a, const struct ant_pattern *b)
{
    struct variant of_a[2], of_b[2];
    size_t n_a = variants_of(a, of_a), n_b = variants_of(b, of_b), budget = ANT_TOKEN_BUDGET;

    if (a->separator != b->separator)
        return true;
    if (a->starts_with_separator != b->starts_with_separator)
        return false;
    for (size_t i = 0; i < n_a; i++) {
        for (size_t j = 0; j < n_b; j++) {
            if (variants_intersect(&of_a[i], &of_b[j], &budget))
                return true;
        }
    }
    return false;
}

bool ant_pattern_covers(const struct ant_pattern *outer, const struct ant_pattern *inner)
{
    struct variant of_outer[2], of_inner[2];
    size_t n_outer = variants_of(outer, of_outer), n_inner = variants_of(inner, of_inner);
    size_t budget = ANT_TOKEN_BUDGET;

    if (outer->separator != inner->separator ||
        outer->starts_with_separator != inner->starts_with_separator)
        return false;
    for (size_t i = 0; i < n_inner; i++) {
        bool covered = false;

        for (size_t j = 0; j < n_outer && !covered; j++)
            covered = variant_covers(&of_outer[j], &of_inner[i], &budget);
        if (!covered)
            return false;
    }
    return true;
}
