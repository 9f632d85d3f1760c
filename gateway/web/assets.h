#ifndef GATEWAY_WEB_ASSETS_H
#define GATEWAY_WEB_ASSETS_H

#include "base/slice.h"

/*
 * The files of the gateway's own pages, built into the program (gateway/web/CMakeLists.txt).
 * Immutable; any thread.
 */

/** What a page may load and do: nothing but its own files, and WebSockets to anywhere. */
#define WEB_CONTENT_SECURITY_POLICY                                                                \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "                    \
    "connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

struct web_asset {
    struct slice path; /* of the request: "/" is the demo page */
    struct slice content_type;
    struct slice etag; /* strong, with its quotes: for `body` as it is */
    struct slice body;
    struct slice gzip_etag; /* a coded body is another representation: it needs its own */
    struct slice gzip; /* `body` under "content-encoding: gzip"; empty where that saves nothing */
};

/** Borrows `path`, without query. Returns NULL when there is no such file. */
const struct web_asset *web_asset_find(struct slice path);

#endif
