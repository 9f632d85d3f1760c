#include "gateway/http/target.h"

enum { HTTP_QUERY_NAME_MAX = 256 };

static struct slice without_authority(struct slice target)
{
    static const struct slice schemes[] = {SLICE("http://"), SLICE("https://")};

    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (slice_eq_nocase(slice_take(target, schemes[i].len), schemes[i])) {
            struct slice rest = slice_skip(target, schemes[i].len);
            size_t at = 0;

            while (at < rest.len && rest.base[at] != '/' && rest.base[at] != '?')
                at++;
            return slice_skip(rest, at);
        }
    }
    return target;
}

struct http_target http_target_split(struct slice target)
{
    struct slice rest = without_authority(target), fragment;
    struct http_target split = {.path = rest, .query = SLICE("")};

    (void)slice_cut(rest, '#', &rest, &fragment); /* not ours to see, but some send it */
    if (!slice_cut(rest, '?', &split.path, &split.query))
        split.path = rest;
    if (split.path.len == 0)
        split.path = (struct slice)SLICE("/");
    return split;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool http_percent_decode(struct slice coded, bool is_query, struct buf *out)
{
    for (size_t i = 0; i < coded.len; i++) {
        char c = coded.base[i];

        if (c == '%') {
            int high = i + 2 < coded.len ? hex_digit(coded.base[i + 1]) : -1;
            int low = high < 0 ? -1 : hex_digit(coded.base[i + 2]);

            if (low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && is_query) {
            c = ' ';
        }
        if (!buf_append(out, slice_of(&c, 1)))
            return false;
    }
    return true;
}

static bool decodes_to(struct slice coded, struct slice name)
{
    struct buf decoded;
    bool is_same;

    buf_init(&decoded, HTTP_QUERY_NAME_MAX);
    is_same =
        http_percent_decode(coded, true, &decoded) && slice_eq(buf_slice(&decoded), name);
    buf_dispose(&decoded);
    return is_same;
}

enum http_query http_query_find(struct slice query, struct slice name, struct buf *out)
{
    enum http_query found = HTTP_QUERY_ABSENT;

    while (query.len != 0) {
        struct slice pair, coded_name, value = SLICE("");

        if (!slice_cut(query, '&', &pair, &query)) {
            pair = query;
            query.len = 0;
        }
        if (!slice_cut(pair, '=', &coded_name, &value))
            coded_name = pair;
        if (!decodes_to(coded_name, name))
            continue;
        if (found == HTTP_QUERY_FOUND || !http_percent_decode(value, true, out))
            return HTTP_QUERY_MALFORMED;
        found = HTTP_QUERY_FOUND;
    }
    return found;
}
