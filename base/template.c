#include "base/template.h"

#include <assert.h>

const char *template_strstatus(enum template_status status)
{
    switch (status) {
    case TEMPLATE_OK:
        return "ok";
    case TEMPLATE_END:
        return "at its end";
    case TEMPLATE_ERR_OPEN:
        return "a { without a }";
    case TEMPLATE_ERR_NO_NAME:
        return "a {} without a name";
    }
    return "unknown";
}

enum template_status template_next(struct slice *rest, struct template_piece *out)
{
    size_t open = slice_find(*rest, '{'), close;
    struct slice name;

    if (rest->len == 0)
        return TEMPLATE_END;
    if (open != 0) {
        *out = (struct template_piece){slice_take(*rest, open), false};
        *rest = slice_skip(*rest, open);
        return TEMPLATE_OK;
    }
    close = slice_find(*rest, '}');
    if (close == rest->len)
        return TEMPLATE_ERR_OPEN;
    name = slice_skip(slice_take(*rest, close), 1);
    if (name.len == 0)
        return TEMPLATE_ERR_NO_NAME;
    if (slice_find(name, '{') != name.len)
        return TEMPLATE_ERR_OPEN;
    *out = (struct template_piece){name, true};
    *rest = slice_skip(*rest, close + 1);
    return TEMPLATE_OK;
}

static size_t filled_bytes(struct slice template, template_lookup lookup, const void *ctx)
{
    struct template_piece piece;
    enum template_status status;
    size_t n = 0;

    while ((status = template_next(&template, &piece)) == TEMPLATE_OK) {
        const struct slice *value = piece.is_place ? lookup(ctx, piece.text) : &piece.text;

        n += value == NULL ? 0 : value->len;
    }
    assert(status == TEMPLATE_END);
    return n;
}

bool template_fill(struct slice template, template_lookup lookup, const void *ctx, struct buf *out)
{
    struct template_piece piece;

    if (buf_reserve(out, filled_bytes(template, lookup, ctx)) == NULL)
        return false;
    while (template_next(&template, &piece) == TEMPLATE_OK) {
        const struct slice *value = piece.is_place ? lookup(ctx, piece.text) : &piece.text;

        if (value != NULL && !buf_append(out, *value))
            return false; /* not with the room above */
    }
    return true;
}
