#include "stomp/encode.h"

#include <string.h>
#include "base/decimal.h"
#include "base/scan.h"

/* The letter behind the backslash, or 0 for a byte that travels as it is. */
static char escape_of(char c)
{
    switch (c) {
    case '\\':
        return '\\';
    case ':':
        return 'c';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    default:
        return '\0';
    }
}

static inline unsigned first_escaped(scan_block block)
{
    return scan_first(scan_equal(block, '\\') | scan_equal(block, ':') | scan_equal(block, '\n') |
                      scan_equal(block, '\r'));
}

/* How many bytes stand before the first that is escaped: all of them as a rule. */
static size_t plain_run(struct slice text)
{
    char rest[SCAN_BYTES] = "";
    size_t at = 0;

    for (; text.len - at >= SCAN_BYTES; at += SCAN_BYTES) {
        unsigned first = first_escaped(scan_load(text.base + at));

        if (first != SCAN_BYTES)
            return at + first;
    }
    if (at == text.len)
        return at;
    memcpy(rest, text.base + at, text.len - at);
    at += first_escaped(scan_load(rest));
    return at < text.len ? at : text.len;
}

size_t stomp_escaped_len(struct slice text)
{
    size_t len = text.len;

    for (size_t i = plain_run(text); i < text.len; i++)
        len += escape_of(text.base[i]) != '\0';
    return len;
}

static char *copy(struct slice text, char *out)
{
    if (text.len != 0)
        memcpy(out, text.base, text.len);
    return out + text.len;
}

char *stomp_escape(struct slice text, char *out)
{
    size_t n_plain = plain_run(text);

    out = copy(slice_take(text, n_plain), out);
    for (size_t i = n_plain; i < text.len; i++) {
        char c = text.base[i], escape = escape_of(c);

        if (escape != '\0') {
            *out++ = '\\';
            c = escape;
        }
        *out++ = c;
    }
    return out;
}

struct slice stomp_unescape_in_place(char *text, size_t len)
{
    char *out = text;

    for (size_t i = 0; i < len; i++) {
        char c = text[i];

        if (c == '\\' && i + 1 < len) {
            c = text[++i];
            c = (char)(c == 'c' ? ':' : c == 'n' ? '\n' : c == 'r' ? '\r' : c);
        }
        *out++ = c;
    }
    return slice_of(text, (size_t)(out - text));
}

bool stomp_encode_begin(struct buf *out, enum stomp_command command)
{
    struct slice name = stomp_command_name(command);
    char *at = buf_reserve(out, name.len + 1);

    if (at == NULL)
        return false;
    *copy(name, at) = '\n';
    buf_commit(out, name.len + 1);
    return true;
}

bool stomp_encode_header(struct buf *out, enum stomp_command command, struct slice name,
                         struct slice value)
{
    const struct slice content_length = SLICE("content-length");
    size_t name_len = name.len, value_len = value.len;
    char *at;

    /* stomp_encode_end writes the one that is true. */
    if (stomp_command_has_body(command) && slice_eq(name, content_length))
        return true;
    if (stomp_command_escapes(command)) {
        name_len = stomp_escaped_len(name);
        value_len = stomp_escaped_len(value);
    }
    at = buf_reserve(out, name_len + value_len + 2);
    if (at == NULL)
        return false;
    at = name_len == name.len ? copy(name, at) : stomp_escape(name, at);
    *at++ = ':';
    at = value_len == value.len ? copy(value, at) : stomp_escape(value, at);
    *at = '\n';
    buf_commit(out, name_len + value_len + 2);
    return true;
}

bool stomp_encode_end(struct buf *out, enum stomp_command command, struct slice body)
{
    const struct slice name = SLICE("content-length:");
    char digits[DECIMAL_MAX];
    struct slice number = slice_of(digits, (size_t)(decimal_write(body.len, digits) - digits));
    char *at;
    bool has_body = stomp_command_has_body(command);
    size_t head_len = has_body ? name.len + number.len + 2 : 1;

    if (body.len > out->max || (at = buf_reserve(out, head_len + body.len + 1)) == NULL)
        return false;
    if (has_body) {
        at = copy(number, copy(name, at));
        *at++ = '\n';
    }
    *at++ = '\n';
    *copy(body, at) = '\0';
    buf_commit(out, head_len + body.len + 1);
    return true;
}
