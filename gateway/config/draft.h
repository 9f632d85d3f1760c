#ifndef GATEWAY_CONFIG_DRAFT_H
#define GATEWAY_CONFIG_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include "base/slice.h"
#include "gateway/config/config.h"
#include "gateway/config/errors.h"
#include "gateway/config/settings.h"

/*
 * A configuration that is being read: the struct that is filled, and beside it where each value
 * came from, so that later checks can say so. Owning thread only.
 */

enum draft_state {
    DRAFT_UNSET, /* the default stands */
    DRAFT_SET,
    DRAFT_BAD, /* something was said, and an error about it: later checks keep quiet */
};

struct draft_mark {
    enum draft_state state;
    struct config_origin origin;
};

/** One list: its own mark, and one for each item. */
struct draft_list {
    struct draft_mark mark;
    struct draft_mark *items;
};

struct draft {
    struct config *config;
    struct config_errors *errors;
    struct config_origin whole; /* for what has no place of its own: the file's beginning */
    struct draft_mark **marks;  /* by setting, then by item (one for a setting outside of lists) */
    struct draft_list *lists;   /* by list */
    struct draft_mark *sections;
    bool is_unreadable; /* the file could not be read to its end: what is missing is unknown */
};

/** One value with its place. */
struct draft_value {
    struct slice text;
    struct config_origin origin;
};

/** A text with its name; the place is the name's. */
struct draft_pair {
    struct slice name;
    struct draft_value value;
};

/**
 * Starts with the defaults in `config` (zeroed, stays the caller's). Borrows both, and `whole`'s
 * name, until draft_dispose.
 */
void draft_init(struct draft *d, struct config *config, struct config_errors *errors,
                struct config_origin whole);

/** Frees the marks; the configuration stays. */
void draft_dispose(struct draft *d);

/** How many items the list has; 1 for a setting outside of lists. */
size_t draft_count(const struct draft *d, const struct setting_list *list);

/**
 * Adds one item with its defaults. Returns false, with an error added, when the list is full;
 * `*index` is set otherwise.
 */
bool draft_add_item(struct draft *d, const struct setting_list *list, struct config_origin origin,
                    size_t *index) __attribute__((warn_unused_result));

/**
 * Makes sure that the item which a variable or a flag names is there: one behind the last is added.
 * Returns false, with an error added, when there would be a gap or the list is full.
 */
bool draft_reach(struct draft *d, const struct setting *setting, size_t index,
                 struct config_origin origin) __attribute__((warn_unused_result));

/**
 * Sets from one text: lists are separated by commas, names from their texts by `=`. The item
 * `index` must exist; it is 0 outside of lists. What does not fit adds an error and leaves the
 * field as it was.
 */
void draft_set(struct draft *d, const struct setting *setting, size_t index,
               struct draft_value value);

/** Sets one of the list types from items that stand apart. `origin` is the whole list's. */
void draft_set_items(struct draft *d, const struct setting *setting, size_t index,
                     const struct draft_value *items, size_t n, struct config_origin origin);

/**
 * Sets a SETTING_PAIRS from names with their texts. `origin` is the whole setting's. A name that
 * stands there twice is an error, as is a name or text that does not fit.
 */
void draft_set_pairs(struct draft *d, const struct setting *setting, size_t index,
                     const struct draft_pair *pairs, size_t n, struct config_origin origin);

/** Adds an error about a setting (or about one item's) and marks it as bad. */
void draft_error(struct draft *d, const struct setting *setting, size_t index,
                 struct config_origin origin, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

struct draft_mark *draft_mark(const struct draft *d, const struct setting *setting, size_t index);

struct draft_list *draft_list(const struct draft *d, const struct setting_list *list);

/** The mark of a top-level name. */
struct draft_mark *draft_section(const struct draft *d, struct slice name);

/** The field in the configuration. */
void *draft_field(const struct draft *d, const struct setting *setting, size_t index);

/** Room for a name with its index. */
struct draft_name {
    char text[128];
};

/** "endpoints[2].path" for the third item's `endpoints[].path`. */
struct draft_name draft_name(const char *name, size_t index);

/** Frees everything in a configuration, secrets wiped first, but not the struct itself. */
void draft_free_fields(struct config *config);

#endif
