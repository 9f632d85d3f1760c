#include "gateway/router/subscriptions.h"

#include <assert.h>
#include "base/mem.h"
#include "gateway/router/group.h"

enum { LIST_MAX = 8 };

static struct subscription **bucket_of(const struct subscriptions *set, uint32_t hash)
{
    if (set->buckets == NULL)
        return (struct subscription **)&set->only;
    return &set->buckets[hash & (set->n_buckets - 1)];
}

static uint32_t count_buckets(const struct subscriptions *set)
{
    return set->buckets == NULL ? 1 : set->n_buckets;
}

static struct subscription *bucket_at(const struct subscriptions *set, uint32_t i)
{
    return set->buckets == NULL ? set->only : set->buckets[i];
}

struct subscription *subscriptions_find(const struct subscriptions *set, struct slice id,
                                        uint32_t id_hash)
{
    for (struct subscription *s = *bucket_of(set, id_hash); s != NULL; s = s->next) {
        if (s->id_hash == id_hash && slice_eq(group_id(s->group), id))
            return s;
    }
    return NULL;
}

bool subscriptions_have(const struct subscriptions *set, const struct destination *destination)
{
    for (uint32_t i = 0; i < count_buckets(set); i++) {
        for (const struct subscription *s = bucket_at(set, i); s != NULL; s = s->next) {
            if (s->group->destination == destination)
                return true;
        }
    }
    return false;
}

static void link_subscription(struct subscriptions *set, struct subscription *s)
{
    struct subscription **bucket = bucket_of(set, s->id_hash);

    s->next = *bucket;
    *bucket = s;
}

static void rehash(struct subscriptions *set, uint32_t n_buckets)
{
    struct subscriptions old = *set;

    set->buckets = mem_calloc(n_buckets, sizeof(*set->buckets));
    set->n_buckets = n_buckets;
    set->only = NULL;
    for (uint32_t i = 0; i < count_buckets(&old); i++) {
        struct subscription *s = bucket_at(&old, i);

        while (s != NULL) {
            struct subscription *next = s->next;

            link_subscription(set, s);
            s = next;
        }
    }
    mem_free(old.buckets);
}

void subscriptions_add(struct subscriptions *set, struct subscription *s)
{
    uint32_t room = set->buckets == NULL ? LIST_MAX : set->n_buckets;

    if (set->n >= room)
        rehash(set, room * 2);
    link_subscription(set, s);
    set->n++;
}

void subscriptions_remove(struct subscriptions *set, struct subscription *s)
{
    struct subscription **at = bucket_of(set, s->id_hash);

    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    set->n--;
}

void subscriptions_each(struct subscriptions *set, void (*visit)(struct subscription *s, void *ctx),
                        void *ctx)
{
    for (uint32_t i = 0; i < count_buckets(set); i++) {
        struct subscription *s = bucket_at(set, i);

        while (s != NULL) {
            struct subscription *next = s->next;

            visit(s, ctx);
            s = next;
        }
    }
}

void subscriptions_dispose(struct subscriptions *set)
{
    assert(set->n == 0);
    mem_free(set->buckets);
    *set = (struct subscriptions){.n = 0};
}
