#ifndef GATEWAY_ROUTER_POLICY_H
#define GATEWAY_ROUTER_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include "base/slice.h"

/*
 * What destinations are by configuration, beyond Spring's plain fan-out: those whose messages are
 * numbered, those whose subscribers compete for each message, those whose last message is kept,
 * and what becomes of the messages that a slow receiver has not got yet.
 * Named by Ant patterns (base/ant.h); a text without wildcards names the one destination that is
 * spelled so. Immutable once made: any thread.
 */

/** A bit set. */
enum {
    POLICY_SEQUENCED = 1 << 0, /* sequence.h */
    POLICY_COMPETING = 1 << 1, /* queue.h */
    POLICY_KEPT = 1 << 2,      /* last.h */
};

struct policy_patterns {
    const struct slice *items;
    size_t n;
};

/** What some destinations are; the first that names a destination decides. */
struct policy_queues {
    struct policy_patterns destinations;
    bool is_competing;
};

enum policy_slow_mode {
    POLICY_SLOW_DISCONNECT,  /* all of them: its session is closed instead (Spring's way) */
    POLICY_SLOW_DROP_OLDEST, /* the newest wait for it, the oldest go */
    POLICY_SLOW_LATEST,      /* of each key the newest waits */
};

/** For each subscription of a receiver that reads too slowly. */
struct policy_slow {
    enum policy_slow_mode mode;
    struct slice key_header; /* LATEST: its value is the key; empty: one for each destination */
    size_t max_messages;     /* that wait; the oldest go first */
    size_t max_bytes;
};

/** The first that names a destination decides. */
struct policy_slow_rule {
    struct policy_patterns destinations;
    struct policy_slow slow;
};

struct policy_rules {
    struct policy_patterns sequenced;
    struct policy_patterns kept;
    const struct policy_queues *queues;
    size_t n_queues;
    const struct policy_slow_rule *slow;
    size_t n_slow;
    struct slice user_prefix; /* "/user/": of what policy_slow_of_bound makes */
    char separator;           /* of Ant patterns */
};

struct policy;

/**
 * Borrows the rules for the call. Returns NULL when a pattern does not compile: then `*error`
 * is a message that names it, to be freed by the caller; else `*error` is untouched.
 */
struct policy *policy_new(const struct policy_rules *rules, char **error)
    __attribute__((warn_unused_result));

/** NULL is fine. */
void policy_free(struct policy *policy);

/**
 * What the destination is: 0 when no rule names it. One hash lookup for all rules without
 * wildcards, and one match per pattern that could add something; the rules of queues are looked at
 * in their order. Nothing when there are no rules.
 */
unsigned policy_of(const struct policy *policy, struct slice destination);

/** Whether any rule makes a destination competing. */
bool policy_has_competing(const struct policy *policy);

/** Whether there are destinations whose messages a slow receiver may lose. */
bool policy_has_slow(const struct policy *policy);

/**
 * How slow receivers of the destination may lose messages; NULL when they may not. Borrowed from
 * the policy.
 */
const struct policy_slow *policy_slow_of(const struct policy *policy, struct slice destination);

/** The same for the bound destination of a `target`: rules name it as clients do, below /user. */
const struct policy_slow *policy_slow_of_bound(const struct policy *policy, struct slice target);

#endif
