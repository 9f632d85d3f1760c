#include "gateway/websocket/deflate_negotiate.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "gateway/websocket/extensions.h"

/* Section 7.1. */
enum parameter {
    SERVER_NO_CONTEXT_TAKEOVER,
    CLIENT_NO_CONTEXT_TAKEOVER,
    SERVER_MAX_WINDOW_BITS,
    CLIENT_MAX_WINDOW_BITS,
    N_PARAMETERS,
};

static const struct slice parameter_names[N_PARAMETERS] = {
    [SERVER_NO_CONTEXT_TAKEOVER] = SLICE("server_no_context_takeover"),
    [CLIENT_NO_CONTEXT_TAKEOVER] = SLICE("client_no_context_takeover"),
    [SERVER_MAX_WINDOW_BITS] = SLICE("server_max_window_bits"),
    [CLIENT_MAX_WINDOW_BITS] = SLICE("client_max_window_bits"),
};

/* What an offer says. Bits are 8 to 15, and 15 where no number is given. */
struct offer {
    bool has[N_PARAMETERS];
    uint8_t server_bits;
    uint8_t client_bits;
};

/* Section 7.1.2: a decimal number without leading zeros, from 8 to 15. */
static bool read_bits(struct slice value, uint8_t *bits)
{
    uint64_t n;

    if (!slice_to_u64(value, WS_DEFLATE_BITS_MAX, &n) || n < 8 || value.base[0] == '0')
        return false;
    *bits = (uint8_t)n;
    return true;
}

static bool read_value(enum parameter which, struct slice value, struct offer *offer)
{
    bool has_value = value.base != NULL;

    switch (which) {
    case SERVER_MAX_WINDOW_BITS:
        return has_value && read_bits(value, &offer->server_bits);
    case CLIENT_MAX_WINDOW_BITS: /* without a value: tell me */
        return !has_value || read_bits(value, &offer->client_bits);
    default:
        return !has_value;
    }
}

static bool read_parameter(const struct ws_extension_parameter *parameter, struct offer *offer)
{
    for (unsigned which = 0; which < N_PARAMETERS; which++) {
        if (!slice_eq(parameter->name, parameter_names[which]))
            continue;
        if (offer->has[which])
            return false;
        offer->has[which] = true;
        return read_value((enum parameter)which, parameter->value, offer);
    }
    return false;
}

/* Returns false for an offer that must be declined (section 7.1). */
static bool read_offer(struct slice parameters, struct offer *offer)
{
    struct ws_extension_parameter parameter;

    *offer = (struct offer){
        .server_bits = WS_DEFLATE_BITS_MAX,
        .client_bits = WS_DEFLATE_BITS_MAX,
    };
    while (ws_extension_parameter(&parameters, &parameter)) {
        if (!read_parameter(&parameter, offer))
            return false;
    }
    return offer->server_bits >= WS_DEFLATE_BITS_MIN;
}

static uint8_t lower(uint8_t a, uint8_t b)
{
    return a < b ? a : b;
}

static void agree(const struct offer *offer, const struct ws_deflate_settings *settings,
                  struct ws_deflate_agreement *agreed)
{
    uint8_t client_bits = offer->client_bits;

    /* Section 7.1.2.2: only a client that has named the parameter can be told. */
    if (offer->has[CLIENT_MAX_WINDOW_BITS])
        client_bits = lower(client_bits, settings->client_max_bits);
    /* A larger window than the client's reads the same, and 8 zlib's own compressor makes a 9. */
    if (client_bits < WS_DEFLATE_BITS_MIN)
        client_bits = WS_DEFLATE_BITS_MIN;
    *agreed = (struct ws_deflate_agreement){
        .server_keeps_context =
            settings->server_keeps_context && !offer->has[SERVER_NO_CONTEXT_TAKEOVER],
        .client_keeps_context =
            settings->client_keeps_context && !offer->has[CLIENT_NO_CONTEXT_TAKEOVER],
        .server_bits = lower(offer->server_bits, settings->server_max_bits),
        .client_bits = client_bits,
    };
}

static void add(struct ws_deflate_response *response, struct slice text)
{
    assert(text.len <= sizeof(response->text) - response->len);
    memcpy(response->text + response->len, text.base, text.len);
    response->len += text.len;
}

static void add_parameter(struct ws_deflate_response *response, enum parameter which)
{
    add(response, (struct slice)SLICE("; "));
    add(response, parameter_names[which]);
}

static void add_bits(struct ws_deflate_response *response, enum parameter which, uint8_t bits)
{
    char text[8];
    int len = snprintf(text, sizeof(text), "=%u", (unsigned)bits);

    add_parameter(response, which);
    add(response, slice_of(text, (size_t)len));
}

/*
 * All that holds is said, but for what the client could not take as an answer and for windows of
 * 32 KiB that it did not speak of.
 */
static void respond(const struct offer *offer, const struct ws_deflate_agreement *agreed,
                    struct ws_deflate_response *response)
{
    response->len = 0;
    add(response, (struct slice)SLICE("permessage-deflate"));
    if (!agreed->server_keeps_context)
        add_parameter(response, SERVER_NO_CONTEXT_TAKEOVER);
    if (!agreed->client_keeps_context)
        add_parameter(response, CLIENT_NO_CONTEXT_TAKEOVER);
    if (offer->has[SERVER_MAX_WINDOW_BITS] || agreed->server_bits < WS_DEFLATE_BITS_MAX)
        add_bits(response, SERVER_MAX_WINDOW_BITS, agreed->server_bits);
    if (offer->has[CLIENT_MAX_WINDOW_BITS] && agreed->client_bits < WS_DEFLATE_BITS_MAX)
        add_bits(response, CLIENT_MAX_WINDOW_BITS, lower(agreed->client_bits, offer->client_bits));
}

/* All is read, also behind an offer that is taken: a bad header is one wherever it is bad. */
enum ws_deflate_verdict ws_deflate_negotiate(const struct slice *lines, size_t n_lines,
                                             const struct ws_deflate_settings *settings,
                                             struct ws_deflate_agreement *agreed,
                                             struct ws_deflate_response *response)
{
    enum ws_extensions_status status;
    struct ws_extensions reading;
    struct ws_extension extension;
    struct offer offer, taken = {.server_bits = 0};
    bool is_taken = false;

    if (!settings->is_enabled)
        return WS_DEFLATE_NONE;
    assert(settings->server_max_bits >= WS_DEFLATE_BITS_MIN &&
           settings->server_max_bits <= WS_DEFLATE_BITS_MAX);
    assert(settings->client_max_bits >= WS_DEFLATE_BITS_MIN &&
           settings->client_max_bits <= WS_DEFLATE_BITS_MAX);
    ws_extensions_init(&reading, lines, n_lines);
    while ((status = ws_extensions_next(&reading, &extension)) == WS_EXTENSIONS_OK) {
        if (is_taken || !slice_eq(extension.name, (struct slice)SLICE("permessage-deflate")) ||
            !read_offer(extension.parameters, &offer))
            continue;
        taken = offer;
        is_taken = true;
    }
    if (status == WS_EXTENSIONS_ERR_SYNTAX)
        return WS_DEFLATE_BAD;
    if (!is_taken)
        return WS_DEFLATE_NONE;
    agree(&taken, settings, agreed);
    respond(&taken, agreed, response);
    return WS_DEFLATE_AGREED;
}
