#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"

enum { BUF_FIRST_CAPACITY = 256 };

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_dispose(struct buf *b)
{
    mem_free(b->base);
    buf_init(b, b->max);
}

char *buf_reserve(struct buf *b, size_t n)
{
    if (n > b->max - b->len)
        return NULL;
    if (n > b->cap - b->len || b->base == NULL) {
        size_t cap = b->cap < BUF_FIRST_CAPACITY ? BUF_FIRST_CAPACITY : b->cap * 2;

        if (cap < b->len + n)
            cap = b->len + n;
        if (cap > b->max)
            cap = b->max;
        b->base = mem_realloc(b->base, cap);
        b->cap = cap;
    }
    return b->base + b->len;
}

void buf_commit(struct buf *b, size_t n)
{
    assert(n <= b->cap - b->len);
    b->len += n;
}

bool buf_append(struct buf *b, struct slice bytes)
{
    char *room = buf_reserve(b, bytes.len);

    if (room == NULL)
        return false;
    if (bytes.len != 0)
        memcpy(room, bytes.base, bytes.len);
    b->len += bytes.len;
    return true;
}

bool buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    char *room;
    int len;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(len >= 0);
    /* vsnprintf writes a NUL behind the text: room for it is taken and not counted. */
    room = buf_reserve(b, (size_t)len + 1);
    if (room == NULL)
        return false;
    va_start(args, format);
    (void)vsnprintf(room, (size_t)len + 1, format, args);
    va_end(args);
    b->len += (size_t)len;
    return true;
}

void buf_consume(struct buf *b, size_t n)
{
    assert(n <= b->len);
    b->len -= n;
    if (n != 0 && b->len != 0)
        memmove(b->base, b->base + n, b->len);
}
