#include "gateway/bench/live.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/mem.h"
#include "gateway/bench/procstat.h"

#define CLEAR_LINE "\r\033[K"

enum { EVERY_NS = 500 * 1000 * 1000 };

void live_init(struct live *live, const struct options *options, const struct team *team,
               size_t n_connections)
{
    *live = (struct live){
        .options = options,
        .team = team,
        .is_on = isatty(STDERR_FILENO) == 1,
        .progress = {.mode = options_mode_name(options->mode),
                     .n_connections = n_connections,
                     .is_idle = options->mode == OPTIONS_IDLE || options->mode == OPTIONS_RAMP ||
                                options->mode == OPTIONS_STORM},
    };
    if (live->is_on)
        live->latency = mem_alloc(sizeof(*live->latency));
}

void live_end(struct live *live)
{
    if (live->shown_ns != 0)
        fputs(CLEAR_LINE, stderr);
    mem_free(live->latency);
    live->is_on = false;
    live->latency = NULL;
}

static bool is_due(const struct live *live, uint64_t now_ns)
{
    return live->is_on && now_ns - live->shown_ns >= EVERY_NS;
}

static void show(struct live *live, uint64_t now_ns)
{
    char line[PROGRESS_MAX];

    progress_write(line, &live->progress);
    fprintf(stderr, CLEAR_LINE "%s", line);
    live->shown_ns = now_ns;
}

void live_show_connecting(struct live *live, size_t n_ready, uint64_t now_ns)
{
    if (!is_due(live, now_ns))
        return;
    live->progress.n_ready = n_ready;
    show(live, now_ns);
}

/* The processes go on counting meanwhile: it is nearly right, which is enough for a look. */
static void read_latency(struct live *live)
{
    memset(live->latency, 0, sizeof(*live->latency));
    for (size_t i = 0; i < live->team->n_members; i++)
        histogram_merge(live->latency, &live->team->members[i].latency);
    live->progress.has_latency = live->latency->n_values != 0;
    live->progress.p50_ns = histogram_quantile(live->latency, 500000);
    live->progress.p99_ns = histogram_quantile(live->latency, 990000);
}

static void read_cpu(struct live *live, bool is_first)
{
    struct procstat stat = {0};
    bool has_cpu = live->options->pids.n_items != 0;

    for (size_t i = 0; has_cpu && i < live->options->pids.n_items; i++)
        has_cpu = procstat_add_cpu(&stat, options_pid(live->options, i)) == 0;
    live->progress.has_cpu = has_cpu && !is_first;
    live->progress.cpu_ns = stat.cpu_ns - live->cpu_ns;
    live->cpu_ns = stat.cpu_ns;
}

void live_show_running(struct live *live, uint64_t start_ns, uint64_t total_ns, uint64_t n_received,
                       uint64_t now_ns)
{
    struct progress *p = &live->progress;
    bool is_first = !p->is_running;
    uint64_t since_ns = is_first ? start_ns : live->shown_ns;

    if (now_ns <= start_ns || !(is_due(live, now_ns) || (is_first && live->is_on)))
        return;
    p->is_running = true;
    p->elapsed_ns = now_ns - start_ns;
    p->total_ns = total_ns;
    p->n_deliveries = n_received - live->n_received;
    p->since_ns = now_ns - since_ns;
    live->n_received = n_received;
    read_latency(live);
    read_cpu(live, is_first);
    show(live, now_ns);
}
