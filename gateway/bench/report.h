#ifndef GATEWAY_BENCH_REPORT_H
#define GATEWAY_BENCH_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "base/buf.h"

/*
 * Named results in the order in which they were added, printed as a table or as one line of JSON
 * with the same names. Units are in the names. Owning thread only.
 */

struct report {
    bool is_json;
    struct buf text; /* finished but for JSON's braces */
};

void report_init(struct report *report, bool is_json);
void report_dispose(struct report *report);

void report_count(struct report *report, const char *name, uint64_t value);
void report_number(struct report *report, const char *name, double value, int n_decimals);
void report_flag(struct report *report, const char *name, bool value);
void report_string(struct report *report, const char *name, const char *value);

/** Writes all of it and flushes. */
void report_print(const struct report *report, FILE *out);

#endif
