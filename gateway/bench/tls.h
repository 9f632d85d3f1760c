#ifndef GATEWAY_BENCH_TLS_H
#define GATEWAY_BENCH_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <openssl/ssl.h>
#include "base/slice.h"

/*
 * The client's side of TLS (1.2 and up, "http/1.1" by ALPN), as all connections of a process share
 * it: whom to trust, the server's name, and the sessions that may be resumed. Owning process only.
 */

struct tls;

struct tls_settings {
    struct slice name;   /* of the server: asked for (SNI) and looked for in the certificate */
    const char *ca_file; /* who is trusted; NULL: whom the system trusts */
    bool is_insecure;    /* nothing of the certificate is checked */
    size_t n_sessions;   /* kept, one for each number below it, to be resumed; 0: none is */
};

/** Reports on stderr and returns NULL when it cannot be. */
struct tls *tls_new(const struct tls_settings *settings);

/** NULL is fine. Connections end before. */
void tls_free(struct tls *tls);

/**
 * The client's end of a new connection on a socket, which the caller still owns. With sessions,
 * it offers the last one that number `session` was given. Reports and returns NULL when it cannot.
 */
SSL *tls_open(struct tls *tls, int fd, size_t session);

/** Ends it as a lost network would, without a word to the server; its session stays good. */
void tls_close(SSL *ssl);

#endif
