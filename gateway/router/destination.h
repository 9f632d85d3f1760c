#ifndef GATEWAY_ROUTER_DESTINATION_H
#define GATEWAY_ROUTER_DESTINATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include "base/ant.h"
#include "base/slice.h"
#include "base/table.h"
#include "gateway/router/group.h"
#include "gateway/router/interest.h"
#include "gateway/router/patterns.h"

/*
 * What one worker knows of destinations: those that its sessions subscribe to, and for a bounded
 * number of others which patterns match them (Spring's DefaultSubscriptionRegistry.
 * DestinationCache, with its cacheLimit; least recently used go first).
 *
 * Owning worker only, but for the interest table and the patterns, which all workers share.
 */

enum destination_kind {
    DESTINATION_EXACT,         /* in the interest table while it has subscribers */
    DESTINATION_PATTERN,       /* in the shared patterns */
    DESTINATION_BOUND,         /* ends with -user and the id of a session of this worker */
    DESTINATION_BOUND_PATTERN, /* the same with wildcards before the suffix */
    DESTINATION_QUEUE,         /* a competing queue: its owner hands over single messages */
    DESTINATION_N_KINDS,
};

struct bound_owner;

struct destination {
    struct table_node node; /* its key stands behind the struct */
    struct group *groups;
    uint32_t n_groups;
    uint32_t n_not_plain; /* of them */
    uint32_t n_members;   /* in all of them */
    uint32_t n_further;   /* of the members: those with is_further */
    uint8_t kind;         /* enum destination_kind */
    bool is_cached;       /* DESTINATION_EXACT without subscribers: kept for `matched` only */
    union {
        struct interest_entry *interest; /* DESTINATION_EXACT with subscribers */
        struct pattern *pattern;         /* DESTINATION_PATTERN */
        struct {                         /* DESTINATION_BOUND_PATTERN */
            struct ant_pattern *ant;
            struct bound_owner *owner;
            struct destination *next;
        } bound;
        TAILQ_ENTRY(destination) cache_link; /* is_cached */
    };
    struct pattern_refs matched; /* DESTINATION_EXACT: patterns that match it */
    uint64_t matched_generation; /* up to here */
};

/** The bound patterns of one session, by the session's id. */
struct bound_owner {
    struct table_node node;
    struct destination *patterns;
    char id[32];
};

struct destinations {
    unsigned worker;
    struct interest *interest;
    struct patterns *patterns;
    struct table tables[DESTINATION_N_KINDS];
    struct table bound_owners;
    TAILQ_HEAD(destination_cache, destination) cache; /* least recently used first */
    size_t n_cached;
    size_t cache_limit;
};

/** The length of a session's id as text: what follows "-user" at a bound destination's end. */
enum { SESSION_ID_LEN = 32 };

/** What a bound destination has before "-user" and the id: "/queue/x". */
struct slice destination_target(struct slice bound);

void destinations_init(struct destinations *set, unsigned worker, struct interest *interest,
                       struct patterns *patterns, size_t cache_limit, struct siphash_key hash_key);

/** No destination has groups any more. Frees the cache. */
void destinations_dispose(struct destinations *set);

enum destination_status {
    DESTINATION_OK,
    DESTINATION_ERR_PATTERN,  /* it cannot be compiled */
    DESTINATION_ERR_PATTERNS, /* the process has its limit of patterns */
};

/**
 * The destination for a first or further subscription, visible to publishers on every worker when
 * this returns. `*out` is set on DESTINATION_OK only; on DESTINATION_ERR_PATTERN `*why` is static.
 */
enum destination_status destinations_subscribe(struct destinations *set, enum destination_kind kind,
                                               struct slice name, struct destination **out,
                                               const char **why)
    __attribute__((warn_unused_result));

/** Its last group has gone. */
void destinations_drop(struct destinations *set, struct destination *d);

/** The destination of that kind, or NULL. A cached one is as good as none. */
struct destination *destinations_find(const struct destinations *set, enum destination_kind kind,
                                      struct slice name);

/**
 * What a publish needs: the exact destination with its `matched` up to date, or NULL when it has
 * no subscribers here and there are no patterns at all.
 */
struct destination *destinations_look_up(struct destinations *set, struct slice name);

/** The bound patterns of the session that a bound destination ends with; the first, or NULL. */
struct destination *destinations_bound_patterns(const struct destinations *set, struct slice name);

/** One subscription more or less. */
void destination_count(struct destination *d, int change);

#endif
