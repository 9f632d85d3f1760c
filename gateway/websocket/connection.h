#ifndef GATEWAY_WEBSOCKET_CONNECTION_H
#define GATEWAY_WEBSOCKET_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <h2o/socket.h>
#include "gateway/session/session.h"
#include "gateway/websocket/deflate_negotiate.h"
#include "gateway/websocket/inflate.h"
#include "gateway/worker/stream.h"

/*
 * A WebSocket connection: drives the reader and writer over a stream, and a session on top. It
 * frees itself when its stream has ended. Owning worker only.
 */

/** What the connections of one worker share. Outlives them. */
struct ws_env {
    struct worker *worker;
    struct session_env *sessions;
    struct stream_limits limits;
    struct ws_inflater *inflater; /* of all who keep no context; NULL until needed */
};

/** When all connections have gone. */
void ws_env_dispose(struct ws_env *env);

/**
 * Takes an upgraded socket (its input may hold bytes already) and `identity` (NULL: none). With
 * `deflate` permessage-deflate was agreed (NULL: not); borrowed for the call.
 */
void ws_connection_open(struct ws_env *env, h2o_socket_t *sock, bool is_tls, size_t endpoint,
                        struct auth_identity *identity, const struct ws_deflate_agreement *deflate);

/** Closes up to `n` more of the worker's connections with 1001. */
void ws_connection_close_some(struct ws_env *env, size_t n);

/** Ends all that are left, without another word. */
void ws_connection_abort_all(struct ws_env *env);

#endif
