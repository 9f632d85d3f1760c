#ifndef GATEWAY_CONFIG_YAML_H
#define GATEWAY_CONFIG_YAML_H

#include "base/slice.h"
#include "gateway/config/draft.h"

/*
 * The configuration file: one YAML document in UTF-8, read strictly. Anchors, aliases, tags, a
 * second document, duplicate keys and unknown names are errors. Owning thread only.
 */

enum {
    YAML_MAX_BYTES = 1024 * 1024,
    YAML_MAX_DEPTH = 32, /* the settings need four */
};

/** Reads `bytes`, naming the file `name` in errors, into the draft. Borrows both for the call. */
void yaml_read(struct draft *draft, struct slice name, struct slice bytes);

#endif
