#include "base/ant_token.h"

#include <assert.h>
#include <string.h>
#include "base/buf.h"
#include "base/mem.h"

/*
 * A token is kept as symbols. A character is the number that its UTF-8 bytes make, first byte
 * highest: at most 0xff for one byte, at least 0xc080 for two. So no character is one of these.
 */
enum {
    SYMBOL_ONE = 0x100,      /* ? */
    SYMBOL_MANY = 0x101,     /* * */
    SYMBOL_VARIABLE = 0x102, /* {name}; among `symbols` it is a SYMBOL_MANY */
};

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

/** Where the content of a variable may go on, and where the variable then ends: 0 for nowhere. */
struct braces {
    struct slice text;
    uint16_t ends[ANT_PATTERN_MAX + 1];
};

/*
 * Spring finds variables by `\{((?:\{[^/]+?\}|[^/{}]|\\[{}])+?)\}`, where a token has no separator:
 * the content takes one of three things and goes on behind it, the first that leads to an end.
 */
static uint16_t take_content(const struct braces *braces, size_t pos)
{
    struct slice text = braces->text;
    uint16_t end;

    if (pos >= text.len || text.base[pos] == '}')
        return 0;
    if (text.base[pos] == '{') {
        for (size_t i = pos + 2; i < text.len; i++) {
            if (text.base[i] == '}' && braces->ends[i + 1] != 0)
                return braces->ends[i + 1];
        }
        return 0;
    }
    end = braces->ends[pos + 1];
    if (end == 0 && text.base[pos] == '\\' && pos + 1 < text.len &&
        (text.base[pos + 1] == '{' || text.base[pos + 1] == '}'))
        end = braces->ends[pos + 2];
    return end;
}

/** From the last byte to the first, so that each asks only what is known. */
static void find_braces(struct slice text, struct braces *braces)
{
    braces->text = text;
    braces->ends[text.len] = 0;
    for (size_t i = text.len; i-- > 0;)
        braces->ends[i] = text.base[i] == '}' ? (uint16_t)(i + 1) : take_content(braces, i);
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

/** A token while it is read. */
struct reading {
    struct ant_token *token;
    struct buf regex; /* what Spring builds of it */
    bool is_wild;
    bool has_regex;
};

static void put(struct reading *reading, struct slice bytes)
{
    bool ok = buf_append(&reading->regex, bytes);

    assert(ok); /* a variable of 3 bytes becomes 8 */
    (void)ok;
}

static void put_str(struct reading *reading, const char *str)
{
    put(reading, slice_str(str));
}

static void put_literal(struct reading *reading, struct slice character)
{
    unsigned char c = (unsigned char)character.base[0];

    if (c < 0x80 && !(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
        put_str(reading, "\\");
    put(reading, character);
}

/** `content` is what stands within the braces. */
static enum ant_status read_variable(struct reading *reading, struct slice content)
{
    struct ant_token *token = reading->token;
    struct slice name = content, regex;

    if (slice_cut(content, ':', &name, &regex)) {
        if (!regex_is_closed(regex))
            return ANT_ERR_REGEX;
        reading->has_regex = true;
        put_str(reading, "(");
        put(reading, regex);
        put_str(reading, ")");
    } else {
        put_str(reading, "((?s).*)");
    }
    token->variables[token->n_variables++] = name;
    return ANT_OK;
}

/** Reads what stands at `*pos`, which is moved behind it. */
static enum ant_status read_part(struct reading *reading, const struct braces *braces, size_t *pos)
{
    struct ant_token *token = reading->token;
    size_t start = *pos;
    char c = token->text.base[start];
    uint16_t end = c == '{' ? take_content(braces, start + 1) : 0;
    uint32_t part;

    if (c != '?' && c != '*' && end == 0) {
        part = next_character(token->text, pos);
        token->symbols[token->n_symbols++] = part;
        token->parts[token->n_parts++] = part;
        put_literal(reading, slice_take(slice_skip(token->text, start), *pos - start));
        return ANT_OK;
    }
    part = end != 0 ? SYMBOL_VARIABLE : c == '?' ? SYMBOL_ONE : SYMBOL_MANY;
    token->parts[token->n_parts++] = part;
    token->n_symbols =
        add_wildcard(token->symbols, token->n_symbols, c == '?' ? SYMBOL_ONE : SYMBOL_MANY);
    reading->is_wild = true;
    *pos = end != 0 ? end : start + 1;
    if (end == 0) {
        put_str(reading, c == '?' ? "." : ".*");
        return ANT_OK;
    }
    return read_variable(reading, slice_of(token->text.base + start + 1, end - start - 2U));
}

static enum ant_token_kind kind_of(const struct reading *reading)
{
    const struct ant_token *token = reading->token;
    size_t n = token->n_symbols;

    if (slice_eq(token->text, (struct slice)SLICE("**")))
        return ANT_TOKEN_TREE;
    if (!reading->is_wild)
        return ANT_TOKEN_LITERAL;
    if (reading->has_regex)
        return ANT_TOKEN_REGEX;
    /* No token is empty, so `?*` is no less than `*`. */
    if (token->symbols[n - 1] == SYMBOL_MANY &&
        (n == 1 || (n == 2 && token->symbols[0] == SYMBOL_ONE)))
        return ANT_TOKEN_ANY;
    return ANT_TOKEN_GLOB;
}

/** Keeps what is needed of what was made large enough for any token. */
static void trim(struct ant_token *token)
{
    token->symbols = mem_realloc(token->symbols, token->n_symbols * sizeof(token->symbols[0]));
    if (token->n_variables != 0) {
        token->parts = mem_realloc(token->parts, token->n_parts * sizeof(token->parts[0]));
        token->variables =
            mem_realloc(token->variables, token->n_variables * sizeof(token->variables[0]));
        return;
    }
    mem_free(token->parts);
    mem_free(token->variables);
    token->parts = NULL;
    token->n_parts = 0;
    token->variables = NULL;
}

enum ant_status ant_token_init(struct ant_token *token, struct slice text)
{
    struct reading reading = {.token = token};
    struct braces braces;
    enum ant_status status = ANT_OK;

    assert(text.len != 0 && text.len <= ANT_PATTERN_MAX);
    *token = (struct ant_token){.text = text};
    token->symbols = mem_calloc(text.len, sizeof(token->symbols[0]));
    token->parts = mem_calloc(text.len, sizeof(token->parts[0]));
    token->variables = mem_calloc(text.len / 3 + 1, sizeof(token->variables[0]));
    buf_init(&reading.regex, 3 * text.len + 16);
    find_braces(text, &braces);
    put_str(&reading, "(?s)");
    for (size_t pos = 0; pos < text.len && status == ANT_OK;)
        status = read_part(&reading, &braces, &pos);
    token->kind = kind_of(&reading);
    if (status == ANT_OK && token->kind == ANT_TOKEN_REGEX &&
        regex_new(buf_slice(&reading.regex), &token->regex) != REGEX_OK)
        status = ANT_ERR_REGEX;
    buf_dispose(&reading.regex);
    trim(token);
    if (status != ANT_OK)
        ant_token_dispose(token);
    return status;
}

void ant_token_dispose(struct ant_token *token)
{
    mem_free(token->symbols);
    mem_free(token->parts);
    mem_free(token->variables);
    regex_free(token->regex);
    *token = (struct ant_token){0};
}

/*
 * The classical way: on a mismatch the last star takes one character more. Stars before the last
 * never need to be tried again, which is what bounds the steps.
 */
static bool glob_match(const struct ant_token *token, struct slice text)
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

static enum regex_answer regex_run(const struct ant_token *token, struct slice text,
                                   struct slice *values, size_t *budget)
{
    size_t cost = text.len + 64; /* a short text can take long, too */

    if (*budget < cost) {
        *budget = 0;
        return REGEX_UNKNOWN;
    }
    *budget -= cost;
    return regex_capture(token->regex, text, values, values != NULL ? token->n_variables : 0);
}

enum regex_answer ant_token_match(const struct ant_token *token, struct slice text, size_t *budget)
{
    bool matches = true;

    if (token->kind == ANT_TOKEN_REGEX)
        return regex_run(token, text, NULL, budget);
    if (token->kind == ANT_TOKEN_LITERAL)
        matches = slice_eq(token->text, text);
    else if (token->kind == ANT_TOKEN_GLOB)
        matches = glob_match(token, text);
    return matches ? REGEX_MATCH : REGEX_NO_MATCH;
}

bool ant_token_can_capture(const struct ant_token *token)
{
    for (size_t i = 0; i < token->n_variables; i++) {
        if (slice_starts_with(token->variables[i], (struct slice)SLICE("*")))
            return false;
    }
    return token->regex == NULL || regex_n_groups(token->regex) == token->n_variables;
}

/*
 * In Spring each wildcard is greedy: the first takes as much as leaves a match for the rest, then
 * the second, and so on. So what stands between them lies as far to the right as it can: this is
 * the classical way again, from the end to the beginning, with stars that take as little as they
 * can.
 */
static void glob_capture(const struct ant_token *token, struct slice text, struct slice *values)
{
    uint32_t *characters = mem_calloc(text.len + 1, sizeof(characters[0]));
    size_t *offsets = mem_calloc(text.len + 1, sizeof(offsets[0]));
    size_t *begins = mem_calloc(token->n_parts, sizeof(begins[0]));
    size_t *ends = mem_calloc(token->n_parts, sizeof(ends[0]));
    size_t n = 0, i = token->n_parts, pos, star = token->n_parts, value = 0;

    for (size_t at = 0; at < text.len; n++) {
        offsets[n] = at;
        characters[n] = next_character(text, &at);
    }
    offsets[n] = text.len;
    for (pos = n; i > 0 || pos > 0;) {
        uint32_t part = i > 0 ? token->parts[i - 1] : 0;

        if (i > 0 && (part == SYMBOL_MANY || part == SYMBOL_VARIABLE)) {
            star = --i;
            begins[star] = ends[star] = pos;
        } else if (i > 0 && pos > 0 && (part == SYMBOL_ONE || part == characters[pos - 1])) {
            i--;
            pos--;
        } else {
            assert(star < token->n_parts && begins[star] > 0); /* for the token matches */
            pos = --begins[star];
            i = star;
        }
    }
    for (i = 0; i < token->n_parts; i++) {
        if (token->parts[i] == SYMBOL_VARIABLE)
            values[value++] =
                slice_of(text.base + offsets[begins[i]], offsets[ends[i]] - offsets[begins[i]]);
    }
    mem_free(characters);
    mem_free(offsets);
    mem_free(begins);
    mem_free(ends);
}

enum regex_answer ant_token_capture(const struct ant_token *token, struct slice text,
                                    struct slice *values, size_t *budget)
{
    assert(ant_token_can_capture(token));
    if (token->n_variables == 0)
        return REGEX_MATCH;
    if (token->kind == ANT_TOKEN_REGEX)
        return regex_run(token, text, values, budget);
    if (token->n_parts == 1)
        values[0] = text;
    else
        glob_capture(token, text, values);
    return REGEX_MATCH;
}

/*
 * Comparing two tokens walks the table of (what is left of a, what is left of b) from the ends; one
 * row of it is kept.
 */
static bool symbols_intersect(const struct ant_token *a, const struct ant_token *b)
{
    bool below[ANT_PATTERN_MAX + 1] = {false};

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

static bool symbols_cover(const struct ant_token *a, const struct ant_token *b)
{
    bool below[ANT_PATTERN_MAX + 1] = {false};

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

bool ant_token_intersects(const struct ant_token *a, const struct ant_token *b, size_t *budget)
{
    if (a->kind == ANT_TOKEN_LITERAL)
        return ant_token_match(b, a->text, budget) != REGEX_NO_MATCH;
    if (b->kind == ANT_TOKEN_LITERAL)
        return ant_token_match(a, b->text, budget) != REGEX_NO_MATCH;
    if (a->kind == ANT_TOKEN_ANY || b->kind == ANT_TOKEN_ANY)
        return true;
    return symbols_intersect(a, b);
}

bool ant_token_covers(const struct ant_token *a, const struct ant_token *b, size_t *budget)
{
    if (a->kind == ANT_TOKEN_ANY || slice_eq(a->text, b->text))
        return true;
    if (b->kind == ANT_TOKEN_LITERAL)
        return ant_token_match(a, b->text, budget) == REGEX_MATCH;
    if (a->kind == ANT_TOKEN_LITERAL || a->kind == ANT_TOKEN_REGEX)
        return false;
    return symbols_cover(a, b);
}
