#include "gateway/bench/status.h"

const char *load_strstatus(enum load_status status)
{
    switch (status) {
    case LOAD_OK:
        return "fine";
    case LOAD_MORE:
        return "not whole";
    case LOAD_ERR_HTTP:
        return "the answer to the upgrade is not HTTP/1.1";
    case LOAD_ERR_HTTP_UPGRADE:
        return "the 101 answer lacks Upgrade: websocket or Connection: Upgrade";
    case LOAD_ERR_HTTP_ACCEPT:
        return "the 101 answer has a wrong Sec-WebSocket-Accept";
    case LOAD_ERR_EXTENSION_REFUSED:
        return "the server did not accept permessage-deflate";
    case LOAD_ERR_EXTENSION_ANSWER:
        return "the 101 answer has an extension or parameter that nobody asked for";
    case LOAD_ERR_EXTENSION_CONTEXT:
        return "the server does not say that it keeps no compression context, which was asked for";
    case LOAD_ERR_EXTENSION_WINDOW:
        return "the server does not say that its window is as small as was asked for";
    case LOAD_ERR_WS_RESERVED:
        return "a WebSocket frame has reserved bits set";
    case LOAD_ERR_WS_MASKED:
        return "a WebSocket frame of the server is masked";
    case LOAD_ERR_WS_OPCODE:
        return "a WebSocket frame has an unknown opcode or is out of turn";
    case LOAD_ERR_WS_CONTROL:
        return "a WebSocket control frame is fragmented or longer than 125 bytes";
    case LOAD_ERR_WS_LENGTH:
        return "a WebSocket frame's length is not in its shortest form";
    case LOAD_ERR_WS_TOO_LARGE:
        return "a WebSocket message is larger than any that this run can expect";
    case LOAD_ERR_WS_DEFLATE:
        return "a compressed WebSocket message cannot be inflated";
    case LOAD_ERR_STOMP_COMMAND:
        return "a WebSocket message does not begin with a STOMP command of a server";
    case LOAD_ERR_STOMP_HEADER:
        return "a STOMP header line is malformed";
    case LOAD_ERR_STOMP_ESCAPE:
        return "a STOMP header has an undefined escape";
    case LOAD_ERR_STOMP_LENGTH:
        return "content-length does not agree with the body";
    case LOAD_ERR_STOMP_END:
        return "a WebSocket message is not exactly one STOMP frame that ends with NUL";
    case LOAD_ERR_MESSAGE_DESTINATION:
        return "a MESSAGE lacks its destination or has another";
    case LOAD_ERR_MESSAGE_SUBSCRIPTION:
        return "a MESSAGE lacks its subscription or has another";
    case LOAD_ERR_MESSAGE_ID:
        return "a MESSAGE has no message-id";
    case LOAD_ERR_MESSAGE_BODY:
        return "a MESSAGE has another body than was sent";
    }
    return "unknown";
}
