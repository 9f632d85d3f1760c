#include "base/regex.h"

#include <stdio.h>
#include "tests/test.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct regex *compile(struct slice text)
{
    struct regex *regex = NULL;

    if (regex_new(text, &regex) != REGEX_OK)
        fail_msg("\"%.*s\" does not compile", SLICE_FMT(text));
    return regex;
}

static void matches_the_whole_subject_as_java_does(void **state)
{
    const struct {
        struct slice regex;
        struct slice subject;
        bool matches; /* what Pattern.matches(regex, subject) says */
    } rows[] = {
        {SLICE(""), SLICE(""), true},
        {SLICE(""), SLICE("a"), false},
        {SLICE("a"), SLICE("ab"), false},
        {SLICE("a|ab"), SLICE("ab"), true},
        {SLICE("[0-9]{2}"), SLICE("42"), true},
        {SLICE("[0-9]{2}"), SLICE("421"), false},
        {SLICE("a*?"), SLICE("aaa"), true},
        {SLICE("a*+a"), SLICE("aaa"), false},
        {SLICE("(?>a|ab)c"), SLICE("abc"), false},
        {SLICE("(a+)\\1"), SLICE("aaaa"), true},
        {SLICE("(?<x>a)\\k<x>"), SLICE("aa"), true},
        {SLICE("."), SLICE("\n"), false},
        {SLICE("."), SLICE("\xc2\x85"), false},
        {SLICE("(?s)."), SLICE("\n"), true},
        {SLICE("."), SLICE("\xf0\x9f\x98\x80"), true},
        {SLICE("a$\\n"), SLICE("a\n"), true},
        {SLICE("a\\z\\n"), SLICE("a\n"), false},
        {SLICE("a$\\n"), SLICE("a\nb"), false},
        {SLICE("\\d"), SLICE("\xd9\xa3"), false}, /* ARABIC-INDIC DIGIT THREE */
        {SLICE("\\p{Nd}"), SLICE("\xd9\xa3"), true},
        {SLICE("\\w"), SLICE("\xc3\xa9"), false},
        {SLICE("\\s"), SLICE("\xc2\xa0"), false},
        {SLICE("\\h"), SLICE("\xc2\xa0"), true},
        {SLICE("\\p{L}\\pL\\p{IsL}\\p{IsLatin}\\P{Lu}"),
         SLICE("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"), true},
        {SLICE("\\p{Lower}"), SLICE("\xc3\xa9"), false},
        {SLICE("[\\p{Lower}]"), SLICE("\xc3\xa9"), false},
        {SLICE("\\P{Lower}[\\P{Lower}]"), SLICE("\xc3\xa9\xc3\xa9"), true},
        {SLICE("\\p{XDigit}[x\\p{Space}]"), SLICE("F "), true},
        {SLICE("\\u00e9\\x{e9}\\xe9"), SLICE("\xc3\xa9\xc3\xa9\xc3\xa9"), true},
        {SLICE("\\ud83d\\ude00"), SLICE("\xf0\x9f\x98\x80"), true},
        {SLICE("[]a]+[^]a]"), SLICE("a]b"), true},
        {SLICE("[:.=]+"), SLICE(":.="), true},
        {SLICE("[:alpha:]+"), SLICE(":alph"), true},
        {SLICE("[a&b-]+"), SLICE("a&-"), true},
        {SLICE("a}]"), SLICE("a}]"), true},
        {SLICE("\\Qa.b\\E."), SLICE("a.bc"), true},
        {SLICE("\\Qa.b\\E."), SLICE("axbc"), false},
        {SLICE("\\Qa*\\E*"), SLICE("a***"), true},
        {SLICE("\\Q(["), SLICE("(["), true},
        {SLICE("[\\Q^]\\E]+"), SLICE("]^"), true},
        {SLICE("\\R\\n"), SLICE("\r\n"), true},
        {SLICE("(?i)A(?-i)b"), SLICE("ab"), true},
        {SLICE("(?i)A(?-i)b"), SLICE("aB"), false},
        {SLICE("(?iu:\xc3\x89)"), SLICE("\xc3\xa9"), true},
        {SLICE("(?=..)a(?!a).(?<=ab)(?<!bb)"), SLICE("ab"), true},
        {SLICE("\\\\\\-\\_\\\xc3\xa9"), SLICE("\\-_\xc3\xa9"), true},
        {SLICE("a#b # c"), SLICE("a#b # c"), true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct regex *regex = compile(rows[i].regex);

        if (regex_match(regex, rows[i].subject) != rows[i].matches)
            fail_msg("\"%.*s\" and \"%.*s\"", SLICE_FMT(rows[i].regex), SLICE_FMT(rows[i].subject));
        regex_free(regex);
    }
}

static void refuses_what_java_does_not_have_or_reads_otherwise(void **state)
{
    const struct slice bad[] = {
        SLICE("("),
        SLICE(")"),
        SLICE("a)(b"),
        SLICE("["),
        SLICE("[]"),
        SLICE("[^]"),
        SLICE("[z-a]"),
        SLICE("*"),
        SLICE("a**"),
        SLICE("a{2}*"),
        SLICE("(+)"),
        SLICE("a|*"),
        SLICE("a{3,2}"),
        SLICE("{"),
        SLICE("a{"),
        SLICE("a{,3}"),
        SLICE("a{x}"),
        SLICE("a{1"),
        SLICE("\\"),
        SLICE("\\E"),
        SLICE("\\y"),
        SLICE("\\x4"),
        SLICE("\\x{}"),
        SLICE("\\x{41"),
        SLICE("\\x{110000}"),
        SLICE("\\u12"),
        SLICE("\\ud83d"),
        SLICE("\\ude00\\ud83d"),
        SLICE("\\p{Nope}"),
        SLICE("\\p{L"),
        SLICE("\\p"),
        SLICE("\\p{}"),
        SLICE("\\p{Alphabetic}"),
        SLICE("(?<1>a)"),
        SLICE("(?<a_b>a)"),
        SLICE("(?<a"),
        SLICE("\\k<a>"),
        SLICE("\\k{a}"),
        SLICE("[\\b]"),
        SLICE("[\\R]"),
        SLICE("[\\1]"),
        SLICE("\xff"),
        SLICE("a\xc3"),
        SLICE("(?y)"),
        SLICE("(?i"),
        SLICE("(?"),
        /* what only PCRE2 has */
        SLICE("(*ACCEPT)"),
        SLICE("(*LIMIT_MATCH=9)a"),
        SLICE("(*UCP)a"),
        SLICE("(?R)"),
        SLICE("(?0)"),
        SLICE("(a)(?1)"),
        SLICE("(?<a>b)(?&a)"),
        SLICE("(?P<a>b)"),
        SLICE("(?P>a)"),
        SLICE("(?'a'b)"),
        SLICE("(?C)"),
        SLICE("(?C1)a"),
        SLICE("(?|a)"),
        SLICE("(?(1)a)"),
        SLICE("(?#a)"),
        SLICE("(?^)"),
        SLICE("(?*a)"),
        SLICE("(?<*a)"),
        SLICE("(?J)a"),
        SLICE("(?n)a"),
        SLICE("(?xx)a"),
        SLICE("\\C"),
        SLICE("\\K"),
        SLICE("a\\Kb"),
        SLICE("\\N"),
        SLICE("\\N{U+41}"),
        SLICE("(a)\\g1"),
        SLICE("\\o{1}"),
        SLICE("\\l"),
        SLICE("\\L"),
        SLICE("\\U"),
        /* what Java has, and means something else in PCRE2 or nothing */
        SLICE("[a[b]]"),
        SLICE("[a&&b]"),
        SLICE("[[:alpha:]]"),
        SLICE("(?x)a"),
        SLICE("(?x)[#\n(?R)"),
        SLICE("(?d)a"),
        SLICE("(?U)a"),
        SLICE("\\07"),
        SLICE("\\ca"),
        SLICE("(a)\\11"),
        SLICE("\\1"),
        SLICE("\\p{javaLowerCase}"),
        SLICE("\\p{InGreek}"),
        SLICE("a{2}{3}"),
        SLICE("(?<=a+)b"),
    };
    struct regex *regex = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (regex_new(bad[i], &regex) != REGEX_ERR_SYNTAX)
            fail_msg("\"%.*s\" is not refused", SLICE_FMT(bad[i]));
        assert_null(regex);
    }
    regex_free(NULL);
}

static void groups_are_slices_of_the_subject(void **state)
{
    struct regex *regex = compile((struct slice)SLICE("(a*)(?:b)(c)?(?<last>.*)"));
    struct slice groups[3] = {SLICE("kept")};

    (void)state;
    assert_int_equal(regex_n_groups(regex), 3);
    assert_int_equal(regex_capture(regex, slice_str("x"), groups, 3), REGEX_NO_MATCH);
    assert_slice(groups[0], "kept");
    assert_int_equal(regex_capture(regex, slice_str("aab\xc3\xa9"), groups, 3), REGEX_MATCH);
    assert_slice(groups[0], "aa");
    assert_null(groups[1].base);
    assert_slice(groups[2], "\xc3\xa9");
    regex_free(regex);
}

static void closed_is_what_may_stand_in_a_group(void **state)
{
    const struct {
        struct slice text;
        bool closed;
    } rows[] = {
        {SLICE(""), true},       {SLICE("(a|b)[)]\\)"), true}, {SLICE("\\Q)\\E"), true},
        {SLICE("a)|(b"), false}, {SLICE("(a"), false},         {SLICE("a)"), false},
        {SLICE("\\Qa"), false},  {SLICE("\\Qa\\E\\Q"), false}, {SLICE("\\\\Qa"), true},
        {SLICE("[a"), false},    {SLICE("\\"), false},         {SLICE("(?i)a"), true},
        {SLICE("(a)\\2"), true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (regex_is_closed(rows[i].text) != rows[i].closed)
            fail_msg("\"%.*s\"", SLICE_FMT(rows[i].text));
    }
}

static void an_expression_has_a_longest_length_and_size(void **state)
{
    static char text[REGEX_TEXT_MAX + 1];
    struct regex *regex = NULL;

    (void)state;
    memset(text, 'a', sizeof(text));
    assert_int_equal(regex_new(slice_of(text, sizeof(text)), &regex), REGEX_ERR_LENGTH);
    assert_null(regex);
    regex_free(compile(slice_of(text, REGEX_TEXT_MAX)));
    assert_int_equal(regex_new(slice_str("(?:abcdefghijklmnop){999}"), &regex), REGEX_ERR_LENGTH);
    assert_int_equal(regex_new(slice_str("((((a{99}){99}){99}){99})"), &regex), REGEX_ERR_SYNTAX);
    memset(text, '(', 2000);
    memset(text + 2000, ')', 2000);
    assert_int_equal(regex_new(slice_of(text, 4000), &regex), REGEX_ERR_SYNTAX);
    /* "[" and 65 members beyond U+0100 */
    text[0] = '[';
    for (size_t i = 0; i < 65; i++)
        (void)snprintf(text + 1 + 2 * i, 3, "\xce\xb1");
    text[131] = ']';
    assert_int_equal(regex_new(slice_of(text, 132), &regex), REGEX_ERR_SYNTAX);
    text[129] = ']';
    regex_free(compile(slice_of(text, 130)));
    assert_null(regex);
}

/* Each of these would outlive us, or need a great deal of memory, without limits. */
static void a_match_that_takes_too_long_has_no_answer(void **state)
{
    const struct slice slow[] = {SLICE("(a+)+[bc]"),          SLICE("(a|a)*[bc]"),
                                 SLICE("(?:a*)*(?:a*)*[bc]"), SLICE("a*?a*?a*?a*?a*?a*?[bc]"),
                                 SLICE("(?=(a*)*[bc])a"),     SLICE("(.*)(.*)(.*)(.*)(.*)\\1[xy]"),
                                 SLICE("(?:a?){60}[bc]")};
    static char text[REGEX_SUBJECT_MAX + 1];
    const size_t lengths[] = {40, 400, REGEX_SUBJECT_MAX};

    (void)state;
    memset(text, 'a', sizeof(text));
    for (size_t i = 0; i < COUNT(slow); i++) {
        struct regex *regex = compile(slow[i]);

        for (size_t k = 0; k < COUNT(lengths); k++) {
            struct slice subject = slice_of(text, lengths[k]);
            enum regex_answer answer;

            text[lengths[k] - 1] = '!';
            answer = regex_capture(regex, subject, NULL, 0);
            text[lengths[k] - 1] = 'a';
            if (answer == REGEX_MATCH || (k == 1 && answer != REGEX_UNKNOWN && i < 4))
                fail_msg("\"%.*s\" and %zu bytes: %d", SLICE_FMT(slow[i]), lengths[k], (int)answer);
        }
        regex_free(regex);
    }
}

static void a_subject_that_is_too_long_or_not_utf8_has_no_answer(void **state)
{
    static char text[REGEX_SUBJECT_MAX + 1];
    struct regex *regex = compile((struct slice)SLICE("(?s).*a.*"));
    struct slice group = SLICE("kept");

    (void)state;
    memset(text, 'a', sizeof(text));
    assert_int_equal(regex_capture(regex, slice_of(text, sizeof(text)), &group, 0), REGEX_UNKNOWN);
    assert_false(regex_match(regex, slice_of(text, sizeof(text))));
    assert_int_equal(regex_capture(regex, slice_of(text, sizeof(text) - 1), &group, 0),
                     REGEX_MATCH);
    memset(text + 1, 'b', sizeof(text) - 1); /* so that each byte is stepped back over */
    assert_int_equal(regex_capture(regex, slice_of(text, sizeof(text) - 1), &group, 0),
                     REGEX_MATCH);
    assert_int_equal(regex_capture(regex, slice_str("a\xff"), &group, 0), REGEX_UNKNOWN);
    assert_int_equal(regex_capture(regex, slice_of(NULL, 0), &group, 0), REGEX_NO_MATCH);
    assert_slice(group, "kept");
    regex_free(regex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_the_whole_subject_as_java_does),
        cmocka_unit_test(refuses_what_java_does_not_have_or_reads_otherwise),
        cmocka_unit_test(groups_are_slices_of_the_subject),
        cmocka_unit_test(closed_is_what_may_stand_in_a_group),
        cmocka_unit_test(an_expression_has_a_longest_length_and_size),
        cmocka_unit_test(a_match_that_takes_too_long_has_no_answer),
        cmocka_unit_test(a_subject_that_is_too_long_or_not_utf8_has_no_answer),
    };

    return cmocka_run_group_tests_name("base/regex", tests, NULL, NULL);
}
