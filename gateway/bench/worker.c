#include "gateway/bench/worker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "gateway/bench/mode_echo.h"
#include "gateway/bench/mode_fanout.h"
#include "gateway/bench/mode_idle.h"
#include "gateway/bench/mode_storm.h"
#include "gateway/bench/mode_topics.h"
#include "gateway/bench/names.h"

enum {
    MAX_REQUEST = 256 * 1024,
    LONGEST_WAIT_NS = 100 * 1000 * 1000,
    /* How long slow subscribers are read at the end, to see whether the server let them go. */
    LAST_READ_NS = 2 * 1000 * 1000 * 1000,
};

const struct mode *worker_mode(enum options_mode mode)
{
    switch (mode) {
    case OPTIONS_FANOUT:
    case OPTIONS_SLOW:
        return &mode_fanout;
    case OPTIONS_ECHO:
        return &mode_echo;
    case OPTIONS_DESTINATIONS:
    case OPTIONS_USERS:
    case OPTIONS_MIXED:
        return &mode_topics;
    case OPTIONS_STORM:
        return &mode_storm;
    case OPTIONS_IDLE:
    case OPTIONS_RAMP:
    case OPTIONS_FLOOR: /* has no worker */
    case OPTIONS_N_MODES:
        break;
    }
    return &mode_idle;
}

static void fail(struct worker *w, const char *who, size_t number, const char *why)
{
    /* The first says most: what follows is often its consequence. */
    if (w->member->failure[0] == '\0')
        (void)snprintf(w->member->failure, sizeof(w->member->failure), "%s %zu: %s", who, number,
                       why);
    atomic_fetch_add(&w->member->n_failed, 1);
}

static void on_settled(void *self, struct connection *c)
{
    struct worker *w = self;

    w->n_settled++;
    w->mode->on_settled(w, c);
}

static void on_ready(void *self, struct connection *c)
{
    struct worker *w = self;

    if (w->mode->on_ready != NULL)
        w->mode->on_ready(w, c);
    atomic_store(&w->member->last_ready_ns, loop_now_ns());
    atomic_fetch_add(&w->member->n_ready, 1);
}

static void on_message(void *self, struct connection *c, struct slice body, uint64_t now_ns)
{
    struct worker *w = self;

    if (!c->role.is_slow)
        w->mode->on_message(w, c, body, now_ns);
}

static void on_changed(void *self, struct connection *c, struct slice id, bool is_there)
{
    struct worker *w = self;

    if (w->mode->on_changed != NULL)
        w->mode->on_changed(w, c, id, is_there);
}

static void on_closed(void *self, struct connection *c, const char *why)
{
    struct worker *w = self;

    if (c->role.is_slow && w->phase != TEAM_CONNECT)
        w->counts.n_slow_closed++;
    else if (w->mode->on_closed == NULL || !w->mode->on_closed(w, c))
        fail(w, "connection", c->number, why);
}

static const struct connection_handler handler = {
    .on_settled = on_settled,
    .on_ready = on_ready,
    .on_message = on_message,
    .on_changed = on_changed,
    .on_closed = on_closed,
};

size_t worker_share(const struct worker *w, size_t first, size_t end)
{
    size_t members = w->team->n_members, share = 0;

    /* Numbers below n that are ours: those of index, index + members, ... */
    if (end > w->index)
        share = (end - w->index + members - 1) / members;
    if (first > w->index)
        share -= (first - w->index + members - 1) / members;
    return share;
}

char *worker_own_name(const char *name, size_t number)
{
    return mem_printf("%s-%zu", name, number);
}

char *worker_subscription_id(const struct options *options, size_t number)
{
    return worker_own_name("sub", options->ids == IDS_OWN ? number : 0);
}

static int set_up_tls(struct worker *w)
{
    const struct options *o = w->options;
    const struct tls_settings settings = {
        .name = o->target.host,
        .ca_file = o->ca_file,
        .is_insecure = o->is_insecure,
        .n_sessions = o->is_resuming ? w->n_connections : 0,
    };

    if (!o->target.is_tls)
        return 0;
    w->tls = tls_new(&settings);
    return w->tls == NULL ? -1 : 0;
}

int worker_init(struct worker *w, const struct options *options, struct team *team, size_t index,
                worker_dial_fn *dial, void *dial_self)
{
    *w = (struct worker){
        .options = options,
        .mode = worker_mode(options->mode),
        .team = team,
        .member = &team->members[index],
        .index = index,
        .n_receivers = worker_mode(options->mode)->n_receivers(options),
        .n_connecting = options->n_connecting,
        .loop = {.epoll_fd = -1},
        .dial = dial,
        .dial_self = dial_self,
    };
    buf_init(&w->upgrade, MAX_REQUEST);
    buf_init(&w->connect, MAX_REQUEST);
    if (!names_write_upgrade(&w->upgrade, options, NULL) ||
        !names_write_connect(&w->connect, options, NULL)) {
        fprintf(stderr, "load: the headers are longer than %d bytes\n", MAX_REQUEST);
        return -1;
    }
    w->n_connections = worker_share(w, 0, w->mode->count(options));
    if (set_up_tls(w) != 0)
        return -1;
    w->settings = (struct connection_settings){
        .tls = w->tls,
        .n_members = team->n_members,
        .upgrade = buf_slice(&w->upgrade),
        .connect = buf_slice(&w->connect),
        .extension = names_offer(options),
        .body_size = options->body_size,
        .max_payload = options->body_size + CONNECTION_MAX_HEAD,
        .n_strict = (uint32_t)options->n_strict,
        .confirm = (enum options_confirm)options->confirm,
        .mask = (enum options_mask)options->mask,
        .pattern = (enum mark_pattern)options->pattern,
    };
    w->connections = mem_calloc(w->n_connections, sizeof(*w->connections));
    if (loop_init(&w->loop, w->member->wake_fd, &w->settings, &handler, w) != 0)
        return -1;
    w->mode->begin(w);
    return 0;
}

void worker_dispose(struct worker *w)
{
    if (w->loop.buffer != NULL)
        w->mode->end(w);
    for (size_t i = 0; i < w->n_started; i++)
        connection_free(w->connections[i]);
    mem_free(w->connections);
    tls_free(w->tls);
    loop_dispose(&w->loop);
    buf_dispose(&w->upgrade);
    buf_dispose(&w->connect);
}

static void dispose_role(struct connection_role *role)
{
    mem_free(role->destination);
    mem_free(role->id);
    mem_free(role->user);
    sublist_dispose(&role->subscriptions);
}

/* What a user says in the handshakes is its own; without one it is what all say. */
static bool write_handshakes(const struct worker *w, struct connection_role *role)
{
    struct buf upgrade, connect;
    bool fits;

    if (role->user == NULL)
        return true;
    buf_init(&upgrade, MAX_REQUEST);
    buf_init(&connect, MAX_REQUEST);
    fits = names_write_upgrade(&upgrade, w->options, role->user) &&
           names_write_connect(&connect, w->options, role->user);
    if (fits) {
        role->upgrade = mem_slice_dup(buf_slice(&upgrade));
        role->connect = mem_slice_dup(buf_slice(&connect));
    }
    buf_dispose(&upgrade);
    buf_dispose(&connect);
    return fits;
}

/* Returns NULL when it cannot be had, which is said then. */
static struct connection *open_connection(struct worker *w, size_t number)
{
    struct connection_role role = w->mode->role(w->options, number);
    uint64_t dialed_ns;
    int fd = -1;
    struct connection *c;

    if (w->mode->equip != NULL)
        w->mode->equip(w, number, &role);
    dialed_ns = loop_now_ns();
    if (!write_handshakes(w, &role)) {
        fail(w, "connection", number, "its headers are too long");
    } else {
        fd = w->dial(w->dial_self, number, role.is_slow);
        if (fd == -1)
            fail(w, "dialing connection", number, strerror(errno));
    }
    if (fd == -1) {
        dispose_role(&role);
        return NULL;
    }
    c = connection_new(&w->loop, fd, number, role);
    c->dialed_ns = dialed_ns;
    return c;
}

/* Returns when the next is due that is not yet. */
static uint64_t start_connections(struct worker *w)
{
    while (w->n_started < w->n_connections && atomic_load(&w->member->n_failed) == 0 &&
           w->n_started - w->n_settled < w->n_connecting) {
        size_t number = w->n_started * w->team->n_members + w->index;
        uint64_t due_ns = w->mode->start_due_ns == NULL ? 0 : w->mode->start_due_ns(w, number);
        struct connection *c;

        if (due_ns > loop_now_ns())
            return due_ns;
        c = open_connection(w, number);
        if (c == NULL)
            break;
        if (atomic_load(&w->member->first_dial_ns) == 0)
            atomic_store(&w->member->first_dial_ns, c->dialed_ns);
        w->connections[w->n_started] = c;
        w->n_started++;
    }
    return UINT64_MAX;
}

struct connection *worker_reconnect(struct worker *w, size_t number)
{
    struct connection **place = &w->connections[number / w->team->n_members];
    struct connection *c = open_connection(w, number);

    if (c != NULL) {
        connection_free(*place);
        *place = c;
    }
    return c;
}

void worker_say_sent_all(struct worker *w)
{
    /* The numbers must be the last ones when it is said that they are. */
    atomic_store(&w->member->n_sent, w->counts.n_sent);
    atomic_store(&w->member->n_expected, w->counts.n_expected);
    atomic_store(&w->member->has_sent_all, true);
}

static void enter_phase(struct worker *w)
{
    enum team_phase phase = (enum team_phase)atomic_load(&w->team->phase);

    if (phase != w->phase && phase != TEAM_CONNECT)
        w->start_ns = atomic_load(&w->team->start_ns);
    w->phase = phase;
}

void worker_turn(struct worker *w, uint64_t max_wait_ns)
{
    uint64_t now_ns, next_ns, due_ns = UINT64_MAX;

    enter_phase(w);
    if (w->phase != TEAM_STOP)
        due_ns = start_connections(w);
    now_ns = loop_now_ns();
    next_ns = w->mode->pump(w, now_ns);
    if (due_ns < next_ns)
        next_ns = due_ns;
    atomic_store_explicit(&w->member->n_sent, w->counts.n_sent, memory_order_relaxed);
    atomic_store_explicit(&w->member->n_expected, w->counts.n_expected, memory_order_relaxed);
    atomic_store_explicit(&w->member->n_received, w->counts.n_received, memory_order_relaxed);
    now_ns = loop_now_ns(); /* sending took its time */
    next_ns = next_ns > now_ns ? next_ns - now_ns : 0;
    loop_turn(&w->loop, next_ns < max_wait_ns ? next_ns : max_wait_ns);
}

static void read_slow_ones(struct worker *w)
{
    uint64_t start_ns = loop_now_ns();
    size_t n_open = 0;

    for (size_t i = 0; i < w->n_started; i++) {
        struct connection *c = w->connections[i];

        if (c->role.is_slow && c->state != CONNECTION_CLOSED) {
            connection_set_reading(c, true);
            n_open++;
        } else {
            connection_set_reading(c, false);
        }
    }
    n_open += w->counts.n_slow_closed;
    while (w->counts.n_slow_closed < n_open && loop_now_ns() - start_ns < LAST_READ_NS)
        loop_turn(&w->loop, LONGEST_WAIT_NS);
}

void worker_report(struct worker *w)
{
    w->counts.n_inflated = w->loop.n_inflated;
    w->counts.n_bytes = w->loop.n_bytes;
    w->member->counts = w->counts;
}

void worker_run(struct worker *w)
{
    while (w->phase != TEAM_STOP)
        worker_turn(w, LONGEST_WAIT_NS);
    if (w->options->mode == OPTIONS_SLOW)
        read_slow_ones(w);
    worker_report(w);
}
