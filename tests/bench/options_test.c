#include "tests/test.h"
#include <stdlib.h>
#include "base/mem.h"
#include "gateway/bench/mark.h"
#include "gateway/bench/options.h"

enum { MAX_WORDS = 32 };

/* Splits at spaces; `line` must live as long as the options. */
static enum options_result parse(char *line, struct options *options, char *error, size_t size)
{
    char *words[MAX_WORDS + 1] = {NULL}, *left = line;
    int n = 0;

    for (char *word = strsep(&left, " "); word != NULL && n < MAX_WORDS; word = strsep(&left, " "))
        words[n++] = word;
    return options_parse(n, words, options, error, size);
}

static void each_mode_has_its_defaults(void **state)
{
    char error[256], fanout[] = "stompload fanout", idle[] = "stompload idle";
    struct options o;

    (void)state;
    assert_int_equal(parse(fanout, &o, error, sizeof(error)), OPTIONS_RUN);
    assert_int_equal(o.mode, OPTIONS_FANOUT);
    assert_int_equal(o.n_subscribers, 1000);
    assert_int_equal(o.n_slow, 0);
    assert_int_equal(o.seconds_ns, 10000000000);
    assert_slice(o.target.path, "/ws");
    assert_int_equal(parse(idle, &o, error, sizeof(error)), OPTIONS_RUN);
    assert_int_equal(o.n_connections, 10000);
    assert_int_equal(o.n_subscribers, 0);
}

static void values_are_read_in_both_forms(void **state)
{
    char error[256];
    char line[] = "stompload fanout --ids own --order=any --seconds=0.25 --json --pid 1 --pid=2 "
                  "--url ws://[::1]:81/x?y=z --connect-header a:b --confirm probe --rate 200";
    struct options o;

    (void)state;
    assert_int_equal(parse(line, &o, error, sizeof(error)), OPTIONS_RUN);
    assert_int_equal(o.ids, IDS_OWN);
    assert_int_equal(o.order, ORDER_ANY);
    assert_int_equal(o.confirm, CONFIRM_PROBE);
    assert_int_equal(o.seconds_ns, 250000000);
    assert_true(o.is_json);
    assert_int_equal(o.pids.n_items, 2);
    assert_string_equal(o.pids.items[1], "2");
    assert_string_equal(o.connect_headers.items[0], "a:b");
    assert_int_equal(o.rate, 200);
    assert_slice(o.target.host, "::1");
    assert_slice(o.target.authority, "[::1]:81");
    assert_string_equal(o.target.port, "81");
    assert_slice(o.target.path, "/x?y=z");
}

static void clients_of_two_modes_have_names(void **state)
{
    const struct {
        const char *line;
        bool has_users;
    } rows[] = {
        {"stompload users --secret x", true},
        {"stompload users --token {user}", true},
        {"stompload users --http-header a:b --http-header X-User:{user}", true},
        {"stompload mixed --connect-header login:{user}", true},
        {"stompload mixed", false},
        {"stompload destinations --token {user}", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *line = mem_strdup(rows[i].line), error[256] = "";
        struct options o;

        assert_int_equal(parse(line, &o, error, sizeof(error)), OPTIONS_RUN);
        assert_int_equal(options_has_users(&o), rows[i].has_users);
        mem_free(line);
    }
}

static void tls_is_asked_for_by_the_url(void **state)
{
    char error[256], line[] = "stompload idle --url wss://a/ws --ca ca.pem --insecure";
    struct options o;

    (void)state;
    assert_int_equal(parse(line, &o, error, sizeof(error)), OPTIONS_RUN);
    assert_true(o.target.is_tls);
    assert_string_equal(o.target.port, "443");
    assert_string_equal(o.ca_file, "ca.pem");
    assert_true(o.is_insecure);
}

static void deflate_is_offered_as_asked(void **state)
{
    char error[256];
    char line[] = "stompload echo --deflate --deflate-takeover --deflate-window 8 --body json";
    struct options o;

    (void)state;
    assert_int_equal(parse(line, &o, error, sizeof(error)), OPTIONS_RUN);
    assert_true(o.has_deflate);
    assert_true(o.has_takeover);
    assert_int_equal(o.deflate_bits, 8);
    assert_int_equal(o.pattern, MARK_JSON);
}

static void what_is_wrong_is_named(void **state)
{
    const struct {
        const char *line, *named;
    } bad[] = {
        {"stompload", "no mode"},
        {"stompload gale", "'gale'"},
        {"stompload fanout x", "'x'"},
        {"stompload fanout --clients 3", "--clients is not for mode fanout"},
        {"stompload fanout --nonsense", "'--nonsense'"},
        {"stompload fanout --size", "--size needs a value"},
        {"stompload fanout --size 39", "--size: '39'"},
        {"stompload fanout --size 1k", "--size: '1k'"},
        {"stompload fanout --json=1", "--json takes no value"},
        {"stompload fanout --seconds 1.", "--seconds"},
        {"stompload fanout --seconds -1", "--seconds"},
        {"stompload fanout --seconds 0", "--seconds"},
        {"stompload fanout --ids some", "same|own"},
        {"stompload fanout --connect-header ab", "--connect-header"},
        {"stompload fanout --pid self", "--pid"},
        {"stompload fanout --url http://a", "--url"},
        {"stompload fanout --url ws://a --insecure", "--insecure"},
        {"stompload fanout --ca a.pem", "--ca"},
        {"stompload fanout --url ws://:80", "--url"},
        {"stompload fanout --url ws://a:0", "--url"},
        {"stompload fanout --url ws://a:65536", "--url"},
        {"stompload fanout --url ws://[::1", "--url"},
        {"stompload fanout --destination a:b", "--destination"},
        {"stompload idle --confirm probe", "--confirm"},
        {"stompload storm --confirm probe", "mode storm"},
        {"stompload storm --resume", "--resume"},
        {"stompload fanout --deflate-window 12", "--deflate"},
        {"stompload fanout --deflate-takeover", "--deflate"},
        {"stompload fanout --deflate --deflate-window 7", "--deflate-window"},
        {"stompload fanout --deflate --deflate-window 16", "--deflate-window"},
        {"stompload idle --rate 5", "--rate is not for mode idle"},
        {"stompload idle --heart-beat 1000,1000", "--heart-beat"},
        {"stompload idle --heart-beat 0,often", "--heart-beat"},
        {"stompload floor --url ws://a", "--url"},
        {"stompload floor --cpu first", "--cpu"},
        {"stompload destinations --subscriptions 101", "only 100 destinations"},
        {"stompload destinations --zipf steep", "--zipf"},
        {"stompload destinations --secret x", "--secret"},
        {"stompload users", "need names"},
        {"stompload users --token some", "need names"},
        {"stompload users --zipf 1", "--zipf"},
        {"stompload users --secret x --user-destination queue", "--user-destination"},
        {"stompload users --secret x --issuer \"me\"", "--issuer"},
        {"stompload mixed --user-rate 1", "need names"},
        {"stompload mixed --confirm probe", "--confirm"},
        {"stompload mixed --rate 5", "--rate"},
        {"stompload mixed --window 5", "--window"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char *line = mem_strdup(bad[i].line), error[256] = "";
        struct options o;

        assert_int_equal(parse(line, &o, error, sizeof(error)), OPTIONS_WRONG);
        if (strstr(error, bad[i].named) == NULL)
            print_error("%s: %s\n", bad[i].line, error);
        assert_non_null(strstr(error, bad[i].named));
        mem_free(line);
    }
}

static void help_names_every_mode(void **state)
{
    char error[256], line[] = "stompload fanout --help", *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    struct options o;

    (void)state;
    assert_int_equal(parse(line, &o, error, sizeof(error)), OPTIONS_HELP);
    assert_non_null(out);
    options_help(out, "some program");
    assert_int_equal(fclose(out), 0);
    for (int i = 0; i < OPTIONS_N_MODES; i++)
        assert_non_null(strstr(text, options_mode_name((enum options_mode)i)));
    assert_non_null(strstr(text, "--patience"));
    assert_int_equal(strncmp(text, "Usage: some program MODE", 24), 0);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mode_has_its_defaults),
        cmocka_unit_test(values_are_read_in_both_forms),
        cmocka_unit_test(clients_of_two_modes_have_names),
        cmocka_unit_test(tls_is_asked_for_by_the_url),
        cmocka_unit_test(deflate_is_offered_as_asked),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(help_names_every_mode),
    };

    return cmocka_run_group_tests_name("bench/options", tests, NULL, NULL);
}
