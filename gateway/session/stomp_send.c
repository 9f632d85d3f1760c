#include "gateway/session/stomp_send.h"

#include <string.h>
#include "base/mem.h"
#include "base/utf8.h"
#include "gateway/session/bound.h"
#include "gateway/session/outgoing.h"
#include "gateway/session/routes.h"
#include "gateway/session/stomp_reply.h"

static const struct slice name_destination = SLICE("destination");
static const struct slice name_receipt = SLICE("receipt");

enum { FILLED_MAX_BYTES = 65536 }; /* a destination that a route makes */

/* --- messages --- */

static struct msg *make_message(struct session *session, const struct outgoing *out,
                                struct slice destination, struct slice body)
{
    char id[64];
    bool is_binary =
        body.len != 0 && (out->is_binary || (session->saw_binary && !utf8_is_valid(body)));

    return msg_new(destination, out->headers, out->n, router_next_id(session->env->router, id),
                   body, is_binary);
}

static void publish(struct session *session, const struct outgoing *out, struct slice destination,
                    struct slice body, struct broker_receipt *receipt)
{
    struct msg *msg = make_message(session, out, destination, body);

    metrics_add(session->env->metrics, METRIC_PUBLISHED, 1);
    (void)broker_publish(session->env->broker, msg, NULL, receipt, true, NULL);
    msg_unref(msg);
}

static void publish_to_self(struct session *session, const struct outgoing *out,
                            struct slice target, struct slice body)
{
    struct session_id_text own;
    struct msg *msg = make_message(session, out, target, body);

    metrics_add(session->env->metrics, METRIC_PUBLISHED, 1);
    broker_publish_to_session(session->env->broker, msg, session_id(session, &own), target);
    msg_unref(msg);
}

static void publish_to_user(struct session *session, const struct outgoing *out, struct slice user,
                            struct slice target, struct slice body)
{
    struct msg *msg = make_message(session, out, target, body);

    metrics_add(session->env->metrics, METRIC_PUBLISHED, 1);
    broker_publish_to_user(session->env->broker, msg, user, target);
    msg_unref(msg);
}

static void echo(struct session *session, const struct outgoing *out, struct slice destination,
                 struct slice prefix, struct slice body)
{
    struct msg *msg;
    char *text = NULL;

    if (prefix.len != 0 && !out->is_binary && (!session->saw_binary || utf8_is_valid(body))) {
        text = mem_alloc(prefix.len + body.len);
        memcpy(text, prefix.base, prefix.len);
        if (body.len != 0)
            memcpy(text + prefix.len, body.base, body.len);
        body = slice_of(text, prefix.len + body.len);
    }
    msg = make_message(session, out, destination, body);
    metrics_add(session->env->metrics, METRIC_PUBLISHED, 1);
    router_echo(session->env->router, msg, session->receiver);
    msg_unref(msg);
    mem_free(text);
}

/* --- where it goes --- */

enum way {
    WAY_NOWHERE,
    WAY_BROKER,  /* as it is, or to `destination` for a route with send_to */
    WAY_USER,    /* "/user/<name>/<target>" */
    WAY_SELF,    /* a bound destination of the session's own */
    WAY_FOREIGN, /* a bound destination of another session */
    WAY_ROUTE,
};

/* What is known of a SEND's way before anything happens. */
struct plan {
    enum way way;
    struct slice destination; /* as the client wrote it */
    struct route_match match; /* WAY_ROUTE */
    struct bound_address to;  /* WAY_USER */
    struct slice target;      /* WAY_SELF */
};

static void find_way(const struct session *session, struct slice destination, struct plan *plan)
{
    const struct session_env *env = session->env;
    struct session_id_text own;
    struct slice id;

    *plan = (struct plan){.way = WAY_NOWHERE, .destination = destination};
    if (bound_cut(destination, &plan->target, &id)) {
        plan->way = slice_eq(id, session_id(session, &own)) ? WAY_SELF : WAY_FOREIGN;
        return;
    }
    switch (routes_find(env->routes, destination, &plan->match)) {
    case ROUTE_CONFIGURED:
        plan->way = WAY_ROUTE;
        break;
    case ROUTE_BROKER:
        plan->way = WAY_BROKER;
        break;
    case ROUTE_USER:
        if (bound_read(env->config, destination, &plan->to)) {
            plan->way = WAY_USER;
            /* What the broker does not carry is dropped there, by whatever name it comes. */
            if (routes_find_subscribe(env->routes, plan->to.target, &plan->match) != ROUTE_BROKER) {
                bound_dispose(&plan->to);
                plan->way = WAY_NOWHERE;
            }
        }
        break;
    case ROUTE_APPLICATION:
    case ROUTE_NOWHERE:
        break;
    }
}

static void plan_dispose(struct plan *plan)
{
    if (plan->way == WAY_USER)
        bound_dispose(&plan->to);
}

/* A route's template, filled in for this SEND; empty when it is too long. */
static struct slice fill(const struct session *session, const struct plan *plan,
                         struct slice template, struct buf *out)
{
    struct session_id_text id;
    struct slice user = session->identity == NULL ? slice_str("") : session->identity->user;

    /* A destination is not longer than its header line, so this is far from the ceiling. */
    buf_init(out, FILLED_MAX_BYTES);
    if (!routes_fill(template, &plan->match, user, session_id(session, &id), out))
        return slice_str("");
    return buf_slice(out);
}

/* The destination that a competing queue may have: of the broker, or of a route's send_to. `filled`
 * holds it when it was made. */
static struct slice broker_destination(const struct session *session, const struct plan *plan,
                                       struct buf *filled)
{
    const struct config_route *route = plan->match.route;

    buf_init(filled, FILLED_MAX_BYTES);
    if (plan->way == WAY_BROKER)
        return plan->destination;
    if (plan->way != WAY_ROUTE || route->mode == CONFIG_ROUTE_ECHO)
        return slice_str("");
    if (route->send_to.len != 0)
        return fill(session, plan, route->send_to, filled);
    return route->send_to_user.len == 0 ? plan->destination : slice_str("");
}

/* --- routes --- */

/* A controller's return value has its own headers, and those that the route adds. */
static void add_headers(const struct session *session, const struct plan *plan,
                        struct outgoing *out)
{
    const struct config_pairs *pairs = &plan->match.route->headers;

    for (size_t i = 0; i < pairs->n; i++) {
        struct buf filled;
        struct slice value = fill(session, plan, pairs->items[i].value, &filled);

        outgoing_add_own(out, pairs->items[i].name, value);
        buf_dispose(&filled);
    }
}

/* The shown destination of "/user/<self>/..."-like messages: the prefix and the target. */
static struct slice shown_to_user(const struct session *session, struct slice target,
                                  struct buf *out)
{
    struct slice prefix = session->env->config->broker.user_destination_prefix;

    buf_init(out, FILLED_MAX_BYTES);
    if (slice_starts_with(target, (struct slice)SLICE("/")))
        prefix = slice_take(prefix, prefix.len - 1);
    if (!buf_append(out, prefix) || !buf_append(out, target))
        return slice_str("");
    return buf_slice(out);
}

/* Returns whether there is such a destination: what is filled in may be nothing, or too much. */
static bool send_route_to_user(struct session *session, const struct stomp_frame *frame,
                               const struct plan *plan)
{
    const struct config_route *route = plan->match.route;
    struct buf filled, shown;
    struct slice target = bound_target_of_path(session->env->config,
                                               fill(session, plan, route->send_to_user, &filled));
    struct outgoing out;

    if (target.len == 0) {
        buf_dispose(&filled);
        return false;
    }
    outgoing_init(&out, frame, route->headers.n);
    outgoing_copy_named(&out, frame, route, shown_to_user(session, target, &shown));
    add_headers(session, plan, &out);
    /* Without a user there is nobody but the session itself. */
    if (route->broadcast && session->identity != NULL)
        publish_to_user(session, &out, session->identity->user, target, frame->body);
    else
        publish_to_self(session, &out, target, frame->body);
    outgoing_dispose(&out);
    buf_dispose(&shown);
    buf_dispose(&filled);
    return true;
}

/* The same for the broker. No room is taken for a destination without a name, so it gets nothing.
 */
static bool send_route_to_broker(struct session *session, const struct stomp_frame *frame,
                                 const struct plan *plan, struct broker_receipt *receipt)
{
    const struct config_route *route = plan->match.route;
    struct buf filled;
    struct slice destination = broker_destination(session, plan, &filled);
    struct outgoing out;

    if (destination.len == 0) {
        buf_dispose(&filled);
        return false;
    }
    outgoing_init(&out, frame, route->headers.n);
    if (route->send_to.len != 0)
        outgoing_copy_named(&out, frame, route, destination);
    else
        outgoing_copy_all(&out, frame, destination);
    add_headers(session, plan, &out);
    publish(session, &out, destination, frame->body, receipt);
    outgoing_dispose(&out);
    buf_dispose(&filled);
    return true;
}

/* Returns whether it went anywhere. */
static bool send_by_route(struct session *session, const struct stomp_frame *frame,
                          const struct plan *plan, struct broker_receipt *receipt)
{
    const struct config_route *route = plan->match.route;
    bool is_routed = false;

    if (route->mode == CONFIG_ROUTE_ECHO) {
        struct outgoing out;

        outgoing_init(&out, frame, route->headers.n);
        outgoing_copy_all(&out, frame, plan->destination);
        add_headers(session, plan, &out);
        echo(session, &out, plan->destination, route->prefix, frame->body);
        outgoing_dispose(&out);
        return true;
    }
    if (route->send_to_user.len != 0 && send_route_to_user(session, frame, plan))
        is_routed = true;
    if ((route->send_to.len != 0 || route->send_to_user.len == 0) &&
        send_route_to_broker(session, frame, plan, receipt))
        is_routed = true;
    return is_routed;
}

/* --- users --- */

/* Its own session when the name is its id or its own user, as in Spring; else all of the user's. */
static void send_to_user(struct session *session, const struct stomp_frame *frame,
                         const struct bound_address *to)
{
    struct session_id_text own;
    struct outgoing out;
    bool is_self = slice_eq(to->user, session_id(session, &own)) ||
                   (session->identity != NULL && slice_eq(to->user, session->identity->user));

    outgoing_init(&out, frame, 0);
    outgoing_copy_all(&out, frame, to->shown);
    if (is_self)
        publish_to_self(session, &out, to->target, frame->body);
    else
        publish_to_user(session, &out, to->user, to->target, frame->body);
    outgoing_dispose(&out);
}

static void send_to_broker(struct session *session, const struct stomp_frame *frame,
                           const struct plan *plan, struct broker_receipt *receipt)
{
    struct outgoing out;

    outgoing_init(&out, frame, 0);
    outgoing_copy_all(&out, frame, plan->destination);
    if (plan->way == WAY_SELF)
        publish_to_self(session, &out, plan->target, frame->body);
    else
        publish(session, &out, plan->destination, frame->body, receipt);
    outgoing_dispose(&out);
}

/* --- what the others call --- */

static struct slice destination_of(const struct stomp_frame *frame)
{
    struct slice destination;

    (void)stomp_frame_header(frame, name_destination, &destination);
    return destination;
}

/* Returns false when the client has been told why not; else `*plan` is to be disposed of. */
static bool judge(struct session *session, const struct stomp_frame *frame, struct plan *plan)
{
    const struct config *config = session->env->config;
    struct slice destination = destination_of(frame);
    struct stomp_text missing;
    const char *why = NULL;

    if (destination.len == 0) {
        stomp_refuse(session, frame, stomp_missing(frame, name_destination, &missing), destination);
        return false;
    }
    find_way(session, destination, plan);
    if (plan->way == WAY_FOREIGN || !session_may(session, CONFIG_SEND, destination))
        why = "Access denied";
    else if (plan->way == WAY_NOWHERE && config->broker.unknown_destination == CONFIG_UNKNOWN_ERROR)
        why = "Unknown destination";
    if (why == NULL)
        return true;
    plan_dispose(plan);
    stomp_refuse(session, frame, why, destination);
    return false;
}

bool stomp_send_judge(struct session *session, const struct stomp_frame *frame)
{
    struct plan plan;

    if (!judge(session, frame, &plan))
        return false;
    plan_dispose(&plan);
    return true;
}

/* With `*take` room is taken, and `*take` is false afterwards when there is none; else it is given
 * back. */
static void change_room(struct session *session, const struct stomp_frame *frame,
                        const struct plan *plan, bool *take)
{
    struct buf filled;
    struct slice destination = broker_destination(session, plan, &filled);

    if (*take)
        *take = destination.len == 0 ||
                broker_reserve(session->env->broker, destination, frame->body.len);
    else if (destination.len != 0)
        broker_unreserve(session->env->broker, destination, frame->body.len);
    buf_dispose(&filled);
}

static bool reserve(struct session *session, const struct stomp_frame *frame,
                    const struct plan *plan)
{
    bool taken = true;

    if (broker_has_queues(session->env->broker))
        change_room(session, frame, plan, &taken);
    return taken;
}

bool stomp_send_reserve(struct session *session, const struct stomp_frame *frame)
{
    struct plan plan;
    bool taken;

    find_way(session, destination_of(frame), &plan);
    taken = reserve(session, frame, &plan);
    plan_dispose(&plan);
    return taken;
}

void stomp_send_unreserve(struct session *session, const struct stomp_frame *frame)
{
    struct plan plan;
    bool take = false;

    if (!broker_has_queues(session->env->broker))
        return;
    find_way(session, destination_of(frame), &plan);
    change_room(session, frame, &plan, &take);
    plan_dispose(&plan);
}

static bool route(struct session *session, const struct stomp_frame *frame, const struct plan *plan,
                  struct broker_receipt *receipt)
{
    bool is_routed = true;

    switch (plan->way) {
    case WAY_NOWHERE:
    case WAY_FOREIGN:
        is_routed = false;
        break;
    case WAY_BROKER:
    case WAY_SELF:
        send_to_broker(session, frame, plan, receipt);
        break;
    case WAY_USER:
        send_to_user(session, frame, &plan->to);
        break;
    case WAY_ROUTE:
        is_routed = send_by_route(session, frame, plan, receipt);
        break;
    }
    if (!is_routed)
        stomp_count_unrouted(session, plan->destination);
    return is_routed;
}

bool stomp_send_route(struct session *session, const struct stomp_frame *frame,
                      struct broker_receipt *receipt)
{
    struct plan plan;
    bool is_routed;

    find_way(session, destination_of(frame), &plan);
    is_routed = route(session, frame, &plan, receipt);
    plan_dispose(&plan);
    return is_routed;
}

void stomp_send(struct session *session, const struct stomp_frame *frame)
{
    struct broker_receipt receipt = {.session = session->ref};
    struct plan plan;
    bool is_routed;

    if (!judge(session, frame, &plan))
        return;
    if (reserve(session, frame, &plan)) {
        receipt.is_asked = stomp_frame_header(frame, name_receipt, &receipt.text);
        is_routed = route(session, frame, &plan, &receipt);
        if (broker_receipt_is_due(session->env->broker, &receipt))
            stomp_reply_receipt(session, frame, !is_routed);
    } else {
        stomp_refuse(session, frame, "The queue is full", plan.destination);
    }
    plan_dispose(&plan);
}
