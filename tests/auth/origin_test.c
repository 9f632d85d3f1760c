#include "auth/origin.h"

#include <stdlib.h>
#include "tests/test.h"

#include "tests/auth/origin_vectors.inc"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static size_t count(const struct slice list[3])
{
    size_t n = 0;

    while (list[n].base != NULL)
        n++;
    return n;
}

static void lists_and_patterns_agree_with_spring(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rule_vectors); i++) {
        struct auth_origin *rules =
            auth_origin_new(rule_vectors[i].origins, count(rule_vectors[i].origins),
                            rule_vectors[i].patterns, count(rule_vectors[i].patterns));

        assert_int_equal(strlen(rule_vectors[i].allowed), COUNT(vector_origins));
        for (size_t k = 0; k < COUNT(vector_origins); k++) {
            bool allowed = auth_origin_allows(rules, slice_str("http"), slice_str("elsewhere"),
                                              vector_origins[k]);

            if (allowed != (rule_vectors[i].allowed[k] == '1'))
                fail_msg("row %zu, \"%.*s\": Spring says %c", i, SLICE_FMT(vector_origins[k]),
                         rule_vectors[i].allowed[k]);
        }
        auth_origin_free(rules);
    }
}

static void the_same_origin_is_what_spring_takes_for_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(same_vectors); i++) {
        if (auth_origin_is_same(same_vectors[i].scheme, same_vectors[i].host,
                                same_vectors[i].origin) != same_vectors[i].same)
            fail_msg("row %zu: %.*s, %.*s, \"%.*s\"", i, SLICE_FMT(same_vectors[i].scheme),
                     SLICE_FMT(same_vectors[i].host), SLICE_FMT(same_vectors[i].origin));
    }
}

static void the_same_origin_is_allowed_whatever_the_list(void **state)
{
    const struct slice list[] = {SLICE("https://other.example")};
    struct auth_origin *rules = auth_origin_new(list, 1, NULL, 0);

    (void)state;
    assert_true(auth_origin_allows(rules, slice_str("https"), slice_str("a.com"),
                                   slice_str("https://a.com")));
    assert_true(auth_origin_allows(rules, slice_str("https"), slice_str("a.com"),
                                   slice_str("https://other.example")));
    assert_false(auth_origin_allows(rules, slice_str("https"), slice_str("a.com"),
                                    slice_str("https://third.example")));
    auth_origin_free(rules);
    auth_origin_free(NULL);
}

static void without_an_origin_all_is_allowed(void **state)
{
    struct auth_origin *rules = auth_origin_new(NULL, 0, NULL, 0);

    (void)state;
    assert_true(
        auth_origin_allows(rules, slice_str("http"), slice_str("a.com"), slice_of(NULL, 0)));
    assert_true(auth_origin_allows(rules, slice_str("http"), slice_of(NULL, 0), slice_of(NULL, 0)));
    auth_origin_free(rules);
}

static void a_blank_origin_is_denied_even_when_any_is_allowed(void **state)
{
    const struct slice any[] = {SLICE("*")};
    const struct slice blank[] = {SLICE(""), SLICE(" "), SLICE("\t "), SLICE("\x0b")};
    struct auth_origin *rules = auth_origin_new(any, 1, any, 1);

    (void)state;
    for (size_t i = 0; i < COUNT(blank); i++)
        assert_false(auth_origin_allows(rules, slice_str("http"), slice_str("a.com"), blank[i]));
    assert_true(
        auth_origin_allows(rules, slice_str("http"), slice_str("a.com"), slice_str("null")));
    auth_origin_free(rules);
}

/* Stricter than Spring, which reads an Origin as any URI: no browser sends one of these. */
static void what_is_no_origin_is_never_the_same(void **state)
{
    const struct slice bad[] = {
        SLICE("http://a.com/path"), SLICE("http://a.com?"),      SLICE("http://a.com#"),
        SLICE("http://u@a.com"),    SLICE("http://u:p@a.com"),   SLICE("http://a.com:80:80"),
        SLICE("http://a.com:080x"), SLICE("http://a.com:65616"), SLICE("http://a.com:-80"),
        SLICE("http://a.com\\"),    SLICE("http://a.com "),      SLICE(" http://a.com"),
        SLICE("http:/a.com"),       SLICE("http:a.com"),         SLICE("http://[::1"),
        SLICE("http://a.com//"),    SLICE("http://:80"),         SLICE("http"),
        SLICE("http://a.com:80:"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (auth_origin_is_same(slice_str("http"), slice_str("a.com"), bad[i]))
            fail_msg("\"%.*s\"", SLICE_FMT(bad[i]));
    }
    assert_false(auth_origin_is_same(slice_str("http"), slice_of(NULL, 0), slice_str("http://")));
    assert_false(auth_origin_is_same(slice_str("http"), slice_str(""), slice_str("http://")));
    assert_false(auth_origin_is_same(slice_of(NULL, 0), slice_str("a"), slice_str("://a")));
    assert_false(
        auth_origin_is_same(slice_str("http"), slice_str("[::1]x"), slice_str("http://[::1]x")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_and_patterns_agree_with_spring),
        cmocka_unit_test(the_same_origin_is_what_spring_takes_for_it),
        cmocka_unit_test(the_same_origin_is_allowed_whatever_the_list),
        cmocka_unit_test(without_an_origin_all_is_allowed),
        cmocka_unit_test(a_blank_origin_is_denied_even_when_any_is_allowed),
        cmocka_unit_test(what_is_no_origin_is_never_the_same),
    };

    return cmocka_run_group_tests_name("auth/origin", tests, NULL, NULL);
}
