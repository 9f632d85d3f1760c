#ifndef GATEWAY_CONFIG_FLAGS_H
#define GATEWAY_CONFIG_FLAGS_H

#include "gateway/config/draft.h"

/*
 * What the command line sets: `broker.heartbeat=0,0`, `endpoints[0].path=/ws`, in its order, a
 * later one over an earlier one. Owning thread only.
 */

void flags_read(struct draft *draft, const char *const *overrides, size_t n);

#endif
