#include "auth/origin.h"

#include <stdint.h>
#include "base/mem.h"

enum port_rule {
    PORT_IN_GLOB, /* the pattern says nothing of its own about ports */
    PORT_ANY,     /* :[*] */
    PORT_LISTED,  /* :[1,2] */
};

struct pattern {
    struct slice glob;
    enum port_rule port_rule;
    struct slice ports; /* digits joined by commas */
};

struct auth_origin {
    bool allows_any;
    struct slice *texts; /* owned copies that all the others point into */
    size_t n_texts;
    struct slice *origins;
    size_t n_origins;
    struct pattern *patterns;
    size_t n_patterns;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static struct slice trim_slash(struct slice s)
{
    return s.len != 0 && s.base[s.len - 1] == '/' ? slice_take(s, s.len - 1) : s;
}

/** Takes the next value of a comma list from the front; commas in brackets do not split. */
static struct slice next_value(struct slice *list)
{
    struct slice value = *list;
    bool in_brackets = false;
    size_t len = 0;

    for (; len < list->len && (in_brackets || list->base[len] != ','); len++) {
        if (list->base[len] == '[')
            in_brackets = true;
        else if (list->base[len] == ']')
            in_brackets = false;
    }
    *list = slice_skip(*list, len + 1);
    return trim_slash(slice_trim(slice_take(value, len)));
}

/** Whether a text is `*`, or numbers joined by commas. */
static bool is_port_list(struct slice s)
{
    bool after_digit = false;

    if (slice_eq(s, (struct slice)SLICE("*")))
        return true;
    for (size_t i = 0; i < s.len; i++) {
        if (!is_digit(s.base[i]) && !(s.base[i] == ',' && after_digit))
            return false;
        after_digit = is_digit(s.base[i]);
    }
    return after_digit;
}

static struct pattern compile(struct slice text)
{
    struct pattern p = {.glob = text, .port_rule = PORT_IN_GLOB};
    size_t open = text.len;

    if (text.len == 0 || text.base[text.len - 1] != ']')
        return p;
    while (open != 0 && text.base[open - 1] != '[')
        open--;
    if (open < 2 || text.base[open - 2] != ':')
        return p;
    p.ports = slice_take(slice_skip(text, open), text.len - 1 - open);
    if (!is_port_list(p.ports))
        return (struct pattern){.glob = text, .port_rule = PORT_IN_GLOB};
    p.glob = slice_take(text, open - 2);
    p.port_rule = slice_eq(p.ports, (struct slice)SLICE("*")) ? PORT_ANY : PORT_LISTED;
    return p;
}

static void add_origins(struct auth_origin *rules, struct slice list)
{
    while (list.len != 0) {
        struct slice value = next_value(&list);

        if (slice_eq(value, (struct slice)SLICE("*")))
            rules->allows_any = true;
        if (value.len == 0)
            continue;
        rules->origins =
            mem_realloc(rules->origins, (rules->n_origins + 1) * sizeof(rules->origins[0]));
        rules->origins[rules->n_origins++] = value;
    }
}

static void add_patterns(struct auth_origin *rules, struct slice list)
{
    while (list.len != 0) {
        struct slice value = next_value(&list);

        if (slice_eq(value, (struct slice)SLICE("*")))
            rules->allows_any = true;
        if (value.len == 0)
            continue;
        rules->patterns =
            mem_realloc(rules->patterns, (rules->n_patterns + 1) * sizeof(rules->patterns[0]));
        rules->patterns[rules->n_patterns++] = compile(value);
    }
}

struct auth_origin *auth_origin_new(const struct slice *origins, size_t n_origins,
                                    const struct slice *patterns, size_t n_patterns)
{
    struct auth_origin *rules = mem_calloc(1, sizeof(*rules));

    rules->n_texts = n_origins + n_patterns;
    rules->texts = mem_calloc(rules->n_texts, sizeof(rules->texts[0]));
    for (size_t i = 0; i < n_origins; i++) {
        rules->texts[i] = mem_slice_dup(origins[i]);
        add_origins(rules, rules->texts[i]);
    }
    for (size_t i = 0; i < n_patterns; i++) {
        rules->texts[n_origins + i] = mem_slice_dup(patterns[i]);
        add_patterns(rules, rules->texts[n_origins + i]);
    }
    return rules;
}

void auth_origin_free(struct auth_origin *rules)
{
    if (rules == NULL)
        return;
    for (size_t i = 0; i < rules->n_texts; i++)
        mem_free((char *)rules->texts[i].base);
    mem_free(rules->texts);
    mem_free(rules->origins);
    mem_free(rules->patterns);
    mem_free(rules);
}

/** Two pointers: on a mismatch the last star takes one byte more. */
static bool glob_match(struct slice glob, struct slice text)
{
    size_t i = 0, pos = 0, star = glob.len, star_pos = 0;

    while (pos < text.len) {
        if (i < glob.len && glob.base[i] == '*') {
            star = i++;
            star_pos = pos;
        } else if (i < glob.len && glob.base[i] == text.base[pos]) {
            i++;
            pos++;
        } else if (star != glob.len) {
            pos = ++star_pos;
            i = star + 1;
        } else {
            return false;
        }
    }
    while (i < glob.len && glob.base[i] == '*')
        i++;
    return i == glob.len;
}

static bool is_listed(struct slice ports, struct slice port)
{
    while (ports.len != 0) {
        struct slice one = slice_take(ports, slice_find(ports, ','));

        if (slice_eq(one, port))
            return true;
        ports = slice_skip(ports, one.len + 1);
    }
    return false;
}

static bool pattern_match(const struct pattern *p, struct slice origin)
{
    size_t port = origin.len;
    bool ends_with_port;

    if (p->port_rule == PORT_IN_GLOB)
        return glob_match(p->glob, origin);
    if (p->port_rule == PORT_ANY && glob_match(p->glob, origin))
        return true;
    while (port != 0 && is_digit(origin.base[port - 1]))
        port--;
    ends_with_port = port != 0 && port < origin.len && origin.base[port - 1] == ':';
    return ends_with_port &&
           (p->port_rule == PORT_ANY || is_listed(p->ports, slice_skip(origin, port))) &&
           glob_match(p->glob, slice_take(origin, port - 1));
}

static bool is_configured(const struct auth_origin *rules, struct slice origin)
{
    origin = trim_slash(origin);
    if (rules->allows_any)
        return true;
    for (size_t i = 0; i < rules->n_origins; i++) {
        if (slice_eq_nocase(rules->origins[i], origin))
            return true;
    }
    for (size_t i = 0; i < rules->n_patterns; i++) {
        if (pattern_match(&rules->patterns[i], origin))
            return true;
    }
    return false;
}

static uint64_t default_port(struct slice scheme)
{
    if (slice_eq(scheme, (struct slice)SLICE("http")) ||
        slice_eq(scheme, (struct slice)SLICE("ws")))
        return 80;
    if (slice_eq(scheme, (struct slice)SLICE("https")) ||
        slice_eq(scheme, (struct slice)SLICE("wss")))
        return 443;
    return 0;
}

/** Splits `host`, `host:port`, `[v6]` or `[v6]:port`; a port that is not there is `missing`. */
static bool split_authority(struct slice authority, uint64_t missing, struct slice *host,
                            uint64_t *port)
{
    size_t len = slice_find(authority, ':');
    struct slice rest;

    if (authority.len != 0 && authority.base[0] == '[')
        len = slice_find(authority, ']') + 1;
    if (len == 0 || len > authority.len)
        return false;
    *host = slice_take(authority, len);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)host->base[i];

        if (c <= ' ' || c == 0x7f || c == '@' || c == '/' || c == '\\' || c == '?' || c == '#')
            return false;
    }
    rest = slice_skip(authority, len);
    *port = missing;
    if (rest.len <= 1)
        return rest.len == 0 || rest.base[0] == ':';
    return rest.base[0] == ':' && slice_to_u64(slice_skip(rest, 1), UINT16_MAX, port);
}

bool auth_origin_is_same(struct slice scheme, struct slice host, struct slice origin)
{
    const struct slice separator = SLICE("://");
    struct slice authority, host_name, origin_name;
    uint64_t host_port, origin_port;

    if (origin.base == NULL)
        return true;
    /* A scheme in capitals is the same to Spring (and to RFC 3986), but never sent. */
    if (scheme.len == 0 || !slice_eq_nocase(slice_take(origin, scheme.len), scheme) ||
        !slice_starts_with(slice_skip(origin, scheme.len), separator))
        return false;
    authority = trim_slash(slice_skip(origin, scheme.len + separator.len));
    return split_authority(host, default_port(scheme), &host_name, &host_port) &&
           split_authority(authority, default_port(scheme), &origin_name, &origin_port) &&
           slice_eq(host_name, origin_name) && host_port == origin_port;
}

static bool is_blank(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.base[i] > ' ')
            return false;
    }
    return true;
}

bool auth_origin_allows(const struct auth_origin *rules, struct slice scheme, struct slice host,
                        struct slice origin)
{
    if (auth_origin_is_same(scheme, host, origin))
        return true;
    return !is_blank(origin) && is_configured(rules, origin);
}
