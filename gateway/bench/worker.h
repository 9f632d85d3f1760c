#ifndef GATEWAY_BENCH_WORKER_H
#define GATEWAY_BENCH_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "gateway/bench/connection.h"
#include "gateway/bench/ledger.h"
#include "gateway/bench/loop.h"
#include "gateway/bench/mark.h"
#include "gateway/bench/options.h"
#include "gateway/bench/team.h"

/*
 * One process of a run: opens its share of the connections, goes through the team's phases and
 * keeps the counts that are the same in all modes. What a connection is for, what is sent and when,
 * is the mode's. Owning process only.
 */

struct worker;

/** A kind of load. Static tables; `self` state is the worker's `mode_state`. */
struct mode {
    /** Connections in all processes. */
    size_t (*count)(const struct options *options);
    /** Rows of numbers that the processes tell each other about (see team_complete). */
    size_t (*n_publishers)(const struct options *options);
    /** How many subscribers must get each message, where that is the same for all; see
     * worker_count_sent_to. */
    uint64_t (*n_receivers)(const struct options *options);
    /** What connection `number` is for. Strings in it are new. */
    struct connection_role (*role)(const struct options *options, size_t number);
    /** Adds to a role what the worker's state knows. NULL: nothing. */
    void (*equip)(struct worker *w, size_t number, struct connection_role *role);
    void (*begin)(struct worker *w);
    void (*end)(struct worker *w);
    /** When connection `number` is to be started; NULL: whenever fewer than wanted are on their
     * way. */
    uint64_t (*start_due_ns)(const struct worker *w, size_t number);
    /** A connection is there, not subscribed yet perhaps: gives it its `data`. */
    void (*on_settled)(struct worker *w, struct connection *c);
    /** It is subscribed now. NULL: nothing to do. */
    void (*on_ready)(struct worker *w, struct connection *c);
    /** It is closed. Returns whether that may be; NULL: it may not. */
    bool (*on_closed)(struct worker *w, struct connection *c);
    void (*on_message)(struct worker *w, struct connection *c, struct slice body, uint64_t now_ns);
    /** See connection_handler. NULL: nothing to do. */
    void (*on_changed)(struct worker *w, struct connection *c, struct slice id, bool is_there);
    /** Sends what is due. Returns when to be called again at the latest. */
    uint64_t (*pump)(struct worker *w, uint64_t now_ns);
};

/** How a worker gets the socket of a connection: target_dial, or a test's. */
typedef int worker_dial_fn(void *self, size_t number, bool is_slow);

/** Open: the modes work with it. */
struct worker {
    const struct options *options;
    const struct mode *mode;
    struct team *team;
    struct team_member *member;
    size_t index; /* connection `number` is ours when its number modulo the members is `index` */
    struct loop loop;
    struct connection_settings settings;
    struct buf upgrade;
    struct buf connect;
    struct tls *tls; /* NULL for plain connections */
    worker_dial_fn *dial;
    void *dial_self;
    struct connection **connections; /* ours; NULL behind those that are started */
    size_t n_connections;
    size_t n_started;
    size_t n_settled;
    uint64_t n_receivers; /* the mode's */
    size_t n_connecting;  /* that may be on their way at a time */
    enum team_phase phase;
    uint64_t start_ns; /* of the run; times in marks count from here */
    struct team_counts counts;
    void *mode_state;
};

/** The table of a mode. */
const struct mode *worker_mode(enum options_mode mode);

/** Reports and returns -1 when the loop cannot be made. Ends with worker_dispose. */
int worker_init(struct worker *w, const struct options *options, struct team *team, size_t index,
                worker_dial_fn *dial, void *dial_self);

/**
 * One turn: starts connections, sends what is due, says how far it is, then waits for a batch of
 * events, `max_wait_ns` at most, and handles it.
 */
void worker_turn(struct worker *w, uint64_t max_wait_ns);

/** Turns until the team stops, then writes the counts to the team's memory. */
void worker_run(struct worker *w);

/** Writes the counts to the team's memory: the worker's last word. */
void worker_report(struct worker *w);

void worker_dispose(struct worker *w);

/**
 * Opens connection `number` again, with a new role; the old one is freed without a word to anybody.
 * Not from within a connection's handler: events for the old one may be waiting there. Returns the
 * new one, or NULL with the old one untouched and the failure counted.
 */
struct connection *worker_reconnect(struct worker *w, size_t number);

/** How many of the connections with numbers from `first` to before `end` are this member's. */
size_t worker_share(const struct worker *w, size_t first, size_t end);

/** A connection's own destination or id: "name-number"; the caller owns it. */
char *worker_own_name(const char *name, size_t number);

/** `ids`: the subscription id of connection `number`; the caller owns it. */
char *worker_subscription_id(const struct options *options, size_t number);

/** Whether messages may still be sent: the run's time is not over. */
static inline bool worker_is_sending(const struct worker *w, uint64_t now_ns)
{
    return w->phase == TEAM_RUN && now_ns >= w->start_ns &&
           now_ns - w->start_ns < w->options->warmup_ns + w->options->seconds_ns;
}

static inline bool worker_is_measured(const struct worker *w, uint64_t run_ns)
{
    /* Before the warm-up's end the difference wraps and is large. */
    return run_ns - w->options->warmup_ns < w->options->seconds_ns;
}

/** Counts a message to `n_receivers` that was sent at `now_ns`. */
static inline void worker_count_sent_to(struct worker *w, uint64_t n_receivers, uint64_t now_ns)
{
    w->counts.n_sent++;
    w->counts.n_sent_measured += worker_is_measured(w, now_ns - w->start_ns);
    w->counts.n_expected += n_receivers;
}

/** Counts a message to as many as every message of the mode goes to. */
static inline void worker_count_sent(struct worker *w, uint64_t now_ns)
{
    worker_count_sent_to(w, w->n_receivers, now_ns);
}

/** Tells the others that this process will send nothing more, and how much it was. */
void worker_say_sent_all(struct worker *w);

/** Enters a message into a subscriber's line and all counts. Returns whether it was a new one. */
static inline bool worker_count_received(struct worker *w, struct ledger_line *line,
                                         const struct mark *mark, uint64_t now_ns)
{
    uint64_t run_ns = now_ns - w->start_ns;
    enum ledger_verdict verdict = ledger_take(line, mark->sequence);

    if (__builtin_expect(verdict != LEDGER_IN_ORDER, 0)) {
        w->counts.n_late += verdict == LEDGER_LATE;
        w->counts.n_duplicates += verdict == LEDGER_DUPLICATE;
        w->counts.n_too_far += verdict == LEDGER_TOO_FAR;
        if (verdict == LEDGER_DUPLICATE || verdict == LEDGER_TOO_FAR)
            return false;
    }
    w->counts.n_received++;
    w->counts.n_received_measured += worker_is_measured(w, run_ns);
    if (worker_is_measured(w, mark->time_ns))
        histogram_add(&w->member->latency, run_ns > mark->time_ns ? run_ns - mark->time_ns : 0);
    return true;
}

#endif
