#include "tests/test.h"
#include "gateway/session/bound.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ID "0123456789abcdef0123456789abcdef"

static struct config make_config(struct slice *prefixes, size_t n)
{
    struct config config = {.n_listeners = 0};

    config.broker.user_destination_prefix = (struct slice)SLICE("/user/");
    config.broker.destination_prefixes = (struct config_strings){prefixes, n};
    return config;
}

static void a_send_names_the_user_and_the_target(void **state)
{
    static const struct {
        const char *destination, *user, *target, *shown;
    } rows[] = {
        {"/user/joe/queue/x", "joe", "/queue/x", "/user/queue/x"},
        {"/user/joe/", "joe", "/", "/user/"},
        {"/user/a%2Fb/queue/x", "a/b", "/queue/x", "/user/queue/x"},
        {"/user/%2F%2F/q", "//", "/q", "/user/q"},
        /* the one escape there is, spelled so */
        {"/user/a%2fb%20/q", "a%2fb%20", "/q", "/user/q"},
        {"/user/a%2/q", "a%2", "/q", "/user/q"},
        {"/user/joe//q", "joe", "//q", "/user//q"},
        {"/user/한글/q", "한글", "/q", "/user/q"},
        /* nobody, or nothing */
        {"/user/joe", NULL, NULL, NULL},
        {"/user/", NULL, NULL, NULL},
        {"/user//queue/x", NULL, NULL, NULL},
        {"/user", NULL, NULL, NULL},
        {"/users/joe/q", NULL, NULL, NULL},
        {"/topic/a", NULL, NULL, NULL},
    };
    const struct config config = make_config(NULL, 0);

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bound_address address;
        bool is_read = bound_read(&config, slice_str(rows[i].destination), &address);

        assert_int_equal(is_read, rows[i].user != NULL);
        if (!is_read)
            continue;
        assert_true(slice_eq(address.user, slice_str(rows[i].user)));
        assert_true(slice_eq(address.target, slice_str(rows[i].target)));
        assert_true(slice_eq(address.shown, slice_str(rows[i].shown)));
        bound_dispose(&address);
    }
}

static void a_subscription_is_about_the_target(void **state)
{
    const struct config config = make_config(NULL, 0);
    struct slice target;

    (void)state;
    assert_true(bound_target(&config, slice_str("/user/queue/x"), &target));
    assert_true(slice_eq(target, slice_str("/queue/x")));
    assert_true(bound_target(&config, slice_str("/user/"), &target));
    assert_true(slice_eq(target, slice_str("/")));
    assert_false(bound_target(&config, slice_str("/user"), &target));
    assert_false(bound_target(&config, slice_str("/queue/x"), &target));
    assert_true(bound_is_user(&config, slice_str("/user/x")));
    assert_false(bound_is_user(&config, slice_str("/userx")));
}

static void a_target_has_no_slash_where_the_brokers_prefixes_have_none(void **state)
{
    struct slice without[] = {SLICE("jms.queue."), SLICE("jms.topic.")};
    struct slice mixed[] = {SLICE("jms.queue."), SLICE("/topic")};
    struct config config = make_config(without, 2);
    struct bound_address address;
    struct slice target;

    (void)state;
    assert_true(bound_target(&config, slice_str("/user/jms.queue.x"), &target));
    assert_true(slice_eq(target, slice_str("jms.queue.x")));
    assert_true(bound_read(&config, slice_str("/user/joe/jms.queue.x"), &address));
    assert_true(slice_eq(address.target, slice_str("jms.queue.x")));
    assert_true(slice_eq(address.shown, slice_str("/user/jms.queue.x")));
    bound_dispose(&address);
    assert_slice(bound_target_of_path(&config, slice_str("/jms.queue.x")), "jms.queue.x");
    assert_slice(bound_target_of_path(&config, slice_str("jms.queue.x")), "jms.queue.x");
    assert_slice(bound_target_of_path(&config, slice_str("")), "");
    config = make_config(mixed, 2);
    assert_slice(bound_target_of_path(&config, slice_str("/topic/x")), "/topic/x");
    assert_true(bound_target(&config, slice_str("/user/topic/x"), &target));
    assert_true(slice_eq(target, slice_str("/topic/x")));
}

static void only_a_session_id_behind_user_is_a_bound_name(void **state)
{
    static const char *const others[] = {
        "",
        "-user",
        "/topic/new-user",
        "/queue/x-user0123",
        "/queue/x-user" ID "0",
        "/queue/x-usr" ID,
        "/queue/x" ID,
        "/queue/x-user0123456789ABCDEF0123456789abcdef",
        ID,
        "/queue/x-user" ID "/",
        "/queue/x-userg123456789abcdef0123456789abcdef",
    };
    struct slice target, id;

    (void)state;
    assert_true(bound_cut(slice_str("/queue/x-user" ID), &target, &id));
    assert_true(slice_eq(target, slice_str("/queue/x")));
    assert_true(slice_eq(id, slice_str(ID)));
    assert_true(bound_cut(slice_str("-user" ID), &target, &id));
    assert_int_equal(target.len, 0);
    for (size_t i = 0; i < COUNT(others); i++)
        assert_false(bound_cut(slice_str(others[i]), &target, &id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_send_names_the_user_and_the_target),
        cmocka_unit_test(a_subscription_is_about_the_target),
        cmocka_unit_test(a_target_has_no_slash_where_the_brokers_prefixes_have_none),
        cmocka_unit_test(only_a_session_id_behind_user_is_a_bound_name),
    };

    return cmocka_run_group_tests_name("gateway/session/bound", tests, NULL, NULL);
}
