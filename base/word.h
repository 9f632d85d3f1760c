#ifndef BASE_WORD_H
#define BASE_WORD_H

#include <stdint.h>

/* Looking at eight bytes at a time: no matter in which order the machine keeps them. Pure. Any
 * thread. */

/** The byte, eight times. */
#define WORD_OF(byte) (UINT64_C(0x0101010101010101) * (unsigned char)(byte))

/** Not 0 when one of the eight bytes is 0. */
static inline uint64_t word_has_zero(uint64_t word)
{
    return (word - WORD_OF(1)) & ~word & WORD_OF(0x80);
}

/** Not 0 when one of the eight bytes is `byte`. */
static inline uint64_t word_has(uint64_t word, char byte)
{
    return word_has_zero(word ^ WORD_OF(byte));
}

#endif
