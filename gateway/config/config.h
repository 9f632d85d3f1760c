#ifndef GATEWAY_CONFIG_CONFIG_H
#define GATEWAY_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/slice.h"

/*
 * The configuration of one process as plain data: what the settings table read from defaults,
 * file, environment and flags, checked and ready to use. Every string is NUL-terminated as well.
 * Immutable after config_load; any thread may read it while it holds a reference.
 */

struct config_strings {
    struct slice *items;
    size_t n;
};

/* Names with texts, in the order of the file; no name twice. */
struct config_pair {
    struct slice name;
    struct slice value;
};

struct config_pairs {
    struct config_pair *items;
    size_t n;
};

struct config_listener {
    struct slice address; /* "host:port" or "[v6]:port"; port 0 asks the kernel for one */
    bool tls;             /* with the certificates of tls.certificates[] */
    bool proxy_protocol;  /* a PROXY protocol header comes first on every connection */
};

/* What a key may do. A bit set of these. */
enum config_role {
    CONFIG_ROLE_PUBLISH = 1 << 0, /* POST /api/v1/publish */
    CONFIG_ROLE_METRICS = 1 << 1, /* GET /metrics */
};

struct config_api_key {
    struct slice name;
    unsigned char sha256[32]; /* of the key, written as 64 hex digits */
    unsigned roles;           /* enum config_role; all when the file names none */
};

enum config_protocol {
    CONFIG_PROTOCOL_STOMP,
    CONFIG_PROTOCOL_ECHO,
    CONFIG_PROTOCOL_BROADCAST,
};

struct config_endpoint {
    struct slice path;
    enum config_protocol protocol;
    bool anonymous;              /* no token needed here, whatever auth.anonymous says */
    struct slice prefix;         /* echo: goes before the text of each text message */
    bool echo_to_sender;         /* broadcast: the sender gets its own messages too */
    uint64_t message_size_limit; /* bytes; transport.message_size_limit when not set */
    uint32_t idle_timeout_ms;    /* no message from the client for so long closes; 0 never */
    struct config_strings allowed_origins;
    struct config_strings allowed_origin_patterns;
};

enum config_route_mode {
    CONFIG_ROUTE_BROADCAST,
    CONFIG_ROUTE_ECHO,
};

/* What a template of a route knows beside the variables of its destination. */
#define CONFIG_VARIABLE_USER "user"       /* the sender's name; empty when it has none */
#define CONFIG_VARIABLE_SESSION "session" /* the id of its session */

/** The most variables that a route's destination may have. */
enum { CONFIG_ROUTE_MAX_VARIABLES = 16 };

/*
 * What happens to messages sent to a destination, and to subscriptions of it. Templates are texts
 * with places (base/template.h) for variables.
 */
struct config_route {
    struct slice destination; /* an Ant pattern, or one destination */
    enum config_route_mode mode;
    struct slice send_to;      /* template; empty, and send_to_user too: the destination itself */
    struct slice send_to_user; /* template of what stands behind the user's name; empty: none */
    bool broadcast;            /* send_to_user: to all sessions of the user, not the sender's own */
    struct slice prefix;       /* echo: goes before a text body */
    struct config_strings copy_headers;
    struct config_pairs headers; /* added; the values are templates */

    struct {
        bool has_body; /* body was set: a SUBSCRIBE is answered with it */
        struct slice body;
        struct slice content_type;
        struct slice last_of; /* template of the destination whose last message is the answer */
    } on_subscribe;
    bool is_for_subscribe_only; /* on_subscribe alone: a SEND does not meet this route */
};

/* What becomes of a SEND or SUBSCRIBE that nothing takes. */
enum config_unknown_destination {
    CONFIG_UNKNOWN_DROP,
    CONFIG_UNKNOWN_ERROR,
};

/* How a SEND or SUBSCRIBE is refused. */
enum config_refusals {
    CONFIG_REFUSALS_STRICT, /* ERROR, and the session is closed */
    CONFIG_REFUSALS_SOFT,   /* a MESSAGE to broker.error_destination, and the session goes on */
};

enum config_queue_mode {
    CONFIG_QUEUE_FANOUT,    /* every subscriber gets each message */
    CONFIG_QUEUE_COMPETING, /* one of the subscribers gets it */
};

struct config_queue {
    struct config_strings destinations; /* Ant patterns */
    enum config_queue_mode mode;
};

/* What becomes of messages that a subscriber who reads too slowly has not got yet. */
enum config_slow_policy {
    CONFIG_SLOW_DISCONNECT,  /* its session is closed (4500), when they are too many */
    CONFIG_SLOW_DROP_OLDEST, /* the oldest are dropped */
    CONFIG_SLOW_LATEST,      /* of each key the newest is kept */
};

struct config_slow_consumers {
    struct config_strings destinations; /* Ant patterns */
    enum config_slow_policy policy;
    struct slice key_header; /* latest: empty, the destination alone is the key */
    uint64_t max_messages;   /* that wait for one subscription */
    uint64_t max_bytes;
};

/* How much may be kept: whichever is reached first. */
struct config_keep_limit {
    uint64_t messages;
    uint64_t bytes;
};

enum config_algorithm {
    CONFIG_ALGORITHM_HS256,
    CONFIG_ALGORITHM_RS256,
    CONFIG_ALGORITHM_ES256,
};

struct config_issuer {
    struct slice issuer;            /* must equal "iss"; empty accepts any */
    struct slice secret;            /* HS256; never printed */
    struct slice public_key;        /* path of a PEM file */
    unsigned algorithms;            /* bit set of 1 << enum config_algorithm; never 0 */
    struct config_strings audience; /* one of them must be in "aud"; none: not checked */
    uint32_t leeway_ms;             /* clock skew allowed for exp, nbf and iat */
    struct slice user_claim;        /* "sub" unless set */
};

/* What an access rule is about. A bit set of these. */
enum config_operation {
    CONFIG_CONNECT = 1 << 0,
    CONFIG_SEND = 1 << 1,
    CONFIG_SUBSCRIBE = 1 << 2,
};

enum config_allow {
    CONFIG_ALLOW_ALL,
    CONFIG_ALLOW_NONE,
    CONFIG_ALLOW_AUTHENTICATED,
};

struct config_access_rule {
    unsigned operations;                /* enum config_operation; all when the file names none */
    struct config_strings destinations; /* Ant patterns; none: every destination */
    enum config_allow allow;
};

enum config_io_uring {
    CONFIG_IO_URING_AUTO,
    CONFIG_IO_URING_ON,
    CONFIG_IO_URING_OFF,
};

enum config_log_level {
    CONFIG_LOG_DEBUG,
    CONFIG_LOG_INFO,
    CONFIG_LOG_WARN,
    CONFIG_LOG_ERROR,
};

enum config_log_format {
    CONFIG_LOG_AUTO, /* text on a terminal, JSON otherwise */
    CONFIG_LOG_TEXT,
    CONFIG_LOG_JSON,
};

struct config_certificate {
    struct slice certificate; /* path of a PEM chain */
    struct slice key;         /* path of a PEM private key */
};

struct config {
    struct config_listener *listeners;
    size_t n_listeners;
    unsigned workers; /* resolved: 1 to 64 */

    struct {
        struct slice listen; /* empty: no admin listener */
        struct config_api_key *api_keys;
        size_t n_api_keys;
    } admin;

    struct config_endpoint *endpoints;
    size_t n_endpoints;
    struct config_route *routes;
    size_t n_routes;

    struct {
        struct config_strings destination_prefixes; /* none: every destination */
        struct config_strings application_destination_prefixes;
        struct slice user_destination_prefix; /* ends with a slash */
        uint32_t heartbeat_send_ms;           /* broker.heartbeat: "10000,10000" or "10s,10s" */
        uint32_t heartbeat_receive_ms;
        bool error_detail;
        enum config_unknown_destination unknown_destination;
        char path_separator;          /* of Ant patterns: '/' or '.' */
        struct slice selector_header; /* empty: no selectors */
        enum config_refusals refusals;
        struct slice error_destination; /* below user_destination_prefix */
        struct config_strings sequence; /* Ant patterns of destinations that are numbered */
        uint64_t sequence_limit;        /* destinations whose numbers are remembered */
        struct config_queue *queues;    /* the first that matches wins */
        size_t n_queues;
        struct config_slow_consumers *slow_consumers; /* the first that matches wins */
        size_t n_slow_consumers;
        struct config_keep_limit queue_limit;        /* of one competing queue */
        struct config_keep_limit last_message_limit; /* for routes[].on_subscribe.last_of */
        uint64_t ack_window;   /* unacknowledged messages of one subscription */
        uint64_t cache_limit;  /* destinations whose matching patterns a worker remembers */
        uint64_t max_patterns; /* subscribed in the whole process */
    } broker;

    struct {
        uint64_t message_size_limit;
        uint64_t send_buffer_size_limit;
        uint32_t send_time_limit_ms;
        uint32_t time_to_first_message_ms;
        uint32_t ping_interval_ms; /* 0: no pings */
        uint64_t max_header_count; /* of one STOMP frame */
        uint64_t max_header_size;  /* bytes of one STOMP header line */
        uint64_t max_subscriptions_per_session;
        uint64_t max_patterns_per_session; /* that may be subscribed */
        uint64_t max_transactions_per_session;
        uint64_t max_transaction_frames; /* in all transactions of one session */
        uint64_t max_transaction_bytes;
        uint64_t max_connections;      /* of the whole process */
        uint64_t process_buffer_limit; /* bytes queued in the whole process */
        enum config_io_uring io_uring;
        struct {
            bool enabled;
            unsigned level;                  /* 1 to 9 */
            uint64_t min_size;               /* bytes of a body; shorter ones go out as they are */
            unsigned server_max_window_bits; /* 9 to 15 */
            unsigned client_max_window_bits;
            bool server_context_takeover;
            bool client_context_takeover;
        } deflate;
    } transport;

    struct {
        bool anonymous;
        struct slice query_parameter; /* empty: no token in the query */
        struct config_issuer *issuers;
        size_t n_issuers;
    } auth;

    struct config_access_rule *access;
    size_t n_access;

    struct {
        struct config_certificate *certificates;
        size_t n_certificates;
        struct {
            uint32_t lifetime_ms;  /* 0: none are given */
            struct slice key_file; /* empty: keys of the process's own */
        } session_tickets;
    } tls;

    struct {
        enum config_log_level level;
        enum config_log_format format;
    } log;

    struct {
        bool demo;
    } web;

    uint32_t drain_time_ms; /* shutdown.drain_time: SIGTERM to the last close */
};

#endif
