#include "gateway/session/stomp_subscribe.h"

#include <stdio.h>
#include "base/ant.h"
#include "base/mem.h"
#include "gateway/broker/broker.h"
#include "gateway/session/bound.h"
#include "gateway/session/routes.h"
#include "gateway/session/stomp_reply.h"

enum {
    FILLED_MAX_BYTES = 65536, /* a destination that a route makes */
    MAX_ACK_WINDOWS = 16,     /* what all subscriptions of a session may have unacknowledged */
};

static const struct slice name_ack = SLICE("ack");
static const struct slice name_destination = SLICE("destination");
static const struct slice name_id = SLICE("id");
static const struct slice name_prefetch = SLICE("prefetch-count");
static const struct slice name_receipt = SLICE("receipt");

/* What a SUBSCRIBE asks for, read from its headers. */
struct request {
    struct slice id;
    struct slice destination; /* as the client wrote it */
    struct slice name;        /* as the router knows it */
    char *owned;              /* what `name` is in, when it was made */
    enum destination_kind kind;
    bool needs_ack;
    bool is_cumulative;
    uint32_t window;
    struct selector *selector; /* a reference; NULL: none */
};

static void request_dispose(struct request *request)
{
    mem_free(request->owned);
    selector_unref(request->selector);
}

/* --- reading what is asked --- */

static const char *read_ack(const struct session *session, const struct stomp_frame *frame,
                            struct request *request)
{
    struct slice ack, prefetch;
    uint64_t limit = session->env->config->broker.ack_window;
    uint64_t window = limit;

    if (stomp_frame_header(frame, name_ack, &ack) && !slice_eq(ack, (struct slice)SLICE("auto"))) {
        request->is_cumulative = slice_eq(ack, (struct slice)SLICE("client"));
        request->needs_ack = true;
        if (!request->is_cumulative && !slice_eq(ack, (struct slice)SLICE("client-individual")))
            return "The ack header must be auto, client or client-individual";
    }
    if (stomp_frame_header(frame, name_prefetch, &prefetch) &&
        (!slice_to_u64(prefetch, UINT32_MAX, &window) || window == 0))
        return "The prefetch-count header must be a number from 1 up";
    request->window = (uint32_t)(window < limit ? window : limit);
    return NULL;
}

static const char *read_selector(const struct session *session, const struct stomp_frame *frame,
                                 struct request *request)
{
    struct slice name = session->env->config->broker.selector_header, text;
    enum selector_status status;

    if (name.len == 0 || !stomp_frame_header(frame, name, &text) || slice_trim(text).len == 0)
        return NULL;
    status = selector_new(text, &request->selector);
    return status == SELECTOR_OK ? NULL : selector_strstatus(status);
}

/* Turns `destination` into what the router knows. Returns why it may not be, or NULL. */
static const char *resolve(const struct session *session, struct request *request)
{
    const struct config *config = session->env->config;
    bool is_pattern = ant_is_pattern(request->destination);
    struct session_id_text own;
    struct slice target, id;

    request->name = request->destination;
    request->kind = is_pattern ? DESTINATION_PATTERN : DESTINATION_EXACT;
    if (bound_target(config, request->destination, &target)) {
        request->name = broker_bound_name(target, session_id(session, &own));
        request->owned = (char *)(uintptr_t)request->name.base;
        request->kind = is_pattern ? DESTINATION_BOUND_PATTERN : DESTINATION_BOUND;
    } else if (bound_cut(request->destination, &target, &id)) {
        if (!slice_eq(id, session_id(session, &own)))
            return "Access denied";
        request->kind = is_pattern ? DESTINATION_BOUND_PATTERN : DESTINATION_BOUND;
    } else if (!is_pattern && broker_is_queue(session->env->broker, request->destination)) {
        request->kind = DESTINATION_QUEUE;
    }
    return NULL;
}

/* Whether what was asked for can be delivered: by the broker, or kept there by a route. */
static bool is_carried(const struct session *session, const struct request *request)
{
    const struct routes *routes = session->env->routes;
    struct route_match match;
    struct slice target;

    if (bound_target(session->env->config, request->destination, &target))
        return routes_find_subscribe(routes, target, &match) == ROUTE_BROKER;
    return routes_find_subscribe(routes, request->destination, &match) == ROUTE_BROKER;
}

static const char *read_request(const struct session *session, const struct stomp_frame *frame,
                                struct request *request, struct stomp_text *missing)
{
    const char *why;

    if (!stomp_frame_header(frame, name_id, &request->id))
        return stomp_missing(frame, name_id, missing);
    if (!stomp_frame_header(frame, name_destination, &request->destination) ||
        request->destination.len == 0)
        return stomp_missing(frame, name_destination, missing);
    why = read_ack(session, frame, request);
    return why != NULL ? why : read_selector(session, frame, request);
}

/* Why the session may not have this one, or NULL. */
static const char *find_limit(const struct session *session, const struct request *request)
{
    const struct config *config = session->env->config;
    const struct receiver *receiver = session->receiver;

    if (receiver->subscriptions.n >= config->transport.max_subscriptions_per_session)
        return "Too many subscriptions in one session";
    if ((request->kind == DESTINATION_PATTERN || request->kind == DESTINATION_BOUND_PATTERN) &&
        receiver->n_patterns >= config->transport.max_patterns_per_session)
        return "Too many subscriptions to patterns in one session";
    if (request->needs_ack && (uint64_t)receiver->ack_windows + request->window >
                                  MAX_ACK_WINDOWS * config->broker.ack_window)
        return "Too many messages could be unacknowledged in one session: lower prefetch-count";
    if (request->kind == DESTINATION_QUEUE && request->selector != NULL)
        return "A competing queue takes no selector";
    return NULL;
}

/* --- answering directly --- */

/* The headers that the route adds, filled in: `filled` has one buffer for each. */
static void fill_headers(const struct session *session, const struct route_match *match,
                         struct buf *filled, struct msg_header *out)
{
    const struct config_pairs *pairs = &match->route->headers;
    struct slice user = session->identity == NULL ? slice_str("") : session->identity->user;
    struct session_id_text id;

    for (size_t i = 0; i < pairs->n; i++) {
        buf_init(&filled[i], FILLED_MAX_BYTES);
        out[i].name = pairs->items[i].name;
        if (routes_fill(pairs->items[i].value, match, user, session_id(session, &id), &filled[i]))
            out[i].value = buf_slice(&filled[i]);
    }
}

/* As Spring's @SubscribeMapping: to the subscriber alone, as if the destination had sent it. */
static void answer_with_body(struct session *session, const struct request *request,
                             const struct route_match *match)
{
    struct router *router = session->env->router;
    const struct config_route *route = match->route;
    size_t n = route->headers.n;
    struct msg_header *headers = mem_calloc(n + 2, sizeof(*headers));
    struct buf *filled = mem_calloc(n, sizeof(*filled));
    char id[64];
    struct msg *msg;

    headers[0] = (struct msg_header){SLICE("destination"), request->destination};
    headers[1] = (struct msg_header){SLICE("content-type"), route->on_subscribe.content_type};
    fill_headers(session, match, filled, headers + 2);
    msg = msg_new(request->destination, headers, n + 2, router_next_id(router, id),
                  route->on_subscribe.body, false);
    router_reply(router, session->receiver, msg, request->id);
    msg_unref(msg);
    for (size_t i = 0; i < n; i++)
        buf_dispose(&filled[i]);
    mem_free(filled);
    mem_free(headers);
}

static void answer_with_last(struct session *session, const struct request *request,
                             const struct route_match *match)
{
    struct session_env *env = session->env;
    struct slice user = session->identity == NULL ? slice_str("") : session->identity->user;
    struct session_id_text id;
    struct msg *last = NULL, *shown;
    struct buf name;

    buf_init(&name, FILLED_MAX_BYTES);
    if (routes_fill(match->route->on_subscribe.last_of, match, user, session_id(session, &id),
                    &name))
        last = last_get(&env->broker->shared->last, buf_slice(&name));
    buf_dispose(&name);
    if (last == NULL)
        return; /* there has been none yet, or it was too long ago */
    shown = msg_new_shown(last, request->destination);
    router_reply(env->router, session->receiver, shown, request->id);
    msg_unref(shown);
    msg_unref(last);
}

/* Whether a route answers; then nothing is stored. */
static bool answer_directly(struct session *session, const struct stomp_frame *frame,
                            const struct request *request)
{
    struct route_match match;

    if (routes_find_subscribe(session->env->routes, request->destination, &match) !=
        ROUTE_CONFIGURED)
        return false;
    if (match.route->on_subscribe.has_body)
        answer_with_body(session, request, &match);
    else
        answer_with_last(session, request, &match);
    stomp_reply_receipt(session, frame, false);
    return true;
}

/* --- subscribing --- */

/* `out` is for what has to be put together. */
static const char *text_of(enum router_status status, const char *why, struct stomp_text *out)
{
    switch (status) {
    case ROUTER_OK:
        return NULL;
    case ROUTER_ERR_ID:
        return "A subscription of this id exists already";
    case ROUTER_ERR_PATTERN:
        snprintf(out->text, sizeof(out->text), "Bad pattern: %s", why);
        return out->text;
    case ROUTER_ERR_PATTERNS:
        return "Too many patterns are subscribed to in this gateway";
    }
    return NULL;
}

/* Returns why it was refused, or NULL: then the RECEIPT has been seen to. */
static const char *enter(struct session *session, const struct stomp_frame *frame,
                         const struct request *request, struct stomp_text *out)
{
    struct session_env *env = session->env;
    const struct router_subscribe asked = {
        .id = request->id,
        .destination = request->name,
        .kind = request->kind,
        .selector = request->selector,
        .needs_ack = request->needs_ack,
        .is_cumulative = request->is_cumulative,
        .ack_window = request->window,
    };
    struct broker_receipt receipt = {.session = session->ref};
    const char *why = NULL;
    enum router_status status;

    receipt.is_asked = stomp_frame_header(frame, name_receipt, &receipt.text);
    if (request->kind == DESTINATION_QUEUE)
        status =
            broker_subscribe_queue(env->broker, session->receiver, session->ref, &asked, &receipt);
    else
        status = router_subscribe_as(env->router, session->receiver, &asked, NULL, &why);
    if (status != ROUTER_OK)
        return text_of(status, why, out);
    if (broker_receipt_is_due(env->broker, &receipt))
        stomp_reply_receipt(session, frame, false);
    return NULL;
}

void stomp_subscribe(struct session *session, const struct stomp_frame *frame)
{
    struct session_env *env = session->env;
    struct request request = {.id = {NULL, 0}};
    struct stomp_text text;
    struct slice detail;
    const char *why = read_request(session, frame, &request, &text);

    detail = request.destination;
    if (why == NULL && !session_may(session, CONFIG_SUBSCRIBE, request.destination))
        why = "Access denied";
    if (why == NULL && answer_directly(session, frame, &request))
        goto done;
    if (why == NULL)
        why = resolve(session, &request);
    if (why == NULL && !is_carried(session, &request)) {
        stomp_count_unrouted(session, request.destination);
        if (env->config->broker.unknown_destination == CONFIG_UNKNOWN_ERROR)
            why = "Unknown destination";
        else
            stomp_reply_receipt(session, frame, true);
        if (why == NULL)
            goto done;
    }
    if (why == NULL)
        why = find_limit(session, &request);
    if (why == NULL)
        why = enter(session, frame, &request, &text);
    if (why != NULL)
        stomp_refuse(session, frame, why, detail);
done:
    request_dispose(&request);
}

void stomp_unsubscribe(struct session *session, const struct stomp_frame *frame)
{
    struct router *router = session->env->router;
    struct subscription *subscription;
    struct stomp_text missing;
    struct slice id;

    if (!stomp_frame_header(frame, name_id, &id)) {
        stomp_fail(session, frame, stomp_missing(frame, name_id, &missing), slice_str(""));
        return;
    }
    subscription = receiver_find(session->receiver, router, id);
    if (subscription != NULL)
        router_unsubscribe(router, subscription);
    stomp_reply_receipt(session, frame, false);
}
