#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *check(void *ptr, size_t size)
{
    if (ptr == NULL) {
        fprintf(stderr, "stompgate: out of memory: %zu bytes were asked for\n", size);
        abort();
    }
    return ptr;
}

void *mem_alloc(size_t size)
{
    return check(malloc(size == 0 ? 1 : size), size);
}

void *mem_calloc(size_t n, size_t size)
{
    return check(calloc(n == 0 ? 1 : n, size == 0 ? 1 : size), size);
}

void *mem_realloc(void *ptr, size_t size)
{
    return check(realloc(ptr, size == 0 ? 1 : size), size);
}

void mem_free(void *ptr)
{
    free(ptr);
}

char *mem_strdup(const char *str)
{
    size_t size = strlen(str) + 1;

    return memcpy(mem_alloc(size), str, size);
}

struct slice mem_slice_dup(struct slice bytes)
{
    char *copy = mem_alloc(bytes.len + 1);

    if (bytes.len != 0)
        memcpy(copy, bytes.base, bytes.len);
    copy[bytes.len] = '\0';
    return slice_of(copy, bytes.len);
}

char *mem_printf(const char *format, ...)
{
    va_list args;
    char *text = NULL;
    int len;

    va_start(args, format);
    len = vasprintf(&text, format, args);
    va_end(args);
    return check(len < 0 ? NULL : text, 0);
}
