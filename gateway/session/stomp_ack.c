#include "gateway/session/stomp_ack.h"

#include "gateway/broker/broker.h"
#include "gateway/session/stomp_reply.h"
#include "stomp/version.h"

static const struct slice name_id = SLICE("id");
static const struct slice name_message_id = SLICE("message-id");
static const struct slice name_subscription = SLICE("subscription");

static struct slice id_name(const struct session *session)
{
    return session->version == STOMP_VERSION_1_2 ? name_id : name_message_id;
}

/* Clients of all versions mix the two names up. */
static bool find_id(const struct session *session, const struct stomp_frame *frame,
                    struct slice *id)
{
    return stomp_frame_header(frame, id_name(session), id) ||
           stomp_frame_header(frame, name_id, id) || stomp_frame_header(frame, name_message_id, id);
}

bool stomp_ack_judge(struct session *session, const struct stomp_frame *frame)
{
    struct stomp_text missing;
    struct slice id;

    if (find_id(session, frame, &id))
        return true;
    stomp_fail(session, frame, stomp_missing(frame, id_name(session), &missing), slice_str(""));
    return false;
}

struct settling {
    struct session *session;
    const struct subscription *subscription;
    bool is_ack;
};

static void settle_entry(void *ctx, const struct ack_entry *entry)
{
    const struct settling *settling = ctx;
    struct session_env *env = settling->session->env;

    if (!settling->is_ack)
        metrics_add(env->metrics, METRIC_NACKED, 1);
    broker_settle(env->broker, settling->subscription, entry->tag, settling->is_ack);
}

static void settle_group(struct session *session, struct group_more *more,
                         const struct ack_entry *which, bool is_ack)
{
    struct settling settling = {session, group_of_more(more)->single, is_ack};
    struct ack_entry entry;

    if (more->is_cumulative)
        (void)acks_take_through(&more->acks, which->worker, which->number, settle_entry, &settling);
    else if (acks_take_one(&more->acks, which->worker, which->number, &entry))
        settle_entry(&settling, &entry);
}

void stomp_ack_settle(struct session *session, const struct stomp_frame *frame)
{
    struct router *router = session->env->router;
    bool is_ack = frame->command == STOMP_ACK;
    struct slice id, subscription_id;
    struct ack_entry which;
    struct group_more *more, *next;

    if (!find_id(session, frame, &id) || !router_read_id(router, id, &which))
        return;
    if (stomp_frame_header(frame, name_subscription, &subscription_id)) {
        const struct subscription *s = receiver_find(session->receiver, router, subscription_id);

        if (s != NULL && s->group->kind == GROUP_ALONE && group_more(s->group)->needs_ack)
            settle_group(session, group_more(s->group), &which, is_ack);
        return;
    }
    for (more = LIST_FIRST(&session->receiver->ack_groups); more != NULL; more = next) {
        next = LIST_NEXT(more, ack_link);
        settle_group(session, more, &which, is_ack);
    }
}
