#ifndef GATEWAY_ROUTER_LAST_H
#define GATEWAY_ROUTER_LAST_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include "base/slice.h"
#include "base/table.h"
#include "gateway/router/msg.h"

/*
 * The last message of each destination that keeps one: put by the worker that owns the
 * destination, read by any. Shared.
 *
 * Sharded by destination; each shard's mutex guards its table and list. The two limits are of the
 * whole, not of a shard, so that nothing is given up while there is room: a put that passes one
 * gives up what has been used (put or read) least recently, wherever it lies. For that each shard
 * shows when its oldest was used, and one more mutex lets one worker at a time make room; for that
 * short while the limits are passed by what was put. No two of the mutexes of shards are ever held
 * together. Any thread.
 */

enum { LAST_N_SHARDS = 16 };

struct last_shard {
    pthread_mutex_t mutex;
    struct table entries;
    TAILQ_HEAD(last_list, last_entry) by_use; /* the least recently used is the first */
    _Atomic uint64_t oldest; /* when that one was used; UINT64_MAX when there is none */
};

struct last {
    struct last_shard shards[LAST_N_SHARDS];
    size_t max_messages;
    size_t max_bytes;
    pthread_mutex_t room_mutex;
    _Atomic uint64_t now; /* counts uses */
    _Atomic size_t n_messages;
    _Atomic size_t n_bytes; /* by msg_bytes */
};

/** Nothing is kept when a limit is 0. */
void last_init(struct last *last, size_t max_messages, size_t max_bytes,
               struct siphash_key hash_key);

/** Drops what is kept. */
void last_dispose(struct last *last);

/**
 * The message is the last one of its destination from now on; takes a reference of its own. One
 * worker at a time per destination: its owner. A message that is larger than the limit is not
 * kept, nor is the one before it, which it has outdated.
 */
void last_put(struct last *last, struct msg *msg);

/** The last message with a reference for the caller, or NULL when none is kept. */
struct msg *last_get(struct last *last, struct slice destination)
    __attribute__((warn_unused_result));

#endif
