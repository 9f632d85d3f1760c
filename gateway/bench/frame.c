#include "gateway/bench/frame.h"

#include <stdint.h>

/* Takes a line and its end, LF or CRLF, off the front. A CR elsewhere stays and is refused. */
static bool take_line(struct slice *text, struct slice *line)
{
    if (!slice_cut(*text, '\n', line, text))
        return false;
    if (line->len != 0 && line->base[line->len - 1] == '\r')
        line->len--;
    return true;
}

static bool is_server_command(struct slice command)
{
    static const struct slice known[] = {SLICE("MESSAGE"), SLICE("RECEIPT"), SLICE("CONNECTED"),
                                         SLICE("ERROR")};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (slice_eq(command, known[i]))
            return true;
    }
    return false;
}

static bool is_escape(char c)
{
    return c == 'r' || c == 'n' || c == 'c' || c == '\\';
}

static enum load_status check_header(struct slice line, bool has_escapes)
{
    size_t n_colons = 0;

    for (size_t i = 0; i < line.len; i++) {
        char c = line.base[i];

        if (c == '\r' || c == '\0')
            return LOAD_ERR_STOMP_HEADER;
        if (c == ':' && i == 0)
            return LOAD_ERR_STOMP_HEADER;
        n_colons += c == ':';
        if (c != '\\' || !has_escapes)
            continue;
        if (++i == line.len || !is_escape(line.base[i]))
            return LOAD_ERR_STOMP_ESCAPE;
    }
    /* A colon in a value must be escaped (STOMP 1.2), but for CONNECTED, which escapes nothing. */
    if (n_colons == 0 || (has_escapes && n_colons != 1))
        return LOAD_ERR_STOMP_HEADER;
    return LOAD_OK;
}

static enum load_status find_body(const struct frame *frame, struct slice rest, struct slice *body)
{
    struct slice length;
    uint64_t len = slice_find(rest, '\0');

    if (frame_header(frame, (struct slice)SLICE("content-length"), &length) &&
        (!slice_to_u64(length, SIZE_MAX, &len) || len >= rest.len || rest.base[len] != '\0'))
        return LOAD_ERR_STOMP_LENGTH;
    if (len >= rest.len)
        return LOAD_ERR_STOMP_END;
    *body = slice_take(rest, (size_t)len);
    for (size_t i = (size_t)len + 1; i < rest.len; i++) {
        if (rest.base[i] != '\n' && rest.base[i] != '\r')
            return LOAD_ERR_STOMP_END;
    }
    return LOAD_OK;
}

enum load_status frame_parse(struct slice text, struct frame *out)
{
    struct slice line;
    const char *headers;
    bool has_escapes;

    if (!take_line(&text, &out->command) || !is_server_command(out->command))
        return LOAD_ERR_STOMP_COMMAND;
    has_escapes = !slice_eq(out->command, (struct slice)SLICE("CONNECTED"));
    headers = text.base;
    for (;;) {
        enum load_status status;

        out->headers = slice_of(headers, (size_t)(text.base - headers));
        if (!take_line(&text, &line))
            return LOAD_ERR_STOMP_END;
        if (line.len == 0)
            return find_body(out, text, &out->body);
        status = check_header(line, has_escapes);
        if (status != LOAD_OK)
            return status;
    }
}

bool frame_header(const struct frame *frame, struct slice name, struct slice *value)
{
    struct slice left = frame->headers, line, key, rest;

    while (take_line(&left, &line)) {
        if (slice_cut(line, ':', &key, &rest) && slice_eq(key, name)) {
            *value = rest;
            return true;
        }
    }
    return false;
}

static bool header_is(const struct frame *frame, struct slice name, struct slice expected)
{
    struct slice value;

    return frame_header(frame, name, &value) && slice_eq(value, expected);
}

enum load_status frame_check_message(struct slice text, const struct frame_expectation *expected,
                                     struct slice *body)
{
    struct frame frame;
    struct slice id;
    enum load_status status = frame_parse(text, &frame);

    if (status != LOAD_OK)
        return status;
    if (!slice_eq(frame.command, (struct slice)SLICE("MESSAGE")))
        return LOAD_ERR_STOMP_COMMAND;
    if (!header_is(&frame, (struct slice)SLICE("destination"), expected->destination))
        return LOAD_ERR_MESSAGE_DESTINATION;
    if (!header_is(&frame, (struct slice)SLICE("subscription"), expected->subscription))
        return LOAD_ERR_MESSAGE_SUBSCRIPTION;
    if (!frame_header(&frame, (struct slice)SLICE("message-id"), &id) || id.len == 0)
        return LOAD_ERR_MESSAGE_ID;
    if (frame.body.len != expected->body_len || !mark_is_filled(frame.body, expected->pattern))
        return LOAD_ERR_MESSAGE_BODY;
    *body = frame.body;
    return LOAD_OK;
}
