#include "tests/test.h"
#include "gateway/bench/extension.h"

static const struct extension_offer none = {0};
static const struct extension_offer plain = {.has_deflate = true};
static const struct extension_offer takeover = {.has_deflate = true, .has_takeover = true};
static const struct extension_offer small = {.has_deflate = true, .window_bits = 10};

static void the_offer_says_what_is_wanted(void **state)
{
    const struct {
        const struct extension_offer *offer;
        const char *line;
    } rows[] = {
        {&none, ""},
        {&plain, "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; "
                 "server_no_context_takeover\r\n"},
        {&takeover, "Sec-WebSocket-Extensions: permessage-deflate\r\n"},
        {&small, "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; "
                 "server_no_context_takeover; server_max_window_bits=10\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf out;

        buf_init(&out, 4096);
        assert_true(extension_write(&out, rows[i].offer));
        assert_true(slice_eq(buf_slice(&out), slice_str(rows[i].line)));
        buf_dispose(&out);
    }
}

static void right_answers_are_read(void **state)
{
    const struct {
        const struct extension_offer *offer;
        const char *value;
        bool has_deflate, keeps_context;
        unsigned window_bits;
    } rows[] = {
        {&none, "", false, false, 0},
        {&none, "  ", false, false, 0},
        {&plain, "permessage-deflate; server_no_context_takeover", true, false, 15},
        {&plain, " PerMessage-Deflate;client_no_context_takeover ; Server_No_Context_Takeover ",
         true, false, 15},
        {&plain, "permessage-deflate; server_no_context_takeover; server_max_window_bits=9", true,
         false, 9},
        {&takeover, "permessage-deflate", true, true, 15},
        {&takeover, "permessage-deflate; server_no_context_takeover", true, false, 15},
        {&takeover, "permessage-deflate; server_max_window_bits=\"11\"", true, true, 11},
        {&small, "permessage-deflate; server_no_context_takeover; server_max_window_bits = 8", true,
         false, 8},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct extension_answer answer;

        assert_int_equal(extension_read(slice_str(rows[i].value), rows[i].offer, &answer), LOAD_OK);
        assert_int_equal(answer.has_deflate, rows[i].has_deflate);
        assert_int_equal(answer.keeps_context, rows[i].keeps_context);
        assert_int_equal(answer.window_bits, rows[i].window_bits);
    }
}

#define FRESH "permessage-deflate; server_no_context_takeover"

static void wrong_answers_are_refused(void **state)
{
    const struct {
        const struct extension_offer *offer;
        const char *value;
        enum load_status status;
    } rows[] = {
        {&plain, "", LOAD_ERR_EXTENSION_REFUSED},
        {&takeover, " ", LOAD_ERR_EXTENSION_REFUSED},
        {&none, FRESH, LOAD_ERR_EXTENSION_ANSWER},
        {&plain, "x-webkit-deflate-frame", LOAD_ERR_EXTENSION_ANSWER},
        {&plain, FRESH ", " FRESH, LOAD_ERR_EXTENSION_ANSWER},
        {&plain, FRESH "; server_no_context_takeover", LOAD_ERR_EXTENSION_ANSWER},
        {&plain, FRESH "; client_no_context_takeover=1", LOAD_ERR_EXTENSION_ANSWER},
        {&plain, FRESH "; client_max_window_bits=12", LOAD_ERR_EXTENSION_ANSWER},
        {&plain, FRESH "; server_max_window_bits", LOAD_ERR_EXTENSION_ANSWER},
        {&plain, FRESH "; server_max_window_bits=7", LOAD_ERR_EXTENSION_ANSWER},
        {&plain, FRESH "; server_max_window_bits=16", LOAD_ERR_EXTENSION_ANSWER},
        {&plain, FRESH "; server_max_window_bits=9; server_max_window_bits=9",
         LOAD_ERR_EXTENSION_ANSWER},
        {&plain, FRESH "; else", LOAD_ERR_EXTENSION_ANSWER},
        {&plain, FRESH ";", LOAD_ERR_EXTENSION_ANSWER},
        {&plain, "permessage-deflate", LOAD_ERR_EXTENSION_CONTEXT},
        {&plain, "permessage-deflate; client_no_context_takeover", LOAD_ERR_EXTENSION_CONTEXT},
        {&small, FRESH, LOAD_ERR_EXTENSION_WINDOW},
        {&small, FRESH "; server_max_window_bits=11", LOAD_ERR_EXTENSION_WINDOW},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct extension_answer answer;

        assert_int_equal(extension_read(slice_str(rows[i].value), rows[i].offer, &answer),
                         rows[i].status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_offer_says_what_is_wanted),
        cmocka_unit_test(right_answers_are_read),
        cmocka_unit_test(wrong_answers_are_refused),
    };

    return cmocka_run_group_tests_name("bench/extension", tests, NULL, NULL);
}
