#ifndef GATEWAY_BENCH_LINK_H
#define GATEWAY_BENCH_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include "gateway/bench/tls.h"

/*
 * The bytes of a connection, by TLS or plain, over a non-blocking socket. By TLS the process must
 * ignore SIGPIPE: OpenSSL writes as it likes. Owning process only.
 */

/** Open: without `ssl` it is plain. */
struct link {
    int fd;
    SSL *ssl;
};

enum link_result {
    LINK_DONE,
    LINK_MORE,        /* as DONE, and there may be more that the socket's events do not tell of */
    LINK_WANTS_READ,  /* goes on when the socket can be read */
    LINK_WANTS_WRITE, /* goes on when it can be written to */
    LINK_CLOSED,      /* the other side has nothing more to say */
    LINK_FAILED,      /* link_reason says why */
};

/** Goes on with the handshake. DONE, WANTS_READ, WANTS_WRITE or FAILED; plain: DONE. */
enum link_result link_shake(struct link *link);

/** Reads up to `size` bytes; DONE or MORE with at least one in `*n`, or as above, or CLOSED. */
enum link_result link_read(struct link *link, char *out, size_t size, size_t *n);

/** Writes what can be now of `len` (not 0) bytes: DONE with `*n`, WANTS_..., or FAILED. */
enum link_result link_write(struct link *link, const char *bytes, size_t len, size_t *n);

/** Whether the server has taken the session that was offered. */
bool link_is_resumed(const struct link *link);

/** Why the last call has FAILED; asked before anything else is done. */
void link_reason(const struct link *link, char *out, size_t size);

/** Closes the socket without a word, by reset when `is_aborted`. Closed ones are fine. */
void link_close(struct link *link, bool is_aborted);

#endif
