#include "gateway/session/routes.h"

#include "base/mem.h"
#include "base/table.h"

struct route_node {
    struct table_node node;
    const struct config_route *route;
};

struct routes {
    const struct config *config;
    struct table by_destination;
    struct route_node *nodes;
};

struct routes *routes_new(const struct config *config, struct siphash_key hash_key)
{
    struct routes *routes = mem_calloc(1, sizeof(*routes));

    routes->config = config;
    routes->nodes = mem_calloc(config->n_routes, sizeof(*routes->nodes));
    table_init(&routes->by_destination, hash_key);
    for (size_t i = 0; i < config->n_routes; i++) {
        struct route_node *node = &routes->nodes[i];

        node->route = &config->routes[i];
        node->node.key = node->route->destination;
        /* The first route of a destination wins, as the first rule of an access list does. */
        if (table_find(&routes->by_destination, node->node.key) == NULL)
            table_insert(&routes->by_destination, &node->node);
    }
    return routes;
}

void routes_free(struct routes *routes)
{
    if (routes == NULL)
        return;
    table_dispose(&routes->by_destination);
    mem_free(routes->nodes);
    mem_free(routes);
}

/* "/app" stands for "/app/"; a prefix that ends with a slash has it already. */
static bool has_prefix_with_slash(struct slice destination, struct slice prefix)
{
    if (prefix.len == 0 || !slice_starts_with(destination, prefix))
        return false;
    return prefix.base[prefix.len - 1] == '/' ||
           (destination.len > prefix.len && destination.base[prefix.len] == '/');
}

static struct route_node *find_node(const struct routes *routes, struct slice destination)
{
    return TABLE_ENTRY(table_find(&routes->by_destination, destination), struct route_node, node);
}

static bool is_broker(const struct routes *routes, struct slice destination)
{
    const struct config_strings *prefixes = &routes->config->broker.destination_prefixes;

    if (has_prefix_with_slash(destination, routes->config->broker.user_destination_prefix))
        return false;
    for (size_t i = 0; i < prefixes->n; i++) {
        if (slice_starts_with(destination, prefixes->items[i]))
            return true;
    }
    return prefixes->n == 0;
}

bool routes_takes_subscription(const struct routes *routes, struct slice destination)
{
    const struct route_node *node = find_node(routes, destination);

    /* What is sent to a routed destination stays there, unless send_to leads elsewhere. */
    if (node != NULL && node->route->send_to.len == 0)
        return true;
    return is_broker(routes, destination);
}

enum route_kind routes_find(const struct routes *routes, struct slice destination,
                            const struct config_route **route)
{
    const struct route_node *node = find_node(routes, destination);

    if (node != NULL) {
        *route = node->route;
        return ROUTE_CONFIGURED;
    }
    return is_broker(routes, destination) ? ROUTE_BROKER : ROUTE_NOWHERE;
}
