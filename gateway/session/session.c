#include "gateway/session/session.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>
#include <openssl/rand.h>
#include "base/hex.h"
#include "base/mem.h"
#include "gateway/router/lagging.h"
#include "gateway/session/plain_session.h"
#include "gateway/session/stomp_reply.h"
#include "gateway/session/stomp_session.h"

enum {
    HEARTBEAT_TOLERANCE = 3, /* Spring's, in both of its halves */
    MAX_UNANSWERED_PINGS = 2,
    MAX_SUSPENDED_MS = 15000, /* no verdict by then is a refusal */
    RETRY_MS = 100,
    RETRY_LONG_MS = 1000,
    REPLY_MAX_BYTES = 4 * 1024 * 1024, /* a receipt's id may be a whole header line, escaped */
};

struct reason_info {
    const char *name;
    int metric; /* enum metric; -1: none of its own */
};

static const struct reason_info reasons[SESSION_N_REASONS] = {
    [SESSION_BY_PEER] = {"peer", -1},
    [SESSION_PROTOCOL_ERROR] = {"protocol-error", -1},
    [SESSION_TRANSPORT_ERROR] = {"transport-error", -1},
    [SESSION_SEND_BUFFER] = {"send-buffer", METRIC_CLOSED_SEND_BUFFER},
    [SESSION_SEND_TIME] = {"send-time", METRIC_CLOSED_SEND_TIME},
    [SESSION_MEMORY] = {"memory", METRIC_CLOSED_MEMORY},
    [SESSION_ACK_WINDOW] = {"ack-window", METRIC_CLOSED_ACK_WINDOW},
    [SESSION_FIRST_MESSAGE] = {"first-message", METRIC_CLOSED_FIRST_MESSAGE},
    [SESSION_HEARTBEAT_LOST] = {"heartbeat-lost", METRIC_CLOSED_HEARTBEAT},
    [SESSION_PING_LOST] = {"ping-lost", METRIC_CLOSED_PING},
    [SESSION_IDLE] = {"idle", METRIC_CLOSED_IDLE},
    [SESSION_SHUTDOWN] = {"shutdown", -1},
    [SESSION_DENIED] = {"denied", -1},
    [SESSION_TOO_MANY] = {"too-many", METRIC_CONNECTIONS_REFUSED},
};

/* --- what all sessions of a worker share --- */

void session_env_init(struct session_env *env)
{
    stomp_scratch_init(&env->scratch);
    buf_init(&env->reply, REPLY_MAX_BYTES);
}

void session_env_dispose(struct session_env *env)
{
    stomp_scratch_dispose(&env->scratch);
    buf_dispose(&env->reply);
    mem_free(env->slots.slots);
}

static struct session_ref take_slot(struct session_slots *slots, struct session *session)
{
    struct session_slot *slot;
    uint32_t index;

    if (slots->first_free == 0) {
        if (slots->n == slots->cap) {
            slots->cap = slots->cap == 0 ? 64 : slots->cap * 2;
            slots->slots = mem_realloc(slots->slots, slots->cap * sizeof(*slots->slots));
        }
        slots->slots[slots->n] = (struct session_slot){.generation = 0};
        slots->first_free = ++slots->n;
    }
    index = slots->first_free - 1;
    slot = &slots->slots[index];
    slots->first_free = slot->next_free;
    slot->session = session;
    slot->generation++;
    return (struct session_ref){index, slot->generation};
}

static void give_slot(struct session_slots *slots, struct session_ref ref)
{
    struct session_slot *slot = &slots->slots[ref.slot];

    slot->session = NULL;
    slot->next_free = slots->first_free;
    slots->first_free = ref.slot + 1;
}

/* --- small facts --- */

bool session_is_stomp(const struct session *session)
{
    return session_endpoint(session)->protocol == CONFIG_PROTOCOL_STOMP;
}

const struct config_endpoint *session_endpoint(const struct session *session)
{
    return &session->env->config->endpoints[session->endpoint];
}

struct slice session_id(const struct session *session, struct session_id_text *text)
{
    hex_write(session->id, sizeof(session->id), text->hex);
    return slice_of(text->hex, sizeof(text->hex));
}

static uint64_t now_ms(const struct session *session)
{
    return session->env->now_ms(session->env->worker_ctx);
}

bool session_may(struct session *session, enum config_operation operation, struct slice destination)
{
    enum auth_operation asked = operation == CONFIG_CONNECT ? AUTH_CONNECT
                                : operation == CONFIG_SEND  ? AUTH_SEND
                                                            : AUTH_SUBSCRIBE;

    if (auth_access_allows(session->env->access, asked, destination, session->identity != NULL))
        return true;
    metrics_add(session->env->metrics, METRIC_ACCESS_DENIED, 1);
    return false;
}

static struct slice user_of(const struct session *session)
{
    return session->identity == NULL ? slice_str("") : session->identity->user;
}

static void log_end(struct session *session)
{
    struct session_env *env = session->env;
    struct session_id_text id;
    uint64_t suppressed;
    bool is_ordinary = session->reason == SESSION_BY_PEER || session->reason == SESSION_SHUTDOWN;
    enum log_level level = is_ordinary ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;

    if (level < env->log->level || !quiet_allows(&env->quiet, now_ms(session), &suppressed))
        return;
    log_event(env->log, level, "session.closed", log_str("id", session_id(session, &id)),
              log_cstr("reason", reasons[session->reason].name), log_str("user", user_of(session)),
              log_str("endpoint", session_endpoint(session)->path),
              log_u64("age_ms", now_ms(session) - session->opened_ms),
              log_u64("queued_bytes", lagging_queued_bytes(session->receiver)),
              log_u64("lines_suppressed", suppressed));
}

/* --- timers --- */

static struct session *session_of_timer(struct timer *timer)
{
    return (struct session *)((char *)timer - offsetof(struct session, timer));
}

static void on_timer(struct timer *timer, uint64_t now);

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t first_message_deadline(const struct session *session)
{
    uint32_t limit_ms = session->env->config->transport.time_to_first_message_ms;

    if (session->state != SESSION_NEW || limit_ms == 0)
        return UINT64_MAX;
    return session->opened_ms + limit_ms;
}

static uint64_t heartbeat_read_deadline(const struct session *session)
{
    if (session->heartbeat.read_ms == 0 || session->state != SESSION_CONNECTED)
        return UINT64_MAX;
    return session->transport->last_read_ms(session) +
           (uint64_t)session->heartbeat.read_ms * HEARTBEAT_TOLERANCE;
}

static uint64_t heartbeat_write_deadline(const struct session *session)
{
    if (session->heartbeat.write_ms == 0 || session->state != SESSION_CONNECTED)
        return UINT64_MAX;
    return session->transport->last_write_ms(session) + session->heartbeat.write_ms;
}

static uint64_t idle_deadline(const struct session *session)
{
    uint32_t limit_ms = session_endpoint(session)->idle_timeout_ms;

    return limit_ms == 0 ? UINT64_MAX : session->last_message_ms + limit_ms;
}

/*
 * A client that has missed two beats is asked in time for its pong to come before the third: a
 * browser's timers may stand still in the background, while its socket answers. Once for each
 * silence.
 */
static uint64_t ping_deadline(const struct session *session)
{
    uint32_t interval_ms = session->env->config->transport.ping_interval_ms;
    uint64_t ask;

    if (interval_ms == 0 || session->heartbeat.read_ms == 0 || session->state != SESSION_CONNECTED)
        return session->next_ping_ms;
    ask = session->transport->last_read_ms(session) +
          (uint64_t)session->heartbeat.read_ms * (HEARTBEAT_TOLERANCE - 1);
    if (session->next_ping_ms - interval_ms >= ask) /* when the last one was sent */
        return session->next_ping_ms;
    return earlier(session->next_ping_ms, ask);
}

void session_arm(struct session *session)
{
    uint64_t deadline = ping_deadline(session);

    if (session->state >= SESSION_CLOSING)
        return;
    deadline = earlier(deadline, first_message_deadline(session));
    deadline = earlier(deadline, heartbeat_read_deadline(session));
    deadline = earlier(deadline, heartbeat_write_deadline(session));
    deadline = earlier(deadline, idle_deadline(session));
    if (session->suspended_until_ms != 0)
        deadline = earlier(deadline, session->suspended_until_ms);
    if (deadline != UINT64_MAX)
        timer_arm(session->env->timers, &session->timer, deadline, on_timer);
    else
        timer_cancel(session->env->timers, &session->timer);
}

static void send_heartbeat(struct session *session)
{
    *router_queue_frame(session->env->router, session->receiver, false, 1) = '\n';
    metrics_add(session->env->metrics, METRIC_HEARTBEATS_SENT, 1);
}

/* Anything that came in since the last ping answers it, a pong or not. */
static void check_ping(struct session *session, uint64_t now)
{
    uint32_t interval_ms = session->env->config->transport.ping_interval_ms;

    if (now < ping_deadline(session))
        return;
    if (session->transport->last_read_ms(session) + interval_ms > session->next_ping_ms ||
        session->transport->is_held(session))
        session->unanswered_pings = 0;
    if (session->unanswered_pings >= MAX_UNANSWERED_PINGS) {
        session_close(session, SESSION_PING_LOST, 1002, slice_str("No pong received"));
        return;
    }
    session->unanswered_pings++;
    session->next_ping_ms = now + interval_ms;
    session->transport->ping(session);
    metrics_add(session->env->metrics, METRIC_PINGS_SENT, 1);
}

/* When to look again at a deadline that could not be met. */
static uint32_t retry_ms(const struct session *session)
{
    uint32_t write_ms = session->heartbeat.write_ms;

    if (write_ms > RETRY_LONG_MS)
        return RETRY_LONG_MS;
    return write_ms != 0 && write_ms < RETRY_MS ? write_ms : RETRY_MS;
}

static void on_timer(struct timer *timer, uint64_t now)
{
    struct session *session = session_of_timer(timer);

    if (now >= first_message_deadline(session)) {
        session_close(session, SESSION_FIRST_MESSAGE, 4500, slice_str("No CONNECT in time"));
        return;
    }
    if (session->suspended_until_ms != 0 && now >= session->suspended_until_ms) {
        session_resolve(session->env, session->ref, SESSION_REFUSED, NULL);
        return;
    }
    if (now >= heartbeat_read_deadline(session) && !session->transport->is_held(session)) {
        stomp_session_heartbeat_lost(session);
        return;
    }
    if (now >= idle_deadline(session)) {
        session_close(session, SESSION_IDLE, 1000, slice_str("Idle for too long"));
        return;
    }
    if (now >= heartbeat_write_deadline(session))
        send_heartbeat(session);
    check_ping(session, now);
    if (session->state >= SESSION_CLOSING)
        return;
    session_arm(session);
    /* A beat that waits in the queue, or input that is held, leaves its deadline in the past. */
    if (timer_is_armed(&session->timer) && session->timer.deadline_ms <= now)
        timer_arm(session->env->timers, &session->timer, now + retry_ms(session), on_timer);
}

void session_pong(struct session *session)
{
    session->unanswered_pings = 0;
}

/* --- life --- */

void session_open(struct session *session, struct session_env *env,
                  const struct session_transport *transport, struct receiver *receiver,
                  size_t endpoint, struct auth_identity *identity)
{
    uint32_t ping_ms = env->config->transport.ping_interval_ms;
    bool has_id;

    session->env = env;
    session->transport = transport;
    session->receiver = receiver;
    session->endpoint = (uint16_t)endpoint;
    session->identity = identity;
    session->opened_ms = now_ms(session);
    session->last_message_ms = session->opened_ms;
    session->next_ping_ms = ping_ms == 0 ? UINT64_MAX : session->opened_ms + ping_ms;
    session->ref = take_slot(&env->slots, session);
    has_id = RAND_bytes(session->id, sizeof(session->id)) == 1;
    if (session_is_stomp(session))
        stomp_session_open(session);
    else
        plain_session_open(session);
    if (!has_id)
        session_close(session, SESSION_TRANSPORT_ERROR, 1011, slice_str("No randomness"));
    session_arm(session);
}

size_t session_input(struct session *session, struct slice bytes, const struct session_input *input)
{
    if (session->state >= SESSION_CLOSING)
        return bytes.len;
    session->last_message_ms = now_ms(session);
    if (input->is_binary)
        session->saw_binary = true;
    if (session_is_stomp(session))
        return stomp_session_input(session, bytes, input);
    return plain_session_input(session, bytes, input);
}

static struct session *find_session(const struct session_env *env, struct session_ref ref)
{
    if (ref.slot >= env->slots.n || env->slots.slots[ref.slot].generation != ref.generation)
        return NULL;
    return env->slots.slots[ref.slot].session;
}

void session_receipt(struct session_env *env, struct session_ref ref, struct slice receipt)
{
    struct session *session = find_session(env, ref);

    if (session != NULL && session->state < SESSION_CLOSING)
        stomp_reply_receipt_id(session, receipt, false);
}

void session_resolve(struct session_env *env, struct session_ref ref, enum session_verdict verdict,
                     struct auth_identity *identity)
{
    struct session *session = find_session(env, ref);

    assert(verdict != SESSION_PENDING);
    if (session == NULL || session->suspended_until_ms == 0) {
        gate_identity_free(identity);
        return;
    }
    session->suspended_until_ms = 0;
    stomp_session_resolved(session, verdict, identity);
    if (session->state < SESSION_CLOSING) {
        session_arm(session);
        session->transport->resume(session);
    }
}

void session_suspend(struct session *session)
{
    session->suspended_until_ms = now_ms(session) + MAX_SUSPENDED_MS;
    session->transport->pause(session);
    session_arm(session);
}

static struct user_session registered(const struct session *session)
{
    struct user_session me = {.worker = session->env->router->worker};

    memcpy(me.id, session->id, sizeof(me.id));
    return me;
}

void session_register(struct session *session)
{
    struct user_session me = registered(session);

    if (session->identity == NULL)
        return;
    users_add(&session->env->broker->shared->users, session->identity->user, &me);
    session->is_registered = true;
}

void session_unregister(struct session *session)
{
    struct user_session me = registered(session);

    if (!session->is_registered)
        return;
    users_remove(&session->env->broker->shared->users, session->identity->user, &me);
    session->is_registered = false;
}

static void leave(struct session *session, enum session_reason reason)
{
    if (session->state == SESSION_CONNECTED && session_is_stomp(session))
        metrics_sub(session->env->metrics, METRIC_SESSIONS, 1);
    session->state = SESSION_CLOSING;
    session->reason = (uint8_t)reason;
    session->suspended_until_ms = 0;
    session_unregister(session);
    transactions_dispose(&session->transactions);
    timer_cancel(session->env->timers, &session->timer);
    if (reasons[reason].metric >= 0)
        metrics_add(session->env->metrics, (enum metric)reasons[reason].metric, 1);
    log_end(session);
}

void session_close(struct session *session, enum session_reason reason, uint16_t code,
                   struct slice text)
{
    if (session->state >= SESSION_CLOSING)
        return;
    leave(session, reason);
    receiver_end_subscriptions(session->receiver, session->env->router);
    session->transport->close(session, code, text);
}

void session_overflow(struct session *session, enum session_reason reason)
{
    if (session->state >= SESSION_CLOSING)
        return;
    leave(session, reason);
    receiver_end_subscriptions(session->receiver, session->env->router);
    session->transport->cut_and_close(
        session, 4500, slice_str("Failed to send message within the configured send limit"));
}

void session_end(struct session *session)
{
    if (session->state == SESSION_ENDED)
        return;
    if (session->state < SESSION_CLOSING)
        leave(session, SESSION_BY_PEER);
    session->state = SESSION_ENDED;
    if (session_is_stomp(session))
        stomp_parser_dispose(&session->input.stomp);
    else
        buf_dispose(&session->input.plain);
    give_slot(&session->env->slots, session->ref);
    gate_identity_free(session->identity);
    session->identity = NULL;
}
