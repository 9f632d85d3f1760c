#include "gateway/bench/sublist.h"

#include <string.h>
#include "base/mem.h"

static void dispose(struct subscription *subscription)
{
    mem_free(subscription->destination);
    mem_free(subscription->id);
}

void sublist_dispose(struct sublist *list)
{
    for (size_t i = 0; i < list->n_items; i++)
        dispose(&list->items[i]);
    mem_free(list->items);
    *list = (struct sublist){0};
}

struct subscription *sublist_add(struct sublist *list, char *destination, char *id, size_t topic)
{
    size_t at = list->n_items++;

    list->items = mem_realloc(list->items, list->n_items * sizeof(*list->items));
    list->items[at] = (struct subscription){destination, id, topic, SUBSCRIPTION_ASKED};
    return &list->items[at];
}

struct subscription *sublist_find(const struct sublist *list, struct slice id)
{
    for (size_t i = 0; i < list->n_items; i++) {
        if (slice_eq(slice_str(list->items[i].id), id))
            return &list->items[i];
    }
    return NULL;
}

void sublist_remove(struct sublist *list, struct subscription *subscription)
{
    size_t at = (size_t)(subscription - list->items);

    dispose(subscription);
    list->n_items--;
    memmove(subscription, subscription + 1, (list->n_items - at) * sizeof(*subscription));
}

size_t sublist_count(const struct sublist *list, enum subscription_state state)
{
    size_t n = 0;

    for (size_t i = 0; i < list->n_items; i++)
        n += list->items[i].state == state;
    return n;
}
