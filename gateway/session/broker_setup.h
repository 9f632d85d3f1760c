#ifndef GATEWAY_SESSION_BROKER_SETUP_H
#define GATEWAY_SESSION_BROKER_SETUP_H

#include <stdint.h>
#include "gateway/broker/broker.h"
#include "gateway/config/config.h"

/* What brokers share, as the configuration wants it. Main thread, before workers start. */

/**
 * Returns 0 with `*shared` ready, which ends with broker_shared_dispose; -1, with nothing to
 * dispose and `*error` (the caller's to mem_free), when a pattern cannot be compiled.
 */
int broker_setup(struct broker_shared *shared, const struct config *config, unsigned n_workers,
                 struct siphash_key hash_key, uint64_t start_id, char **error)
    __attribute__((warn_unused_result));

/** One worker's share of broker.sequence_limit. */
size_t broker_setup_sequence_limit(const struct config *config, unsigned n_workers);

#endif
