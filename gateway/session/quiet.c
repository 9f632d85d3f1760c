#include "gateway/session/quiet.h"

bool quiet_allows(struct quiet *quiet, uint64_t now_ms, uint64_t *suppressed)
{
    if (now_ms - quiet->window_ms >= 1000) {
        quiet->window_ms = now_ms;
        quiet->n_lines = 0;
    }
    if (quiet->n_lines == QUIET_LINES_A_SECOND) {
        quiet->n_suppressed++;
        return false;
    }
    quiet->n_lines++;
    *suppressed = quiet->n_suppressed;
    quiet->n_suppressed = 0;
    return true;
}

bool quiet_is_new(struct quiet *quiet, struct slice destination)
{
    enum { N_SLOTS = QUIET_MAX_DESTINATIONS * 2 };
    uint64_t hash = siphash(&quiet->hash_key, destination) | 1;
    unsigned at = (unsigned)(hash >> 1) % N_SLOTS;

    while (quiet->seen[at] != 0) {
        if (quiet->seen[at] == hash)
            return false;
        at = (at + 1) % N_SLOTS;
    }
    if (quiet->n_seen == QUIET_MAX_DESTINATIONS)
        return false;
    quiet->seen[at] = hash;
    quiet->n_seen++;
    return true;
}
