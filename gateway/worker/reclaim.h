#ifndef GATEWAY_WORKER_RECLAIM_H
#define GATEWAY_WORKER_RECLAIM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * When freed memory goes back to the system. malloc keeps the pages of what was freed, and after
 * a storm of connections or of queued messages that is most of the process. malloc_trim gives
 * them back, but walks over every heap for it while that heap's worker may wait: so it is done
 * once, when a lot was freed and hardly anything is any more.
 *
 * Pure. reclaim_note: any thread; reclaim_is_due: one worker.
 */

struct reclaim {
    _Atomic uint64_t freed_bytes; /* ever, about */
    uint64_t seen_bytes;          /* of them, at the last look */
    uint64_t kept_bytes;          /* freed since memory was given back */
};

static inline void reclaim_note(struct reclaim *reclaim, size_t bytes)
{
    atomic_fetch_add_explicit(&reclaim->freed_bytes, bytes, memory_order_relaxed);
}

/** To be asked about once a second. True: give memory back now; it starts counting anew. */
bool reclaim_is_due(struct reclaim *reclaim);

#endif
