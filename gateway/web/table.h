#ifndef GATEWAY_WEB_TABLE_H
#define GATEWAY_WEB_TABLE_H

#include "gateway/web/assets.h"

/* What cmake/embed.cmake writes. Immutable; any thread. */

extern const struct web_asset web_assets[];
extern const size_t n_web_assets;

#endif
