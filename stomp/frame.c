#include "stomp/frame.h"

#include <assert.h>

static const struct slice names[STOMP_N_COMMANDS] = {
    [STOMP_CONNECT] = SLICE("CONNECT"),
    [STOMP_STOMP] = SLICE("STOMP"),
    [STOMP_SEND] = SLICE("SEND"),
    [STOMP_SUBSCRIBE] = SLICE("SUBSCRIBE"),
    [STOMP_UNSUBSCRIBE] = SLICE("UNSUBSCRIBE"),
    [STOMP_ACK] = SLICE("ACK"),
    [STOMP_NACK] = SLICE("NACK"),
    [STOMP_BEGIN] = SLICE("BEGIN"),
    [STOMP_COMMIT] = SLICE("COMMIT"),
    [STOMP_ABORT] = SLICE("ABORT"),
    [STOMP_DISCONNECT] = SLICE("DISCONNECT"),
    [STOMP_CONNECTED] = SLICE("CONNECTED"),
    [STOMP_MESSAGE] = SLICE("MESSAGE"),
    [STOMP_RECEIPT] = SLICE("RECEIPT"),
    [STOMP_ERROR] = SLICE("ERROR"),
};

struct slice stomp_command_name(enum stomp_command command)
{
    assert(command < STOMP_N_COMMANDS);
    return names[command];
}

bool stomp_command_find(struct slice name, enum stomp_command *out)
{
    for (enum stomp_command command = STOMP_CONNECT; command < STOMP_N_COMMANDS; command++) {
        if (slice_eq(names[command], name)) {
            *out = command;
            return true;
        }
    }
    return false;
}

bool stomp_command_has_body(enum stomp_command command)
{
    return command == STOMP_SEND || command == STOMP_MESSAGE || command == STOMP_ERROR;
}

bool stomp_command_escapes(enum stomp_command command)
{
    return command != STOMP_CONNECT && command != STOMP_STOMP && command != STOMP_CONNECTED;
}

bool stomp_command_is_server(enum stomp_command command)
{
    return command >= STOMP_CONNECTED;
}

bool stomp_frame_header(const struct stomp_frame *frame, struct slice name, struct slice *value)
{
    for (size_t i = 0; i < frame->n_headers; i++) {
        if (slice_eq(frame->headers[i].name, name)) {
            *value = frame->headers[i].value;
            return true;
        }
    }
    *value = slice_of("", 0);
    return false;
}
