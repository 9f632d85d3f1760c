#ifndef GATEWAY_CLI_SOURCE_H
#define GATEWAY_CLI_SOURCE_H

#include <stddef.h>
#include "gateway/config/config.h"

/* --config and --set, for the verbs that read a configuration. Main thread only. */

struct cli_source {
    const char *path; /* borrowed from argv; NULL: no file */
    const char **overrides;
    size_t n_overrides;
};

/** Adds the value of one --set; borrows it. */
void cli_source_set(struct cli_source *source, const char *override);

/**
 * Reads file, environment and overrides. Returns a reference that ends with config_unref, or NULL
 * with every mistake printed to standard error.
 */
struct config *cli_source_load(const struct cli_source *source) __attribute__((warn_unused_result));

/** A zeroed one is fine. */
void cli_source_dispose(struct cli_source *source);

#endif
