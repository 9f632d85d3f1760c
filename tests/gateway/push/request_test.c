#include "tests/test.h"
#include <stdio.h>
#include "base/mem.h"
#include "gateway/push/request.h"

static struct push_request parse(struct slice json)
{
    struct push_request request;
    struct push_error error;

    if (!push_request_parse(json, &request, &error))
        fail_msg("%.*s: %s: %s", SLICE_FMT(json), error.field, error.detail);
    return request;
}

static void the_body_kinds_and_their_types(void **state)
{
    const struct {
        struct slice members;
        struct slice body;
        struct slice content_type;
    } cases[] = {
        {SLICE("\"text\":\"h\\u00e9 \\\"x\\\"\""), SLICE("h\xc3\xa9 \"x\""),
         SLICE("text/plain;charset=UTF-8")},
        {SLICE("\"text\":\"\""), SLICE(""), SLICE("text/plain;charset=UTF-8")},
        {SLICE("\"text\":\"a\\u0000b\""), SLICE("a\0b"), SLICE("text/plain;charset=UTF-8")},
        {SLICE("\"text\":\"x\",\"content_type\":\"text/html; charset=utf-8\""), SLICE("x"),
         SLICE("text/html; charset=utf-8")},
        {SLICE("\"body\":\"{\\\"a\\\":1}\",\"content_type\":\"application/json\""),
         SLICE("{\"a\":1}"), SLICE("application/json")},
        {SLICE("\"body\":\"just text\""), SLICE("just text"), SLICE("text/plain;charset=UTF-8")},
        {SLICE("\"body\": { \"b\" : [ 1 , 2.50 , \" x \" ] ,\n\t\"a\":{}} "),
         SLICE("{\"b\":[1,2.50,\" x \"],\"a\":{}}"), SLICE("application/json")},
        {SLICE("\"body\": null "), SLICE("null"), SLICE("application/json")},
        {SLICE("\"body\":true"), SLICE("true"), SLICE("application/json")},
        {SLICE("\"body\":[]"), SLICE("[]"), SLICE("application/json")},
        {SLICE("\"b\\u006fdy\":[\"\\u0000\\\"\"]"), SLICE("[\"\\u0000\\\"\"]"),
         SLICE("application/json")},
        {SLICE("\"base64\":\"AP/+\""), SLICE("\0\xff\xfe"), SLICE("application/octet-stream")},
        {SLICE("\"base64\":\"\""), SLICE(""), SLICE("application/octet-stream")},
        {SLICE("\"base64\":\"aGk=\",\"content_type\":\"image/png\""), SLICE("hi"),
         SLICE("image/png")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *json = mem_printf("{%.*s,\"destination\":\"/topic/a\"}", SLICE_FMT(cases[i].members));
        struct push_request request = parse(slice_str(json));

        assert_slice(request.destination, "/topic/a");
        if (!slice_eq(request.body, cases[i].body) ||
            !slice_eq(request.content_type, cases[i].content_type))
            fail_msg("%s gave body %.*s, type %.*s", json, SLICE_FMT(request.body),
                     SLICE_FMT(request.content_type));
        push_request_dispose(&request);
        mem_free(json);
    }
}

static void numbers_go_out_with_their_own_digits(void **state)
{
    const char *const numbers[] = {
        "0.1", "1.0", "1E2", "12345678901234567890123456789", "-0", "9007199254740993", "1e-400"};

    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        char *json = mem_printf("{\"destination\":\"/t\",\"body\":%s}", numbers[i]);
        struct push_request request = parse(slice_str(json));

        assert_true(slice_eq(request.body, slice_str(numbers[i])));
        push_request_dispose(&request);
        mem_free(json);
    }
}

static void headers_keep_their_order_and_any_text(void **state)
{
    struct push_request request =
        parse((struct slice)SLICE("{\"destination\":\"/t\",\"text\":\"\",\"headers\":{"
                                  "\"z\":\"http://a:1/\",\"a\":\"\",\"\\uc11c\":\"\\ubc84\"}}"));

    (void)state;
    assert_int_equal(request.n_headers, 3);
    assert_slice(request.headers[0].name, "z");
    assert_slice(request.headers[0].value, "http://a:1/");
    assert_slice(request.headers[1].name, "a");
    assert_slice(request.headers[1].value, "");
    assert_slice(request.headers[2].name, "\xec\x84\x9c");
    assert_slice(request.headers[2].value, "\xeb\xb2\x84");
    push_request_dispose(&request);
}

static void every_refusal_names_the_field(void **state)
{
    const struct {
        struct slice json;
        const char *field;
    } cases[] = {
        {SLICE(""), ""},
        {SLICE("no json"), ""},
        {SLICE("{\"destination\":\"/t\",\"text\":\"\""), ""},
        {SLICE("{\"destination\":\"/t\",\"text\":\"\"} x"), ""},
        {SLICE("[]"), ""},
        {SLICE("\"/t\""), ""},
        {SLICE("{\"destination\":\"/t\",\"text\":\"\xff\"}"), ""},
        {SLICE("{\"destination\":\"/t\",\"text\":\"\xc3\"}"), ""},
        {SLICE("{\"destination\":\"/t\",\"text\":\"\\ud800\"}"), ""},
        {SLICE("{\"destination\":\"/t\",\"body\":1e999}"), ""},
        {SLICE("{\"destination\":\"/t\",\"text\":\"\",\"a\\u0000\":1}"), ""},
        {SLICE("{}"), "destination"},
        {SLICE("{\"text\":\"\"}"), "destination"},
        {SLICE("{\"destination\":1,\"text\":\"\"}"), "destination"},
        {SLICE("{\"destination\":\"\",\"text\":\"\"}"), "destination"},
        {SLICE("{\"destination\":\"topic\",\"text\":\"\"}"), "destination"},
        {SLICE("{\"destination\":\"/a\\nb\",\"text\":\"\"}"), "destination"},
        {SLICE("{\"destination\":\"/a\\u0000b\",\"text\":\"\"}"), "destination"},
        {SLICE("{\"destination\":\"/t\",\"destination\":\"/t\",\"text\":\"\"}"), "destination"},
        {SLICE("{\"destination\":\"/t\",\"body\":{\"a\":1,\"a\":2}}"), "a"},
        {SLICE("{\"destination\":\"/t\",\"text\":\"\",\"payload\":1}"), "payload"},
        {SLICE("{\"destination\":\"/t\",\"text\":\"\",\"Headers\":{}}"), "Headers"},
        {SLICE("{\"destination\":\"/t\",\"text\":\"\",\"\\u001b\xc3\xa9\":1}"), "???"},
        {SLICE("{\"destination\":\"/t\"}"), "body"},
        {SLICE("{\"destination\":\"/t\",\"text\":\"\",\"body\":1}"), "text"},
        {SLICE("{\"destination\":\"/t\",\"base64\":\"\",\"text\":\"\"}"), "base64"},
        {SLICE("{\"destination\":\"/t\",\"text\":1}"), "text"},
        {SLICE("{\"destination\":\"/t\",\"text\":null}"), "text"},
        {SLICE("{\"destination\":\"/t\",\"base64\":1}"), "base64"},
        {SLICE("{\"destination\":\"/t\",\"base64\":\"a\"}"), "base64"},
        {SLICE("{\"destination\":\"/t\",\"base64\":\"aGk\"}"), "base64"},
        {SLICE("{\"destination\":\"/t\",\"text\":\"\",\"content_type\":1}"), "content_type"},
        {SLICE("{\"destination\":\"/t\",\"text\":\"\",\"content_type\":\"\"}"), "content_type"},
        {SLICE("{\"destination\":\"/t\",\"text\":\"\",\"content_type\":\"x\"}"), "content_type"},
        {SLICE("{\"destination\":\"/t\",\"text\":\"\",\"content_type\":\"a/\"}"), "content_type"},
        {SLICE("{\"destination\":\"/t\",\"text\":\"\",\"content_type\":\"a/b\\nc:d\"}"),
         "content_type"},
        {SLICE("{\"destination\":\"/t\",\"text\":\"\",\"headers\":[]}"), "headers"},
        {SLICE("{\"destination\":\"/t\",\"text\":\"\",\"headers\":{\"a\":1}}"), "headers.a"},
        {SLICE("{\"destination\":\"/t\",\"text\":\"\",\"headers\":{\"\":\"\"}}"), "headers."},
        {SLICE("{\"destination\":\"/t\",\"text\":\"\",\"headers\":{\"a:b\":\"\"}}"), "headers.a:b"},
        {SLICE("{\"destination\":\"/t\",\"text\":\"\",\"headers\":{\"a\\nb\":\"\"}}"),
         "headers.a?b"},
        {SLICE("{\"destination\":\"/t\",\"text\":\"\",\"headers\":{\"a\":\"b\\nc\"}}"),
         "headers.a"},
        {SLICE("{\"destination\":\"/t\",\"text\":\"\",\"headers\":{\"a\":\"b\\u0000\"}}"),
         "headers.a"},
        {SLICE("{\"destination\":\"/t\",\"text\":\"\",\"headers\":{\"a\":\"1\",\"a\":\"2\"}}"),
         "a"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct push_request request = {.n_headers = 77};
        struct push_error error;

        if (push_request_parse(cases[i].json, &request, &error))
            fail_msg("taken: %.*s", SLICE_FMT(cases[i].json));
        assert_int_equal(error.status, 400);
        if (strcmp(error.field, cases[i].field) != 0)
            fail_msg("%.*s: field %s (%s), expected %s", SLICE_FMT(cases[i].json), error.field,
                     error.detail, cases[i].field);
        assert_int_not_equal(error.detail[0], '\0');
        assert_int_equal(request.n_headers, 77);
    }
}

static void the_servers_own_headers_are_refused(void **state)
{
    const char *const names[] = {
        "destination",   "subscription", "message-id",  "content-length",
        "content-type",  "ack",          "receipt",     "receipt-id",
        "transaction",   "version",      "session",     "server",
        "heart-beat",    "user-name",    "redelivered", "x-delivery-count",
        "simpSessionId", "x-sequence",   "x-epoch",     "Content-Type",
        "SIMPUSER",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *json = mem_printf("{\"destination\":\"/t\",\"text\":\"\",\"headers\":{\"%s\":\"x\"}}",
                                names[i]);
        char *field = mem_printf("headers.%s", names[i]);
        struct push_request request;
        struct push_error error;

        if (push_request_parse(slice_str(json), &request, &error))
            fail_msg("taken: %s", names[i]);
        assert_string_equal(error.field, field);
        mem_free(field);
        mem_free(json);
    }
}

/* A JSON text with `n` times the letter a between two parts. */
static struct slice with_letters(const char *before, size_t n, const char *after)
{
    char *json = mem_alloc(strlen(before) + n + strlen(after) + 1);

    memcpy(json, before, strlen(before));
    memset(json + strlen(before), 'a', n);
    memcpy(json + strlen(before) + n, after, strlen(after) + 1);
    return slice_str(json);
}

static void lengths_are_bounded(void **state)
{
    const struct {
        const char *before;
        size_t n_ok; /* one more is refused */
        const char *after;
        const char *field;
    } cases[] = {
        {"{\"text\":\"\",\"destination\":\"/", 1023, "\"}", "destination"},
        {"{\"text\":\"\",\"destination\":\"/t\",\"content_type\":\"text/", 250, "\"}",
         "content_type"},
        {"{\"text\":\"\",\"destination\":\"/t\",\"headers\":{\"", 255, "\":\"\"}}",
         "headers."
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
        {"{\"text\":\"\",\"destination\":\"/t\",\"headers\":{\"x\":\"", 8192, "\"}}", "headers.x"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slice fits = with_letters(cases[i].before, cases[i].n_ok, cases[i].after);
        struct slice too_long = with_letters(cases[i].before, cases[i].n_ok + 1, cases[i].after);
        struct push_request request = parse(fits);
        struct push_error error;

        push_request_dispose(&request);
        assert_false(push_request_parse(too_long, &request, &error));
        assert_string_equal(error.field, cases[i].field);
        mem_free((char *)fits.base);
        mem_free((char *)too_long.base);
    }
}

static void the_number_of_headers_is_bounded(void **state)
{
    char json[4096];
    struct push_request request;
    struct push_error error;

    (void)state;
    for (int n = 64; n <= 65; n++) {
        size_t len = (size_t)snprintf(json, sizeof(json),
                                      "{\"destination\":\"/t\",\"text\":\"\",\"headers\":{");

        for (int i = 0; i < n; i++)
            len += (size_t)snprintf(json + len, sizeof(json) - len, "%s\"h%d\":\"\"",
                                    i == 0 ? "" : ",", i);
        len += (size_t)snprintf(json + len, sizeof(json) - len, "}}");
        if (n == 64) {
            assert_true(push_request_parse(slice_of(json, len), &request, &error));
            assert_int_equal(request.n_headers, 64);
            push_request_dispose(&request);
        } else {
            assert_false(push_request_parse(slice_of(json, len), &request, &error));
            assert_string_equal(error.field, "headers");
        }
    }
}

static void deep_nesting_is_refused(void **state)
{
    enum { DEPTH = 100000 };
    static const char before[] = "{\"destination\":\"/t\",\"body\":";
    char *json = mem_alloc(sizeof(before) - 1 + DEPTH);
    struct push_request request;
    struct push_error error;

    (void)state;
    memcpy(json, before, sizeof(before) - 1);
    memset(json + sizeof(before) - 1, '[', DEPTH);
    assert_false(push_request_parse(slice_of(json, sizeof(before) - 1 + DEPTH), &request, &error));
    assert_int_equal(error.status, 400);
    mem_free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_body_kinds_and_their_types),
        cmocka_unit_test(numbers_go_out_with_their_own_digits),
        cmocka_unit_test(headers_keep_their_order_and_any_text),
        cmocka_unit_test(every_refusal_names_the_field),
        cmocka_unit_test(the_servers_own_headers_are_refused),
        cmocka_unit_test(lengths_are_bounded),
        cmocka_unit_test(the_number_of_headers_is_bounded),
        cmocka_unit_test(deep_nesting_is_refused),
    };

    return cmocka_run_group_tests_name("gateway/push/request", tests, NULL, NULL);
}
