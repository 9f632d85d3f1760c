#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/utf8.h"
#include "gateway/router/selector.h"

/*
 * Input: selector, newline, then the headers of a message, `name:value` lines. What the selector
 * says must agree with what it says inside of another.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool claim)
{
    if (!claim)
        abort();
}

static bool find_header(void *ctx, struct slice name, struct slice *value)
{
    struct slice rest = *(const struct slice *)ctx, line, key;

    check(name.len != 0);
    while (slice_cut(rest, '\n', &line, &rest)) {
        if (slice_cut(line, ':', &key, value) && slice_eq(key, name))
            return true;
    }
    return false;
}

static bool matches(const struct selector *selector, struct slice headers)
{
    return selector_matches(selector, &(struct selector_headers){find_header, &headers});
}

/* `text` with each `x` of `pattern` replaced by it; all else stays. */
static struct selector *wrap(const char *pattern, struct slice text)
{
    char bytes[4 * SELECTOR_TEXT_MAX];
    struct selector *selector = NULL;
    enum selector_status status;
    size_t len = 0;

    for (; *pattern != '\0'; pattern++) {
        if (*pattern == 'x') {
            if (text.len != 0)
                memcpy(bytes + len, text.base, text.len);
            len += text.len;
        } else {
            bytes[len++] = *pattern;
        }
    }
    status = selector_new(slice_of(bytes, len), &selector);
    /* Whatever parses does so in parentheses, but for the limits. */
    check(status == SELECTOR_OK || status == SELECTOR_ERR_LENGTH || status == SELECTOR_ERR_DEPTH ||
          status == SELECTOR_ERR_STEPS);
    return selector;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const same[] = {"(x)",         "!(!(x))",      "not(not(x))",  "(x)or(x)",
                                       "(x)and(x)",   "false or(x)",  "true and(x)",  "(x)and true",
                                       "(x)or false", "(x)and 'yes'", "!(!(x)or!(x))"};
    struct slice text, headers;
    struct selector *selector = NULL, *other;
    bool is_match;

    if (!utf8_is_valid(slice_of((const char *)data, size)) ||
        !slice_cut(slice_of((const char *)data, size), '\n', &text, &headers))
        return 0;
    if (selector_new(text, &selector) != SELECTOR_OK) {
        check(selector == NULL);
        return 0;
    }
    check(slice_eq(selector_text(selector), text));
    is_match = matches(selector, headers);
    check(matches(selector, headers) == is_match);
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        other = wrap(same[i], text);
        check(other == NULL || matches(other, headers) == is_match);
        selector_unref(other);
    }
    other = wrap("!(x)", text);
    check(other == NULL || !is_match || !matches(other, headers));
    selector_unref(other);
    selector_unref(selector);
    return 0;
}
