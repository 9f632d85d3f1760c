#ifndef GATEWAY_CONFIG_ERRORS_H
#define GATEWAY_CONFIG_ERRORS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "base/slice.h"

/*
 * What is wrong with a configuration, all of it: each error with its place, the setting, what is
 * wrong and what was expected. Never a secret. Owning thread only.
 */

/** Where a value came from. Later ones win. */
enum config_origin_kind {
    CONFIG_ORIGIN_DEFAULT,
    CONFIG_ORIGIN_FILE,
    CONFIG_ORIGIN_ENVIRONMENT,
    CONFIG_ORIGIN_FLAG,
};

struct config_origin {
    enum config_origin_kind kind;
    struct slice name; /* of the file or the variable; borrowed */
    size_t line;       /* from 1; of a file only; 0: the file as a whole */
    size_t column;     /* from 1, in characters */
};

struct config_error {
    enum config_origin_kind kind;
    char *where;
    size_t line;
    size_t column;
    char *setting; /* "" when it is about no single setting */
    char *text;
    size_t sequence;
};

struct config_errors {
    struct config_error *items;
    size_t n;     /* that are kept */
    size_t total; /* that there were */
};

/** How many are kept; of further ones only the number. */
enum { CONFIG_ERRORS_MAX = 100 };

void config_errors_init(struct config_errors *errors);

void config_errors_dispose(struct config_errors *errors);

/** Adds one; borrows everything for the call. An empty `setting` stands for none. */
void config_errors_add(struct config_errors *errors, struct config_origin origin,
                       struct slice setting, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** By place: the file from its top, then the environment, then the flags. */
void config_errors_sort(struct config_errors *errors);

/** One line each: `file:line:column: setting: what is wrong, what was expected`. */
void config_errors_print(const struct config_errors *errors, FILE *out);

/** Room for what config_show writes. */
struct config_shown {
    char text[200];
};

/**
 * Text of a user's for an error: in quotes, cut when long, control characters and broken UTF-8
 * escaped, so that it is safe on a terminal.
 */
struct config_shown config_show(struct slice text);

#endif
