#include "gateway/config/flags.h"

#include "gateway/config/lookup.h"

static void read_one(struct draft *d, struct slice override)
{
    static const struct slice flag = SLICE("--set");
    struct config_origin origin = {.kind = CONFIG_ORIGIN_FLAG, .name = flag};
    const struct setting *setting;
    struct slice name, value;
    size_t index;

    if (!slice_cut(override, '=', &name, &value)) {
        config_errors_add(d->errors, origin, slice_str(NULL),
                          "got %s, expected a name and a value, as in broker.heartbeat=0,0",
                          config_show(override).text);
        return;
    }
    setting = lookup_flag(name, &index);
    if (setting != NULL) {
        if (draft_reach(d, setting, index, origin))
            draft_set(d, setting, index, (struct draft_value){value, origin});
        return;
    }
    if (setting_is_later(name))
        config_errors_add(d->errors, origin, name, "is not built in this version");
    else
        config_errors_add(d->errors, origin, name, "%s", lookup_unknown_flag(name).text);
}

void flags_read(struct draft *draft, const char *const *overrides, size_t n)
{
    for (size_t i = 0; i < n; i++)
        read_one(draft, slice_str(overrides[i]));
}
