#ifndef GATEWAY_BENCH_MODE_TOPICS_H
#define GATEWAY_BENCH_MODE_TOPICS_H

#include "gateway/bench/worker.h"

/*
 * The modes destinations, users and mixed: clients with several subscriptions, and senders that
 * draw where to send, as the plan says. What each message must reach is known before it is sent.
 * By a window: a publisher's message k+W goes out when as many of its deliveries have come as its
 * messages up to k make. By a rate: as in mode fanout, the senders of a part in turn. In mode mixed
 * some clients come and go meanwhile (churners).
 * Owning process only.
 */

extern const struct mode mode_topics;

#endif
