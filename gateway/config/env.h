#ifndef GATEWAY_CONFIG_ENV_H
#define GATEWAY_CONFIG_ENV_H

#include "gateway/config/draft.h"

/*
 * The environment: STOMPGATE_BROKER_HEARTBEAT for broker.heartbeat, STOMPGATE_ENDPOINTS_0_PATH for
 * endpoints[0].path; lists of strings separated by commas; secrets also from the file that
 * ..._FILE names. Every other STOMPGATE_ variable is an error, but for those of the project's own
 * scripts and those that Kubernetes and Docker set for a service called stompgate.
 * Owning thread only.
 */

/** Reads `envp` (NULL at its end, may be NULL itself) into the draft. */
void env_read(struct draft *draft, const char *const *envp);

#endif
