#include "gateway/session/routes.h"

#include <assert.h>
#include "base/ant.h"
#include "base/mem.h"
#include "base/table.h"
#include "base/template.h"

struct route_node {
    struct table_node node; /* in by_destination, unless there is a pattern */
    const struct config_route *route;
    struct ant_pattern *pattern; /* of a plain destination, too */
    bool is_plain;               /* found by_destination, and has no variables */
    bool is_applications;        /* below an application prefix */
};

struct routes {
    const struct config *config;
    struct table by_destination;
    struct route_node *nodes;     /* of config->routes, in their order */
    struct route_node **patterns; /* those that are not plain, in that order too */
    size_t n_patterns;
};

/** Whether a route is for what is asked. */
typedef bool (*route_test)(const struct config_route *route);

/* "/app" stands for "/app/"; a prefix that ends with a slash has it already. */
static bool has_prefix_with_slash(struct slice destination, struct slice prefix)
{
    if (prefix.len == 0 || !slice_starts_with(destination, prefix))
        return false;
    return prefix.base[prefix.len - 1] == '/' ||
           (destination.len > prefix.len && destination.base[prefix.len] == '/');
}

static bool is_applications(const struct routes *routes, struct slice destination)
{
    const struct config_strings *prefixes =
        &routes->config->broker.application_destination_prefixes;

    for (size_t i = 0; i < prefixes->n; i++) {
        if (has_prefix_with_slash(destination, prefixes->items[i]))
            return true;
    }
    return false;
}

static void init_node(const struct routes *routes, struct route_node *node,
                      const struct config_route *route)
{
    char separator = routes->config->broker.path_separator;
    enum ant_status status = ant_pattern_new(route->destination, separator, &node->pattern);

    assert(status == ANT_OK); /* the checks of the configuration have compiled it */
    (void)status;
    node->route = route;
    node->node.key = route->destination;
    node->is_plain = !ant_is_pattern(route->destination);
    node->is_applications = is_applications(routes, route->destination);
}

struct routes *routes_new(const struct config *config, struct siphash_key hash_key)
{
    struct routes *routes = mem_calloc(1, sizeof(*routes));

    routes->config = config;
    routes->nodes = mem_calloc(config->n_routes, sizeof(*routes->nodes));
    routes->patterns = mem_calloc(config->n_routes, sizeof(struct route_node *));
    table_init(&routes->by_destination, hash_key);
    for (size_t i = 0; i < config->n_routes; i++) {
        struct route_node *node = &routes->nodes[i];

        init_node(routes, node, &config->routes[i]);
        /* The first route of a destination wins, as the first rule of an access list does. */
        if (!node->is_plain)
            routes->patterns[routes->n_patterns++] = node;
        else if (table_find(&routes->by_destination, node->node.key) == NULL)
            table_insert(&routes->by_destination, &node->node);
    }
    return routes;
}

void routes_free(struct routes *routes)
{
    if (routes == NULL)
        return;
    table_dispose(&routes->by_destination);
    for (size_t i = 0; i < routes->config->n_routes; i++)
        ant_pattern_free(routes->nodes[i].pattern);
    mem_free(routes->patterns);
    mem_free(routes->nodes);
    mem_free(routes);
}

/* --- prefixes --- */

static bool is_users(const struct routes *routes, struct slice destination)
{
    return has_prefix_with_slash(destination, routes->config->broker.user_destination_prefix);
}

/** What becomes of a destination that is no user's and that no route takes. */
static enum route_kind by_prefix(const struct routes *routes, struct slice destination)
{
    const struct config_strings *broker = &routes->config->broker.destination_prefixes;

    for (size_t i = 0; i < broker->n; i++) {
        if (slice_starts_with(destination, broker->items[i]))
            return ROUTE_BROKER;
    }
    if (broker->n == 0)
        return ROUTE_BROKER;
    return is_applications(routes, destination) ? ROUTE_APPLICATION : ROUTE_NOWHERE;
}

/* --- routes --- */

static bool takes_send(const struct config_route *route)
{
    return !route->is_for_subscribe_only;
}

static bool answers_subscribe(const struct config_route *route)
{
    return route->on_subscribe.has_body || route->on_subscribe.last_of.len != 0;
}

/** Whether what is sent to a destination of the route's stays there. */
static bool keeps_messages(const struct config_route *route)
{
    return takes_send(route) && route->send_to.len == 0 && route->send_to_user.len == 0;
}

static bool concerns_subscribe(const struct config_route *route)
{
    return answers_subscribe(route) || keeps_messages(route);
}

static bool has_empty_segment(struct slice destination, char separator)
{
    for (size_t i = 1; i < destination.len; i++) {
        if (destination.base[i] == separator && destination.base[i - 1] == separator)
            return true;
    }
    return false;
}

/*
 * Spring's mappings are patterns, one and all, so that "/app//chat" is for "/app/chat" as well; the
 * prefix before them is compared as it is: "//app/chat" is not.
 */
static const struct route_node *find_plain(const struct routes *routes, struct slice destination,
                                           route_test is_meant)
{
    if (!is_applications(routes, destination) ||
        !has_empty_segment(destination, routes->config->broker.path_separator))
        return NULL;
    for (size_t i = 0; i < routes->config->n_routes; i++) {
        const struct route_node *node = &routes->nodes[i];

        if (node->is_plain && node->is_applications && is_meant(node->route) &&
            ant_pattern_match(node->pattern, destination))
            return node;
    }
    return NULL;
}

static const struct route_node *find_node(const struct routes *routes, struct slice destination,
                                          route_test is_meant)
{
    const struct route_node *best =
        TABLE_ENTRY(table_find(&routes->by_destination, destination), struct route_node, node);

    if (best != NULL && is_meant(best->route))
        return best;
    best = find_plain(routes, destination, is_meant);
    if (best != NULL)
        return best; /* more specific than every pattern */
    for (size_t i = 0; i < routes->n_patterns; i++) {
        const struct route_node *node = routes->patterns[i];

        if (is_meant(node->route) && ant_pattern_match(node->pattern, destination) &&
            (!node->is_applications || is_applications(routes, destination)) &&
            (best == NULL || ant_pattern_compare(node->pattern, best->pattern, destination) < 0))
            best = node;
    }
    return best;
}

/** Returns false when the variables cannot be told, which Spring makes an error of as well. */
static bool set_match(const struct route_node *node, struct slice destination,
                      struct route_match *match)
{
    match->route = node->route;
    match->variables = NULL;
    match->n_variables = 0;
    if (node->is_plain)
        return true;
    match->variables = ant_pattern_variables(node->pattern, &match->n_variables);
    assert(match->n_variables <= CONFIG_ROUTE_MAX_VARIABLES);
    return ant_pattern_extract(node->pattern, destination, match->values);
}

enum route_kind routes_find(const struct routes *routes, struct slice destination,
                            struct route_match *match)
{
    const struct route_node *node;

    if (is_users(routes, destination))
        return ROUTE_USER;
    node = find_node(routes, destination, takes_send);
    if (node != NULL && set_match(node, destination, match))
        return ROUTE_CONFIGURED;
    return by_prefix(routes, destination);
}

enum route_kind routes_find_subscribe(const struct routes *routes, struct slice destination,
                                      struct route_match *match)
{
    const struct route_node *node;

    if (is_users(routes, destination))
        return ROUTE_USER;
    node = find_node(routes, destination, concerns_subscribe);
    if (node != NULL && keeps_messages(node->route)) {
        if (find_node(routes, destination, takes_send) == node)
            return ROUTE_BROKER;
        /* A more specific route takes the messages elsewhere. */
        node = find_node(routes, destination, answers_subscribe);
    }
    if (node != NULL && set_match(node, destination, match))
        return ROUTE_CONFIGURED;
    return by_prefix(routes, destination);
}

/* --- templates --- */

struct fill {
    const struct route_match *match;
    struct slice user;
    struct slice session_id;
};

static const struct slice *value_of(const void *ctx, struct slice name)
{
    const struct fill *fill = ctx;

    for (size_t i = 0; i < fill->match->n_variables; i++) {
        if (slice_eq(name, fill->match->variables[i]))
            return &fill->match->values[i];
    }
    if (slice_eq(name, slice_str(CONFIG_VARIABLE_USER)))
        return &fill->user;
    if (slice_eq(name, slice_str(CONFIG_VARIABLE_SESSION)))
        return &fill->session_id;
    return NULL;
}

bool routes_fill(struct slice template, const struct route_match *match, struct slice user,
                 struct slice session_id, struct buf *out)
{
    const struct fill fill = {match, user, session_id};

    return template_fill(template, value_of, &fill, out);
}
