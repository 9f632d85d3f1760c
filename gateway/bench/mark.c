#include "gateway/bench/mark.h"

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
static size_t write_object(char *out, uint64_t sequence, size_t i)
{
    /* Knuth's multiplicative hash, of something that no two objects have in common. */
    unsigned noise = (unsigned)(sequence * 1021 + i + 1) * 2654435761U;
    int len = snprintf(out, PIECE_ROOM,
                       "%c{\"id\":%u,\"symbol\":\"%c%c%c\",\"price\":%u.%02u,\"change\":-0.%02u,"
                       "\"volume\":%u,\"open\":%s}",
                       i == 0 ? '[' : ',', noise >> 12, 'A' + noise % 26, 'A' + noise / 26 % 26,
                       'A' + noise / 676 % 26, noise >> 22, noise / 7 % 100, noise / 11 % 100,
                       noise >> 15, noise % 3 == 0 ? "false" : "true");

    assert(len > 0 && len < PIECE_ROOM);
    return (size_t)len;
}

/** Goes through a pattern piece by piece. */
struct filler {
    enum mark_pattern pattern;
    uint64_t sequence;
    size_t at, end, i;
    char piece[PIECE_ROOM];
};

static bool begin(struct filler *f, const char *body, size_t len, enum mark_pattern pattern)
{
    struct mark mark;

    if (len < MARK_LEN || !mark_read(body, &mark))
        return false;
    *f = (struct filler){.pattern = pattern, .sequence = mark.sequence, .at = MARK_LEN, .end = len};
    return true;
}

/* The bytes that stand at `f->at`, which are the next piece; 0 behind the last. */
static size_t next(struct filler *f)
{
    size_t n = f->pattern == MARK_JSON ? write_object(f->piece, f->sequence, f->i++)
                                       : write_letters(f->piece, f->at);

    return n < f->end - f->at ? n : f->end - f->at;
}

void mark_fill(char *body, size_t len, enum mark_pattern pattern)
{
    struct filler f;
    bool has_mark = begin(&f, body, len, pattern);

    assert(has_mark);
    (void)has_mark;
    for (size_t n; (n = next(&f)) != 0; f.at += n)
        memcpy(body + f.at, f.piece, n);
}

bool mark_is_filled(struct slice body, enum mark_pattern pattern)
{
    struct filler f;

    if (!begin(&f, body.base, body.len, pattern))
        return false;
    for (size_t n; (n = next(&f)) != 0; f.at += n) {
        if (memcmp(body.base + f.at, f.piece, n) != 0)
            return false;
    }
    return true;
}
