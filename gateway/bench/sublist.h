#ifndef GATEWAY_BENCH_SUBLIST_H
#define GATEWAY_BENCH_SUBLIST_H

#include <stddef.h>
#include "base/slice.h"

/*
 * The subscriptions of a client that has several, or takes and leaves them. Pure. Owning process
 * only.
 */

enum subscription_state {
    SUBSCRIPTION_ASKED, /* its SUBSCRIBE is out */
    SUBSCRIPTION_THERE,
    SUBSCRIPTION_LEAVING, /* its UNSUBSCRIBE is out: messages may still come */
};

/** Open. The strings are the list's. */
struct subscription {
    char *destination;
    char *id;     /* no other of the client has it */
    size_t topic; /* the mode's number for the destination */
    enum subscription_state state;
};

/** Zeroed memory is an empty list. */
struct sublist {
    struct subscription *items; /* valid until one is added or removed */
    size_t n_items;
};

void sublist_dispose(struct sublist *list);

/** Adds one that is ASKED; takes the strings. */
struct subscription *sublist_add(struct sublist *list, char *destination, char *id, size_t topic);

/** The one with that id, or NULL. */
struct subscription *sublist_find(const struct sublist *list, struct slice id);

/** Takes one out of the list; those behind it move up. */
void sublist_remove(struct sublist *list, struct subscription *subscription);

/** How many are in that state. */
size_t sublist_count(const struct sublist *list, enum subscription_state state);

#endif
