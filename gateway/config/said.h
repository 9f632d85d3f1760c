#ifndef GATEWAY_CONFIG_SAID_H
#define GATEWAY_CONFIG_SAID_H

#include <stdbool.h>
#include <stddef.h>
#include "gateway/config/draft.h"

/*
 * What was said about a setting, and where: the questions of the checks that come after reading.
 * Names are those of the table, which must know them. Owning thread only.
 */

bool said_is_set(const struct draft *d, const char *name, size_t index);

/** Whether there was an error about it: further checks keep quiet then. */
bool said_is_bad(const struct draft *d, const char *name, size_t index);

/** The marks of a list. */
const struct draft_list *said_list(const struct draft *d, const char *name);

/** Where to point: at the value, or at the item or group that it is missing from. */
struct config_origin said_where(const struct draft *d, const char *name, size_t index);

/** An error about a setting, at its place. */
#define said_error(d, name, index, ...)                                                            \
    draft_error((d), setting_get(name), (index), said_where((d), (name), (index)), __VA_ARGS__)

#endif
