#include <stdint.h>
#include <stdlib.h>
#include "auth/origin.h"

/*
 * Input: list of origins, newline, list of patterns, newline, scheme, newline, Host, newline,
 * Origin. The same answer must come from rules that say the same in another way.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool claim)
{
    if (!claim)
        abort();
}

static bool has_text(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.base[i] > ' ')
            return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice any = SLICE("*");
    struct slice origin = slice_of((const char *)data, size), parts[4];
    struct auth_origin *both, *none, *by_list, *by_pattern, *all;
    bool same, allowed;

    for (size_t i = 0; i < 4; i++) {
        if (!slice_cut(origin, '\n', &parts[i], &origin))
            return 0;
    }
    both = auth_origin_new(&parts[0], 1, &parts[1], 1);
    none = auth_origin_new(NULL, 0, NULL, 0);
    by_list = auth_origin_new(&parts[0], 1, NULL, 0);
    by_pattern = auth_origin_new(NULL, 0, &parts[1], 1);
    all = auth_origin_new(&any, 1, NULL, 0);
    same = auth_origin_is_same(parts[2], parts[3], origin);
    allowed = auth_origin_allows(both, parts[2], parts[3], origin);
    check(auth_origin_allows(none, parts[2], parts[3], origin) == same);
    check(auth_origin_allows(all, parts[2], parts[3], origin) == (same || has_text(origin)));
    check(allowed == (auth_origin_allows(by_list, parts[2], parts[3], origin) ||
                      auth_origin_allows(by_pattern, parts[2], parts[3], origin)));
    check(!same || allowed);
    auth_origin_free(both);
    auth_origin_free(none);
    auth_origin_free(by_list);
    auth_origin_free(by_pattern);
    auth_origin_free(all);
    return 0;
}
