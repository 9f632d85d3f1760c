#include "stomp/version.h"

#include <assert.h>

static const struct slice names[STOMP_N_VERSIONS] = {
    [STOMP_VERSION_1_0] = SLICE("1.0"),
    [STOMP_VERSION_1_1] = SLICE("1.1"),
    [STOMP_VERSION_1_2] = SLICE("1.2"),
};

static bool find(struct slice name, enum stomp_version *out)
{
    for (enum stomp_version version = STOMP_VERSION_1_0; version < STOMP_N_VERSIONS; version++) {
        if (slice_eq(names[version], name)) {
            *out = version;
            return true;
        }
    }
    return false;
}

enum stomp_status stomp_version_negotiate(struct slice accept_version, enum stomp_version *out)
{
    struct slice rest = accept_version, entry;
    enum stomp_version version, best = STOMP_VERSION_1_0;
    bool has_any = false, is_last;

    if (rest.len == 0) {
        *out = STOMP_VERSION_1_0;
        return STOMP_OK;
    }
    do {
        is_last = !slice_cut(rest, ',', &entry, &rest);
        if (is_last)
            entry = rest;
        if (find(slice_trim(entry), &version)) {
            has_any = true;
            if (version > best)
                best = version;
        }
    } while (!is_last);
    if (!has_any)
        return STOMP_ERR_VERSION;
    *out = best;
    return STOMP_OK;
}

struct slice stomp_version_name(enum stomp_version version)
{
    assert(version < STOMP_N_VERSIONS);
    return names[version];
}
