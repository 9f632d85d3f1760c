#include "gateway/bench/extension.h"

#include <stdint.h>

enum { MIN_BITS = 8, MAX_BITS = 15 };

bool extension_write(struct buf *out, const struct extension_offer *offer)
{
    if (!offer->has_deflate)
        return true;
    if (!buf_printf(out, "Sec-WebSocket-Extensions: permessage-deflate"))
        return false;
    if (!offer->has_takeover &&
        !buf_printf(out, "; client_no_context_takeover; server_no_context_takeover"))
        return false;
    if (offer->window_bits != 0 &&
        !buf_printf(out, "; server_max_window_bits=%u", offer->window_bits))
        return false;
    return buf_append(out, (struct slice)SLICE("\r\n"));
}

/** What extension_read has seen of an answer. */
struct seen {
    bool server_no_takeover, client_no_takeover;
    uint64_t server_bits; /* 0: not said */
};

static bool is_first(bool *has_been)
{
    bool is = !*has_been;

    *has_been = true;
    return is;
}

static struct slice unquote(struct slice value)
{
    if (value.len >= 2 && value.base[0] == '"' && value.base[value.len - 1] == '"')
        return slice_of(value.base + 1, value.len - 2);
    return value;
}

/* One parameter; the client's window was not offered to be limited, so it may not be. */
static bool take_parameter(struct slice text, struct seen *seen)
{
    struct slice name = text, value;
    bool has_value = slice_cut(text, '=', &name, &value);

    name = slice_trim(name);
    if (slice_eq_nocase(name, (struct slice)SLICE("server_no_context_takeover")))
        return !has_value && is_first(&seen->server_no_takeover);
    if (slice_eq_nocase(name, (struct slice)SLICE("client_no_context_takeover")))
        return !has_value && is_first(&seen->client_no_takeover);
    return slice_eq_nocase(name, (struct slice)SLICE("server_max_window_bits")) && has_value &&
           seen->server_bits == 0 &&
           slice_to_u64(unquote(slice_trim(value)), MAX_BITS, &seen->server_bits) &&
           seen->server_bits >= MIN_BITS;
}

static bool take_parameters(struct slice value, struct seen *seen)
{
    struct slice name = value, parameter, rest;
    bool has_more = slice_cut(value, ';', &name, &rest);

    if (!slice_eq_nocase(slice_trim(name), (struct slice)SLICE("permessage-deflate")))
        return false;
    while (has_more) {
        parameter = rest;
        has_more = slice_cut(rest, ';', &parameter, &rest);
        if (!take_parameter(parameter, seen))
            return false;
    }
    return true;
}

enum load_status extension_read(struct slice value, const struct extension_offer *offer,
                                struct extension_answer *answer)
{
    struct seen seen = {0};

    *answer = (struct extension_answer){0};
    value = slice_trim(value);
    if (value.len == 0)
        return offer->has_deflate ? LOAD_ERR_EXTENSION_REFUSED : LOAD_OK;
    if (!offer->has_deflate || !take_parameters(value, &seen))
        return LOAD_ERR_EXTENSION_ANSWER;
    /* RFC 7692, 7.1.1.1 and 7.1.2.1: whoever accepts these says so. */
    if (!offer->has_takeover && !seen.server_no_takeover)
        return LOAD_ERR_EXTENSION_CONTEXT;
    if (offer->window_bits != 0 && (seen.server_bits == 0 || seen.server_bits > offer->window_bits))
        return LOAD_ERR_EXTENSION_WINDOW;
    answer->has_deflate = true;
    answer->keeps_context = !seen.server_no_takeover;
    answer->window_bits = seen.server_bits == 0 ? MAX_BITS : (unsigned)seen.server_bits;
    return LOAD_OK;
}
