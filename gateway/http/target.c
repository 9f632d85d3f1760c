#include "gateway/http/target.h"
#include "base/hex.h"

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

bool http_percent_decode(struct slice coded, struct buf *out)
{
    for (size_t i = 0; i < coded.len; i++) {
        char c = coded.base[i];

        if (c == '%') {
            int high = i + 2 < coded.len ? hex_value(coded.base[i + 1]) : -1;
            int low = high < 0 ? -1 : hex_value(coded.base[i + 2]);

            if (low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (!buf_append(out, slice_of(&c, 1)))
            return false;
    }
    return true;
}
