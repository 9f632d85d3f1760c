#ifndef GATEWAY_BENCH_TARGET_H
#define GATEWAY_BENCH_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include "base/slice.h"

/*
 * Where the server is: its URL, its address, and sockets on their way to it. Immutable after
 * target_resolve; each process dials for itself.
 */

struct target {
    bool is_tls;
    struct slice authority; /* host and port as the URL has them; borrowed from the URL */
    struct slice host;      /* without brackets */
    struct slice path;      /* with its query, "/" when the URL has none */
    char port[6];
    struct sockaddr_storage address;
    socklen_t address_len;
};

/** Reads `ws://host[:port][/path]`, or wss; borrows it for the target's life. False for anything
 * else. */
bool target_parse(struct target *target, struct slice url);

/** Looks the address up; reports on stderr and returns -1 when there is none. */
int target_resolve(struct target *target);

/**
 * Starts connection number `number`. Returns a non-blocking socket that is or gets connected, or
 * -1 with errno. To a server on IPv4 loopback the source address is spread over 127.0.0.0/8, since
 * one address has ports for some 28,000 connections. `has_small_buffer` asks for the smallest
 * receive buffer there is.
 */
int target_dial(const struct target *target, size_t number, bool has_small_buffer);

#endif
