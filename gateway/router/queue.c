#include "gateway/router/queue.h"

#include <assert.h>
#include <string.h>
#include <sys/queue.h>
#include "base/mem.h"
#include "gateway/router/backlog.h"

/*
 * A message is in its queue's backlog, in the list `in_flight` of a consumer, or in the list
 * `refused` of the consumer that NACKed it last and should not have it again.
 */
struct message {
    struct backlog_item item;
    struct table_node node; /* its key is the id; in the table while it is in flight */
    struct msg *msg;
    size_t bytes;
    struct consumer *consumer; /* while it is in flight */
    uint64_t id;
    uint32_t n_deliveries;
    uint32_t n_failures;
};

/** A queue_consumer without holes between its fields, so that its bytes can be hashed. */
struct consumer_key {
    uint64_t serial;
    uint32_t generation;
    uint32_t slot;
    uint64_t worker;
};

_Static_assert(sizeof(struct consumer_key) == 24, "no holes");

struct consumer {
    struct table_node node; /* its key is the key below */
    struct consumer_key key;
    struct queue *queue;
    TAILQ_ENTRY(consumer) ready_link;   /* while n_in_flight < window */
    TAILQ_ENTRY(consumer) refuser_link; /* while `refused` is not empty */
    struct backlog_list in_flight;
    struct backlog_list refused;
    uint32_t window;
    uint32_t n_in_flight;
    bool is_auto;
};

TAILQ_HEAD(consumer_list, consumer);

struct queue {
    struct table_node node; /* its key is the destination, behind the struct */
    struct backlog backlog;
    struct consumer_list ready; /* whose turn it is comes first */
    struct consumer_list refusers;
    size_t n_consumers;
    unsigned n_holds; /* calls that are working on it; more than one only through the hooks */
};

/* --- names --- */

static struct consumer_key key_of(const struct queue_consumer *name)
{
    return (struct consumer_key){
        .serial = name->serial,
        .generation = name->generation,
        .slot = name->slot,
        .worker = name->worker,
    };
}

static struct queue_consumer name_of(const struct consumer *consumer)
{
    return (struct queue_consumer){
        .worker = (unsigned)consumer->key.worker,
        .slot = consumer->key.slot,
        .generation = consumer->key.generation,
        .serial = consumer->key.serial,
    };
}

static struct slice bytes_of_key(const struct consumer_key *key)
{
    return slice_of((const char *)key, sizeof(*key));
}

static struct slice bytes_of_id(const uint64_t *id)
{
    return slice_of((const char *)id, sizeof(*id));
}

/** The item is the first member; NULL stays NULL. */
static struct message *message_of(struct backlog_item *item)
{
    return (struct message *)item;
}

static struct consumer *find_consumer(const struct queues *set, const struct queue_consumer *name)
{
    struct consumer_key key = key_of(name);

    return TABLE_ENTRY(table_find(&set->consumers, bytes_of_key(&key)), struct consumer, node);
}

static struct message *find_delivery(const struct queues *set, const struct queue_consumer *name,
                                     uint64_t id)
{
    struct consumer_key key = key_of(name);
    struct message *message =
        TABLE_ENTRY(table_find(&set->in_flight, bytes_of_id(&id)), struct message, node);

    if (message == NULL || !slice_eq(bytes_of_key(&message->consumer->key), bytes_of_key(&key)))
        return NULL;
    return message;
}

/* --- where messages are --- */

static void refuse(struct consumer *consumer, struct message *message)
{
    if (TAILQ_EMPTY(&consumer->refused))
        TAILQ_INSERT_TAIL(&consumer->queue->refusers, consumer, refuser_link);
    TAILQ_INSERT_TAIL(&consumer->refused, &message->item, link);
}

static struct message *take_refused(struct consumer *consumer)
{
    struct backlog_item *item = TAILQ_FIRST(&consumer->refused);

    TAILQ_REMOVE(&consumer->refused, item, link);
    if (TAILQ_EMPTY(&consumer->refused))
        TAILQ_REMOVE(&consumer->queue->refusers, consumer, refuser_link);
    return message_of(item);
}

/** What the consumer may have next: what others have refused, before all else, or the backlog. */
static struct message *take_waiting(struct queue *queue, const struct consumer *consumer)
{
    struct consumer *refuser = TAILQ_FIRST(&queue->refusers);

    if (refuser == consumer && queue->n_consumers > 1)
        refuser = TAILQ_NEXT(refuser, refuser_link);
    if (refuser != NULL)
        return take_refused(refuser);
    return message_of(backlog_take(&queue->backlog));
}

/** The message is in no list afterwards, and its consumer has room for another. */
static void take_back(struct queues *set, struct message *message)
{
    struct consumer *consumer = message->consumer;

    table_remove(&set->in_flight, &message->node);
    TAILQ_REMOVE(&consumer->in_flight, &message->item, link);
    if (consumer->n_in_flight-- == consumer->window)
        TAILQ_INSERT_TAIL(&consumer->queue->ready, consumer, ready_link);
}

static void hand_over(struct queues *set, struct consumer *consumer, struct message *message)
{
    struct queue_consumer name = name_of(consumer);
    struct queue_delivery delivery;

    message->consumer = consumer;
    message->id = ++set->n_deliveries;
    message->n_deliveries++;
    message->node.key = bytes_of_id(&message->id);
    table_insert(&set->in_flight, &message->node);
    TAILQ_INSERT_TAIL(&consumer->in_flight, &message->item, link);

    TAILQ_REMOVE(&consumer->queue->ready, consumer, ready_link);
    if (++consumer->n_in_flight < consumer->window)
        TAILQ_INSERT_TAIL(&consumer->queue->ready, consumer, ready_link);

    /* From here on the hook may end any of them: the delivery, the consumer, the message. */
    delivery = (struct queue_delivery){
        .id = message->id,
        .msg = msg_ref(message->msg),
        .count = message->n_deliveries,
        .is_auto = consumer->is_auto,
    };
    set->hooks.deliver(set->hooks.ctx, &name, &delivery);
    msg_unref(delivery.msg);
}

/** Ends a message that is in no list. */
static void finish(struct queues *set, struct queue *queue, struct message *message)
{
    size_t bytes = message->bytes;

    msg_unref(message->msg);
    mem_free(message);
    set->n_messages--;
    set->hooks.release(set->hooks.ctx, queue->node.key, 1, bytes);
}

static void drop(struct queues *set, struct queue *queue, struct message *message)
{
    set->hooks.dropped(set->hooks.ctx, message->msg);
    finish(set, queue, message);
}

/* --- queues --- */

static struct queue *find_or_add_queue(struct queues *set, struct slice destination)
{
    struct queue *queue = TABLE_ENTRY(table_find(&set->queues, destination), struct queue, node);
    char *key;

    if (queue != NULL)
        return queue;
    queue = mem_calloc(1, sizeof(*queue) + destination.len);
    key = (char *)(queue + 1);
    if (destination.len != 0)
        memcpy(key, destination.base, destination.len);
    queue->node.key = slice_of(key, destination.len);
    backlog_init(&queue->backlog);
    TAILQ_INIT(&queue->ready);
    TAILQ_INIT(&queue->refusers);
    table_insert(&set->queues, &queue->node);
    return queue;
}

static void free_queue(struct queues *set, struct queue *queue)
{
    table_remove(&set->queues, &queue->node);
    backlog_dispose(&queue->backlog);
    mem_free(queue);
}

/** Hands over what can be. */
static void pump(struct queues *set, struct queue *queue)
{
    for (;;) {
        struct consumer *consumer = TAILQ_FIRST(&queue->ready);
        struct message *message = consumer == NULL ? NULL : take_waiting(queue, consumer);

        if (message == NULL && consumer != NULL) {
            /* All that waits, if anything, it has refused itself: any other may have that. */
            consumer = TAILQ_NEXT(consumer, ready_link);
            if (consumer != NULL)
                message = take_waiting(queue, consumer);
        }
        if (message == NULL)
            return;
        hand_over(set, consumer, message);
    }
}

/** Whoever changes a queue holds it until it is done: hooks may change it, too. */
static struct queue *hold(struct queue *queue)
{
    queue->n_holds++;
    return queue;
}

/* Only the outermost call hands over, so calls nest no deeper than the hooks do. */
static void let_go(struct queues *set, struct queue *queue)
{
    if (queue->n_holds == 1)
        pump(set, queue);
    if (--queue->n_holds == 0 && queue->n_consumers == 0 && backlog_is_empty(&queue->backlog))
        free_queue(set, queue);
}

/** Puts all that the consumer has back into the backlog and frees it. Calls no hook. */
static void detach(struct queues *set, struct consumer *consumer)
{
    struct queue *queue = consumer->queue;

    while (!TAILQ_EMPTY(&consumer->in_flight)) {
        struct message *message = message_of(TAILQ_FIRST(&consumer->in_flight));

        take_back(set, message);
        backlog_return(&queue->backlog, &message->item);
    }
    while (!TAILQ_EMPTY(&consumer->refused))
        backlog_return(&queue->backlog, &take_refused(consumer)->item);
    TAILQ_REMOVE(&queue->ready, consumer, ready_link); /* with nothing in flight it is in it */
    queue->n_consumers--;
    table_remove(&set->consumers, &consumer->node);
    mem_free(consumer);
}

/* --- the API --- */

void queues_init(struct queues *set, struct siphash_key hash_key, struct queue_hooks hooks)
{
    *set = (struct queues){.hooks = hooks};
    table_init(&set->queues, hash_key);
    table_init(&set->consumers, hash_key);
    table_init(&set->in_flight, hash_key);
}

void queues_dispose(struct queues *set)
{
    struct table_node *node = table_next(&set->consumers, NULL);

    while (node != NULL) {
        struct consumer *consumer = TABLE_ENTRY(node, struct consumer, node);

        node = table_next(&set->consumers, node);
        detach(set, consumer);
    }
    node = table_next(&set->queues, NULL);
    while (node != NULL) {
        struct queue *queue = TABLE_ENTRY(node, struct queue, node);

        node = table_next(&set->queues, node);
        while (!backlog_is_empty(&queue->backlog)) {
            struct message *message = message_of(backlog_take(&queue->backlog));

            msg_unref(message->msg);
            mem_free(message);
        }
        free_queue(set, queue);
    }
    table_dispose(&set->queues);
    table_dispose(&set->consumers);
    table_dispose(&set->in_flight);
}

bool queues_add_consumer(struct queues *set, struct slice destination,
                         const struct queue_consumer *consumer, uint32_t window, bool is_auto)
{
    struct queue *queue;
    struct consumer *added;

    assert(window != 0);
    if (find_consumer(set, consumer) != NULL)
        return false;
    queue = hold(find_or_add_queue(set, destination));
    added = mem_calloc(1, sizeof(*added));
    added->key = key_of(consumer);
    added->node.key = bytes_of_key(&added->key);
    added->queue = queue;
    added->window = window;
    added->is_auto = is_auto;
    TAILQ_INIT(&added->in_flight);
    TAILQ_INIT(&added->refused);
    table_insert(&set->consumers, &added->node);
    TAILQ_INSERT_TAIL(&queue->ready, added, ready_link);
    queue->n_consumers++;
    let_go(set, queue);
    return true;
}

bool queues_remove_consumer(struct queues *set, const struct queue_consumer *consumer)
{
    struct consumer *leaving = find_consumer(set, consumer);
    struct queue *queue;

    if (leaving == NULL)
        return false;
    queue = hold(leaving->queue);
    detach(set, leaving);
    let_go(set, queue);
    return true;
}

void queues_publish_sized(struct queues *set, struct msg *msg, size_t bytes)
{
    struct queue *queue = hold(find_or_add_queue(set, msg->destination));
    struct message *message = mem_calloc(1, sizeof(*message));

    message->msg = msg_ref(msg);
    message->bytes = bytes;
    set->n_messages++;
    backlog_append(&queue->backlog, &message->item);
    let_go(set, queue);
}

bool queues_ack(struct queues *set, const struct queue_consumer *consumer, uint64_t id)
{
    struct message *message = find_delivery(set, consumer, id);
    struct queue *queue;

    if (message == NULL)
        return false;
    queue = hold(message->consumer->queue);
    take_back(set, message);
    finish(set, queue, message);
    let_go(set, queue);
    return true;
}

bool queues_nack(struct queues *set, const struct queue_consumer *consumer, uint64_t id)
{
    struct message *message = find_delivery(set, consumer, id);
    struct queue *queue;

    if (message == NULL)
        return false;
    queue = hold(message->consumer->queue);
    take_back(set, message);
    if (++message->n_failures < QUEUE_MAX_FAILURES)
        refuse(message->consumer, message);
    else
        drop(set, queue, message);
    let_go(set, queue);
    return true;
}

bool queues_return(struct queues *set, const struct queue_consumer *consumer, uint64_t id)
{
    struct message *message = find_delivery(set, consumer, id);
    struct queue *queue;

    if (message == NULL)
        return false;
    queue = hold(message->consumer->queue);
    take_back(set, message);
    detach(set, message->consumer);
    if (++message->n_failures < QUEUE_MAX_FAILURES)
        backlog_return(&queue->backlog, &message->item);
    else
        drop(set, queue, message);
    let_go(set, queue);
    return true;
}
