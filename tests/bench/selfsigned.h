#ifndef BENCH_SELFSIGNED_H
#define BENCH_SELFSIGNED_H

#include <openssl/ssl.h>

/*
 * For tests: the server's side of TLS with a certificate of its own making, for "localhost" and
 * 127.0.0.1.
 */

/**
 * A context with a new certificate, which is also written to the file at `path` for a client to
 * trust. The caller owns it. Fails the test when it cannot be made.
 */
SSL_CTX *selfsigned_new(const char *path);

#endif
