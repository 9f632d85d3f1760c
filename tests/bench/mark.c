#include "tests/bench/mark.h"

#include <assert.h>

static char *write_digits(char *out, uint64_t value, size_t width)
{
    for (size_t i = width; i-- > 0; value /= 10)
        out[i] = (char)('0' + value % 10);
    assert(value == 0);
    return out + width;
}

void mark_write(char *body, const struct mark *mark)
{
    body = write_digits(body, mark->publisher, MARK_PUBLISHER_DIGITS);
    body = write_digits(body, mark->sequence, MARK_SEQUENCE_DIGITS);
    (void)write_digits(body, mark->time_ns, MARK_TIME_DIGITS);
}

static char pattern(size_t at)
{
    return (char)('a' + at % 26);
}

void mark_fill(char *body, size_t len)
{
    for (size_t i = MARK_LEN; i < len; i++)
        body[i] = pattern(i);
}

bool mark_is_filled(struct slice body)
{
    for (size_t i = MARK_LEN; i < body.len; i++) {
        if (body.base[i] != pattern(i))
            return false;
    }
    return true;
}
