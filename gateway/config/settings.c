#include "gateway/config/settings.h"

#include <assert.h>
#include <string.h>

/** Whether `name` is `top`, or stands below it. */
static bool is_or_below(struct slice name, struct slice top)
{
    if (!slice_starts_with(name, top))
        return false;
    return name.len == top.len || name.base[top.len] == '.' || name.base[top.len] == '[';
}

bool setting_is_later(struct slice name)
{
    const char *const *later = setting_later_all();

    for (size_t i = 0; later[i] != NULL; i++) {
        if (is_or_below(name, slice_str(later[i])))
            return true;
    }
    return false;
}

const struct setting *setting_find(struct slice name)
{
    size_t n;
    const struct setting *settings = setting_all(&n);

    for (size_t i = 0; i < n; i++) {
        if (slice_eq(name, slice_str(settings[i].name)))
            return &settings[i];
    }
    return NULL;
}

const struct setting *setting_get(const char *name)
{
    const struct setting *setting = setting_find(slice_str(name));

    assert(setting != NULL);
    return setting;
}

const struct setting_list *setting_list_find(struct slice name)
{
    size_t n;
    const struct setting_list *lists = setting_list_all(&n);

    for (size_t i = 0; i < n; i++) {
        if (slice_eq(name, slice_str(lists[i].name)))
            return &lists[i];
    }
    return NULL;
}

const struct setting_list *setting_list_of(const struct setting *setting)
{
    const char *bracket = strchr(setting->name, '[');

    if (bracket == NULL)
        return NULL;
    return setting_list_find(slice_of(setting->name, (size_t)(bracket - setting->name)));
}

bool setting_is_group(struct slice name)
{
    size_t n;
    const struct setting *settings = setting_all(&n);

    for (size_t i = 0; i < n; i++) {
        struct slice whole = slice_str(settings[i].name);

        if (slice_starts_with(whole, name) && whole.len > name.len && whole.base[name.len] == '.')
            return true;
    }
    return false;
}

size_t setting_index(const struct setting *setting)
{
    size_t n;

    return (size_t)(setting - setting_all(&n));
}

size_t setting_list_index(const struct setting_list *list)
{
    size_t n;

    return (size_t)(list - setting_list_all(&n));
}
