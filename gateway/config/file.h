#ifndef GATEWAY_CONFIG_FILE_H
#define GATEWAY_CONFIG_FILE_H

#include <stddef.h>
#include "base/slice.h"

/* Small files, read whole. Any thread. */

/**
 * Reads at most `max` bytes of a regular file or a pipe. Returns NULL, with the bytes in `*out`
 * (the caller owns `.base`, a NUL behind them; end it with file_wipe), or what went wrong, a text
 * that stays valid until the next call of strerror in this thread.
 */
const char *file_read(const char *path, size_t max, struct slice *out)
    __attribute__((warn_unused_result));

/** Overwrites and frees what file_read gave. */
void file_wipe(struct slice bytes);

/** NULL when the file can be opened for reading and is no directory, or what went wrong. */
const char *file_check(const char *path) __attribute__((warn_unused_result));

#endif
