#ifndef GATEWAY_HTTP_PUBLIC_H
#define GATEWAY_HTTP_PUBLIC_H

#include <h2o.h>
#include "gateway/http/worker.h"

/*
 * Requests on the public listeners: the opening handshake at the endpoints' paths, in the order
 * of Spring's checks and with its answers, the demo page when it is on, 404 for the rest.
 * Owning worker only.
 */

/** h2o's on_req of the one handler there is. */
int http_public_on_req(h2o_handler_t *handler, h2o_req_t *req);

/** Gives up the handshakes whose answer is still being written, when their loop is at its end. */
void http_public_drop_pending(struct http_worker *worker);

#endif
