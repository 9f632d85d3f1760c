#include "auth/bearer.h"

#include <stdbool.h>
#include "base/hex.h"

/** 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=" */
static bool is_token68(struct slice s)
{
    size_t i = 0;

    while (i < s.len) {
        char c = s.base[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '.' || c == '_' || c == '~' || c == '+' || c == '/'))
            break;
        i++;
    }
    if (i == 0)
        return false;
    while (i < s.len && s.base[i] == '=')
        i++;
    return i == s.len;
}

enum auth_status auth_bearer_from_header(struct slice value, struct slice *token)
{
    const struct slice scheme = SLICE("Bearer");
    struct slice rest;

    value = slice_trim(value);
    if (!slice_eq_nocase(slice_take(value, slice_find(value, ' ')), scheme))
        return AUTH_ERR_NO_TOKEN;
    rest = slice_skip(value, scheme.len);
    while (rest.len != 0 && rest.base[0] == ' ')
        rest = slice_skip(rest, 1);
    if (!is_token68(rest))
        return AUTH_ERR_BEARER;
    *token = rest;
    return AUTH_OK;
}

/** Takes one character, decoded, from the front. Returns false for a broken escape. */
static bool next_decoded(struct slice *text, char *out)
{
    int high, low;

    if (text->base[0] != '%') {
        *out = text->base[0];
        *text = slice_skip(*text, 1);
        return true;
    }
    if (text->len < 3)
        return false;
    high = hex_value(text->base[1]);
    low = hex_value(text->base[2]);
    if (high < 0 || low < 0)
        return false;
    *out = (char)(high * 16 + low);
    *text = slice_skip(*text, 3);
    return true;
}

static bool is_named(struct slice encoded, struct slice name)
{
    size_t n = 0;
    char c;

    while (encoded.len != 0) {
        if (!next_decoded(&encoded, &c) || n == name.len || name.base[n] != c)
            return false;
        n++;
    }
    return n == name.len;
}

static enum auth_status decode(struct slice encoded, char *room, size_t room_len,
                               struct slice *token)
{
    size_t n = 0;
    char c;

    while (encoded.len != 0) {
        if (!next_decoded(&encoded, &c))
            return AUTH_ERR_BEARER;
        if (n == room_len)
            return AUTH_ERR_LARGE;
        room[n++] = c;
    }
    if (!is_token68(slice_of(room, n)))
        return AUTH_ERR_BEARER;
    *token = slice_of(room, n);
    return AUTH_OK;
}

enum auth_status auth_bearer_from_query(struct slice query, struct slice name, char *room,
                                        size_t room_len, struct slice *token)
{
    struct slice value = SLICE("");
    bool found = false;

    if (name.len == 0)
        return AUTH_ERR_NO_TOKEN;
    while (query.len != 0) {
        struct slice pair = slice_take(query, slice_find(query, '&'));
        size_t equals = slice_find(pair, '=');

        if (is_named(slice_take(pair, equals), name)) {
            /* RFC 6750, section 3.1: a parameter that comes twice is a bad request. */
            if (found)
                return AUTH_ERR_BEARER;
            found = true;
            value = slice_skip(pair, equals + 1);
        }
        query = slice_skip(query, pair.len + 1);
    }
    return found ? decode(value, room, room_len, token) : AUTH_ERR_NO_TOKEN;
}
