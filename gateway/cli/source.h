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

/**
 * Reads the command line of a verb that has no other options: --config, --set and --help, and no
 * arguments. Zero `source` first; borrows argv for its life. Returns -1 to go on, or the exit code
 * of a verb that is done (its help was printed) or was called wrongly.
 */
int cli_source_parse(struct cli_source *source, int argc, char **argv);

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
