#ifndef GATEWAY_BENCH_CHURNERS_H
#define GATEWAY_BENCH_CHURNERS_H

#include "gateway/bench/plan.h"
#include "gateway/bench/worker.h"

/*
 * The clients of a process that come and go, in mode mixed: at a fixed schedule, dealt to them in
 * turn, each takes or leaves a subscription or opens its connection again. Who is still waiting for
 * a receipt does it afterwards. Owning process only.
 */

struct churners;

/** Borrows both; NULL when none of them is this process's. */
struct churners *churners_new(struct worker *w, const struct plan *plan);

/** NULL is fine. */
void churners_free(struct churners *churners);

/** One of them has a connection. */
void churners_on_settled(struct churners *churners, struct connection *c);

/** Its message with that mark. */
void churners_on_message(struct churners *churners, struct connection *c, const struct mark *mark);

/** Its subscription was confirmed or ended. */
void churners_on_changed(struct churners *churners, struct connection *c, bool is_there);

/** Does what is due. Returns when the next is, UINT64_MAX when there is no more. */
uint64_t churners_pump(struct churners *churners, uint64_t now_ns);

/** Once nothing is due any more: whether none of them waits for the server. NULL is fine. */
bool churners_are_quiet(struct churners *churners, uint64_t now_ns);

#endif
