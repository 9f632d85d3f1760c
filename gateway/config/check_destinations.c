#include "gateway/config/check_destinations.h"

#include <stdio.h>
#include "base/ant.h"
#include "base/template.h"
#include "gateway/config/said.h"

/* What every template knows, beside the variables of its route's destination. */
static const struct slice known[] = {SLICE(CONFIG_VARIABLE_USER), SLICE(CONFIG_VARIABLE_SESSION)};

static bool is_one_of(struct slice text, const struct slice *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (slice_eq(text, items[i]))
            return true;
    }
    return false;
}

/* --- patterns --- */

/** Returns NULL with an error added when it cannot be compiled. */
static struct ant_pattern *compile(struct draft *d, const char *name, size_t index,
                                   struct slice text)
{
    struct ant_pattern *pattern;
    enum ant_status status = ant_pattern_new(text, d->config->broker.path_separator, &pattern);

    if (status == ANT_OK)
        return pattern;
    said_error(d, name, index, "got %s, expected an Ant pattern such as /topic/*: %s",
               config_show(text).text, ant_strstatus(status));
    return NULL;
}

static void check_patterns(struct draft *d, const char *name, size_t index,
                           const struct config_strings *patterns)
{
    for (size_t i = 0; i < patterns->n; i++)
        ant_pattern_free(compile(d, name, index, patterns->items[i]));
}

/** A brace that none closes, and {}, are just text to Spring; here they can only be mistakes. */
static bool has_stray_brace(struct slice text)
{
    while (slice_find(text, '{') != text.len) {
        size_t close;

        text = slice_skip(text, slice_find(text, '{') + 1);
        close = slice_find(text, '}');
        if (close == text.len || close == 0)
            return true;
    }
    return false;
}

/* --- templates --- */

/** "room, id, user, session" */
struct names_text {
    char text[160];
};

static struct names_text names_text(const struct slice *variables, size_t n)
{
    struct names_text out;
    size_t at = 0;

    out.text[0] = '\0';
    for (size_t i = 0; i < n && at + variables[i].len + 2 < sizeof(out.text) - 32; i++)
        at += (size_t)snprintf(out.text + at, sizeof(out.text) - at, "%.*s, ",
                               SLICE_FMT(variables[i]));
    (void)snprintf(out.text + at, sizeof(out.text) - at, "%.*s or %.*s", SLICE_FMT(known[0]),
                   SLICE_FMT(known[1]));
    return out;
}

/** `pattern` is the route's destination; NULL when that is wrong: then any name will do. */
static void check_template(struct draft *d, const char *name, size_t index, struct slice text,
                           const struct ant_pattern *pattern)
{
    struct slice rest = text;
    struct template_piece piece;
    enum template_status status;
    size_t n = 0;
    const struct slice *variables = pattern == NULL ? NULL : ant_pattern_variables(pattern, &n);

    while ((status = template_next(&rest, &piece)) == TEMPLATE_OK) {
        if (!piece.is_place || pattern == NULL || is_one_of(piece.text, variables, n) ||
            is_one_of(piece.text, known, sizeof(known) / sizeof(known[0])))
            continue;
        said_error(d, name, index, "got %s with the variable %s, expected one of %s",
                   config_show(text).text, config_show(piece.text).text,
                   names_text(variables, n).text);
        return;
    }
    if (status != TEMPLATE_END)
        said_error(d, name, index, "got %s with %s, expected places such as {user}",
                   config_show(text).text, template_strstatus(status));
}

/* --- routes --- */

static void check_variables(struct draft *d, size_t i, const struct ant_pattern *pattern)
{
    const char *const name = "routes[].destination";
    size_t n;
    const struct slice *variables = ant_pattern_variables(pattern, &n);

    if (!ant_pattern_can_extract(pattern))
        said_error(d, name, i,
                   "got %s, whose variables cannot be told: expected names that do not begin with "
                   "*, and no groups of their own in regular expressions but (?:...)",
                   config_show(ant_pattern_text(pattern)).text);
    if (n > CONFIG_ROUTE_MAX_VARIABLES)
        said_error(d, name, i, "has %zu variables, expected at most %d", n,
                   (int)CONFIG_ROUTE_MAX_VARIABLES);
    for (size_t k = 0; k < n && k < CONFIG_ROUTE_MAX_VARIABLES; k++) {
        if (is_one_of(variables[k], known, sizeof(known) / sizeof(known[0])))
            said_error(d, name, i,
                       "has the variable %s, which stands for the sender's own, expected another "
                       "name",
                       config_show(variables[k]).text);
    }
}

/** Returns the pattern, or NULL when there is an error about it. */
static struct ant_pattern *check_route_destination(struct draft *d, size_t i)
{
    const char *const name = "routes[].destination";
    const struct config *c = d->config;
    struct slice destination = c->routes[i].destination;
    struct ant_pattern *pattern;

    if (!said_is_set(d, name, i))
        return NULL;
    for (size_t k = 0; k < i; k++) {
        if (slice_eq(destination, c->routes[k].destination)) {
            said_error(d, name, i, "is the destination of routes[%zu] as well, expected another",
                       k);
            break;
        }
    }
    if (slice_starts_with(destination, c->broker.user_destination_prefix))
        said_error(d, name, i,
                   "got %s, which is below broker.user_destination_prefix and so belongs to a "
                   "user, expected another",
                   config_show(destination).text);
    if (has_stray_brace(destination)) {
        said_error(d, name, i,
                   "got %s with a { without a name or a }, expected variables such as {room}",
                   config_show(destination).text);
        return NULL;
    }
    pattern = compile(d, name, i, destination);
    if (pattern != NULL)
        check_variables(d, i, pattern);
    return pattern;
}

/** Headers that the gateway writes itself, or that would mean something to it or to a client. */
static bool is_reserved(struct slice name)
{
    static const struct slice names[] = {
        SLICE("ack"),          SLICE("content-length"),
        SLICE("content-type"), SLICE("destination"),
        SLICE("id"),           SLICE("message-id"),
        SLICE("receipt"),      SLICE("receipt-id"),
        SLICE("redelivered"),  SLICE("x-delivery-count"),
        SLICE("selector"),     SLICE("simpOrigDestination"),
        SLICE("subscription"), SLICE("transaction"),
        SLICE("x-epoch"),      SLICE("x-seq"),
        SLICE("x-unrouted"),
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (slice_eq_nocase(name, names[i]))
            return true;
    }
    return false;
}

static void check_headers(struct draft *d, size_t i, const struct ant_pattern *pattern)
{
    const struct config_pairs *headers = &d->config->routes[i].headers;

    for (size_t k = 0; k < headers->n; k++) {
        if (is_reserved(headers->items[k].name))
            said_error(d, "routes[].headers", i,
                       "%s is a header that has a meaning of its own, expected another name",
                       config_show(headers->items[k].name).text);
        check_template(d, "routes[].headers", i, headers->items[k].value, pattern);
    }
}

static void check_send(struct draft *d, size_t i)
{
    const struct config_route *route = &d->config->routes[i];
    bool is_echo = route->mode == CONFIG_ROUTE_ECHO;
    bool has_to = said_is_set(d, "routes[].send_to", i) || said_is_bad(d, "routes[].send_to", i);
    bool has_to_user =
        said_is_set(d, "routes[].send_to_user", i) || said_is_bad(d, "routes[].send_to_user", i);

    if (said_is_set(d, "routes[].send_to_user", i) && route->send_to_user.base[0] != '/')
        said_error(d, "routes[].send_to_user", i,
                   "got %s, expected it to start with a slash: /queue/reply",
                   config_show(route->send_to_user).text);
    if (said_is_set(d, "routes[].broadcast", i) && !has_to_user)
        said_error(d, "routes[].broadcast", i,
                   "is for routes with send_to_user only, expected one");
    if (said_is_set(d, "routes[].copy_headers", i) && !has_to && !has_to_user)
        said_error(d, "routes[].copy_headers", i,
                   "is for routes with send_to or send_to_user only, expected one");
    if (said_is_bad(d, "routes[].mode", i))
        return;
    if (is_echo && said_is_set(d, "routes[].send_to", i))
        said_error(d, "routes[].send_to", i, "does not go with mode echo, expected it left out");
    if (is_echo && said_is_set(d, "routes[].send_to_user", i))
        said_error(d, "routes[].send_to_user", i,
                   "does not go with mode echo, expected it left out");
    if (!is_echo && said_is_set(d, "routes[].prefix", i))
        said_error(d, "routes[].prefix", i, "is for mode echo only, expected it left out");
}

static void check_on_subscribe(struct draft *d, size_t i)
{
    const char *const body = "routes[].on_subscribe.body";
    const char *const type = "routes[].on_subscribe.content_type";
    const char *const last_of = "routes[].on_subscribe.last_of";
    const struct config_route *route = &d->config->routes[i];
    bool keeps_messages = route->send_to.len == 0 && route->send_to_user.len == 0 &&
                          !said_is_bad(d, "routes[].send_to", i) &&
                          !said_is_bad(d, "routes[].send_to_user", i);

    if (said_is_set(d, body, i) && said_is_set(d, last_of, i))
        said_error(d, last_of, i, "stands beside a body, expected one of them");
    else if (said_is_set(d, type, i) && !said_is_set(d, body, i) && !said_is_bad(d, body, i))
        said_error(d, type, i, "is for a body only, expected one");
    if ((said_is_set(d, body, i) || said_is_set(d, last_of, i)) && keeps_messages &&
        said_is_set(d, "routes[].mode", i))
        said_error(d, "routes[].mode", i,
                   "keeps messages where on_subscribe lets nobody subscribe, expected send_to, "
                   "send_to_user, or the mode left out");
}

static void check_route(struct draft *d, size_t i)
{
    const struct config_route *route = &d->config->routes[i];
    struct ant_pattern *pattern = check_route_destination(d, i);

    check_send(d, i);
    check_on_subscribe(d, i);
    check_template(d, "routes[].send_to", i, route->send_to, pattern);
    check_template(d, "routes[].send_to_user", i, route->send_to_user, pattern);
    check_template(d, "routes[].on_subscribe.last_of", i, route->on_subscribe.last_of, pattern);
    check_headers(d, i, pattern);
    ant_pattern_free(pattern);
}

/* --- the broker --- */

static void check_broker(struct draft *d)
{
    static const struct slice of_subscribe[] = {
        SLICE("ack"), SLICE("destination"), SLICE("id"), SLICE("receipt"), SLICE("transaction"),
    };
    const struct config *c = d->config;
    struct slice prefix = c->broker.user_destination_prefix;

    check_patterns(d, "broker.sequence", 0, &c->broker.sequence);
    for (size_t i = 0; i < c->broker.n_queues; i++)
        check_patterns(d, "broker.queues[].destinations", i, &c->broker.queues[i].destinations);
    if (said_is_set(d, "broker.error_destination", 0) &&
        !said_is_bad(d, "broker.user_destination_prefix", 0) &&
        (!slice_starts_with(c->broker.error_destination, prefix) ||
         c->broker.error_destination.len == prefix.len))
        said_error(d, "broker.error_destination", 0,
                   "got %s, where others could subscribe, expected one below %s",
                   config_show(c->broker.error_destination).text, config_show(prefix).text);
    if (is_one_of(c->broker.selector_header, of_subscribe,
                  sizeof(of_subscribe) / sizeof(of_subscribe[0])))
        said_error(d, "broker.selector_header", 0,
                   "got %s, which SUBSCRIBE has anyway, expected another name",
                   config_show(c->broker.selector_header).text);
}

void check_destinations(struct draft *d)
{
    check_broker(d);
    for (size_t i = 0; i < d->config->n_routes; i++)
        check_route(d, i);
    for (size_t i = 0; i < d->config->n_access; i++)
        check_patterns(d, "access[].destinations", i, &d->config->access[i].destinations);
}
