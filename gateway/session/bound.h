#ifndef GATEWAY_SESSION_BOUND_H
#define GATEWAY_SESSION_BOUND_H

#include <stdbool.h>
#include "base/slice.h"
#include "gateway/config/config.h"

/*
 * User destinations (Spring's DefaultUserDestinationResolver): `/user/queue/x` of a session stands
 * for the bound destination `/queue/x-user<session id>`; `/user/<name>/queue/x` for those of all
 * the user's sessions. Pure. Any thread.
 */

/** What a destination below the user prefix says. */
struct bound_address {
    struct slice user;   /* unescaped (%2F is a slash); in `owned` when it was escaped */
    struct slice target; /* "/queue/x"; without its slash when broker prefixes have none */
    struct slice shown;  /* "/user/queue/x": what receivers see; in `owned` */
    char *owned;
};

/** Whether the destination is below the user prefix. */
bool bound_is_user(const struct config *config, struct slice destination);

/**
 * What SUBSCRIBE's `/user/<target>` is about; false when it is not below the user prefix. Borrowed
 * from `destination`.
 */
bool bound_target(const struct config *config, struct slice destination, struct slice *target);

/**
 * Reads SEND's `/user/<name>/<target>`. Returns false, with nothing to dispose, when there is no
 * name or no slash behind it.
 */
bool bound_read(const struct config *config, struct slice destination, struct bound_address *out)
    __attribute__((warn_unused_result));
void bound_dispose(struct bound_address *address);

/** What a route's send_to_user is about: the target that `/user<path>` stands for. */
struct slice bound_target_of_path(const struct config *config, struct slice path);

/**
 * Whether a destination ends with "-user" and the id of a session (32 lower-case hexadecimal
 * digits), which is then `*id`, and `*target` what stands before.
 */
bool bound_cut(struct slice destination, struct slice *target, struct slice *id);

#endif
