#include "gateway/websocket/zmem.h"

#include "base/mem.h"

voidpf ws_zmem_alloc(voidpf ctx, uInt n, uInt size)
{
    (void)ctx;
    /* At most some 100 kB. Not zeroed: the kernel gives only the pages that are used. */
    return mem_alloc((size_t)n * size);
}

void ws_zmem_free(voidpf ctx, voidpf memory)
{
    (void)ctx;
    mem_free(memory);
}
