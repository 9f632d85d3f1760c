#ifndef GATEWAY_WEBSOCKET_HANDSHAKE_H
#define GATEWAY_WEBSOCKET_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/slice.h"

/*
 * The checks of an opening handshake, in Spring's order and with its answers (RFC 6455, section
 * 4.2; Spring's AbstractHandshakeHandler and DefaultHandshakeHandler; Tomcat's check of the key).
 * The Origin is judged before, by auth/. Pure. Any thread.
 */

/** What a request says of itself. Absent headers are the empty slice with NULL base. */
struct ws_request {
    struct slice method;
    struct slice upgrade; /* several header lines are joined by ", " by the caller */
    struct slice connection;
    struct slice key;
    struct slice version;
    const struct slice *protocols; /* each Sec-WebSocket-Protocol header line as it came */
    size_t n_protocols;
};

struct ws_answer {
    int status;              /* 101, or 405, 400, 426; 500 when libcrypto has no SHA-1 */
    const char *body;        /* static, "" for none */
    const char *header_name; /* one header more ("Allow"), or NULL */
    const char *header_value;
    char accept[28];       /* 101: Sec-WebSocket-Accept, no NUL */
    struct slice protocol; /* 101: as the client spelled it; empty: send no header. Borrowed */
};

/**
 * Judges a request. `protocols` are the lower-case names this endpoint speaks, in no order: the
 * client's order decides. Whatever is asked for and not known, the handshake goes on without one.
 * Blanks around a value do not count. A key is 22 base64 digits and "==", as Tomcat has it.
 */
void ws_handshake_check(const struct ws_request *request, const struct slice *protocols,
                        size_t n_protocols, struct ws_answer *answer);

#endif
