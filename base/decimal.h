#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

/* Decimal digits, for what is written for each message: printf would take most of the time there.
 * Pure. Any thread. */

enum { DECIMAL_MAX = 20 }; /* digits of UINT64_MAX */

/** Writes the digits of `n`, at most DECIMAL_MAX, to `out`; returns the place behind them. */
static inline char *decimal_write(uint64_t n, char *out)
{
    char digits[DECIMAL_MAX];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n != 0);
    while (at != sizeof(digits))
        *out++ = digits[at++];
    return out;
}

#endif
