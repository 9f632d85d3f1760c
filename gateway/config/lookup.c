#include "gateway/config/lookup.h"

#include <stdio.h>
#include <string.h>
#include "gateway/config/suggest.h"

/** An index has so few digits that it fits and that nobody can mean it seriously beyond. */
enum { LOOKUP_INDEX_DIGITS = 6 };

static size_t count_digits(struct slice text)
{
    size_t n = 0;

    while (n < text.len && text.base[n] >= '0' && text.base[n] <= '9')
        n++;
    return n;
}

/** The number at the front: 0, or digits without a zero before them. Returns its length or 0. */
static size_t take_index(struct slice text, size_t *index)
{
    size_t n = count_digits(text);
    uint64_t number;

    if (n == 0 || n > LOOKUP_INDEX_DIGITS || (n > 1 && text.base[0] == '0') ||
        !slice_to_u64(slice_take(text, n), SIZE_MAX, &number))
        return 0;
    *index = (size_t)number;
    return n;
}

const struct setting *lookup_flag(struct slice name, size_t *index)
{
    char plain[128];
    size_t open = slice_find(name, '['), digits, found = 0;
    const struct setting *setting;

    if (open == name.len) {
        setting = setting_find(name);
        if (setting != NULL)
            *index = 0;
        return setting;
    }
    digits = take_index(slice_skip(name, open + 1), &found);
    if (digits == 0 || name.len >= sizeof(plain))
        return NULL;
    memcpy(plain, name.base, open + 1);
    memcpy(plain + open + 1, name.base + open + 1 + digits, name.len - open - 1 - digits);
    setting = setting_find(slice_of(plain, name.len - digits));
    if (setting != NULL)
        *index = found;
    return setting;
}

/** As it stands in a variable's name. */
static char upper(char c)
{
    if (c == '.')
        return '_';
    return (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

struct lookup_text lookup_variable_name(const char *setting, struct slice index)
{
    struct lookup_text out;
    size_t at = (size_t)snprintf(out.text, sizeof(out.text), "STOMPGATE_");

    for (const char *c = setting; *c != '\0' && at + index.len + 2 < sizeof(out.text); c++) {
        if (*c == '[') {
            out.text[at++] = '_';
            memcpy(out.text + at, index.base, index.len);
            at += index.len;
            c++; /* the ']' */
        } else {
            out.text[at++] = upper(*c);
        }
    }
    out.text[at] = '\0';
    return out;
}

const struct setting *lookup_variable(struct slice name, size_t *index)
{
    size_t n;
    const struct setting *settings = setting_all(&n);

    for (size_t i = 0; i < n; i++) {
        bool is_item = strchr(settings[i].name, '[') != NULL;
        struct lookup_text marked =
            lookup_variable_name(settings[i].name, (struct slice)SLICE("#"));
        struct slice whole = slice_str(marked.text);
        size_t hash = slice_find(whole, '#'), found = 0, digits;

        if (!is_item) {
            if (!slice_eq(name, whole))
                continue;
            *index = 0;
            return &settings[i];
        }
        if (!slice_starts_with(name, slice_take(whole, hash)))
            continue;
        digits = take_index(slice_skip(name, hash), &found);
        if (digits == 0 || !slice_eq(slice_skip(name, hash + digits), slice_skip(whole, hash + 1)))
            continue;
        *index = found;
        return &settings[i];
    }
    return NULL;
}

/** The index that stands in a mistyped name, for the suggestion; "0" when there is none. */
static struct slice index_in(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        size_t n = count_digits(slice_skip(name, i));

        if (n != 0)
            return slice_take(slice_skip(name, i), n < LOOKUP_INDEX_DIGITS ? n : 1);
    }
    return (struct slice)SLICE("0");
}

bool lookup_variable_is_later(struct slice name)
{
    const char *const *later = setting_later_all();

    for (size_t i = 0; later[i] != NULL; i++) {
        struct lookup_text text = lookup_variable_name(later[i], index_in(name));
        struct slice whole = slice_str(text.text);

        if (slice_starts_with(name, whole) &&
            (name.len == whole.len || name.base[whole.len] == '_'))
            return true;
    }
    return false;
}

bool lookup_has_file_variable(const struct setting *setting)
{
    return setting->type == SETTING_SECRET || setting->type == SETTING_SHA256;
}

/** The part of a setting's name that is a key below `prefix`; empty when it is not there. */
static struct slice child_of(const struct setting *setting, struct slice prefix)
{
    struct slice name = slice_str(setting->name);

    if (!slice_starts_with(name, prefix))
        return (struct slice)SLICE("");
    name = slice_skip(name, prefix.len);
    name = slice_take(name, slice_find(name, '.'));
    return slice_take(name, slice_find(name, '['));
}

static struct lookup_text all_children(struct slice prefix)
{
    struct lookup_text out;
    size_t n, at = 0;
    const struct setting *settings = setting_all(&n);
    struct slice last = SLICE("");

    out.text[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        struct slice child = child_of(&settings[i], prefix);

        if (child.len == 0 || slice_eq(child, last) || at + child.len + 3 > sizeof(out.text))
            continue;
        at += (size_t)snprintf(out.text + at, sizeof(out.text) - at, "%s%.*s", at == 0 ? "" : ", ",
                               SLICE_FMT(child));
        last = child;
    }
    return out;
}

/** A setting or list of that last name, or of that whole name with dots, at another place. */
static const char *elsewhere(struct slice key)
{
    size_t n, n_lists;
    const struct setting *settings = setting_all(&n);
    const struct setting_list *lists = setting_list_all(&n_lists);

    for (size_t i = 0; i < n + n_lists; i++) {
        const char *name = i < n ? settings[i].name : lists[i - n].name;
        const char *dot = strrchr(name, '.');
        struct suggest suggest = suggest_for(key);

        suggest_offer(&suggest, slice_str(name));
        if (dot != NULL)
            suggest_offer(&suggest, slice_str(dot + 1));
        if (suggest.best[0] != '\0' && suggest.distance == 0)
            return name;
    }
    return NULL;
}

struct lookup_text lookup_unknown_key(struct slice prefix, struct slice key,
                                      struct lookup_text *meant)
{
    struct lookup_text out;
    struct suggest suggest = suggest_for(key);
    size_t n;
    const struct setting *settings = setting_all(&n);
    const char *other;

    meant->text[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        struct slice child = child_of(&settings[i], prefix);

        if (child.len != 0)
            suggest_offer(&suggest, child);
    }
    if (suggest.best[0] != '\0') {
        (void)snprintf(out.text, sizeof(out.text), "unknown setting, did you mean %s?",
                       suggest.best);
        (void)snprintf(meant->text, sizeof(meant->text), "%.*s%s", SLICE_FMT(prefix), suggest.best);
        return out;
    }
    other = elsewhere(key);
    if (other != NULL) {
        (void)snprintf(out.text, sizeof(out.text),
                       "unknown setting here, did you mean %s, in its own place?", other);
        (void)snprintf(meant->text, sizeof(meant->text), "%s", other);
        return out;
    }
    (void)snprintf(out.text, sizeof(out.text), "unknown setting, expected one of %.600s",
                   all_children(prefix).text);
    return out;
}

static struct lookup_text did_you_mean(const char *what, const char *prefix,
                                       const struct suggest *suggest)
{
    struct lookup_text out;

    if (suggest->best[0] == '\0')
        (void)snprintf(out.text, sizeof(out.text),
                       "unknown %s, expected one that docs/configuration.md names", what);
    else
        (void)snprintf(out.text, sizeof(out.text), "unknown %s, did you mean %s%s?", what, prefix,
                       suggest->best);
    return out;
}

struct lookup_text lookup_unknown_flag(struct slice name)
{
    struct suggest suggest = suggest_for(name);
    size_t n;
    const struct setting *settings = setting_all(&n);

    for (size_t i = 0; i < n; i++) {
        const char *bracket = strchr(settings[i].name, '[');
        struct lookup_text with_index;

        if (bracket == NULL) {
            suggest_offer(&suggest, slice_str(settings[i].name));
            continue;
        }
        (void)snprintf(with_index.text, sizeof(with_index.text), "%.*s[%.*s%s",
                       (int)(bracket - settings[i].name), settings[i].name,
                       SLICE_FMT(index_in(name)), bracket + 1);
        suggest_offer(&suggest, slice_str(with_index.text));
    }
    return did_you_mean("setting", "", &suggest);
}

struct lookup_text lookup_unknown_variable(struct slice name)
{
    /* The prefix is the same in all: it must not make strangers look alike. */
    const size_t prefix = sizeof("STOMPGATE_") - 1;
    struct suggest suggest = suggest_for(slice_skip(name, prefix));
    size_t n;
    const struct setting *settings = setting_all(&n);

    for (size_t i = 0; i < n; i++) {
        struct lookup_text variable = lookup_variable_name(settings[i].name, index_in(name));

        suggest_offer(&suggest, slice_skip(slice_str(variable.text), prefix));
        if (lookup_has_file_variable(&settings[i]) &&
            strlen(variable.text) + sizeof("_FILE") <= sizeof(variable.text)) {
            memcpy(variable.text + strlen(variable.text), "_FILE", sizeof("_FILE"));
            suggest_offer(&suggest, slice_skip(slice_str(variable.text), prefix));
        }
    }
    return did_you_mean("variable", "STOMPGATE_", &suggest);
}
