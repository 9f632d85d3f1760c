#ifndef GATEWAY_HTTP_LISTEN_H
#define GATEWAY_HTTP_LISTEN_H

#include <netdb.h>
#include <stdbool.h>
#include "base/slice.h"
#include "gateway/ops/log.h"

/*
 * Listening sockets: one per worker on each address, so that the kernel spreads the connections
 * (SO_REUSEPORT). The first is bound without that option and gets it afterwards: so a second
 * gateway on the same address is told "address in use" instead of taking a share in silence.
 * Main thread, before the workers start.
 */

/** "host:port" of a bound socket, as text. */
struct http_listen_name {
    char text[NI_MAXHOST + NI_MAXSERV + 4];
};

/**
 * Opens `n_fds` non-blocking, listening sockets on "host:port" or "[v6]:port"; an IPv6 address
 * takes IPv6 only. With port 0 the kernel chooses one for all of them. What accepted sockets
 * inherit is set here: TCP_NODELAY and TCP_USER_TIMEOUT.
 *
 * Returns 0 with `fds` the caller's, `*name` the address with the real port and `*is_loopback`
 * set. Else logs why with `setting` and returns an exit code: 78 when the address cannot be read
 * or resolved, 69 when it cannot be bound. No descriptor is left open then.
 */
int http_listen(struct slice address, const char *setting, int *fds, unsigned n_fds,
                struct http_listen_name *name, bool *is_loopback, const struct log *log)
    __attribute__((warn_unused_result));

/**
 * Connections are to be accepted with their first bytes: who says nothing waits in the kernel,
 * for some seconds. So what is accepted has work to do at once, and as many are accepted in a turn
 * as there is time for; otherwise all those that connected meanwhile would speak in one turn.
 */
void http_listen_defer(const int *fds, unsigned n_fds);

#endif
