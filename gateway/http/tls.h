#ifndef GATEWAY_HTTP_TLS_H
#define GATEWAY_HTTP_TLS_H

#include <openssl/ssl.h>
#include "gateway/config/config.h"
#include "gateway/ops/log.h"

/*
 * The server's side of TLS: version 1.2 and up, "http/1.1" by ALPN, and of several certificates
 * the one that is for the name the client asks for (SNI), the first when none is. Clients come back
 * by tickets (tickets.h). Made by the main thread, immutable then but for its ticket keys; any
 * thread.
 */

struct http_tls;

/**
 * Reads the files of tls.certificates[] and of the ticket keys. Returns NULL, with the setting and
 * its path logged, when there is no certificate or a file cannot be used. `now_ms` is a monotonic
 * clock.
 */
struct http_tls *http_tls_new(const struct config *config, uint64_t (*now_ms)(void),
                              const struct log *log) __attribute__((warn_unused_result));

/** NULL is fine. */
void http_tls_free(struct http_tls *tls);

/** What a connection starts with. Borrowed. */
SSL_CTX *http_tls_context(const struct http_tls *tls);

#endif
