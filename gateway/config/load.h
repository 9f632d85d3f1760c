#ifndef GATEWAY_CONFIG_LOAD_H
#define GATEWAY_CONFIG_LOAD_H

#include <stddef.h>
#include "base/slice.h"
#include "gateway/config/config.h"
#include "gateway/config/errors.h"

/*
 * From a file, the environment and flags to one checked struct config. Defaults < file <
 * environment < flags. What comes out is an immutable snapshot with a count: any thread may hold
 * references.
 */

/** Everything is borrowed for the call; zeroed it is the defaults alone. */
struct config_source {
    const char *path;             /* of the YAML file; NULL: none */
    struct slice bytes;           /* the file's content, when base is set: path is not opened */
    const char *const *envp;      /* NULL at its end; NULL: no environment */
    const char *const *overrides; /* "broker.heartbeat=0,0", "endpoints[0].path=/ws" */
    size_t n_overrides;
};

/**
 * Reads, fills in defaults and checks. Opens the files that settings name, to see that they are
 * there; what is in them others read.
 *
 * Returns a snapshot with one reference, or NULL with everything that is wrong in `errors`
 * (initialized, empty; the caller prints and disposes it), sorted by place.
 */
struct config *config_load(const struct config_source *source, struct config_errors *errors)
    __attribute__((warn_unused_result));

/** One more reference to a snapshot that config_load made. Any thread. */
const struct config *config_ref(const struct config *config);

/** One less; the last one wipes the secrets and frees. NULL is fine. Any thread. */
void config_unref(const struct config *config);

#endif
