#ifndef GATEWAY_BENCH_CONNECTION_H
#define GATEWAY_BENCH_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/slice.h"
#include "gateway/bench/extension.h"
#include "gateway/bench/link.h"
#include "gateway/bench/loop.h"
#include "gateway/bench/mark.h"
#include "gateway/bench/options.h"
#include "gateway/bench/sublist.h"
#include "gateway/bench/wire.h"

/*
 * One client: a socket that goes through TLS, upgrade, CONNECT and SUBSCRIBE on its own and then
 * hands over the bodies of MESSAGE frames. Whatever the server does wrong ends it with a text that
 * says what. The receive path reads a MESSAGE by its first and last bytes; the first messages of
 * each connection, and all that look unusual, are read strictly. Owning process only.
 */

enum {
    CONNECTION_MAX_HEAD = 16 * 1024, /* of an HTTP answer, or a MESSAGE's headers */
    CONNECTION_ROOM = 64 * 1024,     /* see connection_has_room */
};

enum connection_state {
    CONNECTION_DIALING,
    CONNECTION_SECURING, /* TLS only */
    CONNECTION_UPGRADING,
    CONNECTION_CONNECTING,
    CONNECTION_SUBSCRIBING, /* waits for the RECEIPT */
    CONNECTION_UNCONFIRMED, /* waits for connection_confirm */
    CONNECTION_READY,
    CONNECTION_CLOSED,
};

/** What a client is for; strings are owned by whoever holds the role. */
struct connection_role {
    char *destination;            /* to subscribe to; NULL for none */
    char *id;                     /* of the subscription */
    struct sublist subscriptions; /* instead of that one, for who has several or changes them */
    char *user;                   /* whose connection it is; NULL: nobody's */
    struct slice upgrade;         /* its own handshakes; a `base` of NULL: those of all */
    struct slice connect;
    bool is_publisher;
    bool is_strict; /* all messages are read in full, not only the first ones */
    bool is_slow;   /* does not read once it is ready */
};

/** What all clients of a run have in common. Immutable. */
struct connection_settings {
    struct slice upgrade;             /* the HTTP request */
    struct extension_offer extension; /* what the upgrade says of it */
    struct slice connect;             /* the CONNECT frame */
    struct tls *tls;                  /* borrowed; NULL for plain connections */
    size_t n_members;                 /* processes, which share out the numbers of connections */
    size_t body_size;
    size_t max_payload; /* of a WebSocket message from the server */
    uint32_t n_strict;
    enum options_confirm confirm;
    enum options_mask mask;
    enum mark_pattern pattern;
};

struct connection {
    struct link link;
    enum connection_state state;
    bool is_writable_awaited;
    bool is_reading;
    bool has_deflate;
    bool is_fragment_compressed;
    uint8_t fragments_opcode; /* of the message whose fragments come; 0 for none */
    uint32_t n_strict_left;
    struct loop *loop;
    struct connection_role role;
    const struct subscription *said; /* of the message at hand, where it was read in full */
    struct buf out;                  /* what the kernel has not taken yet */
    struct buf rest;                 /* the beginning of a frame whose end is still to come */
    struct buf fragments;            /* of a message in several frames */
    struct inflater *inflater; /* with the context of this connection; NULL: the loop's will do */
    size_t number;             /* of all the run's connections */
    uint64_t dialed_ns;        /* when its socket was asked for; set by who dialed */
    void *data;                /* the mode's */
};

/** What happens to connections; each is called with the loop's `handler_self`. */
struct connection_handler {
    /** The handshakes are done: READY, or UNCONFIRMED. Called once. */
    void (*on_settled)(void *self, struct connection *c);
    /** READY now. Called once, after on_settled. */
    void (*on_ready)(void *self, struct connection *c);
    /** The body of a MESSAGE, `body_size` long; borrowed for the call. */
    void (*on_message)(void *self, struct connection *c, struct slice body, uint64_t now_ns);
    /** The server has confirmed a connection_subscribe or connection_unsubscribe. */
    void (*on_changed)(void *self, struct connection *c, struct slice id, bool is_there);
    /** The connection is CLOSED; `why` is borrowed for the call. */
    void (*on_closed)(void *self, struct connection *c, const char *why);
};

/**
 * Starts on a non-blocking socket that is or gets connected. Takes `fd` and the role's strings.
 * The caller owns the connection; nothing else refers to it but the loop.
 */
struct connection *connection_new(struct loop *loop, int fd, size_t number,
                                  struct connection_role role);

/** Closes without a word to the handler and frees. NULL is fine. */
void connection_free(struct connection *c);

/** The loop's: epoll says `events` of it. */
void connection_on_event(struct connection *c, uint32_t events);

/** What an UNCONFIRMED connection waits for is here. Does nothing in any other state. */
void connection_confirm(struct connection *c);

/** Ends the connection; the handler's on_closed is told why. Does nothing when it is CLOSED. */
void connection_fail(struct connection *c, const char *why);

/**
 * Queues SUBSCRIBE on a READY connection whose role has a list, and asks for a receipt. Takes the
 * strings.
 */
void connection_subscribe(struct connection *c, char *destination, char *id, size_t topic);

/** Queues UNSUBSCRIBE for one that is there; it stays in the list until the receipt comes. */
void connection_unsubscribe(struct connection *c, struct subscription *subscription);

/** Queues a WebSocket message; connection_flush sends it. */
void connection_send(struct connection *c, enum wire_opcode opcode, struct slice payload);

/** Gives the kernel what is queued; what it does not take follows when it does. */
void connection_flush(struct connection *c);

/** Starts or stops reading. */
void connection_set_reading(struct connection *c, bool is_reading);

/** Whether little enough is queued to queue more: a sender that is ahead of the kernel waits. */
static inline bool connection_has_room(const struct connection *c)
{
    return c->out.len < CONNECTION_ROOM;
}

#endif
