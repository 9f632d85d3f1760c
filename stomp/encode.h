#ifndef STOMP_ENCODE_H
#define STOMP_ENCODE_H

#include <stdbool.h>
#include "base/buf.h"
#include "base/slice.h"
#include "stomp/frame.h"
#include "stomp/status.h"

/*
 * Frames to bytes (Spring's StompEncoder): LF only, nothing behind the NUL, escapes on all
 * commands but CONNECT, STOMP and CONNECTED whatever the version. Pure. Any thread.
 */

/**
 * Each writes at the end of `out` and returns false, with `out` as it was, when that would pass
 * its ceiling. A frame is: begin, any number of headers, end.
 */
STOMP_MUST_CHECK bool stomp_encode_begin(struct buf *out, enum stomp_command command);
STOMP_MUST_CHECK bool stomp_encode_header(struct buf *out, enum stomp_command command,
                                          struct slice name, struct slice value);
/** Ends the headers; for commands with a body writes content-length first, and then the body. */
STOMP_MUST_CHECK bool stomp_encode_end(struct buf *out, enum stomp_command command,
                                       struct slice body);

/** How many bytes `text` has once escaped. */
size_t stomp_escaped_len(struct slice text);

/** Writes stomp_escaped_len(text) bytes to `out` and returns the place behind them. */
char *stomp_escape(struct slice text, char *out);

/**
 * Undoes the escapes of a value that stomp_escape made, in place; returns the shorter slice.
 * The text must be valid.
 */
struct slice stomp_unescape_in_place(char *text, size_t len);

#endif
