#include "tests/bench/mark.h"

#include <assert.h>
#include <stdio.h>

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

enum { PIECE_ROOM = 128 };

static size_t write_letters(char *out, size_t at)
{
    for (size_t i = 0; i < PIECE_ROOM; i++)
        out[i] = (char)('a' + (at + i) % 26);
    return PIECE_ROOM;
}

/* Names that repeat, and values that do not: deflate makes a third of it, as of real ones. */
static size_t write_object(char *out, size_t i)
{
    unsigned noise = ((unsigned)i + 1) * 2654435761U; /* Knuth's multiplicative hash */
    int len = snprintf(out, PIECE_ROOM,
                       "%c{\"id\":%u,\"symbol\":\"%c%c%c\",\"price\":%u.%02u,\"change\":-0.%02u,"
                       "\"volume\":%u,\"open\":%s}",
                       i == 0 ? '[' : ',', noise >> 12, 'A' + noise % 26, 'A' + noise / 26 % 26,
                       'A' + noise / 676 % 26, noise >> 22, noise / 7 % 100, noise / 11 % 100,
                       noise >> 15, noise % 3 == 0 ? "false" : "true");

    assert(len > 0 && len < PIECE_ROOM);
    return (size_t)len;
}

/* What stands `at` bytes into a body, which is piece `i` behind the mark; returns its length. */
static size_t write_piece(char *out, enum mark_pattern pattern, size_t at, size_t i)
{
    return pattern == MARK_JSON ? write_object(out, i) : write_letters(out, at);
}

void mark_fill(char *body, size_t len, enum mark_pattern pattern)
{
    char piece[PIECE_ROOM];
    size_t n;

    for (size_t at = MARK_LEN, i = 0; at < len; at += n, i++) {
        n = write_piece(piece, pattern, at, i);
        if (n > len - at)
            n = len - at;
        memcpy(body + at, piece, n);
    }
}

bool mark_is_filled(struct slice body, enum mark_pattern pattern)
{
    char piece[PIECE_ROOM];
    size_t n;

    for (size_t at = MARK_LEN, i = 0; at < body.len; at += n, i++) {
        n = write_piece(piece, pattern, at, i);
        if (n > body.len - at)
            n = body.len - at;
        if (memcmp(body.base + at, piece, n) != 0)
            return false;
    }
    return true;
}
