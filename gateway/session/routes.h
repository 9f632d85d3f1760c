#ifndef GATEWAY_SESSION_ROUTES_H
#define GATEWAY_SESSION_ROUTES_H

#include <stdbool.h>
#include <stddef.h>
#include "base/buf.h"
#include "base/siphash.h"
#include "base/slice.h"
#include "gateway/config/config.h"

/*
 * Where a destination leads: to one of routes[], to the broker, to users, or nowhere. Spring has
 * three handlers that all look at every message (AbstractBrokerMessageHandler.
 * checkDestinationPrefix, UserDestinationMessageHandler, AbstractMethodMessageHandler.
 * getHandlerMethod); here exactly one takes it:
 *
 * - what is below the user prefix belongs to users, whatever a route's pattern could match;
 * - then routes[]: the one of exactly this destination (below an application prefix, but for empty
 *   segments), else of the matching patterns the most specific in AntPathMatcher's order; of equal
 *   ones the first (Spring refuses the message);
 * - then the broker, by its prefixes, or everything when it has none;
 * - then nothing: known by ROUTE_APPLICATION that the application would have been meant.
 *
 * So a routed message is the route's alone, also where Spring's broker without prefixes would
 * have delivered it a second time, as it was sent.
 *
 * Immutable after routes_new; any thread.
 */

struct routes;

enum route_kind {
    ROUTE_NOWHERE,
    ROUTE_BROKER,
    ROUTE_APPLICATION, /* below an application prefix, and nobody takes it: nowhere, too */
    ROUTE_USER,        /* below the user prefix */
    ROUTE_CONFIGURED,
};

/** What a route was found by. Set for ROUTE_CONFIGURED only. */
struct route_match {
    const struct config_route *route;
    const struct slice *variables; /* the names; borrowed from the routes */
    size_t n_variables;
    struct slice values[CONFIG_ROUTE_MAX_VARIABLES]; /* borrowed from the destination */
};

/** Borrows the configuration for its life. `hash_key` is random. */
struct routes *routes_new(const struct config *config, struct siphash_key hash_key);

/** NULL is fine. */
void routes_free(struct routes *routes);

/**
 * Where a SEND goes. Broker prefixes are compared as they are ("/topic" takes "/topicfoo"), the
 * application's and the user's with a slash behind. `*match` borrows the destination.
 */
enum route_kind routes_find(const struct routes *routes, struct slice destination,
                            struct route_match *match);

/**
 * Where a SUBSCRIBE goes. ROUTE_CONFIGURED: to a route with on_subscribe, whose answer it gets and
 * which stores nothing. ROUTE_BROKER: it is to be stored, at a destination of the broker's, or at
 * one whose messages a route keeps there.
 */
enum route_kind routes_find_subscribe(const struct routes *routes, struct slice destination,
                                      struct route_match *match);

/**
 * Appends one of the route's templates to `out`, filled with the variables of the match. `user` is
 * empty for who has no name. Values are text: they may hold braces, wildcards or slashes (with
 * broker.path_separator "."), so a destination that comes out is to be judged like a client's own.
 * Returns false, with `out` as it was, when that would pass its ceiling.
 */
bool routes_fill(struct slice template, const struct route_match *match, struct slice user,
                 struct slice session_id, struct buf *out) __attribute__((warn_unused_result));

#endif
