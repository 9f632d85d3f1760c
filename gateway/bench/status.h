#ifndef GATEWAY_BENCH_STATUS_H
#define GATEWAY_BENCH_STATUS_H

/*
 * What can be wrong with what a server sends, as a client sees it. Pure. Any thread.
 */

enum load_status {
    LOAD_OK,
    LOAD_MORE, /* not enough bytes yet */
    LOAD_ERR_HTTP,
    LOAD_ERR_HTTP_UPGRADE,
    LOAD_ERR_HTTP_ACCEPT,
    LOAD_ERR_EXTENSION_REFUSED,
    LOAD_ERR_EXTENSION_ANSWER,
    LOAD_ERR_EXTENSION_CONTEXT,
    LOAD_ERR_EXTENSION_WINDOW,
    LOAD_ERR_WS_RESERVED,
    LOAD_ERR_WS_MASKED,
    LOAD_ERR_WS_OPCODE,
    LOAD_ERR_WS_CONTROL,
    LOAD_ERR_WS_LENGTH,
    LOAD_ERR_WS_TOO_LARGE,
    LOAD_ERR_WS_DEFLATE,
    LOAD_ERR_STOMP_COMMAND,
    LOAD_ERR_STOMP_HEADER,
    LOAD_ERR_STOMP_ESCAPE,
    LOAD_ERR_STOMP_LENGTH,
    LOAD_ERR_STOMP_END,
    LOAD_ERR_MESSAGE_DESTINATION,
    LOAD_ERR_MESSAGE_SUBSCRIPTION,
    LOAD_ERR_MESSAGE_ID,
    LOAD_ERR_MESSAGE_BODY,
};

/** A static text for people. */
const char *load_strstatus(enum load_status status);

#define LOAD_MUST_CHECK __attribute__((warn_unused_result))

#endif
