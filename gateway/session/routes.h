#ifndef GATEWAY_SESSION_ROUTES_H
#define GATEWAY_SESSION_ROUTES_H

#include <stdbool.h>
#include <stddef.h>
#include "base/siphash.h"
#include "base/slice.h"
#include "gateway/config/config.h"

/*
 * Where a destination leads: to one of routes[], to the broker, or nowhere (Spring's
 * AbstractBrokerMessageHandler.checkDestinationPrefix and SimpAnnotationMethodMessageHandler.
 * appendSlashes). Immutable after routes_new; any thread.
 */

struct routes;

enum route_kind {
    ROUTE_NOWHERE,
    ROUTE_BROKER,
    ROUTE_CONFIGURED,
};

/** Borrows the configuration for its life. `hash_key` is random. */
struct routes *routes_new(const struct config *config, struct siphash_key hash_key);

/** NULL is fine. */
void routes_free(struct routes *routes);

/**
 * Where a SEND goes. For ROUTE_CONFIGURED `*route` is set. Broker prefixes are compared as they
 * are ("/topic" takes "/topicfoo"), the application's and the user's with a slash behind.
 */
enum route_kind routes_find(const struct routes *routes, struct slice destination,
                            const struct config_route **route);

/** Whether something can be delivered there: a broker's destination, or a route's that keeps it. */
bool routes_takes_subscription(const struct routes *routes, struct slice destination);

#endif
