#include "gateway/worker/reclaim.h"

enum {
    /* What is less is not worth the walk: it is used again sooner or later. */
    WORTH_BYTES = 4 * 1024 * 1024,
    /* The storm is over when of what was freed in all only so small a part is new. */
    CALM_PART = 16,
};

bool reclaim_is_due(struct reclaim *reclaim)
{
    uint64_t freed_bytes = atomic_load_explicit(&reclaim->freed_bytes, memory_order_relaxed);
    uint64_t new_bytes = freed_bytes - reclaim->seen_bytes;

    reclaim->seen_bytes = freed_bytes;
    reclaim->kept_bytes += new_bytes;
    if (reclaim->kept_bytes < WORTH_BYTES || new_bytes > reclaim->kept_bytes / CALM_PART)
        return false;
    reclaim->kept_bytes = 0;
    return true;
}
