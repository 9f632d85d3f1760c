#include "tests/test.h"
#include "gateway/http/head.h"

static void fields_are_found_whatever_their_case(void **state)
{
    struct http_head head;

    (void)state;
    assert_null(http_head_parse(
        (struct slice)SLICE("GET / HTTP/1.1\r\nhOST: a.example \r\nORIGIN:http://a\r\n"
                            "Authorization:\tBearer x\r\nx-api-key: k\nContent-Type: \r\n"
                            "Sec-WebSocket-Key: key\r\nSec-WebSocket-Version: 13\r\n"
                            "Sec-WebSocket-Version: 8\r\n\r\nHost: behind\r\n"),
        &head));
    assert_slice(head.host, "a.example");
    assert_slice(head.origin, "http://a");
    assert_slice(head.authorization, "Bearer x");
    assert_slice(head.api_key, "k");
    assert_slice(head.content_type, "");
    assert_non_null(head.content_type.base);
    assert_slice(head.key, "key");
    assert_slice(head.version, "13");
    assert_null(head.upgrade.base);
    assert_int_equal(head.n_protocols, 0);
    http_head_dispose(&head);
}

static void lists_are_joined_and_protocol_lines_kept_apart(void **state)
{
    struct http_head head;

    (void)state;
    assert_null(http_head_parse(
        (struct slice)SLICE(
            "\r\nGET / HTTP/1.1\r\nConnection: a\r\nUpgrade: x\r\nConnection: b, c\r\n"
            "Sec-WebSocket-Protocol: p, q\r\nSec-WebSocket-Protocol: r\r\n"
            "Sec-WebSocket-Extensions: a; b=\"c\", d\r\nsec-websocket-extensions:e \r\n"
            "Connection: d\r\n\r\n"),
        &head));
    assert_slice(head.connection, "a, b, c, d");
    assert_slice(head.upgrade, "x");
    assert_int_equal(head.n_protocols, 2);
    assert_slice(head.protocols[0], "p, q");
    assert_slice(head.protocols[1], "r");
    assert_int_equal(head.n_extensions, 2);
    assert_slice(head.extensions[0], "a; b=\"c\", d");
    assert_slice(head.extensions[1], "e");
    http_head_dispose(&head);
}

static void what_may_be_there_once_is_refused_twice(void **state)
{
    static const struct slice bad[] = {
        SLICE("G\r\nHost: a\r\nHost: a\r\n\r\n"),
        SLICE("G\r\nHost:\r\nHost:\r\n\r\n"),
        SLICE("G\r\nOrigin: a\r\norigin: a\r\n\r\n"),
        SLICE("G\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n"),
        SLICE("G\r\nX-API-Key: a\r\nX-API-Key: b\r\n\r\n"),
        SLICE("G\r\nContent-Type: a\r\nContent-Type: b\r\n\r\n"),
        SLICE("G\r\nSec-WebSocket-Key: a\r\nSec-WebSocket-Key: a\r\n\r\n"),
        SLICE("G\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n"),
        SLICE("G\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
        SLICE("G\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"),
        SLICE("G\r\nA: b\r\n c\r\n\r\n"),
        SLICE("G\r\nA: b\r\n\tc\r\n\r\n"),
        SLICE("G\r\nno colon\r\n\r\n"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct http_head head;

        if (http_head_parse(bad[i], &head) == NULL)
            fail_msg("taken: %.*s", SLICE_FMT(bad[i]));
        http_head_dispose(&head);
    }
}

static bool takes_lines(const char *line, size_t n)
{
    struct buf bytes;
    struct http_head head;
    bool takes;

    buf_init(&bytes, 4096);
    assert_true(buf_append(&bytes, (struct slice)SLICE("G\r\n")));
    for (size_t i = 0; i < n; i++)
        assert_true(buf_append(&bytes, slice_str(line)));
    assert_true(buf_append(&bytes, (struct slice)SLICE("\r\n")));
    takes = http_head_parse(buf_slice(&bytes), &head) == NULL;
    http_head_dispose(&head);
    buf_dispose(&bytes);
    return takes;
}

static void the_number_of_lines_that_are_kept_apart_is_bounded(void **state)
{
    (void)state;
    assert_true(takes_lines("Sec-WebSocket-Protocol: p\r\n", HTTP_HEAD_PROTOCOLS_MAX));
    assert_false(takes_lines("Sec-WebSocket-Protocol: p\r\n", HTTP_HEAD_PROTOCOLS_MAX + 1));
    assert_true(takes_lines("Sec-WebSocket-Extensions: e\r\n", HTTP_HEAD_EXTENSIONS_MAX));
    assert_false(takes_lines("Sec-WebSocket-Extensions: e\r\n", HTTP_HEAD_EXTENSIONS_MAX + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_found_whatever_their_case),
        cmocka_unit_test(lists_are_joined_and_protocol_lines_kept_apart),
        cmocka_unit_test(what_may_be_there_once_is_refused_twice),
        cmocka_unit_test(the_number_of_lines_that_are_kept_apart_is_bounded),
    };

    return cmocka_run_group_tests_name("gateway/http/head", tests, NULL, NULL);
}
