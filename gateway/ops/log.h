#ifndef GATEWAY_OPS_LOG_H
#define GATEWAY_OPS_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"

/*
 * One line per event on standard error: a stable event name, then key=value (or one JSON object).
 * Never tokens, passwords or message bodies. A line is one write(2), so that lines of several
 * threads do not mix. Any thread; immutable after log_init.
 */

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

struct log {
    enum log_level level; /* quieter events are not written */
    bool json;
    int fd;
};

enum log_kind { LOG_STR, LOG_U64, LOG_I64, LOG_BOOL };

struct log_field {
    const char *key;
    enum log_kind kind;
    struct slice str; /* escaped when written; at most 512 bytes of it */
    uint64_t u64;
    int64_t i64;
};

static inline struct log_field log_str(const char *key, struct slice value)
{
    return (struct log_field){.key = key, .kind = LOG_STR, .str = value};
}

static inline struct log_field log_cstr(const char *key, const char *value)
{
    return (struct log_field){.key = key, .kind = LOG_STR, .str = slice_str(value)};
}

static inline struct log_field log_u64(const char *key, uint64_t value)
{
    return (struct log_field){.key = key, .kind = LOG_U64, .u64 = value};
}

static inline struct log_field log_i64(const char *key, int64_t value)
{
    return (struct log_field){.key = key, .kind = LOG_I64, .i64 = value};
}

static inline struct log_field log_bool(const char *key, bool value)
{
    return (struct log_field){.key = key, .kind = LOG_BOOL, .u64 = value};
}

/** Writes to `fd` (borrowed). */
void log_init(struct log *log, int fd, enum log_level level, bool json);

void log_write(const struct log *log, enum log_level level, const char *event,
               const struct log_field *fields, size_t n_fields);

/** log_event(log, LOG_LEVEL_INFO, "session.closed", log_str("id", id), log_u64("n", n)); */
#define log_event(log, level_, event, ...)                                                         \
    log_write((log), (level_), (event), (const struct log_field[]){__VA_ARGS__},                   \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

#endif
