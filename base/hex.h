#ifndef BASE_HEX_H
#define BASE_HEX_H

/* Hexadecimal digits, of either case. Pure. Any thread. */

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
