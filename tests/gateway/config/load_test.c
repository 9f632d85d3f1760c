#include "tests/gateway/config/loading.h"

#include <pthread.h>

#define EXAMPLE(name) SOURCE_DIR "/docs/examples/" name

static void the_demo_loads(void **state)
{
    const struct config_source source = {.path = EXAMPLE("demo.yaml")};
    struct config_errors errors;
    struct config *c;

    (void)state;
    config_errors_init(&errors);
    c = config_load(&source, &errors);
    config_errors_print(&errors, stderr);
    assert_non_null(c);
    assert_slice(c->listeners[0].address, "127.0.0.1:8080");
    assert_int_equal(c->n_endpoints, 3);
    assert_int_equal(c->endpoints[1].protocol, CONFIG_PROTOCOL_ECHO);
    assert_int_equal(c->endpoints[2].protocol, CONFIG_PROTOCOL_BROADCAST);
    assert_true(c->auth.anonymous);
    assert_true(c->web.demo);
    config_unref(c);
    config_errors_dispose(&errors);
}

/* Its files are not on this machine: others stand in for them. */
static void the_production_example_loads(void **state)
{
    const char *const flags[] = {
        "tls.certificates[0].certificate=" EXAMPLE("production.yaml"),
        "tls.certificates[0].key=" EXAMPLE("production.yaml"),
        "auth.issuers[0].public_key=" EXAMPLE("production.yaml"),
    };
    const struct config_source source = {
        .path = EXAMPLE("production.yaml"), .overrides = flags, .n_overrides = 3};
    struct config_errors errors;
    struct config *c;

    (void)state;
    config_errors_init(&errors);
    c = config_load(&source, &errors);
    config_errors_print(&errors, stderr);
    assert_non_null(c);
    assert_true(c->listeners[0].tls);
    assert_false(c->auth.anonymous);
    assert_int_equal(c->n_access, 4);
    config_unref(c);
    config_errors_dispose(&errors);
}

static void a_file_that_cannot_be_read_is_one_error(void **state)
{
    const char *const paths[] = {"/nonexistent/f.yaml", "/"};
    const char *const printed[] = {
        "/nonexistent/f.yaml: cannot be read: No such file or directory\n",
        "/: cannot be read: Is a directory\n"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct config_source source = {.path = paths[i]};
        struct config_errors errors;
        char text[256];
        FILE *out = fmemopen(text, sizeof(text), "w");

        config_errors_init(&errors);
        assert_null(config_load(&source, &errors));
        config_errors_print(&errors, out);
        (void)fclose(out);
        assert_string_equal(text, printed[i]);
        config_errors_dispose(&errors);
    }
}

static void without_a_file_the_error_says_configuration(void **state)
{
    const struct config_source source = {.path = NULL};
    const char *const flags[] = {"auth.anonymous=true"};
    const struct config_source open = {.overrides = flags, .n_overrides = 1};
    struct config_errors errors;
    struct config *c;

    (void)state;
    config_errors_init(&errors);
    assert_null(config_load(&source, &errors));
    assert_int_equal(errors.n, 1);
    assert_int_equal(errors.items[0].kind, CONFIG_ORIGIN_DEFAULT);
    config_errors_dispose(&errors);
    c = config_load(&open, &errors);
    assert_non_null(c);
    config_unref(c);
    config_unref(NULL);
}

static void *hold_and_let_go(void *config)
{
    for (int i = 0; i < 1000; i++)
        config_unref(config_ref(config));
    config_unref(config);
    return NULL;
}

static void any_thread_may_hold_a_reference(void **state)
{
    struct loaded *l = load_good(OPEN, NULL);
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, hold_and_let_go, (void *)config_ref(l->config)), 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_slice(l->config->endpoints[0].path, "/ws");
    unload(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_demo_loads),
        cmocka_unit_test(the_production_example_loads),
        cmocka_unit_test(a_file_that_cannot_be_read_is_one_error),
        cmocka_unit_test(without_a_file_the_error_says_configuration),
        cmocka_unit_test(any_thread_may_hold_a_reference),
    };

    return cmocka_run_group_tests_name("gateway/config/load", tests, NULL, NULL);
}
