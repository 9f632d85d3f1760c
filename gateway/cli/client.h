#ifndef GATEWAY_CLI_CLIENT_H
#define GATEWAY_CLI_CLIENT_H

#include "base/buf.h"
#include "base/slice.h"

/*
 * One HTTP/1.1 request to a gateway's admin port over a plain socket (RFC 9112), for the verbs
 * `publish` and `health`. Blocking, within a time limit. Any thread.
 */

/** Where the admin port is unless the command line says otherwise. */
#define CLIENT_DEFAULT_URL "http://127.0.0.1:9090"

struct client_request {
    const char *url; /* http://host[:port][/prefix] */
    const char *method;
    const char *path;  /* goes behind the prefix */
    struct slice key;  /* sent as X-API-Key unless empty */
    struct slice body; /* JSON; sent when the method is POST */
};

/** `buf` holds all that came; ends with buf_dispose. */
struct client_answer {
    int status;
    struct slice body;
    struct buf buf;
};

/**
 * Sends and reads the whole answer. Returns NULL with `*answer` set, or what went wrong: a text
 * that stays valid until the next call in this thread. `answer->buf` is to be disposed of then,
 * too.
 */
const char *client_ask(const struct client_request *request, struct client_answer *answer)
    __attribute__((warn_unused_result));

#endif
