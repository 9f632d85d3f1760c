#include "tests/test.h"
#include <stdio.h>
#include "gateway/websocket/deflate_negotiate.h"

/* What a fresh installation that turns compression on has. */
static const struct ws_deflate_settings standard = {
    .is_enabled = true,
    .server_max_bits = 15,
    .client_max_bits = 15,
};

static const struct ws_deflate_settings keeping = {
    .is_enabled = true,
    .server_keeps_context = true,
    .client_keeps_context = true,
    .server_max_bits = 15,
    .client_max_bits = 15,
};

#define NEITHER "; server_no_context_takeover; client_no_context_takeover"

struct row {
    struct slice offer;
    const char *response; /* behind the name; NULL: nothing is agreed */
    const char *agreed;   /* "15/12 keep server", as describe() has it */
};

static const char *describe(const struct ws_deflate_agreement *agreed, char room[64])
{
    (void)snprintf(room, 64, "%u/%u%s%s", agreed->server_bits, agreed->client_bits,
                   agreed->server_keeps_context ? " server" : "",
                   agreed->client_keeps_context ? " client" : "");
    return room;
}

static void expect(const struct slice *lines, size_t n_lines,
                   const struct ws_deflate_settings *settings, const char *response,
                   const char *agreed)
{
    struct ws_deflate_agreement out = {false, false, 0, 0};
    struct ws_deflate_response text = {.len = 0};
    enum ws_deflate_verdict verdict = ws_deflate_negotiate(lines, n_lines, settings, &out, &text);
    char room[64], whole[160];

    if (response == NULL) {
        assert_int_equal(verdict, WS_DEFLATE_NONE);
        assert_int_equal(text.len, 0);
        assert_int_equal(out.server_bits, 0);
        return;
    }
    assert_int_equal(verdict, WS_DEFLATE_AGREED);
    (void)snprintf(whole, sizeof(whole), "permessage-deflate%s", response);
    if (!slice_eq(slice_of(text.text, text.len), slice_str(whole)))
        fail_msg("%.*s: got \"%.*s\", expected \"%s\"", SLICE_FMT(lines[0]),
                 SLICE_FMT(slice_of(text.text, text.len)), whole);
    assert_string_equal(describe(&out, room), agreed);
}

static void expect_rows(const struct row *rows, size_t n,
                        const struct ws_deflate_settings *settings)
{
    for (size_t i = 0; i < n; i++)
        expect(&rows[i].offer, 1, settings, rows[i].response, rows[i].agreed);
}

#define EXPECT_ROWS(rows, settings)                                                                \
    expect_rows((rows), sizeof(rows) / sizeof((rows)[0]), (settings))

static void by_default_no_side_keeps_its_context(void **state)
{
    const struct row rows[] = {
        {SLICE("permessage-deflate"), NEITHER, "15/15"},
        {SLICE("permessage-deflate; client_max_window_bits"), NEITHER, "15/15"}, /* browsers, ws */
        {SLICE("permessage-deflate; server_no_context_takeover"), NEITHER, "15/15"},
        {SLICE("permessage-deflate; client_no_context_takeover"), NEITHER, "15/15"},
        {SLICE("permessage-deflate; client_no_context_takeover; server_no_context_takeover"),
         NEITHER, "15/15"},
    };

    (void)state;
    EXPECT_ROWS(rows, &standard);
}

static void a_context_is_kept_where_both_sides_want_it(void **state)
{
    const struct row rows[] = {
        {SLICE("permessage-deflate"), "", "15/15 server client"},
        {SLICE("permessage-deflate; client_max_window_bits"), "", "15/15 server client"},
        {SLICE("permessage-deflate; server_no_context_takeover"), "; server_no_context_takeover",
         "15/15 client"},
        {SLICE("permessage-deflate; client_no_context_takeover"), "; client_no_context_takeover",
         "15/15 server"},
        {SLICE("permessage-deflate; client_no_context_takeover; server_no_context_takeover"),
         NEITHER, "15/15"},
    };
    struct ws_deflate_settings one_way = keeping;

    (void)state;
    EXPECT_ROWS(rows, &keeping);
    one_way.server_keeps_context = false;
    expect(&rows[0].offer, 1, &one_way, "; server_no_context_takeover", "15/15 client");
    one_way = keeping;
    one_way.client_keeps_context = false;
    expect(&rows[0].offer, 1, &one_way, "; client_no_context_takeover", "15/15 server");
}

static void the_client_s_window_sizes_are_honoured(void **state)
{
    const struct row rows[] = {
        {SLICE("permessage-deflate; server_max_window_bits=15"),
         NEITHER "; server_max_window_bits=15", "15/15"},
        {SLICE("permessage-deflate; server_max_window_bits=14"),
         NEITHER "; server_max_window_bits=14", "14/15"},
        {SLICE("permessage-deflate; server_max_window_bits=10"),
         NEITHER "; server_max_window_bits=10", "10/15"},
        {SLICE("permessage-deflate; server_max_window_bits=9"),
         NEITHER "; server_max_window_bits=9", "9/15"},
        {SLICE("permessage-deflate; server_max_window_bits=8"), NULL, NULL},
        {SLICE("permessage-deflate; client_max_window_bits=15"), NEITHER, "15/15"},
        {SLICE("permessage-deflate; client_max_window_bits=12"),
         NEITHER "; client_max_window_bits=12", "15/12"},
        {SLICE("permessage-deflate; client_max_window_bits=9"),
         NEITHER "; client_max_window_bits=9", "15/9"},
        /* of its own window, which ours reads */
        {SLICE("permessage-deflate; client_max_window_bits=8"),
         NEITHER "; client_max_window_bits=8", "15/9"},
        {SLICE("permessage-deflate; client_max_window_bits=11; server_max_window_bits=10"),
         NEITHER "; server_max_window_bits=10; client_max_window_bits=11", "10/11"},
    };

    (void)state;
    EXPECT_ROWS(rows, &standard);
}

static void our_own_window_sizes_hold_where_the_client_can_be_told(void **state)
{
    const struct row rows[] = {
        {SLICE("permessage-deflate"), NEITHER "; server_max_window_bits=12", "12/15"},
        {SLICE("permessage-deflate; client_max_window_bits"),
         NEITHER "; server_max_window_bits=12; client_max_window_bits=10", "12/10"},
        {SLICE("permessage-deflate; client_max_window_bits=9; server_max_window_bits=9"),
         NEITHER "; server_max_window_bits=9; client_max_window_bits=9", "9/9"},
        {SLICE("permessage-deflate; client_max_window_bits=15; server_max_window_bits=15"),
         NEITHER "; server_max_window_bits=12; client_max_window_bits=10", "12/10"},
        {SLICE("permessage-deflate; client_max_window_bits=8"),
         NEITHER "; server_max_window_bits=12; client_max_window_bits=8", "12/9"},
    };
    struct ws_deflate_settings small = standard;

    (void)state;
    small.server_max_bits = 12;
    small.client_max_bits = 10;
    EXPECT_ROWS(rows, &small);
}

/* RFC 7692, section 7.1: what "a server MUST decline". */
static void an_offer_with_something_wrong_is_passed_over(void **state)
{
    const struct row rows[] = {
        {SLICE("permessage-deflate; server_max_window_bits"), NULL, NULL},
        {SLICE("permessage-deflate; server_max_window_bits=7"), NULL, NULL},
        {SLICE("permessage-deflate; server_max_window_bits=16"), NULL, NULL},
        {SLICE("permessage-deflate; server_max_window_bits=0"), NULL, NULL},
        {SLICE("permessage-deflate; server_max_window_bits=010"), NULL, NULL},
        {SLICE("permessage-deflate; server_max_window_bits=+9"), NULL, NULL},
        {SLICE("permessage-deflate; server_max_window_bits=10.0"), NULL, NULL},
        {SLICE("permessage-deflate; server_max_window_bits=ten"), NULL, NULL},
        {SLICE("permessage-deflate; server_max_window_bits=4294967306"), NULL, NULL},
        {SLICE("permessage-deflate; client_max_window_bits=7"), NULL, NULL},
        {SLICE("permessage-deflate; client_max_window_bits=16"), NULL, NULL},
        {SLICE("permessage-deflate; client_max_window_bits=015"), NULL, NULL},
        {SLICE("permessage-deflate; client_max_window_bits=x"), NULL, NULL},
        {SLICE("permessage-deflate; server_no_context_takeover=1"), NULL, NULL},
        {SLICE("permessage-deflate; server_no_context_takeover=true"), NULL, NULL},
        {SLICE("permessage-deflate; client_no_context_takeover=\"0\""), NULL, NULL},
        {SLICE("permessage-deflate; x"), NULL, NULL},
        {SLICE("permessage-deflate; x=10"), NULL, NULL},
        {SLICE("permessage-deflate; Server_No_Context_Takeover"), NULL, NULL},
        {SLICE("permessage-deflate; client_max_window_bits; client_max_window_bits"), NULL, NULL},
        {SLICE("permessage-deflate; client_max_window_bits; client_max_window_bits=9"), NULL, NULL},
        {SLICE("permessage-deflate; server_max_window_bits=9; server_max_window_bits=9"), NULL,
         NULL},
        {SLICE("permessage-deflate; server_no_context_takeover; server_no_context_takeover"), NULL,
         NULL},
        {SLICE("permessage-deflate; client_no_context_takeover; client_no_context_takeover"), NULL,
         NULL},
        {SLICE("x-webkit-deflate-frame"), NULL, NULL},
        {SLICE("permessage-bzip2"), NULL, NULL},
        {SLICE("Permessage-Deflate"), NULL, NULL},
        {SLICE("permessage-deflate-x"), NULL, NULL},
    };

    (void)state;
    EXPECT_ROWS(rows, &standard);
    EXPECT_ROWS(rows, &keeping);
}

static void the_first_offer_that_can_be_met_is_taken(void **state)
{
    const struct row rows[] = {
        /* RFC 7692, section 7.1.3 */
        {SLICE("permessage-deflate; client_max_window_bits; server_max_window_bits=10, "
               "permessage-deflate; client_max_window_bits"),
         NEITHER "; server_max_window_bits=10", "10/15"},
        {SLICE("permessage-deflate; server_max_window_bits=8, "
               "permessage-deflate; server_max_window_bits=9, permessage-deflate"),
         NEITHER "; server_max_window_bits=9", "9/15"},
        {SLICE("permessage-deflate; x, permessage-deflate; server_max_window_bits, "
               "permessage-deflate"),
         NEITHER, "15/15"},
        {SLICE("x-webkit-deflate-frame, permessage-deflate; server_max_window_bits=11"),
         NEITHER "; server_max_window_bits=11", "11/15"},
        {SLICE("permessage-deflate; x=1, permessage-deflate; x=2"), NULL, NULL},
        {SLICE("permessage-deflate, permessage-deflate; server_max_window_bits=9, foo"), NEITHER,
         "15/15"},
    };

    (void)state;
    EXPECT_ROWS(rows, &standard);
}

static void offers_in_several_lines_are_one_list(void **state)
{
    const struct slice lines[] = {
        SLICE("foo; bar=1"),
        SLICE("permessage-deflate; server_max_window_bits=8"),
        SLICE("permessage-deflate; server_max_window_bits=13"),
        SLICE("permessage-deflate"),
    };

    (void)state;
    expect(lines, 4, &standard, NEITHER "; server_max_window_bits=13", "13/15");
    expect(lines, 2, &standard, NULL, NULL);
}

static void a_quoted_value_is_the_same_value(void **state)
{
    const struct row rows[] = {
        {SLICE("permessage-deflate; server_max_window_bits=\"10\""),
         NEITHER "; server_max_window_bits=10", "10/15"},
        {SLICE("permessage-deflate; client_max_window_bits=\"1\\0\""),
         NEITHER "; client_max_window_bits=10", "15/10"},
        {SLICE("permessage-deflate; server_max_window_bits=\"8\""), NULL, NULL},
    };

    (void)state;
    EXPECT_ROWS(rows, &standard);
}

/*
 * What the Autobahn test suite's client offers in the sections 12 and 13: the client's two
 * parameters always where it takes them, and what it asks of the server's. The response has what
 * was asked.
 */
static void autobahn_s_offers_get_what_they_ask_for(void **state)
{
#define OFFER "permessage-deflate; client_no_context_takeover; client_max_window_bits"
#define CLIENT_NOT "; client_no_context_takeover"
    const struct row rows[] = {
        {SLICE(OFFER), CLIENT_NOT, "15/15 server"}, /* 12.1 to 12.5, 13.1 */
        {SLICE(OFFER "; server_no_context_takeover"), NEITHER, "15/15"},
        {SLICE(OFFER "; server_max_window_bits=9"), CLIENT_NOT "; server_max_window_bits=9",
         "9/15 server"},
        {SLICE(OFFER "; server_max_window_bits=15"), CLIENT_NOT "; server_max_window_bits=15",
         "15/15 server"},
        {SLICE(OFFER "; server_no_context_takeover; server_max_window_bits=9"),
         NEITHER "; server_max_window_bits=9", "9/15"},
        {SLICE(OFFER "; server_no_context_takeover; server_max_window_bits=15"),
         NEITHER "; server_max_window_bits=15", "15/15"},
        {SLICE(OFFER "; server_no_context_takeover; server_max_window_bits=9, " OFFER
                     "; server_no_context_takeover, " OFFER),
         NEITHER "; server_max_window_bits=9", "9/15"},
        {SLICE(OFFER "; server_no_context_takeover; server_max_window_bits=8, " OFFER
                     "; server_no_context_takeover, " OFFER),
         NEITHER, "15/15"},
    };

    (void)state;
    EXPECT_ROWS(rows, &keeping);
}

static void a_header_that_is_none_fails_the_handshake_also_behind_a_good_offer(void **state)
{
    const struct slice bad[] = {
        SLICE(""),
        SLICE("permessage-deflate; "),
        SLICE("permessage-deflate, foo; =1"),
        SLICE("permessage-deflate; server_max_window_bits="),
        SLICE("permessage-deflate; server_max_window_bits=\"10"),
        SLICE("permessage-deflate; server_max_window_bits=\"\""),
    };
    struct ws_deflate_agreement agreed = {false, false, 0, 0};
    struct ws_deflate_response response = {.len = 0};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(ws_deflate_negotiate(&bad[i], 1, &standard, &agreed, &response),
                         WS_DEFLATE_BAD);
        assert_int_equal(agreed.server_bits, 0);
        assert_int_equal(response.len, 0);
    }
}

static void turned_off_it_looks_at_nothing(void **state)
{
    const struct ws_deflate_settings off = {.is_enabled = false};
    const struct slice lines[] = {SLICE("permessage-deflate"), SLICE(";;;")};

    (void)state;
    expect(lines, 1, &off, NULL, NULL);
    expect(lines, 2, &off, NULL, NULL);
}

static void without_a_header_nothing_is_agreed(void **state)
{
    (void)state;
    expect(NULL, 0, &standard, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_default_no_side_keeps_its_context),
        cmocka_unit_test(a_context_is_kept_where_both_sides_want_it),
        cmocka_unit_test(the_client_s_window_sizes_are_honoured),
        cmocka_unit_test(our_own_window_sizes_hold_where_the_client_can_be_told),
        cmocka_unit_test(an_offer_with_something_wrong_is_passed_over),
        cmocka_unit_test(the_first_offer_that_can_be_met_is_taken),
        cmocka_unit_test(offers_in_several_lines_are_one_list),
        cmocka_unit_test(a_quoted_value_is_the_same_value),
        cmocka_unit_test(autobahn_s_offers_get_what_they_ask_for),
        cmocka_unit_test(a_header_that_is_none_fails_the_handshake_also_behind_a_good_offer),
        cmocka_unit_test(turned_off_it_looks_at_nothing),
        cmocka_unit_test(without_a_header_nothing_is_agreed),
    };

    return cmocka_run_group_tests_name("gateway/websocket/deflate_negotiate", tests, NULL, NULL);
}
