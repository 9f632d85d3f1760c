#ifndef GATEWAY_ROUTER_MSG_H
#define GATEWAY_ROUTER_MSG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/slice.h"

/*
 * A published message: immutable and shared by all workers once it is made (Spring's
 * SimpleBrokerMessageHandler, section 4.6 of its behaviour). Its header lines are kept in STOMP's
 * form, which every STOMP transport sends as it is; what differs per receiver (the subscription)
 * or per transport (framing) is not in it.
 *
 * Counted by msg_ref and msg_unref: any thread.
 */

/**
 * The end of a message compressed for one wire form: what router/packer made of it, once for all
 * receivers of all workers.
 */
struct msg_packed {
    struct msg_packed *next;
    size_t len;   /* 0: it does not get shorter */
    uint8_t wire; /* enum wire */
    char bytes[];
};

struct msg {
    _Atomic uint32_t refs;
    bool is_binary; /* goes out as a binary WebSocket message: by its type, or not UTF-8 */
    bool is_bound;  /* for one session alone, which `destination` ends with */
    struct slice destination; /* where it goes; what receivers are shown is a header */
    struct slice head; /* "MESSAGE\n" and the header lines that all receivers get, each with \n */
    struct slice id;   /* the message-id */
    struct slice tail; /* "message-id:..\ncontent-length:..\n\n", the body and a NUL */
    struct slice body; /* part of the tail */
    /* Made when first needed, each form once: added in front, never changed, freed with the
     * message. A message that is kept for later keeps them too, beyond what msg_bytes says. */
    struct msg_packed *_Atomic packed;
    char bytes[];
};

/** Header lines being collected for a message. */
struct msg_header {
    struct slice name; /* unescaped */
    struct slice value;
};

/**
 * Makes a message with one reference. Copies everything. The headers go out in the order given;
 * one of them is the destination, none is subscription, message-id or content-length.
 */
struct msg *msg_new(struct slice destination, const struct msg_header *headers, size_t n_headers,
                    struct slice id, struct slice body, bool is_binary);

/** The same message for one session alone; `destination` is a bound one. A copy. */
struct msg *msg_new_bound(const struct msg *msg, struct slice destination);

/** The same message with further header lines, in STOMP's form, each with its \n. A copy. */
struct msg *msg_new_with_lines(const struct msg *msg, struct slice lines);

/** The same message with another destination shown to receivers. A copy. */
struct msg *msg_new_shown(const struct msg *msg, struct slice destination);

/**
 * The value of the first header of that name, unescaped. It is borrowed from the message, or from
 * `*owned` when that is not NULL, which is the caller's to mem_free. Returns false, with `*owned`
 * NULL, when there is none.
 */
bool msg_find_header(const struct msg *msg, struct slice name, struct slice *value, char **owned);

/** What the message was packed to for that wire form; NULL: it was not yet. */
const struct msg_packed *msg_find_packed(const struct msg *msg, uint8_t wire);

/**
 * Keeps the form with the message, unless another thread has just done so: returns the one that is
 * kept. Copies the bytes. The message is const, for what it says does not change.
 */
const struct msg_packed *msg_add_packed(const struct msg *msg, uint8_t wire, struct slice bytes);

static inline struct msg *msg_ref(struct msg *msg)
{
    atomic_fetch_add_explicit(&msg->refs, 1, memory_order_relaxed);
    return msg;
}

void msg_unref(struct msg *msg);

/** What the message costs in memory. */
static inline size_t msg_bytes(const struct msg *msg)
{
    return sizeof(*msg) + msg->destination.len + msg->head.len + msg->tail.len;
}

#endif
