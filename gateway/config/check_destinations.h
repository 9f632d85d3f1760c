#ifndef GATEWAY_CONFIG_CHECK_DESTINATIONS_H
#define GATEWAY_CONFIG_CHECK_DESTINATIONS_H

#include "gateway/config/draft.h"

/*
 * Checks of what is written in destinations: patterns compile, templates name variables that their
 * route has, and what a route says goes together. Owning thread only.
 */

/** Adds an error for everything that is wrong. Computed defaults are in place. */
void check_destinations(struct draft *d);

#endif
