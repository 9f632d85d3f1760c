#include "tests/gateway/http/harness.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"

enum { PUBLIC = 0 };

static struct slice origins[] = {SLICE("https://app.example"), SLICE("https://other.example/")};
static struct slice patterns[] = {SLICE("https://*.example.org:[8080,8081]")};
static struct config_endpoint endpoints[] = {
    {.path = SLICE("/ws"), .protocol = CONFIG_PROTOCOL_STOMP},
    {.path = SLICE("/echo"), .protocol = CONFIG_PROTOCOL_ECHO},
    {.path = SLICE("/listed"),
     .allowed_origins = {origins, 2},
     .allowed_origin_patterns = {patterns, 1}},
    {.path = SLICE("/\xec\xb1\x84\xed\x8c\x85"), .protocol = CONFIG_PROTOCOL_BROADCAST},
};

static int start(void **state)
{
    static struct config config = {
        .endpoints = endpoints,
        .n_endpoints = sizeof(endpoints) / sizeof(endpoints[0]),
        .auth = {.query_parameter = SLICE("access_token")},
        .web = {.demo = true},
        .transport = {.deflate = {.enabled = true,
                                  .client_context_takeover = true,
                                  .server_max_window_bits = 15,
                                  .client_max_window_bits = 12}},
    };

    *state = harness_start(&config);
    return 0;
}

static int stop(void **state)
{
    harness_stop(*state);
    return 0;
}

#define HOST "Host: gateway.example:8080\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define GET_WS "GET /ws HTTP/1.1\r\n" HOST
#define HANDSHAKE GET_WS UPGRADE KEY VERSION

static void a_handshake_is_accepted_with_the_key_of_the_rfc(void **state)
{
    struct answer answer = ask(*state, PUBLIC, HANDSHAKE "\r\n");

    assert_status(answer, 101);
    assert_slice(answer_header(&answer, "Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_slice(answer_header(&answer, "Upgrade"), "websocket");
    assert_slice(answer_header(&answer, "Connection"), "upgrade");
    assert_slice(answer_header(&answer, "Server"), "stompgate");
    assert_slice(answer_header(&answer, "Sec-WebSocket-Protocol"), "");
    assert_slice(answer_header(&answer, "Content-Length"), "");
    assert_slice(answer.body, "endpoint=0 user=- protocol= tls=0 nodelay=1 timeout=60000 input=");
}

static void what_comes_behind_the_request_is_the_connections_input(void **state)
{
    struct answer answer = ask(*state, PUBLIC, HANDSHAKE "\r\nGET / HTTP/1.1\r\n\r\n");

    assert_status(answer, 101);
    assert_true(slice_ends_with(answer.body, (struct slice)SLICE(" input=GET / HTTP/1.1\r\n\r\n")));
}

static void each_wrong_handshake_gets_springs_answer(void **state)
{
    static const struct {
        const char *request;
        int status;
        const char *body;
        const char *header;
        const char *value;
    } cases[] = {
        {"POST /ws HTTP/1.1\r\n" HOST UPGRADE KEY VERSION "\r\n", 405, "", "Allow", "GET"},
        {"HEAD /ws HTTP/1.1\r\n" HOST UPGRADE KEY VERSION "\r\n", 405, "", "Allow", "GET"},
        {GET_WS "\r\n", 400, "Can \"Upgrade\" only to \"WebSocket\".", NULL, NULL},
        {GET_WS "Connection: Upgrade\r\n" KEY VERSION "\r\n", 400,
         "Can \"Upgrade\" only to \"WebSocket\".", NULL, NULL},
        {GET_WS "Upgrade: h2c\r\nConnection: Upgrade\r\n" KEY VERSION "\r\n", 400,
         "Can \"Upgrade\" only to \"WebSocket\".", NULL, NULL},
        {GET_WS "Upgrade: h2c\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" KEY VERSION "\r\n",
         400, "Can \"Upgrade\" only to \"WebSocket\".", NULL, NULL},
        {GET_WS "Upgrade: websocket\r\n" KEY VERSION "\r\n", 400,
         "\"Connection\" must be \"upgrade\".", NULL, NULL},
        {GET_WS "Upgrade: websocket\r\nConnection: close\r\n" KEY VERSION "\r\n", 400,
         "\"Connection\" must be \"upgrade\".", NULL, NULL},
        {GET_WS "Upgrade: websocket\r\nConnection: UPGRADE\r\n" KEY VERSION "\r\n", 400,
         "\"Connection\" must be \"upgrade\".", NULL, NULL},
        {GET_WS UPGRADE VERSION "\r\n", 400, "", NULL, NULL},
        {GET_WS UPGRADE "Sec-WebSocket-Key: short\r\n" VERSION "\r\n", 400, "", NULL, NULL},
        {GET_WS UPGRADE KEY "\r\n", 426, "", "Sec-WebSocket-Version", "13"},
        {GET_WS UPGRADE KEY "Sec-WebSocket-Version: 8\r\n\r\n", 426, "", "Sec-WebSocket-Version",
         "13"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int fd = harness_connect(*state, PUBLIC);
        struct answer answer;

        client_send(fd, cases[i].request);
        answer = cases[i].request[0] == 'H' ? client_read_head(fd) : client_read(fd);
        close(fd);
        assert_status(answer, cases[i].status);
        if (!slice_eq(answer.body, slice_str(cases[i].body)))
            fail_msg("%s got body %.*s", cases[i].request, SLICE_FMT(answer.body));
        if (cases[i].header != NULL)
            assert_true(
                slice_eq(answer_header(&answer, cases[i].header), slice_str(cases[i].value)));
    }
    assert_int_equal(harness_metric(*state, METRIC_HANDSHAKES_FAILED),
                     sizeof(cases) / sizeof(cases[0]));
}

static void lists_and_spellings_are_read_as_spring_does(void **state)
{
    static const char *const good[] = {
        "Upgrade: WebSocket\r\nConnection: upgrade\r\n",
        "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n",
        "Upgrade: websocket\r\nConnection: keep-alive\r\nConnection: Upgrade\r\n",
        "Upgrade: websocket\r\nConnection: Upgrade\r\nConnection: keep-alive\r\n",
        "upgrade:websocket\r\nCONNECTION:\tUpgrade \r\n",
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        char *request = mem_printf(GET_WS "%s" KEY VERSION "\r\n", good[i]);
        struct answer answer = ask(*state, PUBLIC, request);

        assert_status(answer, 101);
        mem_free(request);
    }
}

static void a_head_that_two_readers_read_differently_is_refused(void **state)
{
    static const char *const bad[] = {
        GET_WS "Host: evil.example\r\n" UPGRADE KEY VERSION "\r\n",
        GET_WS UPGRADE KEY KEY VERSION "\r\n",
        "GET /ws HTTP/1.1\r\n" UPGRADE KEY VERSION "\r\n",
        HANDSHAKE "Origin: http://gateway.example:8080\r\nOrigin: http://evil.example\r\n\r\n",
        HANDSHAKE "Authorization: Bearer good\r\nAuthorization: Bearer bad\r\n\r\n",
        HANDSHAKE "X-Folded: a\r\n b\r\n\r\n",
        GET_WS "Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
        GET_WS "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int fd = harness_connect(*state, PUBLIC);
        struct answer answer;

        client_send(fd, bad[i]);
        answer = client_read(fd);
        if (answer.status != 400)
            fail_msg("%s got %d", bad[i], answer.status);
        assert_slice(answer_header(&answer, "Connection"), "close");
        assert_true(client_at_end(fd));
        close(fd);
    }
}

static void http_1_0_has_no_upgrade(void **state)
{
    struct answer answer =
        ask(*state, PUBLIC, "GET /ws HTTP/1.0\r\n" HOST UPGRADE KEY VERSION "\r\n");

    assert_status(answer, 400);
}

static void the_origin_is_judged_before_all_else(void **state)
{
    static const struct {
        const char *path;
        const char *origin; /* NULL: no header */
        int status;
    } cases[] = {
        {"/ws", NULL, 101},
        {"/ws", "http://gateway.example:8080", 101},
        {"/ws", "https://gateway.example:8080", 403},
        {"/ws", "http://gateway.example", 403},
        {"/ws", "http://evil.example:8080", 403},
        {"/ws", "null", 403},
        {"/ws", "", 403},
        {"/listed", "http://gateway.example:8080", 101},
        {"/listed", "https://APP.example", 101},
        {"/listed", "https://other.example", 101},
        {"/listed", "http://app.example", 403},
        {"/listed", "https://a.b.example.org:8081", 101},
        {"/listed", "https://a.b.example.org", 403},
        {"/listed", "https://a.b.example.org:8082", 403},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *request = mem_printf("GET %s HTTP/1.1\r\n" HOST "%s%s%s" UPGRADE KEY VERSION "\r\n",
                                   cases[i].path, cases[i].origin == NULL ? "" : "Origin: ",
                                   cases[i].origin == NULL ? "" : cases[i].origin,
                                   cases[i].origin == NULL ? "" : "\r\n");
        struct answer answer = ask(*state, PUBLIC, request);

        if (answer.status != cases[i].status)
            fail_msg("%s from %s: %d", cases[i].path, cases[i].origin, answer.status);
        if (answer.status == 403)
            assert_slice(answer.body, "");
        mem_free(request);
    }
    /* Wrong in every other way as well. */
    assert_int_equal(
        ask(*state, PUBLIC, "POST /ws HTTP/1.1\r\n" HOST "Origin: http://evil.example\r\n\r\n")
            .status,
        403);
    harness_wait_for_log(*state, "origin=http://evil.example");
}

static void the_clients_first_known_protocol_is_taken_in_its_spelling(void **state)
{
    static const struct {
        const char *path;
        const char *lines;
        const char *chosen;
    } cases[] = {
        {"/ws", "v12.stomp, v11.stomp", "v12.stomp"},
        {"/ws", "soap, V10.Stomp, v12.stomp", "V10.Stomp"},
        {"/ws", "soap", ""},
        {"/ws", "v12.stomp\r\nSec-WebSocket-Protocol: v11.stomp", "v12.stomp"},
        {"/ws", "soap, v12.stomp\r\nSec-WebSocket-Protocol: v11.stomp", "v11.stomp"},
        {"/echo", "v12.stomp", ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *request = mem_printf("GET %s HTTP/1.1\r\n" HOST UPGRADE KEY VERSION
                                   "Sec-WebSocket-Protocol: %s\r\n\r\n",
                                   cases[i].path, cases[i].lines);
        char *told = mem_printf(" protocol=%s tls", cases[i].chosen);
        struct answer answer = ask(*state, PUBLIC, request);

        assert_status(answer, 101);
        assert_true(
            slice_eq(answer_header(&answer, "Sec-WebSocket-Protocol"), slice_str(cases[i].chosen)));
        assert_non_null(strstr(answer.body.base, told));
        mem_free(told);
        mem_free(request);
    }
}

/* All that an offer can be is in gateway/websocket/deflate_negotiate_test.c. */
static void compression_is_agreed_on_what_client_and_settings_say(void **state)
{
    static const struct {
        const char *lines;
        int status;
        const char *response;
    } cases[] = {
        {"permessage-deflate", 101, "permessage-deflate; server_no_context_takeover"},
        {"permessage-deflate; client_max_window_bits; client_no_context_takeover", 101,
         "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
         "client_max_window_bits=12"},
        {"bbf-usp-protocol\r\nSec-WebSocket-Extensions: permessage-deflate; "
         "server_max_window_bits=9",
         101, "permessage-deflate; server_no_context_takeover; server_max_window_bits=9"},
        {"permessage-deflate; server_max_window_bits=8", 101, ""},
        {"x-webkit-deflate-frame", 101, ""},
        {"permessage-deflate;", 400, ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *request =
            mem_printf(HANDSHAKE "Sec-WebSocket-Extensions: %s\r\n\r\n", cases[i].lines);
        struct answer answer = ask(*state, PUBLIC, request);

        assert_status(answer, cases[i].status);
        if (!slice_eq(answer_header(&answer, "Sec-WebSocket-Extensions"),
                      slice_str(cases[i].response)))
            fail_msg("%s: %.*s", cases[i].lines, SLICE_FMT(answer.head));
        mem_free(request);
    }
}

static void tokens_decide_after_the_handshakes_checks(void **state)
{
    static const struct {
        const char *query;
        const char *header;
        const char *user; /* NULL: 401 */
    } cases[] = {
        {"", "", "-"},
        {"", "Authorization: Bearer good\r\n", "alice"},
        {"", "Authorization: bearer good\r\n", "alice"},
        {"", "Authorization: Bearer wrong\r\n", NULL},
        {"", "Authorization: Bearer\r\n", NULL},
        {"", "Authorization: Bearer good good\r\n", NULL},
        {"", "Authorization: Basic Zm9v\r\n", "-"},
        {"?access_token=query-good", "", "alice"},
        {"?x=1&access_token=query%2Dgood&y", "", "alice"},
        {"?access_token=wrong", "", NULL},
        {"?access_token=query-good&access_token=query-good", "", NULL},
        {"?access_token=%zz", "", NULL},
        {"?token=query-good", "", "-"},
    };
    uint64_t n_refused = 0;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *request = mem_printf("GET /ws%s HTTP/1.1\r\n" HOST UPGRADE KEY VERSION "%s\r\n",
                                   cases[i].query, cases[i].header);
        struct answer answer = ask(*state, PUBLIC, request);

        if (cases[i].user == NULL) {
            n_refused++;
            if (answer.status != 401)
                fail_msg("%s %s: %d", cases[i].query, cases[i].header, answer.status);
            assert_true(slice_starts_with(answer_header(&answer, "WWW-Authenticate"),
                                          (struct slice)SLICE("Bearer")));
            assert_slice(answer_header(&answer, "Content-Type"), "application/problem+json");
            assert_null(strstr(answer.body.base, "good"));
        } else {
            char *told = mem_printf(" user=%s ", cases[i].user);

            if (answer.status != 101 || strstr(answer.body.base, told) == NULL)
                fail_msg("%s %s: %d %s", cases[i].query, cases[i].header, answer.status,
                         answer.body.base);
            mem_free(told);
        }
        mem_free(request);
    }
    assert_int_equal(harness_metric(*state, METRIC_AUTH_FAILED), n_refused);
}

static void no_room_is_503_with_retry_after(void **state)
{
    struct answer answer;

    harness_set_room(*state, false);
    answer = ask(*state, PUBLIC, HANDSHAKE "Authorization: Bearer good\r\n\r\n");
    assert_status(answer, 503);
    assert_slice(answer_header(&answer, "Retry-After"), "5");
    assert_int_equal(harness_metric(*state, METRIC_CONNECTIONS_REFUSED), 1);
    /* Not even the token is looked at. */
    answer = ask(*state, PUBLIC, HANDSHAKE "Authorization: Bearer bad\r\n\r\n");
    assert_status(answer, 503);
    harness_set_room(*state, true);
    answer = ask(*state, PUBLIC, HANDSHAKE "\r\n");
    assert_status(answer, 101);
}

static void paths_match_exactly_and_decoded(void **state)
{
    static const struct {
        const char *target;
        int status;
    } cases[] = {
        {"/ws?a=b", 101},    {"/%77s", 101},
        {"/ws/", 404},       {"/WS", 404},
        {"/wsx", 404},       {"/x/../ws", 404},
        {"//ws", 404},       {"/ws%00", 404},
        {"/ws%", 400},       {"/%zz", 400},
        {"/other", 404},     {"/%EC%B1%84%ED%8C%85", 101},
        {"/listed#ws", 101}, {"http://gateway.example:8080/ws?x", 101},
        {"*", 404},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *request =
            mem_printf("GET %s HTTP/1.1\r\n" HOST UPGRADE KEY VERSION "\r\n", cases[i].target);
        struct answer answer = ask(*state, PUBLIC, request);

        if (answer.status != cases[i].status)
            fail_msg("%s: %d", cases[i].target, answer.status);
        if (answer.status == 404)
            assert_slice(answer_header(&answer, "Content-Type"), "application/problem+json");
        mem_free(request);
    }
}

static void the_page_is_served_with_its_policy(void **state)
{
    struct answer answer = ask(*state, PUBLIC, "GET / HTTP/1.1\r\n" HOST "\r\n");
    char *request;
    int fd;

    assert_status(answer, 200);
    assert_true(slice_starts_with(answer_header(&answer, "Content-Type"),
                                  (struct slice)SLICE("text/html")));
    assert_true(slice_starts_with(answer_header(&answer, "Content-Security-Policy"),
                                  (struct slice)SLICE("default-src 'none'")));
    assert_slice(answer_header(&answer, "X-Content-Type-Options"), "nosniff");
    assert_non_null(strstr(answer.body.base, "<html"));

    request = mem_printf("GET / HTTP/1.1\r\n" HOST "If-None-Match: \"x\", W/%.*s\r\n\r\n",
                         SLICE_FMT(answer_header(&answer, "ETag")));
    answer = ask(*state, PUBLIC, request);
    assert_status(answer, 304);
    assert_slice(answer.body, "");
    mem_free(request);

    answer = ask(*state, PUBLIC,
                 "GET /demo/stomp.umd.min.js HTTP/1.1\r\n" HOST "Accept-Encoding: gzip\r\n\r\n");
    assert_status(answer, 200);
    assert_slice(answer_header(&answer, "Content-Encoding"), "gzip");
    assert_slice(answer_header(&answer, "Vary"), "Accept-Encoding");
    assert_true(slice_starts_with(answer.body, (struct slice)SLICE("\x1f\x8b")));
    answer =
        ask(*state, PUBLIC,
            "GET /demo/stomp.umd.min.js HTTP/1.1\r\n" HOST "Accept-Encoding: br, gzip;q=0\r\n\r\n");
    assert_slice(answer_header(&answer, "Content-Encoding"), "");

    fd = harness_connect(*state, PUBLIC);
    client_send(fd, "HEAD / HTTP/1.1\r\n" HOST "\r\nGET /nowhere HTTP/1.1\r\n" HOST "\r\n");
    answer = client_read_head(fd);
    assert_status(answer, 200);
    close(fd);
    answer = ask(*state, PUBLIC, "POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n");
    assert_status(answer, 405);
    assert_slice(answer_header(&answer, "Allow"), "GET, HEAD");
}

static void one_connection_may_ask_again_after_an_error(void **state)
{
    int fd = harness_connect(*state, PUBLIC);
    struct answer answer;

    client_send(fd, "GET /nowhere HTTP/1.1\r\n" HOST "\r\n");
    answer = client_read(fd);
    assert_status(answer, 404);
    client_send(fd, GET_WS "\r\n");
    answer = client_read(fd);
    assert_status(answer, 400);
    client_send(fd, HANDSHAKE "\r\n");
    answer = client_read(fd);
    assert_status(answer, 101);
    close(fd);
}

static void bytes_one_by_one_are_a_request_too(void **state)
{
    static const char request[] = HANDSHAKE "\r\n"; /* the stub closes what it has upgraded */
    int fd = harness_connect(*state, PUBLIC);
    struct answer answer;

    for (const char *p = request; *p != '\0'; p++)
        assert_int_equal(send(fd, p, 1, MSG_NOSIGNAL), 1);
    answer = client_read(fd);
    assert_status(answer, 101);
    close(fd);
}

/* 10,000 headers, and one of 1 MiB: 400, or the connection ends before all of it was heard. */
static void a_huge_head_is_refused(void **state)
{
    char *many = mem_alloc(10000 * 16 + 1), *large = mem_alloc(1024 * 1024 + 1);
    char *requests[2];

    for (size_t i = 0; i < 10000; i++)
        (void)snprintf(many + i * 16, 17, "X-Hdr-%05zu: a\r\n", i);
    many[10000 * 16] = '\0';
    memset(large, 'a', 1024 * 1024);
    large[1024 * 1024] = '\0';
    requests[0] = mem_printf(GET_WS "%s\r\n", many);
    requests[1] = mem_printf(GET_WS "X-Large: %s\r\n\r\n", large);
    for (size_t i = 0; i < 2; i++) {
        struct answer answer = ask(*state, PUBLIC, requests[i]);

        assert_true(answer.status == 400 || answer.status == 0);
        answer = ask(*state, PUBLIC, HANDSHAKE "\r\n");
        assert_status(answer, 101);
        mem_free(requests[i]);
    }
    mem_free(many);
    mem_free(large);
}

static void a_body_that_nobody_needs_is_refused(void **state)
{
    struct answer answer =
        ask(*state, PUBLIC, "POST /ws HTTP/1.1\r\n" HOST "Content-Length: 70000\r\n\r\n");

    assert_status(answer, 413);
}

/* What a handshake holds must not leak: the sanitizers look. */
static void a_client_that_leaves_during_its_handshake_leaves_nothing(void **state)
{
    const struct linger reset = {.l_onoff = 1};

    for (int i = 0; i < 50; i++) {
        int fd = harness_connect(*state, PUBLIC);

        client_send(fd, HANDSHAKE "Authorization: Bearer good\r\n\r\n");
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(fd);
    }
    assert_int_equal(ask(*state, PUBLIC, HANDSHAKE "\r\n").status, 101);
}

static void refusals_do_not_fill_the_log(void **state)
{
    for (int i = 0; i < 50; i++)
        assert_int_equal(ask(*state, PUBLIC, GET_WS "\r\n").status, 400);
    harness_wait_for_log(*state, "handshake.refused status=400 reason=handshake peer=127.0.0.1 "
                                 "path=/ws host=gateway.example:8080 origin=\"\" suppressed=0");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_handshake_is_accepted_with_the_key_of_the_rfc),
        TEST(what_comes_behind_the_request_is_the_connections_input),
        TEST(each_wrong_handshake_gets_springs_answer),
        TEST(lists_and_spellings_are_read_as_spring_does),
        TEST(a_head_that_two_readers_read_differently_is_refused),
        TEST(http_1_0_has_no_upgrade),
        TEST(the_origin_is_judged_before_all_else),
        TEST(the_clients_first_known_protocol_is_taken_in_its_spelling),
        TEST(compression_is_agreed_on_what_client_and_settings_say),
        TEST(tokens_decide_after_the_handshakes_checks),
        TEST(no_room_is_503_with_retry_after),
        TEST(paths_match_exactly_and_decoded),
        TEST(the_page_is_served_with_its_policy),
        TEST(one_connection_may_ask_again_after_an_error),
        TEST(bytes_one_by_one_are_a_request_too),
        TEST(a_huge_head_is_refused),
        TEST(a_body_that_nobody_needs_is_refused),
        TEST(a_client_that_leaves_during_its_handshake_leaves_nothing),
        TEST(refusals_do_not_fill_the_log),
    };

    return cmocka_run_group_tests_name("gateway/http/public", tests, NULL, NULL);
}
