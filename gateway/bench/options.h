#ifndef GATEWAY_BENCH_OPTIONS_H
#define GATEWAY_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include "gateway/bench/target.h"

/*
 * The command line: `stompload MODE [--option value]...`, or `stompgate bench MODE ...`, under one
 * table of options that also prints the help and knows which modes an option is for. Immutable
 * after start.
 */

enum options_mode {
    OPTIONS_FANOUT,
    OPTIONS_ECHO,
    OPTIONS_IDLE,
    OPTIONS_SLOW,
    OPTIONS_RAMP,
    OPTIONS_STORM,
    OPTIONS_FLOOR,
    OPTIONS_DESTINATIONS,
    OPTIONS_USERS,
    OPTIONS_MIXED,
    OPTIONS_N_MODES,
};

enum options_confirm {
    CONFIRM_RECEIPT, /* SUBSCRIBE asks for a RECEIPT */
    CONFIRM_PROBE,   /* messages are sent until one arrives, for servers without receipts */
    CONFIRM_NONE,    /* a subscription is trusted once it is sent */
};

enum options_ids { IDS_SAME, IDS_OWN };
enum options_order { ORDER_STRICT, ORDER_ANY };
enum options_mask { MASK_RANDOM, MASK_ZERO };

enum { OPTIONS_MAX_LIST = 16 };

/** Stands for the name of a client's user in a token or header. */
#define OPTIONS_USER "{user}"

struct options_list {
    const char *items[OPTIONS_MAX_LIST];
    size_t n_items;
};

struct options {
    enum options_mode mode;
    struct target target;
    const char *url;
    const char *host;
    const char *vhost;
    const char *token;
    const char *heart_beat;
    const char *destination;
    const char *content_type;
    const char *ca_file;
    struct options_list connect_headers;
    struct options_list http_headers;
    struct options_list pids;
    struct options_list cpus;
    uint64_t n_procs; /* 0: as many as the descriptors ask for */
    uint64_t n_subscribers;
    uint64_t n_publishers;
    uint64_t n_clients;
    uint64_t n_connections;
    uint64_t n_slow;
    uint64_t body_size;
    uint64_t pattern; /* enum mark_pattern */
    uint64_t window;
    uint64_t rate; /* messages or connections a second; 0: by window, or as fast as they come */
    uint64_t seconds_ns;
    uint64_t warmup_ns;
    uint64_t hold_ns;
    uint64_t patience_ns;
    uint64_t connect_timeout_ns;
    uint64_t settle_ns;
    uint64_t n_connecting;
    uint64_t n_returning;
    uint64_t n_failures;
    uint64_t deflate_bits; /* 0: as the server likes */
    uint64_t n_strict;
    uint64_t ids;     /* enum options_ids */
    uint64_t order;   /* enum options_order */
    uint64_t confirm; /* enum options_confirm */
    uint64_t mask;    /* enum options_mask */
    bool is_insecure;
    bool has_deflate;
    bool has_takeover;
    bool is_resuming;
    bool is_aborting;
    bool is_json;

    /* Of the modes destinations, users and mixed. */
    uint64_t n_destinations;
    uint64_t n_subscriptions; /* of each client, to those */
    uint64_t zipf;            /* the exponent, in billionths */
    uint64_t n_sessions;      /* of each user */
    uint64_t n_churners;
    uint64_t fanout_rate, user_rate, echo_rate, churn_rate, reconnect_rate; /* a second; 0: none */
    uint64_t seed;
    const char *user_destination;
    const char *secret;
    const char *issuer;
    const char *audience;
};

enum options_result {
    OPTIONS_RUN,
    OPTIONS_HELP,  /* --help was asked for */
    OPTIONS_WRONG, /* `error` says what is wrong */
};

/**
 * Reads the command line; strings are borrowed from argv. `error` has room for `error_size` bytes.
 */
enum options_result options_parse(int argc, char **argv, struct options *options, char *error,
                                  size_t error_size);

/** `program` is how it is called: "stompload". */
void options_help(FILE *out, const char *program);

/** Whether each client comes in with a name of its own. */
bool options_has_users(const struct options *options);

/** Number `i` of `pids`. */
pid_t options_pid(const struct options *options, size_t i);

/** "fanout" and so on. */
const char *options_mode_name(enum options_mode mode);

#endif
