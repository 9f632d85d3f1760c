#include "gateway/session/bound.h"

#include <string.h>
#include "base/mem.h"
#include "gateway/router/destination.h"

/* The configuration's prefix ends with a slash. */
bool bound_is_user(const struct config *config, struct slice destination)
{
    return slice_starts_with(destination, config->broker.user_destination_prefix);
}

/* Spring's rule for brokers whose destinations are no paths ("jms.queue."). */
static bool keeps_slash(const struct config *config)
{
    const struct config_strings *prefixes = &config->broker.destination_prefixes;

    for (size_t i = 0; i < prefixes->n; i++) {
        if (slice_starts_with(prefixes->items[i], (struct slice)SLICE("/")))
            return true;
    }
    return prefixes->n == 0;
}

bool bound_target(const struct config *config, struct slice destination, struct slice *target)
{
    size_t prefix_len = config->broker.user_destination_prefix.len;

    if (!bound_is_user(config, destination))
        return false;
    *target = slice_skip(destination, keeps_slash(config) ? prefix_len - 1 : prefix_len);
    return true;
}

struct slice bound_target_of_path(const struct config *config, struct slice path)
{
    bool has_slash = slice_starts_with(path, (struct slice)SLICE("/"));

    return has_slash && !keeps_slash(config) ? slice_skip(path, 1) : path;
}

static const struct slice escaped_slash = SLICE("%2F");

/* Undoes %2F, the one escape there is; returns the length. */
static size_t unescape(struct slice name, char *out)
{
    size_t n = 0;

    while (name.len != 0) {
        bool is_escape = slice_starts_with(name, escaped_slash);

        out[n++] = (char)(is_escape ? '/' : name.base[0]);
        name = slice_skip(name, is_escape ? escaped_slash.len : 1);
    }
    return n;
}

bool bound_read(const struct config *config, struct slice destination, struct bound_address *out)
{
    struct slice prefix = config->broker.user_destination_prefix;
    struct slice rest = slice_skip(destination, prefix.len), name, behind;
    char *at;

    if (!bound_is_user(config, destination) || !slice_cut(rest, '/', &name, &behind) ||
        name.len == 0)
        return false;
    out->owned = mem_alloc(name.len + prefix.len + behind.len);
    out->user = slice_of(out->owned, unescape(name, out->owned));
    at = out->owned + name.len;
    memcpy(at, prefix.base, prefix.len);
    if (behind.len != 0)
        memcpy(at + prefix.len, behind.base, behind.len);
    out->shown = slice_of(at, prefix.len + behind.len);
    out->target = slice_skip(rest, keeps_slash(config) ? name.len : name.len + 1);
    return true;
}

void bound_dispose(struct bound_address *address)
{
    mem_free(address->owned);
}

bool bound_cut(struct slice destination, struct slice *target, struct slice *id)
{
    static const struct slice infix = SLICE("-user");
    size_t suffix_len = infix.len + SESSION_ID_LEN;

    if (destination.len < suffix_len)
        return false;
    *target = slice_take(destination, destination.len - suffix_len);
    *id = slice_skip(destination, destination.len - SESSION_ID_LEN);
    if (!slice_ends_with(slice_take(destination, destination.len - SESSION_ID_LEN), infix))
        return false;
    for (size_t i = 0; i < id->len; i++) {
        char c = id->base[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}
