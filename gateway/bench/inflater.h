#ifndef GATEWAY_BENCH_INFLATER_H
#define GATEWAY_BENCH_INFLATER_H

#include <stdbool.h>
#include <stddef.h>
#include "base/slice.h"
#include "gateway/bench/status.h"

/*
 * Reads compressed WebSocket messages (RFC 7692, section 7.2.2) by zlib. Owning thread only.
 */

struct inflater;

/**
 * For a server's window of 8 to 15 bits. One that keeps its context is for one connection, and must
 * be given all its compressed messages; any other one is for any of them.
 */
struct inflater *inflater_new(unsigned window_bits, bool keeps_context);

/** NULL is fine. */
void inflater_free(struct inflater *inflater);

/**
 * Inflates a whole message into `out`, which has room for `size` bytes, one more than a message may
 * have. Returns LOAD_OK with the text in `*message`, or LOAD_ERR_WS_DEFLATE, LOAD_ERR_WS_TOO_LARGE.
 */
LOAD_MUST_CHECK
enum load_status inflater_run(struct inflater *inflater, struct slice payload, char *out,
                              size_t size, struct slice *message);

#endif
