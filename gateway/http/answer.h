#ifndef GATEWAY_HTTP_ANSWER_H
#define GATEWAY_HTTP_ANSWER_H

#include <h2o.h>
#include "base/slice.h"

/*
 * Answers to requests. Each function but the first ends the request: `req` is h2o's from then on.
 * Owning worker only.
 */

/** Adds a header. `name` is static and is sent in its spelling; `value` is copied. */
void http_answer_header(h2o_req_t *req, const char *name, struct slice value);

/**
 * Sends `body`, copied, or only its length for HEAD. An empty `content_type` sends none.
 * `content_type` must be static.
 */
void http_answer(h2o_req_t *req, int status, struct slice content_type, struct slice body);

/** Like http_answer, for a body that lives as long as the process. */
void http_answer_static(h2o_req_t *req, int status, struct slice content_type, struct slice body);

/** Problem details (RFC 9457); `detail` and `field` may be NULL. */
void http_answer_problem(h2o_req_t *req, int status, const char *detail, const char *field);

/** 304: no body and no length of one. */
void http_answer_not_modified(h2o_req_t *req);

#endif
