#ifndef GATEWAY_CONFIG_VALUE_H
#define GATEWAY_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/slice.h"
#include "gateway/config/settings.h"

/*
 * The text of one value, as it stands in a file, a variable or a flag. Each function returns false,
 * with `*out` untouched, for what is not such a value. Pure. Any thread.
 */

/** `true` or `false`. */
bool value_bool(struct slice text, bool *out);

/** Bytes: `65536`, `64KiB`, `1MiB`, `2GiB`. */
bool value_size(struct slice text, uint64_t *out);

/** Milliseconds of `500ms`, `10s`, `2m`, `1h`; `0` needs no unit. */
bool value_duration(struct slice text, uint64_t *out);

/** Two durations joined by a comma; here bare numbers are milliseconds. */
bool value_heartbeat(struct slice text, uint64_t out[2]);

/** The index in `words` (NULL at its end). */
bool value_word(struct slice text, const char *const *words, unsigned *out);

/** 64 hex digits. */
bool value_sha256(struct slice text, unsigned char out[32]);

/** What `host:port` names: enough to tell equal addresses, whatever their spelling. */
struct value_address {
    struct slice host; /* borrowed, without brackets */
    bool is_v6;
    unsigned char v6[16]; /* when is_v6 */
    uint16_t port;
};

/** `host:port` with a name or an IPv4 address, or `[v6]:port`. */
bool value_address(struct slice text, struct value_address *out);

/** Same host and same port; port 0 is never the same. */
bool value_address_equal(const struct value_address *a, const struct value_address *b);

/** 127.0.0.0/8, ::1 or localhost. */
bool value_address_is_loopback(const struct value_address *address);

/** A walk over a comma-separated list. */
struct value_items {
    struct slice rest;
    bool is_done;
};

/** Borrows `text`; an empty one has no items. */
struct value_items value_items_of(struct slice text);

/**
 * The next item, trimmed. Commas inside [...] and {...} do not separate: `http://a:[1,2]` is one
 * origin pattern. Returns false at the end.
 */
bool value_items_next(struct value_items *items, struct slice *item);

/** Room for what the functions below write. */
struct value_text {
    char text[320];
};

/** `64KiB`, `512`: the shortest way to write it. */
struct value_text value_size_text(uint64_t bytes);

/** `10s`, `500ms`, `0`. */
struct value_text value_duration_text(uint64_t ms);

/** "one of a, b, c". */
struct value_text value_words_text(const char *const *words);

/** What the setting takes: "a duration such as 500ms or 10s, from 10ms to 1h". */
struct value_text value_expected(const struct setting *setting);

/** The setting's range alone, "10ms to 1h", or "" when it has none. */
struct value_text value_range(const struct setting *setting);

#endif
