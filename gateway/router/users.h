#ifndef GATEWAY_ROUTER_USERS_H
#define GATEWAY_ROUTER_USERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include "base/slice.h"
#include "base/table.h"

/*
 * Which sessions each user has, and on which worker (Spring's DefaultSimpUserRegistry, section
 * 5.4 of its behaviour, without the subscriptions): shared by all workers, read whenever
 * something is sent to a user. Sharded by the user's name; each shard's mutex guards its table and
 * all that hangs on it. Nobody gets a pointer into it: what is found is copied. Any thread.
 *
 * A user with one session takes 64 bytes and the name, which is how nearly all of them are.
 */

enum { USERS_N_SHARDS = 64, USER_SESSION_ID_LEN = 16 };

/** Where a session lives. It is told from others by its id. */
struct user_session {
    unsigned worker;
    unsigned char id[USER_SESSION_ID_LEN];
};

struct users_shard {
    pthread_mutex_t mutex;
    struct table entries;
};

struct users {
    struct users_shard shards[USERS_N_SHARDS];
};

/** What was found: a copy. Stays where it is, for `items` may point into it. */
struct user_sessions {
    const struct user_session *items; /* in the order in which they came */
    size_t n;
    struct user_session few[4];
    struct user_session *many; /* NULL when they are in `few` */
};

void users_init(struct users *users, struct siphash_key hash_key);

/** All sessions must have been removed. */
void users_dispose(struct users *users);

/** One more session of the user. Copies both; there is none of that id at this user yet. */
void users_add(struct users *users, struct slice user, const struct user_session *session);

/** The session with this one's id has gone. Nothing happens when the user has none of that id. */
void users_remove(struct users *users, struct slice user, const struct user_session *session);

/** All sessions of the user, 0 when there is none. To be ended with user_sessions_dispose. */
void users_find(struct users *users, struct slice user, struct user_sessions *out);

void user_sessions_dispose(struct user_sessions *sessions);

/** Whether the session of that id is one of the user's. */
bool users_has(struct users *users, struct slice user, const unsigned char id[USER_SESSION_ID_LEN]);

#endif
