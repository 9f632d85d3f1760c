#include "gateway/config/suggest.h"

#include <stdbool.h>
#include <string.h>

enum { SUGGEST_MAX = 127 };

/** Small letters, without what separates words. */
static size_t simplify(struct slice text, char out[SUGGEST_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < text.len && n < SUGGEST_MAX; i++) {
        char c = text.base[i];

        if (c == '_' || c == '-')
            continue;
        out[n++] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    return n;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t suggest_distance(struct slice a, struct slice b)
{
    /* Optimal string alignment: three rows of the usual matrix, the older two for a swap. */
    size_t rows[3][SUGGEST_MAX + 1];
    size_t *older = rows[0], *previous = rows[1], *row = rows[2];

    a = slice_take(a, SUGGEST_MAX);
    b = slice_take(b, SUGGEST_MAX);
    memset(rows, 0, sizeof(rows));
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *recycled = older;

        older = previous;
        previous = row;
        row = recycled;
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t change = a.base[i - 1] == b.base[j - 1] ? 0 : 1;

            row[j] = least(least(previous[j], row[j - 1]) + 1, previous[j - 1] + change);
            if (i > 1 && j > 1 && a.base[i - 1] == b.base[j - 2] && a.base[i - 2] == b.base[j - 1])
                row[j] = least(row[j], older[j - 2] + 1);
        }
    }
    return row[b.len];
}

struct suggest suggest_for(struct slice wanted)
{
    return (struct suggest){.wanted = wanted};
}

void suggest_offer(struct suggest *s, struct slice name)
{
    char wanted[SUGGEST_MAX], offered[SUGGEST_MAX];
    struct slice a = slice_of(wanted, simplify(s->wanted, wanted));
    struct slice b = slice_of(offered, simplify(name, offered));
    size_t distance = suggest_distance(a, b);

    /* A third of the letters wrong is another word. */
    if (name.len >= sizeof(s->best) || distance > (a.len > b.len ? a.len : b.len) / 3)
        return;
    if (s->best[0] != '\0' && distance >= s->distance)
        return;
    memcpy(s->best, name.base, name.len);
    s->best[name.len] = '\0';
    s->distance = distance;
}
