#include "gateway/bench/coordinator.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/mem.h"
#include "gateway/bench/live.h"
#include "gateway/bench/loop.h"
#include "gateway/bench/process.h"
#include "gateway/bench/procstat.h"
#include "gateway/bench/report.h"
#include "gateway/bench/team.h"
#include "gateway/bench/verdict.h"
#include "gateway/bench/worker.h"

enum {
    POLL_NS = 5 * 1000 * 1000,
    HEAD_START_NS = 20 * 1000 * 1000, /* from the phase's change to the first message */
    AFTERMATH_NS = 200 * 1000 * 1000, /* in which a repeated last message would come */
    MEMORY_SETTLES_NS = 1000 * 1000 * 1000,
    PEAK_EVERY_NS = 50 * 1000 * 1000,
};

/* One reading of everything that is measured from outside. */
struct sample {
    struct procstat server;
    struct procstat load;
};

struct coordinator {
    struct options *options;
    const struct mode *mode;
    struct team *team;
    size_t n_connections;
    size_t n_running; /* processes */
    bool has_pids;
    bool has_window; /* both samples were taken */
    bool has_stopped_early;
    struct verdict verdict;
    struct live live;
    struct sample first,
        last; /* traffic: at the ends of the measured time; ramp, storm: of theirs */
    /* Modes without messages: memory without, with and after connections, and seconds after that.
     */
    struct procstat before, after, closed, settled;
    uint64_t next_peak_ns;
    uint64_t peak_bytes;  /* storm: the most memory that was seen during it */
    struct procstat back; /* storm: memory with all of them back */
    uint64_t arrival_ns;  /* ramp, storm: from the first that was started to the last ready */
};

static void sleep_ns(uint64_t ns)
{
    const struct timespec time = {.tv_sec = (time_t)(ns / 1000000000U),
                                  .tv_nsec = (long)(ns % 1000000000U)};

    (void)nanosleep(&time, NULL);
}

static int read_memory(const struct options *options, struct procstat *out)
{
    *out = (struct procstat){0};
    for (size_t i = 0; i < options->pids.n_items; i++) {
        if (procstat_add_memory(out, options_pid(options, i)) != 0)
            return -1;
    }
    return 0;
}

static int take_sample(const struct coordinator *co, struct sample *out)
{
    if (read_memory(co->options, &out->server) != 0)
        return -1;
    for (size_t i = 0; i < co->options->pids.n_items; i++) {
        if (procstat_add_cpu(&out->server, options_pid(co->options, i)) != 0)
            return -1;
    }
    out->load = (struct procstat){0};
    for (size_t i = 0; i < co->team->n_members; i++) {
        if (procstat_add_cpu(&out->load, co->team->members[i].pid) != 0)
            return -1;
    }
    return 0;
}

/* Before there is any load: of its own CPU time all counts. */
static int take_first_sample(struct coordinator *co)
{
    if (read_memory(co->options, &co->before) != 0)
        return -1;
    for (size_t i = 0; i < co->options->pids.n_items; i++) {
        if (procstat_add_cpu(&co->first.server, options_pid(co->options, i)) != 0)
            return -1;
    }
    return 0;
}

/* Whether the mode is about connections alone. */
static bool is_quiet(const struct coordinator *co)
{
    enum options_mode mode = co->options->mode;

    return mode == OPTIONS_IDLE || mode == OPTIONS_RAMP || mode == OPTIONS_STORM;
}

static int choose_processes(struct coordinator *co)
{
    size_t capacity, needed;

    if (process_find_capacity(&capacity) != 0)
        return -1;
    needed = (co->n_connections + capacity - 1) / capacity;
    if (co->options->n_procs == 0)
        co->options->n_procs = needed;
    if (co->options->n_procs < needed) {
        fprintf(stderr, "load: %zu connections need %zu processes of %zu descriptors\n",
                co->n_connections, needed, capacity);
        return -1;
    }
    return 0;
}

static int dial(void *self, size_t number, bool is_slow)
{
    const struct options *options = self;

    return target_dial(&options->target, number, is_slow);
}

static int run_worker(struct coordinator *co, size_t index)
{
    struct worker worker;

    /* Never outlives its parent; wakes up when a message is due, not some 50 us later. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_TIMERSLACK, 1UL);
    (void)signal(SIGPIPE, SIG_IGN);
    if (process_pin(co->options, index) != 0)
        return 1;
    if (worker_init(&worker, co->options, co->team, index, dial, co->options) != 0) {
        worker_dispose(&worker);
        return 1;
    }
    worker_run(&worker);
    worker_dispose(&worker);
    return 0;
}

static int start_workers(struct coordinator *co)
{
    for (size_t i = 0; i < co->team->n_members; i++) {
        pid_t pid = fork();

        if (pid == -1) {
            fprintf(stderr, "load: fork: %s\n", strerror(errno));
            return -1;
        }
        if (pid == 0)
            _exit(run_worker(co, i));
        co->team->members[i].pid = pid;
        co->n_running++;
    }
    return 0;
}

/* Whether nothing has gone wrong so far; what has is in the verdict then. */
static bool is_well(struct coordinator *co)
{
    int status;

    for (size_t i = 0; i < co->team->n_members; i++) {
        if (atomic_load(&co->team->members[i].n_failed) != 0)
            return false; /* what failed is read at the end */
    }
    if (waitpid(-1, &status, WNOHANG) > 0) {
        co->n_running--;
        verdict_fail(&co->verdict, "a process of the load ended too early");
        return false;
    }
    return true;
}

static size_t sum_ready(const struct team *team)
{
    size_t sum = 0;

    for (size_t i = 0; i < team->n_members; i++)
        sum += atomic_load(&team->members[i].n_ready);
    return sum;
}

/* Now and then: the kernel walks the server's memory for it. */
static void note_peak(struct coordinator *co)
{
    uint64_t now_ns = loop_now_ns();
    struct procstat memory;

    if (co->options->mode != OPTIONS_STORM || now_ns < co->next_peak_ns)
        return;
    co->next_peak_ns = now_ns + PEAK_EVERY_NS;
    if (read_memory(co->options, &memory) == 0 && memory.rss_bytes > co->peak_bytes)
        co->peak_bytes = memory.rss_bytes;
}

/* `n_wanted` in all: one that comes back counts again. */
static bool wait_until_ready(struct coordinator *co, size_t n_wanted)
{
    size_t n_ready = 0, now_ready;
    uint64_t last_ns = loop_now_ns();

    while ((now_ready = sum_ready(co->team)) < n_wanted) {
        if (!is_well(co))
            return false;
        if (now_ready != n_ready)
            last_ns = loop_now_ns();
        n_ready = now_ready;
        live_show_connecting(&co->live, n_ready + co->n_connections - n_wanted, loop_now_ns());
        if (loop_now_ns() - last_ns > co->options->connect_timeout_ns) {
            verdict_fail(&co->verdict, "%zu of %zu connections are subscribed, and no more came",
                         n_ready + co->n_connections - n_wanted, co->n_connections);
            return false;
        }
        note_peak(co);
        sleep_ns(POLL_NS);
    }
    return true;
}

/* How many deliveries the messages sent so far make, and how many of them have come. */
static void sum_progress(const struct coordinator *co, uint64_t *expected, uint64_t *received)
{
    *expected = 0;
    *received = 0;
    for (size_t i = 0; i < co->team->n_members; i++) {
        *expected += atomic_load(&co->team->members[i].n_expected);
        *received += atomic_load(&co->team->members[i].n_received);
    }
}

static bool has_sent_all(const struct team *team)
{
    for (size_t i = 0; i < team->n_members; i++) {
        if (!atomic_load(&team->members[i].has_sent_all))
            return false;
    }
    return true;
}

struct watch {
    uint64_t received;
    uint64_t last_ns; /* when something came last */
};

/* Waits until a time, or for UINT64_MAX until all is sent and has come. False: it goes wrong. */
static bool watch_until(struct coordinator *co, struct watch *watch, uint64_t until_ns)
{
    for (;;) {
        uint64_t now_ns = loop_now_ns(), expected, received;
        bool is_last = has_sent_all(co->team);

        if (now_ns >= until_ns)
            return true;
        if (!is_well(co))
            return false;
        sum_progress(co, &expected, &received);
        live_show_running(&co->live, atomic_load(&co->team->start_ns),
                          co->options->warmup_ns + co->options->seconds_ns, received, now_ns);
        if (until_ns == UINT64_MAX && is_last && received >= expected)
            return true;
        if (received != watch->received || received >= expected)
            watch->last_ns = now_ns;
        watch->received = received;
        /* What is missing then is counted in the end. */
        if (now_ns - watch->last_ns > co->options->patience_ns)
            return false;
        sleep_ns(until_ns - now_ns < POLL_NS ? until_ns - now_ns : POLL_NS);
    }
}

static void run_traffic(struct coordinator *co)
{
    const struct options *o = co->options;
    uint64_t start_ns = loop_now_ns() + HEAD_START_NS;
    struct watch watch = {0, start_ns};

    atomic_store(&co->team->start_ns, start_ns);
    team_enter(co->team, TEAM_RUN);
    if (!watch_until(co, &watch, start_ns + o->warmup_ns) || take_sample(co, &co->first) != 0 ||
        !watch_until(co, &watch, start_ns + o->warmup_ns + o->seconds_ns) ||
        take_sample(co, &co->last) != 0) {
        co->has_stopped_early = true;
        return;
    }
    co->has_window = true;
    if (watch_until(co, &watch, UINT64_MAX))
        sleep_ns(AFTERMATH_NS);
}

static void note_memory(struct coordinator *co, struct procstat *out)
{
    if (read_memory(co->options, out) != 0)
        verdict_fail(&co->verdict, "the server's memory cannot be read");
}

/* Connections are ready: how long that took since `start_ns`, or since the first was started. */
static void note_arrival(struct coordinator *co, uint64_t start_ns)
{
    uint64_t first_ns = UINT64_MAX, last_ns = 0;

    for (size_t i = 0; i < co->team->n_members; i++) {
        uint64_t first = atomic_load(&co->team->members[i].first_dial_ns);
        uint64_t last = atomic_load(&co->team->members[i].last_ready_ns);

        /* One without a connection has neither. */
        if (first != 0 && first < first_ns)
            first_ns = first;
        if (last > last_ns)
            last_ns = last;
    }
    co->arrival_ns = last_ns - (start_ns == 0 ? first_ns : start_ns);
    co->has_window = take_sample(co, &co->last) == 0;
}

static bool run_storm(struct coordinator *co)
{
    uint64_t start_ns;

    if (take_sample(co, &co->first) != 0)
        return false;
    co->peak_bytes = co->after.rss_bytes;
    start_ns = loop_now_ns();
    atomic_store(&co->team->start_ns, start_ns);
    team_enter(co->team, TEAM_RUN);
    if (!wait_until_ready(co, 2 * co->n_connections))
        return false;
    note_arrival(co, start_ns);
    sleep_ns(MEMORY_SETTLES_NS);
    note_memory(co, &co->back);
    return true;
}

static void run_quiet(struct coordinator *co)
{
    uint64_t start_ns, end_ns;

    if (co->options->mode == OPTIONS_RAMP)
        note_arrival(co, 0);
    sleep_ns(MEMORY_SETTLES_NS);
    note_memory(co, &co->after);
    if (co->options->mode == OPTIONS_STORM && !run_storm(co)) {
        co->has_stopped_early = true;
        return;
    }
    start_ns = loop_now_ns();
    end_ns = start_ns + co->options->hold_ns;
    while (loop_now_ns() < end_ns && is_well(co)) {
        live_show_running(&co->live, start_ns, co->options->hold_ns, 0, loop_now_ns());
        sleep_ns(POLL_NS);
    }
}

/* All connections are closed. */
static void watch_memory_settle(struct coordinator *co)
{
    sleep_ns(MEMORY_SETTLES_NS);
    note_memory(co, &co->closed);
    if (co->options->settle_ns > MEMORY_SETTLES_NS)
        sleep_ns(co->options->settle_ns - MEMORY_SETTLES_NS);
    note_memory(co, &co->settled);
}

static void stop_workers(struct coordinator *co)
{
    int status;

    team_enter(co->team, TEAM_STOP);
    for (; co->n_running != 0; co->n_running--) {
        if (wait(&status) == -1 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
            verdict_fail(&co->verdict, "a process of the load failed");
    }
    for (size_t i = 0; i < co->team->n_members; i++) {
        if (atomic_load(&co->team->members[i].n_failed) != 0)
            verdict_fail(&co->verdict, "%s", co->team->members[i].failure);
    }
}

static void report_latency(struct coordinator *co, struct report *report)
{
    struct histogram *latency = mem_calloc(1, sizeof(*latency));

    for (size_t i = 0; i < co->team->n_members; i++)
        histogram_merge(latency, &co->team->members[i].latency);
    report_number(report, "latency_p50_us", (double)histogram_quantile(latency, 500000) / 1e3, 1);
    report_number(report, "latency_p99_us", (double)histogram_quantile(latency, 990000) / 1e3, 1);
    report_number(report, "latency_p999_us", (double)histogram_quantile(latency, 999000) / 1e3, 1);
    report_number(report, "latency_max_us", (double)latency->max / 1e3, 1);
    mem_free(latency);
}

static void report_traffic(struct coordinator *co, struct report *report)
{
    const struct options *o = co->options;
    const struct team_counts *counts = &co->verdict.counts;
    double seconds = (double)o->seconds_ns / 1e9;
    double measured = (double)(counts->n_received_measured == 0 ? 1 : counts->n_received_measured);

    report_count(report, "deliveries", counts->n_received);
    report_count(report, "deliveries_measured", counts->n_received_measured);
    if (co->has_window) {
        report_number(report, "deliveries_per_s", (double)counts->n_received_measured / seconds, 0);
        report_number(report, "published_per_s", (double)counts->n_sent_measured / seconds, 1);
    }
    report_latency(co, report);
    if (co->has_window && co->has_pids) {
        double cpu_ns = (double)(co->last.server.cpu_ns - co->first.server.cpu_ns);

        report_number(report, "server_cpu_s", cpu_ns / 1e9, 3);
        report_number(report, "server_us_per_delivery", cpu_ns / 1e3 / measured, 3);
        report_count(report, "server_rss_bytes", co->last.server.rss_bytes);
    }
    if (co->has_window)
        report_number(report, "load_cpu_s",
                      (double)(co->last.load.cpu_ns - co->first.load.cpu_ns) / 1e9, 3);
    report_count(report, "received_bytes", counts->n_bytes);
    if (o->has_deflate)
        report_count(report, "inflated", counts->n_inflated);
    if (o->mode == OPTIONS_SLOW)
        report_count(report, "slow_closed", counts->n_slow_closed);
    if (o->mode == OPTIONS_MIXED) {
        report_count(report, "churned", counts->n_churned);
        report_count(report, "reconnected", counts->n_reconnected);
        report_count(report, "deliveries_churned", counts->n_received_churned);
    }
    report_count(report, "missing", co->verdict.n_missing);
    report_count(report, "duplicates", counts->n_duplicates);
    report_count(report, "reordered", counts->n_late);
}

static void report_memory(struct report *report, const char *const names[4], uint64_t before,
                          uint64_t after, uint64_t closed, size_t n_connections)
{
    report_count(report, names[0], before);
    report_count(report, names[1], after);
    report_count(report, names[2], closed);
    report_number(report, names[3], ((double)after - (double)before) / (double)n_connections, 1);
}

/* What it took to open connections: the ramp, or their way back. */
static void report_arrival(struct coordinator *co, struct report *report)
{
    double n = (double)co->n_connections;

    if (co->has_window) {
        report_number(report, "seconds", (double)co->arrival_ns / 1e9, 3);
        report_number(report, "connections_per_s", n * 1e9 / (double)co->arrival_ns, 1);
    }
    report_latency(co, report);
    if (co->options->mode == OPTIONS_STORM) {
        report_count(report, "failures", co->verdict.counts.n_failures);
        report_count(report, "resumed", co->verdict.counts.n_resumed);
    }
    if (co->has_window && co->has_pids) {
        double cpu_ns = (double)(co->last.server.cpu_ns - co->first.server.cpu_ns);

        report_number(report, "server_cpu_s", cpu_ns / 1e9, 3);
        report_number(report, "server_us_per_connection", cpu_ns / 1e3 / n, 1);
    }
    if (co->has_window)
        report_number(report, "load_cpu_s",
                      (double)(co->last.load.cpu_ns - co->first.load.cpu_ns) / 1e9, 3);
}

static void report_quiet(struct coordinator *co, struct report *report)
{
    static const char *const rss[] = {"rss_before_bytes", "rss_open_bytes", "rss_closed_bytes",
                                      "rss_bytes_per_connection"};
    static const char *const pss[] = {"pss_before_bytes", "pss_open_bytes", "pss_closed_bytes",
                                      "pss_bytes_per_connection"};
    static const char *const anonymous[] = {"anonymous_before_bytes", "anonymous_open_bytes",
                                            "anonymous_closed_bytes",
                                            "anonymous_bytes_per_connection"};
    const struct procstat *b = &co->before, *a = &co->after, *c = &co->closed;

    if (co->options->mode != OPTIONS_IDLE)
        report_arrival(co, report);
    if (!co->has_pids)
        return;
    report_memory(report, rss, b->rss_bytes, a->rss_bytes, c->rss_bytes, co->n_connections);
    report_memory(report, pss, b->pss_bytes, a->pss_bytes, c->pss_bytes, co->n_connections);
    report_memory(report, anonymous, b->anonymous_bytes, a->anonymous_bytes, c->anonymous_bytes,
                  co->n_connections);
    if (co->options->mode == OPTIONS_STORM) {
        report_count(report, "rss_peak_bytes", co->peak_bytes);
        report_count(report, "rss_back_bytes", co->back.rss_bytes);
    }
    if (co->options->mode != OPTIONS_IDLE)
        report_count(report, "rss_settled_bytes", co->settled.rss_bytes);
}

static void print_report(struct coordinator *co)
{
    struct report report;

    report_init(&report, co->options->is_json);
    report_string(&report, "mode", options_mode_name(co->options->mode));
    report_count(&report, "connections", co->n_connections);
    if (is_quiet(co))
        report_quiet(co, &report);
    else
        report_traffic(co, &report);
    report_flag(&report, "ok", !co->verdict.has_failed);
    if (co->verdict.has_failed)
        report_string(&report, "failure", co->verdict.why);
    report_print(&report, stdout);
    report_dispose(&report);
    if (co->verdict.has_failed)
        fprintf(stderr, "load: FAILED: %s\n", co->verdict.why);
}

/* From the fork on: whatever happens, the workers are stopped and what they counted is shown. */
static void run(struct coordinator *co)
{
    live_init(&co->live, co->options, co->team, co->n_connections);
    /* A ramp by rate begins when all processes are there. */
    atomic_store(&co->team->start_ns, loop_now_ns() + HEAD_START_NS);
    if (start_workers(co) != 0)
        verdict_fail(&co->verdict, "not all processes could be started");
    else if (wait_until_ready(co, co->n_connections))
        is_quiet(co) ? run_quiet(co) : run_traffic(co);
    live_end(&co->live);
    stop_workers(co);
    if (is_quiet(co))
        watch_memory_settle(co);
    for (size_t i = 0; i < co->team->n_members; i++)
        verdict_add(&co->verdict, &co->team->members[i].counts);
    if (co->verdict.counts.n_failures > co->options->n_failures)
        verdict_fail(&co->verdict, "%llu attempts to come back failed",
                     (unsigned long long)co->verdict.counts.n_failures);
    if (!is_quiet(co))
        verdict_judge(&co->verdict, (enum options_order)co->options->order);
    /* Said last: it is only the reason when nothing else was found. */
    if (co->has_stopped_early)
        verdict_fail(&co->verdict, "the run ended before its time");
    print_report(co);
}

int coordinator_run(struct options *options)
{
    struct coordinator co = {
        .options = options,
        .mode = worker_mode(options->mode),
        .has_pids = options->pids.n_items != 0,
    };

    co.n_connections = co.mode->count(options);
    if (target_resolve(&options->target) != 0 || choose_processes(&co) != 0 ||
        process_pin(options, 0) != 0 || take_first_sample(&co) != 0)
        return 1;
    co.team = team_new(options->n_procs, co.mode->n_publishers(options));
    if (co.team == NULL)
        return 1;
    run(&co);
    team_free(co.team);
    return co.verdict.has_failed ? 1 : 0;
}
