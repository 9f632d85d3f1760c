#include "tests/test.h"
#include "base/ant.h"
#include "base/mem.h"
#include "gateway/router/policy.h"

static struct policy *make(const struct policy_rules *rules)
{
    char *error = NULL;
    struct policy *policy = policy_new(rules, &error);

    assert_null(error);
    assert_non_null(policy);
    return policy;
}

static unsigned of(const struct policy *policy, const char *destination)
{
    return policy_of(policy, slice_str(destination));
}

static void without_rules_no_destination_is_anything(void **state)
{
    struct policy *policy = make(&(struct policy_rules){.kept = {NULL, 0}});

    (void)state;
    assert_int_equal(of(policy, "/topic/a"), 0);
    assert_int_equal(of(policy, ""), 0);
    policy_free(policy);
}

static void a_destination_is_all_that_any_rule_says(void **state)
{
    const struct slice sequenced[] = {SLICE("/topic/*"), SLICE("/queue/work"), SLICE("/topic/**")};
    const struct slice competing[] = {SLICE("/queue/work"), SLICE("/queue/{kind}/in")};
    const struct slice kept[] = {SLICE("/topic/price.*"), SLICE("/topic/*"), SLICE("/topic/*")};
    const struct policy_queues queues = {{competing, 2}, true};
    const struct policy_rules rules = {
        .sequenced = {sequenced, 3},
        .kept = {kept, 3},
        .queues = &queues,
        .n_queues = 1,
        .separator = '/',
    };
    const struct {
        const char *destination;
        unsigned bits;
    } rows[] = {
        {"/topic/a", POLICY_SEQUENCED | POLICY_KEPT},
        {"/topic/a/b", POLICY_SEQUENCED},
        {"/topic/price.x", POLICY_SEQUENCED | POLICY_KEPT},
        {"/queue/work", POLICY_SEQUENCED | POLICY_COMPETING},
        {"/queue/work/", 0},
        {"/queue/Work", 0},
        {"/queue/a/in", POLICY_COMPETING},
        {"/queue/a/out", 0},
        {"/topic/*", POLICY_SEQUENCED | POLICY_KEPT},
        {"/app/a", 0},
        {"", 0},
    };
    struct policy *policy = make(&rules);

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(of(policy, rows[i].destination), rows[i].bits);
    policy_free(policy);
}

static void a_text_without_wildcards_is_one_destination_as_it_is_spelled(void **state)
{
    const struct slice kept[] = {SLICE("/topic//a"), SLICE("jms.queue.a"), SLICE("{")};
    struct policy *policy = make(&(struct policy_rules){.kept = {kept, 3}, .separator = '/'});

    (void)state;
    assert_int_equal(of(policy, "/topic//a"), POLICY_KEPT);
    assert_int_equal(of(policy, "/topic/a"), 0);
    assert_int_equal(of(policy, "jms.queue.a"), POLICY_KEPT);
    assert_int_equal(of(policy, "{"), POLICY_KEPT);
    policy_free(policy);
}

static void the_first_rule_of_a_queue_decides(void **state)
{
    const struct slice first[] = {SLICE("/queue/log"), SLICE("/queue/news.*")};
    const struct slice rest[] = {SLICE("/queue/**")};
    const struct policy_queues queues[] = {{{first, 2}, false}, {{rest, 1}, true}};
    struct policy *policy =
        make(&(struct policy_rules){.queues = queues, .n_queues = 2, .separator = '/'});

    (void)state;
    assert_true(policy_has_competing(policy));
    assert_int_equal(of(policy, "/queue/log"), 0);
    assert_int_equal(of(policy, "/queue/news.a"), 0);
    assert_int_equal(of(policy, "/queue/jobs"), POLICY_COMPETING);
    assert_int_equal(of(policy, "/topic/jobs"), 0);
    policy_free(policy);
    policy = make(&(struct policy_rules){.queues = queues, .n_queues = 1, .separator = '/'});
    assert_false(policy_has_competing(policy));
    policy_free(policy);
}

static void the_rules_are_copied(void **state)
{
    char exact[] = "/topic/a", pattern[] = "/queue/*";
    const struct slice items[] = {slice_str(exact), slice_str(pattern)};
    struct policy_queues queues = {{items, 2}, true};
    struct policy *policy =
        make(&(struct policy_rules){.queues = &queues, .n_queues = 1, .separator = '/'});

    (void)state;
    memset(exact, 'x', sizeof(exact) - 1);
    memset(pattern, 'x', sizeof(pattern) - 1);
    queues.is_competing = false;
    assert_int_equal(of(policy, "/topic/a"), POLICY_COMPETING);
    assert_int_equal(of(policy, "/queue/b"), POLICY_COMPETING);
    policy_free(policy);
}

/** Longer than any pattern may be, which no later version of the patterns will allow either. */
static struct slice too_long(void)
{
    static char text[ANT_PATTERN_MAX + 2];

    memset(text, 'a', sizeof(text));
    text[0] = '*';
    return slice_of(text, ANT_PATTERN_MAX + 1);
}

static void the_first_rule_for_slow_receivers_decides(void **state)
{
    const struct slice not_lossy[] = {SLICE("/topic/order.*"), SLICE("/topic/a")};
    const struct slice drop[] = {SLICE("/topic/*"), SLICE("/user/queue/*")};
    const struct slice keep[] = {SLICE("/topic/a"), SLICE("/topic/**"), SLICE("/queue/x")};
    const struct policy_slow_rule slow[] = {
        {{not_lossy, 2}, {.mode = POLICY_SLOW_DISCONNECT}},
        {{drop, 2}, {POLICY_SLOW_DROP_OLDEST, SLICE(""), 7, 8}},
        {{keep, 3}, {POLICY_SLOW_LATEST, SLICE("key"), 9, 10}},
    };
    const struct {
        const char *destination;
        enum policy_slow_mode mode;
    } rows[] = {
        {"/topic/order.1", POLICY_SLOW_DISCONNECT}, {"/topic/a", POLICY_SLOW_DISCONNECT},
        {"/topic/b", POLICY_SLOW_DROP_OLDEST},      {"/user/queue/x", POLICY_SLOW_DROP_OLDEST},
        {"/topic/a/b", POLICY_SLOW_LATEST},         {"/queue/x", POLICY_SLOW_LATEST},
        {"/queue/y", POLICY_SLOW_DISCONNECT},       {"", POLICY_SLOW_DISCONNECT},
    };
    struct policy_rules rules = {
        .slow = slow, .n_slow = 3, .user_prefix = SLICE("/user/"), .separator = '/'};
    struct policy *policy = make(&rules);
    const struct policy_slow *found;

    (void)state;
    assert_true(policy_has_slow(policy));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        found = policy_slow_of(policy, slice_str(rows[i].destination));
        assert_int_equal(found == NULL ? POLICY_SLOW_DISCONNECT : found->mode, rows[i].mode);
        assert_int_equal(of(policy, rows[i].destination), 0);
    }
    found = policy_slow_of(policy, slice_str("/queue/x"));
    assert_true(slice_eq(found->key_header, slice_str("key")));
    assert_int_equal(found->max_messages, 9);
    assert_int_equal(found->max_bytes, 10);
    assert_int_equal(policy_slow_of_bound(policy, slice_str("/queue/x"))->max_messages, 7);
    assert_int_equal(policy_slow_of_bound(policy, slice_str("queue/x"))->max_messages, 7);
    assert_null(policy_slow_of_bound(policy, slice_str("/topic/b")));
    policy_free(policy);

    rules.n_slow = 1; /* none but what is the default anyway */
    policy = make(&rules);
    assert_false(policy_has_slow(policy));
    assert_null(policy_slow_of(policy, slice_str("/topic/b")));
    assert_null(policy_slow_of_bound(policy, slice_str("/queue/x")));
    policy_free(policy);
}

static void a_pattern_that_does_not_compile_is_named(void **state)
{
    const struct slice good[] = {SLICE("/topic/*"), SLICE("/topic/a")};
    const struct slice bad[] = {SLICE("/topic/*"), too_long()};
    const struct policy_queues good_queues = {{good, 2}, true}, bad_queues = {{&bad[1], 1}, false};
    const struct policy_slow_rule good_slow = {{good, 2}, {.mode = POLICY_SLOW_LATEST}};
    const struct policy_slow_rule bad_slow = {{bad, 2}, {.key_header = SLICE("key")}};
    const struct {
        struct policy_patterns sequenced, kept;
        const struct policy_queues *queues;
        const struct policy_slow_rule *slow;
    } rows[] = {
        {{bad, 2}, {good, 2}, &good_queues, &good_slow},
        {{good, 2}, {good, 2}, &bad_queues, &good_slow},
        {{good, 2}, {bad, 2}, &good_queues, &good_slow},
        {{good, 2}, {good, 2}, &good_queues, &bad_slow},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct policy_rules rules = {
            .sequenced = rows[i].sequenced,
            .kept = rows[i].kept,
            .queues = rows[i].queues,
            .n_queues = 1,
            .slow = rows[i].slow,
            .n_slow = 1,
            .separator = '/',
        };
        char *error = NULL;

        assert_null(policy_new(&rules, &error));
        assert_non_null(error);
        assert_non_null(strstr(error, "\"*aaaa"));
        assert_non_null(strstr(error, ant_strstatus(ANT_ERR_LENGTH)));
        mem_free(error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_rules_no_destination_is_anything),
        cmocka_unit_test(a_destination_is_all_that_any_rule_says),
        cmocka_unit_test(a_text_without_wildcards_is_one_destination_as_it_is_spelled),
        cmocka_unit_test(the_first_rule_of_a_queue_decides),
        cmocka_unit_test(the_rules_are_copied),
        cmocka_unit_test(the_first_rule_for_slow_receivers_decides),
        cmocka_unit_test(a_pattern_that_does_not_compile_is_named),
    };

    return cmocka_run_group_tests_name("gateway/router/policy", tests, NULL, NULL);
}
