#include "tests/test.h"
#include "stomp/version.h"

static void the_highest_common_version_is_taken(void **state)
{
    static const struct {
        struct slice list;
        const char *name;
    } rows[] = {{SLICE("1.0"), "1.0"},         {SLICE("1.0,1.1,1.2"), "1.2"},
                {SLICE("1.2,1.1"), "1.2"},     {SLICE("1.1, 1.2"), "1.2"},
                {SLICE(" 1.1 ,\t1.0"), "1.1"}, {SLICE("2.0,1.1,1.3"), "1.1"},
                {SLICE("1.1,1.0,9"), "1.1"},   {SLICE(",1.0,"), "1.0"},
                {SLICE("1.1,1.1"), "1.1"},     {SLICE("12345,v1.2,1.0"), "1.0"}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum stomp_version version = STOMP_N_VERSIONS;

        assert_int_equal(stomp_version_negotiate(rows[i].list, &version), STOMP_OK);
        assert_true(slice_eq(stomp_version_name(version), slice_str(rows[i].name)));
    }
}

static void an_absent_list_reads_as_1_0(void **state)
{
    enum stomp_version version = STOMP_N_VERSIONS;

    (void)state;
    assert_int_equal(stomp_version_negotiate((struct slice)SLICE(""), &version), STOMP_OK);
    assert_int_equal(version, STOMP_VERSION_1_0);
}

static void no_common_version_is_an_error(void **state)
{
    const struct slice bad[] = {SLICE("1.3"), SLICE("1"),       SLICE(" "),
                                SLICE(","),   SLICE("1.1 1.2"), SLICE("1.2;1.1")};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        enum stomp_version version = STOMP_N_VERSIONS;

        assert_int_equal(stomp_version_negotiate(bad[i], &version), STOMP_ERR_VERSION);
        assert_int_equal(version, STOMP_N_VERSIONS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_highest_common_version_is_taken),
        cmocka_unit_test(an_absent_list_reads_as_1_0),
        cmocka_unit_test(no_common_version_is_an_error),
    };

    return cmocka_run_group_tests_name("stomp/version", tests, NULL, NULL);
}
