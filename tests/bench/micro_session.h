#ifndef TESTS_BENCH_MICRO_SESSION_H
#define TESTS_BENCH_MICRO_SESSION_H

#include <stddef.h>

/*
 * micro's cases that need a session: all that happens between a connection's input buffer and the
 * receivers' queues, for one SEND a tick. The work is done `n` times.
 */

/** A SEND of `size` bytes with a content-type, to one subscriber. */
void micro_send(size_t n, size_t size);

/** The same with eight headers of the application's own and a receipt. */
void micro_send_headers(size_t n, size_t size);

/** The same as micro_send, in a piece of 1,448 bytes after the other, as a network brings it. */
void micro_send_pieces(size_t n, size_t size);

#endif
