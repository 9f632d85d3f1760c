#include "gateway/config/check.h"

#include "gateway/config/check_destinations.h"
#include "gateway/config/file.h"
#include "gateway/config/said.h"
#include "gateway/config/value.h"

enum { HS256_MIN_SECRET_BYTES = 32 }; /* RFC 7518, section 3.2 */

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
                said_error(d, settings[i].name, k, "is missing, expected %s",
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
                said_error(d, settings[i].name, k, "%s: %s, expected a file that can be read",
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
                said_error(d, "listeners[].address", i,
                           "is the address of listeners[%zu] as well, expected another", k);
                break;
            }
        }
        if (same_address(c->listeners[i].address, c->admin.listen))
            said_error(d, "listeners[].address", i,
                       "is the address of admin.listen as well, expected another");
        if (c->listeners[i].tls && c->tls.n_certificates == 0 &&
            said_list(d, "tls.certificates")->mark.state != DRAFT_BAD &&
            draft_section(d, slice_str("tls"))->state != DRAFT_BAD)
            said_error(d, "listeners[].tls", i, "has no certificate, expected tls.certificates");
    }
}

static void check_admin(struct draft *d)
{
    const struct config *c = d->config;

    for (size_t i = 0; i < c->admin.n_api_keys; i++) {
        for (size_t k = 0; k < i; k++) {
            if (said_is_set(d, "admin.api_keys[].name", i) &&
                slice_eq(c->admin.api_keys[i].name, c->admin.api_keys[k].name)) {
                said_error(d, "admin.api_keys[].name", i,
                           "is the name of admin.api_keys[%zu] as well, expected another", k);
                break;
            }
        }
    }
    if (c->admin.listen.len != 0 && !said_is_bad(d, "admin.listen", 0) &&
        !is_loopback(c->admin.listen) && c->admin.n_api_keys == 0 &&
        said_list(d, "admin.api_keys")->mark.state != DRAFT_BAD)
        said_error(d, "admin.listen", 0,
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
    bool is_known = !said_is_bad(d, "endpoints[].protocol", i);

    if (said_is_set(d, "endpoints[].path", i)) {
        if (!is_path(endpoint->path))
            said_error(d, "endpoints[].path", i,
                       "got %s, expected a path such as /ws, starting with a slash, without ? # or "
                       "spaces",
                       config_show(endpoint->path).text);
        for (size_t k = 0; k < i; k++) {
            if (slice_eq(endpoint->path, d->config->endpoints[k].path)) {
                said_error(d, "endpoints[].path", i,
                           "is the path of endpoints[%zu] as well, expected another", k);
                break;
            }
        }
    }
    if (is_known && endpoint->protocol != CONFIG_PROTOCOL_ECHO &&
        said_is_set(d, "endpoints[].prefix", i))
        said_error(d, "endpoints[].prefix", i, "is for protocol echo only, expected it left out");
    if (is_known && endpoint->protocol != CONFIG_PROTOCOL_BROADCAST &&
        said_is_set(d, "endpoints[].echo_to_sender", i))
        said_error(d, "endpoints[].echo_to_sender", i,
                   "is for protocol broadcast only, expected it left out");
    for (size_t k = 0; k < endpoint->allowed_origins.n; k++) {
        struct slice origin = endpoint->allowed_origins.items[k];

        if (!is_origin(origin))
            said_error(d, "endpoints[].allowed_origins", i,
                       "got %s, expected an origin such as https://app.example.com, or *",
                       config_show(origin).text);
    }
}

static void check_issuer(struct draft *d, size_t i)
{
    const unsigned hs256 = 1U << CONFIG_ALGORITHM_HS256;
    const struct config_issuer *issuer = &d->config->auth.issuers[i];
    bool has_secret = said_is_set(d, "auth.issuers[].secret", i);
    bool has_key = said_is_set(d, "auth.issuers[].public_key", i);

    if (has_secret && issuer->secret.len < HS256_MIN_SECRET_BYTES)
        said_error(d, "auth.issuers[].secret", i,
                   "got a secret of %zu bytes, expected at least %d for HS256", issuer->secret.len,
                   (int)HS256_MIN_SECRET_BYTES);
    if (said_is_bad(d, "auth.issuers[].secret", i) ||
        said_is_bad(d, "auth.issuers[].public_key", i))
        return;
    if (has_secret && has_key) {
        said_error(d, "auth.issuers[].public_key", i,
                   "stands beside a secret, expected one key: write two issuers");
        return;
    }
    if (!has_secret && !has_key) {
        config_errors_add(d->errors, said_where(d, "auth.issuers[].secret", i),
                          slice_str(draft_name("auth.issuers[]", i).text),
                          "has no key, expected secret (HS256) or public_key (RS256, ES256)");
        return;
    }
    if (!said_is_set(d, "auth.issuers[].algorithms", i))
        return;
    if (has_secret && (issuer->algorithms & ~hs256) != 0)
        said_error(d, "auth.issuers[].algorithms", i,
                   "RS256 and ES256 need public_key, expected HS256 alone with a secret");
    if (has_key && (issuer->algorithms & hs256) != 0)
        said_error(d, "auth.issuers[].algorithms", i,
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

    if (c->auth.n_issuers != 0 || c->auth.anonymous || said_is_bad(d, "auth.anonymous", 0) ||
        said_list(d, "auth.issuers")->mark.state == DRAFT_BAD ||
        draft_section(d, slice_str("auth"))->state == DRAFT_BAD ||
        said_list(d, "endpoints")->mark.state == DRAFT_BAD)
        return true;
    for (size_t i = 0; i < c->n_endpoints; i++) {
        if (!c->endpoints[i].anonymous && !said_is_bad(d, "endpoints[].anonymous", i))
            return false;
    }
    return true;
}

static void check_auth(struct draft *d)
{
    const struct config *c = d->config;
    const struct draft_mark *section = draft_section(d, slice_str("auth"));

    if (!is_parameter_name(c->auth.query_parameter))
        said_error(d, "auth.query_parameter", 0,
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

    if (!said_is_bad(d, buffer, 0) && !said_is_bad(d, all, 0) &&
        d->config->transport.send_buffer_size_limit > d->config->transport.process_buffer_limit)
        said_error(d, buffer, 0, "is more than %s, expected at most %s", all,
                   value_size_text(d->config->transport.process_buffer_limit).text);
}

void check_all(struct draft *draft)
{
    check_required(draft);
    check_listeners(draft);
    check_admin(draft);
    for (size_t i = 0; i < draft->config->n_endpoints; i++)
        check_endpoint(draft, i);
    check_destinations(draft);
    check_auth(draft);
    check_transport(draft);
    check_paths(draft);
}
