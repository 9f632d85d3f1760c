#include "gateway/session/transactions.h"

#include <stdbool.h>
#include <string.h>
#include "base/mem.h"

struct transaction {
    struct transaction *next;
    struct transactions_frame *first;
    struct transactions_frame **end; /* where the next frame is linked */
    size_t n_frames;
    size_t n_bytes; /* of this and of its frames */
    size_t name_len;
    char name[];
};

struct transactions {
    struct transaction *open; /* the youngest first */
    size_t n_open;
    size_t n_frames;
    size_t n_bytes;
};

const char *transactions_strstatus(enum transactions_status status)
{
    switch (status) {
    case TRANSACTIONS_OK:
        return "no error";
    case TRANSACTIONS_ERR_UNKNOWN:
        return "No transaction of that name is open";
    case TRANSACTIONS_ERR_EXISTS:
        return "A transaction of that name is open already";
    case TRANSACTIONS_ERR_COUNT:
        return "Too many transactions are open";
    case TRANSACTIONS_ERR_FRAMES:
        return "Too many frames in transactions";
    case TRANSACTIONS_ERR_BYTES:
        return "Transactions are too large";
    }
    return "unknown";
}

/* Where the transaction is linked, or NULL. */
static struct transaction **find(struct transactions *set, struct slice name)
{
    if (set == NULL)
        return NULL;
    for (struct transaction **at = &set->open; *at != NULL; at = &(*at)->next) {
        if (slice_eq(slice_of((*at)->name, (*at)->name_len), name))
            return at;
    }
    return NULL;
}

static bool has_room(const struct transactions *set, const struct transactions_limits *limits,
                     size_t n_bytes)
{
    size_t used = set == NULL ? 0 : set->n_bytes;

    return used <= limits->max_bytes && n_bytes <= limits->max_bytes - used;
}

enum transactions_status transactions_begin(struct transactions **set,
                                            const struct transactions_limits *limits,
                                            struct slice name)
{
    size_t n_bytes = sizeof(struct transaction) + name.len;
    struct transaction *made;

    if (find(*set, name) != NULL)
        return TRANSACTIONS_ERR_EXISTS;
    if (transactions_count(*set) >= limits->max_transactions)
        return TRANSACTIONS_ERR_COUNT;
    if (!has_room(*set, limits, n_bytes))
        return TRANSACTIONS_ERR_BYTES;
    if (*set == NULL)
        *set = mem_calloc(1, sizeof(**set));
    made = mem_alloc(n_bytes);
    *made = (struct transaction){.next = (*set)->open, .n_bytes = n_bytes, .name_len = name.len};
    made->end = &made->first;
    if (name.len != 0)
        memcpy(made->name, name.base, name.len);
    (*set)->open = made;
    (*set)->n_open++;
    (*set)->n_bytes += n_bytes;
    return TRANSACTIONS_OK;
}

static size_t frame_bytes(const struct stomp_frame *frame)
{
    size_t n = sizeof(struct transactions_frame) + frame->n_headers * sizeof(*frame->headers) +
               frame->body.len;

    for (size_t i = 0; i < frame->n_headers; i++)
        n += frame->headers[i].name.len + frame->headers[i].value.len;
    return n;
}

static struct slice put(char **at, struct slice bytes)
{
    struct slice copy = slice_of(*at, bytes.len);

    if (bytes.len != 0)
        memcpy(*at, bytes.base, bytes.len);
    *at += bytes.len;
    return copy;
}

/* One block: the frame, its headers, their texts and the body. */
static struct transactions_frame *copy_frame(const struct stomp_frame *frame, size_t n_bytes)
{
    struct transactions_frame *copy = mem_alloc(n_bytes);
    struct stomp_header *headers = (struct stomp_header *)(copy + 1);
    char *at = (char *)(headers + frame->n_headers);

    for (size_t i = 0; i < frame->n_headers; i++) {
        headers[i].name = put(&at, frame->headers[i].name);
        headers[i].value = put(&at, frame->headers[i].value);
    }
    copy->next = NULL;
    copy->frame = (struct stomp_frame){.command = frame->command,
                                       .headers = headers,
                                       .n_headers = frame->n_headers,
                                       .body = put(&at, frame->body)};
    return copy;
}

enum transactions_status transactions_add(struct transactions *set,
                                          const struct transactions_limits *limits,
                                          struct slice name, const struct stomp_frame *frame)
{
    struct transaction **at = find(set, name), *transaction;
    size_t n_bytes = frame_bytes(frame);

    if (at == NULL)
        return TRANSACTIONS_ERR_UNKNOWN;
    if (set->n_frames >= limits->max_frames)
        return TRANSACTIONS_ERR_FRAMES;
    if (!has_room(set, limits, n_bytes))
        return TRANSACTIONS_ERR_BYTES;
    transaction = *at;
    *transaction->end = copy_frame(frame, n_bytes);
    transaction->end = &(*transaction->end)->next;
    transaction->n_frames++;
    transaction->n_bytes += n_bytes;
    set->n_frames++;
    set->n_bytes += n_bytes;
    return TRANSACTIONS_OK;
}

enum transactions_status transactions_take(struct transactions **set, struct slice name,
                                           struct transactions_frame **out)
{
    struct transaction **at = find(*set, name), *transaction;

    if (at == NULL)
        return TRANSACTIONS_ERR_UNKNOWN;
    transaction = *at;
    *at = transaction->next;
    (*set)->n_open--;
    (*set)->n_frames -= transaction->n_frames;
    (*set)->n_bytes -= transaction->n_bytes;
    *out = transaction->first;
    mem_free(transaction);
    if ((*set)->open == NULL) {
        mem_free(*set);
        *set = NULL;
    }
    return TRANSACTIONS_OK;
}

struct transactions_frame *transactions_frame_free(struct transactions_frame *frame)
{
    struct transactions_frame *next = frame->next;

    mem_free(frame);
    return next;
}

static void free_frames(struct transactions_frame *frame)
{
    while (frame != NULL)
        frame = transactions_frame_free(frame);
}

enum transactions_status transactions_drop(struct transactions **set, struct slice name)
{
    struct transactions_frame *frames = NULL;
    enum transactions_status status = transactions_take(set, name, &frames);

    free_frames(frames);
    return status;
}

void transactions_dispose(struct transactions **set)
{
    if (*set == NULL)
        return;
    for (struct transaction *t = (*set)->open, *next; t != NULL; t = next) {
        next = t->next;
        free_frames(t->first);
        mem_free(t);
    }
    mem_free(*set);
    *set = NULL;
}

size_t transactions_count(const struct transactions *set)
{
    return set == NULL ? 0 : set->n_open;
}
