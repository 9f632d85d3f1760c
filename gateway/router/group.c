#include "gateway/router/group.h"

#include <assert.h>
#include <string.h>
#include "base/mem.h"
#include "stomp/encode.h"

enum { FIRST_BUCKETS = 64 };

_Static_assert(sizeof(struct group_more) % _Alignof(max_align_t) == 0 ||
                   sizeof(struct group_more) % _Alignof(struct group) == 0,
               "a group stands aligned behind it");

void groups_init(struct groups *groups, struct siphash_key hash_key)
{
    *groups = (struct groups){.hash_key = hash_key};
}

void groups_dispose(struct groups *groups)
{
    assert(groups->n == 0);
    mem_free(groups->buckets);
    groups->buckets = NULL;
}

static uint32_t hash_of(const struct groups *groups, const struct group_spec *spec,
                        uint64_t id_hash)
{
    struct {
        const void *destination;
        uint64_t id_hash;
        uint64_t serial;
        uint64_t selector;
        uint64_t wire;
    } key = {spec->destination, id_hash, spec->is_alone ? spec->serial + 1 : 0, 0, spec->wire};

    if (spec->selector != NULL && !spec->is_alone)
        key.selector = siphash(&groups->hash_key, selector_text(spec->selector));
    return (uint32_t)siphash(&groups->hash_key, slice_of((const char *)&key, sizeof(key)));
}

static enum group_kind kind_of(const struct group_spec *spec)
{
    if (spec->is_alone)
        return GROUP_ALONE;
    return spec->selector != NULL ? GROUP_SELECTING : GROUP_PLAIN;
}

static bool is_of(const struct group *group, const struct group_spec *spec)
{
    enum group_kind kind = kind_of(spec);

    if (group->kind != kind || kind == GROUP_ALONE || group->destination != spec->destination ||
        group->wire != spec->wire || !slice_eq(group_id(group), spec->id))
        return false;
    return kind == GROUP_PLAIN ||
           slice_eq(selector_text(group_more(group)->selector), selector_text(spec->selector));
}

static void grow(struct groups *groups)
{
    size_t n_buckets = groups->n_buckets == 0 ? FIRST_BUCKETS : groups->n_buckets * 2;
    struct group **buckets = mem_calloc(n_buckets, sizeof(struct group *));

    for (size_t i = 0; i < groups->n_buckets; i++) {
        struct group *group = groups->buckets[i];

        while (group != NULL) {
            struct group *next = group->next_in_bucket;
            struct group **bucket = &buckets[group->hash & (n_buckets - 1)];

            group->next_in_bucket = *bucket;
            *bucket = group;
            group = next;
        }
    }
    mem_free(groups->buckets);
    groups->buckets = buckets;
    groups->n_buckets = n_buckets;
}

static struct group *group_new(const struct group_spec *spec)
{
    enum group_kind kind = kind_of(spec);
    size_t front = kind == GROUP_PLAIN ? 0 : sizeof(struct group_more);
    char *block = mem_calloc(1, front + offsetof(struct group, id) + spec->id.len);
    struct group *group = (struct group *)(void *)(block + front);

    group->kind = (uint8_t)kind;
    group->wire = (uint8_t)spec->wire;
    group->destination = spec->destination;
    group->n_cap = 1;
    group->id_len = (uint32_t)spec->id.len;
    group->is_plain_id = stomp_escaped_len(spec->id) == spec->id.len;
    if (spec->id.len != 0)
        memcpy(group->id, spec->id.base, spec->id.len);
    if (kind != GROUP_PLAIN) {
        struct group_more *more = group_more(group);

        more->selector = spec->selector == NULL ? NULL : selector_ref(spec->selector);
        more->needs_ack = spec->needs_ack;
        more->is_cumulative = spec->is_cumulative;
        more->serial = spec->serial;
        acks_init(&more->acks, spec->ack_window);
    }
    return group;
}

struct group *groups_find_or_add(struct groups *groups, const struct group_spec *spec,
                                 uint64_t id_hash, bool *is_new)
{
    uint32_t hash = hash_of(groups, spec, id_hash);
    struct group *group;

    if (groups->n >= groups->n_buckets)
        grow(groups);
    group = groups->buckets[hash & (groups->n_buckets - 1)];
    while (group != NULL && (group->hash != hash || !is_of(group, spec)))
        group = group->next_in_bucket;
    *is_new = group == NULL;
    if (*is_new) {
        struct group **bucket = &groups->buckets[hash & (groups->n_buckets - 1)];

        group = group_new(spec);
        group->hash = hash;
        group->next_in_bucket = *bucket;
        *bucket = group;
        groups->n++;
    }
    return group;
}

void groups_remove(struct groups *groups, struct group *group)
{
    struct group **at = &groups->buckets[group->hash & (groups->n_buckets - 1)];

    assert(group->n_members == 0);
    while (*at != group)
        at = &(*at)->next_in_bucket;
    *at = group->next_in_bucket;
    groups->n--;
    if (group->n_cap > 1)
        mem_free(group->members);
    if (group->kind == GROUP_PLAIN) {
        mem_free(group);
    } else {
        struct group_more *more = group_more(group);

        selector_unref(more->selector);
        acks_dispose(&more->acks);
        mem_free(more);
    }
}

struct subscription *group_add(struct group *group, struct receiver *receiver)
{
    struct subscription *subscription = &group->own;

    if (subscription->receiver != NULL)
        subscription = mem_alloc(sizeof(*subscription));
    *subscription = (struct subscription){
        .receiver = receiver,
        .group = group,
        .index = group->n_members & INT32_MAX,
    };
    if (group->n_members == group->n_cap) {
        uint32_t n_cap = group->n_cap < 4 ? 4 : group->n_cap * 2;
        struct subscription **members =
            mem_realloc(group->n_cap == 1 ? NULL : group->members, n_cap * sizeof(*members));

        if (group->n_cap == 1)
            members[0] = group->single;
        group->members = members;
        group->n_cap = n_cap;
    }
    group_members(group)[group->n_members++] = subscription;
    return subscription;
}

void group_remove(struct group *group, struct subscription *subscription)
{
    struct subscription **members = group_members(group);
    struct subscription *last = members[--group->n_members];

    members[subscription->index] = last;
    last->index = subscription->index;
    if (subscription == &group->own)
        group->own.receiver = NULL;
    else
        mem_free(subscription);
}
