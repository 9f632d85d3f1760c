#ifndef GATEWAY_CONFIG_CHECK_H
#define GATEWAY_CONFIG_CHECK_H

#include "gateway/config/draft.h"

/*
 * What no single value can say: what is missing, what does not go together, what would open or
 * close more than anybody can want. Keeps quiet about what has an error already.
 * Owning thread only.
 */

/** Adds an error for everything that is wrong. Opens the files that paths name. */
void check_all(struct draft *draft);

#endif
