#include "tests/test.h"
#include "gateway/config/lookup.h"

static void flags_name_items_by_index(void **state)
{
    const char *const bad[] = {"",
                               "endpoints[].path",
                               "endpoints[a].path",
                               "endpoints[01].path",
                               "endpoints[1.path",
                               "endpoints[9999999].path",
                               "endpoints[0].nothing",
                               "endpoints[0]",
                               "endpoints[0][0].path",
                               "endpoints[0].path[0]",
                               "broker",
                               "broker.heartbeat[0]"};
    size_t index = 7;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_null(lookup_flag(slice_str(bad[i]), &index));
    assert_int_equal(index, 7);
    assert_ptr_equal(lookup_flag(slice_str("endpoints[12].path"), &index),
                     setting_get("endpoints[].path"));
    assert_int_equal(index, 12);
    assert_ptr_equal(lookup_flag(slice_str("broker.heartbeat"), &index),
                     setting_get("broker.heartbeat"));
    assert_int_equal(index, 0);
}

static void variables_name_items_by_index(void **state)
{
    const char *const bad[] = {"STOMPGATE_",
                               "STOMPGATE_ENDPOINTS_PATH",
                               "STOMPGATE_ENDPOINTS__PATH",
                               "STOMPGATE_ENDPOINTS_00_PATH",
                               "STOMPGATE_ENDPOINTS_0_PATHS",
                               "STOMPGATE_ENDPOINTS_0",
                               "STOMPGATE_BROKER_HEART_BEAT",
                               "BROKER_HEARTBEAT",
                               "STOMPGATE_broker_heartbeat"};
    size_t index = 7;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_null(lookup_variable(slice_str(bad[i]), &index));
    assert_int_equal(index, 7);
    assert_ptr_equal(lookup_variable(slice_str("STOMPGATE_AUTH_ISSUERS_3_USER_CLAIM"), &index),
                     setting_get("auth.issuers[].user_claim"));
    assert_int_equal(index, 3);
    assert_ptr_equal(lookup_variable(slice_str("STOMPGATE_WORKERS"), &index),
                     setting_get("workers"));
    assert_int_equal(index, 0);
}

static void unknown_keys_get_a_hint(void **state)
{
    const struct {
        const char *prefix, *key, *text, *meant;
    } rows[] = {
        {"", "endpoint", "unknown setting, did you mean endpoints?", "endpoints"},
        {"broker.", "heart-beat", "unknown setting, did you mean heartbeat?", "broker.heartbeat"},
        {"endpoints[].", "pth", "unknown setting, did you mean path?", "endpoints[].path"},
        {"", "heartbeat", "unknown setting here, did you mean broker.heartbeat, in its own place?",
         "broker.heartbeat"},
        {"", "broker.heartbeat",
         "unknown setting here, did you mean broker.heartbeat, in its own place?",
         "broker.heartbeat"},
        {"", "issuers", "unknown setting here, did you mean auth.issuers, in its own place?",
         "auth.issuers"},
        {"log.", "colour", "unknown setting, expected one of level, format", ""},
        {"auth.", "", "unknown setting, expected one of anonymous, query_parameter, issuers", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lookup_text meant;
        struct lookup_text text =
            lookup_unknown_key(slice_str(rows[i].prefix), slice_str(rows[i].key), &meant);

        assert_string_equal(text.text, rows[i].text);
        assert_string_equal(meant.text, rows[i].meant);
    }
}

static void later_variables_are_known(void **state)
{
    (void)state;
    assert_true(lookup_variable_is_later(slice_str("STOMPGATE_CLUSTER_NATS_URL")));
    assert_true(lookup_variable_is_later(slice_str("STOMPGATE_AUTH_PASSWORDS")));
    assert_true(lookup_variable_is_later(slice_str("STOMPGATE_AUTH_ISSUERS_2_JWKS_URL")));
    assert_false(lookup_variable_is_later(slice_str("STOMPGATE_CLUSTERS")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_name_items_by_index),
        cmocka_unit_test(variables_name_items_by_index),
        cmocka_unit_test(unknown_keys_get_a_hint),
        cmocka_unit_test(later_variables_are_known),
    };

    return cmocka_run_group_tests_name("gateway/config/lookup", tests, NULL, NULL);
}
