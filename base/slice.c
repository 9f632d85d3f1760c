#include "base/slice.h"

struct slice slice_str(const char *str)
{
    return str == NULL ? (struct slice){"", 0} : (struct slice){str, strlen(str)};
}

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool slice_eq_nocase(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.base[i]) != lower(b.base[i]))
            return false;
    }
    return true;
}

int slice_cmp(struct slice a, struct slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len == 0 ? 0 : memcmp(a.base, b.base, len);

    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

bool slice_ends_with(struct slice s, struct slice suffix)
{
    return s.len >= suffix.len && slice_eq(slice_skip(s, s.len - suffix.len), suffix);
}

bool slice_cut(struct slice s, char byte, struct slice *head, struct slice *tail)
{
    size_t at = slice_find(s, byte);

    if (at == s.len)
        return false;
    *head = slice_take(s, at);
    *tail = slice_skip(s, at + 1);
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct slice slice_trim(struct slice s)
{
    while (s.len != 0 && is_blank(s.base[0]))
        s = slice_skip(s, 1);
    while (s.len != 0 && is_blank(s.base[s.len - 1]))
        s.len--;
    return s;
}

bool slice_to_u64(struct slice s, uint64_t max, uint64_t *out)
{
    uint64_t n = 0;

    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        uint64_t digit;

        if (s.base[i] < '0' || s.base[i] > '9')
            return false;
        digit = (uint64_t)(s.base[i] - '0');
        if (n > (max - digit) / 10 || max < digit)
            return false;
        n = n * 10 + digit;
    }
    *out = n;
    return true;
}
