#ifndef GATEWAY_BENCH_NAMES_H
#define GATEWAY_BENCH_NAMES_H

#include <stdbool.h>
#include "base/buf.h"
#include "gateway/bench/extension.h"
#include "gateway/bench/options.h"

/*
 * What a client says of itself in its handshakes: the same for all, or with the name of a user.
 * That stands wherever the token or a header says "{user}", and in a token that is made for it when
 * there is a secret to sign with. Owning process only.
 */

/** Which extension is offered in it. */
struct extension_offer names_offer(const struct options *options);

/** Appends the HTTP request; `user` is NULL for nobody's. Returns false when it does not fit. */
bool names_write_upgrade(struct buf *out, const struct options *options, const char *user)
    __attribute__((warn_unused_result));

/** Appends the CONNECT frame, as above. */
bool names_write_connect(struct buf *out, const struct options *options, const char *user)
    __attribute__((warn_unused_result));

#endif
