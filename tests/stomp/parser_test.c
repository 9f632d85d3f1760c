#include "tests/test.h"
#include <stdio.h>
#include "base/mem.h"
#include "stomp/parser.h"

#define S(literal) ((struct slice)SLICE(literal))

/*
 * What a parser makes of some bytes is told as text: each frame as "COMMAND name=value name=value
 * [body]", then the last status, for an error with its words: all rows are compared so. The bytes
 * of each chunk are in memory of their own, of just that size.
 */
static const struct stomp_limits usual = {65536, 100, 8192};

static bool is_error(enum stomp_status status)
{
    return status != STOMP_OK && status != STOMP_MORE && status != STOMP_HEARTBEAT;
}

static void tell_frame(const struct stomp_frame *frame, struct buf *story)
{
    assert_true(buf_append(story, stomp_command_name(frame->command)));
    for (size_t i = 0; i < frame->n_headers; i++) {
        assert_true(buf_append(story, S(" ")));
        assert_true(buf_append(story, frame->headers[i].name));
        assert_true(buf_append(story, S("=")));
        assert_true(buf_append(story, frame->headers[i].value));
    }
    assert_true(buf_append(story, S(" [")));
    assert_true(buf_append(story, frame->body));
    assert_true(buf_append(story, S("]\n")));
}

static enum stomp_status feed(struct stomp_parser *parser, struct stomp_scratch *scratch,
                              struct slice chunk, struct buf *story)
{
    char *copy = mem_alloc(chunk.len);
    struct slice input = slice_of(copy, chunk.len);
    enum stomp_status status;
    struct stomp_frame frame;

    if (chunk.len != 0)
        memcpy(copy, chunk.base, chunk.len);
    while ((status = stomp_parser_next(parser, scratch, &input, &frame)) == STOMP_OK) {
        assert_true(frame.command < STOMP_N_COMMANDS);
        tell_frame(&frame, story);
        frame.command = STOMP_N_COMMANDS;
    }
    if (!is_error(status))
        assert_int_equal(input.len, 0);
    mem_free(copy);
    return status;
}

/* Spoils what one frame's parse leaves behind, as another session of the thread would. */
static void spoil(struct stomp_scratch *scratch)
{
    for (size_t i = 0; i < scratch->headers_cap && i < 64; i++)
        scratch->headers[i] = (struct stomp_header){SLICE("spoilt"), SLICE("spoilt")};
    for (size_t i = 0; i < scratch->unescaped.cap && i < 1024; i++)
        scratch->unescaped.base[i] = '#';
}

enum cut { WHOLE, BYTES, SPLIT };

/* SPLIT: in two, at `at`. */
static enum stomp_status parse(const struct stomp_limits *limits, struct slice bytes, enum cut cut,
                               size_t at, struct buf *story)
{
    size_t step = cut == WHOLE ? bytes.len : cut == BYTES ? 1 : at;
    struct stomp_parser parser;
    struct stomp_scratch scratch;
    enum stomp_status status = STOMP_MORE;

    stomp_parser_init(&parser, limits);
    stomp_scratch_init(&scratch);
    do {
        status = feed(&parser, &scratch, slice_take(bytes, step), story);
        bytes = slice_skip(bytes, step);
        if (cut == SPLIT)
            step = bytes.len;
        spoil(&scratch);
    } while (bytes.len != 0 && !is_error(status));
    assert_true(buf_append(story, slice_str(stomp_strstatus(status))));
    if (is_error(status)) {
        assert_true(buf_append(story, S(": ")));
        assert_true(buf_append(story, slice_str(scratch.error)));
        assert_int_equal(feed(&parser, &scratch, S("SEND\n\n\0"), story), status);
        assert_null(parser.partial.base);
    } else if (!stomp_parser_is_inside_frame(&parser)) {
        assert_null(parser.partial.base);
    }
    stomp_scratch_dispose(&scratch);
    stomp_parser_dispose(&parser);
    return status;
}

/* A chunked end may be a heart-beat where the whole had none, and the other way round. */
static struct slice without_heartbeat(struct slice story)
{
    return slice_ends_with(story, S("heartbeat"))
               ? slice_take(story, story.len - 9)
               : slice_take(story, story.len - (slice_ends_with(story, S("more")) ? 4 : 0));
}

static void check(const struct stomp_limits *limits, struct slice bytes, struct slice expected)
{
    struct buf story;

    buf_init(&story, 1 << 20);
    (void)parse(limits, bytes, WHOLE, 0, &story);
    if (!slice_eq(buf_slice(&story), expected))
        fail_msg("\"%.*s\" whole\ngives:    %.*s\nexpected: %.*s", SLICE_FMT(bytes),
                 SLICE_FMT(buf_slice(&story)), SLICE_FMT(expected));
    for (size_t at = 0; at < bytes.len; at++) {
        buf_consume(&story, story.len);
        /* At 0 is no split at all: byte by byte then. */
        (void)parse(limits, bytes, at == 0 ? BYTES : SPLIT, at, &story);
        if (!slice_eq(without_heartbeat(buf_slice(&story)), without_heartbeat(expected)))
            fail_msg("\"%.*s\" at %zu (0: each byte)\ngives:    %.*s\nexpected: %.*s",
                     SLICE_FMT(bytes), at, SLICE_FMT(buf_slice(&story)), SLICE_FMT(expected));
    }
    buf_dispose(&story);
}

struct row {
    struct slice bytes;
    struct slice story;
};

#define CHECK_ROWS(limits, rows)                                                                   \
    for (size_t i = 0; i < sizeof(rows) / sizeof((rows)[0]); i++)                                  \
    check((limits), (rows)[i].bytes, (rows)[i].story)

static void frames_are_read_as_spring_reads_them(void **state)
{
    static const struct row rows[] = {
        {SLICE("DISCONNECT\r\n\r\n\0"), SLICE("DISCONNECT []\nmore")},
        {SLICE("DISCONNECT\n\n\0"), SLICE("DISCONNECT []\nmore")},
        {SLICE("CONNECT\naccept-version:1.1\nhost:github.org\n\n\0"),
         SLICE("CONNECT accept-version=1.1 host=github.org []\nmore")},
        {SLICE("SEND\ndestination:test\n\nBODY\0"), SLICE("SEND destination=test [BODY]\nmore")},
        {SLICE("SEND\ncontent-length:23\n\nThe body of the message\0"),
         SLICE("SEND content-length=23 [The body of the message]\nmore")},
        {SLICE("SEND\ncontent-length:23\n\nThe b\0dy \0f the message\0"),
         SLICE("SEND content-length=23 [The b\0dy \0f the message]\nmore")},
        {SLICE("SEND\ncontent-length:-1\n\nBODY\0"), SLICE("SEND content-length=-1 [BODY]\nmore")},
        {SLICE("SEND\ncontent-length:0\n\n\0"), SLICE("SEND content-length=0 []\nmore")},
        {SLICE("SEND\ncontent-length:23\n\nThe body of the message*"),
         SLICE("terminator: Frame must be terminated with a null octet")},
        {SLICE("SEND\ncontent-length:23\n\nThe body of the mess"), SLICE("more")},
        {SLICE("DISCONNECT\na\\c\\r\\n\\\\b:alpha\\cbravo\\r\\n\\\\\n\n\0"),
         SLICE("DISCONNECT a:\r\n\\b=alpha:bravo\r\n\\ []\nmore")},
        {SLICE("CONNECT\nkey:\\value\n\n\0"), SLICE("CONNECT key=\\value []\nmore")},
        {SLICE("CONNECT\nkey:\n\n\0"), SLICE("CONNECT key= []\nmore")},
        {SLICE("CONNECT\naccept-version:1.2\n\nbody\0"),
         SLICE("body: CONNECT shouldn't have a payload: length=4, headers={}")},
        {SLICE("SEND\ndestination:test\n\nbody\0\n\n\n"),
         SLICE("SEND destination=test [body]\nmore")},
        {SLICE("SEND\na:alpha\n\nOne\0SEND\na:bravo\n\nTwo\0"),
         SLICE("SEND a=alpha [One]\nSEND a=bravo [Two]\nmore")},
        {SLICE("MESSAG"), SLICE("more")},
        {SLICE("SEND\ndestination"), SLICE("more")},
        {SLICE("SEND\ndestination:"), SLICE("more")},
        {SLICE("SEND\ndestination:test"), SLICE("more")},
        {SLICE("SEND\ndestination:test\n"), SLICE("more")},
        {SLICE("SEND\ndestination:test\n\n"), SLICE("more")},
        {SLICE("SEND\ndestination:test\n\nThe body"), SLICE("more")},
        {SLICE("SEND\ncontent-type:text/plain;charset=U"), SLICE("more")},
        {SLICE("SEND\ncontent-type:text/plain;charset=U\n\nThe body\0"),
         SLICE("content-type: Invalid mime type \"text/plain;charset=U\": unsupported charset "
               "'U'")},
        {SLICE("SEND\na:long\\"), SLICE("more")},
        {SLICE("SEND\na:alpha\\x\n\n\0"),
         SLICE("escape: Illegal escape sequence at index 5: alpha\\x")},
        {SLICE("SEND\na:alpha\\\n"), SLICE("escape: Illegal escape sequence at index 5: alpha\\")},
        {SLICE("SEND\na:alpha\\\r\n"),
         SLICE("escape: Illegal escape sequence at index 5: alpha\\")},
        {SLICE("\n"), SLICE("heartbeat")},
        {SLICE("FOO\n\n\0"), SLICE("command: Unknown command 'FOO'")},
        {SLICE("FOO"), SLICE("more")},
        {SLICE("FOO\n"), SLICE("more")},
        {SLICE("SEND\na:alpha\ncontent-length:12\n\nMessage body\0"),
         SLICE("SEND a=alpha content-length=12 [Message body]\nmore")},
    };

    (void)state;
    CHECK_ROWS(&usual, rows);
}

static void limits_are_springs(void **state)
{
    static const struct stomp_limits of_128 = {128, 100, 8192}, of_10 = {10, 100, 8192};

    (void)state;
    check(&of_128,
          S("SEND\na:alpha\n\nMessage body\0SEND\ncontent-length:129\n\nMessage body that is long"),
          S("SEND a=alpha [Message body]\ntoo-large: STOMP 'content-length' header value 129  "
            "exceeds configured buffer size limit 128"));
    check(&of_10, S("SEND\na:alpha\n\nMessage body\0"),
          S("too-large: The configured STOMP buffer size limit of 10 bytes has been exceeded"));
}

static void eols_around_frames_belong_to_them(void **state)
{
    static const struct row rows[] = {
        {SLICE(""), SLICE("more")},
        {SLICE("\r\n"), SLICE("heartbeat")},
        {SLICE("\n\r\n\n"), SLICE("heartbeat")},
        {SLICE("\n\nSEND\n\n\0"), SLICE("SEND []\nmore")},
        {SLICE("\r\n\r\nSEND\n\n\0\r\n"), SLICE("SEND []\nmore")},
        {SLICE("SEND\n\n\0\n\r\n\nSEND\n\n\0\n"), SLICE("SEND []\nSEND []\nmore")},
        {SLICE("\nSEN"), SLICE("more")},
        {SLICE("\n\r"), SLICE("more")},
        {SLICE("SEND\n\n\0\r"), SLICE("SEND []\nmore")},
    };

    (void)state;
    CHECK_ROWS(&usual, rows);
}

static void a_carriage_return_needs_its_line_feed(void **state)
{
    static const char words[] = "cr: '\\r' must be followed by '\\n'";
    static const struct slice bad[] = {
        SLICE("\rSEND\n\n\0"),
        SLICE("\r\r\n"),
        SLICE("\n\rX"),
        SLICE("SEND\r\r\n\n\0"),
        SLICE("SE\rND\n\n\0"),
        SLICE("SEND\na:b\rc\n\n\0"),
        SLICE("SEND\na:b\r\r\n\n"),
        SLICE("SEND\na:b\n\r\0"),
        SLICE("SEND\na:b\n\r\r\n"),
        SLICE("\r\0"),
        SLICE("SEND\n\rX"),
    };
    static const struct row good[] = {
        {SLICE("SEND\na:b\r"), SLICE("more")},
        {SLICE("SEND\r"), SLICE("more")},
        {SLICE("SEND\na:b\n\r"), SLICE("more")},
        {SLICE("SEND\n\n\r\0"), SLICE("SEND [\r]\nmore")},
        {SLICE("SEND\na:\\r\r\n\r\n\r\n\0"), SLICE("SEND a=\r [\r\n]\nmore")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        check(&usual, bad[i], slice_str(words));
    check(&usual, S("SEND\n\n\0\rX"), S("SEND []\ncr: '\\r' must be followed by '\\n'"));
    CHECK_ROWS(&usual, good);
}

static void header_lines(void **state)
{
    static const struct row rows[] = {
        {SLICE("SEND\na: b \n\n\0"), SLICE("SEND a= b  []\nmore")},
        {SLICE("SEND\n a :b\n\n\0"), SLICE("SEND  a =b []\nmore")},
        {SLICE("SEND\na:b:c:d\n\n\0"), SLICE("SEND a=b:c:d []\nmore")},
        {SLICE("SEND\na:1\na:2\nA:3\na:1\n\n\0"), SLICE("SEND a=1 a=2 A=3 a=1 []\nmore")},
        {SLICE("SEND\n\xea\xb0\x80:\xeb\x82\x98\\c\n\n\0"),
         SLICE("SEND \xea\xb0\x80=\xeb\x82\x98: []\nmore")},
        {SLICE("SEND\nlong-name-of-it:long value of it\\nand more\n\n\0"),
         SLICE("SEND long-name-of-it=long value of it\nand more []\nmore")},
        {SLICE("SEND\nlong-name-with-an-\\cescape:and:colons behind\\\\it\tand a tab\n\n\0"),
         SLICE("SEND long-name-with-an-:escape=and:colons behind\\it\tand a tab []\nmore")},
        {SLICE("SEND\na\\c\\c\\c\\nb:\\r\\c\r\nnext:one\r\n\r\n\0"),
         SLICE("SEND a:::\nb=\r: next=one []\nmore")},
        {SLICE("SEND\na-long-name-without-a-colon\nb:c\n\n\0"),
         SLICE(
             "header: Illegal header: 'a-long-name-without-a-colon'. A header must be of the form "
             "<name>:[<value>].")},
        {SLICE("SEND\na long line with a NUL:behind\0 a block\n\n\0"),
         SLICE("header: Illegal header: 'a long line with a NUL:behind? a block'. A header must be "
               "of the form <name>:[<value>].")},
        {SLICE("SEND\na long line with DEL:behind\x7f a block\x0e\n\n\0"),
         SLICE("SEND a long line with DEL=behind\x7f a block\x0e []\nmore")},
        {SLICE("STOMP\na\\c:b\\\n\n\0"), SLICE("STOMP a\\c=b\\ []\nmore")},
        {SLICE("CONNECTED\na:b\\x\n\n\0"), SLICE("CONNECTED a=b\\x []\nmore")},
        {SLICE("ERROR\na:b\\\\x\n\nbody\0"), SLICE("ERROR a=b\\x [body]\nmore")},
        {SLICE("SEND\ndestination\n"), SLICE("more")},
        {SLICE("SEND\ndestination\n\n\0"),
         SLICE("header: Illegal header: 'destination'. A header must be of the form "
               "<name>:[<value>].")},
        {SLICE("SEND\n:value\n\n\0"),
         SLICE("header: Illegal header: ':value'. A header must be of the form <name>:[<value>].")},
        {SLICE("SEND\na:b\0\n\n\0"),
         SLICE("header: Illegal header: 'a:b?'. A header must be of the form <name>:[<value>].")},
        {SLICE("SEND\na:b\0SEND\nc:d\n\n\0"),
         SLICE("header: Illegal header: 'a:b?SEND'. A header must be of the form "
               "<name>:[<value>].")},
        {SLICE("SEND\na:\\t\n\n\0"), SLICE("escape: Illegal escape sequence at index 0: \\t")},
        {SLICE("SEND\n\xea\xb0\x80\xf0\x9f\x98\x80\\a:b\n\n\0"),
         SLICE("escape: Illegal escape sequence at index 3: \xea\xb0\x80\xf0\x9f\x98\x80\\a")},
        {SLICE("SEND\na:b\\c\\\\\\\n"), SLICE("escape: Illegal escape sequence at index 5: "
                                              "b\\c\\\\\\")},
        {SLICE("SEND\na\\:b\n\n\0"), SLICE("escape: Illegal escape sequence at index 1: a\\")},
        {SLICE("SEND\na:\xff\n\n\0"), SLICE("utf8: Command and headers must be UTF-8")},
        {SLICE("SEND\nlong enough:\xc0\x80 to be read in words\n\n\0"),
         SLICE("utf8: Command and headers must be UTF-8")},
        {SLICE("SEND\na:\xea\xb0\n\n\0"), SLICE("utf8: Command and headers must be UTF-8")},
        {SLICE("CONNECT\na:\xed\xa0\x80\n\n\0"), SLICE("utf8: Command and headers must be UTF-8")},
    };

    (void)state;
    CHECK_ROWS(&usual, rows);
}

static void commands(void **state)
{
    static const struct row rows[] = {
        {SLICE("send\n\n\0"), SLICE("command: Unknown command 'send'")},
        {SLICE("SEND \n\n\0"), SLICE("command: Unknown command 'SEND '")},
        {SLICE("\0\nx"), SLICE("command: Unknown command '?'")},
        {SLICE("A\x1b[2J\nx"), SLICE("command: Unknown command 'A?[2J'")},
        {SLICE("\xea\xb0\x80\nx"), SLICE("command: Unknown command '\xea\xb0\x80'")},
        {SLICE("S\xff\nx"), SLICE("utf8: Command and headers must be UTF-8")},
        {SLICE("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nx"),
         SLICE("command: Unknown command 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA...'")},
        /* complete frames before it are not lost */
        {SLICE("SEND\n\n1\0\nSEND\n\n2\0FOO\n\n\0"),
         SLICE("SEND [1]\nSEND [2]\ncommand: Unknown command 'FOO'")},
        /* a server's commands are the session's to refuse */
        {SLICE("MESSAGE\n\nx\0RECEIPT\n\n\0ERROR\n\nx\0CONNECTED\n\n\0"),
         SLICE("MESSAGE [x]\nRECEIPT []\nERROR [x]\nCONNECTED []\nmore")},
    };

    (void)state;
    CHECK_ROWS(&usual, rows);
}

static void bodies(void **state)
{
    static const struct row rows[] = {
        {SLICE("SUBSCRIBE\nid:1\n\nxyz\0"),
         SLICE("body: SUBSCRIBE shouldn't have a payload: length=3, headers={}")},
        {SLICE("SUBSCRIBE\ncontent-length:3\n\nxyz\0"),
         SLICE("body: SUBSCRIBE shouldn't have a payload: length=3, headers={}")},
        {SLICE("SUBSCRIBE\ncontent-length:3\n\nxyz."),
         SLICE("terminator: Frame must be terminated with a null octet")},
        {SLICE("SUBSCRIBE\ncontent-length:3\n\nxyz"), SLICE("more")},
        {SLICE("SUBSCRIBE\ncontent-length:0\n\n\0"), SLICE("SUBSCRIBE content-length=0 []\nmore")},
        {SLICE("SEND\ncontent-length:0\n\nx"),
         SLICE("terminator: Frame must be terminated with a null octet")},
        {SLICE("SEND\n\n\xff\xfe\0"), SLICE("SEND [\xff\xfe]\nmore")},
        /* the first content-length counts, as Java reads an int; what is none is ignored */
        {SLICE("SEND\ncontent-length:1\ncontent-length:2\n\n\0\0"),
         SLICE("SEND content-length=1 content-length=2 [\0]\nmore")},
        {SLICE("SEND\ncontent-length:x\ncontent-length:2\n\nab\0"),
         SLICE("SEND content-length=x content-length=2 [ab]\nmore")},
        {SLICE("SEND\ncontent-length:+2\n\n\0b\0"), SLICE("SEND content-length=+2 [\0b]\nmore")},
        {SLICE("SEND\ncontent-length:-0\n\n\0"), SLICE("SEND content-length=-0 []\nmore")},
        {SLICE("SEND\ncontent-length:002\n\n\0b\0"), SLICE("SEND content-length=002 [\0b]\nmore")},
        {SLICE("SEND\ncontent-length:\n\nab\0"), SLICE("SEND content-length= [ab]\nmore")},
        {SLICE("SEND\ncontent-length:-\n\nab\0"), SLICE("SEND content-length=- [ab]\nmore")},
        {SLICE("SEND\ncontent-length: 1\n\nab\0"), SLICE("SEND content-length= 1 [ab]\nmore")},
        {SLICE("SEND\ncontent-length:1 \n\nab\0"), SLICE("SEND content-length=1  [ab]\nmore")},
        {SLICE("SEND\ncontent-length:zz\n\nab\0"), SLICE("SEND content-length=zz [ab]\nmore")},
        {SLICE("SEND\ncontent-length:1e1\n\nab\0"), SLICE("SEND content-length=1e1 [ab]\nmore")},
        {SLICE("SEND\ncontent-length:2147483648\n\nab\0"),
         SLICE("SEND content-length=2147483648 [ab]\nmore")},
        {SLICE("SEND\ncontent-length:99999999999999999999\n\nab\0"),
         SLICE("SEND content-length=99999999999999999999 [ab]\nmore")},
        {SLICE("SEND\nContent-Length:1\n\nab\0"), SLICE("SEND Content-Length=1 [ab]\nmore")},
        {SLICE("SEND\ncontent-length:2147483647\n\n"),
         SLICE("too-large: STOMP 'content-length' header value 2147483647  exceeds configured "
               "buffer size limit 65536")},
        {SLICE("CONNECT\ncontent-length:65537\n\n"),
         SLICE("too-large: STOMP 'content-length' header value 65537  exceeds configured buffer "
               "size limit 65536")},
        {SLICE("SEND\ncontent-length:65536\n\n"),
         SLICE("too-large: The configured STOMP buffer size limit of 65536 bytes has been "
               "exceeded")},
        {SLICE("SEND\ncontent-length:65537\n"), SLICE("more")},
    };

    (void)state;
    CHECK_ROWS(&usual, rows);
}

static void content_types(void **state)
{
    static const struct row rows[] = {
        {SLICE("SEND\ncontent-type:text/plain; charset=UTF-8\n\nx\0"),
         SLICE("SEND content-type=text/plain; charset=UTF-8 [x]\nmore")},
        {SLICE("SEND\ncontent-type:\n\nx\0"),
         SLICE("content-type: Invalid mime type \"\": 'mimeType' must not be empty")},
        {SLICE("SUBSCRIBE\ncontent-type:json\n\n\0"),
         SLICE("content-type: Invalid mime type \"json\": does not contain '/'")},
        {SLICE("SEND\ncontent-type:a/b\\n;c=d e\n\n\0"),
         SLICE("content-type: Invalid mime type \"a/b?;c=d e\": Invalid token character ' ' in "
               "token \"d e\"")},
        /* only the first is looked at, and only once the frame is whole and its body allowed */
        {SLICE("SEND\ncontent-type:a/b\ncontent-type:x\n\n\0"),
         SLICE("SEND content-type=a/b content-type=x []\nmore")},
        {SLICE("SEND\ncontent-type:x\n\nabc"), SLICE("more")},
        {SLICE("ACK\ncontent-type:x\n\nabc\0"),
         SLICE("body: ACK shouldn't have a payload: length=3, headers={}")},
        {SLICE("SEND\nContent-Type:x\n\n\0"), SLICE("SEND Content-Type=x []\nmore")},
    };

    (void)state;
    CHECK_ROWS(&usual, rows);
}

/* Whatever the frames before it had. */
static void a_frame_knows_how_its_content_type_is_printed(void **state)
{
    static const struct {
        struct slice frame;
        const char *printed;
    } rows[] = {
        {SLICE("SEND\n\n\0"), ""},
        {SLICE("SEND\ncontent-type:Text/Plain; a=b\n\n\0"), "text/plain;a=b"},
        {SLICE("SEND\ncontent-type:Text/Plain; a=b\n\n\0"), "text/plain;a=b"},
        {SLICE("SEND\n\n\0"), ""},
        {SLICE("SEND\ncontent-type:Text/Plain; a=b\n\n\0"), "text/plain;a=b"},
        {SLICE("SEND\ncontent-type:Text/Plain; a=B\n\n\0"), "text/plain;a=B"},
        {SLICE("SEND\ncontent-type:*\n\n\0"), "*/*"},
        {SLICE("SEND\ncontent-type:*\ncontent-type:a/b\n\n\0"), "*/*"},
        {SLICE("SEND\ncontent-type:text/plain;x=a\\cb\n\n\0"), NULL},
        {SLICE("SEND\ncontent-type:*\n\n\0"), "*/*"},
        {SLICE("SEND\ncontent-type:\n\n\0"), NULL},
        {SLICE("SEND\ncontent-type:\n\n\0"), NULL},
        {SLICE("SEND\ncontent-type:**\n\n\0"), NULL},
        {SLICE("SEND\ncontent-type:**\n\n\0"), NULL},
    };
    struct stomp_scratch scratch;

    (void)state;
    stomp_scratch_init(&scratch);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slice input = rows[i].frame;
        struct stomp_parser parser;
        struct stomp_frame frame;

        stomp_parser_init(&parser, &usual);
        if (rows[i].printed == NULL) {
            assert_int_equal(stomp_parser_next(&parser, &scratch, &input, &frame),
                             STOMP_ERR_CONTENT_TYPE);
        } else {
            assert_int_equal(stomp_parser_next(&parser, &scratch, &input, &frame), STOMP_OK);
            assert_true(slice_eq(frame.content_type, slice_str(rows[i].printed)));
        }
        stomp_parser_dispose(&parser);
    }
    stomp_scratch_dispose(&scratch);
}

static void a_frame_may_have_just_so_many_bytes(void **state)
{
    static const struct {
        struct slice frame;
        struct slice story;
    } rows[] = {
        {SLICE("SEND\na:alpha\n\nMessage body\0"), SLICE("SEND a=alpha [Message body]\nmore")},
        {SLICE("SEND\na:b\r\n\r\n\r\n\0"), SLICE("SEND a=b [\r\n]\nmore")},
        {SLICE("SEND\ncontent-length:9\n\nabcdefghi\0"),
         SLICE("SEND content-length=9 [abcdefghi]\nmore")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slice frame = rows[i].frame;
        struct stomp_limits enough = {frame.len, 100, 8192}, less = {frame.len - 1, 100, 8192};
        char words[200], bytes[200];

        check(&enough, frame, rows[i].story);
        (void)snprintf(words, sizeof(words),
                       "too-large: The configured STOMP buffer size limit of %zu bytes has been "
                       "exceeded",
                       less.max_frame_bytes);
        check(&less, frame, slice_str(words));
        /* EOLs around it do not count, and what is behind the limit is not looked at */
        memcpy(bytes, "\r\n\n", 3);
        memcpy(bytes + 3, frame.base, frame.len);
        memcpy(bytes + 3 + frame.len, "\r\n\n\n", 4);
        check(&enough, slice_of(bytes, 3 + frame.len + 4), rows[i].story);
        bytes[3 + frame.len - 1] = '\xff';
        check(&less, slice_of(bytes, 3 + frame.len + 4), slice_str(words));
    }
}

static void a_length_that_cannot_fit_is_refused_with_the_head(void **state)
{
    static const struct stomp_limits limits = {30, 100, 8192};

    (void)state;
    check(&limits, S("SEND\ncontent-length:6\n\n"), S("more"));
    check(&limits, S("SEND\ncontent-length:7\n\n"),
          S("too-large: The configured STOMP buffer size limit of 30 bytes has been exceeded"));
    check(&limits, S("SEND\ncontent-length:31\n\n"),
          S("too-large: STOMP 'content-length' header value 31  exceeds configured buffer size "
            "limit 30"));
}

static void header_lines_are_bounded(void **state)
{
    static const struct stomp_limits limits = {65536, 3, 10};
    static const struct row rows[] = {
        {SLICE("SEND\na:23456789\n\n\0"), SLICE("SEND a=23456789 []\nmore")},
        {SLICE("SEND\na:23456789\r\n\n\0"), SLICE("SEND a=23456789 []\nmore")},
        {SLICE("SEND\na:234567\\n\r\n\n\0"), SLICE("SEND a=234567\n []\nmore")},
        {SLICE("SEND\na:23456789\r"), SLICE("more")},
        /* not only when the line ends, and before its form is looked at */
        {SLICE("SEND\na:23456789x"), SLICE("header-size: A header line may have at most 10 bytes")},
        {SLICE("SEND\n0123456789x"), SLICE("header-size: A header line may have at most 10 bytes")},
        {SLICE("SEND\na:2345678\\x"),
         SLICE("header-size: A header line may have at most 10 bytes")},
        {SLICE("SEND\na:23456789x\n\n\0"),
         SLICE("header-size: A header line may have at most 10 bytes")},
        {SLICE("SEND\na:23456789xy\r\n\n\0"),
         SLICE("header-size: A header line may have at most 10 bytes")},
        {SLICE("01234567890"), SLICE("header-size: A header line may have at most 10 bytes")},
        /* what comes first counts */
        {SLICE("SEND\na:2\r456789x\n"), SLICE("cr: '\\r' must be followed by '\\n'")},
        {SLICE("SEND\na:23456789\rx\n"), SLICE("cr: '\\r' must be followed by '\\n'")},
        {SLICE("SEND\na:23456789x\r\r"),
         SLICE("header-size: A header line may have at most 10 bytes")},
        {SLICE("SEND\na:1\na:2\na:3\n\n\0"), SLICE("SEND a=1 a=2 a=3 []\nmore")},
        {SLICE("SEND\na:1\na:2\na:3\nx"), SLICE("more")},
        {SLICE("SEND\na:1\na:2\na:3\nx\n"),
         SLICE("header-count: A frame may have at most 3 headers")},
        {SLICE("SEND\na:1\na:2\na:3\na:4\n\n\0"),
         SLICE("header-count: A frame may have at most 3 headers")},
        /* each frame anew */
        {SLICE("SEND\na:1\na:2\n\n\0SEND\na:1\na:2\n\n\0"),
         SLICE("SEND a=1 a=2 []\nSEND a=1 a=2 []\nmore")},
    };

    (void)state;
    CHECK_ROWS(&limits, rows);
}

static void ten_thousand_headers_are_refused(void **state)
{
    struct buf bytes, story;

    (void)state;
    buf_init(&bytes, 1 << 20);
    buf_init(&story, 1 << 20);
    assert_true(buf_append(&bytes, S("SEND\n")));
    for (int i = 0; i < 10000; i++)
        assert_true(buf_append(&bytes, S("a:b\n")));
    assert_int_equal(parse(&usual, buf_slice(&bytes), WHOLE, 0, &story), STOMP_ERR_HEADER_COUNT);
    assert_int_equal(parse(&usual, buf_slice(&bytes), BYTES, 0, &story), STOMP_ERR_HEADER_COUNT);
    buf_dispose(&bytes);
    buf_dispose(&story);
}

static void a_header_line_of_1_mib_is_refused_at_its_limit(void **state)
{
    struct stomp_parser parser;
    struct stomp_scratch scratch;
    struct stomp_frame frame;
    struct slice head = SLICE("SEND\na:");
    char chunk[1000];
    size_t n_bytes = 0;
    enum stomp_status status;

    (void)state;
    memset(chunk, 'x', sizeof(chunk));
    stomp_scratch_init(&scratch);
    stomp_parser_init(&parser, &usual);
    status = stomp_parser_next(&parser, &scratch, &head, &frame);
    while (status == STOMP_MORE && n_bytes < 1 << 20) {
        struct slice input = slice_of(chunk, sizeof(chunk));

        status = stomp_parser_next(&parser, &scratch, &input, &frame);
        n_bytes += sizeof(chunk);
    }
    assert_int_equal(status, STOMP_ERR_HEADER_SIZE);
    assert_int_equal(n_bytes, 9000);
    stomp_parser_dispose(&parser);
    stomp_scratch_dispose(&scratch);
}

static void whole_frames_are_not_copied(void **state)
{
    struct slice input = SLICE("SEND\na:b\n\nbody\0SEND\nc:\\c\n\nbody\0"), all = input;
    struct stomp_parser parser;
    struct stomp_scratch scratch;
    struct stomp_frame frame;

    (void)state;
    stomp_parser_init(&parser, &usual);
    stomp_scratch_init(&scratch);
    assert_int_equal(stomp_parser_next(&parser, &scratch, &input, &frame), STOMP_OK);
    assert_ptr_equal(input.base, all.base + 15);
    assert_ptr_equal(frame.headers[0].name.base, all.base + 5);
    assert_ptr_equal(frame.body.base, all.base + 10);
    assert_null(scratch.unescaped.base);
    assert_int_equal(stomp_parser_next(&parser, &scratch, &input, &frame), STOMP_OK);
    assert_ptr_equal(frame.headers[0].name.base, all.base + 20);
    assert_ptr_equal(frame.headers[0].value.base, scratch.unescaped.base);
    assert_null(parser.partial.base);
    assert_false(stomp_parser_is_inside_frame(&parser));
    stomp_parser_dispose(&parser);
    stomp_scratch_dispose(&scratch);
}

static void a_frame_in_pieces_stays_until_the_next_call(void **state)
{
    struct slice first = SLICE("SEND\na:b\\c"), second = SLICE("\n\nbody\0\nSEND\n");
    struct stomp_parser parser;
    struct stomp_scratch scratch;
    struct stomp_frame frame = {.command = STOMP_N_COMMANDS};

    (void)state;
    stomp_parser_init(&parser, &usual);
    stomp_scratch_init(&scratch);
    assert_int_equal(stomp_parser_next(&parser, &scratch, &first, &frame), STOMP_MORE);
    assert_int_equal(frame.command, STOMP_N_COMMANDS);
    assert_true(stomp_parser_is_inside_frame(&parser));
    assert_int_equal(stomp_parser_next(&parser, &scratch, &second, &frame), STOMP_OK);
    assert_false(stomp_parser_is_inside_frame(&parser));
    assert_slice(second, "SEND\n");
    assert_slice(frame.headers[0].name, "a");
    assert_slice(frame.headers[0].value, "b:");
    assert_slice(frame.body, "body");
    assert_int_equal(stomp_parser_next(&parser, &scratch, &second, &frame), STOMP_MORE);
    assert_true(stomp_parser_is_inside_frame(&parser));
    stomp_parser_dispose(&parser);
    stomp_scratch_dispose(&scratch);
}

static void a_frame_in_pieces_takes_its_memory_at_once_and_gives_it_back(void **state)
{
    struct slice first = SLICE("SEND\ncontent-length:5000\n\nfirst"), end = SLICE("\0");
    char body[4995] = {'x'};
    struct slice second = slice_of(body, sizeof(body));
    struct stomp_parser parser;
    struct stomp_scratch scratch;
    struct stomp_frame frame;
    char *base;

    (void)state;
    stomp_parser_init(&parser, &usual);
    stomp_scratch_init(&scratch);
    assert_int_equal(stomp_parser_next(&parser, &scratch, &first, &frame), STOMP_MORE);
    base = parser.partial.base;
    stomp_parser_settle(&parser);
    assert_int_equal(stomp_parser_next(&parser, &scratch, &second, &frame), STOMP_MORE);
    stomp_parser_settle(&parser);
    assert_int_equal(stomp_parser_next(&parser, &scratch, &end, &frame), STOMP_OK);
    assert_ptr_equal(parser.partial.base, base);
    assert_int_equal(frame.body.len, 5000);
    assert_memory_equal(frame.body.base, "first", 5);
    assert_memory_equal(frame.body.base + 5, body, sizeof(body));
    stomp_parser_settle(&parser);
    assert_null(parser.partial.base);
    stomp_parser_dispose(&parser);
    stomp_scratch_dispose(&scratch);
}

/* Escapes in more headers than the buffer's first size holds: what came first may not move. */
static void many_escaped_headers_all_stay(void **state)
{
    struct buf bytes, expected;

    (void)state;
    buf_init(&bytes, 1 << 20);
    buf_init(&expected, 1 << 20);
    assert_true(buf_append(&bytes, S("SEND\n")) && buf_append(&expected, S("SEND")));
    for (int i = 0; i < 40; i++) {
        assert_true(buf_printf(&bytes, "n\\c%d:a value\\\\ of some length\\n\n", i));
        assert_true(buf_printf(&expected, " n:%d=a value\\ of some length\n", i));
    }
    assert_true(buf_append(&bytes, S("\nbody\0")) && buf_append(&expected, S(" [body]\nmore")));
    check(&usual, buf_slice(&bytes), buf_slice(&expected));
    buf_dispose(&bytes);
    buf_dispose(&expected);
}

/* Quadratic work on these would last until the test's time is up. */
static void bytes_are_not_looked_at_again_and_again(void **state)
{
    static const struct stomp_limits large = {16 << 20, 4 << 20, 8 << 20};
    static const struct {
        struct slice head, filling, tail;
    } rows[] = {
        {SLICE("SEND\na:"), SLICE("x"), SLICE("\n\n\0")},
        {SLICE("SEND\n\n"), SLICE("x"), SLICE("\0")},
        {SLICE("SEND\ncontent-length:4194304\n\n"), SLICE("\0"), SLICE("\0")},
        {SLICE("SEND\n"), SLICE("a:b\n"), SLICE("\n\0")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf bytes, story;

        buf_init(&bytes, 8 << 20);
        buf_init(&story, 16 << 20);
        assert_true(buf_append(&bytes, rows[i].head));
        for (size_t n = 0; n < 4 << 20; n += rows[i].filling.len)
            assert_true(buf_append(&bytes, rows[i].filling));
        assert_true(buf_append(&bytes, rows[i].tail));
        assert_int_equal(parse(&large, buf_slice(&bytes), BYTES, 0, &story), STOMP_MORE);
        assert_true(story.len > 4 << 20);
        buf_dispose(&bytes);
        buf_dispose(&story);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_read_as_spring_reads_them),
        cmocka_unit_test(limits_are_springs),
        cmocka_unit_test(eols_around_frames_belong_to_them),
        cmocka_unit_test(a_carriage_return_needs_its_line_feed),
        cmocka_unit_test(header_lines),
        cmocka_unit_test(commands),
        cmocka_unit_test(bodies),
        cmocka_unit_test(content_types),
        cmocka_unit_test(a_frame_knows_how_its_content_type_is_printed),
        cmocka_unit_test(a_frame_may_have_just_so_many_bytes),
        cmocka_unit_test(a_length_that_cannot_fit_is_refused_with_the_head),
        cmocka_unit_test(header_lines_are_bounded),
        cmocka_unit_test(ten_thousand_headers_are_refused),
        cmocka_unit_test(a_header_line_of_1_mib_is_refused_at_its_limit),
        cmocka_unit_test(whole_frames_are_not_copied),
        cmocka_unit_test(a_frame_in_pieces_stays_until_the_next_call),
        cmocka_unit_test(a_frame_in_pieces_takes_its_memory_at_once_and_gives_it_back),
        cmocka_unit_test(many_escaped_headers_all_stay),
        cmocka_unit_test(bytes_are_not_looked_at_again_and_again),
    };

    return cmocka_run_group_tests_name("stomp/parser", tests, NULL, NULL);
}
