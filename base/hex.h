#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stddef.h>

/* Hexadecimal digits, of either case. Pure. Any thread. */

/** Writes two lower-case digits for each byte to `out`. */
static inline void hex_write(const unsigned char *bytes, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
}

/** 0 to 15, or -1 when `c` is no digit. */
static inline int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

#endif
