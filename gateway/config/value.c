#include "gateway/config/value.h"

#include <arpa/inet.h>
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/hex.h"

struct unit {
    struct slice name;
    uint64_t factor;
};

/* The larger first: that is the order in which texts are written. */
static const struct unit size_units[] = {
    {SLICE("GiB"), UINT64_C(1) << 30},
    {SLICE("MiB"), UINT64_C(1) << 20},
    {SLICE("KiB"), UINT64_C(1) << 10},
};

/* "ms" is looked for last, but "10ms" ends with "s" as well: its digits then are no number. */
static const struct unit duration_units[] = {
    {SLICE("h"), 3600000},
    {SLICE("m"), 60000},
    {SLICE("s"), 1000},
    {SLICE("ms"), 1},
};

bool value_bool(struct slice text, bool *out)
{
    bool is_true = slice_eq(text, (struct slice)SLICE("true"));

    if (!is_true && !slice_eq(text, (struct slice)SLICE("false")))
        return false;
    *out = is_true;
    return true;
}

static bool with_unit(struct slice text, const struct unit *units, size_t n_units, uint64_t *out)
{
    for (size_t i = 0; i < n_units; i++) {
        uint64_t n;

        if (slice_ends_with(text, units[i].name) &&
            slice_to_u64(slice_take(text, text.len - units[i].name.len),
                         UINT64_MAX / units[i].factor, &n)) {
            *out = n * units[i].factor;
            return true;
        }
    }
    return false;
}

bool value_size(struct slice text, uint64_t *out)
{
    return slice_to_u64(text, UINT64_MAX, out) ||
           with_unit(text, size_units, sizeof(size_units) / sizeof(size_units[0]), out);
}

bool value_duration(struct slice text, uint64_t *out)
{
    return slice_to_u64(text, 0, out) ||
           with_unit(text, duration_units, sizeof(duration_units) / sizeof(duration_units[0]), out);
}

static bool beat(struct slice text, uint64_t *out)
{
    return slice_to_u64(text, UINT64_MAX, out) || value_duration(text, out);
}

bool value_heartbeat(struct slice text, uint64_t out[2])
{
    struct slice send, receive;
    uint64_t pair[2];

    if (!slice_cut(text, ',', &send, &receive) || !beat(slice_trim(send), &pair[0]) ||
        !beat(slice_trim(receive), &pair[1]))
        return false;
    out[0] = pair[0];
    out[1] = pair[1];
    return true;
}

bool value_word(struct slice text, const char *const *words, unsigned *out)
{
    for (unsigned i = 0; words[i] != NULL; i++) {
        if (slice_eq(text, slice_str(words[i]))) {
            *out = i;
            return true;
        }
    }
    return false;
}

bool value_sha256(struct slice text, unsigned char out[32])
{
    unsigned char bytes[32];

    if (text.len != 64)
        return false;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        int high = hex_value(text.base[2 * i]), low = hex_value(text.base[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        bytes[i] = (unsigned char)(high << 4 | low);
    }
    memcpy(out, bytes, sizeof(bytes));
    return true;
}

/** A copy with a NUL for inet_pton; false when it is too long for any address. */
static bool address_text(struct slice host, char out[64])
{
    if (host.len == 0 || host.len >= 64)
        return false;
    memcpy(out, host.base, host.len);
    out[host.len] = '\0';
    return true;
}

static bool is_host_name(struct slice host)
{
    bool has_letter = false;

    if (host.len == 0 || host.len > 253 || host.base[0] == '.' || host.base[0] == '-')
        return false;
    for (size_t i = 0; i < host.len; i++) {
        char c = host.base[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

        if (!is_letter && !(c >= '0' && c <= '9') && c != '.' && c != '-')
            return false;
        has_letter = has_letter || is_letter;
    }
    return has_letter; /* else it is a mistyped IPv4 address */
}

bool value_address(struct slice text, struct value_address *out)
{
    struct value_address address = {.is_v6 = text.len != 0 && text.base[0] == '['};
    struct slice port;
    uint64_t number;
    char host[64];
    struct in_addr v4;

    if (address.is_v6) {
        if (!slice_cut(slice_skip(text, 1), ']', &address.host, &port) || port.len == 0 ||
            port.base[0] != ':' || !address_text(address.host, host) ||
            inet_pton(AF_INET6, host, address.v6) != 1)
            return false;
        port = slice_skip(port, 1);
    } else {
        if (!slice_cut(text, ':', &address.host, &port))
            return false;
        if (!is_host_name(address.host) &&
            (!address_text(address.host, host) || inet_pton(AF_INET, host, &v4) != 1))
            return false;
    }
    if (port.len > 5 || !slice_to_u64(port, UINT16_MAX, &number))
        return false;
    address.port = (uint16_t)number;
    *out = address;
    return true;
}

bool value_address_equal(const struct value_address *a, const struct value_address *b)
{
    if (a->port != b->port || a->port == 0 || a->is_v6 != b->is_v6)
        return false;
    return a->is_v6 ? memcmp(a->v6, b->v6, sizeof(a->v6)) == 0 : slice_eq_nocase(a->host, b->host);
}

bool value_address_is_loopback(const struct value_address *address)
{
    static const unsigned char v6_loopback[16] = {[15] = 1};
    char host[64];
    struct in_addr v4;

    if (address->is_v6)
        return memcmp(address->v6, v6_loopback, sizeof(v6_loopback)) == 0;
    if (slice_eq_nocase(address->host, (struct slice)SLICE("localhost")))
        return true;
    return address_text(address->host, host) && inet_pton(AF_INET, host, &v4) == 1 &&
           ntohl(v4.s_addr) >> 24 == 127;
}

struct value_items value_items_of(struct slice text)
{
    return (struct value_items){.rest = text, .is_done = slice_trim(text).len == 0};
}

bool value_items_next(struct value_items *items, struct slice *item)
{
    struct slice text = items->rest;
    size_t depth = 0, at = 0;

    if (items->is_done)
        return false;
    for (; at < text.len; at++) {
        char c = text.base[at];

        if (c == '[' || c == '{')
            depth++;
        else if ((c == ']' || c == '}') && depth != 0)
            depth--;
        else if (c == ',' && depth == 0)
            break;
    }
    *item = slice_trim(slice_take(text, at));
    items->is_done = at == text.len;
    items->rest = slice_skip(text, at + 1);
    return true;
}

static struct value_text with_largest_unit(uint64_t n, const struct unit *units, size_t n_units)
{
    struct value_text out;
    size_t i = 0;

    while (i < n_units && (n == 0 || n % units[i].factor != 0))
        i++;
    if (i == n_units)
        (void)snprintf(out.text, sizeof(out.text), "%" PRIu64, n);
    else
        (void)snprintf(out.text, sizeof(out.text), "%" PRIu64 "%.*s", n / units[i].factor,
                       SLICE_FMT(units[i].name));
    return out;
}

struct value_text value_size_text(uint64_t bytes)
{
    return with_largest_unit(bytes, size_units, sizeof(size_units) / sizeof(size_units[0]));
}

struct value_text value_duration_text(uint64_t ms)
{
    return with_largest_unit(ms, duration_units,
                             sizeof(duration_units) / sizeof(duration_units[0]));
}

struct value_text value_words_text(const char *const *words)
{
    struct value_text out;
    size_t at = 0;

    out.text[0] = '\0';
    for (size_t i = 0; words[i] != NULL; i++) {
        int n =
            snprintf(out.text + at, sizeof(out.text) - at, "%s%s", i == 0 ? "" : ", ", words[i]);

        assert(n > 0 && (size_t)n < sizeof(out.text) - at);
        at += (size_t)n;
    }
    return out;
}

struct value_text value_range(const struct setting *setting)
{
    struct value_text out, min, max;

    switch (setting->type) {
    case SETTING_INTEGER:
        (void)snprintf(out.text, sizeof(out.text), "%" PRIu64 " to %" PRIu64, setting->min,
                       setting->max);
        break;
    case SETTING_SIZE:
        min = value_size_text(setting->min);
        max = value_size_text(setting->max);
        (void)snprintf(out.text, sizeof(out.text), "%.40s to %.40s", min.text, max.text);
        break;
    case SETTING_DURATION:
    case SETTING_HEARTBEAT:
        min = value_duration_text(setting->min);
        max = value_duration_text(setting->max);
        (void)snprintf(out.text, sizeof(out.text), "%.40s to %.40s", min.text, max.text);
        break;
    default:
        out.text[0] = '\0';
        break;
    }
    return out;
}

struct value_text value_expected(const struct setting *setting)
{
    struct value_text out, range = value_range(setting);
    char *text = out.text;
    size_t size = sizeof(out.text);

    switch (setting->type) {
    case SETTING_BOOL:
        (void)snprintf(text, size, "true or false");
        break;
    case SETTING_INTEGER:
        (void)snprintf(text, size, "a whole number, %.80s", range.text);
        break;
    case SETTING_SIZE:
        (void)snprintf(text, size, "a size such as 65536, 64KiB or 1MiB, %.80s", range.text);
        break;
    case SETTING_DURATION:
        (void)snprintf(text, size, "a duration such as 500ms, 10s, 2m or 1h, %.80s", range.text);
        break;
    case SETTING_HEARTBEAT:
        (void)snprintf(text, size, "two durations such as 10000,10000 or 10s,10s, each %.80s",
                       range.text);
        break;
    case SETTING_STRING:
        (void)snprintf(text, size, "one line of %" PRIu64 " to %" PRIu64 " bytes", setting->min,
                       setting->max);
        break;
    case SETTING_TEXT:
        (void)snprintf(text, size, "a text of at most %" PRIu64 " bytes", setting->max);
        break;
    case SETTING_PATH:
        (void)snprintf(text, size, "the path of a file");
        break;
    case SETTING_ADDRESS:
        (void)snprintf(text, size, "an address such as 127.0.0.1:8080 or [::1]:8080%s",
                       setting->min == 0 ? ", or an empty text" : "");
        break;
    case SETTING_SECRET:
        (void)snprintf(text, size, "a secret of %" PRIu64 " to %" PRIu64 " bytes", setting->min,
                       setting->max);
        break;
    case SETTING_SHA256:
        (void)snprintf(text, size, "64 hex digits, as sha256sum prints them");
        break;
    case SETTING_ENUM:
    case SETTING_CHARACTER:
        (void)snprintf(text, size, "one of %.200s", value_words_text(setting->words).text);
        break;
    case SETTING_ENUM_SET:
        (void)snprintf(text, size, "a list of some of %.200s",
                       value_words_text(setting->words).text);
        break;
    case SETTING_STRINGS:
        (void)snprintf(text, size, "a list of strings of %" PRIu64 " to %" PRIu64 " bytes",
                       setting->min, setting->max);
        break;
    case SETTING_PAIRS:
        (void)snprintf(text, size,
                       "names with one line of %" PRIu64 " to %" PRIu64
                       " bytes each, such as {x-a: b}, or x-a=b in a flag or variable",
                       setting->min, setting->max);
        break;
    }
    return out;
}
