#ifndef STOMP_HEARTBEAT_H
#define STOMP_HEARTBEAT_H

#include <stdint.h>
#include "base/slice.h"
#include "stomp/status.h"

/*
 * Heart-beat negotiation (STOMP 1.2, "Heart-beating"): each direction runs at the slower of
 * what one side can send and the other wants, or not at all when either says 0.
 * Pure: no clock, no I/O, no allocation. Any thread.
 */

/** One side's `heart-beat:<can_send>,<wants>`. Milliseconds; 0 means never. */
struct stomp_heartbeat {
    uint32_t can_send_ms;
    uint32_t wants_ms;
};

/** What was agreed, seen from the server. Milliseconds; 0 means no beats that way. */
struct stomp_heartbeat_plan {
    uint32_t write_ms; /* we send something at least this often */
    uint32_t read_ms;  /* the client sends something at least this often */
};

/**
 * Parses the value of a heart-beat header. Borrows `value` for the call.
 *
 * An empty value stands for an absent header and reads as "0,0", and so does any value without a
 * comma, as in Spring. Spaces and tabs around the numbers are skipped, which Spring refuses.
 * Returns STOMP_OK, or STOMP_ERR_HEADER_VALUE with `*out` untouched when what a comma joins is not
 * two decimal numbers, or one is above UINT32_MAX.
 */
STOMP_MUST_CHECK
enum stomp_status stomp_heartbeat_parse(struct slice value, struct stomp_heartbeat *out);

/** Joins both offers. Cannot fail. */
struct stomp_heartbeat_plan stomp_heartbeat_negotiate(struct stomp_heartbeat server,
                                                      struct stomp_heartbeat client);

#endif
