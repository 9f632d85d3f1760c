#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "base/utf8.h"
#include "gateway/websocket/deflate.h"
#include "gateway/websocket/inflate.h"
#include "gateway/websocket/reader.h"
#include "stomp/encode.h"
#include "stomp/parser.h"
#include "tests/bench/micro_session.h"
#include "tests/bench/micro_world.h"

/*
 * Single pieces of work, for an instruction counter: `micro CASE N` does the work of a case N
 * times. tests/bench/micro runs each case with two numbers under callgrind, which counts from the
 * end of the preparations on; the difference is what the work costs, whatever its first time took.
 */

struct bench {
    const char *name;
    const char *what;
    void (*run)(size_t n, size_t size);
    size_t size;
};

/* --- STOMP --- */

static void parse(size_t n, struct slice frame)
{
    static const struct stomp_limits limits = {
        .max_frame_bytes = 65536, .max_headers = 256, .max_header_bytes = 16384};
    struct stomp_parser parser;
    struct stomp_scratch scratch;
    struct stomp_frame parsed;

    stomp_scratch_init(&scratch);
    stomp_parser_init(&parser, &limits);
    count_from_here();
    while (n-- != 0) {
        struct slice left = frame;

        use(stomp_parser_next(&parser, &scratch, &left, &parsed) == STOMP_OK);
    }
    stomp_parser_dispose(&parser);
    stomp_scratch_dispose(&scratch);
}

static void parse_send(size_t n, size_t size)
{
    char *body = filled(size, "{\"price\":17.25}");
    struct buf frame;

    buf_init(&frame, SIZE_MAX);
    use(buf_printf(&frame,
                   "SEND\ndestination:/topic/prices\ncontent-type:application/json\n"
                   "content-length:%zu\n\n",
                   size) &&
        buf_append(&frame, slice_of(body, size)) && buf_append(&frame, slice_of("", 1)));
    parse(n, buf_slice(&frame));
    buf_dispose(&frame);
    mem_free(body);
}

static void parse_headers(size_t n, size_t size)
{
    struct buf frame;

    buf_init(&frame, SIZE_MAX);
    use(buf_printf(&frame, "SEND\ndestination:/topic/prices\n"));
    for (size_t i = 0; i < size; i++)
        use(buf_printf(&frame, "x-header-%zu:some value\\cwith an escape\n", i));
    use(buf_append(&frame, (struct slice)SLICE("\nbody\0")));
    parse(n, buf_slice(&frame));
    buf_dispose(&frame);
}

static void encode_receipt(size_t n, size_t size)
{
    struct buf out;

    (void)size;
    buf_init(&out, SIZE_MAX);
    count_from_here();
    while (n-- != 0) {
        use(stomp_encode_begin(&out, STOMP_RECEIPT) &&
            stomp_encode_header(&out, STOMP_RECEIPT, (struct slice)SLICE("receipt-id"),
                                (struct slice)SLICE("message-12345")) &&
            stomp_encode_end(&out, STOMP_RECEIPT, slice_str("")));
        buf_consume(&out, out.len);
    }
    buf_dispose(&out);
}

/* --- WebSocket and UTF-8 --- */

static void read_as(size_t n, size_t size, unsigned char opcode, const char *pattern)
{
    static const unsigned char key[4] = {0x12, 0x34, 0x56, 0x78};
    size_t head = size < 126 ? 6 : 8, len = head + size;
    unsigned char *frame = mem_alloc(len), *copy = mem_alloc(len);
    char *text = filled(size, pattern);
    struct ws_reader reader;

    frame[0] = (unsigned char)(0x80 | opcode);
    frame[1] = (unsigned char)(0x80 | (size < 126 ? size : 126));
    if (size >= 126) {
        frame[2] = (unsigned char)(size >> 8);
        frame[3] = (unsigned char)size;
    }
    memcpy(frame + head - 4, key, 4);
    for (size_t i = 0; i < size; i++)
        frame[head + i] = (unsigned char)text[i] ^ key[i % 4];
    ws_reader_init(&reader, 65536);
    count_from_here();
    while (n-- != 0) {
        struct ws_event event = {.type = WS_EVENT_MORE};
        struct slice left;

        memcpy(copy, frame, len); /* it is unmasked in place */
        left = slice_of((const char *)copy, len);
        while (left.len != 0) {
            ws_reader_next(&reader, &left, &event);
            use(event.type != WS_EVENT_ERROR);
        }
    }
    mem_free(text);
    mem_free(frame);
    mem_free(copy);
}

static void read_frame(size_t n, size_t size)
{
    read_as(n, size, WS_TEXT, "{\"price\":17.25}");
}

static void read_mixed(size_t n, size_t size)
{
    read_as(n, size, WS_TEXT, "Preis: 17 €, 가격: ");
}

static void read_binary(size_t n, size_t size)
{
    read_as(n, size, WS_BINARY, "{\"price\":17.25}");
}

static void utf8(size_t n, size_t size, const char *pattern)
{
    char *text = filled(size, pattern);

    count_from_here();
    while (n-- != 0)
        use(utf8_is_valid(slice_of(text, size)));
    mem_free(text);
}

static void utf8_ascii(size_t n, size_t size)
{
    utf8(n, size, "{\"price\":17.25}");
}

static void utf8_mixed(size_t n, size_t size)
{
    utf8(n, size, "Preis: 17 €, 가격: ");
}

static void utf8_hangul(size_t n, size_t size)
{
    utf8(n, size, "가격이올랐습니다");
}

static void utf8_cyrillic(size_t n, size_t size)
{
    utf8(n, size, "Ценавыросла");
}

static void deflate_message(size_t n, size_t size)
{
    struct ws_deflater *deflater = ws_deflater_new(15, 6, false);
    char *text = json_of(size);
    struct buf out;

    buf_init(&out, SIZE_MAX);
    count_from_here();
    while (n-- != 0) {
        ws_deflate(deflater, slice_of(text, size), &out);
        use(out.len < size / 2);
        buf_consume(&out, out.len);
    }
    buf_dispose(&out);
    mem_free(text);
    ws_deflater_free(deflater);
}

static void inflate_message(size_t n, size_t size)
{
    struct ws_deflater *deflater = ws_deflater_new(15, 6, false);
    struct ws_inflater *inflater = ws_inflater_new(15, false);
    char *text = json_of(size);
    struct buf message, out;

    buf_init(&message, SIZE_MAX);
    buf_init(&out, size);
    ws_deflate(deflater, slice_of(text, size), &message);
    count_from_here();
    while (n-- != 0) {
        use(ws_inflate(inflater, buf_slice(&message), true, &out) == WS_INFLATE_OK &&
            out.len == size);
        buf_consume(&out, out.len);
    }
    buf_dispose(&message);
    buf_dispose(&out);
    mem_free(text);
    ws_deflater_free(deflater);
    ws_inflater_free(inflater);
}

/* --- the router --- */

static const struct slice target = SLICE("/topic/prices");

/* One tick: a message to all. */
static void publish_ticks(struct world *w, size_t n)
{
    const struct msg_header header = {SLICE("destination"), target};

    count_from_here();
    while (n-- != 0) {
        char id[64];
        struct msg *msg = msg_new(target, &header, 1, router_next_id(&w->router, id),
                                  slice_of(w->body, w->body_len), false);

        router_publish(&w->router, msg, NULL);
        msg_unref(msg);
        world_end_tick(w);
    }
}

/* Takes the world. */
static void publish_same_in(struct world *w, size_t n)
{
    for (size_t i = 0; i < w->n_receivers; i++)
        use(router_subscribe(&w->router, &w->receivers[i], (struct slice)SLICE("sub-0"), target));
    publish_ticks(w, n);
    world_free(w);
}

static void publish_same(size_t n, size_t size)
{
    publish_same_in(world_new(size), n);
}

static void publish_deflated(size_t n, size_t size)
{
    publish_same_in(world_new_for(size, wire_compressed(WIRE_WEBSOCKET, 15, false)), n);
}

/* What it would be for each of them without sharing. */
static void publish_in_contexts(size_t n, size_t size)
{
    publish_same_in(world_new_for(size, wire_compressed(WIRE_WEBSOCKET, 15, true)), n);
}

/* Takes the world. */
static void publish_own_in(struct world *w, size_t n)
{
    for (size_t i = 0; i < w->n_receivers; i++) {
        char id[32];
        int len = snprintf(id, sizeof(id), "sub-%zu", i);

        use(router_subscribe(&w->router, &w->receivers[i], slice_of(id, (size_t)len), target));
    }
    publish_ticks(w, n);
    world_free(w);
}

static void publish_own(size_t n, size_t size)
{
    publish_own_in(world_new(size), n);
}

static void publish_own_deflated(size_t n, size_t size)
{
    publish_own_in(world_new_for(size, wire_compressed(WIRE_WEBSOCKET, 15, false)), n);
}

/* With so many other destinations subscribed to by somebody else. */
static void publish_beside(size_t n, size_t size)
{
    struct world *w = world_new(2);

    for (size_t i = 0; i < size; i++) {
        char name[32];
        int len = snprintf(name, sizeof(name), "/topic/%zu", i);

        use(router_subscribe(&w->router, &w->receivers[1], slice_of(name, (size_t)len),
                             slice_of(name, (size_t)len)));
    }
    use(router_subscribe(&w->router, &w->receivers[0], (struct slice)SLICE("sub-0"), target));
    publish_ticks(w, n);
    world_free(w);
}

static void publish_by_pattern(size_t n, size_t size)
{
    const struct router_subscribe asked = {
        .id = SLICE("sub-0"),
        .destination = SLICE("/topic/*"),
        .kind = DESTINATION_PATTERN,
    };
    struct world *w = world_new(size);
    const char *why;

    for (size_t i = 0; i < size; i++)
        use(router_subscribe_as(&w->router, &w->receivers[i], &asked, NULL, &why) == ROUTER_OK);
    publish_ticks(w, n);
    world_free(w);
}

static void subscribe_and_leave(size_t n, size_t size)
{
    struct world *w = world_new(1);

    (void)size;
    count_from_here();
    while (n-- != 0) {
        use(router_subscribe(&w->router, &w->receivers[0], (struct slice)SLICE("sub-0"), target));
        router_unsubscribe(
            &w->router, receiver_find(&w->receivers[0], &w->router, (struct slice)SLICE("sub-0")));
    }
    world_free(w);
}

/* --- which --- */

static const struct bench benches[] = {
    {"parse-send", "parse a SEND of 128 bytes", parse_send, 128},
    {"parse-send-16k", "parse a SEND of 16 KiB", parse_send, 16384},
    {"parse-headers", "parse a SEND with 20 headers with escapes", parse_headers, 20},
    {"encode-receipt", "write a RECEIPT", encode_receipt, 0},
    {"read-frame", "read and unmask a WebSocket message of 128 bytes", read_frame, 128},
    {"read-frame-16k", "the same of 16 KiB", read_frame, 16384},
    {"mask-16k", "unmask a binary message of 16 KiB", read_binary, 16384},
    {"read-mixed-16k", "read a text of 16 KiB with other scripts in it", read_mixed, 16384},
    {"utf8-ascii", "check 1 KiB of ASCII", utf8_ascii, 1024},
    {"utf8-mixed", "check 1 KiB with other scripts in it", utf8_mixed, 1024},
    {"utf8-hangul", "check 1 KiB of characters of three bytes", utf8_hangul, 1024},
    {"utf8-cyrillic", "check 1 KiB of characters of two bytes", utf8_cyrillic, 1024},
    {"send", "from the input buffer to a subscriber's queue: a SEND of 128 bytes", micro_send, 128},
    {"send-headers", "the same with 8 headers more and a receipt", micro_send_headers, 128},
    {"send-16k", "the same of 16 KiB", micro_send, 16384},
    {"send-16k-pieces", "the same in pieces of 1,448 bytes", micro_send_pieces, 16384},
    {"publish-1", "publish 128 bytes to one, a tick", publish_same, 1},
    {"publish-10", "to 10 with the same id", publish_same, 10},
    {"publish-1000", "to 1,000 with the same id", publish_same, 1000},
    {"publish-own-10", "to 10 with ids of their own", publish_own, 10},
    {"publish-own-1000", "to 1,000 with ids of their own", publish_own, 1000},
    {"publish-pattern", "to 10 by a pattern", publish_by_pattern, 10},
    {"deflate", "compress a message of 1 KiB", deflate_message, 1024},
    {"inflate", "and back", inflate_message, 1024},
    {"publish-deflate-1000", "1 KiB compressed, to 1,000 with the same id", publish_deflated, 1000},
    {"publish-deflate-own", "to 1,000 with ids of their own", publish_own_deflated, 1000},
    {"publish-context-10", "to 10, compressed for each of them", publish_in_contexts, 10},
    {"publish-beside-1", "to one, beside one other destination", publish_beside, 1},
    {"publish-beside-1e3", "to one, beside 1,000 other destinations", publish_beside, 1000},
    {"publish-beside-1e6", "to one, beside 1,000,000 other destinations", publish_beside, 1000000},
    {"subscribe", "SUBSCRIBE and UNSUBSCRIBE in the router", subscribe_and_leave, 0},
};

int main(int argc, char **argv)
{
    if (argc == 1) {
        for (size_t i = 0; i < sizeof(benches) / sizeof(benches[0]); i++)
            printf("%s\t%s\n", benches[i].name, benches[i].what);
        return 0;
    }
    for (size_t i = 0; argc == 3 && i < sizeof(benches) / sizeof(benches[0]); i++) {
        if (strcmp(argv[1], benches[i].name) == 0) {
            benches[i].run(strtoul(argv[2], NULL, 10), benches[i].size);
            return 0;
        }
    }
    fprintf(stderr, "usage: micro [CASE N]\n");
    return 2;
}
