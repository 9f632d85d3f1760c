#include "gateway/router/msg.h"

#include <string.h>
#include "base/decimal.h"
#include "base/mem.h"
#include "stomp/encode.h"

static const struct slice command = SLICE("MESSAGE\n");
static const struct slice id_name = SLICE("message-id:");
static const struct slice length_name = SLICE("\ncontent-length:");

static char *put(char *at, struct slice bytes)
{
    if (bytes.len != 0)
        memcpy(at, bytes.base, bytes.len);
    return at + bytes.len;
}

static size_t line_len(const struct msg_header *header)
{
    return stomp_escaped_len(header->name) + stomp_escaped_len(header->value) + 2;
}

static char *put_line(char *at, const struct msg_header *header)
{
    at = stomp_escape(header->name, at);
    *at++ = ':';
    at = stomp_escape(header->value, at);
    *at++ = '\n';
    return at;
}

/* Room for all parts, with the slices set; the caller fills in head and tail, and the body. */
static struct msg *lay_out(struct slice destination, size_t head_len, size_t tail_len)
{
    struct msg *msg = mem_alloc(sizeof(*msg) + destination.len + head_len + tail_len);
    char *at = msg->bytes;

    atomic_init(&msg->refs, 1);
    atomic_init(&msg->packed, NULL);
    msg->is_bound = false;
    msg->destination = slice_of(at, destination.len);
    at = put(at, destination);
    msg->head = slice_of(at, head_len);
    msg->tail = slice_of(at + head_len, tail_len);
    return msg;
}

struct msg *msg_new(struct slice destination, const struct msg_header *headers, size_t n_headers,
                    struct slice id, struct slice body, bool is_binary)
{
    char digits[DECIMAL_MAX];
    struct slice length = slice_of(digits, (size_t)(decimal_write(body.len, digits) - digits));
    size_t head_len = command.len;
    struct msg *msg;
    char *at;

    for (size_t i = 0; i < n_headers; i++)
        head_len += line_len(&headers[i]);
    msg = lay_out(destination, head_len,
                  id_name.len + id.len + length_name.len + length.len + 2 + body.len + 1);
    msg->is_binary = is_binary;
    at = put((char *)(uintptr_t)msg->head.base, command);
    for (size_t i = 0; i < n_headers; i++)
        at = put_line(at, &headers[i]);
    at = put(at, id_name);
    msg->id = slice_of(at, id.len);
    at = put(at, id);
    at = put(put(at, length_name), length);
    *at++ = '\n';
    *at++ = '\n';
    msg->body = slice_of(at, body.len);
    at = put(at, body);
    *at = '\0';
    return msg;
}

/* A copy whose head is `front` and `behind`. */
static struct msg *copy(const struct msg *msg, struct slice destination, struct slice front,
                        struct slice behind)
{
    struct msg *made = lay_out(destination, front.len + behind.len, msg->tail.len);
    char *at = put((char *)(uintptr_t)made->head.base, front);

    at = put(at, behind);
    put(at, msg->tail);
    made->is_binary = msg->is_binary;
    made->is_bound = msg->is_bound;
    made->id = slice_of(at + (msg->id.base - msg->tail.base), msg->id.len);
    made->body = slice_of(at + (msg->body.base - msg->tail.base), msg->body.len);
    return made;
}

struct msg *msg_new_bound(const struct msg *msg, struct slice destination)
{
    struct msg *bound = copy(msg, destination, msg->head, slice_str(""));

    bound->is_bound = true;
    return bound;
}

struct msg *msg_new_with_lines(const struct msg *msg, struct slice lines)
{
    return copy(msg, msg->destination, msg->head, lines);
}

struct msg *msg_new_shown(const struct msg *msg, struct slice destination)
{
    static const struct slice name = SLICE("destination:");
    const struct msg_header shown = {SLICE("destination"), destination};
    struct slice left = slice_skip(msg->head, command.len), line;
    char *front = mem_alloc(msg->head.len + line_len(&shown));
    char *at = put_line(put(front, command), &shown);
    struct msg *made;

    while (slice_cut(left, '\n', &line, &left)) {
        if (slice_starts_with(line, name))
            continue;
        at = put(at, line);
        *at++ = '\n';
    }
    made = copy(msg, msg->destination, slice_of(front, (size_t)(at - front)), slice_str(""));
    mem_free(front);
    return made;
}

/* Compares an escaped name with a plain one. */
static bool is_name(struct slice escaped, struct slice name)
{
    char *text;
    bool is_it;

    if (escaped.len == 0 || memchr(escaped.base, '\\', escaped.len) == NULL)
        return slice_eq(escaped, name);
    text = mem_alloc(escaped.len);
    memcpy(text, escaped.base, escaped.len);
    is_it = slice_eq(stomp_unescape_in_place(text, escaped.len), name);
    mem_free(text);
    return is_it;
}

bool msg_find_header(const struct msg *msg, struct slice name, struct slice *value, char **owned)
{
    struct slice left = slice_skip(msg->head, command.len);
    struct slice line, line_name;

    *owned = NULL;
    while (slice_cut(left, '\n', &line, &left)) {
        if (!slice_cut(line, ':', &line_name, value) || !is_name(line_name, name))
            continue;
        if (value->len != 0 && memchr(value->base, '\\', value->len) != NULL) {
            *owned = mem_alloc(value->len);
            memcpy(*owned, value->base, value->len);
            *value = stomp_unescape_in_place(*owned, value->len);
        }
        return true;
    }
    *value = slice_str("");
    return false;
}

/* --- what it was packed to --- */

static const struct msg_packed *find_packed(const struct msg_packed *packed, uint8_t wire)
{
    while (packed != NULL && packed->wire != wire)
        packed = packed->next;
    return packed;
}

const struct msg_packed *msg_find_packed(const struct msg *msg, uint8_t wire)
{
    return find_packed(atomic_load_explicit(&msg->packed, memory_order_acquire), wire);
}

const struct msg_packed *msg_add_packed(const struct msg *msg, uint8_t wire, struct slice bytes)
{
    struct msg_packed *_Atomic *first = &((struct msg *)(uintptr_t)msg)->packed;
    struct msg_packed *made = mem_alloc(sizeof(*made) + bytes.len);

    made->len = bytes.len;
    made->wire = wire;
    put(made->bytes, bytes);
    made->next = atomic_load_explicit(first, memory_order_acquire);
    do {
        const struct msg_packed *theirs = find_packed(made->next, wire);

        if (theirs != NULL) {
            mem_free(made);
            return theirs;
        }
    } while (!atomic_compare_exchange_weak_explicit(first, &made->next, made, memory_order_acq_rel,
                                                    memory_order_acquire));
    return made;
}

static void destroy(struct msg *msg)
{
    struct msg_packed *packed = atomic_load_explicit(&msg->packed, memory_order_relaxed);

    while (packed != NULL) {
        struct msg_packed *next = packed->next;

        mem_free(packed);
        packed = next;
    }
    mem_free(msg);
}

void msg_unref(struct msg *msg)
{
    /* No fence behind it, though that would do: thread sanitizers do not understand fences. */
    if (atomic_fetch_sub_explicit(&msg->refs, 1, memory_order_acq_rel) == 1)
        destroy(msg);
}
