#ifndef AUTH_ORIGIN_H
#define AUTH_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>
#include "auth/status.h"
#include "base/slice.h"

/*
 * From which web pages a browser may connect (RFC 6454), by the rules of Spring's
 * OriginHandshakeInterceptor (WebUtils.isSameOrigin, CorsConfiguration.checkOrigin): the page's own
 * server always; else a list of origins, and a list of patterns.
 *
 * - An origin of the list is equal whatever its case; `*` is any.
 * - In a pattern each `*` is any run of characters, dots included; case counts. `:[*]` at its end
 *   is any port or none, `:[8080,8081]` one of these. The pattern `*` is any.
 * - One slash at the end of either is dropped. A value of a list may be several, joined by commas.
 *
 * One set of rules is for one endpoint. Immutable once made: any thread.
 */

struct auth_origin;

/** Compiles both lists; copies them. Whatever they hold is some rule: cannot fail. */
struct auth_origin *auth_origin_new(const struct slice *origins, size_t n_origins,
                                    const struct slice *patterns, size_t n_patterns);

/** NULL is fine. */
void auth_origin_free(struct auth_origin *rules);

/**
 * Whether a handshake may go on. `scheme` is that of the request (`http`, `https`), `host` its Host
 * header, `origin` its Origin header; an absent header has a NULL base. Without an Origin no
 * browser is asking, and all is allowed. An empty one, or of blanks only, is denied whatever the
 * rules say.
 */
AUTH_MUST_CHECK
bool auth_origin_allows(const struct auth_origin *rules, struct slice scheme, struct slice host,
                        struct slice origin);

/**
 * Whether scheme, host and port of an Origin are those of the request. An absent Origin is the
 * same. A missing port is 80 for http and ws, 443 for https and wss. The host's case counts, as in
 * Spring; an Origin that is not just scheme, host and port (and one slash) is never the same.
 */
AUTH_MUST_CHECK
bool auth_origin_is_same(struct slice scheme, struct slice host, struct slice origin);

#endif
