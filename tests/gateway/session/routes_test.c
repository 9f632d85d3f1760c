#include "tests/test.h"
#include "gateway/session/routes.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct config_route configured[] = {
    {.destination = SLICE("/app/chat"), .send_to = SLICE("/topic/chat")},
    {.destination = SLICE("/app/echo"), .mode = CONFIG_ROUTE_ECHO},
    {.destination = SLICE("/app/chat"), .send_to = SLICE("/topic/second")},
    {.destination = SLICE("/topic/moved"), .send_to = SLICE("/topic/there")},
    {.destination = SLICE("/user/special")},
};

/* Whether and where destinations lead, with the given broker and user prefixes. */
struct row {
    const char *destination;
    enum route_kind kind;
    bool takes_subscription;
};

static void assert_rows(struct slice *prefixes, size_t n_prefixes, const char *user_prefix,
                        const struct row *rows, size_t n_rows)
{
    const struct siphash_key key = {3, 4};
    struct config config = {.routes = configured, .n_routes = COUNT(configured)};
    struct routes *routes;

    config.broker.destination_prefixes = (struct config_strings){prefixes, n_prefixes};
    config.broker.user_destination_prefix = slice_str(user_prefix);
    routes = routes_new(&config, key);
    for (size_t i = 0; i < n_rows; i++) {
        const struct config_route *route = NULL;
        struct slice destination = slice_str(rows[i].destination);

        if (routes_find(routes, destination, &route) != rows[i].kind ||
            routes_takes_subscription(routes, destination) != rows[i].takes_subscription)
            fail_msg("%s", rows[i].destination);
        assert_int_equal(route != NULL, rows[i].kind == ROUTE_CONFIGURED);
        if (route != NULL)
            assert_true(slice_eq(route->destination, destination));
    }
    routes_free(routes);
}

static void prefixes_are_compared_as_they_are(void **state)
{
    struct slice prefixes[] = {SLICE("/topic"), SLICE("/queue/")};
    const struct row rows[] = {
        {"/topic/a", ROUTE_BROKER, true},       {"/topicfoo", ROUTE_BROKER, true},
        {"/topic", ROUTE_BROKER, true},         {"/queue/a", ROUTE_BROKER, true},
        {"/queue", ROUTE_NOWHERE, false},       {"/queuefoo", ROUTE_NOWHERE, false},
        {"/Topic/a", ROUTE_NOWHERE, false},     {"topic/a", ROUTE_NOWHERE, false},
        {"/app/unknown", ROUTE_NOWHERE, false}, {"", ROUTE_NOWHERE, false},
    };

    (void)state;
    assert_rows(prefixes, 2, "/user/", rows, COUNT(rows));
}

static void a_broker_without_prefixes_takes_all_but_the_users(void **state)
{
    const struct row rows[] = {
        {"/anything", ROUTE_BROKER, true},    {"x", ROUTE_BROKER, true},
        {"/app/unknown", ROUTE_BROKER, true}, {"/user/joe/queue/a", ROUTE_NOWHERE, false},
        {"/user/", ROUTE_NOWHERE, false},     {"/user", ROUTE_BROKER, true},
        {"/username/a", ROUTE_BROKER, true},
    };

    (void)state;
    assert_rows(NULL, 0, "/user/", rows, COUNT(rows));
    assert_rows(NULL, 0, "/user", rows, COUNT(rows));
}

static void a_route_goes_before_every_prefix(void **state)
{
    struct slice prefixes[] = {SLICE("/topic")};
    const struct row rows[] = {
        {"/app/chat", ROUTE_CONFIGURED, false}, /* what is sent there goes elsewhere */
        {"/app/echo", ROUTE_CONFIGURED, true},    {"/user/special", ROUTE_CONFIGURED, true},
        {"/topic/moved", ROUTE_CONFIGURED, true}, /* the broker's: others may publish there */
        {"/topic/there", ROUTE_BROKER, true},     {"/app/chat/", ROUTE_NOWHERE, false},
        {"/app/Chat", ROUTE_NOWHERE, false},
    };

    (void)state;
    assert_rows(prefixes, 1, "/user/", rows, COUNT(rows));
}

static void the_first_route_of_a_destination_wins(void **state)
{
    const struct siphash_key key = {3, 4};
    const struct config config = {.routes = configured, .n_routes = COUNT(configured)};
    struct routes *routes = routes_new(&config, key);
    const struct config_route *route = NULL;

    (void)state;
    assert_int_equal(routes_find(routes, slice_str("/app/chat"), &route), ROUTE_CONFIGURED);
    assert_slice(route->send_to, "/topic/chat");
    routes_free(routes);
    routes_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prefixes_are_compared_as_they_are),
        cmocka_unit_test(a_broker_without_prefixes_takes_all_but_the_users),
        cmocka_unit_test(a_route_goes_before_every_prefix),
        cmocka_unit_test(the_first_route_of_a_destination_wins),
    };

    return cmocka_run_group_tests_name("gateway/session/routes", tests, NULL, NULL);
}
