#include "gateway/router/selector.h"

#include "tests/test.h"
#include <pthread.h>
#include "base/mem.h"
#include "base/regex.h"

#include "tests/gateway/router/selector_vectors.inc"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- messages --- */

/* What the broker tells a selector of vector_messages[*ctx], as in the header. */
static bool find_header(void *ctx, struct slice name, struct slice *value)
{
    size_t message = *(const size_t *)ctx;

    if (slice_eq_nocase(name, slice_str("destination"))) {
        *value = slice_str("/topic/a");
        return true;
    }
    for (size_t i = 0; i < COUNT(vector_messages[0].headers); i++) {
        if (name.len != 0 && slice_eq(vector_messages[message].headers[i].name, name)) {
            *value = vector_messages[message].headers[i].value;
            return true;
        }
    }
    return false;
}

static bool matches(const struct selector *selector, size_t message)
{
    return selector_matches(selector, &(struct selector_headers){find_header, &message});
}

static struct selector *parse(struct slice text)
{
    struct selector *selector = NULL;
    enum selector_status status = selector_new(text, &selector);

    if (status != SELECTOR_OK)
        fail_msg("<%.*s>: %s", SLICE_FMT(text), selector_strstatus(status));
    return selector;
}

static enum selector_status refusal(struct slice text)
{
    struct selector *selector = NULL;
    enum selector_status status = selector_new(text, &selector);

    if (selector != NULL)
        selector_unref(selector);
    assert_true((status == SELECTOR_OK) == (selector != NULL));
    return status;
}

/* A text that is made of parts, for the limits. */
struct text {
    char bytes[2 * SELECTOR_TEXT_MAX];
    size_t len;
};

static void add(struct text *text, const char *part, size_t times)
{
    for (size_t i = 0; i < times; i++) {
        assert_true(text->len + strlen(part) < sizeof(text->bytes));
        memcpy(text->bytes + text->len, part, strlen(part));
        text->len += strlen(part);
    }
}

static enum selector_status status_of(const struct text *text)
{
    return refusal(slice_of(text->bytes, text->len));
}

/* --- tests --- */

static void delivers_what_spring_delivers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        struct selector *selector = parse(vectors[i].selector);

        assert_int_equal(strlen(vectors[i].delivered), COUNT(vector_messages));
        for (size_t k = 0; k < COUNT(vector_messages); k++) {
            if (matches(selector, k) != (vectors[i].delivered[k] == '1'))
                fail_msg("<%.*s>, message %zu: Spring says %c", SLICE_FMT(vectors[i].selector), k,
                         vectors[i].delivered[k]);
        }
        selector_unref(selector);
    }
}

static void refuses_the_rest_of_spring_s_language(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused_vectors); i++) {
        enum selector_status status = refusal(refused_vectors[i].selector);

        /* To call it a mistake when Spring takes it would be one of ours. */
        if (status == SELECTOR_OK || (status == SELECTOR_ERR_SYNTAX && refused_vectors[i].parses))
            fail_msg("<%.*s>: %s", SLICE_FMT(refused_vectors[i].selector),
                     selector_strstatus(status));
    }
}

static void says_why_it_refuses(void **state)
{
    const struct {
        struct slice text;
        enum selector_status status;
    } rows[] = {
        {SLICE(""), SELECTOR_ERR_SYNTAX},
        {SLICE("headers.foo == 'bar"), SELECTOR_ERR_SYNTAX},
        {SLICE("headers.foo == "), SELECTOR_ERR_SYNTAX},
        {SLICE("headers.foo == 'a' == 'b'"), SELECTOR_ERR_SYNTAX},
        {SLICE("(headers.foo == 'a'"), SELECTOR_ERR_SYNTAX},
        {SLICE("headers.7"), SELECTOR_ERR_SYNTAX},
        {SLICE("headers.num == 2147483648"), SELECTOR_ERR_SYNTAX},
        {SLICE("headers.foo == 'a\0b"), SELECTOR_ERR_SYNTAX},
        {SLICE("headers.foo\0== 'a'"), SELECTOR_ERR_SYNTAX},
        {SLICE("headers['foo'] == 'bar'"), SELECTOR_ERR_UNSUPPORTED},
        {SLICE("headers.foo.bar"), SELECTOR_ERR_UNSUPPORTED},
        {SLICE("headers.content-type == 'a'"), SELECTOR_ERR_UNSUPPORTED},
        {SLICE("foo == 'bar'"), SELECTOR_ERR_UNSUPPORTED},
        {SLICE("T(java.lang.Runtime)"), SELECTOR_ERR_UNSUPPORTED},
        {SLICE("headers.fo\303\266 == 'a'"), SELECTOR_ERR_UNSUPPORTED},
        {SLICE("headers.a matches headers.b"), SELECTOR_ERR_UNSUPPORTED},
        {SLICE("headers.a matches !headers.b"), SELECTOR_ERR_UNSUPPORTED},
        {SLICE("headers.a == -!headers.b"), SELECTOR_ERR_UNSUPPORTED},
        {SLICE("headers.a matches '['"), SELECTOR_ERR_REGEX},
        {SLICE("headers.a == 'b' and headers.a matches 'x' and headers.a matches ')'"),
         SELECTOR_ERR_REGEX},
        {SLICE("7 == 7"), SELECTOR_ERR_UNSUPPORTED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (refusal(rows[i].text) != rows[i].status)
            fail_msg("<%.*s>: %s", SLICE_FMT(rows[i].text),
                     selector_strstatus(refusal(rows[i].text)));
    }
}

static void every_status_has_a_text(void **state)
{
    (void)state;
    for (int status = SELECTOR_OK; status <= SELECTOR_ERR_REGEX; status++)
        assert_string_not_equal(selector_strstatus((enum selector_status)status), "unknown");
}

static void a_text_has_a_longest_length(void **state)
{
    struct text text = {.len = 0};

    (void)state;
    add(&text, "true", 1);
    add(&text, " ", SELECTOR_TEXT_MAX - 4);
    assert_int_equal(status_of(&text), SELECTOR_OK);
    add(&text, " ", 1);
    assert_int_equal(status_of(&text), SELECTOR_ERR_LENGTH);
}

static void parentheses_and_nots_have_a_deepest_nesting(void **state)
{
    const char *open[] = {"(", "!", "not(", "null==("}, *close[] = {")", "", ")", ")"};
    const size_t levels[] = {1, 1, 2, 1};

    (void)state;
    for (size_t i = 0; i < COUNT(open); i++) {
        size_t most = SELECTOR_DEPTH_MAX / levels[i];

        for (size_t n = most; n <= most + 1; n++) {
            struct text text = {.len = 0};

            add(&text, open[i], n);
            add(&text, "true", 1);
            add(&text, close[i], n);
            assert_int_equal(status_of(&text), n == most ? SELECTOR_OK : SELECTOR_ERR_DEPTH);
        }
    }
}

/* As deep as can be, with a value waiting at each level. */
static void the_deepest_selector_is_evaluated(void **state)
{
    struct text text = {.len = 0};
    struct selector *selector;

    (void)state;
    add(&text, "null!=(", SELECTOR_DEPTH_MAX);
    add(&text, "headers.foo=='bar'", 1);
    add(&text, ")", SELECTOR_DEPTH_MAX);
    selector = parse(slice_of(text.bytes, text.len));
    assert_true(matches(selector, 0));
    selector_unref(selector);
}

static void a_selector_has_a_most_terms(void **state)
{
    struct text text = {.len = 0}, regexes = {.len = 0};

    (void)state;
    /* each: a jump, an operand and a conversion */
    add(&text, "1", 1);
    add(&text, "or 1", (SELECTOR_STEPS_MAX - 1) / 3);
    assert_int_equal(status_of(&text), SELECTOR_OK);
    add(&text, "or 1", 1);
    assert_int_equal(status_of(&text), SELECTOR_ERR_STEPS);

    add(&regexes, "'a'matches'a'", 1);
    add(&regexes, "or'a'matches'a'", SELECTOR_MATCHES_MAX - 1);
    assert_int_equal(status_of(&regexes), SELECTOR_OK);
    add(&regexes, "or'a'matches'a'", 1);
    assert_int_equal(status_of(&regexes), SELECTOR_ERR_STEPS);
}

static bool find_long(void *ctx, struct slice name, struct slice *value)
{
    (void)name;
    *value = *(const struct slice *)ctx;
    return true;
}

/* In Spring it is an error to need too many steps: `not` does not make a match of it. */
static void a_match_that_is_not_known_is_an_error(void **state)
{
    static char bytes[REGEX_SUBJECT_MAX + 1];
    struct slice value = slice_of(bytes, REGEX_SUBJECT_MAX);
    struct selector_headers headers = {find_long, &value};
    struct selector *yes = parse(slice_str("headers.a matches 'x+'"));
    struct selector *no = parse(slice_str("not (headers.a matches 'x+')"));

    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    assert_true(selector_matches(yes, &headers));
    assert_false(selector_matches(no, &headers));
    value.len++;
    assert_false(selector_matches(yes, &headers));
    assert_false(selector_matches(no, &headers));
    selector_unref(yes);
    selector_unref(no);
}

static bool count_finds(void *ctx, struct slice name, struct slice *value)
{
    (void)name;
    (void)value;
    ++*(int *)ctx;
    return false;
}

static void what_is_decided_looks_at_no_more_headers(void **state)
{
    const struct {
        struct slice text;
        int finds;
    } rows[] = {
        {SLICE("headers.a == null or headers.b == null"), 1},
        {SLICE("headers.a != null and headers.b == null"), 1},
        {SLICE("headers.a == null and headers.b == null"), 2},
        {SLICE("headers.a and headers.b == null"), 1},
        {SLICE("true or headers.a or headers.b"), 0},
        {SLICE("false and headers.a and headers.b or headers.c"), 1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct selector *selector = parse(rows[i].text);
        int finds = 0;

        (void)selector_matches(selector, &(struct selector_headers){count_finds, &finds});
        assert_int_equal(finds, rows[i].finds);
        selector_unref(selector);
    }
}

static void keeps_its_text_and_its_literals(void **state)
{
    char text[] = "headers.foo == 'it''s'";
    struct slice written = mem_slice_dup(slice_str(text));
    struct selector *selector = parse(slice_str(text));

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    assert_true(slice_eq(selector_text(selector), written));
    for (size_t i = 0; i < COUNT(vector_messages); i++)
        assert_int_equal(matches(selector, i),
                         slice_eq(vector_messages[i].headers[0].value, slice_str("it's")));
    mem_free((char *)written.base);
    selector_unref(selector);
    selector_unref(NULL);
}

static void *use(void *arg)
{
    struct selector *selector = arg;

    for (int i = 0; i < 2000; i++) {
        selector_ref(selector);
        if (!matches(selector, 1) || matches(selector, 0))
            return NULL;
        selector_unref(selector);
    }
    selector_unref(selector);
    return arg;
}

static void any_thread_may_use_it(void **state)
{
    struct selector *selector =
        parse(slice_str("headers.foo == 'bar' and headers.foo matches 'b.*'"));
    pthread_t threads[2];
    void *result = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use, selector_ref(selector)), 0);
    selector_unref(selector);
    for (size_t i = 0; i < COUNT(threads); i++) {
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_non_null(result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delivers_what_spring_delivers),
        cmocka_unit_test(refuses_the_rest_of_spring_s_language),
        cmocka_unit_test(says_why_it_refuses),
        cmocka_unit_test(every_status_has_a_text),
        cmocka_unit_test(a_text_has_a_longest_length),
        cmocka_unit_test(parentheses_and_nots_have_a_deepest_nesting),
        cmocka_unit_test(the_deepest_selector_is_evaluated),
        cmocka_unit_test(a_selector_has_a_most_terms),
        cmocka_unit_test(a_match_that_is_not_known_is_an_error),
        cmocka_unit_test(what_is_decided_looks_at_no_more_headers),
        cmocka_unit_test(keeps_its_text_and_its_literals),
        cmocka_unit_test(any_thread_may_use_it),
    };

    return cmocka_run_group_tests_name("gateway/router/selector", tests, NULL, NULL);
}
