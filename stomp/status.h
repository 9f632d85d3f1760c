#ifndef STOMP_STATUS_H
#define STOMP_STATUS_H

/*
 * What the functions of stomp/ return. STOMP_OK is 0; STOMP_MORE and STOMP_HEARTBEAT are no
 * errors; everything from STOMP_ERR_COMMAND on is the peer's fault and ends its session.
 */

#define STOMP_MUST_CHECK __attribute__((warn_unused_result))

enum stomp_status {
    STOMP_OK = 0,
    STOMP_MORE,      /* not enough bytes yet; all input was taken */
    STOMP_HEARTBEAT, /* the input was end-of-lines only */
    STOMP_ERR_COMMAND,
    STOMP_ERR_HEADER,       /* a header line without a colon, or without a name */
    STOMP_ERR_HEADER_VALUE, /* a value that its header does not allow */
    STOMP_ERR_HEADER_COUNT,
    STOMP_ERR_HEADER_SIZE,
    STOMP_ERR_ESCAPE,
    STOMP_ERR_CR,         /* a carriage return without its line feed */
    STOMP_ERR_BODY,       /* a body on a command that has none */
    STOMP_ERR_TERMINATOR, /* no NUL behind a body of content-length bytes */
    STOMP_ERR_CONTENT_TYPE,
    STOMP_ERR_TOO_LARGE, /* more bytes than a frame may have */
    STOMP_ERR_UTF8,      /* a command or header that is not UTF-8 */
    STOMP_ERR_VERSION,   /* no version in common */
};

/** A short name for logs ("header-count"); never NULL. */
const char *stomp_strstatus(enum stomp_status status);

#endif
