#include "gateway/session/outgoing.h"

#include <string.h>
#include "base/mem.h"
#include "stomp/mime.h"

enum {
    HEADERS_MORE = 2, /* a destination and a content-type that the frame may not have */
    TYPE_MAX_BYTES = 4 * 1024 * 1024,
};

static const struct slice name_content_type = SLICE("content-type");
static const struct slice name_destination = SLICE("destination");

static inline bool is(struct slice name, const char *other)
{
    return memcmp(name.base, other, name.len) == 0;
}

/* Headers of a SEND that receivers do not get: ours to write, or meant for us. */
static bool is_kept_back(struct slice name)
{
    switch (name.len) {
    case 3:
        return is(name, "ack");
    case 5:
        return is(name, "x-seq");
    case 7:
        return is(name, "receipt") || is(name, "x-epoch") || is(name, "dropped");
    case 10:
        return is(name, "message-id");
    case 11:
        return is(name, "transaction") || is(name, "redelivered");
    case 12:
        return is(name, "subscription");
    case 14:
        return is(name, "content-length");
    case 16:
        return is(name, "x-delivery-count");
    case 19:
        return is(name, "simpOrigDestination");
    default:
        return false;
    }
}

void outgoing_init(struct outgoing *out, const struct stomp_frame *frame, size_t n_more)
{
    size_t n = frame->n_headers + HEADERS_MORE + n_more;

    out->headers = n <= OUTGOING_FEW ? out->few : mem_alloc(n * sizeof(*out->headers));
    out->n = 0;
    out->n_own = 0;
    out->lengths = 0;
    out->is_binary = false;
    buf_init(&out->content_type, TYPE_MAX_BYTES);
}

void outgoing_dispose(struct outgoing *out)
{
    for (size_t i = out->n - out->n_own; i < out->n; i++)
        mem_free((void *)(uintptr_t)out->headers[i].value.base);
    if (out->headers != out->few)
        mem_free(out->headers);
    buf_dispose(&out->content_type);
}

static inline uint64_t length_bit(struct slice name)
{
    return UINT64_C(1) << (name.len % 64);
}

static void outgoing_add(struct outgoing *out, struct slice name, struct slice value)
{
    out->lengths |= length_bit(name);
    out->headers[out->n++] = (struct msg_header){name, value};
}

/* Behind the last one of the same name: Spring keeps a list of values for each name. */
static void outgoing_add_beside(struct outgoing *out, struct slice name, struct slice value)
{
    size_t at = out->n;

    if ((out->lengths & length_bit(name)) != 0) {
        while (at > 0 && !slice_eq(out->headers[at - 1].name, name))
            at--;
    }
    if (at == 0 || at == out->n) {
        outgoing_add(out, name, value);
        return;
    }
    memmove(&out->headers[at + 1], &out->headers[at], (out->n - at) * sizeof(out->headers[0]));
    out->headers[at] = (struct msg_header){name, value};
    out->n++;
}

/* Adds the content-type in the form that Spring prints; the parser has checked it, and a frame that
 * comes straight from it knows that form. */
static void outgoing_add_type(struct outgoing *out, const struct stomp_frame *frame,
                              struct slice value)
{
    if (frame->content_type.len != 0) {
        value = frame->content_type;
        out->is_binary = frame->is_binary_type;
    } else {
        if (stomp_mime_parse(value, &out->content_type, NULL) == STOMP_OK)
            value = buf_slice(&out->content_type);
        out->is_binary = stomp_mime_is_binary(value);
    }
    outgoing_add(out, name_content_type, value);
}

void outgoing_copy_all(struct outgoing *out, const struct stomp_frame *frame, struct slice shown)
{
    bool had_destination = false, had_type = false;

    for (size_t i = 0; i < frame->n_headers; i++) {
        const struct stomp_header *header = &frame->headers[i];

        if (slice_eq(header->name, name_destination)) {
            if (!had_destination)
                outgoing_add(out, header->name, shown);
            had_destination = true;
        } else if (slice_eq(header->name, name_content_type)) {
            if (!had_type)
                outgoing_add_type(out, frame, header->value);
            had_type = true;
        } else if (!is_kept_back(header->name)) {
            outgoing_add_beside(out, header->name, header->value);
        }
    }
}

void outgoing_copy_named(struct outgoing *out, const struct stomp_frame *frame,
                         const struct config_route *route, struct slice shown)
{
    bool had_type = false;

    outgoing_add(out, name_destination, shown);
    for (size_t i = 0; i < frame->n_headers; i++) {
        const struct stomp_header *header = &frame->headers[i];

        if (slice_eq(header->name, name_content_type)) {
            if (!had_type)
                outgoing_add_type(out, frame, header->value);
            had_type = true;
            continue;
        }
        if (slice_eq(header->name, name_destination) || is_kept_back(header->name))
            continue;
        for (size_t k = 0; k < route->copy_headers.n; k++) {
            if (slice_eq(header->name, route->copy_headers.items[k])) {
                outgoing_add_beside(out, header->name, header->value);
                break;
            }
        }
    }
}

static void remove_all(struct outgoing *out, struct slice name)
{
    size_t n = 0;

    for (size_t i = 0; i < out->n; i++) {
        if (!slice_eq(out->headers[i].name, name))
            out->headers[n++] = out->headers[i];
    }
    out->n = n;
}

void outgoing_add_own(struct outgoing *out, struct slice name, struct slice value)
{
    char *copy = mem_alloc(value.len);

    if (value.len != 0)
        memcpy(copy, value.base, value.len);
    /* A route's names are all different, so none of its own values is lost here. */
    remove_all(out, name);
    outgoing_add(out, name, slice_of(copy, value.len));
    out->n_own++;
}
