#ifndef GATEWAY_BENCH_FRAME_H
#define GATEWAY_BENCH_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include "base/slice.h"
#include "gateway/bench/mark.h"
#include "gateway/bench/status.h"

/*
 * STOMP frames of a server, as a client reads them (STOMP 1.2): a strict reader for handshakes
 * and samples, and a way to a MESSAGE's body that looks at a few bytes only. Pure. Any thread.
 */

/** All slices are borrowed from the parsed text. */
struct frame {
    struct slice command;
    struct slice headers; /* lines, each with its end of line */
    struct slice body;
};

/**
 * Reads a text that must be one whole frame, with nothing but ends of line behind its NUL.
 * Returns LOAD_OK or a LOAD_ERR_STOMP_ status, `*out` undefined then.
 */
LOAD_MUST_CHECK
enum load_status frame_parse(struct slice text, struct frame *out);

/** The first header of that name, its value as it stands there; false when there is none. */
bool frame_header(const struct frame *frame, struct slice name, struct slice *value);

/** What a subscriber knows of each MESSAGE before it comes. */
struct frame_expectation {
    struct slice destination;
    struct slice subscription;
    size_t body_len;
    enum mark_pattern pattern; /* what the body is filled with */
};

/**
 * Reads a MESSAGE strictly and compares it with what was expected. Returns LOAD_OK with the body
 * in `*body` (borrowed), or a LOAD_ERR_STOMP_ or LOAD_ERR_MESSAGE_ status.
 */
LOAD_MUST_CHECK
enum load_status frame_check_message(struct slice text, const struct frame_expectation *expected,
                                     struct slice *body);

/**
 * The body of a MESSAGE when it has `body_len` bytes: counted from the end, so that headers cost
 * nothing. Returns false for every text for which that is not certain: ask frame_check_message.
 */
static inline bool frame_find_body(struct slice text, size_t body_len, struct slice *body)
{
    static const char message[] = "MESSAGE\n";
    const size_t command_len = sizeof(message) - 1;
    size_t len = text.len;
    const char *end;

    /* Some servers add an end of line behind the NUL. */
    if (len != 0 && text.base[len - 1] == '\n')
        len--;
    /* The command with its line, an empty line, the body, NUL. */
    if (len < command_len + 1 + body_len + 1)
        return false;
    end = text.base + len;
    if (end[-1] != '\0' || memcmp(text.base, message, command_len) != 0)
        return false;
    *body = slice_of(end - 1 - body_len, body_len);
    return body->base[-1] == '\n' && body->base[-2] == '\n';
}

#endif
