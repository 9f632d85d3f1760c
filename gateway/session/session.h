#ifndef GATEWAY_SESSION_SESSION_H
#define GATEWAY_SESSION_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "auth/access.h"
#include "auth/token.h"
#include "base/buf.h"
#include "base/slice.h"
#include "gateway/broker/broker.h"
#include "gateway/config/config.h"
#include "gateway/ops/log.h"
#include "gateway/ops/metrics.h"
#include "gateway/router/router.h"
#include "gateway/session/gate.h"
#include "gateway/session/quiet.h"
#include "gateway/session/routes.h"
#include "gateway/session/transactions.h"
#include "gateway/worker/timer.h"
#include "stomp/heartbeat.h"
#include "stomp/parser.h"

/*
 * One client's session, whatever carries it: what it may do, its limits, its timers and its end.
 * What it says is STOMP (stomp_session.h) or plain messages (plain_session.h). It knows its
 * transport by a table of functions, and the router.
 *
 * Owning worker only.
 */

struct session;

/** What a session asks of its transport. */
struct session_transport {
    /** Queues the close frame behind everything else and ends the connection in order. */
    void (*close)(struct session *session, uint16_t code, struct slice reason);
    /** The same, but what is queued and not being sent yet is dropped. */
    void (*cut_and_close)(struct session *session, uint16_t code, struct slice reason);
    void (*ping)(struct session *session);
    /** Input stops, and goes on. */
    void (*pause)(struct session *session);
    void (*resume)(struct session *session);
    /** Whether input waits on our side: silence is then no sign of a dead peer. */
    bool (*is_held)(const struct session *session);
    uint64_t (*last_read_ms)(const struct session *session);
    uint64_t (*last_write_ms)(const struct session *session);
};

/** What a question about a token comes to. */
enum session_verdict {
    SESSION_ALLOWED,
    SESSION_REFUSED,
    SESSION_PENDING, /* the answer comes by session_resolve */
};

/**
 * Judges a token. On SESSION_ALLOWED `*identity` is the caller's; on SESSION_REFUSED `*why` is a
 * static text for the peer. `ref` is where a later answer goes. Borrows the token for the call.
 */
typedef enum session_verdict (*session_authenticate)(void *ctx, struct session_ref ref,
                                                     struct slice token,
                                                     struct auth_identity **identity,
                                                     const char **why);

/** Live sessions of a worker by slot. */
struct session_slots {
    struct session_slot {
        struct session *session;
        uint32_t generation;
        uint32_t next_free; /* index + 1 */
    } * slots;
    uint32_t n;
    uint32_t cap;
    uint32_t first_free; /* index + 1; 0: none */
};

/** What the sessions of one worker share. Outlives them. */
struct session_env {
    const struct config *config;
    const struct routes *routes;
    const struct auth_access *access;
    session_authenticate authenticate;
    void *authenticate_ctx;
    const struct stomp_limits *stomp_limits; /* one for each endpoint */
    struct router *router;
    struct broker *broker;
    struct timer_wheel *timers;
    struct metrics *metrics;
    const struct log *log;
    struct quiet quiet; /* keeps peers from writing our log */
    struct stomp_scratch scratch;
    struct buf reply; /* the frame that is being written to a client */
    struct session_slots slots;
    uint64_t (*now_ms)(void *ctx);
    /** Whether input must wait for the next tick, or for ever because the process is ending. */
    bool (*is_congested)(void *ctx);
    void *worker_ctx;
};

void session_env_init(struct session_env *env);
void session_env_dispose(struct session_env *env);

enum session_state {
    SESSION_NEW,          /* before CONNECT was accepted */
    SESSION_CONNECTED,    /* for plain endpoints from the start */
    SESSION_DISCONNECTED, /* after DISCONNECT: the client closes */
    SESSION_CLOSING,      /* the transport is on its way out: input is not looked at */
    SESSION_ENDED,
};

/** Why a session ends: for the log, the counters and the close frame. */
enum session_reason {
    SESSION_BY_PEER,         /* the client closed, or the connection broke */
    SESSION_PROTOCOL_ERROR,  /* 1002 after an ERROR frame */
    SESSION_TRANSPORT_ERROR, /* the transport's own error, with its own code */
    SESSION_SEND_BUFFER,     /* 4500 */
    SESSION_SEND_TIME,       /* 4500 */
    SESSION_MEMORY,          /* 4500 */
    SESSION_ACK_WINDOW,      /* 4500 */
    SESSION_FIRST_MESSAGE,   /* 4500 */
    SESSION_HEARTBEAT_LOST,  /* 1002 after an ERROR frame */
    SESSION_PING_LOST,       /* 1002 */
    SESSION_IDLE,            /* 1000 */
    SESSION_SHUTDOWN,        /* 1001 */
    SESSION_DENIED,          /* 1008: plain endpoints, by an access rule */
    SESSION_TOO_MANY,        /* 1013 */
    SESSION_N_REASONS,
};

struct session {
    struct session_env *env;
    const struct session_transport *transport;
    struct receiver *receiver;
    struct auth_identity *identity; /* NULL: anonymous, or not known yet */
    struct timer timer;             /* the next of the deadlines below */
    uint64_t opened_ms;
    uint64_t next_ping_ms;
    uint64_t suspended_until_ms; /* 0: not suspended */
    uint64_t last_message_ms;    /* for idle_timeout */
    struct stomp_heartbeat_plan heartbeat;
    struct session_ref ref;
    uint16_t endpoint;
    uint8_t state;   /* enum session_state */
    uint8_t reason;  /* enum session_reason, once closing */
    uint8_t version; /* enum stomp_version, once CONNECT was read */
    uint8_t unanswered_pings;
    /* Bits, so that with the id they leave no hole: there is one of these for each idle client. */
    bool saw_binary : 1; /* some input came in binary messages: bodies must be checked for UTF-8 */
    bool may_send : 1;   /* plain endpoints: decided once */
    bool is_soft : 1;    /* refusals are messages, and the session lives */
    bool is_registered : 1; /* with the user registry */
    unsigned char id[16];
    struct transactions *transactions; /* NULL: none is open */
    union {
        struct stomp_parser stomp;
        struct buf plain; /* an incomplete message */
    } input;
};

/** Room for a session's id as text. */
struct session_id_text {
    char hex[32];
};

struct slice session_id(const struct session *session, struct session_id_text *text);

/**
 * Starts a session. Takes `identity` (NULL: no token came with the handshake). The receiver is
 * the transport's and outlives the session. Zero the struct first.
 */
void session_open(struct session *session, struct session_env *env,
                  const struct session_transport *transport, struct receiver *receiver,
                  size_t endpoint, struct auth_identity *identity);

/** What a piece of input is part of. */
struct session_input {
    bool is_binary;
    bool is_first; /* of its message */
    bool is_last;
    unsigned *frames_left; /* the tick's share; counted down */
};

/**
 * Takes input. Returns how much of `bytes` was used up: all, unless the tick's share is over or
 * the session was suspended (then the transport has been told to hold the rest).
 */
size_t session_input(struct session *session, struct slice bytes,
                     const struct session_input *input);

/** The answer to a pending question; wrong or late refs are ignored. Takes `identity`. */
void session_resolve(struct session_env *env, struct session_ref ref, enum session_verdict verdict,
                     struct auth_identity *identity);

/** Stops the input until session_resolve, or until too much time has gone: then it is refused. */
void session_suspend(struct session *session);

/** A pong came. */
void session_pong(struct session *session);

/** A slow-consumer limit was passed: what is queued is dropped, close 4500. */
void session_overflow(struct session *session, enum session_reason reason);

/** The only way out: queues what is to be said, then closes. Idempotent. */
void session_close(struct session *session, enum session_reason reason, uint16_t code,
                   struct slice text);

/** The transport is gone. Frees what the session owns; idempotent. */
void session_end(struct session *session);

/** The session has got in: its user's destinations reach it, until it ends or unregisters. */
void session_register(struct session *session);
void session_unregister(struct session *session);

/** A RECEIPT that waited for other workers is due; wrong or late refs are ignored. */
void session_receipt(struct session_env *env, struct session_ref ref, struct slice receipt);

/** Moves the timer to the nearest deadline. */
void session_arm(struct session *session);

bool session_is_stomp(const struct session *session);
const struct config_endpoint *session_endpoint(const struct session *session);

/** Whether the access rules allow it; counts a refusal. */
bool session_may(struct session *session, enum config_operation operation,
                 struct slice destination);

#endif
