#ifndef STOMP_VERSION_H
#define STOMP_VERSION_H

#include "base/slice.h"
#include "stomp/status.h"

/*
 * Protocol negotiation (STOMP 1.2, "Protocol Negotiation"): the highest version that both sides
 * speak. Pure. Any thread.
 */

/** In ascending order, so that they compare. */
enum stomp_version {
    STOMP_VERSION_1_0,
    STOMP_VERSION_1_1,
    STOMP_VERSION_1_2,
    STOMP_N_VERSIONS,
};

/**
 * Picks the highest version we speak out of an accept-version list. Borrows the list for the call.
 *
 * The entries are joined by commas; spaces and tabs around them are skipped, which Spring does
 * not, and unknown ones too. An empty list stands for an absent header and reads as "1.0".
 * Returns STOMP_OK, or STOMP_ERR_VERSION with `*out` untouched when no entry is one of ours.
 */
STOMP_MUST_CHECK
enum stomp_status stomp_version_negotiate(struct slice accept_version, enum stomp_version *out);

/** The name on the wire, such as "1.2". */
struct slice stomp_version_name(enum stomp_version version);

#endif
