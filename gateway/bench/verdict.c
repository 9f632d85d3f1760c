#include "gateway/bench/verdict.h"

#include <stdarg.h>
#include <stdio.h>

void verdict_fail(struct verdict *verdict, const char *format, ...)
{
    va_list args;

    if (verdict->has_failed)
        return;
    verdict->has_failed = true;
    va_start(args, format);
    (void)vsnprintf(verdict->why, sizeof(verdict->why), format, args);
    va_end(args);
}

void verdict_add(struct verdict *verdict, const struct team_counts *counts)
{
    struct team_counts *sum = &verdict->counts;

    sum->n_sent += counts->n_sent;
    sum->n_sent_measured += counts->n_sent_measured;
    sum->n_expected += counts->n_expected;
    sum->n_received += counts->n_received;
    sum->n_received_measured += counts->n_received_measured;
    sum->n_late += counts->n_late;
    sum->n_duplicates += counts->n_duplicates;
    sum->n_too_far += counts->n_too_far;
    sum->n_slow_closed += counts->n_slow_closed;
    sum->n_churned += counts->n_churned;
    sum->n_reconnected += counts->n_reconnected;
    sum->n_received_churned += counts->n_received_churned;
    sum->n_inflated += counts->n_inflated;
    sum->n_bytes += counts->n_bytes;
    sum->n_failures += counts->n_failures;
    sum->n_resumed += counts->n_resumed;
}

void verdict_judge(struct verdict *verdict, enum options_order order)
{
    const struct team_counts *sum = &verdict->counts;
    uint64_t expected = sum->n_expected;

    if (sum->n_received < expected)
        verdict->n_missing = expected - sum->n_received;
    if (sum->n_received > expected)
        verdict_fail(verdict, "%llu messages came that were not sent",
                     (unsigned long long)(sum->n_received - expected));
    if (verdict->n_missing != 0 || sum->n_duplicates != 0 || sum->n_too_far != 0 ||
        (order == ORDER_STRICT && sum->n_late != 0))
        verdict_fail(verdict, "%llu messages missing, %llu repeated, %llu reordered",
                     (unsigned long long)verdict->n_missing, (unsigned long long)sum->n_duplicates,
                     (unsigned long long)sum->n_late);
    if (expected == 0)
        verdict_fail(verdict, "nothing was sent");
}
