#ifndef TESTS_BASE_UTF8_ROWS_H
#define TESTS_BASE_UTF8_ROWS_H

#include <stdbool.h>
#include "base/slice.h"

/*
 * Texts, good and bad. The numbers are those of the Autobahn test suite, section 6, which took its
 * rows from Markus Kuhn's "UTF-8 decoder capability and stress test" (the names in the comments).
 */

/* "kosme" with an accent that needs three bytes, the text that most rows begin with. */
#define UTF8_KOSME "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"

/* `bad_at` is the first byte that no valid text can continue with, or UTF8_NEVER. */
enum { UTF8_NEVER = 1000 };

static const struct utf8_row {
    const char *name;
    struct slice text;
    size_t bad_at;
    bool is_complete; /* when it is never bad */
} utf8_rows[] = {
    {"6.1.1 empty", SLICE(""), UTF8_NEVER, true},
    {"6.2.1 greeting", SLICE("Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xa0-UTF-8!!"),
     UTF8_NEVER, true},
    {"6.3.1 surrogate inside",
     SLICE(UTF8_KOSME "\xed\xa0\x80"
                      "edited"),
     12, false},
    {"6.4.1 above U+10FFFF inside",
     SLICE(UTF8_KOSME "\xf4\x90\x80\x80"
                      "edited"),
     12, false},
    /* Valid sequences. */
    {"6.5.1", SLICE("hello\x24world"), UTF8_NEVER, true},
    {"6.5.2", SLICE("hello\xc2\xa2world"), UTF8_NEVER, true},
    {"6.5.3", SLICE("hello\xe2\x82\xacworld"), UTF8_NEVER, true},
    {"6.5.4", SLICE("hello\xf0\xa4\xad\xa2world"), UTF8_NEVER, true},
    {"6.5.5", SLICE(UTF8_KOSME), UTF8_NEVER, true},
    /* Prefixes of a valid text: complete only between characters. */
    {"6.6.1", SLICE("\xce"), UTF8_NEVER, false},
    {"6.6.2", SLICE("\xce\xba"), UTF8_NEVER, true},
    {"6.6.3", SLICE("\xce\xba\xe1"), UTF8_NEVER, false},
    {"6.6.4", SLICE("\xce\xba\xe1\xbd"), UTF8_NEVER, false},
    {"6.6.5", SLICE("\xce\xba\xe1\xbd\xb9"), UTF8_NEVER, true},
    {"6.6.6", SLICE("\xce\xba\xe1\xbd\xb9\xcf"), UTF8_NEVER, false},
    {"6.6.7", SLICE("\xce\xba\xe1\xbd\xb9\xcf\x83"), UTF8_NEVER, true},
    {"6.6.8", SLICE("\xce\xba\xe1\xbd\xb9\xcf\x83\xce"), UTF8_NEVER, false},
    {"6.6.9", SLICE("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc"), UTF8_NEVER, true},
    {"6.6.10", SLICE("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce"), UTF8_NEVER, false},
    {"6.6.11", SLICE(UTF8_KOSME), UTF8_NEVER, true},
    /* First possible sequence of a certain length. */
    {"6.7.1", SLICE("\x00"), UTF8_NEVER, true},
    {"6.7.2", SLICE("\xc2\x80"), UTF8_NEVER, true},
    {"6.7.3", SLICE("\xe0\xa0\x80"), UTF8_NEVER, true},
    {"6.7.4", SLICE("\xf0\x90\x80\x80"), UTF8_NEVER, true},
    {"6.8.1", SLICE("\xf8\x88\x80\x80\x80"), 0, false},
    {"6.8.2", SLICE("\xfc\x84\x80\x80\x80\x80"), 0, false},
    /* Last possible sequence of a certain length. */
    {"6.9.1", SLICE("\x7f"), UTF8_NEVER, true},
    {"6.9.2", SLICE("\xdf\xbf"), UTF8_NEVER, true},
    {"6.9.3", SLICE("\xef\xbf\xbf"), UTF8_NEVER, true},
    {"6.9.4", SLICE("\xf4\x8f\xbf\xbf"), UTF8_NEVER, true},
    {"6.10.1", SLICE("\xf7\xbf\xbf\xbf"), 0, false},
    {"6.10.2", SLICE("\xfb\xbf\xbf\xbf\xbf"), 0, false},
    {"6.10.3", SLICE("\xfd\xbf\xbf\xbf\xbf\xbf"), 0, false},
    /* Other boundary conditions. */
    {"6.11.1", SLICE("\xed\x9f\xbf"), UTF8_NEVER, true},
    {"6.11.2", SLICE("\xee\x80\x80"), UTF8_NEVER, true},
    {"6.11.3", SLICE("\xef\xbf\xbd"), UTF8_NEVER, true},
    {"6.11.4", SLICE("\xf4\x8f\xbf\xbf"), UTF8_NEVER, true},
    {"6.11.5", SLICE("\xf4\x90\x80\x80"), 1, false},
    /* Unexpected continuation bytes. */
    {"6.12.1", SLICE("\x80"), 0, false},
    {"6.12.2", SLICE("\xbf"), 0, false},
    {"6.12.3", SLICE("\x80\xbf"), 0, false},
    {"6.12.4", SLICE("\x80\xbf\x80"), 0, false},
    {"6.12.5", SLICE("\x80\xbf\x80\xbf"), 0, false},
    {"6.12.6", SLICE("\x80\xbf\x80\xbf\x80"), 0, false},
    {"6.12.7", SLICE("\x80\xbf\x80\xbf\x80\xbf"), 0, false},
    {"6.12.8", SLICE("\x80\x81\x82\x83\x84\x85\x86\x87"), 0, false},
    /* Lonely start characters. */
    {"6.13.1", SLICE("\xc0 \xc1 \xc2 \xc3 "), 0, false},
    {"6.13.1, the valid ones", SLICE("\xc2 \xc3 "), 1, false},
    {"6.13.2", SLICE("\xe0 \xe1 \xe2 "), 1, false},
    {"6.13.3", SLICE("\xf0 \xf1 \xf2 "), 1, false},
    {"6.13.4", SLICE("\xf8 \xf9 "), 0, false},
    {"6.13.5", SLICE("\xfc \xfd "), 0, false},
    /* Sequences with the last continuation byte missing. */
    {"6.14.1", SLICE("\xc0"), 0, false},
    {"6.14.2", SLICE("\xe0\x80"), 1, false},
    {"6.14.3", SLICE("\xf0\x80\x80"), 1, false},
    {"6.14.4", SLICE("\xf8\x80\x80\x80"), 0, false},
    {"6.14.5", SLICE("\xfc\x80\x80\x80\x80"), 0, false},
    {"6.14.6", SLICE("\xdf"), UTF8_NEVER, false},
    {"6.14.7", SLICE("\xef\xbf"), UTF8_NEVER, false},
    {"6.14.8", SLICE("\xf7\xbf\xbf"), 0, false},
    {"6.14.9", SLICE("\xfb\xbf\xbf\xbf"), 0, false},
    {"6.14.10", SLICE("\xfd\xbf\xbf\xbf\xbf"), 0, false},
    /* Incomplete ones in a row. */
    {"6.15.1", SLICE("\xc0\xe0\x80\xf0\x80\x80\xf8\x80\x80\x80\xfc\x80\x80\x80\x80"), 0, false},
    {"6.15.1, the valid ones", SLICE("\xdf\xef\xbf"), 1, false},
    /* Impossible bytes. */
    {"6.16.1", SLICE("\xfe"), 0, false},
    {"6.16.2", SLICE("\xff"), 0, false},
    {"6.16.3", SLICE("\xfe\xfe\xff\xff"), 0, false},
    /* Overlong: ASCII, the largest of each length, NUL. */
    {"6.17.1", SLICE("\xc0\xaf"), 0, false},
    {"6.17.2", SLICE("\xe0\x80\xaf"), 1, false},
    {"6.17.3", SLICE("\xf0\x80\x80\xaf"), 1, false},
    {"6.17.4", SLICE("\xf8\x80\x80\x80\xaf"), 0, false},
    {"6.17.5", SLICE("\xfc\x80\x80\x80\x80\xaf"), 0, false},
    {"6.18.1", SLICE("\xc1\xbf"), 0, false},
    {"6.18.2", SLICE("\xe0\x9f\xbf"), 1, false},
    {"6.18.3", SLICE("\xf0\x8f\xbf\xbf"), 1, false},
    {"6.18.4", SLICE("\xf8\x87\xbf\xbf\xbf"), 0, false},
    {"6.18.5", SLICE("\xfc\x83\xbf\xbf\xbf\xbf"), 0, false},
    {"6.19.1", SLICE("\xc0\x80"), 0, false},
    {"6.19.2", SLICE("\xe0\x80\x80"), 1, false},
    {"6.19.3", SLICE("\xf0\x80\x80\x80"), 1, false},
    {"6.19.4", SLICE("\xf8\x80\x80\x80\x80"), 0, false},
    {"6.19.5", SLICE("\xfc\x80\x80\x80\x80\x80"), 0, false},
    /* Single and paired surrogates. */
    {"6.20.1", SLICE("\xed\xa0\x80"), 1, false},
    {"6.20.2", SLICE("\xed\xad\xbf"), 1, false},
    {"6.20.3", SLICE("\xed\xae\x80"), 1, false},
    {"6.20.4", SLICE("\xed\xaf\xbf"), 1, false},
    {"6.20.5", SLICE("\xed\xb0\x80"), 1, false},
    {"6.20.6", SLICE("\xed\xbe\x80"), 1, false},
    {"6.20.7", SLICE("\xed\xbf\xbf"), 1, false},
    {"6.21.1", SLICE("\xed\xa0\x80\xed\xb0\x80"), 1, false},
    {"6.21.2", SLICE("\xed\xa0\x80\xed\xbf\xbf"), 1, false},
    {"6.21.3", SLICE("\xed\xad\xbf\xed\xb0\x80"), 1, false},
    {"6.21.4", SLICE("\xed\xad\xbf\xed\xbf\xbf"), 1, false},
    {"6.21.5", SLICE("\xed\xae\x80\xed\xb0\x80"), 1, false},
    {"6.21.6", SLICE("\xed\xae\x80\xed\xbf\xbf"), 1, false},
    {"6.21.7", SLICE("\xed\xaf\xbf\xed\xb0\x80"), 1, false},
    {"6.21.8", SLICE("\xed\xaf\xbf\xed\xbf\xbf"), 1, false},
    /* Non-characters and specials are valid. */
    {"6.22 in the first plane", SLICE("\xef\xbf\xbe\xef\xbf\xbf\xef\xb7\x90\xef\xb7\xaf"),
     UTF8_NEVER, true},
    {"6.23.1 to 5", SLICE("\xef\xbf\xb9\xef\xbf\xba\xef\xbf\xbb\xef\xbf\xbc\xef\xbf\xbd"),
     UTF8_NEVER, true},
    {"6.23.6 and 7", SLICE("\xef\xbf\xbe\xef\xbf\xbf"), UTF8_NEVER, true},
    /* What the words and runs of the fast ways could miss. */
    {"long ASCII", SLICE("0123456789abcdef0123456789abcdef0123456789abcde"), UTF8_NEVER, true},
    {"bad byte in the second word",
     SLICE("0123456789abc\x80"
           "ef0123456789abcdef"),
     13, false},
    {"bad byte behind whole words", SLICE("0123456789abcdef01234567\xff"), 24, false},
    {"hangul", SLICE("\xec\x84\x9c\xeb\xb2\x84 \xec\x9d\x91\xeb\x8b\xb5: ok"), UTF8_NEVER, true},
    {"surrogate in a run", SLICE("\xec\x84\x9c\xeb\xb2\x84\xed\xa0\x80\xec\x84\x9c"), 7, false},
    {"overlong in a run", SLICE("\xec\x84\x9c\xeb\xb2\x84\xe0\x9f\xbf\xec\x84\x9c"), 7, false},
    {"half a character in a run", SLICE("\xec\x84\x9c\xeb\xb2\xec\x84\x9c"), 5, false},
    {"lead for a third byte in a run", SLICE("\xec\x84\x9c\xeb\xeb\xb2\x84"), 4, false},
};

enum { N_UTF8_ROWS = sizeof(utf8_rows) / sizeof(utf8_rows[0]) };

#endif
