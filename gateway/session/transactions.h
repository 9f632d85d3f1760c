#ifndef GATEWAY_SESSION_TRANSACTIONS_H
#define GATEWAY_SESSION_TRANSACTIONS_H

#include <stddef.h>
#include "base/slice.h"
#include "stomp/frame.h"
#include "stomp/status.h"

/*
 * The open transactions of one session (STOMP 1.2, "BEGIN", "COMMIT", "ABORT"): copies of the
 * frames that wait for the COMMIT, by the name of their transaction and in order. Spring's simple
 * broker knows none and sends at once.
 *
 * A session holds one `struct transactions *`, NULL while none is open: the first BEGIN makes it
 * and the end of the last transaction frees it. Limits are for the session as a whole. A
 * transaction is found by walking the open ones: their limit should be tens. Owning worker only.
 */

struct transactions;

struct transactions_limits {
    size_t max_transactions; /* open at a time */
    size_t max_frames;       /* kept in all of them together */
    size_t max_bytes; /* that names and frames take in memory, what describes them included */
};

enum transactions_status {
    TRANSACTIONS_OK,
    TRANSACTIONS_ERR_UNKNOWN, /* none of that name is open */
    TRANSACTIONS_ERR_EXISTS,  /* one of that name is open */
    TRANSACTIONS_ERR_COUNT,   /* max_transactions are open */
    TRANSACTIONS_ERR_FRAMES,  /* max_frames are kept */
    TRANSACTIONS_ERR_BYTES,   /* it would be more than max_bytes */
};

/** A frame of a transaction that was taken out for its COMMIT: one block of memory. */
struct transactions_frame {
    struct transactions_frame *next; /* in order; NULL behind the last */
    struct stomp_frame frame;        /* borrowed from this */
};

/** A short English text for an ERROR frame's message; never NULL. */
const char *transactions_strstatus(enum transactions_status status);

/**
 * BEGIN: opens a transaction. Copies the name; an empty one is a name, too.
 * Returns TRANSACTIONS_OK, or ERR_EXISTS, ERR_COUNT or ERR_BYTES with nothing changed.
 */
STOMP_MUST_CHECK
enum transactions_status transactions_begin(struct transactions **set,
                                            const struct transactions_limits *limits,
                                            struct slice name);

/**
 * Keeps a copy of the frame, with all its headers as they are, as the last of the transaction.
 * Returns TRANSACTIONS_OK, or ERR_UNKNOWN, ERR_FRAMES or ERR_BYTES with nothing changed: the
 * transaction is still open then.
 */
STOMP_MUST_CHECK
enum transactions_status transactions_add(struct transactions *set,
                                          const struct transactions_limits *limits,
                                          struct slice name, const struct stomp_frame *frame);

/**
 * COMMIT: ends the transaction and hands out its frames, which count for no limit any more.
 * Returns TRANSACTIONS_OK with `*out` the first of them (NULL when it has none), which the caller
 * owns with all that follow, or ERR_UNKNOWN with `*out` untouched.
 */
STOMP_MUST_CHECK
enum transactions_status transactions_take(struct transactions **set, struct slice name,
                                           struct transactions_frame **out);

/** Frees the frame and returns the one behind it. */
struct transactions_frame *transactions_frame_free(struct transactions_frame *frame);

/** ABORT: ends the transaction and drops its frames. Returns TRANSACTIONS_OK or ERR_UNKNOWN. */
STOMP_MUST_CHECK
enum transactions_status transactions_drop(struct transactions **set, struct slice name);

/** The session's end: drops all. `*set` is NULL afterwards; it may be before. */
void transactions_dispose(struct transactions **set);

/** How many are open. */
size_t transactions_count(const struct transactions *set);

#endif
