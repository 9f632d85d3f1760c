#include "gateway/web/assets.h"
#include "gateway/web/table.h"

const struct web_asset *web_asset_find(struct slice path)
{
    for (size_t i = 0; i < n_web_assets; i++) {
        if (slice_eq(web_assets[i].path, path))
            return &web_assets[i];
    }
    return NULL;
}
