#ifndef GATEWAY_CONFIG_LOOKUP_H
#define GATEWAY_CONFIG_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include "base/slice.h"
#include "gateway/config/settings.h"

/*
 * Names as users write them: keys in the file, variables, flags; and what to say about a name that
 * is none. Pure. Any thread.
 */

/** Room for what the functions below write. */
struct lookup_text {
    char text[700];
};

/**
 * "endpoints[2].path": the setting, and 2 in `*index` (0 outside of lists).
 * Returns NULL, with `*index` untouched, when there is none.
 */
const struct setting *lookup_flag(struct slice name, size_t *index);

/** The same for a variable: "STOMPGATE_ENDPOINTS_2_PATH". */
const struct setting *lookup_variable(struct slice name, size_t *index);

/** Whether the variable belongs to a later version. */
bool lookup_variable_is_later(struct slice name);

/** The variable of a setting; `index` is the text that stands for a list's index. */
struct lookup_text lookup_variable_name(const char *setting, struct slice index);

/** Whether the setting has a variable of its own whose value is a file's name, ..._FILE. */
bool lookup_has_file_variable(const struct setting *setting);

/**
 * What to say about a key that is no setting below `prefix` ("", "broker.", "endpoints[]."):
 * with the nearest name, or else with all that could stand there. `meant` is the full name of what
 * was probably meant, as in the table ("auth.issuers", "broker.heartbeat"); "" when unclear.
 */
struct lookup_text lookup_unknown_key(struct slice prefix, struct slice key,
                                      struct lookup_text *meant);

/** What to say about a flag's or variable's name that is none. */
struct lookup_text lookup_unknown_flag(struct slice name);
struct lookup_text lookup_unknown_variable(struct slice name);

#endif
