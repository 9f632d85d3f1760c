#ifndef GATEWAY_HTTP_ADMIN_H
#define GATEWAY_HTTP_ADMIN_H

#include <h2o.h>

/*
 * Requests on the admin listener: the push API, metrics and health. A key is needed for the first
 * two once one is configured or the listener is not on a loopback address. Owning worker only.
 */

/** h2o's on_req of the one handler there is. */
int http_admin_on_req(h2o_handler_t *handler, h2o_req_t *req);

#endif
