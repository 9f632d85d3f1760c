#include "tests/test.h"
#include <openssl/evp.h>
#include "gateway/websocket/handshake.h"

#define S(literal) ((struct slice)SLICE(literal))
#define ABSENT ((struct slice){NULL, 0})

/* RFC 6455, section 1.3. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="

static const struct slice stomp[] = {SLICE("v12.stomp"), SLICE("v11.stomp"), SLICE("v10.stomp")};

static struct ws_request good_request(void)
{
    return (struct ws_request){
        .method = S("GET"),
        .upgrade = S("websocket"),
        .connection = S("Upgrade"),
        .key = S(KEY),
        .version = S("13"),
    };
}

static struct ws_answer check(const struct ws_request *request)
{
    struct ws_answer answer;

    memset(&answer, 0x7f, sizeof(answer));
    ws_handshake_check(request, stomp, sizeof(stomp) / sizeof(stomp[0]), &answer);
    return answer;
}

static void the_rfc_s_key_gives_the_rfc_s_answer(void **state)
{
    struct ws_request request = good_request();
    struct ws_answer answer = check(&request);

    (void)state;
    assert_int_equal(answer.status, 101);
    assert_slice(slice_of(answer.accept, sizeof(answer.accept)), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_string_equal(answer.body, "");
    assert_null(answer.header_name);
    assert_int_equal(answer.protocol.len, 0);
}

enum field { METHOD, UPGRADE, CONNECTION, KEY_FIELD, VERSION };

static void set(struct ws_request *request, enum field field, struct slice value)
{
    struct slice *const fields[] = {&request->method, &request->upgrade, &request->connection,
                                    &request->key, &request->version};

    *fields[field] = value;
}

#define BAD_UPGRADE "Can \"Upgrade\" only to \"WebSocket\"."
#define BAD_CONNECTION "\"Connection\" must be \"upgrade\"."

static void each_header_is_judged_as_spring_and_tomcat_do(void **state)
{
    const struct {
        enum field field;
        struct slice value;
        int status;
        const char *body, *header_name, *header_value;
    } rows[] = {
        {METHOD, SLICE("POST"), 405, "", "Allow", "GET"},
        {METHOD, SLICE("HEAD"), 405, "", "Allow", "GET"},
        {METHOD, SLICE("CONNECT"), 405, "", "Allow", "GET"},
        {METHOD, SLICE("get"), 405, "", "Allow", "GET"},
        {METHOD, SLICE(""), 405, "", "Allow", "GET"},
        {UPGRADE, {NULL, 0}, 400, BAD_UPGRADE, NULL, NULL},
        {UPGRADE, SLICE(""), 400, BAD_UPGRADE, NULL, NULL},
        {UPGRADE, SLICE("h2c"), 400, BAD_UPGRADE, NULL, NULL},
        {UPGRADE, SLICE("websocket, h2c"), 400, BAD_UPGRADE, NULL, NULL},
        {UPGRADE, SLICE("websocket/13"), 400, BAD_UPGRADE, NULL, NULL},
        {UPGRADE, SLICE("websockets"), 400, BAD_UPGRADE, NULL, NULL},
        {UPGRADE, SLICE("WebSocket"), 101, "", NULL, NULL},
        {UPGRADE, SLICE("WEBSOCKET "), 101, "", NULL, NULL},
        {CONNECTION, {NULL, 0}, 400, BAD_CONNECTION, NULL, NULL},
        {CONNECTION, SLICE(""), 400, BAD_CONNECTION, NULL, NULL},
        {CONNECTION, SLICE("UPGRADE"), 400, BAD_CONNECTION, NULL, NULL},
        {CONNECTION, SLICE("keep-alive"), 400, BAD_CONNECTION, NULL, NULL},
        {CONNECTION, SLICE("Upgraded"), 400, BAD_CONNECTION, NULL, NULL},
        {CONNECTION, SLICE("keep-alive Upgrade"), 400, BAD_CONNECTION, NULL, NULL},
        {CONNECTION, SLICE("upgrade"), 101, "", NULL, NULL},
        {CONNECTION, SLICE("keep-alive, Upgrade"), 101, "", NULL, NULL},
        {CONNECTION, SLICE("keep-alive,upgrade"), 101, "", NULL, NULL},
        {CONNECTION, SLICE(",, \tupgrade\t ,close"), 101, "", NULL, NULL},
        {CONNECTION, SLICE("UPGRADE, Upgrade"), 101, "", NULL, NULL},
        {KEY_FIELD, {NULL, 0}, 400, "", NULL, NULL},
        {KEY_FIELD, SLICE(""), 400, "", NULL, NULL},
        {KEY_FIELD, SLICE("short"), 400, "", NULL, NULL},
        {KEY_FIELD, SLICE("dGhlIHNhbXBsZSBub25j"), 400, "", NULL, NULL},     /* 15 bytes */
        {KEY_FIELD, SLICE("dGhlIHNhbXBsZSBub25jZWU="), 400, "", NULL, NULL}, /* 17 */
        {KEY_FIELD, SLICE("dGhlIHNhbXBsZSBub25jZWVl"), 400, "", NULL, NULL}, /* 18 */
        {KEY_FIELD, SLICE("dGhlIHNhbXBsZSBub25jZQ"), 400, "", NULL, NULL},   /* no padding */
        {KEY_FIELD, SLICE("dGhlIHNhbXBsZSBub25j===="), 400, "", NULL, NULL}, /* too much */
        {KEY_FIELD, SLICE("dGhl=HNhbXBsZSBub25jZQ=="), 400, "", NULL, NULL}, /* inside */
        {KEY_FIELD, SLICE("dGhl IHNhbXBsZSBub25jQ=="), 400, "", NULL, NULL}, /* a blank */
        {KEY_FIELD, SLICE("-_-_IHNhbXBsZSBub25jZQ=="), 400, "", NULL, NULL}, /* the other set */
        {KEY_FIELD, SLICE("dGhlIHNhbXBsZSBub25jZ-=="), 400, "", NULL, NULL}, /* the last digit */
        {KEY_FIELD, SLICE(KEY KEY), 400, "", NULL, NULL},
        {KEY_FIELD, SLICE(" " KEY "\t"), 101, "", NULL, NULL},
        {KEY_FIELD, SLICE("AQIDBAUGBwgJCgsMDQ4PEC=="), 101, "", NULL, NULL}, /* the RFC's, 4.1 */
        {KEY_FIELD, SLICE("+/+/+/+/+/+/+/+/+/+/+w=="), 101, "", NULL, NULL},
        {VERSION, {NULL, 0}, 426, "", "Sec-WebSocket-Version", "13"},
        {VERSION, SLICE(""), 426, "", "Sec-WebSocket-Version", "13"},
        {VERSION, SLICE("8"), 426, "", "Sec-WebSocket-Version", "13"},
        {VERSION, SLICE("013"), 426, "", "Sec-WebSocket-Version", "13"},
        {VERSION, SLICE("13, 8"), 426, "", "Sec-WebSocket-Version", "13"},
        {VERSION, SLICE(" 13 "), 101, "", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ws_request request = good_request();
        struct ws_answer answer;

        set(&request, rows[i].field, rows[i].value);
        answer = check(&request);
        if (answer.status != rows[i].status)
            fail_msg("field %d \"%.*s\": got %d, expected %d", rows[i].field,
                     SLICE_FMT(rows[i].value), answer.status, rows[i].status);
        assert_string_equal(answer.body, rows[i].body);
        if (rows[i].header_name == NULL) {
            assert_null(answer.header_name);
            assert_null(answer.header_value);
        } else {
            assert_string_equal(answer.header_name, rows[i].header_name);
            assert_string_equal(answer.header_value, rows[i].header_value);
        }
    }
}

/* A request with every mistake, mended one by one, shows the order. */
static void checks_come_in_spring_s_order(void **state)
{
    const struct {
        enum field mended;
        struct slice value;
        int status;
        const char *body;
    } rows[] = {
        {METHOD, SLICE("PUT"), 405, ""},
        {METHOD, SLICE("GET"), 400, BAD_UPGRADE},
        {UPGRADE, SLICE("websocket"), 400, BAD_CONNECTION},
        {CONNECTION, SLICE("upgrade"), 400, ""},
        {KEY_FIELD, SLICE("not a key"), 426, ""}, /* it is there: that is all Spring asks */
        {VERSION, SLICE("13"), 400, ""},
        {KEY_FIELD, SLICE(KEY), 101, ""},
    };
    struct ws_request request = {.method = ABSENT};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ws_answer answer;

        set(&request, rows[i].mended, rows[i].value);
        answer = check(&request);
        assert_int_equal(answer.status, rows[i].status);
        assert_string_equal(answer.body, rows[i].body);
    }
}

static void the_client_s_first_known_protocol_is_taken_as_it_spelled_it(void **state)
{
    const struct {
        struct slice lines[3];
        size_t n_lines;
        struct slice chosen;
    } rows[] = {
        {{SLICE("v12.stomp")}, 1, SLICE("v12.stomp")},
        {{SLICE("v10.stomp, v11.stomp, v12.stomp")}, 1, SLICE("v10.stomp")},
        {{SLICE("v12.stomp,v11.stomp")}, 1, SLICE("v12.stomp")},
        {{SLICE("mqtt , V11.Stomp\t,v12.stomp")}, 1, SLICE("V11.Stomp")},
        {{SLICE(", ,v11.stomp")}, 1, SLICE("v11.stomp")},
        {{SLICE("mqtt, v13.stomp, stomp")}, 1, SLICE("")},
        {{SLICE("v12.stomp v11.stomp")}, 1, SLICE("")},
        {{SLICE("v12.stom")}, 1, SLICE("")},
        {{SLICE("")}, 1, SLICE("")},
        {{SLICE("")}, 0, SLICE("")},
        /* Two or more lines: each is one value. */
        {{SLICE("v10.stomp"), SLICE("v12.stomp")}, 2, SLICE("v10.stomp")},
        {{SLICE("mqtt"), SLICE("V12.STOMP ")}, 2, SLICE("V12.STOMP")},
        {{SLICE("v10.stomp, v11.stomp"), SLICE("v12.stomp")}, 2, SLICE("v12.stomp")},
        {{SLICE("v10.stomp, v11.stomp"), SLICE("v11.stomp, v12.stomp")}, 2, SLICE("")},
        {{SLICE("v10.stomp,"), SLICE(""), SLICE("v11.stomp")}, 3, SLICE("v11.stomp")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ws_request request = good_request();
        struct ws_answer answer;

        request.protocols = rows[i].lines;
        request.n_protocols = rows[i].n_lines;
        answer = check(&request);
        assert_int_equal(answer.status, 101);
        if (!slice_eq(answer.protocol, rows[i].chosen))
            fail_msg("row %zu: got \"%.*s\", expected \"%.*s\"", i, SLICE_FMT(answer.protocol),
                     SLICE_FMT(rows[i].chosen));
    }
}

static void an_endpoint_without_protocols_takes_none(void **state)
{
    const struct slice line = SLICE("v12.stomp");
    struct ws_request request = good_request();
    struct ws_answer answer;

    (void)state;
    request.protocols = &line;
    request.n_protocols = 1;
    ws_handshake_check(&request, NULL, 0, &answer);
    assert_int_equal(answer.status, 101);
    assert_int_equal(answer.protocol.len, 0);
}

/* As on a machine whose libcrypto allows approved algorithms only, and SHA-1 is none. */
static void without_sha_1_the_answer_is_500(void **state)
{
    struct ws_request request = good_request();
    struct ws_answer answer;

    (void)state;
    assert_int_equal(EVP_set_default_properties(NULL, "provider=none"), 1);
    answer = check(&request);
    assert_int_equal(EVP_set_default_properties(NULL, ""), 1);
    assert_int_equal(answer.status, 500);
    assert_string_equal(answer.body, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rfc_s_key_gives_the_rfc_s_answer),
        cmocka_unit_test(each_header_is_judged_as_spring_and_tomcat_do),
        cmocka_unit_test(checks_come_in_spring_s_order),
        cmocka_unit_test(the_client_s_first_known_protocol_is_taken_as_it_spelled_it),
        cmocka_unit_test(an_endpoint_without_protocols_takes_none),
        cmocka_unit_test(without_sha_1_the_answer_is_500),
    };

    return cmocka_run_group_tests_name("gateway/websocket/handshake", tests, NULL, NULL);
}
