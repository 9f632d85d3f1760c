#ifndef GATEWAY_HTTP_TICKETS_H
#define GATEWAY_HTTP_TICKETS_H

#include <openssl/ssl.h>
#include <stdint.h>
#include "base/slice.h"
#include "gateway/ops/log.h"

/*
 * The keys of TLS session tickets (RFC 5077; RFC 8446, 4.6.1). A client that comes back shows the
 * ticket it was given and is spared the certificate; nothing is kept for it here, and every worker
 * reads what any other has given.
 *
 * Without a file the keys are random: a new one each lifetime, and the one before is read until
 * the last of its tickets has run out. With a file, which several gateways behind one address may
 * share, its keys are used as they stand there: HTTP_TICKETS_KEY_BYTES each, the first for new
 * tickets, the others for reading old ones. The file is read anew when it has changed; what cannot
 * be used is logged, and the keys from before stay.
 *
 * Any thread: a lock guards the keys, held to copy one out of them (and once a minute to look at
 * the file).
 */

enum {
    HTTP_TICKETS_KEY_BYTES = 80, /* name 16, HMAC-SHA256 32, AES-256 32 */
    HTTP_TICKETS_MAX_KEYS = 16,
};

struct http_tickets;

/**
 * `lifetime_ms` is not 0; an empty `key_file` means random keys. `now_ms` is a monotonic clock.
 * Borrows the log for its life. Returns NULL, the reason logged, when the file cannot be used.
 */
struct http_tickets *http_tickets_new(uint32_t lifetime_ms, struct slice key_file,
                                      uint64_t (*now_ms)(void), const struct log *log)
    __attribute__((warn_unused_result));

/** NULL is fine. */
void http_tickets_free(struct http_tickets *tickets);

/** The context's connections give and read tickets by these keys, which must outlive it. */
void http_tickets_use(struct http_tickets *tickets, SSL_CTX *context);

#endif
