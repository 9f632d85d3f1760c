#ifndef GATEWAY_WORKER_MAILBOX_H
#define GATEWAY_WORKER_MAILBOX_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <h2o/multithread.h>
#include <h2o/socket.h>

/*
 * What other threads have for a worker, in the order posted. It can be emptied at any moment, not
 * only when the loop comes to it: whoever is about to act on bytes that a client has sent first
 * takes what was posted before them. A bell, which h2o carries, wakes the loop; it rings once until
 * it has been heard.
 *
 * mailbox_post: any thread. mailbox_close: whoever has joined the worker. Everything else: the
 * worker's own thread.
 */

/** The front of whatever is posted. */
struct mail {
    STAILQ_ENTRY(mail) link;
};

STAILQ_HEAD(mail_list, mail);

typedef void (*mailbox_callback)(void *ctx);

struct mailbox {
    pthread_mutex_t mutex;
    struct mail_list posted;
    bool is_rung;
    _Atomic bool has_mail; /* what `posted` says, readable without the lock */

    h2o_multithread_queue_t *queue;
    h2o_multithread_receiver_t receiver;
    h2o_multithread_message_t bell;
    mailbox_callback on_bell;
    void *ctx;
};

/** `on_bell` is called from the loop after something was posted, be it taken meanwhile or not. */
void mailbox_open(struct mailbox *mailbox, h2o_loop_t *loop, mailbox_callback on_bell, void *ctx);

/** Nothing may be in it, and nobody may post any more. */
void mailbox_close(struct mailbox *mailbox);

/** Takes the mail. */
void mailbox_post(struct mailbox *mailbox, struct mail *mail);

/**
 * Whether something was posted. Never false for a post that this thread can know of, such as by
 * bytes that a client sent because of it.
 */
static inline bool mailbox_has_mail(const struct mailbox *mailbox)
{
    return atomic_load_explicit(&mailbox->has_mail, memory_order_acquire);
}

/** Moves all that was posted to `*out`. */
void mailbox_take(struct mailbox *mailbox, struct mail_list *out);

#endif
