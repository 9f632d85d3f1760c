#include "gateway/ops/metrics.h"

#include <inttypes.h>

static const struct {
    const char *kind;
    const char *name;
    const char *help;
} metrics_names[METRIC_N] = {
#define METRICS_KIND_COUNTER "counter"
#define METRICS_KIND_GAUGE "gauge"
#define METRICS_NAME(identifier, kind, name, help) {METRICS_KIND_##kind, name, help},
    METRICS(METRICS_NAME)
#undef METRICS_NAME
};

uint64_t metrics_sum(const struct metrics *const *sets, size_t n_sets, enum metric metric)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n_sets; i++)
        sum += atomic_load_explicit(&sets[i]->values[metric], memory_order_relaxed);
    return sum;
}

bool metrics_print(const struct metrics *const *sets, size_t n_sets, struct buf *out)
{
    for (unsigned i = 0; i < METRIC_N; i++) {
        const char *name = metrics_names[i].name;

        if (!buf_printf(
                out, "# HELP stompgate_%s %s\n# TYPE stompgate_%s %s\nstompgate_%s %" PRIu64 "\n",
                name, metrics_names[i].help, name, metrics_names[i].kind, name,
                metrics_sum(sets, n_sets, (enum metric)i)))
            return false;
    }
    return true;
}
