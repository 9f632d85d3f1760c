#include "gateway/bench/progress.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_NUMBER = 32 };

/* With a comma before each three digits. */
static const char *group(char out[MAX_NUMBER], uint64_t n)
{
    char *at = out + MAX_NUMBER - 1;

    *at = '\0';
    for (int i = 0; i == 0 || n != 0; i++, n /= 10) {
        if (i != 0 && i % 3 == 0)
            *--at = ',';
        *--at = (char)('0' + n % 10);
    }
    return at;
}

/* Three digits or so in the unit that suits. */
static const char *duration(char out[MAX_NUMBER], uint64_t ns)
{
    if (ns < 1000000)
        (void)snprintf(out, MAX_NUMBER, "%.0f us", (double)ns / 1e3);
    else if (ns < 1000000000)
        (void)snprintf(out, MAX_NUMBER, "%.1f ms", (double)ns / 1e6);
    else
        (void)snprintf(out, MAX_NUMBER, "%.1f s", (double)ns / 1e9);
    return out;
}

/* What there is no room for is cut off. */
__attribute__((format(printf, 2, 3))) static void append(char *out, const char *format, ...)
{
    size_t len = strlen(out);
    va_list args;

    va_start(args, format);
    (void)vsnprintf(out + len, PROGRESS_MAX - len, format, args);
    va_end(args);
}

static uint64_t rate(const struct progress *p)
{
    return (uint64_t)((double)p->n_deliveries * 1e9 / (double)p->since_ns);
}

void progress_write(char out[PROGRESS_MAX], const struct progress *p)
{
    char number[MAX_NUMBER], other[MAX_NUMBER];

    out[0] = '\0';
    append(out, "%s  ", p->mode);
    if (!p->is_running) {
        append(out, "connecting: %s of %s", group(number, p->n_ready),
               group(other, p->n_connections));
        return;
    }
    assert(p->since_ns != 0);
    append(out, "%.0f of %.0f s", (double)p->elapsed_ns / 1e9, (double)p->total_ns / 1e9);
    if (p->is_idle)
        append(out, "  %s connections", group(number, p->n_connections));
    else
        append(out, "  %s/s", group(number, rate(p)));
    if (p->has_latency)
        append(out, "  p50 %s  p99 %s", duration(number, p->p50_ns), duration(other, p->p99_ns));
    else if (!p->is_idle)
        append(out, "  warming up");
    if (p->has_cpu)
        append(out, "  server %.0f %% CPU", (double)p->cpu_ns * 100 / (double)p->since_ns);
}
