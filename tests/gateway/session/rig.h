#ifndef TESTS_GATEWAY_SESSION_RIG_H
#define TESTS_GATEWAY_SESSION_RIG_H

#include "tests/test.h"
#include "gateway/router/interest.h"
#include "gateway/router/router.h"
#include "gateway/session/session.h"

/*
 * Sessions on a real router of one worker, without any transport: what a session asks of its
 * transport is noted, what it says is read from its queue, and time stands still until it is
 * moved. A tick ends whenever something is looked at.
 *
 * Endpoints: RIG_STOMP /ws, RIG_ECHO /echo (prefix "echo: "), RIG_ROOM /room, RIG_MIRROR /mirror
 * (a room that gives senders their own messages), RIG_OPEN /open (STOMP, anonymous).
 * Broker prefixes: /topic and /queue. Routes: see rig.c.
 *
 * Tokens of CONNECT: "alice" and "bob" are good, "slow" is pending, all others are refused with
 * "The token is invalid".
 */

enum { RIG_STOMP, RIG_ECHO, RIG_ROOM, RIG_MIRROR, RIG_OPEN, RIG_N_ENDPOINTS };

struct rig {
    struct config config; /* changed before rig_start: limits, rules; its lists are the rig's */
    struct config_endpoint endpoints[RIG_N_ENDPOINTS];
    struct auth_access_rule rules[8];
    size_t n_rules;

    struct session_env env;
    struct interest interest;
    struct patterns patterns;
    struct broker_shared broker_shared;
    struct broker broker;
    struct errand *errands[64]; /* of the broker's, run by rig_run_errands */
    size_t n_errands;
    struct chunk_account account;
    struct chunk_pool pool;
    struct metrics metrics;
    struct router router;
    struct timer_wheel timers;
    struct stomp_limits limits[RIG_N_ENDPOINTS];
    struct log log;
    int log_fd; /* reads what was logged */
    uint64_t now_ms;
    bool is_congested;
    struct session_ref pending; /* of the last pending question */
    struct peer *peers;
};

/** One client and what happened to it. */
struct peer {
    struct session session; /* first: the transport's functions get it */
    struct receiver receiver;
    struct rig *rig;
    struct peer *next;
    unsigned frames_left; /* of the tick's share; 1000 unless a test sets it */
    unsigned n_pings;
    unsigned n_closes;
    bool is_cut; /* closed by cut_and_close */
    bool is_paused;
    bool is_held;
    uint16_t close_code;
    char close_reason[128];
    uint64_t last_read_ms;
    uint64_t last_write_ms;
    char heard[65536];
    size_t heard_len;
};

/** Defaults; nothing is required of clients. Ends with rig_free. */
struct rig *rig_new(void);

/** Makes what the configuration says. */
void rig_start(struct rig *rig);

/** rig_new and rig_start. */
struct rig *rig_started(void);

void rig_free(struct rig *rig);

/** Runs what the broker sends to itself. Every end of a tick does so. */
void rig_run_errands(struct rig *rig);

/** Adds an access rule. `destination` may be NULL: every one. Before rig_start. */
void rig_rule(struct rig *rig, unsigned operations, const struct slice *destination,
              enum auth_allow allow);

/** Moves time in small steps, firing timers and writing what is queued. */
void rig_advance(struct rig *rig, uint64_t ms);

uint64_t rig_metric(const struct rig *rig, enum metric metric);

/** Fails unless the log has such a line. */
void rig_assert_logged(const struct rig *rig, const char *text);

/** A session; `user` is the handshake's, NULL: it brought no token. The rig owns it. */
struct peer *rig_open(struct rig *rig, size_t endpoint, const char *user);

/** The connection is gone. */
void peer_end(struct peer *peer);

/** An identity as a token's check makes it. */
struct auth_identity *rig_identity(const char *user);

/** One message from the client, whole; returns how much of it was used up. */
size_t peer_give(struct peer *peer, struct slice bytes, bool is_binary);

/** A text message, all of which must be used up. A literal may hold NULs. */
#define peer_say(peer, literal) peer_say_((peer), (struct slice)SLICE(literal), false)
#define peer_say_binary(peer, literal) peer_say_((peer), (struct slice)SLICE(literal), true)
void peer_say_(struct peer *peer, struct slice bytes, bool is_binary);

/**
 * All that the client was sent since the last call: a message behind the other, NUL as `^`, a
 * binary message with "[binary]" before it.
 */
const char *peer_heard(struct peer *peer);

/** CONNECTs without more ado and forgets the answer. */
void peer_connect(struct peer *peer);

/** SUBSCRIBEs and forgets the answer. */
void peer_subscribe(struct peer *peer, const char *id, const char *destination);

/** Fails unless it was asked to close with this code, once, and heard just this. */
#define assert_closed(peer, code, heard_text)                                                      \
    assert_closed_((peer), (code), (heard_text), __FILE__, __LINE__)
void assert_closed_(struct peer *peer, uint16_t code, const char *heard, const char *file,
                    int line);

#endif
