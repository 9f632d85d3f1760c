#ifndef GATEWAY_CONFIG_CPUS_H
#define GATEWAY_CONFIG_CPUS_H

#include <stdbool.h>
#include "base/slice.h"

/*
 * How many CPUs the process may use: the affinity mask, and the CPU quota of its cgroup and of the
 * cgroups above (version 2: cpu.max; version 1: cpu.cfs_quota_us). A container's limit is a quota
 * more often than a mask. Any thread.
 */

enum { CPUS_MAX = 64 };

/** 1 to CPUS_MAX. */
unsigned cpus_allowed(void);

/** The same for a mask of `n_affinity` CPUs, with /proc and /sys looked for below `root`. */
unsigned cpus_allowed_in(const char *root, unsigned n_affinity);

/**
 * The CPUs that a quota gives, rounded up: "150000 100000" is 2.
 * Returns false, with `*out` untouched, for "max" (no limit) and for what is no such line.
 */
bool cpus_parse_max(struct slice line, unsigned *out);

/**
 * The path of a cgroup from /proc/self/cgroup: the line of version 2 ("0::/path") when
 * `controller` is empty, else the line of version 1 that has the controller.
 * Returns false, with `*path` untouched, when there is none.
 */
bool cpus_parse_cgroup(struct slice text, struct slice controller, struct slice *path);

#endif
