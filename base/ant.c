#include "base/ant.h"

#include <assert.h>
#include <string.h>
#include "base/mem.h"

/*
 * A token is kept as symbols. A character is the number that its UTF-8 bytes make, first byte
 * highest: at most 0xff for one byte, at least 0xc080 for two. So no character is one of these.
 */
enum {
    SYMBOL_ONE = 0x100,  /* ? */
    SYMBOL_MANY = 0x101, /* * and {name} */
};

enum token_kind {
    TOKEN_LITERAL, /* bytes that must be equal */
    TOKEN_GLOB,    /* some wildcard in it */
    TOKEN_ANY,     /* any one token: nothing but stars */
    TOKEN_TREE,    /* ** */
};

struct token {
    enum token_kind kind;
    struct slice text;
    const uint32_t *symbols;
    size_t n_symbols;
};

struct ant_pattern {
    char *text;
    size_t len;
    bool starts_with_slash;
    bool ends_with_slash;
    bool has_tree;
    bool ends_with_star; /* the last token is exactly `*` */
    struct token *tokens;
    size_t n_tokens;
    uint32_t *symbols;
};

const char *ant_strstatus(enum ant_status status)
{
    switch (status) {
    case ANT_OK:
        return "ok";
    case ANT_ERR_LENGTH:
        return "the pattern is longer than 1024 bytes";
    case ANT_ERR_BRACES:
        return "the pattern has {name:regex} or nested braces, which are not supported";
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

/** The character at `*pos`, which is moved behind it. A broken one is as long as it is whole. */
static uint32_t next_character(struct slice text, size_t *pos)
{
    unsigned char lead = (unsigned char)text.base[(*pos)++];
    int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
    uint32_t character = lead;

    for (; more > 0 && *pos < text.len && ((unsigned char)text.base[*pos] & 0xc0) == 0x80; more--)
        character = character << 8 | (unsigned char)text.base[(*pos)++];
    return character;
}

/** The token at or after `*pos`, which is moved behind it; empty at the end of the path. */
static struct slice next_token(struct slice path, size_t *pos)
{
    size_t start;

    while (*pos < path.len && path.base[*pos] == '/')
        (*pos)++;
    start = *pos;
    *pos += slice_find(slice_skip(path, start), '/');
    return slice_take(slice_skip(path, start), *pos - start);
}

/**
 * Reads a brace at the start of `text`: `*len` is how many bytes are one `{name}`, or 1 when the
 * brace is a plain character. `{}` is plain, for a name has at least one character.
 */
static enum ant_status read_brace(struct slice text, size_t *len)
{
    bool colon = false;

    for (size_t i = 1; i < text.len; i++) {
        if (text.base[i] == '{')
            return ANT_ERR_BRACES;
        if (text.base[i] == ':')
            colon = true;
        if (text.base[i] == '}') {
            *len = i == 1 ? 1 : i + 1;
            return colon && i != 1 ? ANT_ERR_BRACES : ANT_OK;
        }
    }
    *len = 1;
    return ANT_OK;
}

/** Adds a wildcard; within a run of them `?` goes before `*`, and one `*` is enough. */
static size_t add_wildcard(uint32_t *symbols, size_t n, uint32_t symbol)
{
    if (n == 0 || symbols[n - 1] != SYMBOL_MANY) {
        symbols[n++] = symbol;
    } else if (symbol == SYMBOL_ONE) {
        symbols[n - 1] = SYMBOL_ONE;
        symbols[n++] = SYMBOL_MANY;
    }
    return n;
}

/** Compiles one token into `symbols`, which has room for a symbol per byte. */
static enum ant_status compile_token(struct token *token, uint32_t *symbols)
{
    bool wild = false;
    size_t n = 0;

    for (size_t pos = 0; pos < token->text.len;) {
        char c = token->text.base[pos];
        size_t len = 1;

        if (c == '{') {
            enum ant_status status = read_brace(slice_skip(token->text, pos), &len);

            if (status != ANT_OK)
                return status;
        }
        if (c == '?' || c == '*' || len > 1) {
            n = add_wildcard(symbols, n, c == '?' ? SYMBOL_ONE : SYMBOL_MANY);
            wild = true;
            pos += len;
        } else {
            symbols[n++] = next_character(token->text, &pos);
        }
    }
    token->symbols = symbols;
    token->n_symbols = n;
    token->kind = wild ? TOKEN_GLOB : TOKEN_LITERAL;
    /* No token is empty, so `?*` is no less than `*`. */
    if (slice_eq(token->text, (struct slice)SLICE("**")))
        token->kind = TOKEN_TREE;
    else if (n != 0 && symbols[n - 1] == SYMBOL_MANY &&
             (n == 1 || (n == 2 && symbols[0] == SYMBOL_ONE)))
        token->kind = TOKEN_ANY;
    return ANT_OK;
}

enum ant_status ant_pattern_new(struct slice text, struct ant_pattern **out)
{
    struct ant_pattern *p;
    struct slice copy;
    uint32_t *symbols;

    if (text.len > ANT_PATTERN_MAX)
        return ANT_ERR_LENGTH;
    p = mem_calloc(1, sizeof(*p));
    copy = mem_slice_dup(text);
    p->text = (char *)copy.base;
    p->len = copy.len;
    p->starts_with_slash = copy.len != 0 && copy.base[0] == '/';
    p->ends_with_slash = copy.len != 0 && copy.base[copy.len - 1] == '/';
    /* "a/b" has the most tokens for its length; one more is tried and found empty. */
    p->tokens = mem_calloc(copy.len / 2 + 2, sizeof(p->tokens[0]));
    p->symbols = mem_calloc(copy.len + 1, sizeof(p->symbols[0]));
    symbols = p->symbols;
    for (size_t pos = 0;;) {
        struct token *token = &p->tokens[p->n_tokens];
        enum ant_status status;

        token->text = next_token(copy, &pos);
        if (token->text.len == 0)
            break;
        status = compile_token(token, symbols);
        if (status != ANT_OK) {
            ant_pattern_free(p);
            return status;
        }
        symbols += token->n_symbols;
        p->has_tree = p->has_tree || token->kind == TOKEN_TREE;
        p->ends_with_star = slice_eq(token->text, (struct slice)SLICE("*"));
        p->n_tokens++;
    }
    *out = p;
    return ANT_OK;
}

void ant_pattern_free(struct ant_pattern *pattern)
{
    if (pattern == NULL)
        return;
    mem_free(pattern->text);
    mem_free(pattern->tokens);
    mem_free(pattern->symbols);
    mem_free(pattern);
}

struct slice ant_pattern_text(const struct ant_pattern *pattern)
{
    return slice_of(pattern->text, pattern->len);
}

/*
 * Both levels are matched in the classical way: on a mismatch the last star takes one thing more.
 * Stars before the last never need to be tried again, which is what bounds the steps.
 */
static bool glob_match(const struct token *token, struct slice text)
{
    size_t i = 0, pos = 0, star = token->n_symbols, star_pos = 0;

    while (pos < text.len) {
        size_t next = pos;
        uint32_t character = next_character(text, &next);

        if (i < token->n_symbols && token->symbols[i] == SYMBOL_MANY) {
            star = i++;
            star_pos = pos;
        } else if (i < token->n_symbols &&
                   (token->symbols[i] == SYMBOL_ONE || token->symbols[i] == character)) {
            i++;
            pos = next;
        } else if (star != token->n_symbols) {
            (void)next_character(text, &star_pos);
            pos = star_pos;
            i = star + 1;
        } else {
            return false;
        }
    }
    while (i < token->n_symbols && token->symbols[i] == SYMBOL_MANY)
        i++;
    return i == token->n_symbols;
}

static bool token_match(const struct token *token, struct slice text)
{
    switch (token->kind) {
    case TOKEN_LITERAL:
        return slice_eq(token->text, text);
    case TOKEN_GLOB:
        return glob_match(token, text);
    case TOKEN_ANY:
    case TOKEN_TREE:
        return true;
    }
    return false;
}

/** What is left of the pattern when the path has no more tokens. */
static bool match_end(const struct ant_pattern *p, size_t i, bool path_ends_with_slash)
{
    if (i + 1 == p->n_tokens && p->ends_with_star && !p->has_tree && path_ends_with_slash)
        return true;
    while (i < p->n_tokens && p->tokens[i].kind == TOKEN_TREE)
        i++;
    if (i < p->n_tokens)
        return false;
    return (i != 0 && p->tokens[i - 1].kind == TOKEN_TREE) ||
           p->ends_with_slash == path_ends_with_slash;
}

bool ant_pattern_match(const struct ant_pattern *pattern, struct slice path)
{
    size_t i = 0, pos = 0, tree = pattern->n_tokens, tree_pos = 0;

    if (pattern->starts_with_slash != (path.len != 0 && path.base[0] == '/'))
        return false;
    for (;;) {
        size_t next = pos;
        struct slice token = next_token(path, &next);

        if (token.len == 0)
            return match_end(pattern, i, path.len != 0 && path.base[path.len - 1] == '/');
        if (i < pattern->n_tokens && pattern->tokens[i].kind == TOKEN_TREE) {
            tree = i++;
            tree_pos = pos;
            if (i == pattern->n_tokens)
                return true;
        } else if (i < pattern->n_tokens && token_match(&pattern->tokens[i], token)) {
            i++;
            pos = next;
        } else if (tree != pattern->n_tokens) {
            (void)next_token(path, &tree_pos);
            pos = tree_pos;
            i = tree + 1;
        } else {
            return false;
        }
    }
}

/*
 * Comparing two patterns walks the table of (what is left of a, what is left of b) from the ends;
 * one row of it is kept. Tokens are compared by the same walk over their symbols.
 */
static bool tokens_intersect(const struct token *a, const struct token *b)
{
    bool below[ANT_PATTERN_MAX + 1] = {false};

    if (a->kind == TOKEN_ANY || b->kind == TOKEN_ANY)
        return true;
    if (a->kind == TOKEN_LITERAL && b->kind == TOKEN_LITERAL)
        return slice_eq(a->text, b->text);
    for (size_t i = a->n_symbols + 1; i-- > 0;) {
        bool corner = false; /* below[j + 1], as the row below has it */

        for (size_t j = b->n_symbols + 1; j-- > 0;) {
            bool down = i < a->n_symbols && below[j];
            bool right = j < b->n_symbols && below[j + 1];
            bool both = i < a->n_symbols && j < b->n_symbols && corner;

            corner = down;
            if (i == a->n_symbols && j == b->n_symbols)
                below[j] = true;
            else if ((i < a->n_symbols && a->symbols[i] == SYMBOL_MANY) ||
                     (j < b->n_symbols && b->symbols[j] == SYMBOL_MANY))
                below[j] = down || right; /* either stops there, or takes the other's symbol */
            else
                below[j] = both && (a->symbols[i] == SYMBOL_ONE || b->symbols[j] == SYMBOL_ONE ||
                                    a->symbols[i] == b->symbols[j]);
        }
    }
    return below[0];
}

static bool token_covers(const struct token *a, const struct token *b)
{
    bool below[ANT_PATTERN_MAX + 1] = {false};

    if (a->kind == TOKEN_ANY)
        return true;
    if (a->kind == TOKEN_LITERAL)
        return b->kind == TOKEN_LITERAL && slice_eq(a->text, b->text);
    for (size_t i = a->n_symbols + 1; i-- > 0;) {
        bool corner = false;

        for (size_t j = b->n_symbols + 1; j-- > 0;) {
            bool down = i < a->n_symbols && below[j];
            bool both = i < a->n_symbols && j < b->n_symbols && corner;

            corner = down;
            if (i == a->n_symbols)
                below[j] = j == b->n_symbols;
            else if (a->symbols[i] == SYMBOL_MANY)
                below[j] = down || (j < b->n_symbols && below[j + 1]);
            else
                below[j] = both && b->symbols[j] != SYMBOL_MANY &&
                           (a->symbols[i] == SYMBOL_ONE || a->symbols[i] == b->symbols[j]);
        }
    }
    return below[0];
}

/** Which paths a pattern matches, by their last byte. */
enum ending { ENDING_EITHER, ENDING_SLASH, ENDING_OTHER };

/**
 * A pattern that ends with a `*` token stands for two: itself, and itself without that token for
 * paths that end with a slash. Every pattern is the union of one or two of these.
 */
struct variant {
    const struct token *tokens;
    size_t n_tokens;
    enum ending ending;
};

static size_t variants_of(const struct ant_pattern *p, struct variant out[2])
{
    bool tree_last = p->n_tokens != 0 && p->tokens[p->n_tokens - 1].kind == TOKEN_TREE;

    out[0] = (struct variant){p->tokens, p->n_tokens,
                              tree_last            ? ENDING_EITHER
                              : p->ends_with_slash ? ENDING_SLASH
                                                   : ENDING_OTHER};
    if (!p->ends_with_star || p->has_tree)
        return 1;
    /* Without tokens a path that ends with a slash begins with it, too. */
    if (p->n_tokens == 1 && !p->starts_with_slash)
        return 1;
    out[1] = (struct variant){p->tokens, p->n_tokens - 1, ENDING_SLASH};
    return 2;
}

static bool variants_intersect(const struct variant *a, const struct variant *b)
{
    bool below[ANT_PATTERN_MAX / 2 + 2] = {false};

    if (a->ending != ENDING_EITHER && b->ending != ENDING_EITHER && a->ending != b->ending)
        return false;
    for (size_t i = a->n_tokens + 1; i-- > 0;) {
        bool corner = false;

        for (size_t j = b->n_tokens + 1; j-- > 0;) {
            bool a_tree = i < a->n_tokens && a->tokens[i].kind == TOKEN_TREE;
            bool b_tree = j < b->n_tokens && b->tokens[j].kind == TOKEN_TREE;
            bool down = i < a->n_tokens && below[j];
            bool right = j < b->n_tokens && below[j + 1];
            bool both = i < a->n_tokens && j < b->n_tokens && corner;

            corner = down;
            if (i == a->n_tokens && j == b->n_tokens)
                below[j] = true;
            else if (a_tree || b_tree)
                below[j] = down || right; /* as above, for tokens */
            else
                below[j] = both && tokens_intersect(&a->tokens[i], &b->tokens[j]);
        }
    }
    return below[0];
}

static bool variant_covers(const struct variant *a, const struct variant *b)
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
            else if (a->tokens[i].kind == TOKEN_TREE)
                below[j] = down || (j < b->n_tokens && below[j + 1]);
            else
                below[j] = both && b->tokens[j].kind != TOKEN_TREE &&
                           token_covers(&a->tokens[i], &b->tokens[j]);
        }
    }
    return below[0];
}

bool ant_pattern_intersects(const struct ant_pattern *a, const struct ant_pattern *b)
{
    struct variant of_a[2], of_b[2];
    size_t n_a = variants_of(a, of_a), n_b = variants_of(b, of_b);

    if (a->starts_with_slash != b->starts_with_slash)
        return false;
    for (size_t i = 0; i < n_a; i++) {
        for (size_t j = 0; j < n_b; j++) {
            if (variants_intersect(&of_a[i], &of_b[j]))
                return true;
        }
    }
    return false;
}

bool ant_pattern_covers(const struct ant_pattern *outer, const struct ant_pattern *inner)
{
    struct variant of_outer[2], of_inner[2];
    size_t n_outer = variants_of(outer, of_outer), n_inner = variants_of(inner, of_inner);

    if (outer->starts_with_slash != inner->starts_with_slash)
        return false;
    for (size_t i = 0; i < n_inner; i++) {
        bool covered = false;

        for (size_t j = 0; j < n_outer && !covered; j++)
            covered = variant_covers(&of_outer[j], &of_inner[i]);
        if (!covered)
            return false;
    }
    return true;
}
