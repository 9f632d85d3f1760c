#include "stomp/parser.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "base/scan.h"
#include "base/utf8.h"
#include "stomp/mime.h"
#include "stomp/quote.h"

/*
 * A frame is judged by its bytes in the order in which they come, never by how they were cut into
 * chunks: each test below looks at nothing behind the byte that decides it, and at nothing behind
 * the first max_frame_bytes.
 */

enum { FIRST_HEADERS_CAP = 16 };
enum { NO_CONTENT_LENGTH = -1, IGNORED_CONTENT_LENGTH = -2 };

void stomp_scratch_init(struct stomp_scratch *scratch)
{
    *scratch = (struct stomp_scratch){.headers = NULL};
    /* What goes into them comes from one frame's headers: its parser's limits are the bound. */
    buf_init(&scratch->unescaped, SIZE_MAX);
    buf_init(&scratch->content_type, SIZE_MAX);
    buf_init(&scratch->raw_content_type, SIZE_MAX);
}

void stomp_scratch_dispose(struct stomp_scratch *scratch)
{
    mem_free(scratch->headers);
    buf_dispose(&scratch->unescaped);
    buf_dispose(&scratch->content_type);
    buf_dispose(&scratch->raw_content_type);
    stomp_scratch_init(scratch);
}

static void begin_frame(struct stomp_parser *parser)
{
    parser->scanned = 0;
    parser->line_start = 0;
    parser->n_headers = 0;
    parser->body_start = 0;
    parser->frame_len = 0;
    parser->content_length = NO_CONTENT_LENGTH;
}

void stomp_parser_init(struct stomp_parser *parser, const struct stomp_limits *limits)
{
    assert(limits->max_frame_bytes != 0);
    *parser = (struct stomp_parser){.limits = limits, .failure = STOMP_OK};
    buf_init(&parser->partial, limits->max_frame_bytes);
    begin_frame(parser);
}

void stomp_parser_dispose(struct stomp_parser *parser)
{
    buf_dispose(&parser->partial);
}

/* Empties without moving or freeing: what points into it stays good until the next append. */
static void clear(struct buf *b)
{
    buf_consume(b, b->len);
}

__attribute__((format(printf, 3, 4), cold)) static enum stomp_status
fail(struct stomp_scratch *scratch, enum stomp_status status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(scratch->error, sizeof(scratch->error), format, args);
    va_end(args);
    return status;
}

static enum stomp_status fail_cr(struct stomp_scratch *scratch)
{
    return fail(scratch, STOMP_ERR_CR, "'\\r' must be followed by '\\n'");
}

static enum stomp_status fail_too_large(struct stomp_scratch *scratch,
                                        const struct stomp_limits *limits)
{
    return fail(scratch, STOMP_ERR_TOO_LARGE,
                "The configured STOMP buffer size limit of %zu bytes has been exceeded",
                limits->max_frame_bytes);
}

static enum stomp_status fail_header(struct stomp_scratch *scratch, struct slice line)
{
    char quoted[STOMP_QUOTE_SIZE];

    return fail(scratch, STOMP_ERR_HEADER,
                "Illegal header: '%s'. A header must be of the form <name>:[<value>].",
                stomp_quote(line, STOMP_QUOTE_MAX, quoted));
}

static enum stomp_status fail_utf8(struct stomp_scratch *scratch)
{
    return fail(scratch, STOMP_ERR_UTF8, "Command and headers must be UTF-8");
}

/*
 * What can be wrong with a line before its end has come. `line` is without its EOL, and without a
 * carriage return that is the last byte so far; its first `checked` bytes have passed before.
 */
static enum stomp_status check_line(struct stomp_scratch *scratch,
                                    const struct stomp_limits *limits, struct slice line,
                                    size_t checked)
{
    size_t max = limits->max_header_bytes;
    /* A lone CR at `max` is seen with the byte behind it, as the size is. */
    size_t reach = line.len > max ? max + 1 : line.len;
    size_t from = checked == 0 ? 0 : checked - 1; /* the last may have been a CR */

    if (from < reach && memchr(line.base + from, '\r', reach - from) != NULL)
        return fail_cr(scratch);
    if (line.len > max)
        return fail(scratch, STOMP_ERR_HEADER_SIZE, "A header line may have at most %zu bytes",
                    max);
    return STOMP_OK;
}

/* The unfinished line at the end of `bytes`. */
static enum stomp_status keep_line(struct stomp_parser *parser, struct stomp_scratch *scratch,
                                   struct slice bytes)
{
    struct slice line = slice_skip(bytes, parser->line_start);
    size_t checked = parser->scanned - parser->line_start;
    enum stomp_status status;

    if (line.len != 0 && line.base[line.len - 1] == '\r')
        line.len--;
    status = check_line(scratch, parser->limits, line, checked);
    parser->scanned = bytes.len;
    return status == STOMP_OK ? STOMP_MORE : status;
}

/* Spring looks at the command only when a byte follows its line; `is_last` says that none does. */
static enum stomp_status read_command(struct stomp_parser *parser, struct stomp_scratch *scratch,
                                      struct slice line, bool is_last)
{
    char quoted[STOMP_QUOTE_SIZE];
    enum stomp_status status = check_line(scratch, parser->limits, line, 0);

    if (status != STOMP_OK)
        return status;
    if (is_last)
        return STOMP_MORE;
    if (stomp_command_find(line, &parser->command))
        return STOMP_OK;
    if (!utf8_is_valid(line))
        return fail_utf8(scratch);
    return fail(scratch, STOMP_ERR_COMMAND, "Unknown command '%s'", stomp_quote(line, 32, quoted));
}

/* The letter behind a backslash to what it stands for, or 0. */
static char unescaped(char letter)
{
    switch (letter) {
    case '\\':
        return '\\';
    case 'c':
        return ':';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    default:
        return '\0';
    }
}

static enum stomp_status fail_escape(struct stomp_scratch *scratch, struct slice text, size_t at)
{
    char quoted[STOMP_QUOTE_SIZE];
    size_t index = 0;

    /* Java counts in UTF-16 units: one for a character, two for one of four bytes. */
    for (size_t i = 0; i < at; i++) {
        unsigned char c = (unsigned char)text.base[i];

        index += (size_t)((c & 0xc0) != 0x80) + (size_t)(c >= 0xf0);
    }
    return fail(scratch, STOMP_ERR_ESCAPE, "Illegal escape sequence at index %zu: %s", index,
                stomp_quote(text, STOMP_QUOTE_MAX, quoted));
}

/*
 * Replaces `*text`, a part of `bytes`, when it has escapes. All texts of a head go to the same
 * buffer, one behind the other, and are pointed to: it must not move, so the first takes room for
 * all that can follow.
 */
static enum stomp_status unescape(struct stomp_scratch *scratch, struct slice bytes,
                                  struct slice *text)
{
    struct buf *b = &scratch->unescaped;
    struct slice raw = *text;
    size_t run = slice_find(raw, '\\'), at = run;
    char *first, *out;

    if (run == raw.len)
        return STOMP_OK;
    first = buf_reserve(b, b->len == 0 ? (size_t)(bytes.base + bytes.len - raw.base) : raw.len);
    assert(first != NULL);
    memcpy(first, raw.base, run);
    out = first + run;
    while (at != raw.len) {
        char c = '\0';

        if (at + 1 != raw.len)
            c = unescaped(raw.base[at + 1]);
        if (c == '\0')
            return fail_escape(scratch, raw, at);
        *out++ = c;
        at += 2;
        run = slice_find(slice_skip(raw, at), '\\');
        memcpy(out, raw.base + at, run);
        out += run;
        at += run;
    }
    *text = slice_of(first, (size_t)(out - first));
    buf_commit(b, text->len);
    return STOMP_OK;
}

/* As Java's Integer.valueOf reads it: what is no int, or is negative, is ignored. */
static int64_t read_content_length(struct slice value)
{
    bool is_signed = value.len != 0 && (value.base[0] == '+' || value.base[0] == '-');
    bool is_negative = is_signed && value.base[0] == '-';
    uint64_t n;

    if (!slice_to_u64(slice_skip(value, is_signed ? 1 : 0), INT32_MAX, &n))
        return IGNORED_CONTENT_LENGTH;
    return is_negative && n != 0 ? IGNORED_CONTENT_LENGTH : (int64_t)n;
}

static void add_header(struct stomp_parser *parser, struct stomp_scratch *scratch,
                       struct stomp_header header)
{
    const struct slice content_length = SLICE("content-length");

    if (parser->n_headers >= scratch->headers_cap) {
        size_t cap = scratch->headers_cap == 0 ? FIRST_HEADERS_CAP : scratch->headers_cap * 2;

        /* A head that goes on in a later call leaves its first places empty: see read_frame. */
        while (cap <= parser->n_headers)
            cap *= 2;
        scratch->headers = mem_realloc(scratch->headers, cap * sizeof(*scratch->headers));
        scratch->headers_cap = cap;
    }
    scratch->headers[parser->n_headers++] = header;
    if (parser->content_length == NO_CONTENT_LENGTH && slice_eq(header.name, content_length))
        parser->content_length = read_content_length(header.value);
}

/* Name and value as they stand on the line become a header. */
static enum stomp_status take_header(struct stomp_parser *parser, struct stomp_scratch *scratch,
                                     struct slice bytes, struct stomp_header header)
{
    if (stomp_command_escapes(parser->command)) {
        enum stomp_status status = unescape(scratch, bytes, &header.name);

        if (status == STOMP_OK)
            status = unescape(scratch, bytes, &header.value);
        if (status != STOMP_OK)
            return status;
    }
    add_header(parser, scratch, header);
    return STOMP_OK;
}

/* Like the command, a line without a colon is judged when a byte follows it. */
static enum stomp_status read_header(struct stomp_parser *parser, struct stomp_scratch *scratch,
                                     struct slice bytes, struct slice line, bool is_last)
{
    const struct stomp_limits *limits = parser->limits;
    enum stomp_status status = check_line(scratch, limits, line, 0);
    struct stomp_header header;

    if (status != STOMP_OK)
        return status;
    if (!utf8_is_valid(line))
        return fail_utf8(scratch);
    /* Nobody means it, and old clients cut what they receive at each NUL. */
    if (slice_find(line, '\0') != line.len)
        return fail_header(scratch, line);
    if (parser->n_headers >= limits->max_headers)
        return fail(scratch, STOMP_ERR_HEADER_COUNT, "A frame may have at most %zu headers",
                    limits->max_headers);
    if (!slice_cut(line, ':', &header.name, &header.value) || header.name.len == 0)
        return is_last ? STOMP_MORE : fail_header(scratch, line);
    return take_header(parser, scratch, bytes, header);
}

/* --- nearly all lines --- */

/* The next byte of a head that may mean something, or `end`: a colon, a backslash, one that is not
 * ASCII, or a control character up to CR. */
static inline const char *find_mark(const char *at, const char *end)
{
    while (end - at >= SCAN_BYTES) {
        scan_block block = scan_load(at);
        unsigned first = scan_first(scan_below_or_high(block, '\r' + 1) | scan_equal(block, ':') |
                                    scan_equal(block, '\\'));

        at += first;
        if (first != SCAN_BYTES)
            return at;
    }
    while (at < end && (unsigned char)(*at - '\r' - 1) < 0x80 - '\r' - 1 && *at != ':' &&
           *at != '\\')
        at++;
    return at;
}

struct plain_line {
    const char *colon; /* the first, or NULL */
    const char *eol;
    const char *next;
    bool has_escape;
};

/* Whether `at` begins a whole line of ASCII without NUL, whose only CR is in front of its LF. */
static bool find_plain_line(const char *at, const char *end, struct plain_line *line)
{
    *line = (struct plain_line){.colon = NULL};
    for (;; at++) {
        at = find_mark(at, end);
        if (at == end)
            return false;
        if (*at == '\n')
            break;
        if (*at == '\r') {
            if (end - at < 2 || at[1] != '\n')
                return false;
            break;
        }
        if (*at == ':')
            line->colon = line->colon == NULL ? at : line->colon;
        else if (*at == '\\')
            line->has_escape = true;
        else if (*at == '\0' || (*at & 0x80) != 0)
            return false;
    }
    line->eol = at;
    line->next = *at == '\r' ? at + 2 : at + 1;
    return true;
}

/*
 * Goes on from line_start over lines in which there is nothing to find fault with, and stops before
 * the first of any other kind: that is read again from its beginning.
 */
static enum stomp_status read_plain_lines(struct stomp_parser *parser,
                                          struct stomp_scratch *scratch, struct slice bytes)
{
    const struct stomp_limits *limits = parser->limits;
    const char *at = bytes.base + parser->line_start, *end = bytes.base + bytes.len;
    struct plain_line line;
    enum stomp_status status = STOMP_OK;

    if (at == bytes.base && find_plain_line(at, end, &line) && line.next != end &&
        (size_t)(line.eol - at) <= limits->max_header_bytes &&
        stomp_command_find(slice_of(at, (size_t)(line.eol - at)), &parser->command))
        at = line.next;
    while (at != bytes.base && parser->n_headers < limits->max_headers &&
           find_plain_line(at, end, &line) && line.colon != NULL && line.colon != at &&
           (size_t)(line.eol - at) <= limits->max_header_bytes) {
        const struct stomp_header header = {
            slice_of(at, (size_t)(line.colon - at)),
            slice_of(line.colon + 1, (size_t)(line.eol - line.colon - 1)),
        };

        if (!line.has_escape)
            add_header(parser, scratch, header);
        else if ((status = take_header(parser, scratch, bytes, header)) != STOMP_OK)
            break;
        at = line.next;
    }
    parser->line_start = parser->scanned = (size_t)(at - bytes.base);
    return status;
}

/* --- the head --- */

/* Reads on from line_start to the empty line; OK sets body_start. */
static enum stomp_status read_head(struct stomp_parser *parser, struct stomp_scratch *scratch,
                                   struct slice bytes)
{
    clear(&scratch->unescaped);
    for (;;) {
        const char *end;
        struct slice line;
        size_t start, next;
        enum stomp_status status;

        if (parser->scanned == parser->line_start) {
            status = read_plain_lines(parser, scratch, bytes);
            if (status != STOMP_OK)
                return status;
        }
        start = parser->line_start;
        end = memchr(bytes.base + parser->scanned, '\n', bytes.len - parser->scanned);
        if (end == NULL)
            return keep_line(parser, scratch, bytes);
        next = (size_t)(end - bytes.base) + 1;
        line = slice_of(bytes.base + start, next - 1 - start);
        if (line.len != 0 && line.base[line.len - 1] == '\r')
            line.len--;
        if (start == 0) {
            status = read_command(parser, scratch, line, next == bytes.len);
        } else if (line.len == 0) {
            parser->body_start = parser->scanned = next;
            return STOMP_OK;
        } else {
            status = read_header(parser, scratch, bytes, line, next == bytes.len);
        }
        if (status != STOMP_OK) {
            parser->scanned = next - 1;
            return status;
        }
        parser->line_start = parser->scanned = next;
    }
}

/* With the head complete: what content-length says of the frame's length. */
static enum stomp_status plan_body(struct stomp_parser *parser, struct stomp_scratch *scratch)
{
    size_t max = parser->limits->max_frame_bytes, len;

    if (parser->content_length < 0)
        return STOMP_OK;
    len = (size_t)parser->content_length;
    if (len > max)
        return fail(scratch, STOMP_ERR_TOO_LARGE,
                    "STOMP 'content-length' header value %zu  exceeds configured buffer size "
                    "limit %zu",
                    len, max);
    if (len >= max - parser->body_start)
        return fail_too_large(scratch, parser->limits);
    parser->frame_len = parser->body_start + len + 1;
    return STOMP_OK;
}

static enum stomp_status find_end(struct stomp_parser *parser, struct stomp_scratch *scratch,
                                  struct slice bytes)
{
    if (parser->frame_len == 0) {
        struct slice rest = slice_skip(bytes, parser->scanned);
        size_t at = slice_find(rest, '\0');

        if (at == rest.len) {
            parser->scanned = bytes.len;
            return STOMP_MORE;
        }
        parser->frame_len = parser->scanned + at + 1;
    }
    if (bytes.len < parser->frame_len)
        return STOMP_MORE;
    if (bytes.base[parser->frame_len - 1] != '\0')
        return fail(scratch, STOMP_ERR_TERMINATOR, "Frame must be terminated with a null octet");
    return STOMP_OK;
}

static enum stomp_status fail_content_type(struct stomp_scratch *scratch, struct slice value)
{
    char quoted[80 + 4], reason[128];

    stomp_mime_explain(value, reason, sizeof(reason));
    return fail(scratch, STOMP_ERR_CONTENT_TYPE, "Invalid mime type \"%s\": %s",
                stomp_quote(value, 80, quoted), reason);
}

/* Clients send the same one again and again: the last is kept with its print. */
static enum stomp_status read_content_type(struct stomp_scratch *scratch, struct slice value,
                                           struct stomp_frame *frame)
{
    if (value.len == 0 || !slice_eq(value, buf_slice(&scratch->raw_content_type))) {
        bool fits;

        clear(&scratch->raw_content_type);
        clear(&scratch->content_type);
        if (stomp_mime_parse(value, &scratch->content_type, NULL) != STOMP_OK)
            return fail_content_type(scratch, value);
        fits = buf_append(&scratch->raw_content_type, value);
        assert(fits);
        (void)fits;
        scratch->is_binary_type = stomp_mime_is_binary(buf_slice(&scratch->content_type));
    }
    frame->content_type = buf_slice(&scratch->content_type);
    frame->is_binary_type = scratch->is_binary_type;
    return STOMP_OK;
}

/* The whole frame is there and its headers are in `scratch`. */
static enum stomp_status finish_frame(const struct stomp_parser *parser,
                                      struct stomp_scratch *scratch, struct slice bytes,
                                      struct stomp_frame *frame)
{
    const struct slice content_type = SLICE("content-type");
    struct stomp_frame whole = {
        .command = parser->command,
        .headers = scratch->headers,
        .n_headers = parser->n_headers,
        .body =
            slice_of(bytes.base + parser->body_start, parser->frame_len - parser->body_start - 1),
    };
    struct slice value;

    if (whole.body.len != 0 && !stomp_command_has_body(whole.command)) {
        struct slice name = stomp_command_name(whole.command);

        return fail(scratch, STOMP_ERR_BODY,
                    "%.*s shouldn't have a payload: length=%zu, headers={}", SLICE_FMT(name),
                    whole.body.len);
    }
    if (stomp_frame_header(&whole, content_type, &value)) {
        enum stomp_status status = read_content_type(scratch, value, &whole);

        if (status != STOMP_OK)
            return status;
    }
    *frame = whole;
    return STOMP_OK;
}

/*
 * Goes on with the frame that begins at `bytes`, of which the parser has seen a first part before
 * or nothing.
 */
static enum stomp_status read_frame(struct stomp_parser *parser, struct stomp_scratch *scratch,
                                    struct slice bytes, struct stomp_frame *frame)
{
    const struct stomp_limits *limits = parser->limits;
    struct slice window = slice_take(bytes, limits->max_frame_bytes);
    bool is_head_in_scratch = parser->line_start == 0;
    enum stomp_status status = STOMP_OK;

    if (parser->body_start == 0) {
        status = read_head(parser, scratch, window);
        if (status == STOMP_OK)
            status = plan_body(parser, scratch);
    }
    if (status == STOMP_OK)
        status = find_end(parser, scratch, window);
    if (status == STOMP_MORE && bytes.len > window.len)
        return fail_too_large(scratch, limits);
    if (status != STOMP_OK)
        return status;
    if (!is_head_in_scratch) {
        /* The lines were checked as they came; others have used the scratch since. Again. */
        size_t frame_len = parser->frame_len;

        begin_frame(parser);
        status = read_head(parser, scratch, window);
        assert(status == STOMP_OK);
        parser->frame_len = frame_len;
    }
    return finish_frame(parser, scratch, window, frame);
}

/* Returns whether there were any. */
static bool skip_eols(struct slice *input)
{
    size_t n = 0;

    for (;;) {
        if (n < input->len && input->base[n] == '\n')
            n++;
        else if (input->len - n >= 2 && input->base[n] == '\r' && input->base[n + 1] == '\n')
            n += 2;
        else
            break;
    }
    *input = slice_skip(*input, n);
    return n != 0;
}

/* Copies a piece of an incomplete frame. When its length is known there is room for all of it at
 * once: growing step by step would copy the first pieces again. */
static bool keep(struct stomp_parser *parser, struct slice piece)
{
    struct buf *partial = &parser->partial;

    if (parser->frame_len > partial->len &&
        buf_reserve(partial, parser->frame_len - partial->len) == NULL)
        return false;
    return buf_append(partial, piece);
}

/* A frame, or the EOLs before one, from the input's own bytes. */
static enum stomp_status take_in_place(struct stomp_parser *parser, struct stomp_scratch *scratch,
                                       struct slice *input, bool has_eol, struct stomp_frame *frame)
{
    enum stomp_status status;

    has_eol = skip_eols(input) || has_eol;
    if (input->len == 0)
        return has_eol ? STOMP_HEARTBEAT : STOMP_MORE;
    begin_frame(parser);
    if (input->base[0] != '\r')
        status = read_frame(parser, scratch, *input, frame);
    else
        status = input->len == 1 ? STOMP_MORE : fail_cr(scratch);
    if (status == STOMP_MORE) {
        if (!keep(parser, *input))
            return fail_too_large(scratch, parser->limits);
        *input = slice_skip(*input, input->len);
    } else if (status == STOMP_OK) {
        *input = slice_skip(*input, parser->frame_len);
    }
    return status;
}

/* As much of the input as surely belongs to the frame in `partial`. */
static size_t next_piece(const struct stomp_parser *parser, struct slice input)
{
    size_t at;

    if (parser->frame_len != 0) {
        size_t missing = parser->frame_len - parser->partial.len;

        return missing < input.len ? missing : input.len;
    }
    at = slice_find(input, parser->body_start == 0 ? '\n' : '\0');
    return at == input.len ? at : at + 1;
}

static enum stomp_status take_in_pieces(struct stomp_parser *parser, struct stomp_scratch *scratch,
                                        struct slice *input, struct stomp_frame *frame)
{
    struct buf *partial = &parser->partial;
    enum stomp_status status = STOMP_MORE;

    while (status == STOMP_MORE && input->len != 0) {
        size_t room = partial->max - partial->len, len = next_piece(parser, *input);

        if (len > room)
            len = room;
        if (len == 0 || !keep(parser, slice_take(*input, len)))
            return fail_too_large(scratch, parser->limits);
        *input = slice_skip(*input, len);
        status = read_frame(parser, scratch, buf_slice(partial), frame);
    }
    return status;
}

/* The chunk ended between \r and \n, outside of a frame: none begins with a \r. */
static bool is_half_eol(const struct buf *partial)
{
    return partial->len == 1 && partial->base[0] == '\r';
}

enum stomp_status stomp_parser_next(struct stomp_parser *parser, struct stomp_scratch *scratch,
                                    struct slice *input, struct stomp_frame *frame)
{
    struct buf *partial = &parser->partial;
    bool has_eol = false;
    enum stomp_status status;

    if (parser->failure != STOMP_OK)
        return parser->failure;
    if (is_half_eol(partial) && input->len != 0 && input->base[0] == '\n') {
        clear(partial);
        *input = slice_skip(*input, 1);
        has_eol = true;
    }
    if (partial->len == 0)
        status = take_in_place(parser, scratch, input, has_eol, frame);
    else if (is_half_eol(partial))
        status = input->len == 0 ? STOMP_MORE : fail_cr(scratch);
    else
        status = take_in_pieces(parser, scratch, input, frame);
    if (status == STOMP_OK) {
        /* They belong to the frame. Its bytes stay where they are until the next call. */
        clear(partial);
        (void)skip_eols(input);
        return STOMP_OK;
    }
    if (status != STOMP_MORE && status != STOMP_HEARTBEAT)
        parser->failure = status;
    if (parser->failure != STOMP_OK)
        buf_dispose(partial);
    stomp_parser_settle(parser);
    return status;
}

void stomp_parser_settle(struct stomp_parser *parser)
{
    if (parser->partial.len == 0 && parser->partial.base != NULL)
        buf_dispose(&parser->partial);
}
