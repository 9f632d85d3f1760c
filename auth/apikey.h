#ifndef AUTH_APIKEY_H
#define AUTH_APIKEY_H

#include <stddef.h>
#include "base/slice.h"

/*
 * Keys of backends: what is kept is the SHA-256 of each, so that a configuration file gives none
 * away. Keys are long and random, so one plain hash is enough. Pure. Any thread.
 */

struct auth_digest {
    unsigned char bytes[32];
};

/** The digest of a key as somebody presents it. */
struct auth_digest auth_apikey_digest(struct slice key);

/**
 * The index of the digest that a presented key has, or -1. All digests are compared, each in
 * constant time: how long it takes tells nothing but how many there are.
 */
int auth_apikey_find(const struct auth_digest *digests, size_t n_digests, struct slice key);

#endif
