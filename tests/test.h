#ifndef TESTS_TEST_H
#define TESTS_TEST_H

/* What every cmocka test needs before cmocka.h, in the order that it wants, and slices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/slice.h"

/** Fails, showing both, when a slice is not these bytes. */
#define assert_slice(actual, expected_literal)                                                     \
    assert_slice_((actual), (struct slice)SLICE(expected_literal), __FILE__, __LINE__)

static inline void assert_slice_(struct slice actual, struct slice expected, const char *file,
                                 int line)
{
    if (!slice_eq(actual, expected)) {
        print_error("got \"%.*s\", expected \"%.*s\"\n", SLICE_FMT(actual), SLICE_FMT(expected));
        _fail(file, line);
    }
}

#endif
