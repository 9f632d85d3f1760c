#include "tests/test.h"
#include "gateway/bench/handshake.h"

#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define GOOD                                                                                       \
    "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\n"                                   \
    "Connection: keep-alive, Upgrade\r\n" ACCEPT "\r\n"

static void the_request_carries_token_and_headers(void **state)
{
    const struct handshake_request request = {SLICE("h:1"),
                                              SLICE("/ws?a=b"),
                                              SLICE("tok"),
                                              {.has_deflate = true, .has_takeover = true},
                                              SLICE("X-A: 1\r\n")};
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    assert_true(handshake_write(&out, &request));
    assert_true(slice_starts_with(buf_slice(&out),
                                  (struct slice)SLICE("GET /ws?a=b HTTP/1.1\r\nHost: h:1\r\n")));
    assert_true(slice_ends_with(
        buf_slice(&out), (struct slice)SLICE("\r\nAuthorization: Bearer tok\r\n"
                                             "Sec-WebSocket-Extensions: permessage-deflate\r\n"
                                             "X-A: 1\r\n\r\n")));
    buf_dispose(&out);
}

static void every_cut_of_a_good_answer_waits_for_more(void **state)
{
    const struct slice good = SLICE(GOOD "\x81\x00");
    struct handshake_answer answer;

    (void)state;
    for (size_t cut = 0; cut < sizeof(GOOD) - 1; cut++)
        assert_int_equal(handshake_read(slice_take(good, cut), &answer), LOAD_MORE);
    assert_int_equal(handshake_read(good, &answer), LOAD_OK);
    assert_int_equal(answer.status, 101);
    assert_int_equal(answer.len, sizeof(GOOD) - 1);
    assert_slice(answer.extensions, "");
}

static void accepted_extensions_are_told(void **state)
{
    const struct slice input =
        SLICE("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nSEC-websocket-extensions: a; b=1\r\n"
              "Connection: upgrade\r\n" ACCEPT "\r\n");
    struct handshake_answer answer;

    (void)state;
    assert_int_equal(handshake_read(input, &answer), LOAD_OK);
    assert_slice(slice_trim(answer.extensions), "a; b=1");
}

static void another_status_is_told(void **state)
{
    struct handshake_answer answer;

    (void)state;
    assert_int_equal(
        handshake_read((struct slice)SLICE("HTTP/1.1 401 Unauthorized\r\nA: b\r\n\r\n"), &answer),
        LOAD_OK);
    assert_int_equal(answer.status, 401);
    assert_slice(answer.status_line, "HTTP/1.1 401 Unauthorized");
}

static void refuses_wrong_answers(void **state)
{
    const struct {
        struct slice input;
        enum load_status status;
    } bad[] = {
        {SLICE("HTTP/2 101"), LOAD_ERR_HTTP},
        {SLICE("\x81"), LOAD_ERR_HTTP},
        {SLICE("HTTP/1.1 abc\r\n\r\n"), LOAD_ERR_HTTP},
        {SLICE("HTTP/1.1 101 X\r\nConnection: upgrade\r\n" ACCEPT "\r\n"), LOAD_ERR_HTTP_UPGRADE},
        {SLICE("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: close\r\n" ACCEPT "\r\n"),
         LOAD_ERR_HTTP_UPGRADE},
        {SLICE("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: upgrade\r\n" ACCEPT
               "Sec-WebSocket-Extensions: a\r\nSec-WebSocket-Extensions: a\r\n\r\n"),
         LOAD_ERR_EXTENSION_ANSWER},
        {SLICE("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"),
         LOAD_ERR_HTTP_ACCEPT},
        {SLICE("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
               "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"),
         LOAD_ERR_HTTP_ACCEPT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct handshake_answer answer;

        assert_int_equal(handshake_read(bad[i].input, &answer), bad[i].status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_carries_token_and_headers),
        cmocka_unit_test(every_cut_of_a_good_answer_waits_for_more),
        cmocka_unit_test(accepted_extensions_are_told),
        cmocka_unit_test(another_status_is_told),
        cmocka_unit_test(refuses_wrong_answers),
    };

    return cmocka_run_group_tests_name("bench/handshake", tests, NULL, NULL);
}
