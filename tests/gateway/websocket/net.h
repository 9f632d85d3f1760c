#ifndef TESTS_GATEWAY_WEBSOCKET_NET_H
#define TESTS_GATEWAY_WEBSOCKET_NET_H

#include "tests/gateway/worker/fleet.h"

#include "gateway/websocket/connection.h"

/*
 * Running workers with sessions on them, and WebSocket clients that write and read raw bytes:
 * everything between the handshake and the router. Broker prefixes are /topic and /queue; every
 * client may do everything. The token "alice" is good, "slow" is pending, others are refused.
 */

enum { NET_STOMP, NET_ECHO, NET_ROOM, NET_N_ENDPOINTS };

struct net {
    struct fleet fleet;
    struct config config; /* changed before net_start */
    struct config_endpoint endpoints[NET_N_ENDPOINTS];
    struct stomp_limits stomp_limits[NET_N_ENDPOINTS];
    struct broker_shared broker_shared;
    struct broker brokers[FLEET_MAX];
    struct session_env sessions[FLEET_MAX];
    struct ws_env websockets[FLEET_MAX];
    struct session_ref pending; /* of the last pending question */
    bool is_held;               /* of all workers' input: see net_hold */
    struct client *clients;
};

struct client {
    struct net *net;
    struct client *next;
    unsigned worker;
    int fd;
    unsigned char head; /* of the last frame that was read: FIN and opcode */
    char *payload;      /* its content, NUL as `^` if not compressed, and a NUL behind it */
    size_t len;
};

struct net *net_new(void);
void net_start(struct net *net, unsigned n_workers);

/** What most tests want: defaults and one worker. */
struct net *net_started(void);

/** Ends all connections, the worker and the clients; fails when anything is left over. */
void net_free(struct net *net);

/** Input of all clients waits, and goes on. */
void net_hold(struct net *net, bool is_held);

/** The verdict on the last pending token, for `user`; NULL: it is refused. */
void net_resolve(struct net *net, unsigned worker, const char *user);

/** Publishes on a worker, as the push API does. */
void net_publish(struct net *net, unsigned worker, const char *destination, struct slice body);

/** An upgraded connection. The net owns the client. */
struct client *client_open(struct net *net, unsigned worker, size_t endpoint);

/** One whose kernel buffer towards the client is small, and with bytes that came too early. */
struct client *client_open_with(struct net *net, unsigned worker, size_t endpoint, int buffer_bytes,
                                struct slice early);

/** One with which permessage-deflate was agreed. */
struct client *client_open_deflate(struct net *net, unsigned worker, size_t endpoint,
                                   const struct ws_deflate_agreement *deflate);

/** Its end of the connection goes away. */
void client_vanish(struct client *client);

/** A masked frame: `head` is its first byte. */
void client_frame(struct client *client, unsigned char head, struct slice payload);

/** The bytes of such a frame, to be written in whatever pieces; the caller frees them. */
struct slice client_frame_bytes(unsigned char head, struct slice payload);

#define client_text(client, literal) client_frame((client), 0x81, (struct slice)SLICE(literal))
#define client_binary(client, literal) client_frame((client), 0x82, (struct slice)SLICE(literal))
void client_say_close(struct client *client, uint16_t code);

/** Reads the next frame. */
void client_next(struct client *client);

/** Reads the next frame and compares; NULs read as `^`. */
#define expect_text(client, text) expect_frame((client), 0x81, (text), __FILE__, __LINE__)
#define expect_binary(client, text) expect_frame((client), 0x82, (text), __FILE__, __LINE__)
void expect_frame(struct client *client, unsigned char head, const char *text, const char *file,
                  int line);

/** Reads the next frame: a close with that code (1005: none) and reason. */
void expect_close(struct client *client, uint16_t code, const char *reason);

/** Nothing more comes, in an orderly way. */
void expect_end(struct client *client);

/** Answers their close, and the end comes. */
void client_answer_close(struct client *client, uint16_t code, const char *reason);

/** CONNECTs and reads the answer. */
void client_connect(struct client *client);

/** SUBSCRIBEs and waits for the receipt. */
void client_subscribe(struct client *client, const char *id, const char *destination);

#endif
