#include "gateway/router/selector_value.h"

#include <stddef.h>

/* Java's trim, which goes first, takes every control character. */
static bool text_to_bool(struct slice text, bool *out)
{
    static const struct {
        struct slice text;
        bool is_true;
    } words[] = {
        {SLICE("true"), true},   {SLICE("on"), true},   {SLICE("yes"), true}, {SLICE("1"), true},
        {SLICE("false"), false}, {SLICE("off"), false}, {SLICE("no"), false}, {SLICE("0"), false},
    };

    while (text.len != 0 && (unsigned char)text.base[0] <= ' ')
        text = slice_skip(text, 1);
    while (text.len != 0 && (unsigned char)text.base[text.len - 1] <= ' ')
        text.len--;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (slice_eq_nocase(text, words[i].text)) {
            *out = words[i].is_true;
            return true;
        }
    }
    return false;
}

bool selector_value_to_bool(const struct selector_value *value, bool *out)
{
    if (value->kind == SELECTOR_VALUE_STRING)
        return text_to_bool(value->text, out);
    *out = value->is_true;
    return value->kind == SELECTOR_VALUE_BOOLEAN;
}

/* The order of UTF-16 differs from that of UTF-8 in this: U+10000 and above, whose lead byte is
 * F0 or more, come before U+E000 to U+FFFF, lead bytes EE and EF, for they are surrogates there. */
static int compare_text(struct slice a, struct slice b)
{
    size_t i = 0;
    unsigned char x, y;

    while (i < a.len && i < b.len && a.base[i] == b.base[i])
        i++;
    if (i == a.len || i == b.len)
        return a.len == b.len ? 0 : i == a.len ? -1 : 1;
    x = (unsigned char)a.base[i];
    y = (unsigned char)b.base[i];
    if (x >= 0xee && y >= 0xee && (x >= 0xf0) != (y >= 0xf0))
        return x >= 0xf0 ? -1 : 1;
    return x < y ? -1 : 1;
}

bool selector_value_eq(const struct selector_value *a, const struct selector_value *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == SELECTOR_VALUE_STRING)
        return slice_eq(a->text, b->text);
    return a->is_true == b->is_true;
}

bool selector_value_cmp(const struct selector_value *a, const struct selector_value *b, int *out)
{
    if (a->kind == SELECTOR_VALUE_NULL || b->kind == SELECTOR_VALUE_NULL) {
        *out = (a->kind != SELECTOR_VALUE_NULL) - (b->kind != SELECTOR_VALUE_NULL);
        return true;
    }
    if (a->kind != b->kind)
        return false;
    *out =
        a->kind == SELECTOR_VALUE_STRING ? compare_text(a->text, b->text) : a->is_true - b->is_true;
    return true;
}
