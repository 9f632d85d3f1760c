#ifndef GATEWAY_WEBSOCKET_ZMEM_H
#define GATEWAY_WEBSOCKET_ZMEM_H

#include <zlib.h>

/* Memory for zlib that does not run out, as everywhere (base/mem.h). Any thread. */

voidpf ws_zmem_alloc(voidpf ctx, uInt n, uInt size);
void ws_zmem_free(voidpf ctx, voidpf memory);

#endif
