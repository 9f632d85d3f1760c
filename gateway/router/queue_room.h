#ifndef GATEWAY_ROUTER_QUEUE_ROOM_H
#define GATEWAY_ROUTER_QUEUE_ROOM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include "base/slice.h"
#include "base/table.h"

/*
 * The room of the competing queues: how many messages of each destination are accepted and not
 * done with, in the backlog or in flight, and their bytes. Shared, so that a publisher's worker
 * knows at once whether a SEND may be accepted, before the worker that owns the queue has heard of
 * it; the owner gives the room back (queue.h's hook `release`). A queue exists here only while it
 * has messages. Sharded; each shard's mutex guards its table. Any thread.
 */

enum { QUEUE_ROOM_N_SHARDS = 64 };

struct queue_room_limits {
    size_t messages;    /* of one destination */
    size_t bytes;       /* of one destination */
    size_t total_bytes; /* of all: destinations are the clients' to invent. SIZE_MAX: no limit */
};

struct queue_room_shard {
    pthread_mutex_t mutex;
    struct table entries;
};

struct queue_room {
    struct queue_room_shard shards[QUEUE_ROOM_N_SHARDS];
    struct queue_room_limits limits;
    _Atomic size_t total_bytes;
};

void queue_room_init(struct queue_room *room, const struct queue_room_limits *limits,
                     struct siphash_key hash_key);

/** What is still reserved is forgotten. */
void queue_room_dispose(struct queue_room *room);

/**
 * Takes room for one message. Returns false, with nothing taken, when it would pass a limit; so
 * a message that is larger than the limit never gets in, also when the queue is empty.
 */
bool queue_room_reserve(struct queue_room *room, struct slice destination, size_t bytes)
    __attribute__((warn_unused_result));

/** Gives back the room of `n_messages` that had `bytes` together, all of them reserved before. */
void queue_room_release(struct queue_room *room, struct slice destination, size_t n_messages,
                        size_t bytes);

#endif
