#ifndef TESTS_GATEWAY_HTTP_HARNESS_H
#define TESTS_GATEWAY_HTTP_HARNESS_H

#include <openssl/ssl.h>
#include "tests/test.h"
#include "gateway/http/server.h"

/*
 * A server with one worker on its own thread, on ports that the kernel chooses, with handlers that
 * stand in for the rest of the gateway; and a client over plain sockets.
 *
 * The stand-ins: the tokens "good" and "query-good" are alice's, others are refused, none is
 * nobody's; an upgraded connection is sent one line that says what the server knows of it and what
 * its input held, and is closed; publishing to /topic/full answers 503, to /topic/big 413, to any
 * other the number of bytes of the body as deliveries.
 */

struct harness;

/** Starts it. `config` is borrowed and gets defaults for what a server cannot do without. */
struct harness *harness_start(struct config *config);

/** Ends the worker and the server; fails the test when a connection is left over. */
void harness_stop(struct harness *h);

/** Both are obeyed before the call returns. */
void harness_request_shutdown(struct harness *h);
void harness_stop_accepting(struct harness *h);

/** What the handlers answer from now on. */
void harness_set_room(struct harness *h, bool has_room);
void harness_set_ready(struct harness *h, bool is_ready);

uint64_t harness_metric(const struct harness *h, enum metric metric);

/** Waits until the log has a line with this text; fails when it does not come. */
void harness_wait_for_log(struct harness *h, const char *text);

/** A connection to the i-th listener (the admin one is the last): both of the next in turn. */
int harness_connect(struct harness *h, size_t listener);
int harness_socket(struct harness *h, size_t listener);
void harness_connect_socket(struct harness *h, size_t listener, int fd);

/** "host:port" of the i-th listener. */
const char *harness_address(struct harness *h, size_t listener);

/** What came back. The slices are NUL-terminated and hold until the next answer is read. */
struct answer {
    int status; /* 0: the connection ended without an answer */
    struct slice head;
    struct slice body; /* for 101: all that came until the end */
};

void client_send(int fd, const char *text);

/** Reads one answer: to its Content-Length, or to the end for 101. */
struct answer client_read(int fd);

/** As client_read, of the answer to HEAD: no body comes. */
struct answer client_read_head(int fd);

/** Whether the connection has ended; waits for it. */
bool client_at_end(int fd);

/** Connects to the i-th listener, sends, reads one answer, closes. */
struct answer ask(struct harness *h, size_t listener, const char *text);

/** The value of a header of the answer, or an empty slice. */
struct slice answer_header(const struct answer *answer, const char *name);

/** Fails, showing the answer, when the status is another one. */
#define assert_status(answer, expected) assert_status_(&(answer), (expected), __FILE__, __LINE__)
void assert_status_(const struct answer *answer, int expected, const char *file, int line);

#endif
