#include "gateway/config/said.h"

static const struct draft_mark *mark_of(const struct draft *d, const char *name, size_t index)
{
    return draft_mark(d, setting_get(name), index);
}

bool said_is_set(const struct draft *d, const char *name, size_t index)
{
    return mark_of(d, name, index)->state == DRAFT_SET;
}

bool said_is_bad(const struct draft *d, const char *name, size_t index)
{
    return mark_of(d, name, index)->state == DRAFT_BAD;
}

const struct draft_list *said_list(const struct draft *d, const char *name)
{
    return draft_list(d, setting_list_find(slice_str(name)));
}

struct config_origin said_where(const struct draft *d, const char *name, size_t index)
{
    const struct setting *setting = setting_get(name);
    const struct setting_list *list = setting_list_of(setting);
    const struct draft_mark *mark = draft_mark(d, setting, index);

    if (mark->state == DRAFT_UNSET && list != NULL)
        mark = &draft_list(d, list)->items[index];
    if (mark->state == DRAFT_UNSET)
        mark = draft_section(d, slice_str(name));
    return mark->state == DRAFT_UNSET ? d->whole : mark->origin;
}
