#include "gateway/router/lag.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "base/table.h"
#include "gateway/router/destination.h"
#include "stomp/encode.h"

enum {
    REFILL_BYTES = 65536,
    COPY_BELOW_BYTES = 512, /* as the queue itself does: a short range must not pin its chunk */
};

/** A message that waits for one receiver or many. */
struct lag_held {
    struct lag_store *store;
    struct msg *msg;
    const struct policy_slow *slow;
    uint64_t refs;
    struct slice key; /* POLICY_SLOW_LATEST: owned */
};

/** One thing in the list. */
struct lag_item {
    TAILQ_ENTRY(lag_item) link;
    uint64_t serial;
    struct lag_ring *ring; /* NULL: a struct lag_bytes; else a struct lag_message */
};

struct lag_message {
    struct lag_item item; /* first */
    struct lag_held *held;
    TAILQ_ENTRY(lag_message) ring_link;
    struct table_node node; /* is_keyed: in the ring's keys */
    bool is_keyed;
    bool is_counted; /* against the ring's limits: no newer one has taken its place */
};

struct lag_bytes {
    struct lag_item item; /* first */
    struct chunk *chunk;  /* NULL: its bytes stand behind the struct */
    uint32_t offset;
    size_t len;
};

TAILQ_HEAD(lag_item_list, lag_item);
TAILQ_HEAD(lag_message_list, lag_message);

struct lag {
    struct lag_store *store;
    enum wire wire;
    struct lag_item_list items; /* oldest first */
    uint64_t next_serial;
    uint64_t promised; /* what is older is sent */
    size_t bytes;
    size_t kept_bytes;
    size_t n_rings;
};

struct lag_ring {
    struct lag *lag;
    struct lag_message_list messages; /* oldest first */
    struct table keys;                /* of struct lag_message: the newest of each key */
    size_t n_counted;
    size_t counted_bytes;
    uint64_t n_lost; /* since its last message went to the queue */
    bool is_over;
    bool is_plain_id;
    uint32_t id_len;
    char id[];
};

void lag_store_init(struct lag_store *store, struct chunk_pool *pool, struct metrics *metrics,
                    struct siphash_key hash_key)
{
    *store = (struct lag_store){.pool = pool, .metrics = metrics, .hash_key = hash_key};
}

/* --- messages, once for all who wait for them --- */

static const struct policy_slow *slow_of(const struct lag_store *store, const struct msg *msg)
{
    if (store->policy == NULL)
        return NULL;
    if (msg->is_bound)
        return policy_slow_of_bound(store->policy, destination_target(msg->destination));
    return policy_slow_of(store->policy, msg->destination);
}

/* The destination belongs to it: a pattern's subscription gets messages of many. */
static struct slice make_key(const struct msg *msg, struct slice header)
{
    struct slice value = SLICE("");
    char *owned = NULL, *key;
    struct slice made;

    if (header.len != 0)
        (void)!msg_find_header(msg, header, &value, &owned);
    key = mem_alloc(msg->destination.len + 1 + value.len);
    memcpy(key, msg->destination.base, msg->destination.len);
    key[msg->destination.len] = '\0';
    if (value.len != 0)
        memcpy(key + msg->destination.len + 1, value.base, value.len);
    made = slice_of(key, msg->destination.len + 1 + value.len);
    mem_free(owned);
    return made;
}

static int64_t held_bytes(const struct lag_held *held)
{
    return (int64_t)(sizeof(*held) + held->key.len + msg_bytes(held->msg));
}

/* One publish comes here once for each receiver, all in a row. Returns one reference, or NULL when
 * the message may not be lost. */
static struct lag_held *hold(struct lag_store *store, const struct msg *msg)
{
    struct lag_held *held = store->newest;
    const struct policy_slow *slow;

    if (held != NULL && held->msg == msg) {
        held->refs++;
        return held;
    }
    slow = slow_of(store, msg);
    if (slow == NULL)
        return NULL;
    held = mem_alloc(sizeof(*held));
    *held = (struct lag_held){
        .store = store,
        .msg = msg_ref((struct msg *)(uintptr_t)msg), /* all but its count is const for us */
        .slow = slow,
        .refs = 1,
    };
    if (slow->mode == POLICY_SLOW_LATEST)
        held->key = make_key(msg, slow->key_header);
    chunk_pool_count(store->pool, held_bytes(held));
    store->newest = held;
    return held;
}

static void release(struct lag_held *held)
{
    if (--held->refs != 0)
        return;
    if (held->store->newest == held)
        held->store->newest = NULL;
    chunk_pool_count(held->store->pool, -held_bytes(held));
    msg_unref(held->msg);
    mem_free((void *)(uintptr_t)held->key.base);
    mem_free(held);
}

/* --- rings --- */

struct lag_ring *lag_ring_new(struct lag *lag, struct slice id)
{
    struct lag_ring *ring = mem_alloc(sizeof(*ring) + id.len);

    *ring = (struct lag_ring){
        .lag = lag,
        .is_plain_id = stomp_escaped_len(id) == id.len,
        .id_len = (uint32_t)id.len,
    };
    if (id.len != 0)
        memcpy(ring->id, id.base, id.len);
    TAILQ_INIT(&ring->messages);
    table_init(&ring->keys, lag->store->hash_key);
    if (lag->n_rings++ == 0)
        metrics_add(lag->store->metrics, METRIC_SLOW_SESSIONS, 1);
    return ring;
}

static void free_when_done(struct lag_ring *ring)
{
    struct lag *lag = ring->lag;

    if (!ring->is_over || !TAILQ_EMPTY(&ring->messages))
        return;
    table_dispose(&ring->keys);
    mem_free(ring);
    if (--lag->n_rings == 0)
        metrics_sub(lag->store->metrics, METRIC_SLOW_SESSIONS, 1);
}

void lag_ring_end(struct lag_ring *ring)
{
    ring->is_over = true;
    free_when_done(ring);
}

static void uncount(struct lag_message *message)
{
    struct lag_ring *ring = message->item.ring;

    if (!message->is_counted)
        return;
    message->is_counted = false;
    ring->n_counted--;
    ring->counted_bytes -= msg_bytes(message->held->msg);
}

static void count(struct lag_message *message)
{
    struct lag_ring *ring = message->item.ring;

    message->is_counted = true;
    ring->n_counted++;
    ring->counted_bytes += msg_bytes(message->held->msg);
}

static void leave_key(struct lag_message *message)
{
    if (message->is_keyed)
        table_remove(&message->item.ring->keys, &message->node);
    message->is_keyed = false;
}

/* Sent or lost: it waits no more. The ring stays, even when it is done. */
static void remove_message(struct lag_message *message)
{
    struct lag_ring *ring = message->item.ring;
    struct lag *lag = ring->lag;

    uncount(message);
    leave_key(message);
    TAILQ_REMOVE(&ring->messages, message, ring_link);
    TAILQ_REMOVE(&lag->items, &message->item, link);
    lag->bytes -= msg_bytes(message->held->msg);
    chunk_pool_count(lag->store->pool, -(int64_t)sizeof(*message));
    metrics_sub(lag->store->metrics, METRIC_SLOW_WAITING, 1);
    release(message->held);
    mem_free(message);
}

static void lose(struct lag_message *message, enum metric why)
{
    struct lag_ring *ring = message->item.ring;

    ring->n_lost++;
    metrics_add(ring->lag->store->metrics, why, 1);
    remove_message(message);
}

/* The message is the newest of its key now. */
static void take_key(struct lag_message *message)
{
    struct lag_ring *ring = message->item.ring;
    struct lag_message *older =
        TABLE_ENTRY(table_find(&ring->keys, message->held->key), struct lag_message, node);

    if (older != NULL && older->item.serial < ring->lag->promised) {
        leave_key(older);
        uncount(older);
    } else if (older != NULL) {
        lose(older, METRIC_SLOW_REPLACED);
    }
    message->node.key = message->held->key;
    table_insert(&ring->keys, &message->node);
    message->is_keyed = true;
}

/* Never the newest, however large it is: the client has to hear of what was lost. */
static void drop_what_is_too_much(struct lag_ring *ring, const struct lag_message *newest)
{
    const struct policy_slow *slow = newest->held->slow;
    struct lag_message *oldest;

    while ((oldest = TAILQ_FIRST(&ring->messages)) != newest &&
           (ring->n_counted > slow->max_messages || ring->counted_bytes > slow->max_bytes))
        lose(oldest, METRIC_SLOW_OLDEST_DROPPED);
}

/* --- the list --- */

struct lag *lag_new(struct lag_store *store, enum wire wire)
{
    struct lag *lag = mem_alloc(sizeof(*lag));

    *lag = (struct lag){.store = store, .wire = wire};
    TAILQ_INIT(&lag->items);
    return lag;
}

void lag_free(struct lag *lag)
{
    if (lag == NULL)
        return;
    (void)lag_cut(lag);
    assert(lag->n_rings == 0);
    mem_free(lag);
}

static void append(struct lag *lag, struct lag_item *item, struct lag_ring *ring)
{
    item->ring = ring;
    item->serial = lag->next_serial++;
    TAILQ_INSERT_TAIL(&lag->items, item, link);
}

bool lag_add(struct lag_ring *ring, const struct msg *msg)
{
    struct lag *lag = ring->lag;
    struct lag_held *held = hold(lag->store, msg);
    struct lag_message *message;

    assert(!ring->is_over);
    if (held == NULL)
        return false;
    message = mem_alloc(sizeof(*message));
    *message = (struct lag_message){.held = held};
    append(lag, &message->item, ring);
    TAILQ_INSERT_TAIL(&ring->messages, message, ring_link);
    lag->bytes += msg_bytes(held->msg);
    chunk_pool_count(lag->store->pool, (int64_t)sizeof(*message));
    metrics_add(lag->store->metrics, METRIC_SLOW_WAITING, 1);
    count(message);
    if (held->slow->mode == POLICY_SLOW_LATEST)
        take_key(message);
    drop_what_is_too_much(ring, message);
    return true;
}

static int64_t bytes_size(const struct lag_bytes *bytes)
{
    return (int64_t)(sizeof(*bytes) + (bytes->chunk == NULL ? bytes->len : 0));
}

static struct lag_bytes *add_bytes(struct lag *lag, struct chunk *chunk, uint32_t offset,
                                   size_t len)
{
    struct lag_bytes *bytes = mem_alloc(sizeof(*bytes) + (chunk == NULL ? len : 0));

    *bytes = (struct lag_bytes){.chunk = chunk, .offset = offset, .len = len};
    append(lag, &bytes->item, NULL);
    lag->bytes += len;
    lag->kept_bytes += len;
    chunk_pool_count(lag->store->pool, bytes_size(bytes));
    return bytes;
}

static void remove_bytes(struct lag *lag, struct lag_bytes *bytes)
{
    TAILQ_REMOVE(&lag->items, &bytes->item, link);
    lag->bytes -= bytes->len;
    lag->kept_bytes -= bytes->len;
    chunk_pool_count(lag->store->pool, -bytes_size(bytes));
    if (bytes->chunk != NULL)
        chunk_unref(bytes->chunk);
    mem_free(bytes);
}

char *lag_add_space(struct lag *lag, size_t len)
{
    assert(len != 0);
    return (char *)(add_bytes(lag, NULL, 0, len) + 1);
}

void lag_add_range(struct lag *lag, struct chunk *chunk, uint32_t offset, uint32_t len)
{
    if (len < COPY_BELOW_BYTES) {
        memcpy(lag_add_space(lag, len), chunk->data + offset, len);
        return;
    }
    chunk_ref(chunk);
    (void)add_bytes(lag, chunk, offset, len);
}

/* --- the way to the queue --- */

static void send_message(struct lag_message *message, struct outq *q)
{
    struct lag_ring *ring = message->item.ring;
    const struct msg *msg = message->held->msg;
    struct wire_address to = {
        .wire = ring->lag->wire,
        .id = slice_of(ring->id, ring->id_len),
        .is_plain_id = ring->is_plain_id,
    };
    char line[32];

    if (ring->n_lost != 0) {
        int len = snprintf(line, sizeof(line), "dropped:%" PRIu64 "\n", ring->n_lost);

        to.lines = slice_of(line, (size_t)len);
    }
    wire_write_message(msg, &to,
                       outq_push_space(q, ring->lag->store->pool, wire_message_len(msg, &to)));
    ring->n_lost = 0;
    remove_message(message);
    free_when_done(ring);
}

static void send_bytes(struct lag *lag, struct lag_bytes *bytes, struct outq *q)
{
    struct chunk_pool *pool = lag->store->pool;

    if (bytes->chunk == NULL)
        memcpy(outq_push_space(q, pool, bytes->len), bytes + 1, bytes->len);
    else
        outq_push_ref(q, pool, bytes->chunk, bytes->offset, (uint32_t)bytes->len);
    remove_bytes(lag, bytes);
}

size_t lag_refill(struct lag *lag, struct outq *q)
{
    size_t before = q->bytes;
    struct lag_item *item;

    while (q->bytes - before < REFILL_BYTES && (item = TAILQ_FIRST(&lag->items)) != NULL) {
        if (item->serial >= lag->promised)
            lag->promised = lag->next_serial;
        if (item->ring != NULL)
            send_message((struct lag_message *)item, q);
        else
            send_bytes(lag, (struct lag_bytes *)item, q);
    }
    return q->bytes - before;
}

static uint64_t count_frames(const struct lag *lag, const struct lag_bytes *bytes)
{
    struct slice left =
        slice_of(bytes->chunk == NULL ? (const char *)(bytes + 1) : bytes->chunk->data,
                 bytes->offset + bytes->len);
    uint64_t n = 0;

    for (left = slice_skip(left, bytes->offset); left.len != 0; n++)
        left = slice_skip(left, wire_frame_end(lag->wire, left, 1));
    return n;
}

uint64_t lag_cut(struct lag *lag)
{
    struct lag_item *item;
    uint64_t n = 0;

    while ((item = TAILQ_FIRST(&lag->items)) != NULL) {
        if (item->ring != NULL) {
            struct lag_ring *ring = item->ring;

            n++;
            remove_message((struct lag_message *)item);
            free_when_done(ring);
        } else {
            n += count_frames(lag, (struct lag_bytes *)item);
            remove_bytes(lag, (struct lag_bytes *)item);
        }
    }
    return n;
}

bool lag_is_empty(const struct lag *lag)
{
    return lag == NULL || TAILQ_EMPTY(&lag->items);
}

size_t lag_bytes(const struct lag *lag)
{
    return lag == NULL ? 0 : lag->bytes;
}

size_t lag_kept_bytes(const struct lag *lag)
{
    return lag == NULL ? 0 : lag->kept_bytes;
}
