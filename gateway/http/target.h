#ifndef GATEWAY_HTTP_TARGET_H
#define GATEWAY_HTTP_TARGET_H

#include <stdbool.h>
#include "base/buf.h"
#include "base/slice.h"

/*
 * The target of a request line (RFC 9112, section 3.2): its path, its query, and percent-coding
 * (RFC 3986, section 2.1). Pure. Any thread.
 */

/** Still coded. Borrows the target. */
struct http_target {
    struct slice path;  /* "/" for an absolute target without one */
    struct slice query; /* without the question mark; empty when there is none */
};

/** Splits an origin-form or absolute-form target. What is neither is its own path. */
struct http_target http_target_split(struct slice target);

/**
 * Appends what `coded` stands for. Returns false when a percent sign has no two hexadecimal
 * digits, or `out` is full; `out` may hold a part then.
 */
bool http_percent_decode(struct slice coded, struct buf *out) __attribute__((warn_unused_result));

#endif
