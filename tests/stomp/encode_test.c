#include "tests/test.h"
#include "stomp/encode.h"

#define S(literal) ((struct slice)SLICE(literal))

static void encode(struct buf *out, enum stomp_command command, const struct stomp_header *headers,
                   size_t n_headers, struct slice body)
{
    assert_true(stomp_encode_begin(out, command));
    for (size_t i = 0; i < n_headers; i++)
        assert_true(stomp_encode_header(out, command, headers[i].name, headers[i].value));
    assert_true(stomp_encode_end(out, command, body));
}

static void frames_are_as_spring_writes_them(void **state)
{
    static const struct {
        enum stomp_command command;
        struct stomp_header headers[3];
        size_t n_headers;
        struct slice body;
        struct slice bytes;
    } rows[] = {
        {STOMP_DISCONNECT, {{SLICE(""), SLICE("")}}, 0, SLICE(""), SLICE("DISCONNECT\n\n\0")},
        {STOMP_SEND,
         {{SLICE("a"), SLICE("alpha")}},
         1,
         SLICE("Message body"),
         SLICE("SEND\na:alpha\ncontent-length:12\n\nMessage body\0")},
        /* one content-length, the true one, and last */
        {STOMP_SEND,
         {{SLICE("content-length"), SLICE("3")}, {SLICE("a"), SLICE("b")}},
         2,
         SLICE("Message body"),
         SLICE("SEND\na:b\ncontent-length:12\n\nMessage body\0")},
        {STOMP_CONNECT,
         {{SLICE("login"), SLICE("joe")}, {SLICE("passcode"), SLICE("se:cr\\et")}},
         2,
         SLICE(""),
         SLICE("CONNECT\nlogin:joe\npasscode:se:cr\\et\n\n\0")},
        {STOMP_CONNECTED,
         {{SLICE("version"), SLICE("1.2")}, {SLICE("user-name"), SLICE("a:b")}},
         2,
         SLICE(""),
         SLICE("CONNECTED\nversion:1.2\nuser-name:a:b\n\n\0")},
        {STOMP_RECEIPT,
         {{SLICE("receipt-id"), SLICE("a:b")}},
         1,
         SLICE(""),
         SLICE("RECEIPT\nreceipt-id:a\\cb\n\n\0")},
        {STOMP_ERROR,
         {{SLICE("message"), SLICE("Session closed.")}},
         1,
         SLICE(""),
         SLICE("ERROR\nmessage:Session closed.\ncontent-length:0\n\n\0")},
        {STOMP_ERROR,
         {{SLICE("message"), SLICE("'\\r' must: ")}},
         1,
         SLICE(""),
         SLICE("ERROR\nmessage:'\\\\r' must\\c \ncontent-length:0\n\n\0")},
        /* repeated headers stay, each on its line */
        {STOMP_MESSAGE,
         {{SLICE("a:\r\n\\b"), SLICE("alpha:bravo\r\n\\")},
          {SLICE("a"), SLICE("1")},
          {SLICE("a"), SLICE("")}},
         3,
         SLICE("x\0y"),
         SLICE("MESSAGE\na\\c\\r\\n\\\\b:alpha\\cbravo\\r\\n\\\\\na:1\na:\ncontent-length:3\n\n"
               "x\0y\0")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf out;

        buf_init(&out, 1000);
        assert_true(buf_append(&out, S("before")));
        encode(&out, rows[i].command, rows[i].headers, rows[i].n_headers, rows[i].body);
        assert_true(slice_eq(slice_skip(buf_slice(&out), 6), rows[i].bytes));
        buf_dispose(&out);
    }
}

static void what_does_not_fit_is_not_begun(void **state)
{
    const struct slice whole = SLICE("SEND\na\\c:\\n\ncontent-length:4\n\nbody\0");

    (void)state;
    for (size_t max = 0; max <= whole.len; max++) {
        struct buf out;
        size_t before;
        bool fits;

        buf_init(&out, max);
        fits = stomp_encode_begin(&out, STOMP_SEND);
        assert_int_equal(fits, max >= 5);
        before = out.len;
        assert_int_equal(before, fits ? 5 : 0);
        if (fits) {
            fits = stomp_encode_header(&out, STOMP_SEND, S("a:"), S("\n"));
            assert_int_equal(fits, max >= 12);
            assert_int_equal(out.len, fits ? 12 : 5);
            before = out.len;
        }
        if (fits) {
            fits = stomp_encode_end(&out, STOMP_SEND, S("body"));
            assert_int_equal(fits, max == whole.len);
            assert_int_equal(out.len, fits ? whole.len : before);
        }
        if (fits)
            assert_true(slice_eq(buf_slice(&out), whole));
        buf_dispose(&out);
    }
}

static void unescape_undoes_escape(void **state)
{
    const struct slice texts[] = {SLICE(""),      SLICE("plain"), SLICE(":\r\n\\"),
                                  SLICE("\\c:c"), SLICE("a\0b:"), SLICE("\\\\n")};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char room[32];
        size_t len = stomp_escaped_len(texts[i]);

        assert_true(len <= sizeof(room));
        assert_ptr_equal(stomp_escape(texts[i], room), room + len);
        assert_int_equal(slice_find(slice_of(room, len), ':'), len);
        assert_int_equal(slice_find(slice_of(room, len), '\n'), len);
        assert_true(slice_eq(stomp_unescape_in_place(room, len), texts[i]));
    }
}

static void a_length_has_all_its_digits(void **state)
{
    char body[1234];
    struct buf out;

    (void)state;
    memset(body, 'x', sizeof(body));
    buf_init(&out, 2000);
    encode(&out, STOMP_MESSAGE, NULL, 0, slice_of(body, sizeof(body)));
    assert_true(slice_starts_with(buf_slice(&out), S("MESSAGE\ncontent-length:1234\n\nxx")));
    assert_int_equal(out.len, 29 + 1234 + 1);
    buf_dispose(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_as_spring_writes_them),
        cmocka_unit_test(what_does_not_fit_is_not_begun),
        cmocka_unit_test(unescape_undoes_escape),
        cmocka_unit_test(a_length_has_all_its_digits),
    };

    return cmocka_run_group_tests_name("stomp/encode", tests, NULL, NULL);
}
