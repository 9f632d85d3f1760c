#ifndef GATEWAY_CONFIG_SETTINGS_H
#define GATEWAY_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/slice.h"

/*
 * The one table of settings. The YAML reader, the environment, the flags, the checks and the
 * printed reference all work from it; nothing else knows a setting's name, type or default.
 * A name is written as in the file, with [] where a list's index goes: `endpoints[].path`.
 * No name has more than one []. The rows stand in settings_table.c.
 * Constant data. Any thread.
 */

enum setting_type {
    SETTING_BOOL,      /* bool */
    SETTING_INTEGER,   /* unsigned or uint64_t, by `size` */
    SETTING_SIZE,      /* uint64_t bytes */
    SETTING_DURATION,  /* uint32_t milliseconds */
    SETTING_HEARTBEAT, /* two uint32_t milliseconds, one behind the other */
    SETTING_STRING,    /* slice; one line */
    SETTING_TEXT,      /* slice; any text, line breaks too */
    SETTING_PATH,      /* slice; of a file that can be read */
    SETTING_ADDRESS,   /* slice; host:port */
    SETTING_SECRET,    /* slice; never printed, wiped when freed */
    SETTING_SHA256,    /* 32 bytes */
    SETTING_ENUM,      /* an enum: the index in `words` */
    SETTING_ENUM_SET,  /* unsigned: bit set of 1 << index in `words` */
    SETTING_CHARACTER, /* char: one of `words`, each of one character */
    SETTING_STRINGS,   /* struct config_strings */
    SETTING_PAIRS,     /* struct config_pairs: names with one-line texts */
};

enum {
    SETTING_REQUIRED = 1 << 0,  /* an item of the list without it is an error */
    SETTING_NOT_EMPTY = 1 << 1, /* may be left out, but not be set to nothing */
    SETTING_LATER = 1 << 2,     /* only the default is built in this version; stored nowhere */
};

/** The most items of any list: what a check may compare pairwise. */
enum { SETTING_MAX_ITEMS = 1024 };

struct setting {
    const char *name;
    enum setting_type type;
    unsigned flags;
    size_t offset; /* of the field in struct config, or in the list's item when there is a [] */
    size_t size;   /* of the field; 0: stored nowhere */
    uint64_t min;  /* of the number, bytes, milliseconds (each of a pair), or a string's bytes */
    uint64_t max;
    const char *const *words; /* of the enum types, NULL at the end */
    const char *standard;     /* the default as one would write it in a flag; NULL: zero bytes */
    const char *computed;     /* how the default comes about when it is no constant; or NULL */
    const char *help;
};

/** A list of items that have settings of their own. */
struct setting_list {
    const char *name;    /* "endpoints", "auth.issuers" */
    size_t items_offset; /* of the pointer in struct config */
    size_t count_offset; /* of the size_t in struct config */
    size_t item_size;
    const char *if_empty; /* why it cannot be empty when it is there; NULL: it can */
};

/** A top-level name: one section of the reference. */
struct setting_section {
    const char *name;
    const char *help;
};

const struct setting *setting_all(size_t *n);
const struct setting_list *setting_list_all(size_t *n);
const struct setting_section *setting_section_all(size_t *n);

/** Names, NULL at the end, that belong to later versions: whole settings or whole groups. */
const char *const *setting_later_all(void);

/** Whether a name is one of setting_later_all or stands below one. */
bool setting_is_later(struct slice name);

/** The setting of that name, indices written as []; NULL when there is none. */
const struct setting *setting_find(struct slice name);

/** Like setting_find, for a name that the program itself holds; it must be one. */
const struct setting *setting_get(const char *name);

/** The list of that name; NULL when there is none. */
const struct setting_list *setting_list_find(struct slice name);

/** The list that the setting is an item's of; NULL when its name has no []. */
const struct setting_list *setting_list_of(const struct setting *setting);

/** Whether other settings stand below the name (`broker`, `auth`), and it is no list. */
bool setting_is_group(struct slice name);

static inline bool setting_is_list_type(enum setting_type type)
{
    return type == SETTING_STRINGS || type == SETTING_ENUM_SET;
}

static inline bool setting_has_words(enum setting_type type)
{
    return type == SETTING_ENUM || type == SETTING_ENUM_SET || type == SETTING_CHARACTER;
}

/** Its place in the table. */
size_t setting_index(const struct setting *setting);
size_t setting_list_index(const struct setting_list *list);

#endif
