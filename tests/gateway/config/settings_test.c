#include "tests/test.h"

#include "gateway/config/config.h"
#include "gateway/config/lookup.h"
#include "gateway/config/settings.h"
#include "gateway/config/value.h"

static void names_and_variables_are_unique(void **state)
{
    size_t n;
    const struct setting *all = setting_all(&n);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        struct lookup_text name = lookup_variable_name(all[i].name, slice_str("0"));
        size_t index = 9;

        assert_ptr_equal(setting_find(slice_str(all[i].name)), &all[i]);
        assert_ptr_equal(lookup_variable(slice_str(name.text), &index), &all[i]);
        assert_int_equal(index, 0);
        for (size_t k = 0; k < n; k++) {
            struct lookup_text other = lookup_variable_name(all[k].name, slice_str("0"));
            struct slice suffix;

            /* Nor does one end with the _FILE of another. */
            if (k == i || !slice_starts_with(slice_str(other.text), slice_str(name.text)))
                continue;
            suffix = slice_skip(slice_str(other.text), strlen(name.text));
            assert_false(slice_eq(suffix, slice_str("_FILE")));
        }
    }
}

static void rows_are_complete(void **state)
{
    size_t n, n_sections;
    const struct setting *all = setting_all(&n);
    const struct setting_section *sections = setting_section_all(&n_sections);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        const struct setting *s = &all[i];
        bool has_section = false;

        assert_true(strlen(s->help) > 10);
        assert_true(s->help[strlen(s->help) - 1] == '.' || s->help[strlen(s->help) - 1] == '`');
        assert_int_equal(s->words != NULL, setting_has_words(s->type));
        assert_true(s->type == SETTING_BOOL || s->words != NULL || s->type == SETTING_SHA256 ||
                    s->max > s->min);
        assert_int_equal(s->size == 0, (s->flags & SETTING_LATER) != 0);
        /* Left out, a setting is an error, has a constant or is said to be computed. */
        assert_true((s->flags & SETTING_REQUIRED) != 0 || s->standard != NULL ||
                    s->computed != NULL || s->type == SETTING_SECRET || s->type == SETTING_PATH);
        assert_int_equal(strchr(s->name, '[') != NULL, setting_list_of(s) != NULL);
        for (size_t k = 0; k < n_sections; k++)
            has_section =
                has_section || strncmp(s->name, sections[k].name, strcspn(s->name, ".[")) == 0;
        assert_true(has_section);
        assert_true(value_expected(s).text[0] != '\0');
    }
}

static void words_stand_in_the_order_of_their_enums(void **state)
{
    const struct {
        const char *setting;
        const char *word;
        unsigned value;
    } rows[] = {
        {"endpoints[].protocol", "stomp", CONFIG_PROTOCOL_STOMP},
        {"endpoints[].protocol", "echo", CONFIG_PROTOCOL_ECHO},
        {"endpoints[].protocol", "broadcast", CONFIG_PROTOCOL_BROADCAST},
        {"routes[].mode", "broadcast", CONFIG_ROUTE_BROADCAST},
        {"routes[].mode", "echo", CONFIG_ROUTE_ECHO},
        {"auth.issuers[].algorithms", "HS256", CONFIG_ALGORITHM_HS256},
        {"auth.issuers[].algorithms", "RS256", CONFIG_ALGORITHM_RS256},
        {"auth.issuers[].algorithms", "ES256", CONFIG_ALGORITHM_ES256},
        {"access[].allow", "all", CONFIG_ALLOW_ALL},
        {"access[].allow", "none", CONFIG_ALLOW_NONE},
        {"access[].allow", "authenticated", CONFIG_ALLOW_AUTHENTICATED},
        {"broker.unknown_destination", "drop", CONFIG_UNKNOWN_DROP},
        {"broker.unknown_destination", "error", CONFIG_UNKNOWN_ERROR},
        {"broker.refusals", "strict", CONFIG_REFUSALS_STRICT},
        {"broker.refusals", "soft", CONFIG_REFUSALS_SOFT},
        {"broker.queues[].mode", "fanout", CONFIG_QUEUE_FANOUT},
        {"broker.queues[].mode", "competing", CONFIG_QUEUE_COMPETING},
        {"broker.slow_consumers[].policy", "disconnect", CONFIG_SLOW_DISCONNECT},
        {"broker.slow_consumers[].policy", "drop_oldest", CONFIG_SLOW_DROP_OLDEST},
        {"broker.slow_consumers[].policy", "latest", CONFIG_SLOW_LATEST},
        {"log.level", "debug", CONFIG_LOG_DEBUG},
        {"log.level", "info", CONFIG_LOG_INFO},
        {"log.level", "warn", CONFIG_LOG_WARN},
        {"log.level", "error", CONFIG_LOG_ERROR},
        {"log.format", "auto", CONFIG_LOG_AUTO},
        {"log.format", "text", CONFIG_LOG_TEXT},
        {"log.format", "json", CONFIG_LOG_JSON},
    };
    unsigned index;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(
            value_word(slice_str(rows[i].word), setting_get(rows[i].setting)->words, &index));
        assert_int_equal(index, rows[i].value);
    }
    /* The sets are bits already in config.h. */
    assert_true(
        value_word(slice_str("metrics"), setting_get("admin.api_keys[].roles")->words, &index));
    assert_int_equal(1U << index, CONFIG_ROLE_METRICS);
    assert_true(value_word(slice_str("send"), setting_get("access[].operations")->words, &index));
    assert_int_equal(1U << index, CONFIG_SEND);
    assert_true(
        value_word(slice_str("subscribe"), setting_get("access[].operations")->words, &index));
    assert_int_equal(1U << index, CONFIG_SUBSCRIBE);
}

static void later_names_are_no_settings_of_today(void **state)
{
    const char *const *later = setting_later_all();

    (void)state;
    for (size_t i = 0; later[i] != NULL; i++) {
        assert_null(setting_find(slice_str(later[i])));
        assert_true(setting_is_later(slice_str(later[i])));
    }
    assert_true(setting_is_later(slice_str("cluster.nats.url")));
    assert_false(setting_is_later(slice_str("clusters")));
    assert_false(setting_is_later(slice_str("broker.heartbeat")));
}

static void groups_are_what_stands_above_settings(void **state)
{
    (void)state;
    assert_true(setting_is_group(slice_str("broker")));
    assert_true(setting_is_group(slice_str("auth")));
    assert_false(setting_is_group(slice_str("brok")));
    assert_false(setting_is_group(slice_str("workers")));
    assert_false(setting_is_group(slice_str("endpoints")));
    assert_false(setting_is_group(slice_str("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_variables_are_unique),
        cmocka_unit_test(rows_are_complete),
        cmocka_unit_test(words_stand_in_the_order_of_their_enums),
        cmocka_unit_test(later_names_are_no_settings_of_today),
        cmocka_unit_test(groups_are_what_stands_above_settings),
    };

    return cmocka_run_group_tests_name("gateway/config/settings", tests, NULL, NULL);
}
