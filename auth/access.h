#ifndef AUTH_ACCESS_H
#define AUTH_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include "auth/status.h"
#include "base/ant.h"
#include "base/slice.h"

/*
 * Who may do what with which destination, in the way of Spring Security's message matchers: the
 * first rule that matches decides, and what none matches is denied. An empty list of rules allows
 * everything to every session that got in.
 *
 * A client that subscribes to a pattern asks for all that the pattern could match, so it is judged
 * by that (Spring Security compares its text only): a rule that denies and that it could reach
 * denies it, and a rule that allows must match all of it.
 *
 * A regular expression of a rule that takes too long for a destination, or may meet a pattern that
 * a client asks for, denies where the rule denies, and does not allow where the rule allows.
 *
 * Immutable once made: any thread.
 */

/** What a rule is about. A bit set of these. */
enum auth_operation {
    AUTH_CONNECT = 1 << 0, /* the destination is the endpoint's path */
    AUTH_SEND = 1 << 1,
    AUTH_SUBSCRIBE = 1 << 2,
};

enum auth_allow {
    AUTH_ALLOW_ALL,
    AUTH_ALLOW_NONE,
    AUTH_ALLOW_AUTHENTICATED, /* who has a user name */
};

struct auth_access_rule {
    unsigned operations; /* enum auth_operation */
    enum auth_allow allow;
    const struct slice *destinations; /* Ant patterns; none: every destination */
    size_t n_destinations;
};

struct auth_access;

/**
 * Compiles a list of rules. Borrows them for the call. `separator` is that of destinations'
 * patterns, ANT_SEPARATOR by default; an endpoint's path always has slashes.
 * Returns NULL with `*error` (owned by the caller, ends with mem_free), which names rule (from 1)
 * and pattern, when a pattern cannot be compiled.
 */
AUTH_MUST_CHECK
struct auth_access *auth_access_new(const struct auth_access_rule *rules, size_t n_rules,
                                    char separator, char **error);

/** NULL is fine. */
void auth_access_free(struct auth_access *access);

/**
 * Whether a session may do one operation with a destination as the client wrote it. For
 * AUTH_SUBSCRIBE a destination that Spring takes for a pattern is judged as one, and denied when it
 * cannot be compiled (but by an empty list).
 */
AUTH_MUST_CHECK
bool auth_access_allows(const struct auth_access *access, enum auth_operation operation,
                        struct slice destination, bool is_authenticated);

#endif
