#include "tests/gateway/http/harness.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"

enum { ADMIN = 1, LIMIT = 1000 };

static struct config_api_key keys[] = {
    {.name = SLICE("all"), .roles = CONFIG_ROLE_PUBLISH | CONFIG_ROLE_METRICS},
    {.name = SLICE("pusher"), .roles = CONFIG_ROLE_PUBLISH},
    {.name = SLICE("scraper"), .roles = CONFIG_ROLE_METRICS},
};

/* The key of each is its name. */
static int start_with(void **state, size_t n_keys, const char *listen)
{
    static struct config config;

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        (void)SHA256((const unsigned char *)keys[i].name.base, keys[i].name.len, keys[i].sha256);
    config = (struct config){
        .admin = {.listen = slice_str(listen), .api_keys = keys, .n_api_keys = n_keys},
        .transport = {.message_size_limit = LIMIT},
    };
    *state = harness_start(&config);
    return 0;
}

static int start(void **state)
{
    return start_with(state, 0, "127.0.0.1:0");
}

static int start_with_keys(void **state)
{
    return start_with(state, sizeof(keys) / sizeof(keys[0]), "127.0.0.1:0");
}

static int start_open_without_keys(void **state)
{
    return start_with(state, 0, "0.0.0.0:0");
}

static int stop(void **state)
{
    harness_stop(*state);
    return 0;
}

/* A request with a body; `headers` are whole lines. */
static struct answer publish(struct harness *h, const char *headers, const char *body)
{
    char *request = mem_printf("POST /api/v1/publish HTTP/1.1\r\nHost: a\r\n%s"
                               "Content-Length: %zu\r\n\r\n%s",
                               headers, strlen(body), body);
    struct answer answer = ask(h, ADMIN, request);

    mem_free(request);
    return answer;
}

static void assert_problem(const struct answer *answer, int status, const char *part)
{
    assert_status(*answer, status);
    assert_slice(answer_header(answer, "Content-Type"), "application/problem+json");
    if (strstr(answer->body.base, part) == NULL)
        fail_msg("no %s in %s", part, answer->body.base);
}

#define TO_TOPIC "{\"destination\":\"/topic/a\",\"text\":\"hello\"}"

static void a_publish_answers_with_its_deliveries(void **state)
{
    static const char *const types[] = {
        "",
        "Content-Type: application/json\r\n",
        "Content-Type: Application/JSON; charset=utf-8\r\n",
    };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct answer answer = publish(*state, types[i], TO_TOPIC);

        assert_status(answer, 200);
        assert_slice(answer_header(&answer, "Content-Type"), "application/json");
        assert_slice(answer_header(&answer, "Cache-Control"), "no-store");
        assert_slice(answer.body, "{\"deliveries\":5}");
    }
    assert_int_equal(harness_metric(*state, METRIC_PUSHED), 3);
    assert_int_equal(harness_metric(*state, METRIC_PUSH_REFUSED), 0);
}

static void a_body_may_come_in_chunks_and_after_100_continue(void **state)
{
    struct answer answer = ask(
        *state, ADMIN,
        "POST /api/v1/publish HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "19\r\n{\"destination\":\"/topic/a\"\r\n13;x=y\r\n,\"text\":\"from abc\"}\r\n0\r\n\r\n");
    int fd;

    assert_status(answer, 200);
    assert_slice(answer.body, "{\"deliveries\":8}");
    fd = harness_connect(*state, ADMIN);
    client_send(fd, "POST /api/v1/publish HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                    "Content-Length: 41\r\n\r\n");
    answer = client_read_head(fd);
    assert_status(answer, 100);
    client_send(fd, TO_TOPIC);
    answer = client_read(fd);
    assert_status(answer, 200);
    close(fd);
}

static void what_is_wrong_with_a_push_is_told(void **state)
{
    struct answer answer = publish(*state, "", "no json");

    assert_problem(&answer, 400, "\"detail\":\"not valid JSON");
    answer = publish(*state, "", "");
    assert_problem(&answer, 400, "\"status\":400");
    answer = publish(*state, "", "{\"destination\":\"topic\",\"text\":\"\"}");
    assert_problem(&answer, 400, "\"field\":\"destination\"");
    answer = publish(*state, "", "{\"destination\":\"/t\",\"text\":\"\",\"to\":1}");
    assert_problem(&answer, 400, "\"field\":\"to\"");
    answer = publish(*state, "", "{\"destination\":\"/topic/full\",\"text\":\"\"}");
    assert_problem(&answer, 503, "\"status\":503");
    assert_slice(answer_header(&answer, "Retry-After"), "1");
    answer = publish(*state, "", "{\"destination\":\"/topic/big\",\"text\":\"\"}");
    assert_problem(&answer, 413, "transport.message_size_limit");
    answer = publish(*state, "", "{\"destination\":\"/user/joe\",\"text\":\"\"}");
    assert_problem(&answer, 422, "\"title\":\"Unprocessable Content\"");
    answer = publish(*state, "Content-Type: text/plain\r\n", TO_TOPIC);
    assert_problem(&answer, 415, "application/json");
    assert_int_equal(harness_metric(*state, METRIC_PUSH_REFUSED), 8);
    assert_int_equal(harness_metric(*state, METRIC_PUSHED), 0);
}

static void a_body_beyond_all_limits_is_413(void **state)
{
    enum { MAX = LIMIT * 2 + 64 * 1024 };
    char *body = mem_alloc(MAX + 2);
    struct answer answer;

    memset(body, ' ', MAX + 1);
    memcpy(body, TO_TOPIC, strlen(TO_TOPIC));
    body[MAX] = '\0';
    answer = publish(*state, "", body);
    assert_status(answer, 200);
    body[MAX] = ' ';
    body[MAX + 1] = '\0';
    answer = publish(*state, "", body);
    assert_problem(&answer, 413, "\"status\":413");
    mem_free(body);
    answer = ask(*state, ADMIN,
                 "POST /api/v1/publish HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999\r\n\r\n");
    assert_status(answer, 413);
}

static void other_paths_and_methods_are_told(void **state)
{
    static const struct {
        const char *line;
        int status;
        const char *allow;
    } cases[] = {
        {"GET /", 404, ""},
        {"GET /api/v1", 404, ""},
        {"GET /ws", 404, ""},
        {"GET /api/v1/publish", 405, "POST"},
        {"PUT /api/v1/publish", 405, "POST"},
        {"POST /metrics", 405, "GET, HEAD"},
        {"DELETE /health/live", 405, "GET, HEAD"},
        {"OPTIONS /health/ready", 405, "GET, HEAD"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *request = mem_printf("%s HTTP/1.1\r\nHost: a\r\n\r\n", cases[i].line);
        struct answer answer = ask(*state, ADMIN, request);

        assert_problem(&answer, cases[i].status, "\"type\":\"about:blank\"");
        assert_true(slice_eq(answer_header(&answer, "Allow"), slice_str(cases[i].allow)));
        mem_free(request);
    }
}

static void health_and_metrics_answer(void **state)
{
    struct answer answer = ask(*state, ADMIN, "GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n");
    int fd;

    assert_status(answer, 200);
    assert_slice(answer.body, "{\"status\":\"UP\"}");
    answer = ask(*state, ADMIN, "GET /health/ready?verbose HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_status(answer, 200);
    harness_set_ready(*state, false);
    answer = ask(*state, ADMIN, "GET /health/ready HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_status(answer, 503);
    assert_slice(answer.body, "{\"status\":\"OUT_OF_SERVICE\"}");
    answer = ask(*state, ADMIN, "GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_status(answer, 200);
    answer = ask(*state, ADMIN, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_status(answer, 200);
    assert_slice(answer_header(&answer, "Content-Type"),
                 "text/plain; version=0.0.4; charset=utf-8");
    assert_non_null(strstr(answer.body.base, "\nstompgate_messages_pushed_total 0\n"));

    fd = harness_connect(*state, ADMIN);
    client_send(fd, "HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    answer = client_read_head(fd);
    assert_status(answer, 200);
    assert_slice(answer.body, "");
    client_send(fd, "HEAD /health/live HTTP/1.1\r\nHost: a\r\n\r\n");
    answer = client_read_head(fd);
    assert_status(answer, 200);
    assert_slice(answer_header(&answer, "Content-Length"), "15");
    close(fd);
}

static void a_web_page_cannot_push_without_a_key(void **state)
{
    struct answer answer = publish(*state, "Origin: http://evil.example\r\n", TO_TOPIC);

    assert_problem(&answer, 403, "web pages");
    answer = ask(*state, ADMIN, "GET /health/live HTTP/1.1\r\nHost: a\r\nOrigin: null\r\n\r\n");
    assert_status(answer, 200);
    assert_int_equal(harness_metric(*state, METRIC_PUSHED), 0);
}

static void a_key_needs_the_role(void **state)
{
    static const struct {
        const char *header;
        int publish;
        int metrics;
    } cases[] = {
        {"", 401, 401},
        {"Authorization: Bearer all\r\n", 200, 200},
        {"authorization: bearer all\r\n", 200, 200},
        {"X-API-Key: all\r\n", 200, 200},
        {"X-API-Key: pusher\r\n", 200, 403},
        {"X-API-Key: scraper\r\n", 403, 200},
        {"X-API-Key: unknown\r\n", 401, 401},
        {"X-API-Key: al\r\n", 401, 401},
        {"X-API-Key:\r\n", 401, 401},
        {"Authorization: Basic all\r\n", 401, 401},
        {"Authorization: Bearer unknown\r\nX-API-Key: all\r\n", 401, 401},
        {"X-API-Key: all\r\nOrigin: http://dashboard.example\r\n", 200, 200},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *request = mem_printf("GET /metrics HTTP/1.1\r\nHost: a\r\n%s\r\n", cases[i].header);
        struct answer answer = publish(*state, cases[i].header, TO_TOPIC);

        if (answer.status != cases[i].publish)
            fail_msg("publish with %s: %d", cases[i].header, answer.status);
        if (answer.status == 401)
            assert_slice(answer_header(&answer, "WWW-Authenticate"), "Bearer");
        answer = ask(*state, ADMIN, request);
        if (answer.status != cases[i].metrics)
            fail_msg("metrics with %s: %d", cases[i].header, answer.status);
        mem_free(request);
    }
    assert_int_equal(ask(*state, ADMIN, "GET /health/ready HTTP/1.1\r\nHost: a\r\n\r\n").status,
                     200);
    harness_wait_for_log(*state, "admin.refused status=401 reason=no-key peer=127.0.0.1");
}

static void beyond_loopback_a_key_is_needed_even_when_there_is_none(void **state)
{
    struct answer answer = publish(*state, "", TO_TOPIC);

    assert_problem(&answer, 401, "an API key is needed");
    answer = publish(*state, "X-API-Key: all\r\n", TO_TOPIC);
    assert_problem(&answer, 401, "unknown API key");
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    int fd = harness_connect(*state, ADMIN);
    char text[4096];
    size_t len = 0;
    ssize_t n;

    client_send(fd,
                "POST /api/v1/publish HTTP/1.1\r\nHost: a\r\nContent-Length: 41\r\n\r\n" TO_TOPIC
                "GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    while (len < sizeof(text) - 1 && (n = recv(fd, text + len, sizeof(text) - 1 - len, 0)) > 0)
        len += (size_t)n;
    text[len] = '\0';
    close(fd);
    assert_non_null(strstr(text, "{\"deliveries\":5}"));
    assert_non_null(strstr(strstr(text, "{\"deliveries\":5}"), "{\"status\":\"UP\"}"));
}

int main(void)
{
#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_publish_answers_with_its_deliveries, start),
        TEST(a_body_may_come_in_chunks_and_after_100_continue, start),
        TEST(what_is_wrong_with_a_push_is_told, start),
        TEST(a_body_beyond_all_limits_is_413, start),
        TEST(other_paths_and_methods_are_told, start),
        TEST(health_and_metrics_answer, start),
        TEST(a_web_page_cannot_push_without_a_key, start),
        TEST(a_key_needs_the_role, start_with_keys),
        TEST(beyond_loopback_a_key_is_needed_even_when_there_is_none, start_open_without_keys),
        TEST(pipelined_requests_are_answered_in_order, start),
    };

    return cmocka_run_group_tests_name("gateway/http/admin", tests, NULL, NULL);
}
