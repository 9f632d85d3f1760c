#include "tests/test.h"
#include "gateway/config/value.h"

static void durations_need_a_unit_but_for_zero(void **state)
{
    const struct {
        const char *text;
        uint64_t ms;
    } good[] = {{"0", 0},       {"0s", 0},      {"500ms", 500},
                {"10s", 10000}, {"2m", 120000}, {"1h", 3600000}};
    const char *const bad[] = {"",     "10",    "s",     "ms", "10 s", "-1s",
                               "1.5s", "1h30m", "10sec", "1d", "10S",  "18446744073709551615h"};
    uint64_t ms = 7;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(value_duration(slice_str(bad[i]), &ms));
        assert_int_equal(ms, 7);
    }
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(value_duration(slice_str(good[i].text), &ms));
        assert_int_equal(ms, good[i].ms);
    }
}

static void sizes_are_bytes_or_binary_units(void **state)
{
    const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {
        {"0", 0}, {"65536", 65536}, {"64KiB", 65536}, {"1MiB", 1048576}, {"2GiB", 1ULL << 31}};
    const char *const bad[] = {"",
                               "KiB",
                               "64KB",
                               "64kib",
                               "64 KiB",
                               "-1",
                               "1.5MiB",
                               "18446744073709551616",
                               "17179869184GiB"};
    uint64_t bytes = 7;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(value_size(slice_str(bad[i]), &bytes));
        assert_int_equal(bytes, 7);
    }
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(value_size(slice_str(good[i].text), &bytes));
        assert_int_equal(bytes, good[i].bytes);
    }
}

static void heart_beats_are_two_numbers_of_milliseconds_or_durations(void **state)
{
    const char *const bad[] = {"", "10000", "1,", ",1", "1,2,3", "1s", "a,b"};
    uint64_t pair[2] = {7, 7};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(value_heartbeat(slice_str(bad[i]), pair));
    assert_int_equal(pair[0], 7);
    assert_true(value_heartbeat(slice_str("10000, 2m"), pair));
    assert_int_equal(pair[0], 10000);
    assert_int_equal(pair[1], 120000);
    assert_true(value_heartbeat(slice_str("0,0"), pair));
    assert_int_equal(pair[0] + pair[1], 0);
}

static void only_true_and_false_are_bools(void **state)
{
    const char *const bad[] = {"", "yes", "no", "on", "off", "True", "TRUE", "1", "0"};
    bool is_true = true;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(value_bool(slice_str(bad[i]), &is_true));
    assert_true(value_bool(slice_str("false"), &is_true));
    assert_false(is_true);
    assert_true(value_bool(slice_str("true"), &is_true));
    assert_true(is_true);
}

static void addresses_are_host_and_port(void **state)
{
    const char *const good[] = {"0.0.0.0:8080", "127.0.0.1:0",     "localhost:1",
                                "[::]:8080",    "[fe80::1]:65535", "gw-1.example.com:443"};
    const char *const bad[] = {"",           "8080",           ":8080",       "*:8080",
                               "0.0.0.0",    "0.0.0.0:",       "1.2.3:80",    "256.0.0.1:80",
                               "[::1]",      "[::1]8080",      "[::g]:80",    "::1:80",
                               "host:65536", "host:-1",        "host:080000", "http://host:80",
                               "a b:80",     "[1.2.3.4]:8080", "-a:80"};
    struct value_address address;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(value_address(slice_str(good[i]), &address));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(value_address(slice_str(bad[i]), &address));
}

static struct value_address address_of(const char *text)
{
    struct value_address address;

    assert_true(value_address(slice_str(text), &address));
    return address;
}

static void addresses_are_equal_whatever_their_spelling(void **state)
{
    const struct {
        const char *a, *b;
        bool is_equal;
    } rows[] = {
        {"0.0.0.0:80", "0.0.0.0:80", true},    {"[::1]:80", "[0:0::1]:80", true},
        {"Host:80", "host:80", true},          {"0.0.0.0:80", "0.0.0.0:81", false},
        {"0.0.0.0:80", "127.0.0.1:80", false}, {"[::]:80", "0.0.0.0:80", false},
        {"127.0.0.1:0", "127.0.0.1:0", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct value_address a = address_of(rows[i].a), b = address_of(rows[i].b);

        assert_int_equal(value_address_equal(&a, &b), rows[i].is_equal);
    }
}

static void loopback_is_known(void **state)
{
    const char *const inside[] = {"127.0.0.1:1", "127.9.9.9:1", "localhost:1", "[::1]:1"};
    const char *const outside[] = {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "localhost.example:1"};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct value_address in = address_of(inside[i]), out = address_of(outside[i]);

        assert_true(value_address_is_loopback(&in));
        assert_false(value_address_is_loopback(&out));
    }
}

static void sha256_is_64_hex_digits(void **state)
{
    const struct slice good =
        SLICE("00FFa0000000000000000000000000000000000000000000000000000000000f");
    unsigned char out[32] = {9};

    (void)state;
    assert_false(value_sha256(slice_take(good, 63), out));
    assert_false(value_sha256(
        (struct slice)SLICE("g0ffa00000000000000000000000000000000000000000000000000000000000"),
        out));
    assert_int_equal(out[0], 9);
    assert_true(value_sha256(good, out));
    assert_int_equal(out[0], 0);
    assert_int_equal(out[1], 0xff);
    assert_int_equal(out[2], 0xa0);
    assert_int_equal(out[31], 0x0f);
}

static void commas_inside_brackets_do_not_separate(void **state)
{
    const struct {
        const char *text;
        const char *items[4];
    } rows[] = {
        {"", {NULL}},
        {"  ", {NULL}},
        {"a", {"a", NULL}},
        {" a , b ", {"a", "b", NULL}},
        {"a,", {"a", "", NULL}},
        {",", {"", "", NULL}},
        {"http://a:[1,2],b", {"http://a:[1,2]", "b", NULL}},
        {"/t/{x:a{1,2}},/u", {"/t/{x:a{1,2}}", "/u", NULL}},
        {"a],b", {"a]", "b", NULL}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct value_items items = value_items_of(slice_str(rows[i].text));
        struct slice item;

        for (size_t k = 0; rows[i].items[k] != NULL; k++) {
            assert_true(value_items_next(&items, &item));
            assert_true(slice_eq(item, slice_str(rows[i].items[k])));
        }
        assert_false(value_items_next(&items, &item));
    }
}

static void texts_take_the_largest_unit(void **state)
{
    (void)state;
    assert_string_equal(value_size_text(65536).text, "64KiB");
    assert_string_equal(value_size_text(1ULL << 40).text, "1024GiB");
    assert_string_equal(value_size_text(1000).text, "1000");
    assert_string_equal(value_size_text(0).text, "0");
    assert_string_equal(value_duration_text(90000).text, "90s");
    assert_string_equal(value_duration_text(3600000).text, "1h");
    assert_string_equal(value_duration_text(1500).text, "1500ms");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_need_a_unit_but_for_zero),
        cmocka_unit_test(sizes_are_bytes_or_binary_units),
        cmocka_unit_test(heart_beats_are_two_numbers_of_milliseconds_or_durations),
        cmocka_unit_test(only_true_and_false_are_bools),
        cmocka_unit_test(addresses_are_host_and_port),
        cmocka_unit_test(addresses_are_equal_whatever_their_spelling),
        cmocka_unit_test(loopback_is_known),
        cmocka_unit_test(sha256_is_64_hex_digits),
        cmocka_unit_test(commas_inside_brackets_do_not_separate),
        cmocka_unit_test(texts_take_the_largest_unit),
    };

    return cmocka_run_group_tests_name("gateway/config/value", tests, NULL, NULL);
}
