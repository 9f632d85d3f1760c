#ifndef GATEWAY_BENCH_TEAM_H
#define GATEWAY_BENCH_TEAM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "gateway/bench/histogram.h"

/*
 * The memory that the processes of a run share: the phase, who has come how far, and at the end
 * what each has counted. Atomics may be read by all at any time; all else belongs to the member's
 * process until that has ended, but that `latency` may be looked at meanwhile by whom it need not
 * be right. No locks.
 */

enum team_phase {
    TEAM_CONNECT, /* open, subscribe, say so */
    TEAM_RUN,     /* send and receive from `start_ns` on */
    TEAM_STOP,    /* close and end */
};

/** What a process has counted. Windowed numbers are of the measured time only. */
struct team_counts {
    uint64_t n_sent;
    uint64_t n_sent_measured;
    uint64_t n_expected; /* deliveries that what was sent must make */
    uint64_t n_received; /* different messages, each subscriber's counted */
    uint64_t n_received_measured;
    uint64_t n_late;
    uint64_t n_duplicates;
    uint64_t n_too_far;
    uint64_t n_slow_closed;      /* slow subscribers that the server let go */
    uint64_t n_churned;          /* SUBSCRIBEs and UNSUBSCRIBEs of those that churn, confirmed */
    uint64_t n_reconnected;      /* connections that they opened again */
    uint64_t n_received_churned; /* what they got: checked, and not among the others */
    uint64_t n_inflated;         /* messages that came compressed, of whatever kind */
    uint64_t n_bytes;            /* received, before they are inflated, without TLS */
    uint64_t n_failures;         /* attempts to come back that failed, storm only */
    uint64_t n_resumed;          /* that came back with their TLS session */
};

struct team_member {
    atomic_size_t n_ready; /* over the whole run: one that comes back counts again */
    _Atomic uint64_t first_dial_ns;
    _Atomic uint64_t last_ready_ns;
    atomic_size_t n_failed; /* connections that ended before they should */
    atomic_bool has_sent_all;
    _Atomic uint64_t n_sent;
    _Atomic uint64_t n_expected;
    _Atomic uint64_t n_received;
    pid_t pid;
    int wake_fd;
    char failure[256]; /* of the first that failed */
    struct team_counts counts;
    struct histogram latency;
};

struct team {
    _Atomic int phase; /* enum team_phase */
    _Atomic uint64_t start_ns;
    size_t n_members;
    size_t n_publishers;
    size_t bytes;               /* of the mapping */
    _Atomic uint64_t *complete; /* see team_complete; in the mapping too */
    struct team_member members[];
};

/** Maps the memory and opens the wake descriptors; reports and returns NULL when it cannot. */
struct team *team_new(size_t n_members, size_t n_publishers);

/** NULL is fine. */
void team_free(struct team *team);

/** Up to which message of a publisher all subscribers of a member have everything. */
static inline _Atomic uint64_t *team_complete(struct team *team, size_t member, size_t publisher)
{
    return &team->complete[member * team->n_publishers + publisher];
}

/** Makes a member's loop look again. */
void team_wake(struct team *team, size_t member);

/** Sets the phase and wakes all. */
void team_enter(struct team *team, enum team_phase phase);

#endif
