#include "gateway/router/selector_token.h"

#include <stddef.h>
#include <stdint.h>
#include "base/hex.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

static size_t count_digits(struct slice s, size_t at)
{
    size_t n = 0;

    while (at + n < s.len && is_digit(s.base[at + n]))
        n++;
    return n;
}

static bool has_letter(struct slice s, size_t at, char lower)
{
    return at < s.len && (s.base[at] | 0x20) == lower;
}

/* What Integer.parseInt and Long.parseLong take. */
static bool is_within(struct slice digits, uint64_t radix, bool is_long)
{
    uint64_t max = is_long ? INT64_MAX : INT32_MAX, n = 0;

    for (size_t i = 0; i < digits.len; i++) {
        uint64_t digit = (uint64_t)hex_value(digits.base[i]);

        if (n > (max - digit) / radix)
            return false;
        n = n * radix + digit;
    }
    return digits.len != 0;
}

static struct selector_token number_token(struct slice s, size_t len, bool is_good)
{
    return (struct selector_token){.kind = is_good ? SELECTOR_TOKEN_NUMBER : SELECTOR_TOKEN_BAD,
                                   .text = slice_take(s, len)};
}

static struct selector_token read_hex(struct slice s)
{
    size_t end = 2;
    bool is_long;

    while (end < s.len && hex_value(s.base[end]) >= 0)
        end++;
    is_long = has_letter(s, end, 'l');
    return number_token(s, end + is_long, is_within(slice_of(s.base + 2, end - 2), 16, is_long));
}

static struct selector_token read_number(struct slice s)
{
    size_t end = count_digits(s, 0), fraction;
    bool is_real = false, is_good = true;

    if (s.base[0] == '0' && has_letter(s, 1, 'x'))
        return read_hex(s);
    fraction = end < s.len && s.base[end] == '.' ? count_digits(s, end + 1) : 0;
    if (fraction != 0) {
        is_real = true;
        end += 1 + fraction;
    } else if (end < s.len && s.base[end] == '.') {
        return number_token(s, end, is_within(slice_take(s, end), 10, false));
    }
    if (has_letter(s, end, 'l'))
        return number_token(s, end + 1, !is_real && is_within(slice_take(s, end), 10, true));
    if (has_letter(s, end, 'e')) {
        is_real = true;
        end++;
        if (end < s.len && (s.base[end] == '+' || s.base[end] == '-'))
            end++;
        is_good = count_digits(s, end) != 0;
        end += count_digits(s, end);
    }
    if (has_letter(s, end, 'f') || has_letter(s, end, 'd')) {
        is_real = true;
        end++;
    }
    return number_token(s, end, is_good && (is_real || is_within(slice_take(s, end), 10, false)));
}

static struct selector_token read_string(struct slice s)
{
    for (size_t i = 1; i < s.len; i++) {
        if (s.base[i] != s.base[0])
            continue;
        if (i + 1 == s.len || s.base[i + 1] != s.base[0])
            return (struct selector_token){.kind = SELECTOR_TOKEN_STRING,
                                           .text = slice_take(s, i + 1)};
        i++;
    }
    return (struct selector_token){.kind = SELECTOR_TOKEN_BAD, .text = s};
}

static struct selector_token read_word(struct slice s)
{
    static const struct {
        struct slice word;
        enum selector_token_kind kind;
    } operators[] = {
        {SLICE("eq"), SELECTOR_TOKEN_EQ},     {SLICE("ne"), SELECTOR_TOKEN_NE},
        {SLICE("lt"), SELECTOR_TOKEN_LT},     {SLICE("gt"), SELECTOR_TOKEN_GT},
        {SLICE("le"), SELECTOR_TOKEN_LE},     {SLICE("ge"), SELECTOR_TOKEN_GE},
        {SLICE("not"), SELECTOR_TOKEN_NOT},   {SLICE("and"), SELECTOR_TOKEN_AND},
        {SLICE("or"), SELECTOR_TOKEN_OR},     {SLICE("div"), SELECTOR_TOKEN_INFIX},
        {SLICE("mod"), SELECTOR_TOKEN_INFIX},
    };
    struct selector_token token = {.kind = SELECTOR_TOKEN_WORD, .is_word = true};
    size_t end = 1;

    while (end < s.len && (is_word_start(s.base[end]) || is_digit(s.base[end])))
        end++;
    token.text = slice_take(s, end);
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        if (slice_eq_nocase(token.text, operators[i].word))
            token.kind = operators[i].kind;
    }
    return token;
}

static struct selector_token read_symbol(struct slice s)
{
    static const struct {
        struct slice symbol;
        enum selector_token_kind kind;
    } symbols[] = {
        /* the longer before what they begin with */
        {SLICE("=="), SELECTOR_TOKEN_EQ},     {SLICE("!="), SELECTOR_TOKEN_NE},
        {SLICE("<="), SELECTOR_TOKEN_LE},     {SLICE(">="), SELECTOR_TOKEN_GE},
        {SLICE("&&"), SELECTOR_TOKEN_AND},    {SLICE("||"), SELECTOR_TOKEN_OR},
        {SLICE("!["), SELECTOR_TOKEN_PREFIX}, {SLICE("++"), SELECTOR_TOKEN_INFIX},
        {SLICE("--"), SELECTOR_TOKEN_INFIX},  {SLICE("<"), SELECTOR_TOKEN_LT},
        {SLICE(">"), SELECTOR_TOKEN_GT},      {SLICE("!"), SELECTOR_TOKEN_NOT},
        {SLICE("("), SELECTOR_TOKEN_OPEN},    {SLICE(")"), SELECTOR_TOKEN_CLOSE},
        {SLICE("."), SELECTOR_TOKEN_DOT},     {SLICE("-"), SELECTOR_TOKEN_MINUS},
        {SLICE("+"), SELECTOR_TOKEN_PLUS},    {SLICE("["), SELECTOR_TOKEN_INFIX},
        {SLICE("^"), SELECTOR_TOKEN_INFIX},   {SLICE("?"), SELECTOR_TOKEN_INFIX},
        {SLICE("="), SELECTOR_TOKEN_INFIX},   {SLICE("*"), SELECTOR_TOKEN_INFIX},
        {SLICE("/"), SELECTOR_TOKEN_INFIX},   {SLICE("%"), SELECTOR_TOKEN_INFIX},
        {SLICE("{"), SELECTOR_TOKEN_PREFIX},  {SLICE("#"), SELECTOR_TOKEN_PREFIX},
        {SLICE("@"), SELECTOR_TOKEN_PREFIX},  {SLICE("&"), SELECTOR_TOKEN_PREFIX},
        {SLICE("]"), SELECTOR_TOKEN_OTHER},   {SLICE("}"), SELECTOR_TOKEN_OTHER},
        {SLICE(","), SELECTOR_TOKEN_OTHER},   {SLICE(":"), SELECTOR_TOKEN_OTHER},
    };

    for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
        if (slice_starts_with(s, symbols[i].symbol))
            return (struct selector_token){.kind = symbols[i].kind,
                                           .text = slice_take(s, symbols[i].symbol.len)};
    }
    return (struct selector_token){.kind = SELECTOR_TOKEN_BAD, .text = slice_take(s, 1)};
}

struct selector_token selector_token_read(struct slice s)
{
    while (s.len != 0 &&
           (s.base[0] == ' ' || s.base[0] == '\t' || s.base[0] == '\r' || s.base[0] == '\n'))
        s = slice_skip(s, 1);
    if (s.len == 0)
        return (struct selector_token){.kind = SELECTOR_TOKEN_END, .text = s};
    if (is_word_start(s.base[0]))
        return read_word(s);
    if (is_digit(s.base[0]))
        return read_number(s);
    if (s.base[0] == '\'' || s.base[0] == '"')
        return read_string(s);
    return read_symbol(s);
}
