#ifndef GATEWAY_PUSH_PROBLEM_H
#define GATEWAY_PUSH_PROBLEM_H

#include "base/buf.h"

/*
 * Error answers of the HTTP interfaces as problem details (RFC 9457, application/problem+json):
 * "type" is always about:blank, so the title is that of the status. Pure. Any thread.
 */

/** The reason phrase of an HTTP status that we answer with (RFC 9110); "Error" for others. */
const char *problem_title(int status);

/**
 * Appends the JSON object. `detail` is for people; `field` names the part of the request that is
 * wrong. Either may be NULL or empty and is left out then. Both are UTF-8.
 */
void problem_print(int status, const char *detail, const char *field, struct buf *out);

#endif
