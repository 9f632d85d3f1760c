#include "gateway/router/backlog.h"

#include "base/mem.h"

enum { FIRST_CAP = 16 };

void backlog_init(struct backlog *backlog)
{
    *backlog = (struct backlog){.n_returned = 0};
    TAILQ_INIT(&backlog->fresh);
}

void backlog_dispose(struct backlog *backlog)
{
    mem_free(backlog->returned);
    backlog_init(backlog);
}

void backlog_append(struct backlog *backlog, struct backlog_item *item)
{
    item->order = backlog->next_order++;
    TAILQ_INSERT_TAIL(&backlog->fresh, item, link);
}

void backlog_return(struct backlog *backlog, struct backlog_item *item)
{
    size_t i = backlog->n_returned++;

    if (i == backlog->cap) {
        backlog->cap = i == 0 ? FIRST_CAP : i * 2;
        backlog->returned =
            mem_realloc(backlog->returned, backlog->cap * sizeof(*backlog->returned));
    }
    while (i != 0 && backlog->returned[(i - 1) / 2]->order > item->order) {
        backlog->returned[i] = backlog->returned[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    backlog->returned[i] = item;
}

static struct backlog_item *take_returned(struct backlog *backlog)
{
    struct backlog_item *first = backlog->returned[0];
    size_t n = --backlog->n_returned;
    struct backlog_item *moved = backlog->returned[n];
    size_t i = 0;

    for (size_t child = 1; child < n; child = 2 * i + 1) {
        if (child + 1 < n && backlog->returned[child + 1]->order < backlog->returned[child]->order)
            child++;
        if (moved->order <= backlog->returned[child]->order)
            break;
        backlog->returned[i] = backlog->returned[child];
        i = child;
    }
    backlog->returned[i] = moved;
    if (n == 0) { /* consumers that go away are rare: keep nothing for the next time */
        mem_free(backlog->returned);
        backlog->returned = NULL;
        backlog->cap = 0;
    }
    return first;
}

struct backlog_item *backlog_take(struct backlog *backlog)
{
    struct backlog_item *item;

    if (backlog->n_returned != 0)
        return take_returned(backlog);
    item = TAILQ_FIRST(&backlog->fresh);
    if (item != NULL)
        TAILQ_REMOVE(&backlog->fresh, item, link);
    return item;
}
