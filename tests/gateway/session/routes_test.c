#include "tests/test.h"
#include "gateway/session/routes.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct slice app[] = {SLICE("/app"), SLICE("/service/")};

static struct config_route fixed[] = {
    {.destination = SLICE("/app/chat"), .send_to = SLICE("/topic/chat")},
    {.destination = SLICE("/app/echo"), .mode = CONFIG_ROUTE_ECHO},
    {.destination = SLICE("/app/chat"), .send_to = SLICE("/topic/second")},
    {.destination = SLICE("/topic/moved"), .send_to = SLICE("/topic/there")},
    {.destination = SLICE("/app/mine"), .send_to_user = SLICE("/queue/reply")},
};

static struct config_route with_variables[] = {
    {.destination = SLICE("/app/**"), .send_to = SLICE("/topic/rest")},
    {.destination = SLICE("/app/{kind}/{id}"), .send_to = SLICE("/topic/{kind}.{id}")},
    {.destination = SLICE("/app/chat/{room}"), .send_to = SLICE("/topic/chat.{room}")},
    {.destination = SLICE("/app/chat/lobby"), .send_to = SLICE("/topic/lobby")},
    {.destination = SLICE("/app/chat/{again}"), .send_to = SLICE("/topic/never")},
    {.destination = SLICE("/{a}/{b}/{c}/{d}"), .send_to = SLICE("/topic/four")},
};

static struct config_route with_answers[] = {
    {.destination = SLICE("/app/hello"),
     .is_for_subscribe_only = true,
     .on_subscribe = {.has_body = true, .body = SLICE("hi")}},
    {.destination = SLICE("/app/price.{symbol}"),
     .send_to = SLICE("/topic/price.{symbol}"),
     .on_subscribe = {.last_of = SLICE("/topic/price.{symbol}")}},
    {.destination = SLICE("/app/**"),
     .is_for_subscribe_only = true,
     .on_subscribe = {.has_body = true}},
    {.destination = SLICE("/app/echo.*"), .mode = CONFIG_ROUTE_ECHO},
    {.destination = SLICE("/app/echo.not"), .send_to = SLICE("/topic/not")},
};

static const struct siphash_key key = {3, 4};

/* Where a SEND and a SUBSCRIBE lead. */
struct row {
    const char *destination;
    enum route_kind send, subscribe;
};

static struct config config_of(struct config_route *routes, size_t n_routes, struct slice *prefixes,
                               size_t n_prefixes, const char *user_prefix)
{
    struct config config = {.routes = routes, .n_routes = n_routes};

    config.broker.path_separator = '/';
    config.broker.destination_prefixes = (struct config_strings){prefixes, n_prefixes};
    config.broker.application_destination_prefixes = (struct config_strings){app, COUNT(app)};
    config.broker.user_destination_prefix = slice_str(user_prefix);
    return config;
}

static void assert_rows(const struct config *config, const struct row *rows, size_t n_rows)
{
    struct routes *routes = routes_new(config, key);

    for (size_t i = 0; i < n_rows; i++) {
        struct route_match send = {.route = NULL}, subscribe = {.route = NULL};
        struct slice destination = slice_str(rows[i].destination);

        if (routes_find(routes, destination, &send) != rows[i].send ||
            routes_find_subscribe(routes, destination, &subscribe) != rows[i].subscribe)
            fail_msg("%s", rows[i].destination);
        assert_int_equal(send.route != NULL, rows[i].send == ROUTE_CONFIGURED);
        assert_int_equal(subscribe.route != NULL, rows[i].subscribe == ROUTE_CONFIGURED);
    }
    routes_free(routes);
}

static void prefixes_are_compared_as_they_are(void **state)
{
    struct slice prefixes[] = {SLICE("/topic"), SLICE("/queue/")};
    const struct config config = config_of(fixed, COUNT(fixed), prefixes, 2, "/user/");
    const struct row rows[] = {
        {"/topic/a", ROUTE_BROKER, ROUTE_BROKER},
        {"/topicfoo", ROUTE_BROKER, ROUTE_BROKER},
        {"/topic", ROUTE_BROKER, ROUTE_BROKER},
        {"/queue/a", ROUTE_BROKER, ROUTE_BROKER},
        {"/queue", ROUTE_NOWHERE, ROUTE_NOWHERE},
        {"/queuefoo", ROUTE_NOWHERE, ROUTE_NOWHERE},
        {"/Topic/a", ROUTE_NOWHERE, ROUTE_NOWHERE},
        {"topic/a", ROUTE_NOWHERE, ROUTE_NOWHERE},
        {"", ROUTE_NOWHERE, ROUTE_NOWHERE},
        {"/user/a", ROUTE_USER, ROUTE_USER},
        {"/app/unknown", ROUTE_APPLICATION, ROUTE_APPLICATION},
        {"/service/unknown", ROUTE_APPLICATION, ROUTE_APPLICATION},
        {"/app/", ROUTE_APPLICATION, ROUTE_APPLICATION},
        {"/app", ROUTE_NOWHERE, ROUTE_NOWHERE},
        {"/application/x", ROUTE_NOWHERE, ROUTE_NOWHERE},
    };

    (void)state;
    assert_rows(&config, rows, COUNT(rows));
}

static void a_broker_without_prefixes_takes_all_but_the_users(void **state)
{
    const struct config with_slash = config_of(fixed, COUNT(fixed), NULL, 0, "/user/");
    const struct config without = config_of(fixed, COUNT(fixed), NULL, 0, "/user");
    const struct row rows[] = {
        {"/anything", ROUTE_BROKER, ROUTE_BROKER},    {"x", ROUTE_BROKER, ROUTE_BROKER},
        {"/app/unknown", ROUTE_BROKER, ROUTE_BROKER}, {"/user/joe/queue/a", ROUTE_USER, ROUTE_USER},
        {"/user/", ROUTE_USER, ROUTE_USER},           {"/user", ROUTE_BROKER, ROUTE_BROKER},
        {"/username/a", ROUTE_BROKER, ROUTE_BROKER},
    };

    (void)state;
    assert_rows(&with_slash, rows, COUNT(rows));
    assert_rows(&without, rows, COUNT(rows));
}

static void a_route_goes_before_every_prefix(void **state)
{
    struct slice prefixes[] = {SLICE("/topic")};
    const struct config config = config_of(fixed, COUNT(fixed), prefixes, 1, "/user/");
    const struct config without = config_of(fixed, COUNT(fixed), NULL, 0, "/user/");
    const struct row rows[] = {
        /* What is sent there goes elsewhere. */
        {"/app/chat", ROUTE_CONFIGURED, ROUTE_APPLICATION},
        {"/app/mine", ROUTE_CONFIGURED, ROUTE_APPLICATION},
        {"/app/echo", ROUTE_CONFIGURED, ROUTE_BROKER},
        /* The broker's: others may publish there. */
        {"/topic/moved", ROUTE_CONFIGURED, ROUTE_BROKER},
        {"/topic/there", ROUTE_BROKER, ROUTE_BROKER},
        {"/app/chat/", ROUTE_APPLICATION, ROUTE_APPLICATION},
        {"/app/Chat", ROUTE_APPLICATION, ROUTE_APPLICATION},
    };
    const struct row rows_without[] = {{"/app/chat", ROUTE_CONFIGURED, ROUTE_BROKER}};

    (void)state;
    assert_rows(&config, rows, COUNT(rows));
    assert_rows(&without, rows_without, COUNT(rows_without));
}

static void the_first_route_of_a_destination_wins(void **state)
{
    const struct config config = config_of(fixed, COUNT(fixed), NULL, 0, "/user/");
    struct routes *routes = routes_new(&config, key);
    struct route_match match;

    (void)state;
    assert_int_equal(routes_find(routes, slice_str("/app/chat"), &match), ROUTE_CONFIGURED);
    assert_slice(match.route->send_to, "/topic/chat");
    assert_int_equal(match.n_variables, 0);
    routes_free(routes);
    routes_free(NULL);
}

/* The destination that a SEND leads to by send_to, or "" when no route takes it. */
static void assert_filled(const struct config *config, const char *destination, const char *filled)
{
    struct routes *routes = routes_new(config, key);
    struct route_match match;
    struct buf out;

    buf_init(&out, 256);
    if (routes_find(routes, slice_str(destination), &match) == ROUTE_CONFIGURED)
        assert_true(
            routes_fill(match.route->send_to, &match, slice_str("joe"), slice_str("s1"), &out));
    if (!slice_eq(buf_slice(&out), slice_str(filled)))
        fail_msg("%s: %.*s", destination, SLICE_FMT(buf_slice(&out)));
    buf_dispose(&out);
    routes_free(routes);
}

static void empty_segments_behind_the_application_prefix_do_not_count(void **state)
{
    struct slice prefixes[] = {SLICE("/topic")};
    const struct config config = config_of(fixed, COUNT(fixed), prefixes, 1, "/user/");
    const struct config patterns =
        config_of(with_answers, COUNT(with_answers), prefixes, 1, "/user/");
    const struct row rows[] = {
        {"/app//chat", ROUTE_CONFIGURED, ROUTE_APPLICATION},
        {"/app///chat", ROUTE_CONFIGURED, ROUTE_APPLICATION},
        {"/app/chat/", ROUTE_APPLICATION, ROUTE_APPLICATION},
        {"/app/chat//", ROUTE_APPLICATION, ROUTE_APPLICATION},
        {"//app/chat", ROUTE_NOWHERE, ROUTE_NOWHERE},
        {"/topic//moved", ROUTE_BROKER, ROUTE_BROKER},
    };
    const struct row answered[] = {
        {"/app//hello", ROUTE_APPLICATION, ROUTE_CONFIGURED},
        {"/app//price.x", ROUTE_CONFIGURED, ROUTE_CONFIGURED},
        {"//app/price.x", ROUTE_NOWHERE, ROUTE_NOWHERE},
    };

    (void)state;
    assert_rows(&config, rows, COUNT(rows));
    assert_rows(&patterns, answered, COUNT(answered));
}

static void the_exact_route_wins_and_then_the_most_specific(void **state)
{
    const struct config config =
        config_of(with_variables, COUNT(with_variables), NULL, 0, "/user/");
    const struct {
        const char *destination, *filled;
    } rows[] = {
        {"/app/chat/lobby", "/topic/lobby"},
        {"/app/chat/garden", "/topic/chat.garden"},
        {"/app/orders/7", "/topic/orders.7"},
        {"/app/x", "/topic/rest"},
        {"/app/a/b/c", "/topic/four"},
        {"/app/a/b/c/d", "/topic/rest"},
        {"/app/chat/{room}", "/topic/chat.{room}"},
        {"/app/chat/*", "/topic/chat.*"},
        {"/app/chat/x-users1", "/topic/chat.x-users1"},
        {"/topic/x", ""},
        /* Users' destinations are no route's, whatever its pattern. */
        {"/user/a/b/c", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_filled(&config, rows[i].destination, rows[i].filled);
}

static void variables_follow_the_separator(void **state)
{
    static struct config_route dotted[] = {
        {.destination = SLICE("/app/chat.{room}"), .send_to = SLICE("/topic/{room}")},
    };
    struct config config = config_of(dotted, COUNT(dotted), NULL, 0, "/user/");

    (void)state;
    assert_filled(&config, "/app/chat.a", "/topic/a");
    assert_filled(&config, "/app/chat.a.b", "/topic/a.b");
    assert_filled(&config, "/app/chat.a/b", "");
    config.broker.path_separator = '.';
    assert_filled(&config, "/app/chat.a", "/topic/a");
    assert_filled(&config, "/app/chat.a.b", "");
    assert_filled(&config, "/app/chat.a/b", "/topic/a/b");
}

static void templates_know_the_variables_the_user_and_the_session(void **state)
{
    const struct config config =
        config_of(with_variables, COUNT(with_variables), NULL, 0, "/user/");
    struct routes *routes = routes_new(&config, key);
    struct slice template = SLICE("{id}/{kind} {user}@{session}{none}");
    struct route_match match;
    struct buf out;

    (void)state;
    assert_int_equal(routes_find(routes, slice_str("/app/{user}/7"), &match), ROUTE_CONFIGURED);
    assert_int_equal(match.n_variables, 2);
    assert_slice(match.variables[0], "kind");
    assert_slice(match.values[1], "7");
    buf_init(&out, 64);
    assert_true(routes_fill(template, &match, slice_str("joe"), slice_str("s1"), &out));
    assert_slice(buf_slice(&out), "7/{user} joe@s1");
    buf_dispose(&out);
    assert_true(routes_fill(template, &match, slice_str(""), slice_str("s1"), &out));
    assert_slice(buf_slice(&out), "7/{user} @s1");
    buf_dispose(&out);
    buf_init(&out, 8);
    assert_false(routes_fill(template, &match, slice_str("joe"), slice_str("s1"), &out));
    assert_int_equal(out.len, 0);
    buf_dispose(&out);
    routes_free(routes);
}

static void a_route_with_on_subscribe_answers(void **state)
{
    struct slice prefixes[] = {SLICE("/topic")};
    const struct config config =
        config_of(with_answers, COUNT(with_answers), prefixes, 1, "/user/");
    const struct row rows[] = {
        {"/app/hello", ROUTE_APPLICATION, ROUTE_CONFIGURED},
        {"/app/price.x", ROUTE_CONFIGURED, ROUTE_CONFIGURED},
        {"/app/other", ROUTE_APPLICATION, ROUTE_CONFIGURED},
        /* More specific than the answer, and keeps its messages. */
        {"/app/echo.a", ROUTE_CONFIGURED, ROUTE_BROKER},
        /* Nothing would come there, since it is sent elsewhere: the answer is left. */
        {"/app/echo.not", ROUTE_CONFIGURED, ROUTE_CONFIGURED},
        {"/topic/x", ROUTE_BROKER, ROUTE_BROKER},
    };
    struct routes *routes = routes_new(&config, key);
    struct route_match match;

    (void)state;
    assert_rows(&config, rows, COUNT(rows));
    assert_int_equal(routes_find_subscribe(routes, slice_str("/app/price.x"), &match),
                     ROUTE_CONFIGURED);
    assert_slice(match.route->on_subscribe.last_of, "/topic/price.{symbol}");
    assert_slice(match.values[0], "x");
    assert_int_equal(routes_find_subscribe(routes, slice_str("/app/hello"), &match),
                     ROUTE_CONFIGURED);
    assert_slice(match.route->on_subscribe.body, "hi");
    routes_free(routes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prefixes_are_compared_as_they_are),
        cmocka_unit_test(a_broker_without_prefixes_takes_all_but_the_users),
        cmocka_unit_test(a_route_goes_before_every_prefix),
        cmocka_unit_test(the_first_route_of_a_destination_wins),
        cmocka_unit_test(empty_segments_behind_the_application_prefix_do_not_count),
        cmocka_unit_test(the_exact_route_wins_and_then_the_most_specific),
        cmocka_unit_test(variables_follow_the_separator),
        cmocka_unit_test(templates_know_the_variables_the_user_and_the_session),
        cmocka_unit_test(a_route_with_on_subscribe_answers),
    };

    return cmocka_run_group_tests_name("gateway/session/routes", tests, NULL, NULL);
}
