#include "gateway/ops/lograte.h"

bool log_rate_allow(struct log_rate *rate, uint64_t now_ms, uint64_t *n_suppressed)
{
    if (now_ms - rate->interval_started_ms >= LOG_RATE_INTERVAL_MS) {
        rate->interval_started_ms = now_ms;
        rate->n_lines = 0;
    }
    if (rate->n_lines == LOG_RATE_LINES) {
        rate->n_suppressed++;
        return false;
    }
    rate->n_lines++;
    *n_suppressed = rate->n_suppressed;
    rate->n_suppressed = 0;
    return true;
}
