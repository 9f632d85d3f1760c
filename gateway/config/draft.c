#include "gateway/config/draft.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "base/utf8.h"
#include "gateway/config/suggest.h"
#include "gateway/config/value.h"

enum {
    PAIRS_MAX = 64,
    PAIR_NAME_MAX_BYTES = 256,
};

static char *items_base(const struct config *config, const struct setting_list *list)
{
    char *base;

    /* Each list's pointer has a type of its own; all have one representation on POSIX. */
    memcpy(&base, (const char *)config + list->items_offset, sizeof(base));
    return base;
}

static size_t items_count(const struct config *config, const struct setting_list *list)
{
    size_t n;

    memcpy(&n, (const char *)config + list->count_offset, sizeof(n));
    return n;
}

static void *field_of(struct config *config, const struct setting *setting, size_t index)
{
    const struct setting_list *list = setting_list_of(setting);

    if (list == NULL) {
        assert(index == 0);
        return (char *)config + setting->offset;
    }
    assert(index < items_count(config, list));
    return items_base(config, list) + index * list->item_size + setting->offset;
}

void *draft_field(const struct draft *d, const struct setting *setting, size_t index)
{
    return field_of(d->config, setting, index);
}

size_t draft_count(const struct draft *d, const struct setting_list *list)
{
    return list == NULL ? 1 : items_count(d->config, list);
}

struct draft_mark *draft_mark(const struct draft *d, const struct setting *setting, size_t index)
{
    assert(index < draft_count(d, setting_list_of(setting)));
    return &d->marks[setting_index(setting)][index];
}

struct draft_list *draft_list(const struct draft *d, const struct setting_list *list)
{
    return &d->lists[setting_list_index(list)];
}

struct draft_mark *draft_section(const struct draft *d, struct slice name)
{
    size_t n;
    const struct setting_section *all = setting_section_all(&n);
    struct slice top = slice_take(name, slice_find(name, '.'));

    top = slice_take(top, slice_find(top, '['));
    for (size_t i = 0; i + 1 < n; i++) {
        if (slice_eq(top, slice_str(all[i].name)))
            return &d->sections[i];
    }
    assert(slice_eq(top, slice_str(all[n - 1].name))); /* every setting stands in a section */
    return &d->sections[n - 1];
}

struct draft_name draft_name(const char *name, size_t index)
{
    struct draft_name out;
    const char *bracket = strchr(name, '[');

    if (bracket == NULL)
        (void)snprintf(out.text, sizeof(out.text), "%s", name);
    else
        (void)snprintf(out.text, sizeof(out.text), "%.*s[%zu]%s", (int)(bracket - name), name,
                       index, bracket + 2);
    return out;
}

void draft_error(struct draft *d, const struct setting *setting, size_t index,
                 struct config_origin origin, const char *format, ...)
{
    va_list args;
    char text[512];

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    draft_mark(d, setting, index)->state = DRAFT_BAD;
    config_errors_add(d->errors, origin, slice_str(draft_name(setting->name, index).text), "%s",
                      text);
}

/** A secret, or what one may have put there instead of its hash or its file's name. */
static bool may_be_secret(enum setting_type type)
{
    return type == SETTING_SECRET || type == SETTING_SHA256 || type == SETTING_PATH;
}

/** What was there and what should be; a secret is not shown. */
static void not_expected(struct draft *d, const struct setting *setting, size_t index,
                         struct draft_value value)
{
    if (may_be_secret(setting->type)) {
        draft_error(d, setting, index, value.origin, "got %zu bytes, expected %s", value.text.len,
                    value_expected(setting).text);
        return;
    }
    draft_error(d, setting, index, value.origin, "got %s, expected %s",
                config_show(value.text).text, value_expected(setting).text);
}

static bool in_range(const struct setting *setting, uint64_t n)
{
    return n >= setting->min && n <= setting->max;
}

static bool has_control(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.base[i] < 0x20 || text.base[i] == 0x7f)
            return true;
    }
    return false;
}

/** Rules of all strings: length, UTF-8, no NUL (they are NUL-terminated too), one line if so. */
static bool string_fits(const struct setting *setting, struct slice text)
{
    if (!in_range(setting, text.len) || slice_find(text, '\0') != text.len)
        return false;
    if (setting->type == SETTING_SECRET)
        return true;
    if (setting->type != SETTING_TEXT && has_control(text))
        return false;
    return utf8_is_valid(text);
}

static void free_slice(struct slice *s, bool is_secret)
{
    if (is_secret && s->base != NULL)
        explicit_bzero((char *)s->base, s->len);
    mem_free((char *)s->base);
    *s = slice_of(NULL, 0);
}

static void free_strings(struct config_strings *strings)
{
    for (size_t i = 0; i < strings->n; i++)
        free_slice(&strings->items[i], false);
    mem_free(strings->items);
    *strings = (struct config_strings){NULL, 0};
}

static void free_pairs(struct config_pairs *pairs)
{
    for (size_t i = 0; i < pairs->n; i++) {
        free_slice(&pairs->items[i].name, false);
        free_slice(&pairs->items[i].value, false);
    }
    mem_free(pairs->items);
    *pairs = (struct config_pairs){NULL, 0};
}

static bool store_number(const struct setting *setting, void *field, uint64_t n)
{
    uint32_t narrow = (uint32_t)n;

    if (!in_range(setting, n))
        return false;
    if (setting->size == sizeof(n))
        memcpy(field, &n, sizeof(n));
    else
        memcpy(field, &narrow, sizeof(narrow));
    return true;
}

static bool store_string(const struct setting *setting, void *field, struct slice text)
{
    struct slice *s = field;
    struct value_address address;

    if (!string_fits(setting, text))
        return false;
    if (setting->type == SETTING_ADDRESS && text.len != 0 && !value_address(text, &address))
        return false;
    free_slice(s, setting->type == SETTING_SECRET);
    *s = mem_slice_dup(text);
    return true;
}

static bool store_bool(const struct setting *setting, void *field, struct slice text)
{
    bool is_true;

    if (!value_bool(text, &is_true))
        return false;
    if (setting->size != 0)
        memcpy(field, &is_true, sizeof(is_true));
    return true;
}

static bool store_pair(const struct setting *setting, void *field, struct slice text)
{
    uint64_t pair[2];

    if (!value_heartbeat(text, pair) || !in_range(setting, pair[0]) || !in_range(setting, pair[1]))
        return false;
    memcpy(field, (uint32_t[]){(uint32_t)pair[0], (uint32_t)pair[1]}, 2 * sizeof(uint32_t));
    return true;
}

/** Everything but the list types. Returns false when the text does not fit. */
static bool store(const struct setting *setting, void *field, struct slice text)
{
    uint64_t n;
    unsigned word;

    switch (setting->type) {
    case SETTING_BOOL:
        return store_bool(setting, field, text);
    case SETTING_INTEGER:
        return slice_to_u64(text, UINT64_MAX, &n) && store_number(setting, field, n);
    case SETTING_SIZE:
        return value_size(text, &n) && store_number(setting, field, n);
    case SETTING_DURATION:
        return value_duration(text, &n) && store_number(setting, field, n);
    case SETTING_HEARTBEAT:
        return store_pair(setting, field, text);
    case SETTING_SHA256:
        return value_sha256(text, field);
    case SETTING_ENUM:
        if (!value_word(text, setting->words, &word))
            return false;
        memcpy(field, &word, sizeof(word));
        return true;
    case SETTING_CHARACTER:
        if (!value_word(text, setting->words, &word))
            return false;
        memcpy(field, setting->words[word], 1);
        return true;
    default:
        assert(!setting_is_list_type(setting->type) && setting->type != SETTING_PAIRS);
        return store_string(setting, field, text);
    }
}

/** A word that does not fit: with the nearest one that does. */
static void wrong_word(struct draft *d, const struct setting *setting, size_t index,
                       struct draft_value value)
{
    struct suggest suggest = suggest_for(value.text);

    for (size_t i = 0; setting->words[i] != NULL; i++)
        suggest_offer(&suggest, slice_str(setting->words[i]));
    if (suggest.best[0] == '\0') {
        not_expected(d, setting, index, value);
        return;
    }
    draft_error(d, setting, index, value.origin, "got %s, expected %s; did you mean %s?",
                config_show(value.text).text, value_expected(setting).text, suggest.best);
}

static void mark_set(struct draft *d, const struct setting *setting, size_t index,
                     struct config_origin origin)
{
    *draft_mark(d, setting, index) = (struct draft_mark){DRAFT_SET, origin};
}

/** The items of a list in one text. The memory is the caller's to free. */
static struct draft_value *split(struct draft_value value, size_t *n)
{
    struct draft_value *items = NULL;
    struct value_items walk = value_items_of(value.text);
    struct slice item;

    *n = 0;
    while (*n <= SETTING_MAX_ITEMS && value_items_next(&walk, &item)) {
        items = mem_realloc(items, (*n + 1) * sizeof(*items));
        items[(*n)++] = (struct draft_value){item, value.origin};
    }
    return items;
}

static void set_split_pairs(struct draft *d, const struct setting *setting, size_t index,
                            const struct draft_value *items, size_t n, struct config_origin origin)
{
    struct draft_pair *pairs = mem_calloc(n, sizeof(*pairs));
    bool is_good = true;

    for (size_t i = 0; i < n && is_good; i++) {
        pairs[i].value.origin = items[i].origin;
        is_good = slice_cut(items[i].text, '=', &pairs[i].name, &pairs[i].value.text);
        if (!is_good)
            not_expected(d, setting, index, items[i]);
    }
    if (is_good)
        draft_set_pairs(d, setting, index, pairs, n, origin);
    mem_free(pairs);
}

void draft_set(struct draft *d, const struct setting *setting, size_t index,
               struct draft_value value)
{
    if (setting_is_list_type(setting->type) || setting->type == SETTING_PAIRS) {
        size_t n;
        struct draft_value *items = split(value, &n);

        if (setting->type == SETTING_PAIRS)
            set_split_pairs(d, setting, index, items, n, value.origin);
        else
            draft_set_items(d, setting, index, items, n, value.origin);
        mem_free(items);
        return;
    }
    if (!store(setting, draft_field(d, setting, index), value.text)) {
        draft_mark(d, setting, index)->origin = value.origin;
        if (setting_has_words(setting->type))
            wrong_word(d, setting, index, value);
        else
            not_expected(d, setting, index, value);
        return;
    }
    if ((setting->flags & SETTING_LATER) != 0 &&
        !slice_eq(value.text, slice_str(setting->standard))) {
        draft_error(d, setting, index, value.origin, "%s is not built in this version, expected %s",
                    config_show(value.text).text, setting->standard);
        return;
    }
    mark_set(d, setting, index, value.origin);
}

/** Returns false when an item is wrong; all of them are looked at. */
static bool set_words(struct draft *d, const struct setting *setting, size_t index,
                      const struct draft_value *items, size_t n)
{
    unsigned set = 0, word;
    bool is_good = true;

    for (size_t i = 0; i < n; i++) {
        if (!value_word(items[i].text, setting->words, &word)) {
            wrong_word(d, setting, index, items[i]);
            is_good = false;
            continue;
        }
        if ((set & 1U << word) != 0) {
            draft_error(d, setting, index, items[i].origin, "%s stands there twice",
                        config_show(items[i].text).text);
            is_good = false;
        }
        set |= 1U << word;
    }
    if (is_good)
        memcpy(draft_field(d, setting, index), &set, sizeof(set));
    return is_good;
}

static bool set_strings(struct draft *d, const struct setting *setting, size_t index,
                        const struct draft_value *items, size_t n)
{
    struct config_strings *strings = draft_field(d, setting, index);
    bool is_good = true;

    for (size_t i = 0; i < n; i++) {
        if (!string_fits(setting, items[i].text)) {
            not_expected(d, setting, index, items[i]);
            is_good = false;
        }
    }
    if (!is_good)
        return false;
    free_strings(strings);
    strings->items = n == 0 ? NULL : mem_calloc(n, sizeof(*strings->items));
    strings->n = n;
    for (size_t i = 0; i < n; i++)
        strings->items[i] = mem_slice_dup(items[i].text);
    return true;
}

void draft_set_items(struct draft *d, const struct setting *setting, size_t index,
                     const struct draft_value *items, size_t n, struct config_origin origin)
{
    bool is_good;

    assert(setting_is_list_type(setting->type));
    draft_mark(d, setting, index)->origin = origin;
    if (n == 0 && (setting->flags & SETTING_NOT_EMPTY) != 0) {
        draft_error(d, setting, index, origin,
                    "is empty, expected %s; leave the setting out for the default",
                    value_expected(setting).text);
        return;
    }
    if (n > SETTING_MAX_ITEMS) {
        draft_error(d, setting, index, origin, "has too many items, expected at most %d",
                    (int)SETTING_MAX_ITEMS);
        return;
    }
    is_good = setting->type == SETTING_STRINGS ? set_strings(d, setting, index, items, n)
                                               : set_words(d, setting, index, items, n);
    if (is_good)
        mark_set(d, setting, index, origin);
}

static bool pair_fits(const struct setting *setting, const struct draft_pair *pair)
{
    return pair->name.len != 0 && pair->name.len <= PAIR_NAME_MAX_BYTES &&
           utf8_is_valid(pair->name) && !has_control(pair->name) &&
           string_fits(setting, pair->value.text);
}

/** Returns false when a pair is wrong; all of them are looked at. */
static bool check_pairs(struct draft *d, const struct setting *setting, size_t index,
                        const struct draft_pair *pairs, size_t n)
{
    bool is_good = true;

    for (size_t i = 0; i < n; i++) {
        if (!pair_fits(setting, &pairs[i])) {
            draft_error(d, setting, index, pairs[i].value.origin, "got %s with %s, expected %s",
                        config_show(pairs[i].name).text, config_show(pairs[i].value.text).text,
                        value_expected(setting).text);
            is_good = false;
        }
        for (size_t k = 0; k < i; k++) {
            if (slice_eq(pairs[i].name, pairs[k].name)) {
                draft_error(d, setting, index, pairs[i].value.origin,
                            "%s stands there twice, expected once",
                            config_show(pairs[i].name).text);
                is_good = false;
                break;
            }
        }
    }
    return is_good;
}

void draft_set_pairs(struct draft *d, const struct setting *setting, size_t index,
                     const struct draft_pair *pairs, size_t n, struct config_origin origin)
{
    struct config_pairs *field = draft_field(d, setting, index);

    assert(setting->type == SETTING_PAIRS);
    draft_mark(d, setting, index)->origin = origin;
    if (n > PAIRS_MAX) {
        draft_error(d, setting, index, origin, "has too many items, expected at most %d",
                    (int)PAIRS_MAX);
        return;
    }
    if (!check_pairs(d, setting, index, pairs, n))
        return;
    free_pairs(field);
    field->items = n == 0 ? NULL : mem_calloc(n, sizeof(*field->items));
    field->n = n;
    for (size_t i = 0; i < n; i++)
        field->items[i] =
            (struct config_pair){mem_slice_dup(pairs[i].name), mem_slice_dup(pairs[i].value.text)};
    mark_set(d, setting, index, origin);
}

static bool is_string(enum setting_type type)
{
    return type == SETTING_STRING || type == SETTING_TEXT || type == SETTING_PATH ||
           type == SETTING_ADDRESS || type == SETTING_SECRET;
}

static void set_default(struct draft *d, const struct setting *setting, size_t index)
{
    static const struct slice defaults = SLICE("default");
    struct config_origin origin = {.kind = CONFIG_ORIGIN_DEFAULT, .name = defaults};
    struct draft_mark *mark = draft_mark(d, setting, index);

    if (setting->standard != NULL) {
        draft_set(d, setting, index, (struct draft_value){slice_str(setting->standard), origin});
    } else if (is_string(setting->type)) {
        struct slice *s = draft_field(d, setting, index);

        *s = mem_slice_dup(slice_str("")); /* NUL-terminated, as every string is */
    }
    assert(mark->state != DRAFT_BAD);
    *mark = (struct draft_mark){.state = DRAFT_UNSET};
}

bool draft_add_item(struct draft *d, const struct setting_list *list, struct config_origin origin,
                    size_t *index)
{
    size_t n = items_count(d->config, list), n_settings;
    const struct setting *settings = setting_all(&n_settings);
    struct draft_list *marks = draft_list(d, list);
    char *base;

    if (n == SETTING_MAX_ITEMS) {
        if (marks->mark.state != DRAFT_BAD)
            config_errors_add(d->errors, origin, slice_str(list->name),
                              "has too many items, expected at most %d", (int)SETTING_MAX_ITEMS);
        marks->mark.state = DRAFT_BAD;
        return false;
    }
    base = mem_realloc(items_base(d->config, list), (n + 1) * list->item_size);
    memset(base + n * list->item_size, 0, list->item_size);
    memcpy((char *)d->config + list->items_offset, &base, sizeof(base));
    *index = n;
    n++;
    memcpy((char *)d->config + list->count_offset, &n, sizeof(n));
    marks->items = mem_realloc(marks->items, n * sizeof(*marks->items));
    marks->items[n - 1] = (struct draft_mark){DRAFT_SET, origin};
    for (size_t i = 0; i < n_settings; i++) {
        if (setting_list_of(&settings[i]) != list)
            continue;
        d->marks[i] = mem_realloc(d->marks[i], n * sizeof(*d->marks[i]));
        d->marks[i][n - 1] = (struct draft_mark){.state = DRAFT_UNSET};
        set_default(d, &settings[i], n - 1);
    }
    return true;
}

bool draft_reach(struct draft *d, const struct setting *setting, size_t index,
                 struct config_origin origin)
{
    const struct setting_list *list = setting_list_of(setting);
    size_t n = draft_count(d, list), added;

    if (index < n)
        return true;
    if (index > n) {
        config_errors_add(
            d->errors, origin, slice_str(draft_name(setting->name, index).text),
            "leaves a gap: the list has %zu items so far, expected an index of at most "
            "%zu",
            n, n);
        return false;
    }
    return draft_add_item(d, list, origin, &added);
}

void draft_init(struct draft *d, struct config *config, struct config_errors *errors,
                struct config_origin whole)
{
    size_t n_settings, n_lists, n_sections;
    const struct setting *settings = setting_all(&n_settings);

    (void)setting_list_all(&n_lists);
    (void)setting_section_all(&n_sections);
    *d = (struct draft){
        .config = config,
        .errors = errors,
        .whole = whole,
        .marks = mem_calloc(n_settings, sizeof(*d->marks)),
        .lists = mem_calloc(n_lists, sizeof(*d->lists)),
        .sections = mem_calloc(n_sections, sizeof(*d->sections)),
    };
    for (size_t i = 0; i < n_settings; i++) {
        if (setting_list_of(&settings[i]) != NULL)
            continue;
        d->marks[i] = mem_calloc(1, sizeof(*d->marks[i]));
        set_default(d, &settings[i], 0);
    }
}

void draft_dispose(struct draft *d)
{
    size_t n_settings, n_lists;

    (void)setting_all(&n_settings);
    (void)setting_list_all(&n_lists);
    for (size_t i = 0; i < n_settings; i++)
        mem_free(d->marks[i]);
    for (size_t i = 0; i < n_lists; i++)
        mem_free(d->lists[i].items);
    mem_free(d->marks);
    mem_free(d->lists);
    mem_free(d->sections);
}

static void free_field(struct config *config, const struct setting *setting, size_t index)
{
    void *field;

    if (setting->size == 0)
        return;
    field = field_of(config, setting, index);
    if (setting->type == SETTING_STRINGS)
        free_strings(field);
    else if (setting->type == SETTING_PAIRS)
        free_pairs(field);
    else if (is_string(setting->type))
        free_slice(field, setting->type == SETTING_SECRET);
}

void draft_free_fields(struct config *config)
{
    size_t n_settings, n_lists;
    const struct setting *settings = setting_all(&n_settings);
    const struct setting_list *lists = setting_list_all(&n_lists);

    for (size_t i = 0; i < n_settings; i++) {
        const struct setting_list *list = setting_list_of(&settings[i]);
        size_t n = list == NULL ? 1 : items_count(config, list);

        for (size_t k = 0; k < n; k++)
            free_field(config, &settings[i], k);
    }
    for (size_t i = 0; i < n_lists; i++)
        mem_free(items_base(config, &lists[i]));
    *config = (struct config){.n_listeners = 0};
}
