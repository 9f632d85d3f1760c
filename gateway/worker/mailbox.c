#include "gateway/worker/mailbox.h"

#include <assert.h>
#include <string.h>

static void on_messages(h2o_multithread_receiver_t *receiver, h2o_linklist_t *messages)
{
    struct mailbox *mailbox = H2O_STRUCT_FROM_MEMBER(struct mailbox, receiver, receiver);

    (void)messages; /* the bell */
    h2o_linklist_unlink(&mailbox->bell.link);
    pthread_mutex_lock(&mailbox->mutex);
    mailbox->is_rung = false;
    pthread_mutex_unlock(&mailbox->mutex);
    mailbox->on_bell(mailbox->ctx);
}

void mailbox_open(struct mailbox *mailbox, h2o_loop_t *loop, mailbox_callback on_bell, void *ctx)
{
    memset(mailbox, 0, sizeof(*mailbox));
    pthread_mutex_init(&mailbox->mutex, NULL);
    STAILQ_INIT(&mailbox->posted);
    mailbox->on_bell = on_bell;
    mailbox->ctx = ctx;
    mailbox->queue = h2o_multithread_create_queue(loop);
    h2o_multithread_register_receiver(mailbox->queue, &mailbox->receiver, on_messages);
}

void mailbox_close(struct mailbox *mailbox)
{
    assert(STAILQ_EMPTY(&mailbox->posted));
    /* It may have rung for what was taken already. */
    if (h2o_linklist_is_linked(&mailbox->bell.link))
        h2o_linklist_unlink(&mailbox->bell.link);
    h2o_multithread_unregister_receiver(mailbox->queue, &mailbox->receiver);
    h2o_multithread_destroy_queue(mailbox->queue);
    pthread_mutex_destroy(&mailbox->mutex);
}

void mailbox_post(struct mailbox *mailbox, struct mail *mail)
{
    bool must_ring;

    pthread_mutex_lock(&mailbox->mutex);
    STAILQ_INSERT_TAIL(&mailbox->posted, mail, link);
    atomic_store_explicit(&mailbox->has_mail, true, memory_order_release);
    must_ring = !mailbox->is_rung;
    mailbox->is_rung = true;
    pthread_mutex_unlock(&mailbox->mutex);
    if (must_ring)
        h2o_multithread_send_message(&mailbox->receiver, &mailbox->bell);
}

void mailbox_take(struct mailbox *mailbox, struct mail_list *out)
{
    STAILQ_INIT(out);
    pthread_mutex_lock(&mailbox->mutex);
    STAILQ_CONCAT(out, &mailbox->posted);
    atomic_store_explicit(&mailbox->has_mail, false, memory_order_relaxed);
    pthread_mutex_unlock(&mailbox->mutex);
}
