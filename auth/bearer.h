#ifndef AUTH_BEARER_H
#define AUTH_BEARER_H

#include <stddef.h>
#include "auth/status.h"
#include "base/slice.h"

/*
 * Finds the token in a request: RFC 6750, sections 2.1 (Authorization) and 2.3 (query). Whether the
 * token is any good is auth/token.h's question. Pure. Any thread.
 */

/**
 * The token of an Authorization value, `Bearer` (any case), spaces, one token68 (RFC 9110, section
 * 11.2). Borrows `value`; `*token` is a part of it.
 *
 * Returns AUTH_OK; AUTH_ERR_NO_TOKEN when the value is empty or of another scheme;
 * AUTH_ERR_BEARER when what follows the scheme is not one token68. `*token` is set only for
 * AUTH_OK.
 */
AUTH_MUST_CHECK
enum auth_status auth_bearer_from_header(struct slice value, struct slice *token);

/**
 * The value of the parameter `name` of a query (what stands behind the `?`), percent-decoded into
 * `room`. Names are compared decoded, too. `+` stays what it is.
 *
 * Returns AUTH_OK with `*token` in `room`; AUTH_ERR_NO_TOKEN when the parameter is not there, or
 * `name` is empty; AUTH_ERR_BEARER when it is there twice, badly encoded, or no token68;
 * AUTH_ERR_LARGE when `room` is too small for it. `*token` is set only for AUTH_OK.
 */
AUTH_MUST_CHECK
enum auth_status auth_bearer_from_query(struct slice query, struct slice name, char *room,
                                        size_t room_len, struct slice *token);

#endif
