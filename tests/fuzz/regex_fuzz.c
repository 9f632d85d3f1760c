#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "base/regex.h"

/*
 * Input: expression, newline, subject. An answer never depends on anything but the two, groups lie
 * within the subject, and an expression that is closed means the same as a group.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool claim)
{
    if (!claim)
        abort();
}

static void check_groups(const struct regex *regex, struct slice subject, enum regex_answer answer)
{
    size_t n = regex_n_groups(regex);
    struct slice *groups = mem_calloc(n, sizeof(groups[0]));

    check(regex_capture(regex, subject, groups, n) == answer);
    for (size_t i = 0; answer == REGEX_MATCH && i < n; i++)
        check(groups[i].base == NULL ||
              (groups[i].base >= subject.base &&
               groups[i].base + groups[i].len <= subject.base + subject.len));
    mem_free(groups);
}

static void check_as_group(struct slice text, struct slice subject, enum regex_answer answer)
{
    char *group = mem_printf("(?:%.*s)", SLICE_FMT(text));
    struct regex *regex;

    /* A NUL ends the copy, and what surrounds a text may take it beyond a limit. */
    if (strlen(group) == text.len + 4 && regex_new(slice_str(group), &regex) == REGEX_OK) {
        enum regex_answer same = regex_capture(regex, subject, NULL, 0);

        check(same == answer || same == REGEX_UNKNOWN || answer == REGEX_UNKNOWN);
        regex_free(regex);
    }
    mem_free(group);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text, subject;
    struct regex *regex;
    enum regex_answer answer;

    if (!slice_cut(slice_of((const char *)data, size), '\n', &text, &subject))
        return 0;
    if (regex_new(text, &regex) != REGEX_OK)
        return 0;
    answer = regex_capture(regex, subject, NULL, 0);
    check(regex_match(regex, subject) == (answer == REGEX_MATCH));
    check_groups(regex, subject, answer);
    if (regex_is_closed(text))
        check_as_group(text, subject, answer);
    regex_free(regex);
    return 0;
}
