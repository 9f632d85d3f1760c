#include "gateway/bench/connection.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"
#include "gateway/bench/frame.h"
#include "gateway/bench/handshake.h"
#include "gateway/bench/inflater.h"

/* One SUBSCRIBE a connection: one receipt to wait for. */
#define SUBSCRIBE_RECEIPT "subscribed"

static void watch(struct connection *c, int operation)
{
    struct epoll_event event = {.data.ptr = c};

    event.events =
        (c->is_reading ? EPOLLIN | EPOLLRDHUP : 0U) | (c->is_writable_awaited ? EPOLLOUT : 0U);
    if (epoll_ctl(c->loop->epoll_fd, operation, c->link.fd, &event) != 0)
        connection_fail(c, "epoll refuses the socket");
}

/* A rest is never longer than the receive buffer, and the request fits an empty queue. */
static void must_fit(bool fits)
{
    assert(fits);
    (void)fits;
}

struct connection *connection_new(struct loop *loop, int fd, size_t number,
                                  struct connection_role role)
{
    struct connection *c = mem_calloc(1, sizeof(*c));
    const struct connection_settings *settings = loop->settings;

    c->link = (struct link){fd, NULL};
    c->state = CONNECTION_DIALING;
    c->loop = loop;
    c->role = role;
    c->number = number;
    c->n_strict_left = role.is_strict ? 1 : settings->n_strict;
    c->is_reading = true;
    c->is_writable_awaited = true;
    /* The queue passes the mark by one message at most, or by replies to the server. */
    buf_init(&c->out, CONNECTION_ROOM + 2 * settings->max_payload + (size_t)1024 * 1024);
    buf_init(&c->rest, loop->buffer_size);
    buf_init(&c->fragments, settings->max_payload);
    watch(c, EPOLL_CTL_ADD);
    return c;
}

static void close_link(struct connection *c, bool is_aborted)
{
    link_close(&c->link, is_aborted);
    c->state = CONNECTION_CLOSED;
    buf_dispose(&c->out);
    buf_dispose(&c->rest);
    buf_dispose(&c->fragments);
    inflater_free(c->inflater);
    c->inflater = NULL;
}

void connection_free(struct connection *c)
{
    if (c == NULL)
        return;
    close_link(c, false);
    mem_free(c->role.destination);
    mem_free(c->role.id);
    mem_free(c->role.user);
    mem_free((char *)c->role.upgrade.base);
    mem_free((char *)c->role.connect.base);
    sublist_dispose(&c->role.subscriptions);
    mem_free(c);
}

void connection_fail(struct connection *c, const char *why)
{
    if (c->state == CONNECTION_CLOSED)
        return;
    close_link(c, false);
    c->loop->handler->on_closed(c->loop->handler_self, c, why);
}

static void fail_errno(struct connection *c, const char *what, int error)
{
    char why[160];

    (void)snprintf(why, sizeof(why), "%s: %s", what, strerror(error));
    connection_fail(c, why);
}

/* The link's last call has FAILED. */
static void fail_link(struct connection *c, const char *what)
{
    char why[160], reason[120];

    link_reason(&c->link, reason, sizeof(reason));
    (void)snprintf(why, sizeof(why), "%s: %s", what, reason);
    connection_fail(c, why);
}

/* What the server said, cut to a line that can be shown. */
static void fail_quoting(struct connection *c, const char *what, struct slice said)
{
    char why[240];
    size_t at;

    at = (size_t)snprintf(why, sizeof(why), "%s: ", what);
    for (size_t i = 0; i < said.len && at < sizeof(why) - 1; i++, at++) {
        why[at] = said.base[i];
        if (why[at] < ' ' || why[at] > '~')
            why[at] = '.';
    }
    why[at] = '\0';
    connection_fail(c, why);
}

static void await_writable(struct connection *c, bool is_awaited)
{
    if (is_awaited == c->is_writable_awaited)
        return;
    c->is_writable_awaited = is_awaited;
    watch(c, EPOLL_CTL_MOD);
}

void connection_flush(struct connection *c)
{
    bool is_blocked = false;

    if (c->state == CONNECTION_CLOSED || c->state < CONNECTION_UPGRADING)
        return;
    while (c->out.len != 0 && !is_blocked) {
        size_t n;
        enum link_result result = link_write(&c->link, c->out.base, c->out.len, &n);

        if (result == LINK_DONE)
            buf_consume(&c->out, n);
        else if (result == LINK_WANTS_WRITE || result == LINK_WANTS_READ)
            is_blocked = true;
        else {
            fail_link(c, "send");
            return;
        }
    }
    await_writable(c, is_blocked);
}

void connection_set_reading(struct connection *c, bool is_reading)
{
    if (c->state == CONNECTION_CLOSED || c->is_reading == is_reading)
        return;
    c->is_reading = is_reading;
    watch(c, EPOLL_CTL_MOD);
}

void connection_send(struct connection *c, enum wire_opcode opcode, struct slice payload)
{
    size_t len = wire_len(payload.len);
    char *room;

    if (c->state == CONNECTION_CLOSED)
        return;
    room = buf_reserve(&c->out, len);
    if (room == NULL) {
        connection_fail(c, "the server asks for more answers than it reads");
        return;
    }
    wire_write(room, opcode, c->loop->settings->mask == MASK_ZERO ? 0 : loop_mask(c->loop),
               payload);
    buf_commit(&c->out, len);
}

static void become_ready(struct connection *c)
{
    c->state = CONNECTION_READY;
    if (c->role.is_slow)
        connection_set_reading(c, false);
    c->loop->handler->on_ready(c->loop->handler_self, c);
}

void connection_confirm(struct connection *c)
{
    if (c->state == CONNECTION_UNCONFIRMED)
        become_ready(c);
}

static void settle(struct connection *c, bool is_confirmed)
{
    c->state = CONNECTION_UNCONFIRMED;
    c->loop->handler->on_settled(c->loop->handler_self, c);
    if (is_confirmed)
        connection_confirm(c);
}

static void send_subscribe(struct connection *c, const struct subscription *s, bool has_receipt)
{
    char *frame = mem_printf("SUBSCRIBE\nid:%s\ndestination:%s\nack:auto\n%s%s%s\n", s->id,
                             s->destination, has_receipt ? "receipt:" : "",
                             has_receipt ? s->id : "", has_receipt ? "\n" : "");

    connection_send(c, WIRE_TEXT, slice_of(frame, strlen(frame) + 1));
    mem_free(frame);
}

void connection_subscribe(struct connection *c, char *destination, char *id, size_t topic)
{
    send_subscribe(c, sublist_add(&c->role.subscriptions, destination, id, topic), true);
}

void connection_unsubscribe(struct connection *c, struct subscription *s)
{
    char *frame = mem_printf("UNSUBSCRIBE\nid:%s\nreceipt:%s\n\n", s->id, s->id);

    s->state = SUBSCRIPTION_LEAVING;
    connection_send(c, WIRE_TEXT, slice_of(frame, strlen(frame) + 1));
    mem_free(frame);
}

/* As far as the socket takes it, so that a long list does not pile up. */
static void subscribe_to_list(struct connection *c)
{
    const struct sublist *list = &c->role.subscriptions;
    enum options_confirm confirm = c->loop->settings->confirm;

    for (size_t i = 0; i < list->n_items && c->state != CONNECTION_CLOSED; i++) {
        send_subscribe(c, &list->items[i], confirm == CONFIRM_RECEIPT);
        if (!connection_has_room(c))
            connection_flush(c);
    }
    if (c->state == CONNECTION_CLOSED)
        return;
    if (confirm == CONFIRM_RECEIPT)
        c->state = CONNECTION_SUBSCRIBING;
    else
        settle(c, confirm == CONFIRM_NONE);
}

/* Returns false when nobody has asked for that receipt. */
static bool on_receipt(struct connection *c, struct slice id)
{
    struct sublist *list = &c->role.subscriptions;
    struct subscription *s = sublist_find(list, id);
    bool is_there = s != NULL && s->state == SUBSCRIPTION_ASKED;

    if (s == NULL || s->state == SUBSCRIPTION_THERE)
        return false;
    if (is_there)
        s->state = SUBSCRIPTION_THERE;
    else
        sublist_remove(list, s);
    if (c->state == CONNECTION_READY)
        c->loop->handler->on_changed(c->loop->handler_self, c, id, is_there);
    else if (sublist_count(list, SUBSCRIPTION_ASKED) == 0)
        settle(c, true);
    return true;
}

static void subscribe(struct connection *c)
{
    enum options_confirm confirm = c->loop->settings->confirm;
    char *frame;

    if (c->role.subscriptions.n_items != 0) {
        subscribe_to_list(c);
        return;
    }
    if (c->role.destination == NULL) {
        settle(c, true);
        return;
    }
    frame = mem_printf("SUBSCRIBE\nid:%s\ndestination:%s\nack:auto\n%s\n", c->role.id,
                       c->role.destination,
                       confirm == CONFIRM_RECEIPT ? "receipt:" SUBSCRIBE_RECEIPT "\n" : "");
    /* The frame's NUL is the string's. */
    connection_send(c, WIRE_TEXT, slice_of(frame, strlen(frame) + 1));
    mem_free(frame);
    if (confirm == CONFIRM_RECEIPT)
        c->state = CONNECTION_SUBSCRIBING;
    else
        settle(c, confirm == CONFIRM_NONE);
}

/* Any frame but a MESSAGE. */
static void on_frame(struct connection *c, struct slice text)
{
    struct frame frame;
    struct slice value = SLICE("");
    enum load_status status = frame_parse(text, &frame);

    if (status != LOAD_OK) {
        fail_quoting(c, load_strstatus(status), text);
        return;
    }
    if (slice_eq(frame.command, (struct slice)SLICE("ERROR"))) {
        (void)frame_header(&frame, (struct slice)SLICE("message"), &value);
        fail_quoting(c, "the server sent ERROR", value);
    } else if (c->state == CONNECTION_CONNECTING &&
               slice_eq(frame.command, (struct slice)SLICE("CONNECTED"))) {
        subscribe(c);
    } else if (c->state == CONNECTION_SUBSCRIBING &&
               slice_eq(frame.command, (struct slice)SLICE("RECEIPT")) &&
               frame_header(&frame, (struct slice)SLICE("receipt-id"), &value) &&
               slice_eq(value, (struct slice)SLICE(SUBSCRIBE_RECEIPT))) {
        settle(c, true);
    } else if (c->state < CONNECTION_SUBSCRIBING ||
               !slice_eq(frame.command, (struct slice)SLICE("RECEIPT")) ||
               !frame_header(&frame, (struct slice)SLICE("receipt-id"), &value) ||
               !on_receipt(c, value)) {
        fail_quoting(c, "a frame out of turn", text);
    }
}

/* Reads a MESSAGE in full; where there are several subscriptions, by the one that it names. */
static enum load_status check_message(struct connection *c, struct slice text, struct slice *body)
{
    struct frame_expectation expected = {slice_str(c->role.destination), slice_str(c->role.id),
                                         c->loop->settings->body_size, c->loop->settings->pattern};
    enum load_status status;
    struct frame frame;
    struct slice id;

    if (c->role.destination == NULL) {
        status = frame_parse(text, &frame);
        if (status != LOAD_OK)
            return status;
        if (frame_header(&frame, (struct slice)SLICE("subscription"), &id))
            c->said = sublist_find(&c->role.subscriptions, id);
        if (c->said == NULL)
            return LOAD_ERR_MESSAGE_SUBSCRIPTION;
        expected.destination = slice_str(c->said->destination);
        expected.subscription = slice_str(c->said->id);
    }
    return frame_check_message(text, &expected, body);
}

static void on_message(struct connection *c, struct slice text, uint64_t now_ns)
{
    size_t body_size = c->loop->settings->body_size;
    struct slice body;

    c->said = NULL;
    if (c->n_strict_left != 0 || !frame_find_body(text, body_size, &body)) {
        enum load_status status = check_message(c, text, &body);

        if (status != LOAD_OK) {
            fail_quoting(c, load_strstatus(status), text);
            return;
        }
        if (c->n_strict_left != 0 && !c->role.is_strict)
            c->n_strict_left--;
    }
    c->loop->handler->on_message(c->loop->handler_self, c, body, now_ns);
}

/* A whole WebSocket message: a frame, or a heart-beat. */
static void on_text(struct connection *c, struct slice text, uint64_t now_ns)
{
    if (text.len != 0 && text.base[0] == 'M' && c->state >= CONNECTION_SUBSCRIBING)
        on_message(c, text, now_ns);
    else if (text.len == 0 || (text.base[0] != '\n' && text.base[0] != '\r'))
        on_frame(c, text);
}

static void on_data(struct connection *c, struct slice payload, bool is_compressed, uint64_t now_ns)
{
    struct loop *loop = c->loop;
    struct inflater *inflater = c->inflater == NULL ? loop->inflater : c->inflater;
    enum load_status status;

    if (!is_compressed) {
        on_text(c, payload, now_ns);
        return;
    }
    status = inflater_run(inflater, payload, loop->inflated, loop->inflated_size, &payload);
    if (status != LOAD_OK) {
        connection_fail(c, load_strstatus(status));
        return;
    }
    loop->n_inflated++;
    on_text(c, payload, now_ns);
}

/* A message in several frames, as Tomcat sends long ones. */
static void on_fragment(struct connection *c, const struct wire_frame *frame, uint64_t now_ns)
{
    if ((frame->opcode == WIRE_CONTINUATION) != (c->fragments_opcode != 0)) {
        connection_fail(c, load_strstatus(LOAD_ERR_WS_OPCODE));
        return;
    }
    if (frame->opcode != WIRE_CONTINUATION) {
        c->fragments_opcode = frame->opcode;
        c->is_fragment_compressed = frame->is_compressed;
    }
    if (!buf_append(&c->fragments, frame->payload)) {
        connection_fail(c, load_strstatus(LOAD_ERR_WS_TOO_LARGE));
        return;
    }
    if (!frame->is_final)
        return;
    c->fragments_opcode = 0;
    on_data(c, buf_slice(&c->fragments), c->is_fragment_compressed, now_ns);
    buf_consume(&c->fragments, c->fragments.len);
}

static void on_close(struct connection *c, struct slice payload)
{
    char why[64] = "the server closed without a code";

    if (payload.len >= 2)
        (void)snprintf(why, sizeof(why), "the server closed with code %d",
                       (unsigned char)payload.base[0] << 8 | (unsigned char)payload.base[1]);
    connection_send(c, WIRE_CLOSE, slice_take(payload, 2));
    connection_flush(c);
    connection_fail(c, why);
}

static void on_wire_frame(struct connection *c, const struct wire_frame *frame, uint64_t now_ns)
{
    if (frame->is_compressed && !c->has_deflate) {
        connection_fail(c, load_strstatus(LOAD_ERR_WS_RESERVED));
        return;
    }
    switch (frame->opcode) {
    case WIRE_TEXT:
    case WIRE_BINARY:
        if (frame->is_final && c->fragments_opcode == 0) {
            on_data(c, frame->payload, frame->is_compressed, now_ns);
            break;
        }
        on_fragment(c, frame, now_ns);
        break;
    case WIRE_CONTINUATION:
        on_fragment(c, frame, now_ns);
        break;
    case WIRE_PING:
        connection_send(c, WIRE_PONG, frame->payload);
        break;
    case WIRE_CLOSE:
        on_close(c, frame->payload);
        break;
    default: /* a pong that nobody asked for is allowed */
        break;
    }
}

/* Returns whether what the server made of our offer is right. */
static bool on_extensions(struct connection *c, struct slice value)
{
    struct extension_answer answer;
    enum load_status status = extension_read(value, &c->loop->settings->extension, &answer);

    if (status != LOAD_OK) {
        fail_quoting(c, load_strstatus(status), slice_trim(value));
        return false;
    }
    c->has_deflate = answer.has_deflate;
    if (answer.keeps_context)
        c->inflater = inflater_new(answer.window_bits, true);
    return true;
}

/* Returns whether the upgrade is done; frames may follow in the input. */
static bool on_upgrade(struct connection *c, struct slice *input)
{
    struct handshake_answer answer;
    enum load_status status = handshake_read(*input, &answer);

    if (status == LOAD_MORE && input->len <= CONNECTION_MAX_HEAD)
        return false;
    if (status != LOAD_OK) {
        fail_quoting(c, load_strstatus(status == LOAD_MORE ? LOAD_ERR_HTTP : status), *input);
        return false;
    }
    if (answer.status != 101) {
        fail_quoting(c, "the upgrade was refused", answer.status_line);
        return false;
    }
    if (!on_extensions(c, answer.extensions))
        return false;
    *input = slice_skip(*input, answer.len);
    c->state = CONNECTION_CONNECTING;
    connection_send(c, WIRE_TEXT,
                    c->role.connect.base != NULL ? c->role.connect : c->loop->settings->connect);
    return true;
}

static void on_input(struct connection *c, struct slice input, uint64_t now_ns)
{
    size_t max_payload = c->loop->settings->max_payload;
    struct wire_frame frame;
    enum load_status status = LOAD_OK;

    if (c->state != CONNECTION_UPGRADING || on_upgrade(c, &input)) {
        while (c->state != CONNECTION_CLOSED &&
               (status = wire_read(&input, max_payload, &frame)) == LOAD_OK)
            on_wire_frame(c, &frame, now_ns);
        if (status != LOAD_OK && status != LOAD_MORE)
            connection_fail(c, load_strstatus(status));
    }
    if (c->state == CONNECTION_CLOSED)
        return;
    must_fit(input.len == 0 || buf_append(&c->rest, input));
    if (c->out.len != 0)
        connection_flush(c);
}

/* Returns whether there may be more at once. */
static bool receive_some(struct connection *c)
{
    struct loop *loop = c->loop;
    size_t kept = c->rest.len, n;
    enum link_result result;

    if (kept != 0)
        memcpy(loop->buffer, c->rest.base, kept);
    result = link_read(&c->link, loop->buffer + kept, loop->buffer_size - kept, &n);
    switch (result) {
    case LINK_DONE:
    case LINK_MORE:
        buf_consume(&c->rest, kept);
        loop->n_bytes += n;
        on_input(c, slice_of(loop->buffer, kept + n), loop_now_ns());
        return result == LINK_MORE && c->state != CONNECTION_CLOSED && c->is_reading;
    case LINK_CLOSED:
        connection_fail(c, "the server closed the connection");
        return false;
    case LINK_FAILED:
        fail_link(c, "recv");
        return false;
    case LINK_WANTS_READ:
    case LINK_WANTS_WRITE:
        break;
    }
    return false;
}

static void receive(struct connection *c)
{
    while (receive_some(c))
        ;
}

static void upgrade(struct connection *c)
{
    c->state = CONNECTION_UPGRADING;
    must_fit(buf_append(&c->out, c->role.upgrade.base != NULL ? c->role.upgrade
                                                              : c->loop->settings->upgrade));
    connection_flush(c);
}

static void secure(struct connection *c)
{
    switch (link_shake(&c->link)) {
    case LINK_DONE:
        upgrade(c);
        break;
    case LINK_WANTS_READ:
        await_writable(c, false);
        break;
    case LINK_WANTS_WRITE:
        await_writable(c, true);
        break;
    default:
        fail_link(c, "the TLS handshake");
        break;
    }
}

static void on_dialed(struct connection *c)
{
    const struct connection_settings *settings = c->loop->settings;
    int error = 0;
    socklen_t len = sizeof(error);

    if (getsockopt(c->link.fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    if (error != 0) {
        fail_errno(c, "connect", error);
        return;
    }
    if (settings->tls == NULL) {
        upgrade(c);
        return;
    }
    c->link.ssl = tls_open(settings->tls, c->link.fd, c->number / settings->n_members);
    if (c->link.ssl == NULL) {
        connection_fail(c, "OpenSSL makes no connection");
        return;
    }
    c->state = CONNECTION_SECURING;
    secure(c);
}

void connection_on_event(struct connection *c, uint32_t events)
{
    if (c->state == CONNECTION_CLOSED)
        return;
    if (c->state == CONNECTION_DIALING) {
        on_dialed(c);
        return;
    }
    if (c->state == CONNECTION_SECURING) {
        secure(c);
        return;
    }
    if ((events & EPOLLOUT) != 0)
        connection_flush(c);
    if (c->state == CONNECTION_CLOSED)
        return;
    /* One that does not read is told of errors only. */
    if (c->is_reading && (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
        receive(c);
    else if ((events & (EPOLLHUP | EPOLLERR)) != 0)
        connection_fail(c, "the server closed the connection");
}
