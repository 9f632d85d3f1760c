#include "tests/test.h"
#include <stdio.h>
#include "base/buf.h"
#include "base/mem.h"
#include "gateway/websocket/reader.h"
#include "gateway/websocket/writer.h"
#include "tests/base/utf8_rows.h"

/*
 * The numbers are the cases of the Autobahn test suite (fuzzing client, sections 1 to 7 and 10),
 * all read strictly: what it calls "non-strict" fails here. Each row is played whole and in
 * pieces of several sizes, which must make no difference.
 */

enum { FIN = 0x80, RSV1 = 0x40, RSV2 = 0x20, RSV3 = 0x10, CONT = WS_CONTINUATION };
enum { LIMIT = 1 << 20 };

/* The payload is `text`, `repeat` times (0 stands for once). The last frame has no text. */
struct frame {
    unsigned first;
    struct slice text;
    size_t repeat;
};

static void append(struct buf *out, struct slice bytes)
{
    assert_true(buf_append(out, bytes));
}

static void append_byte(struct buf *out, unsigned byte)
{
    char c = (char)byte;

    append(out, slice_of(&c, 1));
}

/* A frame as a client sends it; the mask differs from frame to frame. */
static void append_frame(struct buf *out, const struct frame *frame)
{
    size_t repeat = frame->repeat == 0 ? 1 : frame->repeat;
    size_t len = frame->text.len * repeat;
    const uint8_t mask[4] = {(uint8_t)(0x37 + out->len), 0xfa, 0x21, (uint8_t)(0x3d ^ out->len)};
    char head[WS_MAX_HEAD];
    char *end = ws_write_head(head, WS_CONTINUATION, len);

    head[0] = (char)frame->first;
    head[1] = (char)(head[1] | 0x80);
    append(out, slice_of(head, (size_t)(end - head)));
    append(out, slice_of((const char *)mask, sizeof(mask)));
    for (size_t i = 0; i < len; i++)
        append_byte(out, (uint8_t)frame->text.base[i % frame->text.len] ^ mask[i % 4]);
}

/* What came out of a reader, as text: "text hello|ping x|deflated text y|close 1000 bye". */
struct transcript {
    struct buf lines;
    struct buf message; /* of the message so far */
    bool is_compressed; /* what the message's first piece said */
    bool is_in_message;
    bool is_over;
};

static void transcript_init(struct transcript *t)
{
    *t = (struct transcript){0};
    buf_init(&t->lines, 4 * LIMIT);
    buf_init(&t->message, 4 * LIMIT);
}

static void transcript_dispose(struct transcript *t)
{
    buf_dispose(&t->lines);
    buf_dispose(&t->message);
}

/* Long payloads of one byte are shortened to "65536x*". */
static void add_line(struct transcript *t, const char *what, unsigned number, struct slice payload)
{
    size_t same = 0;

    if (t->lines.len != 0)
        append_byte(&t->lines, '|');
    append(&t->lines, slice_str(what));
    if (number != 0)
        assert_true(buf_printf(&t->lines, " %u", number));
    if (payload.len == 0)
        return;
    while (same < payload.len && payload.base[same] == payload.base[0])
        same++;
    append_byte(&t->lines, ' ');
    if (same == payload.len && same > 64)
        assert_true(buf_printf(&t->lines, "%zux%c", same, payload.base[0]));
    else
        append(&t->lines, payload);
}

static const char *message_name(const struct ws_event *event)
{
    if (event->opcode == WS_TEXT)
        return event->is_compressed ? "deflated text" : "text";
    return event->is_compressed ? "deflated binary" : "binary";
}

static void add_event(struct transcript *t, const struct ws_event *event)
{
    assert_false(t->is_over);
    switch (event->type) {
    case WS_EVENT_MORE:
        break;
    case WS_EVENT_DATA:
        assert_true(event->opcode == WS_TEXT || event->opcode == WS_BINARY);
        assert_int_equal(event->is_first, !t->is_in_message);
        append(&t->message, event->payload);
        if (event->is_first)
            t->is_compressed = event->is_compressed;
        assert_int_equal(event->is_compressed, t->is_compressed);
        t->is_in_message = !event->is_last;
        if (event->is_last) {
            add_line(t, message_name(event), 0, buf_slice(&t->message));
            buf_consume(&t->message, t->message.len);
        }
        break;
    case WS_EVENT_PING:
        add_line(t, "ping", 0, event->payload);
        break;
    case WS_EVENT_PONG:
        add_line(t, "pong", 0, event->payload);
        break;
    case WS_EVENT_CLOSE:
        add_line(t, "close", event->close_code, event->reason);
        t->is_over = true;
        break;
    case WS_EVENT_ERROR:
        add_line(t, "error", event->close_code, (struct slice){"", 0});
        assert_true(event->reason.len > 0 && event->reason.len <= 123);
        t->is_over = true;
        break;
    }
}

/* Offers `bytes` once, in memory of exactly that size, until the reader wants more. */
static void offer(struct ws_reader *reader, struct slice bytes, struct transcript *t)
{
    char *copy = mem_alloc(bytes.len);
    struct slice input = slice_of(copy, bytes.len);
    struct ws_event event;

    memcpy(copy, bytes.base, bytes.len);
    do {
        struct slice before = input;

        ws_reader_next(reader, &input, &event);
        assert_ptr_equal(input.base + input.len, before.base + before.len);
        if (event.type == WS_EVENT_DATA && event.payload.len != 0)
            assert_ptr_equal(event.payload.base + event.payload.len, input.base);
        add_event(t, &event);
    } while (event.type != WS_EVENT_MORE && !t->is_over);
    if (event.type == WS_EVENT_MORE)
        assert_int_equal(input.len, 0);
    mem_free(copy);
}

/* What a reader is made with. */
struct setup {
    uint64_t limit;
    bool allows_compressed;
};

static void play(struct slice bytes, size_t step, const struct setup *setup, struct transcript *t)
{
    struct ws_reader reader;

    ws_reader_init(&reader, setup->limit);
    if (setup->allows_compressed)
        ws_reader_allow_compressed(&reader);
    while (bytes.len != 0 && !t->is_over) {
        offer(&reader, slice_take(bytes, step), t);
        bytes = slice_skip(bytes, step);
    }
    ws_reader_dispose(&reader);
}

static const size_t steps[] = {SIZE_MAX, 1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 64, 127, 997, 1300};

/* Plays the bytes in every step size and compares with what is expected. */
static void expect_of(const struct setup *setup, const char *name, struct slice bytes,
                      struct slice expected)
{
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct transcript t;

        transcript_init(&t);
        play(bytes, steps[i], setup, &t);
        if (!slice_eq(buf_slice(&t.lines), expected))
            fail_msg("%s in steps of %zu: got \"%.*s\", expected \"%.*s\"", name, steps[i],
                     SLICE_FMT(buf_slice(&t.lines)), SLICE_FMT(expected));
        transcript_dispose(&t);
    }
}

static void expect_slice(const char *name, struct slice bytes, uint64_t limit,
                         struct slice expected)
{
    expect_of(&(struct setup){limit, false}, name, bytes, expected);
}

static void expect(const char *name, struct slice bytes, uint64_t limit, const char *expected)
{
    expect_slice(name, bytes, limit, slice_str(expected));
}

struct row {
    const char *name;
    struct frame frames[12];
    const char *expected;
};

static void expect_rows(const struct row *rows, size_t n_rows, bool allows_compressed)
{
    const struct setup setup = {LIMIT, allows_compressed};

    for (size_t r = 0; r < n_rows; r++) {
        struct buf bytes;

        buf_init(&bytes, 4 * LIMIT);
        for (const struct frame *frame = rows[r].frames; frame->text.base != NULL; frame++)
            append_frame(&bytes, frame);
        expect_of(&setup, rows[r].name, buf_slice(&bytes), slice_str(rows[r].expected));
        buf_dispose(&bytes);
    }
}

#define EXPECT_ROWS(rows) expect_rows((rows), sizeof(rows) / sizeof((rows)[0]), false)
#define EXPECT_COMPRESSED_ROWS(rows) expect_rows((rows), sizeof(rows) / sizeof((rows)[0]), true)

static void messages_come_out_as_they_were_sent(void **state)
{
    const struct row rows[] = {
        {"1.1.1", {{FIN | WS_TEXT, SLICE(""), 0}}, "text"},
        {"1.1.2", {{FIN | WS_TEXT, SLICE("*"), 125}}, "text 125x*"},
        {"1.1.3", {{FIN | WS_TEXT, SLICE("*"), 126}}, "text 126x*"},
        {"1.1.4", {{FIN | WS_TEXT, SLICE("*"), 127}}, "text 127x*"},
        {"1.1.5", {{FIN | WS_TEXT, SLICE("*"), 128}}, "text 128x*"},
        {"1.1.6", {{FIN | WS_TEXT, SLICE("*"), 65535}}, "text 65535x*"},
        {"1.1.7 and 1.1.8", {{FIN | WS_TEXT, SLICE("*"), 65536}}, "text 65536x*"},
        {"1.2.1", {{FIN | WS_BINARY, SLICE(""), 0}}, "binary"},
        {"1.2.2", {{FIN | WS_BINARY, SLICE("\xfe"), 125}}, "binary 125x\xfe"},
        {"1.2.3", {{FIN | WS_BINARY, SLICE("\xfe"), 126}}, "binary 126x\xfe"},
        {"1.2.4", {{FIN | WS_BINARY, SLICE("\xfe"), 127}}, "binary 127x\xfe"},
        {"1.2.5", {{FIN | WS_BINARY, SLICE("\xfe"), 128}}, "binary 128x\xfe"},
        {"1.2.6", {{FIN | WS_BINARY, SLICE("\xfe"), 65535}}, "binary 65535x\xfe"},
        {"1.2.7 and 1.2.8", {{FIN | WS_BINARY, SLICE("\xfe"), 65536}}, "binary 65536x\xfe"},
    };

    (void)state;
    EXPECT_ROWS(rows);
}

static void pings_and_pongs_carry_up_to_125_bytes_of_anything(void **state)
{
    const struct row rows[] = {
        {"2.1", {{FIN | WS_PING, SLICE(""), 0}}, "ping"},
        {"2.2", {{FIN | WS_PING, SLICE("Hello, world!"), 0}}, "ping Hello, world!"},
        {"2.3",
         {{FIN | WS_PING, SLICE("\x01\xff\xfe\xfd\xfc\xfb\x01\xff"), 0}},
         "ping \x01\xff\xfe\xfd\xfc\xfb\x01\xff"},
        {"2.4 and 2.6", {{FIN | WS_PING, SLICE("\xfe"), 125}}, "ping 125x\xfe"},
        {"2.5", {{FIN | WS_PING, SLICE("\xfe"), 126}}, "error 1002"},
        {"2.5 with a pong", {{FIN | WS_PONG, SLICE("\xfe"), 65536}}, "error 1002"},
        {"2.7", {{FIN | WS_PONG, SLICE(""), 0}}, "pong"},
        {"2.8", {{FIN | WS_PONG, SLICE("unsolicited"), 0}}, "pong unsolicited"},
        {"2.9",
         {{FIN | WS_PONG, SLICE("unsolicited"), 0}, {FIN | WS_PING, SLICE("ping"), 0}},
         "pong unsolicited|ping ping"},
        {"2.10 and 2.11",
         {{FIN | WS_PING, SLICE("0"), 0},
          {FIN | WS_PING, SLICE("1"), 0},
          {FIN | WS_PING, SLICE("2"), 0},
          {FIN | WS_PING, SLICE("3"), 0},
          {FIN | WS_PING, SLICE("4"), 0},
          {FIN | WS_PING, SLICE("5"), 0},
          {FIN | WS_PING, SLICE("6"), 0},
          {FIN | WS_PING, SLICE("7"), 0},
          {FIN | WS_PING, SLICE("8"), 0},
          {FIN | WS_PING, SLICE("9"), 0}},
         "ping 0|ping 1|ping 2|ping 3|ping 4|ping 5|ping 6|ping 7|ping 8|ping 9"},
    };

    (void)state;
    EXPECT_ROWS(rows);
}

static void reserved_bits_are_refused_without_an_extension(void **state)
{
    const struct frame hello = {FIN | WS_TEXT, SLICE("Hello"), 0};
    const struct frame ping = {FIN | WS_PING, SLICE(""), 0};
    const struct row rows[] = {
        {"3.1", {{FIN | RSV3 | WS_TEXT, SLICE("*"), 0}}, "error 1002"},
        {"3.2", {hello, {FIN | RSV2 | WS_TEXT, SLICE("*"), 0}, ping}, "text Hello|error 1002"},
        {"3.3",
         {hello, {FIN | RSV2 | RSV3 | WS_TEXT, SLICE("*"), 0}, ping},
         "text Hello|error 1002"},
        {"3.4", {hello, {FIN | RSV1 | WS_TEXT, SLICE("*"), 0}, ping}, "text Hello|error 1002"},
        {"3.5", {{FIN | RSV1 | RSV3 | WS_BINARY, SLICE("\xfe"), 8}}, "error 1002"},
        {"3.6", {{FIN | RSV1 | RSV2 | WS_PING, SLICE("*"), 0}}, "error 1002"},
        {"3.7", {{FIN | RSV1 | RSV2 | RSV3 | WS_CLOSE, SLICE(""), 0}}, "error 1002"},
        {"in a continuation",
         {{WS_TEXT, SLICE("Hello"), 0}, {FIN | RSV1 | CONT, SLICE("*"), 0}},
         "error 1002"},
    };

    (void)state;
    EXPECT_ROWS(rows);
}

static void a_compressed_message_is_known_by_its_first_frame(void **state)
{
    const struct frame hello = {FIN | WS_TEXT, SLICE("Hello"), 0};
    const struct frame ping = {FIN | WS_PING, SLICE("*"), 0};
    const struct row rows[] = {
        {"whole", {{FIN | RSV1 | WS_TEXT, SLICE("*"), 0}}, "deflated text *"},
        {"binary", {{FIN | RSV1 | WS_BINARY, SLICE("\xfe"), 0}}, "deflated binary \xfe"},
        {"empty", {{FIN | RSV1 | WS_TEXT, SLICE(""), 0}}, "deflated text"},
        {"not every message is one",
         {hello, {FIN | RSV1 | WS_TEXT, SLICE("*"), 0}, hello},
         "text Hello|deflated text *|text Hello"},
        {"in frames, of which one is first, with a ping between",
         {{RSV1 | WS_TEXT, SLICE("He"), 0},
          ping,
          {CONT, SLICE("ll"), 0},
          {FIN | CONT, SLICE("o"), 0}},
         "ping *|deflated text Hello"},
        {"what no text is",
         {{FIN | RSV1 | WS_TEXT, SLICE("\xff\xc0"), 0}},
         "deflated text \xff\xc0"},
        {"text after it is looked at",
         {{FIN | RSV1 | WS_TEXT, SLICE("\xff"), 0}, {FIN | WS_TEXT, SLICE("\xff"), 0}},
         "deflated text \xff|error 1007"},
    };

    (void)state;
    EXPECT_COMPRESSED_ROWS(rows);
}

static void the_bit_of_compression_stands_nowhere_else(void **state)
{
    const struct row rows[] = {
        {"in a continuation",
         {{WS_TEXT, SLICE("Hello"), 0}, {FIN | RSV1 | CONT, SLICE("*"), 0}},
         "error 1002"},
        {"in a compressed message's continuation",
         {{RSV1 | WS_TEXT, SLICE("Hello"), 0}, {FIN | RSV1 | CONT, SLICE("*"), 0}},
         "error 1002"},
        {"in a ping", {{FIN | RSV1 | WS_PING, SLICE("*"), 0}}, "error 1002"},
        {"in a pong", {{FIN | RSV1 | WS_PONG, SLICE("*"), 0}}, "error 1002"},
        {"in a close", {{FIN | RSV1 | WS_CLOSE, SLICE(""), 0}}, "error 1002"},
        {"in a reserved opcode", {{FIN | RSV1 | 3, SLICE("*"), 0}}, "error 1002"},
        {"beside RSV2", {{FIN | RSV1 | RSV2 | WS_TEXT, SLICE("*"), 0}}, "error 1002"},
        {"RSV2 alone", {{FIN | RSV2 | WS_TEXT, SLICE("*"), 0}}, "error 1002"},
        {"RSV3 alone", {{FIN | RSV3 | WS_TEXT, SLICE("*"), 0}}, "error 1002"},
    };

    (void)state;
    EXPECT_COMPRESSED_ROWS(rows);
}

/* The limit is 100: 189 bytes then, a fourth and 64 more. Masks of 0. */
static void a_compressed_message_may_be_longer_by_what_compressing_adds(void **state)
{
    const struct {
        const char *name;
        struct slice bytes;
        const char *expected;
    } rows[] = {
        {"189", SLICE("\xc2\xfe\0\xbd\0\0\0\0"), ""},
        {"190", SLICE("\xc2\xfe\0\xbe\0\0\0\0"), "error 1009"},
        {"1 and 189", SLICE("\x42\x81\0\0\0\0a\0\xfe\0\xbd\0\0\0\0"), "error 1009"},
        {"101, not compressed", SLICE("\x82\xe5\0\0\0\0"), "error 1009"},
        {"101, not compressed, behind one that is", SLICE("\xc2\x81\0\0\0\0a\x82\xe5\0\0\0\0"),
         "deflated binary a|error 1009"},
    };

    (void)state;
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
        expect_of(&(struct setup){100, true}, rows[r].name, rows[r].bytes,
                  slice_str(rows[r].expected));
    expect_of(&(struct setup){UINT64_MAX, true}, "2^63 - 1 without a limit",
              (struct slice)SLICE("\xc2\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"),
              slice_str(""));
}

static void reserved_opcodes_are_refused(void **state)
{
    const struct frame hello = {FIN | WS_TEXT, SLICE("Hello"), 0};
    const struct frame ping = {FIN | WS_PING, SLICE(""), 0};
    const struct row rows[] = {
        {"4.1.1", {{FIN | 3, SLICE(""), 0}}, "error 1002"},
        {"4.1.2", {{FIN | 4, SLICE("reserved"), 0}}, "error 1002"},
        {"4.1.3", {hello, {FIN | 5, SLICE(""), 0}, ping}, "text Hello|error 1002"},
        {"4.1.4", {hello, {FIN | 6, SLICE("reserved"), 0}, ping}, "text Hello|error 1002"},
        {"4.1.5", {hello, {FIN | 7, SLICE("reserved"), 0}, ping}, "text Hello|error 1002"},
        {"4.2.1", {{FIN | 11, SLICE(""), 0}}, "error 1002"},
        {"4.2.2", {{FIN | 12, SLICE("reserved"), 0}}, "error 1002"},
        {"4.2.3", {hello, {FIN | 13, SLICE(""), 0}, ping}, "text Hello|error 1002"},
        {"4.2.4", {hello, {FIN | 14, SLICE("reserved"), 0}, ping}, "text Hello|error 1002"},
        {"4.2.5", {hello, {FIN | 15, SLICE("reserved"), 0}, ping}, "text Hello|error 1002"},
        {"without FIN", {{3, SLICE(""), 0}}, "error 1002"},
        {"inside a message", {{WS_TEXT, SLICE("Hello"), 0}, {FIN | 3, SLICE(""), 0}}, "error 1002"},
    };

    (void)state;
    EXPECT_ROWS(rows);
}

static void fragments_make_one_message_with_control_frames_between(void **state)
{
    const struct frame part1 = {WS_TEXT, SLICE("fragment1,"), 0};
    const struct frame part2 = {FIN | CONT, SLICE("fragment2"), 0};
    const struct frame ping = {FIN | WS_PING, SLICE("ping"), 0};
    const struct frame hello = {FIN | WS_TEXT, SLICE("Hello"), 0};
    const struct frame stray = {CONT, SLICE("stray"), 0};
    const struct frame stray_last = {FIN | CONT, SLICE("stray"), 0};
    const struct row rows[] = {
        {"5.1",
         {{WS_PING, SLICE("fragment1"), 0}, {FIN | CONT, SLICE("fragment2"), 0}},
         "error 1002"},
        {"5.2",
         {{WS_PONG, SLICE("fragment1"), 0}, {FIN | CONT, SLICE("fragment2"), 0}},
         "error 1002"},
        {"5.3 to 5.5", {part1, part2}, "text fragment1,fragment2"},
        {"5.6 to 5.8", {part1, ping, part2}, "ping ping|text fragment1,fragment2"},
        {"5.9 to 5.11", {stray_last, hello}, "error 1002"},
        {"5.12 to 5.14", {stray, hello}, "error 1002"},
        {"5.15", {part1, part2, stray, hello}, "text fragment1,fragment2|error 1002"},
        {"5.16", {stray, part1, part2, stray, part1, part2}, "error 1002"},
        {"5.17", {stray_last, part1, part2, stray_last, part1, part2}, "error 1002"},
        {"5.18", {part1, {FIN | WS_TEXT, SLICE("fragment2"), 0}}, "error 1002"},
        {"5.18 with binary", {part1, {FIN | WS_BINARY, SLICE("fragment2"), 0}}, "error 1002"},
        {"5.19 and 5.20",
         {{WS_TEXT, SLICE("fragment1,"), 0},
          {CONT, SLICE("fragment2,"), 0},
          {FIN | WS_PING, SLICE("pongme 1"), 0},
          {CONT, SLICE("fragment3,"), 0},
          {CONT, SLICE("fragment4,"), 0},
          {FIN | WS_PING, SLICE("pongme 2"), 0},
          {FIN | CONT, SLICE("fragment5"), 0}},
         "ping pongme 1|ping pongme 2|text fragment1,fragment2,fragment3,fragment4,fragment5"},
        {"a fragmented close", {{WS_CLOSE, SLICE("\x03\xe8"), 0}}, "error 1002"},
        {"control frames of all kinds between, of any length",
         {{WS_BINARY, SLICE("\xfe"), 100},
          {FIN | WS_PONG, SLICE("*"), 125},
          {FIN | WS_PING, SLICE(""), 0},
          {CONT, SLICE(""), 0},
          {FIN | CONT, SLICE("\xfe"), 200}},
         "pong 125x*|ping|binary 300x\xfe"},
    };

    (void)state;
    EXPECT_ROWS(rows);
}

static void text_is_utf_8_over_all_its_fragments(void **state)
{
    const struct row rows[] = {
        {"6.1.1", {{FIN | WS_TEXT, SLICE(""), 0}}, "text"},
        {"6.1.2",
         {{WS_TEXT, SLICE(""), 0}, {CONT, SLICE(""), 0}, {FIN | CONT, SLICE(""), 0}},
         "text"},
        {"6.1.3",
         {{WS_TEXT, SLICE(""), 0},
          {CONT, SLICE("middle frame payload"), 0},
          {FIN | CONT, SLICE(""), 0}},
         "text middle frame payload"},
        {"6.2.1",
         {{FIN | WS_TEXT, SLICE("Hello-\xc2\xb5@\xc3\x9f-UTF-8!!"), 0}},
         "text Hello-\xc2\xb5@\xc3\x9f-UTF-8!!"},
        {"6.2.2",
         {{WS_TEXT, SLICE("Hello-\xc2\xb5@\xc3\x9f"), 0}, {FIN | CONT, SLICE("-UTF-8!!"), 0}},
         "text Hello-\xc2\xb5@\xc3\x9f-UTF-8!!"},
        {"6.2.3 and 6.2.4",
         {{WS_TEXT, SLICE("\xce"), 0},
          {CONT, SLICE("\xba"), 0},
          {CONT, SLICE("\xe1"), 0},
          {CONT, SLICE("\xbd"), 0},
          {FIN | WS_PING, SLICE("\xff"), 0},
          {CONT, SLICE("\xb9"), 0},
          {FIN | CONT, SLICE(""), 0}},
         "ping \xff|text \xce\xba\xe1\xbd\xb9"},
        {"6.3.1", {{FIN | WS_TEXT, SLICE(UTF8_KOSME "\xed\xa0\x80 edited"), 0}}, "error 1007"},
        {"6.3.2",
         {{WS_TEXT, SLICE(UTF8_KOSME "\xed"), 0},
          {CONT, SLICE("\xa0"), 0},
          {CONT, SLICE("\x80"), 0},
          {FIN | CONT, SLICE("edited"), 0}},
         "error 1007"},
        {"6.4.1",
         {{WS_TEXT, SLICE(UTF8_KOSME), 0},
          {CONT, SLICE("\xf4\x90\x80\x80"), 0},
          {FIN | WS_PING, SLICE("never seen"), 0}},
         "error 1007"},
        {"6.4.2",
         {{WS_TEXT, SLICE(UTF8_KOSME "\xf4"), 0},
          {FIN | WS_PING, SLICE("seen"), 0},
          {CONT, SLICE("\x90"), 0},
          {FIN | WS_PING, SLICE("never seen"), 0}},
         "ping seen|error 1007"},
        {"half a character at the end",
         {{WS_TEXT, SLICE("abc\xf0\x9f"), 0}, {FIN | CONT, SLICE("\x98"), 0}},
         "error 1007"},
        {"half a character before an empty last fragment",
         {{WS_TEXT, SLICE("abc\xf0\x9f"), 0}, {FIN | CONT, SLICE(""), 0}},
         "error 1007"},
        {"the next message starts afresh, and binary is anything",
         {{FIN | WS_TEXT, SLICE("\xc3\xa9"), 0},
          {WS_BINARY, SLICE("\xff\xc3"), 0},
          {FIN | CONT, SLICE("\xe2"), 0},
          {FIN | WS_TEXT, SLICE("ok"), 0}},
         "text \xc3\xa9|binary \xff\xc3\xe2|text ok"},
    };

    (void)state;
    EXPECT_ROWS(rows);
}

/* 6.5 to 6.23, each as one frame and cut in two fragments at every place. */
static void every_text_is_judged_the_same_in_one_frame_or_two(void **state)
{
    (void)state;
    for (size_t r = 0; r < N_UTF8_ROWS; r++) {
        const struct utf8_row *row = &utf8_rows[r];
        char expected[128] = "error 1007";
        size_t expected_len = strlen(expected);

        if (row->bad_at == UTF8_NEVER && row->is_complete) {
            memcpy(expected, "text ", 5);
            memcpy(expected + 5, row->text.base, row->text.len);
            expected_len = row->text.len == 0 ? 4 : 5 + row->text.len;
        }
        for (size_t cut = 0; cut <= row->text.len; cut++) {
            const struct frame first = {WS_TEXT, slice_take(row->text, cut), 0};
            const struct frame rest = {FIN | CONT, slice_skip(row->text, cut), 0};
            const struct frame whole = {FIN | WS_TEXT, row->text, 0};
            struct buf bytes;

            buf_init(&bytes, LIMIT);
            if (cut == row->text.len) {
                append_frame(&bytes, &whole);
            } else {
                append_frame(&bytes, &first);
                append_frame(&bytes, &rest);
            }
            expect_slice(row->name, buf_slice(&bytes), LIMIT, slice_of(expected, expected_len));
            buf_dispose(&bytes);
        }
    }
}

/* 6.4.3, 6.4.4 and all their kin: the frame goes on, but its sender is told at once. */
static void a_bad_byte_is_refused_before_its_frame_ends(void **state)
{
    (void)state;
    for (size_t r = 0; r < N_UTF8_ROWS; r++) {
        const struct frame frame = {FIN | WS_TEXT, utf8_rows[r].text, 2};
        size_t bad_at = utf8_rows[r].bad_at;
        struct transcript t;
        struct buf bytes;

        if (bad_at == UTF8_NEVER)
            continue;
        buf_init(&bytes, LIMIT);
        transcript_init(&t);
        append_frame(&bytes, &frame);
        play(slice_take(buf_slice(&bytes), 6 + bad_at), SIZE_MAX, &(struct setup){LIMIT, false},
             &t);
        assert_slice(buf_slice(&t.lines), "");
        play(slice_take(buf_slice(&bytes), 6 + bad_at + 1), SIZE_MAX, &(struct setup){LIMIT, false},
             &t);
        assert_slice(buf_slice(&t.lines), "error 1007");
        transcript_dispose(&t);
        buf_dispose(&bytes);
    }
}

static void nothing_is_read_after_a_close(void **state)
{
    const struct frame hello = {FIN | WS_TEXT, SLICE("Hello"), 0};
    const struct frame ping = {FIN | WS_PING, SLICE(""), 0};
    const struct frame bye = {FIN | WS_CLOSE, SLICE("\x03\xe8"), 0};
    const struct row rows[] = {
        {"7.1.1", {hello, bye}, "text Hello|close 1000"},
        {"7.1.2", {bye, bye}, "close 1000"},
        {"7.1.3", {bye, ping}, "close 1000"},
        {"7.1.4", {bye, hello}, "close 1000"},
        {"7.1.5",
         {{WS_TEXT, SLICE("fragment1"), 0}, bye, {FIN | CONT, SLICE("fragment2"), 0}},
         "close 1000"},
        {"7.1.6",
         {{FIN | WS_TEXT, SLICE("B"), 256 * 1024}, hello, bye, ping},
         "text 262144xB|text Hello|close 1000"},
    };

    (void)state;
    EXPECT_ROWS(rows);
}

static void a_close_has_no_payload_or_a_code_and_a_text(void **state)
{
    const struct row rows[] = {
        {"7.3.1", {{FIN | WS_CLOSE, SLICE(""), 0}}, "close 1005"},
        {"7.3.2", {{FIN | WS_CLOSE, SLICE("a"), 0}}, "error 1002"},
        {"7.3.2 with the first half of a good code",
         {{FIN | WS_CLOSE, SLICE("\x03"), 0}},
         "error 1002"},
        {"7.3.3", {{FIN | WS_CLOSE, SLICE("\x03\xe8"), 0}}, "close 1000"},
        {"7.3.4", {{FIN | WS_CLOSE, SLICE("\x03\xe8Hello World!"), 0}}, "close 1000 Hello World!"},
        {"7.3.6", {{FIN | WS_CLOSE, SLICE("\x03\xe8"), 63}}, "error 1002"}, /* 126 bytes */
        {"7.5.1", {{FIN | WS_CLOSE, SLICE("\x03\xe8" UTF8_KOSME "\xed\xa0\x80"), 0}}, "error 1007"},
        {"a reason cut in half", {{FIN | WS_CLOSE, SLICE("\x03\xe8\xc3"), 0}}, "error 1007"},
        {"a bad code before a bad reason",
         {{FIN | WS_CLOSE, SLICE("\x03\xe7\xff"), 0}},
         "error 1002"},
    };
    /* 7.3.5: a reason of 123 bytes. */
    char longest[125] = "\x03\xe8";
    const struct frame longest_close = {FIN | WS_CLOSE, slice_of(longest, sizeof(longest)), 0};
    struct buf bytes;

    (void)state;
    EXPECT_ROWS(rows);
    memset(longest + 2, '*', sizeof(longest) - 2);
    buf_init(&bytes, LIMIT);
    append_frame(&bytes, &longest_close);
    expect("7.3.5", buf_slice(&bytes), LIMIT, "close 1000 123x*");
    buf_dispose(&bytes);
}

/* 7.7 (valid), 7.9 and 7.13 (not): all 65,536 of them. */
static void a_close_code_is_one_that_may_be_sent(void **state)
{
    (void)state;
    for (unsigned code = 0; code <= UINT16_MAX; code++) {
        bool is_valid = code >= 1000 && code <= 4999 && code != 1004 && code != 1005 &&
                        code != 1006 && (code <= 1014 || code >= 3000);
        const char payload[2] = {(char)(code >> 8), (char)(code & 0xff)};
        const struct frame frame = {FIN | WS_CLOSE, slice_of(payload, 2), 0};
        char expected[32];
        struct transcript t;
        struct buf bytes;

        (void)snprintf(expected, sizeof(expected), "close %u", code);
        buf_init(&bytes, LIMIT);
        transcript_init(&t);
        append_frame(&bytes, &frame);
        play(buf_slice(&bytes), SIZE_MAX, &(struct setup){LIMIT, false}, &t);
        assert_true(slice_eq(buf_slice(&t.lines), slice_str(is_valid ? expected : "error 1002")));
        transcript_dispose(&t);
        buf_dispose(&bytes);
    }
}

/* 10.1.1, and the mask at work on bytes that all differ. */
static void a_long_message_comes_out_as_it_went_in(void **state)
{
    enum { LEN = 65536, FRAGMENT = 1300 };
    char *text = mem_alloc(LEN);
    struct buf bytes;

    (void)state;
    for (uint32_t i = 0, random = 1; i < LEN; i++) {
        random = random * 1664525 + 1013904223;
        text[i] = (char)(random >> 24);
    }
    buf_init(&bytes, LIMIT);
    for (size_t at = 0; at < LEN; at += FRAGMENT) {
        const struct frame frame = {(at == 0 ? (unsigned)WS_BINARY : (unsigned)CONT) |
                                        (at + FRAGMENT >= LEN ? FIN : 0),
                                    slice_take(slice_of(text + at, LEN - at), FRAGMENT), 0};

        append_frame(&bytes, &frame);
    }
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct transcript t;

        transcript_init(&t);
        play(buf_slice(&bytes), steps[i], &(struct setup){LEN, false}, &t);
        assert_int_equal(t.lines.len, sizeof("binary ") - 1 + LEN);
        assert_memory_equal(t.lines.base + sizeof("binary ") - 1, text, LEN);
        transcript_dispose(&t);
    }
    buf_dispose(&bytes);
    mem_free(text);
}

/* Every length around the words that unmasking works in, cut at every place, at every alignment. */
static void unmasking_is_right_at_every_length_and_cut(void **state)
{
    const uint8_t mask[4] = {0xa5, 0x0f, 0x33, 0xc8};
    const size_t head_len = 6;
    enum { MAX_LEN = 100 };
    char memory[8 + 6 + MAX_LEN + 1], plain[MAX_LEN];

    (void)state;
    for (size_t i = 0; i < sizeof(plain); i++)
        plain[i] = (char)(i * 37 + 11);
    for (size_t len = 0; len <= MAX_LEN; len++) {
        for (size_t cut = 0; cut <= head_len + len; cut++) {
            char *frame = memory + (len + cut) % 8;
            size_t seen = 0;
            struct ws_reader reader;

            frame[0] = (char)(FIN | WS_BINARY);
            frame[1] = (char)(0x80 | len);
            memcpy(frame + 2, mask, 4);
            for (size_t i = 0; i < len; i++)
                frame[head_len + i] = (char)(plain[i] ^ mask[i % 4]);
            frame[head_len + len] = '\x5a'; /* not ours: must stay */
            ws_reader_init(&reader, LIMIT);
            for (int half = 0; half < 2; half++) {
                struct slice input = slice_of(frame, cut);
                struct ws_event event;

                if (half == 1)
                    input = slice_of(frame + cut, head_len + len - cut);
                for (ws_reader_next(&reader, &input, &event); event.type != WS_EVENT_MORE;
                     ws_reader_next(&reader, &input, &event)) {
                    assert_int_equal(event.type, WS_EVENT_DATA);
                    if (event.payload.len != 0)
                        assert_memory_equal(event.payload.base, plain + seen, event.payload.len);
                    seen += event.payload.len;
                    assert_int_equal(event.is_last, seen == len);
                }
            }
            assert_int_equal(seen, len);
            assert_int_equal(frame[head_len + len], '\x5a');
        }
    }
}

/* In a piece that is all ASCII but for one byte: none of the steps of unmasking overlooks it. */
static void a_byte_that_is_not_ascii_is_seen_wherever_it_stands(void **state)
{
    const uint8_t mask[4] = {0x81, 0x00, 0xff, 0x7e};
    enum { HEAD_LEN = 6, MAX_LEN = 100 };

    (void)state;
    for (size_t len = 1; len <= MAX_LEN; len++) {
        for (size_t bad = 0; bad <= len; bad++) {
            char frame[HEAD_LEN + MAX_LEN] = {(char)(FIN | WS_TEXT), (char)(0x80 | len)};
            struct slice input = slice_of(frame, HEAD_LEN + len);
            struct ws_reader reader;
            struct ws_event event;

            memcpy(frame + 2, mask, sizeof(mask));
            for (size_t i = 0; i < len; i++)
                frame[HEAD_LEN + i] = (char)((i == bad ? 0x80 : 'x') ^ mask[i % 4]);
            ws_reader_init(&reader, LIMIT);
            ws_reader_next(&reader, &input, &event);
            assert_int_equal(event.type, bad == len ? WS_EVENT_DATA : WS_EVENT_ERROR);
        }
    }
}

static void the_rfc_s_examples_are_understood(void **state)
{
    (void)state;
    /* RFC 6455, section 5.7. The unmasked ones are a server's; from a client they are errors. */
    expect("masked Hello", (struct slice)SLICE("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
           LIMIT, "text Hello");
    expect("unmasked Hello", (struct slice)SLICE("\x81\x05Hello"), LIMIT, "error 1002");
    expect("fragmented unmasked Hello", (struct slice)SLICE("\x01\x03Hel\x80\x02lo"), LIMIT,
           "error 1002");
    expect("unmasked ping", (struct slice)SLICE("\x89\x05Hello"), LIMIT, "error 1002");
    expect("masked pong", (struct slice)SLICE("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
           LIMIT, "pong Hello");
}

static void a_length_is_in_its_shortest_form_and_below_63_bits(void **state)
{
    const struct {
        const char *name;
        struct slice head;
        const char *expected;
    } rows[] = {
        {"0 in 2 bytes", SLICE("\x82\xfe\x00\x00mask"), "error 1002"},
        {"125 in 2 bytes", SLICE("\x82\xfe\x00\x7dmask"), "error 1002"},
        {"126 in 2 bytes", SLICE("\x82\xfe\x00\x7emask"), ""},
        {"65535 in 2 bytes", SLICE("\x82\xfe\xff\xffmask"), ""},
        {"0 in 8 bytes", SLICE("\x82\xff\x00\x00\x00\x00\x00\x00\x00\x00mask"), "error 1002"},
        {"65535 in 8 bytes", SLICE("\x82\xff\x00\x00\x00\x00\x00\x00\xff\xffmask"), "error 1002"},
        {"65536 in 8 bytes", SLICE("\x82\xff\x00\x00\x00\x00\x00\x01\x00\x00mask"), ""},
        {"2^63 - 1", SLICE("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xffmask"), "error 1009"},
        {"2^63", SLICE("\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00mask"), "error 1002"},
        {"2^64 - 1", SLICE("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xffmask"), "error 1002"},
        {"125 in 2 bytes, a ping", SLICE("\x89\xfe\x00\x7dmask"), "error 1002"},
    };

    (void)state;
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
        expect(rows[r].name, rows[r].head, LIMIT, rows[r].expected);
    expect("2^63 - 1 without a limit",
           (struct slice)SLICE("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xffmask"), UINT64_MAX, "");
}

static void a_message_is_refused_by_the_head_that_passes_the_limit(void **state)
{
    /* Masks of 0, so that payloads can be read here. The limit is 10. */
    const struct {
        const char *name;
        struct slice bytes;
        const char *expected;
    } rows[] = {
        {"10", SLICE("\x82\x8a\0\0\0\0abcdefghij"), "binary abcdefghij"},
        {"11, its head only", SLICE("\x82\x8b\0\0\0\0"), "error 1009"},
        {"11, all but the last byte of the head", SLICE("\x82\x8b\0\0\0"), ""},
        {"64 KiB", SLICE("\x81\xff\0\0\0\0\0\x01\0\0\0\0\0\0"), "error 1009"},
        {"4 and 6", SLICE("\x01\x84\0\0\0\0abcd\x80\x86\0\0\0\0efghij"), "text abcdefghij"},
        {"4 and 7", SLICE("\x01\x84\0\0\0\0abcd\x80\x87\0\0\0\0"), "error 1009"},
        {"10, 0 and 0", SLICE("\x01\x8a\0\0\0\0abcdefghij\x00\x80\0\0\0\0\x80\x80\0\0\0\0"),
         "text abcdefghij"},
        {"10, 0 and 1", SLICE("\x01\x8a\0\0\0\0abcdefghij\x00\x80\0\0\0\0\x80\x81\0\0\0\0"),
         "error 1009"},
        {"9 and nearly 2^63",
         SLICE("\x02\x89\0\0\0\0abcdefghi\x80\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"),
         "error 1009"},
        {"10 and 10, two messages", SLICE("\x81\x8a\0\0\0\0abcdefghij\x82\x8a\0\0\0\0klmnopqrst"),
         "text abcdefghij|binary klmnopqrst"},
        {"control frames do not count",
         SLICE("\x01\x8a\0\0\0\0abcdefghij\x89\x8b\0\0\0\0hello world\x80\x80\0\0\0\0"),
         "ping hello world|text abcdefghij"},
    };

    (void)state;
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
        expect(rows[r].name, rows[r].bytes, 10, rows[r].expected);
    expect("0 of 0", (struct slice)SLICE("\x81\x80\0\0\0\0"), 0, "text");
    expect("1 of 0", (struct slice)SLICE("\x81\x81\0\0\0\0"), 0, "error 1009");
}

/* A caller may then act on what it has: nothing waits for a message or a frame to end. */
static void pieces_are_handed_out_as_they_come(void **state)
{
    const struct {
        struct slice bytes, payload;
        bool is_first, is_last, is_more;
    } rows[] = {
        {SLICE("\x01\x86\0\0\0\0"), SLICE(""), false, false, true}, /* a head alone is no piece */
        {SLICE("ab"), SLICE("ab"), true, false, false},
        {SLICE("cdef"), SLICE("cdef"), false, false, false},
        {SLICE("\x00\x80\0\0\0\0"), SLICE(""), false, false, false}, /* an empty frame is one */
        {SLICE("\x80\x82\0\0\0\0g"), SLICE("g"), false, false, false},
        {SLICE("h"), SLICE("h"), false, true, false},
        {SLICE("\x81\x80\0\0\0\0"), SLICE(""), true, true, false},
        {SLICE("\x01\x80\0\0\0\0"), SLICE(""), true, false, false},
        {SLICE("\x80\x80\0\0\0\0"), SLICE(""), false, true, false},
    };
    struct ws_reader reader;

    (void)state;
    ws_reader_init(&reader, LIMIT);
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        char copy[16];
        struct slice input = slice_of(copy, rows[r].bytes.len);
        struct ws_event event;

        memcpy(copy, rows[r].bytes.base, rows[r].bytes.len);
        ws_reader_next(&reader, &input, &event);
        if (!rows[r].is_more) {
            assert_int_equal(event.type, WS_EVENT_DATA);
            assert_int_equal(event.opcode, WS_TEXT);
            assert_true(slice_eq(event.payload, rows[r].payload));
            assert_int_equal(event.is_first, rows[r].is_first);
            assert_int_equal(event.is_last, rows[r].is_last);
            ws_reader_next(&reader, &input, &event);
        }
        assert_int_equal(event.type, WS_EVENT_MORE);
        assert_int_equal(input.len, 0);
    }
}

static void after_the_end_input_is_taken_and_dropped(void **state)
{
    const struct slice ends[] = {SLICE("\x88\x80mask"), SLICE("\x81\x05Hello")};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char bytes[] = "\x81\x80mask";
        char copy[16];
        struct slice input = slice_of(copy, ends[i].len);
        struct ws_reader reader;
        struct ws_event event;

        ws_reader_init(&reader, LIMIT);
        memcpy(copy, ends[i].base, ends[i].len);
        ws_reader_next(&reader, &input, &event);
        assert_int_equal(event.type, i == 0 ? WS_EVENT_CLOSE : WS_EVENT_ERROR);
        input = slice_of(bytes, sizeof(bytes) - 1);
        ws_reader_next(&reader, &input, &event);
        assert_int_equal(event.type, WS_EVENT_MORE);
        assert_int_equal(input.len, 0);
    }
}

static void no_input_is_no_event(void **state)
{
    struct slice input = {NULL, 0};
    struct ws_reader reader;
    struct ws_event event;

    (void)state;
    ws_reader_init(&reader, LIMIT);
    ws_reader_next(&reader, &input, &event);
    assert_int_equal(event.type, WS_EVENT_MORE);
    assert_int_equal(input.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_out_as_they_were_sent),
        cmocka_unit_test(pings_and_pongs_carry_up_to_125_bytes_of_anything),
        cmocka_unit_test(reserved_bits_are_refused_without_an_extension),
        cmocka_unit_test(a_compressed_message_is_known_by_its_first_frame),
        cmocka_unit_test(the_bit_of_compression_stands_nowhere_else),
        cmocka_unit_test(a_compressed_message_may_be_longer_by_what_compressing_adds),
        cmocka_unit_test(reserved_opcodes_are_refused),
        cmocka_unit_test(fragments_make_one_message_with_control_frames_between),
        cmocka_unit_test(text_is_utf_8_over_all_its_fragments),
        cmocka_unit_test(every_text_is_judged_the_same_in_one_frame_or_two),
        cmocka_unit_test(a_bad_byte_is_refused_before_its_frame_ends),
        cmocka_unit_test(nothing_is_read_after_a_close),
        cmocka_unit_test(a_close_has_no_payload_or_a_code_and_a_text),
        cmocka_unit_test(a_close_code_is_one_that_may_be_sent),
        cmocka_unit_test(a_long_message_comes_out_as_it_went_in),
        cmocka_unit_test(unmasking_is_right_at_every_length_and_cut),
        cmocka_unit_test(a_byte_that_is_not_ascii_is_seen_wherever_it_stands),
        cmocka_unit_test(the_rfc_s_examples_are_understood),
        cmocka_unit_test(a_length_is_in_its_shortest_form_and_below_63_bits),
        cmocka_unit_test(a_message_is_refused_by_the_head_that_passes_the_limit),
        cmocka_unit_test(pieces_are_handed_out_as_they_come),
        cmocka_unit_test(after_the_end_input_is_taken_and_dropped),
        cmocka_unit_test(no_input_is_no_event),
    };

    return cmocka_run_group_tests_name("gateway/websocket/reader", tests, NULL, NULL);
}
