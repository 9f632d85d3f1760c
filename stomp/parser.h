#ifndef STOMP_PARSER_H
#define STOMP_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/slice.h"
#include "stomp/frame.h"
#include "stomp/status.h"

/*
 * Bytes to frames, incremental and bounded (STOMP 1.2, "Augmented BNF"; Spring's StompDecoder and
 * BufferingStompDecoder, whose edge cases it follows whatever the version: escapes are undone on
 * all commands but CONNECT, STOMP and CONNECTED). Parses in place; keeps bytes of its own only
 * while a frame is incomplete. No I/O, no clock. Owning thread only.
 */

/** Ceilings for one frame; shared by all parsers of an endpoint, outlives them. */
struct stomp_limits {
    size_t max_frame_bytes; /* all of a frame with its NUL; also what the parser will ever keep */
    size_t max_headers;
    size_t max_header_bytes; /* one header line, before unescaping */
};

/**
 * Room that a frame's headers are parsed into, and the text of the last error. One per thread is
 * enough: a frame is used up before the next is parsed. Owned by the caller.
 */
struct stomp_scratch {
    struct stomp_header *headers;
    size_t headers_cap;
    struct buf unescaped;
    struct buf raw_content_type; /* the last that a frame had */
    struct buf content_type;     /* what stomp_mime_parse prints for it */
    bool is_binary_type;         /* what stomp_mime_is_binary says of it */
    char error[256];             /* NUL-terminated UTF-8; Spring's words where it has them */
};

void stomp_scratch_init(struct stomp_scratch *scratch);
void stomp_scratch_dispose(struct stomp_scratch *scratch);

struct stomp_parser {
    const struct stomp_limits *limits;
    struct buf partial; /* the bytes of an incomplete frame; no memory otherwise */
    size_t scanned;     /* how much of `partial` was looked at: no byte is scanned twice in vain */
    size_t line_start;  /* where the first line begins that is not parsed; 0 is the command's */
    size_t n_headers;   /* before that line */
    size_t body_start;  /* where the body begins in `partial`; 0 while the headers are incomplete */
    size_t frame_len;   /* known from content-length; 0 while it is not */
    int64_t content_length; /* of the first such header; negative when it is absent or ignored */
    enum stomp_command command;
    enum stomp_status failure; /* the error that ended it, or STOMP_OK */
};

/** Borrows `limits`, whose max_frame_bytes is not 0, for the parser's life. Allocates nothing. */
void stomp_parser_init(struct stomp_parser *parser, const struct stomp_limits *limits);
void stomp_parser_dispose(struct stomp_parser *parser);

/**
 * Takes the next frame out of `*input`, which is advanced by what was taken.
 *
 * Returns STOMP_OK with `*frame` set: valid until the next call with the same parser or scratch,
 * and while the input's bytes stay; STOMP_HEARTBEAT when the rest of the input was end-of-lines
 * with no frame before or after them in this input (an EOL that follows a frame is part of it);
 * STOMP_MORE when the input is used up: what belongs to an incomplete frame was copied;
 * or an error, with scratch->error set: the parser takes no more input then, and returns the same
 * status ever after. After MORE,
 * HEARTBEAT or an error `*frame` is not touched. Call until it returns something else than OK.
 */
STOMP_MUST_CHECK
enum stomp_status stomp_parser_next(struct stomp_parser *parser, struct stomp_scratch *scratch,
                                    struct slice *input, struct stomp_frame *frame);

/**
 * The last frame is used up: gives back the memory that it was kept in, if it came in pieces. The
 * next call does so, too, but may be long in coming.
 */
void stomp_parser_settle(struct stomp_parser *parser);

/** Whether a frame has begun and is not complete. */
static inline bool stomp_parser_is_inside_frame(const struct stomp_parser *parser)
{
    return parser->partial.len != 0;
}

#endif
