#include "gateway/ops/log.h"

#include <errno.h>
#include <inttypes.h>
#include <time.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/utf8.h"

enum {
    LOG_LINE_MAX = 32 * 1024, /* fields that would pass it are left out */
    LOG_STR_MAX = 512,
};

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_init(struct log *log, int fd, enum log_level level, bool json)
{
    *log = (struct log){.level = level, .json = json, .fd = fd};
}

/** Bytes of the valid UTF-8 character that `s` starts with; 0 when it starts with none. */
static size_t character_len(struct slice s)
{
    for (size_t n = 1; n <= 4 && n <= s.len; n++) {
        if (utf8_is_valid(slice_take(s, n)))
            return n;
    }
    return 0;
}

/** Control characters of both ranges: a terminal may obey the second (U+0080 to U+009F) as well. */
static bool is_control(struct slice character)
{
    unsigned char first = (unsigned char)character.base[0];

    if (character.len == 1)
        return first < 0x20 || first == 0x7f;
    return character.len == 2 && first == 0xc2 && (unsigned char)character.base[1] < 0xa0;
}

static bool escape_control(struct buf *line, struct slice character, bool json)
{
    unsigned char code = (unsigned char)character.base[character.len - 1];

    switch (code) {
    case '\n':
        return buf_append(line, (struct slice)SLICE("\\n"));
    case '\r':
        return buf_append(line, (struct slice)SLICE("\\r"));
    case '\t':
        return buf_append(line, (struct slice)SLICE("\\t"));
    default:
        return buf_printf(line, json ? "\\u%04x" : "\\x%02x", code);
    }
}

/** Between the quotes. What is not UTF-8 is shown byte by byte in text, as U+FFFD in JSON. */
static bool append_escaped(struct buf *line, struct slice value, bool json)
{
    bool fits = true;

    while (value.len != 0 && fits) {
        size_t n = character_len(value);
        struct slice character = slice_take(value, n == 0 ? 1 : n);

        if (n == 0)
            fits = json ? buf_append(line, (struct slice)SLICE("\\ufffd"))
                        : buf_printf(line, "\\x%02x", (unsigned char)value.base[0]);
        else if (is_control(character))
            fits = escape_control(line, character, json);
        else if (character.base[0] == '"' || character.base[0] == '\\')
            fits = buf_printf(line, "\\%c", character.base[0]);
        else
            fits = buf_append(line, character);
        value = slice_skip(value, character.len);
    }
    return fits;
}

/** Whether a text value can stand without quotes and still be told from what comes next. */
static bool is_plain(struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.base[i];

        if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '=')
            return false;
    }
    return value.len != 0;
}

/** At most LOG_STR_MAX bytes, not ending inside a character. */
static struct slice shortened(struct slice value)
{
    struct slice cut = slice_take(value, LOG_STR_MAX);

    if (cut.len == value.len)
        return value;
    for (size_t back = 0; back < 4; back++) {
        size_t at = cut.len - back - 1;

        if (((unsigned char)cut.base[at] & 0xc0) != 0x80) { /* the start of a character */
            if (character_len(slice_skip(cut, at)) == 0)
                cut = slice_take(cut, at);
            break;
        }
    }
    return cut;
}

static bool append_str(struct buf *line, struct slice value, bool json)
{
    struct slice cut = shortened(value);
    const char *end = cut.len == value.len ? "\"" : "...\"";

    if (!json && cut.len == value.len && is_plain(cut))
        return buf_append(line, cut);
    return buf_append(line, (struct slice)SLICE("\"")) && append_escaped(line, cut, json) &&
           buf_append(line, slice_str(end));
}

static bool append_value(struct buf *line, const struct log_field *field, bool json)
{
    switch (field->kind) {
    case LOG_STR:
        return append_str(line, field->str, json);
    case LOG_U64:
        return buf_printf(line, "%" PRIu64, field->u64);
    case LOG_I64:
        return buf_printf(line, "%" PRId64, field->i64);
    case LOG_BOOL:
        return buf_printf(line, "%s", field->u64 != 0 ? "true" : "false");
    }
    return false;
}

/** Appends one field, or nothing when it does not fit. */
static void append_field(struct buf *line, const struct log_field *field, bool json)
{
    size_t before = line->len;

    if (!buf_printf(line, json ? ",\"%s\":" : " %s=", field->key) ||
        !append_value(line, field, json))
        line->len = before;
}

static bool append_start(struct buf *line, enum log_level level, const char *event, bool json)
{
    struct timespec now;
    struct tm utc;
    char date[sizeof("2026-01-01T00:00:00")];

    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &utc);
    (void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
    if (json)
        return buf_printf(line, "{\"time\":\"%s.%03ldZ\",\"level\":\"%s\",\"event\":\"%s\"", date,
                          now.tv_nsec / 1000000, level_names[level], event);
    return buf_printf(line, "%s.%03ldZ %-5s %s", date, now.tv_nsec / 1000000, level_names[level],
                      event);
}

static void write_line(int fd, struct slice line)
{
    while (line.len != 0) {
        ssize_t n = write(fd, line.base, line.len);

        if (n < 0 && errno != EINTR)
            return; /* nobody can be told */
        line = slice_skip(line, n < 0 ? 0 : (size_t)n);
    }
}

void log_write(const struct log *log, enum log_level level, const char *event,
               const struct log_field *fields, size_t n_fields)
{
    struct buf line;
    int saved_errno = errno; /* callers log between a failure and their look at it */

    if (level < log->level)
        return;
    buf_init(&line, LOG_LINE_MAX);
    if (append_start(&line, level, event, log->json)) {
        for (size_t i = 0; i < n_fields; i++)
            append_field(&line, &fields[i], log->json);
        line.max += 2; /* the end always has room */
        if (buf_append(&line, slice_str(log->json ? "}\n" : "\n")))
            write_line(log->fd, buf_slice(&line));
    }
    buf_dispose(&line);
    errno = saved_errno;
}
