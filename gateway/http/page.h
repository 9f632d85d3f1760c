#ifndef GATEWAY_HTTP_PAGE_H
#define GATEWAY_HTTP_PAGE_H

#include <h2o.h>
#include "gateway/http/head.h"
#include "gateway/web/assets.h"

/* The gateway's own pages: built-in files, with ETag, gzip and a strict policy. */

/** Answers a request for `asset`, whatever its method. */
void http_page_answer(h2o_req_t *req, const struct http_head *head, const struct web_asset *asset);

#endif
