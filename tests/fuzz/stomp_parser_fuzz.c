#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "base/utf8.h"
#include "stomp/encode.h"
#include "stomp/mime.h"
#include "stomp/parser.h"

/*
 * The first four bytes choose limits and chunks, the rest is what a client sends. Whatever it is:
 * chunks of any size tell the same story as the whole; what was parsed, encoded again and parsed
 * again is the same; and a frame's content-type is what is printed for it, which is printed as
 * itself.
 */

static void check(bool claim)
{
    if (!claim)
        abort();
}

/* A frame as bytes that hold all of it, each length before its text. */
static void tell(struct buf *story, struct slice text)
{
    check(buf_append(story, slice_of((const char *)&text.len, sizeof(text.len))));
    check(buf_append(story, text));
}

static void tell_frame(struct buf *story, const struct stomp_frame *frame, bool with_lengths)
{
    const struct slice content_length = SLICE("content-length");

    tell(story, stomp_command_name(frame->command));
    for (size_t i = 0; i < frame->n_headers; i++) {
        /* The encoder writes its own. */
        if (!with_lengths && stomp_command_has_body(frame->command) &&
            slice_eq(frame->headers[i].name, content_length))
            continue;
        tell(story, frame->headers[i].name);
        tell(story, frame->headers[i].value);
    }
    tell(story, frame->body);
}

static void check_encoding(const struct stomp_frame *frame)
{
    static const struct stomp_limits large = {1 << 24, 1 << 16, 1 << 20};
    struct buf bytes, before, after;
    struct stomp_parser parser;
    struct stomp_scratch scratch;
    struct stomp_frame again;
    struct slice input;

    buf_init(&bytes, SIZE_MAX);
    buf_init(&before, SIZE_MAX);
    buf_init(&after, SIZE_MAX);
    stomp_parser_init(&parser, &large);
    stomp_scratch_init(&scratch);
    check(stomp_encode_begin(&bytes, frame->command));
    for (size_t i = 0; i < frame->n_headers; i++)
        check(stomp_encode_header(&bytes, frame->command, frame->headers[i].name,
                                  frame->headers[i].value));
    check(stomp_encode_end(&bytes, frame->command, frame->body));
    input = buf_slice(&bytes);
    check(stomp_parser_next(&parser, &scratch, &input, &again) == STOMP_OK);
    check(input.len == 0);
    tell_frame(&before, frame, false);
    tell_frame(&after, &again, false);
    check(slice_eq(buf_slice(&before), buf_slice(&after)));
    stomp_scratch_dispose(&scratch);
    stomp_parser_dispose(&parser);
    buf_dispose(&bytes);
    buf_dispose(&before);
    buf_dispose(&after);
}

/* Whatever the frames before it had. */
static void check_content_type(const struct stomp_frame *frame)
{
    const struct slice name = SLICE("content-type");
    struct slice value;
    struct buf printed, again;

    buf_init(&printed, SIZE_MAX);
    buf_init(&again, SIZE_MAX);
    if (stomp_frame_header(frame, name, &value)) {
        check(stomp_mime_parse(value, &printed, NULL) == STOMP_OK);
        check(stomp_mime_parse(frame->content_type, &again, NULL) == STOMP_OK);
        check(slice_eq(frame->content_type, buf_slice(&again)));
    }
    check(slice_eq(frame->content_type, buf_slice(&printed)));
    buf_dispose(&printed);
    buf_dispose(&again);
}

static void check_frame(const struct stomp_limits *limits, const struct stomp_frame *frame)
{
    check(frame->n_headers <= limits->max_headers);
    check(frame->body.len < limits->max_frame_bytes);
    check(frame->body.len == 0 || stomp_command_has_body(frame->command));
    for (size_t i = 0; i < frame->n_headers; i++) {
        const struct stomp_header *header = &frame->headers[i];

        check(header->name.len != 0 && utf8_is_valid(header->name) && utf8_is_valid(header->value));
        check(header->name.len + header->value.len < limits->max_header_bytes);
    }
    check_content_type(frame);
    check_encoding(frame);
}

/* `step` 0: the whole at once. Each chunk has memory of its own, of just its size. */
static enum stomp_status parse(const struct stomp_limits *limits, struct slice bytes, size_t step,
                               struct buf *story)
{
    struct stomp_parser parser;
    struct stomp_scratch scratch;
    enum stomp_status status = STOMP_MORE;

    stomp_parser_init(&parser, limits);
    stomp_scratch_init(&scratch);
    do {
        struct slice chunk = step == 0 ? bytes : slice_take(bytes, step), input;
        struct slice copy = {mem_alloc(chunk.len), chunk.len};
        struct stomp_frame frame;

        if (chunk.len != 0)
            memcpy((char *)copy.base, chunk.base, chunk.len);
        input = copy;
        while ((status = stomp_parser_next(&parser, &scratch, &input, &frame)) == STOMP_OK) {
            if (step == 0)
                check_frame(limits, &frame);
            tell_frame(story, &frame, true);
        }
        mem_free((char *)copy.base);
        if (status != STOMP_MORE && status != STOMP_HEARTBEAT)
            break;
        check(input.len == 0);
        check(parser.partial.len <= limits->max_frame_bytes);
        check(stomp_parser_is_inside_frame(&parser) || parser.partial.base == NULL);
        bytes = slice_skip(bytes, chunk.len);
    } while (bytes.len != 0);
    if (status == STOMP_HEARTBEAT)
        status = STOMP_MORE; /* which EOLs are one depends on the chunks */
    if (status != STOMP_MORE) {
        check(strlen(scratch.error) < sizeof(scratch.error));
        check(utf8_is_valid(slice_str(scratch.error)));
        tell(story, slice_str(scratch.error));
    }
    stomp_scratch_dispose(&scratch);
    stomp_parser_dispose(&parser);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stomp_limits limits;
    struct slice bytes;
    struct buf whole, chunked;
    enum stomp_status status;

    if (size < 4)
        return 0;
    limits.max_frame_bytes = (size_t)data[0] * 4 + 1;
    limits.max_headers = data[1];
    limits.max_header_bytes = (size_t)data[2] + 1;
    bytes = slice_of((const char *)data + 4, size - 4);
    buf_init(&whole, SIZE_MAX);
    buf_init(&chunked, SIZE_MAX);
    status = parse(&limits, bytes, 0, &whole);
    for (int i = 0; i < 2; i++) {
        size_t step = i == 0 ? 1 : (size_t)data[3] + 2;

        buf_consume(&chunked, chunked.len);
        check(parse(&limits, bytes, step, &chunked) == status);
        check(slice_eq(buf_slice(&whole), buf_slice(&chunked)));
    }
    buf_dispose(&whole);
    buf_dispose(&chunked);
    return 0;
}
