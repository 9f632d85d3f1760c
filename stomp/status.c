#include "stomp/status.h"

const char *stomp_strstatus(enum stomp_status status)
{
    switch (status) {
    case STOMP_OK:
        return "ok";
    case STOMP_MORE:
        return "more";
    case STOMP_HEARTBEAT:
        return "heartbeat";
    case STOMP_ERR_COMMAND:
        return "command";
    case STOMP_ERR_HEADER:
        return "header";
    case STOMP_ERR_HEADER_VALUE:
        return "header-value";
    case STOMP_ERR_HEADER_COUNT:
        return "header-count";
    case STOMP_ERR_HEADER_SIZE:
        return "header-size";
    case STOMP_ERR_ESCAPE:
        return "escape";
    case STOMP_ERR_CR:
        return "cr";
    case STOMP_ERR_BODY:
        return "body";
    case STOMP_ERR_TERMINATOR:
        return "terminator";
    case STOMP_ERR_CONTENT_TYPE:
        return "content-type";
    case STOMP_ERR_TOO_LARGE:
        return "too-large";
    case STOMP_ERR_UTF8:
        return "utf8";
    case STOMP_ERR_VERSION:
        return "version";
    }
    return "unknown";
}
