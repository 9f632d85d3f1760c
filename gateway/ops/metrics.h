#ifndef GATEWAY_OPS_METRICS_H
#define GATEWAY_OPS_METRICS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

/*
 * Counters, one set per worker, summed by whoever reads them; printed in the Prometheus text
 * format. Only the owning worker writes a set; any thread may read it. Each name ends up as
 * "stompgate_<name>".
 */

/* X(identifier, kind, name, help): kind is COUNTER (only ever grows) or GAUGE. */
#define METRICS(X)                                                                                 \
    X(CONNECTIONS, GAUGE, "connections", "Open client connections.")                               \
    X(CONNECTIONS_OPENED, COUNTER, "connections_opened_total", "Client connections upgraded.")     \
    X(CONNECTIONS_REFUSED, COUNTER, "connections_refused_total",                                   \
      "Handshakes refused because a limit on connections was reached.")                            \
    X(HANDSHAKES_FAILED, COUNTER, "handshakes_failed_total",                                       \
      "Upgrade requests answered with an error status.")                                           \
    X(AUTH_FAILED, COUNTER, "auth_failed_total", "Tokens that were refused, or missing.")          \
    X(ACCESS_DENIED, COUNTER, "access_denied_total", "Frames refused by an access rule.")          \
    X(SESSIONS, GAUGE, "stomp_sessions", "STOMP sessions between CONNECTED and their end.")        \
    X(SUBSCRIPTIONS, GAUGE, "subscriptions", "Subscriptions of all sessions.")                     \
    X(CONNECT_FRAMES, COUNTER, "stomp_connect_total", "CONNECT and STOMP frames received.")        \
    X(CONNECTED_FRAMES, COUNTER, "stomp_connected_total", "CONNECTED frames sent.")                \
    X(DISCONNECT_FRAMES, COUNTER, "stomp_disconnect_total", "DISCONNECT frames received.")         \
    X(ERROR_FRAMES, COUNTER, "stomp_error_total", "ERROR frames sent.")                            \
    X(FRAMES_IN, COUNTER, "stomp_frames_received_total", "STOMP frames received.")                 \
    X(BYTES_IN, COUNTER, "received_bytes_total", "Bytes received from clients.")                   \
    X(BYTES_OUT, COUNTER, "sent_bytes_total", "Bytes sent to clients.")                            \
    X(SENDS_BATCHED, COUNTER, "batched_sends_total", "Writes handed to the kernel by io_uring.")   \
    X(PUBLISHED, COUNTER, "messages_published_total", "Messages accepted from clients.")           \
    X(PUSHED, COUNTER, "messages_pushed_total", "Messages accepted from the push API.")            \
    X(PUSH_REFUSED, COUNTER, "push_refused_total", "Push requests answered with an error.")        \
    X(DELIVERED, COUNTER, "messages_delivered_total", "Messages queued to subscriptions.")         \
    X(UNROUTED, COUNTER, "messages_unrouted_total", "Messages to destinations nobody routes.")     \
    X(MAILED, COUNTER, "messages_mailed_total", "Messages handed to another worker.")              \
    X(DEFLATED, COUNTER, "messages_deflated_total",                                                \
      "Times a message was compressed: once for each window size, or for a client's context.")     \
    X(INFLATED, COUNTER, "messages_inflated_total", "Compressed messages received.")               \
    X(HEARTBEATS_SENT, COUNTER, "heartbeats_sent_total", "STOMP heart-beats sent.")                \
    X(PINGS_SENT, COUNTER, "pings_sent_total", "WebSocket pings sent.")                            \
    X(CLOSED_SEND_BUFFER, COUNTER, "closed_send_buffer_total",                                     \
      "Sessions closed for a full send buffer.")                                                   \
    X(CLOSED_SEND_TIME, COUNTER, "closed_send_time_total",                                         \
      "Sessions closed for taking too long to read.")                                              \
    X(CLOSED_MEMORY, COUNTER, "closed_memory_total",                                               \
      "Sessions closed because the process holds too many queued bytes.")                          \
    X(CLOSED_FIRST_MESSAGE, COUNTER, "closed_first_message_total",                                 \
      "Sessions closed because no CONNECT came in time.")                                          \
    X(CLOSED_HEARTBEAT, COUNTER, "closed_heartbeat_total",                                         \
      "Sessions closed because the client's heart-beats stopped.")                                 \
    X(CLOSED_PING, COUNTER, "closed_ping_total", "Sessions closed for unanswered pings.")          \
    X(CLOSED_IDLE, COUNTER, "closed_idle_total", "Sessions closed by an endpoint's idle_timeout.") \
    X(CLOSED_ACK_WINDOW, COUNTER, "closed_ack_window_total",                                       \
      "Sessions closed because too many deliveries were not acknowledged.")                        \
    X(REFUSALS, COUNTER, "refusals_total", "SENDs and SUBSCRIBEs refused in the soft mode.")       \
    X(NACKED, COUNTER, "messages_nacked_total", "Deliveries that clients refused by NACK.")        \
    X(QUEUE_DROPPED, COUNTER, "queue_messages_dropped_total",                                      \
      "Messages of competing queues that failed too often, or were left at the end.")              \
    X(SLOW_SESSIONS, GAUGE, "slow_sessions",                                                       \
      "Sessions that read too slowly and may lose messages by a slow-consumer policy.")            \
    X(SLOW_WAITING, GAUGE, "slow_messages_waiting",                                                \
      "Deliveries that wait for these sessions and may still be lost.")                            \
    X(SLOW_OLDEST_DROPPED, COUNTER, "slow_oldest_dropped_total",                                   \
      "Deliveries that slow sessions lost because too many newer ones were waiting.")              \
    X(SLOW_REPLACED, COUNTER, "slow_replaced_total",                                               \
      "Deliveries that slow sessions lost because a newer one had the same key.")                  \
    X(DROPPED, COUNTER, "messages_dropped_total",                                                  \
      "Messages that were queued to a session when a slow-consumer limit closed it.")

enum metric {
#define METRICS_ENUM(identifier, kind, name, help) METRIC_##identifier,
    METRICS(METRICS_ENUM)
#undef METRICS_ENUM
        METRIC_N,
};

/** One worker's counters. Zeroed it is ready to use. */
struct metrics {
    _Atomic uint64_t values[METRIC_N];
};

/** Owning worker only: one writer, so a plain load and store will do. */
static inline void metrics_add(struct metrics *m, enum metric metric, uint64_t n)
{
    uint64_t value = atomic_load_explicit(&m->values[metric], memory_order_relaxed);

    atomic_store_explicit(&m->values[metric], value + n, memory_order_relaxed);
}

/** Gauges only. Owning worker only. */
static inline void metrics_sub(struct metrics *m, enum metric metric, uint64_t n)
{
    metrics_add(m, metric, (uint64_t)0 - n);
}

/** Any thread. */
uint64_t metrics_sum(const struct metrics *const *sets, size_t n_sets, enum metric metric);

/** Prints all of them, summed, with HELP and TYPE lines. Returns false when `out` is full. */
bool metrics_print(const struct metrics *const *sets, size_t n_sets, struct buf *out)
    __attribute__((warn_unused_result));

#endif
