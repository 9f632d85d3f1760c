#include "tests/test.h"
#include "gateway/websocket/deflate.h"
#include "gateway/websocket/unpack.h"

enum { LIMIT = 100 };

static const struct slice hello = SLICE("\xf2\x48\xcd\xc9\xc9\x07\x00");
static const struct slice hello_again = SLICE("\xf2\x00\x11\x00\x00");
static const struct ws_deflate_agreement alone = {.server_bits = 15, .client_bits = 9};
static const struct ws_deflate_agreement keeping = {
    .client_keeps_context = true, .server_bits = 15, .client_bits = 9};

static struct ws_event take(struct ws_unpacker *unpacker, enum ws_opcode opcode, bool is_first,
                            bool is_last, struct slice payload)
{
    struct ws_event event = {
        .type = WS_EVENT_DATA,
        .opcode = opcode,
        .is_first = is_first,
        .is_last = is_last,
        .is_compressed = true,
        .payload = payload,
    };

    ws_unpack(unpacker, &event);
    return event;
}

static void expect_hello(struct ws_unpacker *unpacker, struct ws_event event, enum ws_opcode opcode)
{
    assert_int_equal(event.type, WS_EVENT_DATA);
    assert_int_equal(event.opcode, opcode);
    assert_true(event.is_first && event.is_last && !event.is_compressed);
    assert_slice(event.payload, "Hello");
    ws_unpacker_done(unpacker);
}

static void pieces_become_a_whole_message(void **state)
{
    struct ws_inflater *shared = NULL;
    struct ws_unpacker unpacker;

    (void)state;
    ws_unpacker_init(&unpacker, &shared, &alone, LIMIT);
    expect_hello(&unpacker, take(&unpacker, WS_TEXT, true, true, hello), WS_TEXT);
    for (size_t cut = 0; cut <= hello.len; cut++) {
        assert_int_equal(take(&unpacker, WS_BINARY, true, false, slice_take(hello, cut)).type,
                         WS_EVENT_MORE);
        expect_hello(&unpacker, take(&unpacker, WS_BINARY, false, true, slice_skip(hello, cut)),
                     WS_BINARY);
    }
    assert_non_null(shared);
    assert_null(unpacker.own);
    ws_unpacker_dispose(&unpacker);
    ws_inflater_free(shared);
}

static void messages_of_several_connections_share_an_inflater(void **state)
{
    struct ws_inflater *shared = NULL;
    struct ws_unpacker a, b;

    (void)state;
    ws_unpacker_init(&a, &shared, &alone, LIMIT);
    ws_unpacker_init(&b, &shared, &alone, LIMIT);
    assert_int_equal(take(&a, WS_TEXT, true, false, slice_take(hello, 3)).type, WS_EVENT_MORE);
    expect_hello(&b, take(&b, WS_TEXT, true, true, hello), WS_TEXT);
    assert_int_equal(take(&b, WS_TEXT, true, true, hello_again).close_code, 1007);
    expect_hello(&a, take(&a, WS_TEXT, false, true, slice_skip(hello, 3)), WS_TEXT);
    ws_unpacker_dispose(&a);
    ws_unpacker_dispose(&b);
    ws_inflater_free(shared);
}

static void a_context_is_of_one_connection(void **state)
{
    struct ws_inflater *shared = NULL;
    struct ws_unpacker a, b;

    (void)state;
    ws_unpacker_init(&a, &shared, &keeping, LIMIT);
    ws_unpacker_init(&b, &shared, &keeping, LIMIT);
    assert_null(a.own); /* an idle connection has none */
    expect_hello(&a, take(&a, WS_TEXT, true, true, hello), WS_TEXT);
    expect_hello(&a, take(&a, WS_TEXT, true, true, hello_again), WS_TEXT);
    assert_int_equal(take(&b, WS_TEXT, true, true, hello_again).close_code, 1007);
    assert_null(shared);
    ws_unpacker_dispose(&a);
    ws_unpacker_dispose(&b);
}

static void what_goes_wrong_has_its_code(void **state)
{
    const struct {
        enum ws_opcode opcode;
        struct slice text; /* deflated first; NULL: `payload` as it is */
        struct slice payload;
        uint16_t code;
    } rows[] = {
        {WS_BINARY, {NULL, 0}, SLICE("\x06"), 1007},
        {WS_TEXT, SLICE("\xff"), {NULL, 0}, 1007},
        {WS_TEXT, SLICE("\xc3"), {NULL, 0}, 1007}, /* half a character */
        {WS_BINARY, SLICE("\xff"), {NULL, 0}, 0},
        {WS_BINARY,
         SLICE("0123456789012345678901234567890123456789012345678901234567890123456789"
               "0123456789012345678901234567890"),
         {NULL, 0},
         1009},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ws_deflater *deflater = ws_deflater_new(15, 6, false);
        struct ws_inflater *shared = NULL;
        struct ws_unpacker unpacker;
        struct ws_event event;
        struct buf payload;

        buf_init(&payload, SIZE_MAX);
        if (rows[i].text.base != NULL)
            ws_deflate(deflater, rows[i].text, &payload);
        else
            assert_true(buf_append(&payload, rows[i].payload));
        ws_unpacker_init(&unpacker, &shared, &alone, LIMIT);
        event = take(&unpacker, rows[i].opcode, true, true, buf_slice(&payload));
        assert_int_equal(event.type, rows[i].code == 0 ? WS_EVENT_DATA : WS_EVENT_ERROR);
        assert_int_equal(event.close_code, rows[i].code);
        ws_unpacker_dispose(&unpacker);
        buf_dispose(&payload);
        ws_deflater_free(deflater);
        ws_inflater_free(shared);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_become_a_whole_message),
        cmocka_unit_test(messages_of_several_connections_share_an_inflater),
        cmocka_unit_test(a_context_is_of_one_connection),
        cmocka_unit_test(what_goes_wrong_has_its_code),
    };

    return cmocka_run_group_tests_name("gateway/websocket/unpack", tests, NULL, NULL);
}
