#include "gateway/broker/broker.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/hex.h"
#include "base/mem.h"

/* A subscription of a competing queue on this worker. */
struct consumer {
    struct table_node node; /* by serial */
    uint64_t serial;
    struct subscription *subscription;
    struct session_ref session;
    bool needs_ack;
};

static unsigned owner_of(const struct broker *broker, struct slice destination)
{
    return (unsigned)(siphash(&broker->shared->hash_key, destination) % broker->shared->n_workers);
}

/* --- errands: each is a struct with what it needs behind it --- */

/* Touched on the worker of its session only; owners just send its name back. */
struct broker_due {
    struct session_ref session;
    size_t n_left; /* answers, and one for the caller until broker_receipt_is_due */
    size_t len;
    char text[];
};

/* What an owner sends back when it has done what it was asked. */
struct answer {
    struct errand errand;
    struct broker_due *due;
    unsigned from;
};

struct publish_errand {
    struct errand errand;
    struct msg *msg;       /* a reference */
    struct answer *answer; /* NULL: nobody waits for it */
};

struct consumer_errand {
    struct errand errand;
    struct queue_consumer consumer;
    uint32_t window; /* 0: it leaves */
    bool is_auto;
    struct answer *answer; /* NULL: nobody waits for it */
    size_t len;
    char destination[];
};

struct delivery_errand {
    struct errand errand;
    struct queue_consumer consumer;
    struct queue_delivery delivery; /* with a reference to its message */
};

enum settlement { SETTLED_ACK, SETTLED_NACK, SETTLED_RETURN };

struct settle_errand {
    struct errand errand;
    struct queue_consumer consumer;
    uint64_t id;
    enum settlement settlement;
};

static void send(struct broker *broker, unsigned worker, struct errand *errand)
{
    broker->hooks.send(broker->hooks.ctx, worker, errand);
}

static void take_answer(struct broker *broker, struct broker_due *due)
{
    if (--due->n_left != 0)
        return;
    broker->hooks.receipt(broker->hooks.ctx, due->session, slice_of(due->text, due->len));
    mem_free(due);
}

static void run_answer(struct errand *errand, void *ctx)
{
    struct answer *answer = (struct answer *)errand;

    take_answer(ctx, answer->due);
    mem_free(answer);
}

/* Notes that an owner has to answer before the receipt may be sent; NULL when none is asked for. */
static struct answer *expect_answer(const struct broker *broker, struct broker_receipt *receipt)
{
    struct answer *answer;

    if (receipt == NULL || !receipt->is_asked)
        return NULL;
    if (receipt->due == NULL) {
        receipt->due = mem_alloc(sizeof(*receipt->due) + receipt->text.len);
        receipt->due->session = receipt->session;
        receipt->due->n_left = 1;
        receipt->due->len = receipt->text.len;
        if (receipt->text.len != 0)
            memcpy(receipt->due->text, receipt->text.base, receipt->text.len);
    }
    receipt->due->n_left++;
    answer = mem_alloc(sizeof(*answer));
    *answer = (struct answer){{run_answer, sizeof(*answer)}, receipt->due, broker->worker};
    return answer;
}

static void send_answer(struct broker *broker, struct answer *answer)
{
    if (answer != NULL)
        send(broker, answer->from, &answer->errand);
}

bool broker_receipt_is_due(struct broker *broker, struct broker_receipt *receipt)
{
    (void)broker;
    if (receipt->due == NULL)
        return true;
    /* Answers come by mail, so at least one is still on its way. */
    receipt->due->n_left--;
    receipt->due = NULL;
    return false;
}

/* --- the owner's part --- */

static struct msg *number(struct broker *broker, const struct msg *msg)
{
    struct sequence_number next;
    char lines[128];
    int len;

    sequences_next(&broker->sequences, msg->destination, &next);
    len = snprintf(lines, sizeof(lines), "x-seq:%llu\nx-epoch:%.*s\n",
                   (unsigned long long)next.number, (int)next.epoch_len, next.epoch);
    return msg_new_with_lines(msg, slice_of(lines, (size_t)len));
}

/*
 * To every worker, whether it has subscribers or not. The first subscriber of a worker may come
 * while mail is on its way that was for the ones before it: it would see that number, and not those
 * that were published while the worker had none.
 */
static void publish_numbered(struct broker *broker, struct msg *msg)
{
    for (unsigned i = 0; i < broker->shared->n_workers; i++)
        router_send_bound(broker->router, i, msg); /* what it does is the same for all messages */
}

static void publish_owned(struct broker *broker, struct msg *msg, unsigned what)
{
    struct msg *numbered = NULL;

    if ((what & POLICY_SEQUENCED) != 0)
        msg = numbered = number(broker, msg);
    if ((what & POLICY_KEPT) != 0)
        last_put(&broker->shared->last, msg);
    if ((what & POLICY_COMPETING) != 0)
        queues_publish_sized(&broker->queues, msg, msg->body.len);
    else if (numbered != NULL)
        publish_numbered(broker, msg);
    else
        router_publish(broker->router, msg, NULL);
    if (numbered != NULL)
        msg_unref(numbered);
}

static void run_publish(struct errand *errand, void *ctx)
{
    struct publish_errand *publish = (struct publish_errand *)errand;
    struct broker *broker = ctx;

    publish_owned(broker, publish->msg,
                  policy_of(broker->shared->policy, publish->msg->destination));
    send_answer(broker, publish->answer);
    msg_unref(publish->msg);
    mem_free(publish);
}

static void run_consumer(struct errand *errand, void *ctx)
{
    struct consumer_errand *asked = (struct consumer_errand *)errand;
    struct broker *broker = ctx;

    /* It may have left already by a delivery that came back; it cannot be there twice. */
    if (asked->window == 0)
        (void)queues_remove_consumer(&broker->queues, &asked->consumer);
    else
        (void)queues_add_consumer(&broker->queues, slice_of(asked->destination, asked->len),
                                  &asked->consumer, asked->window, asked->is_auto);
    send_answer(broker, asked->answer);
    mem_free(asked);
}

static void run_settle(struct errand *errand, void *ctx)
{
    struct settle_errand *settle = (struct settle_errand *)errand;
    struct broker *broker = ctx;

    /* Not known: its consumer has left meanwhile, and the message went to another one. */
    switch (settle->settlement) {
    case SETTLED_ACK:
        (void)queues_ack(&broker->queues, &settle->consumer, settle->id);
        break;
    case SETTLED_NACK:
        (void)queues_nack(&broker->queues, &settle->consumer, settle->id);
        break;
    case SETTLED_RETURN:
        (void)queues_return(&broker->queues, &settle->consumer, settle->id);
        break;
    }
    mem_free(settle);
}

static void release_room(void *ctx, struct slice destination, size_t n, size_t bytes)
{
    struct broker *broker = ctx;

    queue_room_release(&broker->shared->room, destination, n, bytes);
}

static void count_dropped(void *ctx, struct msg *msg)
{
    struct broker *broker = ctx;

    (void)msg;
    metrics_add(broker->metrics, METRIC_QUEUE_DROPPED, 1);
}

/* --- the consumer's part --- */

static struct consumer *find_consumer(const struct broker *broker, uint64_t serial)
{
    return TABLE_ENTRY(
        table_find(&broker->consumers, slice_of((const char *)&serial, sizeof(serial))),
        struct consumer, node);
}

static struct queue_consumer name_of(const struct broker *broker, const struct consumer *consumer)
{
    return (struct queue_consumer){
        .worker = broker->worker,
        .slot = consumer->session.slot,
        .generation = consumer->session.generation,
        .serial = consumer->serial,
    };
}

static void settle(struct broker *broker, struct slice destination,
                   const struct queue_consumer *consumer, uint64_t id, enum settlement settlement)
{
    struct settle_errand *errand = mem_alloc(sizeof(*errand));

    *errand = (struct settle_errand){
        .errand = {run_settle, sizeof(*errand)},
        .consumer = *consumer,
        .id = id,
        .settlement = settlement,
    };
    send(broker, owner_of(broker, destination), &errand->errand);
}

static struct slice delivery_lines(const struct queue_delivery *delivery, char *out, size_t size)
{
    int len;

    if (delivery->count <= 1)
        return slice_str("");
    len = snprintf(out, size, "redelivered:true\nx-delivery-count:%u\n", delivery->count);
    return slice_of(out, (size_t)len);
}

static void run_delivery(struct errand *errand, void *ctx)
{
    struct delivery_errand *came = (struct delivery_errand *)errand;
    struct broker *broker = ctx;
    struct msg *msg = came->delivery.msg;
    struct consumer *consumer = find_consumer(broker, came->consumer.serial);
    char lines[64];

    if (consumer == NULL ||
        !router_deliver_one(broker->router, consumer->subscription, msg,
                            delivery_lines(&came->delivery, lines, sizeof(lines)),
                            came->delivery.id)) {
        settle(broker, msg->destination, &came->consumer, came->delivery.id, SETTLED_RETURN);
    } else {
        metrics_add(broker->metrics, METRIC_DELIVERED, 1);
        if (!consumer->needs_ack)
            settle(broker, msg->destination, &came->consumer, came->delivery.id, SETTLED_ACK);
    }
    msg_unref(msg);
    mem_free(came);
}

static void hand_over(void *ctx, const struct queue_consumer *consumer,
                      const struct queue_delivery *delivery)
{
    struct broker *broker = ctx;
    struct delivery_errand *errand = mem_alloc(sizeof(*errand));

    *errand = (struct delivery_errand){
        .errand = {run_delivery, sizeof(*errand) + msg_bytes(delivery->msg)},
        .consumer = *consumer,
        .delivery = *delivery,
    };
    errand->delivery.msg = msg_ref(delivery->msg);
    send(broker, consumer->worker, &errand->errand);
}

static void tell_owner(struct broker *broker, struct slice destination,
                       const struct consumer *consumer, uint32_t window,
                       struct broker_receipt *receipt)
{
    struct consumer_errand *errand = mem_alloc(sizeof(*errand) + destination.len);

    *errand = (struct consumer_errand){
        .errand = {run_consumer, sizeof(*errand) + destination.len},
        .consumer = name_of(broker, consumer),
        .window = window,
        .is_auto = !consumer->needs_ack,
        .answer = expect_answer(broker, receipt),
        .len = destination.len,
    };
    memcpy(errand->destination, destination.base, destination.len);
    send(broker, owner_of(broker, destination), &errand->errand);
}

enum router_status broker_subscribe_queue(struct broker *broker, struct receiver *receiver,
                                          struct session_ref session,
                                          const struct router_subscribe *asked,
                                          struct broker_receipt *receipt)
{
    struct subscription *subscription;
    struct consumer *consumer;
    enum router_status status =
        router_subscribe_as(broker->router, receiver, asked, &subscription, NULL);

    assert(asked->kind == DESTINATION_QUEUE && asked->ack_window > 0);
    if (status != ROUTER_OK)
        return status;
    consumer = mem_alloc(sizeof(*consumer));
    consumer->serial = group_more(subscription->group)->serial;
    consumer->node.key = slice_of((const char *)&consumer->serial, sizeof(consumer->serial));
    consumer->subscription = subscription;
    consumer->session = session;
    consumer->needs_ack = asked->needs_ack;
    table_insert(&broker->consumers, &consumer->node);
    tell_owner(broker, asked->destination, consumer, asked->ack_window, receipt);
    return ROUTER_OK;
}

void broker_settle(struct broker *broker, const struct subscription *subscription, uint64_t tag,
                   bool is_ack)
{
    const struct consumer *consumer =
        find_consumer(broker, group_more(subscription->group)->serial);
    struct queue_consumer name;

    if (consumer == NULL)
        return; /* a fan-out: nobody waits for it */
    name = name_of(broker, consumer);
    settle(broker, subscription_destination(subscription), &name, tag,
           is_ack ? SETTLED_ACK : SETTLED_NACK);
}

void broker_subscription_ended(struct broker *broker, struct subscription *subscription)
{
    struct consumer *consumer = find_consumer(broker, group_more(subscription->group)->serial);

    if (consumer == NULL)
        return;
    /* When the process ends its queues end with it, and workers may be gone already. */
    if (!broker->hooks.is_ending(broker->hooks.ctx))
        tell_owner(broker, subscription_destination(subscription), consumer, 0, NULL);
    table_remove(&broker->consumers, &consumer->node);
    mem_free(consumer);
}

/* --- publish --- */

bool broker_has_queues(const struct broker *broker)
{
    return policy_has_competing(broker->shared->policy);
}

bool broker_is_queue(const struct broker *broker, struct slice destination)
{
    return broker_has_queues(broker) &&
           (policy_of(broker->shared->policy, destination) & POLICY_COMPETING) != 0;
}

bool broker_reserve(struct broker *broker, struct slice destination, size_t body_len)
{
    return !broker_is_queue(broker, destination) ||
           queue_room_reserve(&broker->shared->room, destination, body_len);
}

void broker_unreserve(struct broker *broker, struct slice destination, size_t body_len)
{
    if (broker_is_queue(broker, destination))
        queue_room_release(&broker->shared->room, destination, 1, body_len);
}

enum broker_outcome broker_publish(struct broker *broker, struct msg *msg,
                                   const struct receiver *except, struct broker_receipt *receipt,
                                   bool is_reserved, uint64_t *n)
{
    unsigned what = policy_of(broker->shared->policy, msg->destination);
    struct publish_errand *errand;
    unsigned owner;
    uint64_t matching;

    if (what == 0) {
        matching = router_publish(broker->router, msg, except);
        if (n != NULL)
            *n = matching;
        return BROKER_ROUTED;
    }
    if ((what & POLICY_COMPETING) != 0 && !is_reserved &&
        !queue_room_reserve(&broker->shared->room, msg->destination, msg->body.len))
        return BROKER_FULL;
    if (n != NULL)
        *n = (what & POLICY_COMPETING) != 0 ? 1 : router_count(broker->router, msg->destination);
    owner = owner_of(broker, msg->destination);
    if (owner == broker->worker) {
        publish_owned(broker, msg, what);
        return BROKER_ROUTED;
    }
    errand = mem_alloc(sizeof(*errand));
    *errand = (struct publish_errand){
        .errand = {run_publish, sizeof(*errand) + msg_bytes(msg)},
        .msg = msg_ref(msg),
        .answer = expect_answer(broker, receipt),
    };
    send(broker, owner, &errand->errand);
    return BROKER_ROUTED;
}

/* --- users --- */

static const struct slice bound_infix = SLICE("-user");

struct slice broker_bound_name(struct slice target, struct slice session_id)
{
    size_t len = target.len + bound_infix.len + session_id.len;
    char *name = mem_alloc(len);

    memcpy(name, target.base, target.len);
    memcpy(name + target.len, bound_infix.base, bound_infix.len);
    memcpy(name + target.len + bound_infix.len, session_id.base, session_id.len);
    return slice_of(name, len);
}

static void send_bound(struct broker *broker, unsigned worker, const struct msg *msg,
                       struct slice session_id, struct slice target)
{
    struct slice name = broker_bound_name(target, session_id);
    struct msg *bound = msg_new_bound(msg, name);

    router_send_bound(broker->router, worker, bound);
    msg_unref(bound);
    mem_free((void *)(uintptr_t)name.base);
}

uint64_t broker_publish_to_user(struct broker *broker, const struct msg *msg, struct slice user,
                                struct slice target)
{
    struct user_sessions sessions;
    uint64_t n;

    users_find(&broker->shared->users, user, &sessions);
    for (size_t i = 0; i < sessions.n; i++) {
        char id[SESSION_ID_LEN];

        hex_write(sessions.items[i].id, USER_SESSION_ID_LEN, id);
        send_bound(broker, sessions.items[i].worker, msg, slice_of(id, sizeof(id)), target);
    }
    n = sessions.n;
    user_sessions_dispose(&sessions);
    return n;
}

void broker_publish_to_session(struct broker *broker, const struct msg *msg,
                               struct slice session_id, struct slice target)
{
    send_bound(broker, broker->worker, msg, session_id, target);
}

/* --- life --- */

void broker_shared_init(struct broker_shared *shared, struct policy *policy,
                        const struct broker_limits *limits, unsigned n_workers,
                        struct siphash_key hash_key, uint64_t start_id)
{
    shared->n_workers = n_workers;
    shared->hash_key = hash_key;
    shared->start_id = start_id;
    shared->policy = policy;
    users_init(&shared->users, hash_key);
    last_init(&shared->last, limits->last_messages, limits->last_bytes, hash_key);
    queue_room_init(&shared->room, &limits->queue, hash_key);
}

void broker_shared_dispose(struct broker_shared *shared)
{
    users_dispose(&shared->users);
    last_dispose(&shared->last);
    queue_room_dispose(&shared->room);
    policy_free(shared->policy);
}

void broker_init(struct broker *broker, struct broker_shared *shared, unsigned worker,
                 struct router *router, struct metrics *metrics, size_t sequence_limit,
                 struct broker_hooks hooks)
{
    const struct queue_hooks queue_hooks = {
        .deliver = hand_over,
        .release = release_room,
        .dropped = count_dropped,
        .ctx = broker,
    };

    *broker = (struct broker){
        .shared = shared,
        .worker = worker,
        .router = router,
        .metrics = metrics,
        .hooks = hooks,
    };
    sequences_init(&broker->sequences, sequence_limit, shared->hash_key, shared->start_id, worker);
    queues_init(&broker->queues, shared->hash_key, queue_hooks);
    table_init(&broker->consumers, shared->hash_key);
}

void broker_dispose(struct broker *broker)
{
    assert(broker->consumers.n_nodes == 0);
    table_dispose(&broker->consumers);
    if (broker->queues.n_messages != 0)
        metrics_add(broker->metrics, METRIC_QUEUE_DROPPED, broker->queues.n_messages);
    queues_dispose(&broker->queues);
    sequences_dispose(&broker->sequences);
}
