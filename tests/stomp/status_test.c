#include "tests/test.h"
#include "stomp/status.h"

static void every_status_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int a = STOMP_OK; a <= STOMP_ERR_VERSION; a++) {
        assert_string_not_equal(stomp_strstatus((enum stomp_status)a), "unknown");
        for (int b = STOMP_OK; b < a; b++)
            assert_string_not_equal(stomp_strstatus((enum stomp_status)a),
                                    stomp_strstatus((enum stomp_status)b));
    }
    assert_string_equal(stomp_strstatus(STOMP_ERR_HEADER_COUNT), "header-count");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_name_of_its_own),
    };

    return cmocka_run_group_tests_name("stomp/status", tests, NULL, NULL);
}
