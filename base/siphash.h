#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stdint.h>
#include "base/slice.h"

/*
 * SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF"): the hash for keys that
 * peers choose, so that nobody can aim for collisions without knowing the key. Pure. Any thread.
 */

struct siphash_key {
    uint64_t k0;
    uint64_t k1;
};

uint64_t siphash(const struct siphash_key *key, struct slice bytes);

#endif
