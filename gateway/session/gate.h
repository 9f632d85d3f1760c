#ifndef GATEWAY_SESSION_GATE_H
#define GATEWAY_SESSION_GATE_H

#include <stdbool.h>
#include "auth/access.h"
#include "auth/keys.h"
#include "auth/token.h"
#include "auth/verifier.h"
#include "base/slice.h"
#include "gateway/config/config.h"
#include "gateway/ops/log.h"

/*
 * The configuration's issuers and access rules in the form that auth/ works with.
 *
 * struct gate is immutable after gate_new and shared by all workers; a struct gate_verifier caches
 * contexts and belongs to one worker.
 */

struct gate {
    struct auth_keys *keys;
    struct auth_access *access;
};

/** Reads key files. Returns -1, with the reason logged, when one cannot be used. */
int gate_init(struct gate *gate, const struct config *config, const struct log *log)
    __attribute__((warn_unused_result));
void gate_dispose(struct gate *gate);

/**
 * Judges a token with the worker's verifier at the time of the wall clock. Returns the identity,
 * the caller's to end with gate_identity_free, or NULL with `*why` a static text for the peer and
 * `*status` for the log.
 */
struct auth_identity *gate_check_token(struct auth_verifier *verifier, struct slice token,
                                       const char **why, enum auth_status *status);

/** NULL is fine. */
void gate_identity_free(struct auth_identity *identity);

#endif
