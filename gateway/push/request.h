#ifndef GATEWAY_PUSH_REQUEST_H
#define GATEWAY_PUSH_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include "base/buf.h"
#include "base/slice.h"

/*
 * The body of POST /api/v1/publish, read strictly: an object with "destination" and exactly one
 * of "body" (any JSON value, sent as compact JSON; a string as it is), "text" (a string, sent as
 * it is) and "base64" (bytes), and optionally "content_type" and "headers" (an object of strings).
 * Pure. Any thread.
 */

struct push_header {
    struct slice name;
    struct slice value;
};

/** All slices point into memory that the request owns. */
struct push_request {
    struct slice destination;
    struct slice content_type; /* never empty for text and JSON: text/plain;charset=UTF-8 and
                                  application/json unless given; base64: application/octet-stream */
    struct slice body;
    struct push_header *headers; /* none of them reserved, none repeated */
    size_t n_headers;
    void *owned; /* what the slices point into */
};

/** What is wrong, for problem+json. */
struct push_error {
    int status;        /* 400, 413 or 422 never: see push_request_parse */
    const char *field; /* "headers.subscription"-like name of the field, or "" */
    char detail[256];  /* NUL-terminated, safe to show */
    char field_name[128];
};

/**
 * Parses `json`. Returns true with `*out` owned by the caller (push_request_dispose), or false
 * with `*error` filled: 400 for no JSON, a missing, unknown, repeated or mistyped field, a
 * destination that does not start with "/" or has control characters, a header name or value that
 * is malformed or reserved (destination, subscription, message-id, content-length, content-type,
 * ack, receipt, receipt-id, transaction, version, session, server, heart-beat, user-name,
 * redelivered, x-delivery-count, and every name that starts with "simp" or "x-seq" or "x-epoch").
 */
bool push_request_parse(struct slice json, struct push_request *out, struct push_error *error)
    __attribute__((warn_unused_result));

void push_request_dispose(struct push_request *request);

#endif
