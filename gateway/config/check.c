#include "gateway/config/check.h"

#include "gateway/config/file.h"
#include "gateway/config/value.h"

enum { HS256_MIN_SECRET_BYTES = 32 }; /* RFC 7518, section 3.2 */

static const struct draft_mark *mark_of(const struct draft *d, const char *name, size_t index)
{
    return draft_mark(d, setting_get(name), index);
}

static bool is_bad(const struct draft *d, const char *name, size_t index)
{
    return mark_of(d, name, index)->state == DRAFT_BAD;
}

static bool is_set(const struct draft *d, const char *name, size_t index)
{
    return mark_of(d, name, index)->state == DRAFT_SET;
}

static const struct draft_list *list_of(const struct draft *d, const char *name)
{
    return draft_list(d, setting_list_find(slice_str(name)));
}

/** Where to point: at the value, or at the item or group that it is missing from. */
static struct config_origin place_of(const struct draft *d, const char *name, size_t index)
{
    const struct setting *setting = setting_get(name);
    const struct setting_list *list = setting_list_of(setting);
    const struct draft_mark *mark = draft_mark(d, setting, index);

    if (mark->state == DRAFT_UNSET && list != NULL)
        mark = &draft_list(d, list)->items[index];
    if (mark->state == DRAFT_UNSET)
        mark = draft_section(d, slice_str(name));
    return mark->state == DRAFT_UNSET ? d->whole : mark->origin;
}

/** An error about a setting, at its place. */
#define complain(d, name, index, ...)                                                              \
    draft_error((d), setting_get(name), (index), place_of((d), (name), (index)), __VA_ARGS__)

static void check_required(struct draft *d)
{
    size_t n;
    const struct setting *settings = setting_all(&n);

    for (size_t i = 0; i < n; i++) {
        size_t count = draft_count(d, setting_list_of(&settings[i]));

        if ((settings[i].flags & SETTING_REQUIRED) == 0)
            continue;
        for (size_t k = 0; k < count; k++) {
            if (draft_mark(d, &settings[i], k)->state == DRAFT_UNSET)
                complain(d, settings[i].name, k, "is missing, expected %s",
                         value_expected(&settings[i]).text);
        }
    }
}

static void check_paths(struct draft *d)
{
    size_t n;
    const struct setting *settings = setting_all(&n);

    for (size_t i = 0; i < n; i++) {
        size_t count = draft_count(d, setting_list_of(&settings[i]));

        if (settings[i].type != SETTING_PATH)
            continue;
        for (size_t k = 0; k < count; k++) {
            const struct slice *path = draft_field(d, &settings[i], k);
            const char *problem;

            if (draft_mark(d, &settings[i], k)->state != DRAFT_SET)
                continue;
            problem = file_check(path->base);
            if (problem != NULL)
                complain(d, settings[i].name, k, "%s: %s, expected a file that can be read",
                         config_show(*path).text, problem);
        }
    }
}

static bool same_address(struct slice a, struct slice b)
{
    struct value_address x, y;

    return value_address(a, &x) && value_address(b, &y) && value_address_equal(&x, &y);
}

static bool is_loopback(struct slice text)
{
    struct value_address address;

    return value_address(text, &address) && value_address_is_loopback(&address);
}

static void check_listeners(struct draft *d)
{
    const struct config *c = d->config;

    for (size_t i = 0; i < c->n_listeners; i++) {
        for (size_t k = 0; k < i; k++) {
            if (same_address(c->listeners[i].address, c->listeners[k].address)) {
                complain(d, "listeners[].address", i,
                         "is the address of listeners[%zu] as well, expected another", k);
                break;
            }
        }
        if (same_address(c->listeners[i].address, c->admin.listen))
            complain(d, "listeners[].address", i,
                     "is the address of admin.listen as well, expected another");
        if (c->listeners[i].tls && c->tls.n_certificates == 0 &&
            list_of(d, "tls.certificates")->mark.state != DRAFT_BAD &&
            draft_section(d, slice_str("tls"))->state != DRAFT_BAD)
            complain(d, "listeners[].tls", i, "has no certificate, expected tls.certificates");
    }
}

static void check_admin(struct draft *d)
{
    const struct config *c = d->config;

    for (size_t i = 0; i < c->admin.n_api_keys; i++) {
        for (size_t k = 0; k < i; k++) {
            if (is_set(d, "admin.api_keys[].name", i) &&
                slice_eq(c->admin.api_keys[i].name, c->admin.api_keys[k].name)) {
                complain(d, "admin.api_keys[].name", i,
                         "is the name of admin.api_keys[%zu] as well, expected another", k);
                break;
            }
        }
    }
    if (c->admin.listen.len != 0 && !is_bad(d, "admin.listen", 0) &&
        !is_loopback(c->admin.listen) && c->admin.n_api_keys == 0 &&
        list_of(d, "admin.api_keys")->mark.state != DRAFT_BAD)
        complain(d, "admin.listen", 0,
                 "is no loopback address, so that others could push and read metrics: expected a "
                 "key in admin.api_keys");
}

static bool is_path(struct slice path)
{
    return path.base[0] == '/' && slice_find(path, '?') == path.len &&
           slice_find(path, '#') == path.len && slice_find(path, ' ') == path.len;
}

/** `scheme://host[:port]`, a slash behind it allowed as in Spring; or one of the two words. */
static bool is_origin(struct slice text)
{
    struct slice scheme, host;

    if (slice_eq(text, slice_str("*")) || slice_eq(text, slice_str("null")))
        return true;
    if (!slice_cut(text, ':', &scheme, &host) || scheme.len == 0 ||
        !slice_starts_with(host, slice_str("//")))
        return false;
    host = slice_skip(host, 2);
    if (slice_ends_with(host, slice_str("/")))
        host = slice_take(host, host.len - 1);
    return host.len != 0 && slice_find(host, '/') == host.len;
}

static void check_endpoint(struct draft *d, size_t i)
{
    const struct config_endpoint *endpoint = &d->config->endpoints[i];
    bool is_known = !is_bad(d, "endpoints[].protocol", i);

    if (is_set(d, "endpoints[].path", i)) {
        if (!is_path(endpoint->path))
            complain(d, "endpoints[].path", i,
                     "got %s, expected a path such as /ws, starting with a slash, without ? # or "
                     "spaces",
                     config_show(endpoint->path).text);
        for (size_t k = 0; k < i; k++) {
            if (slice_eq(endpoint->path, d->config->endpoints[k].path)) {
                complain(d, "endpoints[].path", i,
                         "is the path of endpoints[%zu] as well, expected another", k);
                break;
            }
        }
    }
    if (is_known && endpoint->protocol != CONFIG_PROTOCOL_ECHO &&
        is_set(d, "endpoints[].prefix", i))
        complain(d, "endpoints[].prefix", i, "is for protocol echo only, expected it left out");
    if (is_known && endpoint->protocol != CONFIG_PROTOCOL_BROADCAST &&
        is_set(d, "endpoints[].echo_to_sender", i))
        complain(d, "endpoints[].echo_to_sender", i,
                 "is for protocol broadcast only, expected it left out");
    for (size_t k = 0; k < endpoint->allowed_origins.n; k++) {
        struct slice origin = endpoint->allowed_origins.items[k];

        if (!is_origin(origin))
            complain(d, "endpoints[].allowed_origins", i,
                     "got %s, expected an origin such as https://app.example.com, or *",
                     config_show(origin).text);
    }
}

static void check_route(struct draft *d, size_t i)
{
    const struct config_route *route = &d->config->routes[i];

    for (size_t k = 0; k < i && is_set(d, "routes[].destination", i); k++) {
        if (slice_eq(route->destination, d->config->routes[k].destination)) {
            complain(d, "routes[].destination", i,
                     "is the destination of routes[%zu] as well, expected another", k);
            break;
        }
    }
    if (is_bad(d, "routes[].mode", i))
        return;
    if (route->mode == CONFIG_ROUTE_ECHO && is_set(d, "routes[].send_to", i))
        complain(d, "routes[].send_to", i, "does not go with mode echo, expected it left out");
    if (route->mode != CONFIG_ROUTE_ECHO && is_set(d, "routes[].prefix", i))
        complain(d, "routes[].prefix", i, "is for mode echo only, expected it left out");
    if (is_set(d, "routes[].copy_headers", i) &&
        mark_of(d, "routes[].send_to", i)->state == DRAFT_UNSET)
        complain(d, "routes[].copy_headers", i, "is for routes with send_to only, expected one");
}

static void check_issuer(struct draft *d, size_t i)
{
    const unsigned hs256 = 1U << CONFIG_ALGORITHM_HS256;
    const struct config_issuer *issuer = &d->config->auth.issuers[i];
    bool has_secret = is_set(d, "auth.issuers[].secret", i);
    bool has_key = is_set(d, "auth.issuers[].public_key", i);

    if (has_secret && issuer->secret.len < HS256_MIN_SECRET_BYTES)
        complain(d, "auth.issuers[].secret", i,
                 "got a secret of %zu bytes, expected at least %d for HS256", issuer->secret.len,
                 (int)HS256_MIN_SECRET_BYTES);
    if (is_bad(d, "auth.issuers[].secret", i) || is_bad(d, "auth.issuers[].public_key", i))
        return;
    if (has_secret && has_key) {
        complain(d, "auth.issuers[].public_key", i,
                 "stands beside a secret, expected one key: write two issuers");
        return;
    }
    if (!has_secret && !has_key) {
        config_errors_add(d->errors, place_of(d, "auth.issuers[].secret", i),
                          slice_str(draft_name("auth.issuers[]", i).text),
                          "has no key, expected secret (HS256) or public_key (RS256, ES256)");
        return;
    }
    if (!is_set(d, "auth.issuers[].algorithms", i))
        return;
    if (has_secret && (issuer->algorithms & ~hs256) != 0)
        complain(d, "auth.issuers[].algorithms", i,
                 "RS256 and ES256 need public_key, expected HS256 alone with a secret");
    if (has_key && (issuer->algorithms & hs256) != 0)
        complain(d, "auth.issuers[].algorithms", i,
                 "HS256 needs secret, expected RS256 or ES256 with a public key");
}

static bool is_parameter_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.base[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            c != '-' && c != '.' && c != '_' && c != '~')
            return false;
    }
    return true;
}

/** Whether each endpoint lets somebody in; true as well when an error leaves that open. */
static bool somebody_gets_in(const struct draft *d)
{
    const struct config *c = d->config;

    if (c->auth.n_issuers != 0 || c->auth.anonymous || is_bad(d, "auth.anonymous", 0) ||
        list_of(d, "auth.issuers")->mark.state == DRAFT_BAD ||
        draft_section(d, slice_str("auth"))->state == DRAFT_BAD ||
        list_of(d, "endpoints")->mark.state == DRAFT_BAD)
        return true;
    for (size_t i = 0; i < c->n_endpoints; i++) {
        if (!c->endpoints[i].anonymous && !is_bad(d, "endpoints[].anonymous", i))
            return false;
    }
    return true;
}

static void check_auth(struct draft *d)
{
    const struct config *c = d->config;
    const struct draft_mark *section = draft_section(d, slice_str("auth"));

    if (!is_parameter_name(c->auth.query_parameter))
        complain(d, "auth.query_parameter", 0,
                 "got %s, expected a name of letters, digits and - . _ ~, such as access_token",
                 config_show(c->auth.query_parameter).text);
    for (size_t i = 0; i < c->auth.n_issuers; i++)
        check_issuer(d, i);
    if (!somebody_gets_in(d))
        config_errors_add(d->errors, section->state == DRAFT_UNSET ? d->whole : section->origin,
                          slice_str("auth"),
                          "nobody could get in, expected auth.issuers, auth.anonymous: true, or "
                          "anonymous: true at every endpoint");
}

static void check_transport(struct draft *d)
{
    const char *const buffer = "transport.send_buffer_size_limit";
    const char *const all = "transport.process_buffer_limit";

    if (!is_bad(d, buffer, 0) && !is_bad(d, all, 0) &&
        d->config->transport.send_buffer_size_limit > d->config->transport.process_buffer_limit)
        complain(d, buffer, 0, "is more than %s, expected at most %s", all,
                 value_size_text(d->config->transport.process_buffer_limit).text);
}

void check_all(struct draft *draft)
{
    check_required(draft);
    check_listeners(draft);
    check_admin(draft);
    for (size_t i = 0; i < draft->config->n_endpoints; i++)
        check_endpoint(draft, i);
    for (size_t i = 0; i < draft->config->n_routes; i++)
        check_route(draft, i);
    check_auth(draft);
    check_transport(draft);
    check_paths(draft);
}
