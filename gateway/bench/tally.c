#include "gateway/bench/tally.h"

#include <stddef.h>
#include "base/mem.h"

void tally_init(struct tally *tally, uint64_t n_parties, uint64_t window)
{
    uint64_t size = 1;

    while (size < window)
        size *= 2;
    *tally = (struct tally){
        .n_parties = n_parties,
        .mask = size - 1,
        .counts = mem_calloc(size, sizeof(*tally->counts)),
    };
    /* With nobody to wait for, everything is complete (half the range: room to add to it). */
    if (n_parties == 0)
        tally->complete = UINT64_MAX / 2;
}

void tally_dispose(struct tally *tally)
{
    mem_free(tally->counts);
    *tally = (struct tally){0};
}
