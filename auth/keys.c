#include "auth/keys.h"

#include <assert.h>
#include "base/mem.h"

struct entry {
    struct auth_issuer issuer; /* owns what it points to */
    struct auth_key *key;
};

struct auth_keys {
    struct entry *entries;
    size_t n;
};

struct auth_keys *auth_keys_new(void)
{
    return mem_calloc(1, sizeof(struct auth_keys));
}

void auth_keys_free(struct auth_keys *keys)
{
    if (keys == NULL)
        return;
    for (size_t i = 0; i < keys->n; i++) {
        struct entry *entry = &keys->entries[i];

        for (size_t k = 0; k < entry->issuer.n_audiences; k++)
            mem_free((char *)entry->issuer.audiences[k].base);
        mem_free((struct slice *)entry->issuer.audiences);
        mem_free((char *)entry->issuer.issuer.base);
        mem_free((char *)entry->issuer.user_claim.base);
        auth_key_free(entry->key);
    }
    mem_free(keys->entries);
    mem_free(keys);
}

void auth_keys_add(struct auth_keys *keys, const struct auth_issuer *issuer, struct auth_key *key)
{
    struct slice *audiences = mem_calloc(issuer->n_audiences, sizeof(*audiences));
    struct slice user_claim = issuer->user_claim;
    struct entry *entry;

    assert(key != NULL);
    for (size_t i = 0; i < issuer->n_audiences; i++)
        audiences[i] = mem_slice_dup(issuer->audiences[i]);
    if (user_claim.len == 0)
        user_claim = (struct slice)SLICE("sub");
    keys->entries = mem_realloc(keys->entries, (keys->n + 1) * sizeof(keys->entries[0]));
    entry = &keys->entries[keys->n++];
    *entry = (struct entry){
        .issuer = {.issuer = mem_slice_dup(issuer->issuer),
                   .user_claim = mem_slice_dup(user_claim),
                   .audiences = audiences,
                   .n_audiences = issuer->n_audiences,
                   .leeway_ms = issuer->leeway_ms},
        .key = key,
    };
}

size_t auth_keys_count(const struct auth_keys *keys)
{
    return keys->n;
}

const struct auth_issuer *auth_keys_issuer(const struct auth_keys *keys, size_t i)
{
    assert(i < keys->n);
    return &keys->entries[i].issuer;
}

const struct auth_key *auth_keys_key(const struct auth_keys *keys, size_t i)
{
    assert(i < keys->n);
    return keys->entries[i].key;
}
