#include "tests/test.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>
#include "base/mem.h"
#include "tests/bench/selfsigned.h"
#include "gateway/bench/sublist.h"
#include "gateway/bench/verdict.h"
#include "gateway/bench/worker.h"

/*
 * Whole workers over socketpairs, against a server in the same thread that can be told to do one
 * thing wrong: what it does wrong must be found, and what is allowed must not.
 */

enum fault {
    NOTHING,
    LOSES,
    REPEATS,
    REORDERS,
    SENDS_OWN,     /* a message more, that nobody sent */
    SPOILS_MARK,   /* a letter among the digits */
    SPOILS_FILLER, /* another byte behind the mark */
    OTHER_SUBSCRIPTION,
    SENDS_ERROR,
    CLOSES,
    SENDS_RECEIPT,
    SENDS_ELSEWHERE, /* another's message, under a subscription that is there */
    /* To those that come and go. */
    LOSES_TO_GUESTS,
    REPEATS_TO_GUESTS,
    GOES_ON_TO_GUESTS, /* after it has confirmed an UNSUBSCRIBE */
    CONFIRMS_NO_GUEST, /* an UNSUBSCRIBE of theirs */
    CUTS_DEFLATE,      /* the last byte of a compressed message */
    SENDS_DEFLATED,    /* though it was not agreed on */
    /* From here on all is allowed. */
    FRAGMENTS,
    BEATS_AND_PINGS,
    ENDS_LINES, /* a line end behind the NUL */
    IS_BINARY,
};

enum { MAX_PEERS = 512, BODY = 100, WINDOW = 4, FAULT_AT = 25, ENOUGH = 300, QUIET = 5 };

#define HOUR_NS UINT64_C(3600000000000)
#define SCHEDULE_NS UINT64_C(30000000)

struct peer {
    int fd;
    SSL *ssl; /* NULL: plain */
    z_stream deflate;
    bool is_upgraded;
    bool is_held; /* deliveries wait in `held` */
    char *user;   /* NULL: none */
    struct sublist subscriptions;
    struct buf in, held;
    struct buf out; /* what the socket has not taken yet */
};

struct server {
    enum fault fault;
    SSL_CTX *tls;           /* NULL: plain */
    const char *extensions; /* what the 101 says of them; NULL: nothing */
    bool is_deflating, keeps_context;
    bool gives_receipts;
    bool is_refusing;
    size_t n_refusals; /* upgrades still to be refused, once all have been there */
    size_t n_peers;
    size_t n_sends;
    size_t n_deliveries; /* but for guests */
    size_t n_guest_deliveries;
    size_t n_unsubscribes;
    size_t n_pongs;
    struct peer peers[MAX_PEERS];
    struct peer *late_peer; /* whose message is kept back to be sent behind the next */
    struct buf late;
};

static int server_dial(void *self, size_t number, bool is_slow)
{
    struct server *server = self;
    struct peer *peer = &server->peers[server->n_peers++];
    int fds[2];

    (void)number;
    (void)is_slow;
    assert_true(server->n_peers <= MAX_PEERS);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    *peer = (struct peer){.fd = fds[1]};
    if (server->tls != NULL) {
        peer->ssl = SSL_new(server->tls);
        assert_int_equal(SSL_set_fd(peer->ssl, fds[1]), 1);
        SSL_set_accept_state(peer->ssl);
    }
    assert_int_equal(deflateInit2(&peer->deflate, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    buf_init(&peer->in, 1 << 20);
    buf_init(&peer->out, 1 << 26);
    buf_init(&peer->held, 1 << 20);
    return fds[0];
}

static void server_dispose(struct server *server)
{
    for (size_t i = 0; i < server->n_peers; i++) {
        struct peer *peer = &server->peers[i];

        SSL_free(peer->ssl);
        (void)deflateEnd(&peer->deflate);
        (void)close(peer->fd);
        mem_free(peer->user);
        sublist_dispose(&peer->subscriptions);
        buf_dispose(&peer->in);
        buf_dispose(&peer->out);
        buf_dispose(&peer->held);
    }
    buf_dispose(&server->late);
    SSL_CTX_free(server->tls);
}

/* As much as the socket takes of what waits; a late schedule sends much at once. Returns whether it
 * was anything. */
static bool send_out(struct peer *peer)
{
    ssize_t n =
        peer->out.len == 0 ? 0 : send(peer->fd, peer->out.base, peer->out.len, MSG_NOSIGNAL);

    assert_true(n >= 0 || errno == EAGAIN || errno == EPIPE || errno == ECONNRESET);
    if (n > 0)
        buf_consume(&peer->out, (size_t)n);
    else if (n < 0 && errno != EAGAIN)
        buf_consume(&peer->out, peer->out.len); /* the other side is gone */
    return n > 0;
}

static void write_bytes(struct peer *peer, struct slice bytes)
{
    ssize_t n;

    if (peer->is_held) {
        assert_true(buf_append(&peer->held, bytes));
        return;
    }
    if (peer->ssl == NULL) {
        assert_true(buf_append(&peer->out, bytes));
        (void)send_out(peer);
        return;
    }
    /* What is in flight by TLS is far below a socket's buffer; the other side may be gone. */
    n = SSL_write(peer->ssl, bytes.base, (int)bytes.len);
    assert_true(n == (ssize_t)bytes.len || errno == EPIPE || errno == ECONNRESET);
}

static void write_frame(struct peer *peer, unsigned first_byte, struct slice payload)
{
    struct buf out;

    assert_true(payload.len < 65536);
    buf_init(&out, 1 << 20);
    if (payload.len < 126)
        assert_true(buf_printf(&out, "%c%c", (int)first_byte, (int)payload.len));
    else
        assert_true(buf_printf(&out, "%c%c%c%c", (int)first_byte, 126, (int)(payload.len >> 8),
                               (int)(payload.len & 0xff)));
    assert_true(buf_append(&out, payload));
    write_bytes(peer, buf_slice(&out));
    buf_dispose(&out);
}

static void write_text(struct peer *peer, struct slice text)
{
    write_frame(peer, 0x81, text);
}

static struct slice deflate_text(struct server *server, struct peer *peer, struct slice text,
                                 char *out, size_t size)
{
    z_stream *z = &peer->deflate;

    if (!server->keeps_context)
        assert_int_equal(deflateReset(z), Z_OK);
    z->next_in = (Bytef *)(uintptr_t)text.base;
    z->avail_in = (uInt)text.len;
    z->next_out = (Bytef *)out;
    z->avail_out = (uInt)size;
    assert_int_equal(deflate(z, Z_SYNC_FLUSH), Z_OK);
    assert_true(z->avail_out != 0);
    /* RFC 7692, 7.2.1: without the last four bytes. */
    return slice_of(out, size - z->avail_out - 4);
}

static void write_message(struct server *server, struct peer *peer, struct slice text)
{
    unsigned rsv1 = server->is_deflating ? 0x40 : 0;
    char deflated[1024];
    size_t half;

    if (server->is_deflating)
        text = deflate_text(server, peer, text, deflated, sizeof(deflated));
    if (server->fault == CUTS_DEFLATE && server->n_deliveries > FAULT_AT)
        text.len--;
    half = text.len / 2;
    if (server->fault == SENDS_DEFLATED)
        rsv1 = 0x40;
    if (server->fault == FRAGMENTS) {
        write_frame(peer, 0x01 | rsv1, slice_take(text, half));
        write_frame(peer, 0x89, (struct slice)SLICE("between"));
        write_frame(peer, 0x00, slice_of("", 0));
        write_frame(peer, 0x80, slice_skip(text, half));
        return;
    }
    write_frame(peer, (server->fault == IS_BINARY ? 0x82 : 0x81) | rsv1, text);
}

static void commit_fault(struct server *server, struct peer *peer, struct slice text, char *body)
{
    switch (server->fault) {
    case LOSES:
        return;
    case REPEATS:
        write_message(server, peer, text);
        break;
    case REORDERS:
        server->late_peer = peer;
        assert_true(buf_append(&server->late, text));
        return;
    case SENDS_OWN:
        write_message(server, peer, text);
        body[MARK_PUBLISHER_DIGITS] = '7';
        break;
    case SPOILS_MARK:
        body[20] = 'x';
        break;
    case SPOILS_FILLER:
        body[BODY - 1] = '!';
        break;
    case SENDS_ERROR:
        write_text(peer, (struct slice)SLICE("ERROR\nmessage:no more\ncontent-length:0\n\n\0"));
        break;
    case CLOSES:
        write_frame(peer, 0x88, (struct slice)SLICE("\x11\x94"));
        break;
    case SENDS_ELSEWHERE:
        body[MARK_PUBLISHER_DIGITS + MARK_SEQUENCE_DIGITS - 9 - 1] ^= 1; /* of the topic */
        break;
    case SENDS_RECEIPT:
        write_text(peer, (struct slice)SLICE("RECEIPT\nreceipt-id:subscribed\n\n\0"));
        break;
    default:
        break;
    }
    write_message(server, peer, text);
}

static bool is_guest(const struct peer *peer)
{
    return peer->user != NULL && strncmp(peer->user, "guest", 5) == 0;
}

static void deliver_to_guest(struct server *server, struct peer *peer, struct slice text)
{
    size_t number = server->n_guest_deliveries++;

    if (server->fault == LOSES_TO_GUESTS && number % 5 == 4)
        return;
    if (server->fault == REPEATS_TO_GUESTS && number % 5 == 4)
        write_message(server, peer, text);
    write_message(server, peer, text);
}

/* Whether two bodies are of the same publisher and topic. */
static bool is_same_row(const char *a, const char *b)
{
    return memcmp(a, b, MARK_PUBLISHER_DIGITS + MARK_SEQUENCE_DIGITS - 9) == 0;
}

static const char *late_body(const struct server *server)
{
    return server->late.base + server->late.len - BODY - 1;
}

static void deliver(struct server *server, struct peer *peer, const struct subscription *to,
                    struct slice sent_body)
{
    const char *id =
        server->fault == OTHER_SUBSCRIPTION && server->n_deliveries == 3 ? "sub-x" : to->id;
    struct buf text;
    size_t body_at;
    char *body;

    buf_init(&text, 1 << 16);
    assert_true(buf_printf(&text,
                           "MESSAGE\ndestination:%s\nsubscription:%s\nmessage-id:%zu\n"
                           "content-length:%zu\n\n",
                           to->destination, id, server->n_deliveries, sent_body.len));
    assert_true(buf_append(&text, sent_body));
    body_at = text.len - sent_body.len;
    assert_true(buf_append(&text, (struct slice)SLICE("\0")));
    if (server->fault == ENDS_LINES)
        assert_true(buf_append(&text, (struct slice)SLICE("\n")));
    body = text.base + body_at;
    if (server->fault == BEATS_AND_PINGS) {
        write_text(peer, (struct slice)SLICE("\n"));
        write_frame(peer, 0x89, (struct slice)SLICE("ping"));
    }
    /* The filler is only read in the strict beginning of a connection. */
    if (is_guest(peer))
        deliver_to_guest(server, peer, buf_slice(&text));
    else if (server->n_deliveries++ == (server->fault == SPOILS_FILLER ? 3 : FAULT_AT))
        commit_fault(server, peer, buf_slice(&text), body);
    else
        write_message(server, peer, buf_slice(&text));
    if (server->late_peer == peer && server->n_deliveries > FAULT_AT + 1 &&
        is_same_row(late_body(server), body)) {
        server->late_peer = NULL;
        write_message(server, peer, buf_slice(&server->late));
    }
    buf_dispose(&text);
}

static char *header(const char *text, const char *name)
{
    const char *at = strstr(text, name);

    assert_non_null(at);
    at += strlen(name);
    return mem_printf("%.*s", (int)strcspn(at, "\n"), at);
}

/* "/user/NAME/rest" goes to the user's subscriptions of "/user/rest". Returns false for another. */
static bool is_to_user(const char *destination, char **user, char **subscribed)
{
    const char *name = destination + strlen("/user/");

    if (strncmp(destination, "/user/", 6) != 0)
        return false;
    *user = mem_printf("%.*s", (int)strcspn(name, "/"), name);
    *subscribed = mem_printf("/user%s", name + strlen(*user));
    return true;
}

static void on_send(struct server *server, const char *text, size_t len)
{
    char *destination = header(text, "destination:"), *user = NULL, *subscribed = NULL;
    struct slice body = slice_of(text + len - 1 - BODY, BODY);
    const char *wanted = is_to_user(destination, &user, &subscribed) ? subscribed : destination;

    server->n_sends++;
    for (size_t i = 0; i < server->n_peers; i++) {
        struct peer *peer = &server->peers[i];

        if (user != NULL && (peer->user == NULL || strcmp(peer->user, user) != 0))
            continue;
        for (size_t k = 0; k < peer->subscriptions.n_items; k++) {
            if (strcmp(peer->subscriptions.items[k].destination, wanted) == 0)
                deliver(server, peer, &peer->subscriptions.items[k], body);
        }
    }
    mem_free(destination);
    mem_free(user);
    mem_free(subscribed);
}

static void give_receipt(struct peer *peer, const char *text)
{
    char *id = header(text, "\nreceipt:");
    char *frame = mem_printf("RECEIPT\nreceipt-id:%s\n\n", id);

    write_text(peer, slice_of(frame, strlen(frame) + 1));
    mem_free(id);
    mem_free(frame);
}

static void on_unsubscribe(struct server *server, struct peer *peer, const char *text)
{
    char *id = header(text, "\nid:");
    struct subscription *found = sublist_find(&peer->subscriptions, slice_str(id));

    assert_non_null(found);
    server->n_unsubscribes++;
    if (server->fault != GOES_ON_TO_GUESTS)
        sublist_remove(&peer->subscriptions, found);
    if (server->fault != CONFIRMS_NO_GUEST)
        give_receipt(peer, text);
    mem_free(id);
}

static void on_client_frame(struct server *server, struct peer *peer, const char *text, size_t len)
{
    if (strncmp(text, "CONNECT\n", 8) == 0) {
        assert_non_null(strstr(text, "\nlogin:me\n"));
        assert_non_null(strstr(text, "\nhost:there\n"));
        assert_non_null(strstr(text, "\nheart-beat:0,5000\n"));
        write_text(peer, (struct slice)SLICE("CONNECTED\nversion:1.2\n\n\0"));
    } else if (strncmp(text, "SUBSCRIBE\n", 10) == 0) {
        char *id = header(text, "\nid:");

        assert_null(sublist_find(&peer->subscriptions, slice_str(id)));
        (void)sublist_add(&peer->subscriptions, header(text, "\ndestination:"), id, 0);
        assert_int_equal(strstr(text, "\nreceipt:") != NULL, server->gives_receipts);
        if (server->gives_receipts)
            give_receipt(peer, text);
    } else if (strncmp(text, "UNSUBSCRIBE\n", 12) == 0) {
        on_unsubscribe(server, peer, text);
    } else {
        assert_memory_equal(text, "SEND\n", 5);
        on_send(server, text, len);
    }
}

/* Takes one masked frame off the input; the payloads here are all below 64 KiB. */
static bool take_client_frame(struct server *server, struct peer *peer)
{
    const unsigned char *at = (const unsigned char *)peer->in.base;
    size_t head = 2, len;
    char *payload;

    if (peer->in.len < 8)
        return false;
    assert_true((at[1] & 0x80) != 0);
    len = at[1] & 0x7f;
    if (len == 126) {
        len = (size_t)at[2] << 8 | at[3];
        head = 4;
    }
    if (peer->in.len < head + 4 + len)
        return false;
    payload = mem_calloc(1, len + 1);
    for (size_t i = 0; i < len; i++)
        payload[i] = (char)(at[head + 4 + i] ^ at[head + i % 4]);
    server->n_pongs += at[0] == 0x8a;
    if (at[0] == 0x81)
        on_client_frame(server, peer, payload, len);
    mem_free(payload);
    buf_consume(&peer->in, head + 4 + len);
    return true;
}

static bool take_upgrade(struct server *server, struct peer *peer)
{
    static const struct slice answer =
        SLICE("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
    const char *end = peer->in.len == 0 ? NULL : memmem(peer->in.base, peer->in.len, "\r\n\r\n", 4);
    const char *user;

    if (end == NULL)
        return false;
    user = memmem(peer->in.base, peer->in.len, "X-User:", 7);
    if (user != NULL)
        peer->user = mem_printf("%.*s", (int)strcspn(user + 7, "\r"), user + 7);
    buf_consume(&peer->in, (size_t)(end + 4 - peer->in.base));
    if (server->is_refusing && server->n_refusals != 0) {
        server->n_refusals--;
        write_bytes(peer, (struct slice)SLICE("HTTP/1.1 503 Busy\r\n\r\n"));
        return false;
    }
    write_bytes(peer, answer);
    if (server->extensions != NULL) {
        write_bytes(peer, (struct slice)SLICE("Sec-WebSocket-Extensions: "));
        write_bytes(peer, slice_str(server->extensions));
        write_bytes(peer, (struct slice)SLICE("\r\n"));
    }
    write_bytes(peer, (struct slice)SLICE("\r\n"));
    peer->is_upgraded = true;
    return true;
}

static ssize_t read_bytes(struct peer *peer, char *out, size_t size)
{
    return peer->ssl != NULL ? SSL_read(peer->ssl, out, (int)size) : recv(peer->fd, out, size, 0);
}

/* Reads and answers. Returns whether there was anything. */
static bool server_turn(struct server *server)
{
    bool was_busy = false;

    for (size_t i = 0; i < server->n_peers; i++) {
        struct peer *peer = &server->peers[i];
        char bytes[4096];
        ssize_t n;

        was_busy = send_out(peer) || was_busy;
        while ((n = read_bytes(peer, bytes, sizeof(bytes))) > 0) {
            assert_true(buf_append(&peer->in, slice_of(bytes, (size_t)n)));
            was_busy = true;
        }
        if (!peer->is_upgraded && !take_upgrade(server, peer))
            continue;
        while (take_client_frame(server, peer))
            ;
        if (n == 0) /* it has gone, with all that it wanted */
            sublist_dispose(&peer->subscriptions);
    }
    return was_busy;
}

struct stage {
    struct options options;
    struct server server;
    struct team *team;
    struct worker workers[2];
    size_t n_workers;
    struct verdict verdict;
};

static bool is_scheduled(const struct stage *stage)
{
    return stage->options.rate != 0 || stage->options.mode == OPTIONS_MIXED;
}

/* A message that is held back waits for the next one of its topic. */
static uint64_t schedule_ns(const struct stage *stage)
{
    return stage->server.fault == REORDERS ? 10 * SCHEDULE_NS : SCHEDULE_NS;
}

static void stage_open(struct stage *stage, enum options_mode mode, size_t n_workers)
{
    stage->server.gives_receipts = stage->options.confirm == CONFIRM_RECEIPT;
    stage->options.mode = mode;
    stage->options.vhost = "there";
    stage->options.heart_beat = "0,5000";
    stage->options.destination = "/topic/a";
    stage->options.content_type = "text/plain";
    stage->options.connect_headers = (struct options_list){{"login:me"}, 1};
    stage->options.body_size = BODY;
    stage->options.window = WINDOW;
    stage->options.n_strict = 4; /* SPOILS_FILLER comes among them */
    stage->options.n_connecting = 3;
    /* By window a run lasts until stage_finish has seen enough: no test hangs on a clock. */
    if (stage->options.seconds_ns == 0)
        stage->options.seconds_ns = is_scheduled(stage) ? schedule_ns(stage) : HOUR_NS;
    buf_init(&stage->server.late, 1 << 16);
    stage->team = team_new(n_workers, worker_mode(mode)->n_publishers(&stage->options));
    assert_non_null(stage->team);
    for (stage->n_workers = 0; stage->n_workers < n_workers; stage->n_workers++)
        assert_int_equal(worker_init(&stage->workers[stage->n_workers], &stage->options,
                                     stage->team, stage->n_workers, server_dial, &stage->server),
                         0);
}

/* Returns whether anything happened. */
static bool stage_turn(struct stage *stage)
{
    bool was_busy = false;

    for (size_t i = 0; i < stage->n_workers; i++) {
        worker_turn(&stage->workers[i], 0);
        was_busy = server_turn(&stage->server) || was_busy;
    }
    return was_busy;
}

static size_t stage_failed(const struct stage *stage)
{
    size_t sum = 0;

    for (size_t i = 0; i < stage->n_workers; i++)
        sum += atomic_load(&stage->team->members[i].n_failed);
    return sum;
}

static size_t stage_ready(const struct stage *stage)
{
    size_t sum = 0;

    for (size_t i = 0; i < stage->n_workers; i++)
        sum += atomic_load(&stage->team->members[i].n_ready);
    return sum;
}

static void stage_start(struct stage *stage)
{
    size_t n = worker_mode(stage->options.mode)->count(&stage->options);

    do {
        (void)stage_turn(stage);
        assert_int_equal(stage_failed(stage), 0);
    } while (stage_ready(stage) < n);
    atomic_store(&stage->team->start_ns, loop_now_ns());
    team_enter(stage->team, TEAM_RUN);
}

static bool stage_has_sent_all(const struct stage *stage)
{
    for (size_t i = 0; i < stage->n_workers; i++) {
        if (!atomic_load(&stage->team->members[i].has_sent_all))
            return false;
    }
    return true;
}

/* Until enough is delivered and nothing moves any more, or something has failed. */
static void stage_finish(struct stage *stage)
{
    size_t n_quiet = 0;

    while (!is_scheduled(stage) && stage->server.n_deliveries < ENOUGH &&
           stage_failed(stage) == 0 && n_quiet < QUIET)
        n_quiet = stage_turn(stage) ? 0 : n_quiet + 1;
    if (!is_scheduled(stage))
        stage->options.seconds_ns = 1;
    while (!stage_has_sent_all(stage) && stage_failed(stage) == 0)
        (void)stage_turn(stage);
    while (stage_turn(stage))
        ;
    (void)stage_turn(stage);
    for (size_t i = 0; i < stage->n_workers; i++) {
        worker_report(&stage->workers[i]);
        if (stage_failed(stage) != 0)
            verdict_fail(&stage->verdict, "%s", stage->team->members[i].failure);
        verdict_add(&stage->verdict, &stage->team->members[i].counts);
    }
    verdict_judge(&stage->verdict, (enum options_order)stage->options.order);
}

static void stage_close(struct stage *stage)
{
    for (size_t i = 0; i < stage->n_workers; i++)
        worker_dispose(&stage->workers[i]);
    team_free(stage->team);
    server_dispose(&stage->server);
}

static void run(struct stage *stage, enum options_mode mode, size_t n_workers)
{
    stage_open(stage, mode, n_workers);
    stage_start(stage);
    stage_finish(stage);
}

static const struct stage fanout = {.options = {.n_subscribers = 5, .n_publishers = 2}};
static const struct stage echo = {.options = {.n_clients = 5}};
static const struct stage destinations = {.options = {.n_clients = 5,
                                                      .n_publishers = 2,
                                                      .n_destinations = 6,
                                                      .n_subscriptions = 3,
                                                      .zipf = 1000000000}};
static const struct stage users = {.options = {.n_clients = 5,
                                               .n_publishers = 2,
                                               .n_sessions = 2,
                                               .user_destination = "/queue/a",
                                               .http_headers = {{"X-User:{user}"}, 1}}};
static const struct stage mixed = {.options = {.n_clients = 5,
                                               .n_publishers = 2,
                                               .n_destinations = 6,
                                               .n_subscriptions = 3,
                                               .zipf = 1000000000,
                                               .n_churners = 3,
                                               .fanout_rate = 2000,
                                               .echo_rate = 1000,
                                               .user_rate = 1000,
                                               .churn_rate = 1500,
                                               .reconnect_rate = 500,
                                               .patience_ns = HOUR_NS,
                                               .user_destination = "/queue/a",
                                               .http_headers = {{"X-User:{user}"}, 1}}};

/* Those that go the same ways in every test below. */
static const struct {
    enum options_mode mode;
    const struct stage *stage;
} kinds[] = {
    {OPTIONS_FANOUT, &fanout}, {OPTIONS_ECHO, &echo},   {OPTIONS_DESTINATIONS, &destinations},
    {OPTIONS_USERS, &users},   {OPTIONS_MIXED, &mixed},
};

enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static void each_fault_of_a_server_is_found(void **state)
{
    const struct {
        enum fault fault;
        uint64_t n_missing, n_duplicates, n_late;
        const char *why;
    } rows[] = {
        {LOSES, 1, 0, 0, "1 messages missing"},
        {REPEATS, 0, 1, 0, "1 repeated"},
        {REORDERS, 0, 0, 1, "1 reordered"},
        {SENDS_OWN, 0, 0, 0, "missing"},
        {SPOILS_MARK, 0, 0, 0, "another body"},
        {SPOILS_FILLER, 0, 0, 0, "another body"},
        {OTHER_SUBSCRIPTION, 0, 0, 0, "subscription"},
        {SENDS_ERROR, 0, 0, 0, "no more"},
        {CLOSES, 0, 0, 0, "code 4500"},
        {SENDS_RECEIPT, 0, 0, 0, "out of turn"},
    };

    (void)state;
    for (size_t i = 0; i < N_KINDS * sizeof(rows) / sizeof(rows[0]); i++) {
        enum options_mode mode = kinds[i % N_KINDS].mode;
        enum fault fault = rows[i / N_KINDS].fault;
        const char *why = rows[i / N_KINDS].why;
        struct stage *stage = mem_alloc(sizeof(*stage));

        /* These know what each client can get, and tell at once. */
        if (fault == SENDS_OWN && mode == OPTIONS_ECHO)
            why = "not sent in this run";
        else if (fault == SENDS_OWN && mode != OPTIONS_FANOUT)
            why = "does not have";
        *stage = *kinds[i % N_KINDS].stage;
        stage->server.fault = fault;
        run(stage, mode, 1);
        if (strstr(stage->verdict.why, why) == NULL)
            print_error("fault %d, mode %d: '%s'\n", (int)fault, (int)mode, stage->verdict.why);
        assert_non_null(strstr(stage->verdict.why, why));
        if (stage_failed(stage) == 0 && fault != SENDS_OWN) {
            assert_int_equal(stage->verdict.n_missing, rows[i / N_KINDS].n_missing);
            assert_int_equal(stage->verdict.counts.n_duplicates, rows[i / N_KINDS].n_duplicates);
            assert_int_equal(stage->verdict.counts.n_late, rows[i / N_KINDS].n_late);
        }
        stage_close(stage);
        mem_free(stage);
    }
}

static void a_message_of_another_destination_is_found(void **state)
{
    const enum options_mode modes[] = {OPTIONS_DESTINATIONS, OPTIONS_USERS, OPTIONS_MIXED};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct stage *stage = mem_alloc(sizeof(*stage));

        *stage = *kinds[i + 2].stage;
        assert_int_equal(kinds[i + 2].mode, modes[i]);
        stage->server.fault = SENDS_ELSEWHERE;
        stage->options.n_strict = 100; /* or only one that the client does not have is seen */
        stage_open(stage, modes[i], 1);
        stage->workers[0].settings.n_strict = 100;
        stage_start(stage);
        stage_finish(stage);
        assert_non_null(strstr(stage->verdict.why, "does not have"));
        stage_close(stage);
        mem_free(stage);
    }
}

static void who_comes_and_goes_gets_nothing_wrong(void **state)
{
    const struct {
        enum fault fault;
        const char *why;
    } rows[] = {
        {LOSES_TO_GUESTS, "missed a message"},
        {REPEATS_TO_GUESTS, "got it again"},
        {GOES_ON_TO_GUESTS, "subscription"},
        {CONFIRMS_NO_GUEST, "never confirmed"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stage *stage = mem_alloc(sizeof(*stage));

        *stage = mixed;
        stage->options.seconds_ns = HOUR_NS; /* until it is found */
        stage->server.fault = rows[i].fault;
        if (rows[i].fault == CONFIRMS_NO_GUEST)
            stage->options.patience_ns = 1;
        run(stage, OPTIONS_MIXED, 1);
        if (strstr(stage->verdict.why, rows[i].why) == NULL)
            print_error("fault %d: '%s'\n", (int)rows[i].fault, stage->verdict.why);
        assert_non_null(strstr(stage->verdict.why, rows[i].why));
        stage_close(stage);
        mem_free(stage);
    }
}

static void what_a_server_may_do_is_no_fault(void **state)
{
    const enum fault allowed[] = {NOTHING, FRAGMENTS, BEATS_AND_PINGS, ENDS_LINES, IS_BINARY};

    (void)state;
    for (size_t i = 0; i < N_KINDS * sizeof(allowed) / sizeof(allowed[0]); i++) {
        struct stage *stage = mem_alloc(sizeof(*stage));

        *stage = *kinds[i % N_KINDS].stage;
        stage->server.fault = allowed[i / N_KINDS];
        run(stage, kinds[i % N_KINDS].mode, 1);
        if (stage->verdict.has_failed)
            print_error("%s\n", stage->verdict.why);
        assert_false(stage->verdict.has_failed);
        assert_true(stage->verdict.counts.n_received > FAULT_AT);
        assert_int_equal(stage->verdict.counts.n_received, stage->server.n_deliveries);
        assert_int_equal(stage->server.n_pongs != 0, allowed[i / N_KINDS] == FRAGMENTS ||
                                                         allowed[i / N_KINDS] == BEATS_AND_PINGS);
        stage_close(stage);
        mem_free(stage);
    }
}

static void all_is_the_same_by_tls(void **state)
{
    char ca_file[] = "/tmp/worker_test.XXXXXX";
    int fd = mkstemp(ca_file);

    (void)state;
    assert_true(fd != -1);
    (void)close(fd);
    (void)signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < 4; i++) {
        struct stage *stage = mem_alloc(sizeof(*stage));

        *stage = i % 2 == 0 ? fanout : echo;
        stage->server.tls = selfsigned_new(ca_file);
        stage->server.fault = i < 2 ? NOTHING : LOSES;
        stage->options.target = (struct target){.is_tls = true, .host = SLICE("localhost")};
        stage->options.ca_file = ca_file;
        run(stage, i % 2 == 0 ? OPTIONS_FANOUT : OPTIONS_ECHO, 2);
        assert_int_equal(stage->verdict.n_missing, i < 2 ? 0 : 1);
        assert_int_equal(stage->verdict.has_failed, i >= 2);
        assert_true(stage->verdict.counts.n_received > FAULT_AT);
        stage_close(stage);
        mem_free(stage);
    }
    (void)unlink(ca_file);
}

static void compressed_messages_are_checked_like_others(void **state)
{
    const struct {
        enum fault fault;
        bool keeps_context;
        const char *why; /* NULL: good */
    } rows[] = {
        {NOTHING, false, NULL},
        {NOTHING, true, NULL},
        {FRAGMENTS, false, NULL},
        {FRAGMENTS, true, NULL},
        {LOSES, false, "1 messages missing"},
        {REPEATS, true, "1 repeated"},
        {SPOILS_MARK, false, "another body"},
        {SPOILS_FILLER, true, "another body"},
        {CUTS_DEFLATE, false, "cannot be inflated"},
        {CUTS_DEFLATE, true, "cannot be inflated"},
    };

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
        struct stage *stage = mem_alloc(sizeof(*stage));

        *stage = i % 2 == 0 ? fanout : echo;
        stage->server.fault = rows[i / 2].fault;
        stage->server.is_deflating = true;
        stage->server.keeps_context = rows[i / 2].keeps_context;
        stage->server.extensions = rows[i / 2].keeps_context
                                       ? "permessage-deflate"
                                       : "permessage-deflate; server_no_context_takeover";
        stage->options.has_deflate = true;
        stage->options.has_takeover = rows[i / 2].keeps_context;
        stage->options.pattern = MARK_JSON;
        run(stage, i % 2 == 0 ? OPTIONS_FANOUT : OPTIONS_ECHO, 1);
        if (rows[i / 2].why != NULL)
            assert_non_null(strstr(stage->verdict.why, rows[i / 2].why));
        assert_int_equal(stage->verdict.has_failed, rows[i / 2].why != NULL);
        assert_true(stage->verdict.counts.n_inflated > (stage_failed(stage) == 0 ? FAULT_AT : 0));
        stage_close(stage);
        mem_free(stage);
    }
}

static void what_was_not_agreed_on_ends_the_run(void **state)
{
    const struct {
        bool has_deflate;
        enum fault fault;
        const char *extensions, *why;
    } rows[] = {
        {true, NOTHING, NULL, "did not accept permessage-deflate"},
        {true, NOTHING, "permessage-deflate", "context"},
        {false, NOTHING, "permessage-deflate; server_no_context_takeover", "nobody asked for"},
        {false, SENDS_DEFLATED, NULL, "reserved bits"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stage *stage = mem_alloc(sizeof(*stage));

        *stage = fanout;
        stage->server.fault = rows[i].fault;
        stage->server.extensions = rows[i].extensions;
        stage->options.has_deflate = rows[i].has_deflate;
        stage_open(stage, OPTIONS_FANOUT, 1);
        if (rows[i].fault == SENDS_DEFLATED)
            stage_start(stage);
        while (stage_failed(stage) == 0)
            (void)stage_turn(stage);
        assert_non_null(strstr(stage->team->members[0].failure, rows[i].why));
        stage_close(stage);
        mem_free(stage);
    }
}

static void order_is_not_judged_when_any_will_do(void **state)
{
    struct stage *stage = mem_alloc(sizeof(*stage));

    (void)state;
    *stage = fanout;
    stage->server.fault = REORDERS;
    stage->options.order = ORDER_ANY;
    run(stage, OPTIONS_FANOUT, 1);
    assert_false(stage->verdict.has_failed);
    assert_int_equal(stage->verdict.counts.n_late, 1);
    stage_close(stage);
    mem_free(stage);
}

static void probes_find_subscriptions_without_receipts(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_KINDS; i++) {
        struct stage *stage;

        if (kinds[i].mode == OPTIONS_MIXED) /* needs receipts */
            continue;
        stage = mem_alloc(sizeof(*stage));
        *stage = *kinds[i].stage;
        stage->options.confirm = CONFIRM_PROBE;
        run(stage, kinds[i].mode, 2);
        assert_false(stage->verdict.has_failed);
        stage_close(stage);
        mem_free(stage);
    }
}

/* Subscriber 0 gets nothing for a while: both publishers, each in its own process, must wait. */
static void nothing_is_sent_past_the_window(void **state)
{
    struct stage *stage = mem_alloc(sizeof(*stage));
    struct peer *peer;

    (void)state;
    *stage = fanout;
    stage_open(stage, OPTIONS_FANOUT, 2);
    stage_start(stage);
    peer = stage->server.peers;
    while (peer->subscriptions.n_items == 0)
        peer++;
    peer->is_held = true;
    while (stage->server.n_sends < (size_t)2 * WINDOW)
        (void)stage_turn(stage);
    for (int i = 0; i < QUIET; i++)
        (void)stage_turn(stage);
    assert_int_equal(stage->server.n_sends, 2 * WINDOW);
    peer->is_held = false;
    write_bytes(peer, buf_slice(&peer->held));
    stage_finish(stage);
    assert_false(stage->verdict.has_failed);
    assert_true(stage->verdict.counts.n_sent > (uint64_t)2 * WINDOW);
    stage_close(stage);
    mem_free(stage);
}

static void a_schedule_is_kept_whole_and_dealt_in_turn(void **state)
{
    struct stage *stage = mem_alloc(sizeof(*stage));

    (void)state;
    *stage = fanout;
    stage->options.rate = 1000;
    run(stage, OPTIONS_FANOUT, 2);
    assert_false(stage->verdict.has_failed);
    assert_int_equal(stage->verdict.counts.n_sent, 30); /* 30 ms at 1,000 a second */
    assert_int_equal(stage->team->members[0].counts.n_sent, 15);
    assert_int_equal(
        stage->team->members[0].latency.n_values + stage->team->members[1].latency.n_values, 150);
    stage_close(stage);
    mem_free(stage);
}

static void echoes_have_a_schedule_too(void **state)
{
    struct stage *stage = mem_alloc(sizeof(*stage));

    (void)state;
    *stage = echo;
    stage->options.rate = 1000;
    run(stage, OPTIONS_ECHO, 2);
    assert_false(stage->verdict.has_failed);
    assert_int_equal(stage->verdict.counts.n_sent, 30);
    assert_int_equal(stage->verdict.counts.n_received, 30);
    assert_int_equal(stage->team->members[0].counts.n_sent, 18); /* clients 0, 2 and 4 of five */
    stage_close(stage);
    mem_free(stage);
}

/* The schedule, what is drawn and so all counts are the same again, in one process or in two. */
static void a_mixed_run_is_the_same_by_its_seed(void **state)
{
    uint64_t n_sent = 0, n_expected = 0;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct stage *stage = mem_alloc(sizeof(*stage));
        const struct team_counts *counts = &stage->verdict.counts;

        *stage = mixed;
        stage->options.seed = i / 2;
        run(stage, OPTIONS_MIXED, 1 + i % 2);
        assert_false(stage->verdict.has_failed);
        assert_int_equal(counts->n_sent, (2000 + 1000 + 1000) * 30 / 1000);
        assert_int_equal(counts->n_received, counts->n_expected);
        if (i % 2 == 1) {
            assert_int_equal(counts->n_sent, n_sent);
            assert_int_equal(counts->n_expected, n_expected);
        } else {
            assert_int_not_equal(counts->n_expected, n_expected);
        }
        n_sent = counts->n_sent;
        n_expected = counts->n_expected;
        stage_close(stage);
        mem_free(stage);
    }
}

static void some_come_and_go_while_others_lose_nothing(void **state)
{
    struct stage *stage = mem_alloc(sizeof(*stage));
    const struct team_counts *counts = &stage->workers[0].counts;

    (void)state;
    *stage = mixed;
    stage->options.seconds_ns = HOUR_NS;
    stage_open(stage, OPTIONS_MIXED, 1);
    stage_start(stage);
    while (stage_failed(stage) == 0 &&
           (counts->n_churned < 20 || counts->n_reconnected < 3 || counts->n_received_churned < 20))
        (void)stage_turn(stage);
    stage->options.seconds_ns = 1;
    stage_finish(stage);
    assert_false(stage->verdict.has_failed);
    assert_true(stage->server.n_unsubscribes != 0);
    assert_in_range(counts->n_received_churned, 20, stage->server.n_guest_deliveries);
    assert_int_equal(counts->n_received, stage->server.n_deliveries);
    stage_close(stage);
    mem_free(stage);
}

/* Each user of two sessions gets its messages twice, and nobody else's. */
static void users_get_each_message_in_all_sessions(void **state)
{
    struct stage *stage = mem_alloc(sizeof(*stage));

    (void)state;
    *stage = users;
    stage->options.n_clients = 4;
    stage->options.rate = 1000;
    run(stage, OPTIONS_USERS, 2);
    assert_false(stage->verdict.has_failed);
    assert_int_equal(stage->verdict.counts.n_sent, 30);
    assert_int_equal(stage->verdict.counts.n_received, 60);
    stage_close(stage);
    mem_free(stage);
}

static void a_message_to_an_idle_connection_is_a_fault(void **state)
{
    static const char body[BODY] = "x";
    struct stage *stage = mem_calloc(1, sizeof(*stage));

    (void)state;
    stage->options.n_connections = 3;
    stage->options.n_strict = 0;
    stage_open(stage, OPTIONS_IDLE, 1);
    stage_start(stage);
    while (stage_turn(stage))
        ;
    assert_int_equal(stage_failed(stage), 0);
    deliver(&stage->server, &stage->server.peers[1], &stage->server.peers[1].subscriptions.items[0],
            slice_of(body, sizeof(body)));
    while (stage_failed(stage) == 0)
        (void)stage_turn(stage);
    stage_close(stage);
    mem_free(stage);
}

/* Three of five are due: half a second before the fourth is. */
static void a_ramp_starts_what_is_due_and_counts_from_then(void **state)
{
    const uint64_t second = 1000000000;
    struct stage *stage = mem_calloc(1, sizeof(*stage));
    struct histogram latency = {0};

    (void)state;
    stage->options.n_connections = 5;
    stage->options.rate = 1;
    stage_open(stage, OPTIONS_RAMP, 2);
    atomic_store(&stage->team->start_ns, loop_now_ns() - 5 * second / 2);
    for (int i = 0; i < QUIET || stage_ready(stage) < 3; i++)
        (void)stage_turn(stage);
    assert_int_equal(stage->server.n_peers, 3);
    for (size_t i = 0; i < 2; i++)
        histogram_merge(&latency, &stage->team->members[i].latency);
    assert_int_equal(latency.n_values, 3);
    assert_in_range(latency.max, 5 * second / 2, 3 * second);
    assert_in_range(histogram_quantile(&latency, 1), second / 2, second);
    atomic_store(&stage->team->start_ns, loop_now_ns() - 10 * second);
    while (stage_ready(stage) < 5)
        (void)stage_turn(stage);
    assert_int_equal(stage_failed(stage), 0);
    stage_close(stage);
    mem_free(stage);
}

static struct stage *storm(size_t n_workers, uint64_t n_failures, size_t n_refusals)
{
    struct stage *stage = mem_calloc(1, sizeof(*stage));

    stage->options.n_connections = 5;
    stage->options.n_failures = n_failures;
    stage->server.n_refusals = n_refusals;
    stage_open(stage, OPTIONS_STORM, n_workers);
    stage_start(stage);
    assert_int_equal(stage->server.n_peers, 5);
    stage->server.is_refusing = true;
    return stage;
}

static void all_come_back_after_a_storm(void **state)
{
    struct stage *stage = storm(2, 0, 0);
    uint64_t n_timed = 0;

    (void)state;
    while (stage_ready(stage) < 10)
        (void)stage_turn(stage);
    for (size_t i = 0; i < 5; i++) {
        char byte;

        assert_int_equal(recv(stage->server.peers[i].fd, &byte, 1, 0), 0);
        assert_int_equal(recv(stage->server.peers[5 + i].fd, &byte, 1, 0), -1);
        assert_int_equal(errno, EAGAIN);
    }
    for (size_t i = 0; i < 2; i++)
        n_timed += stage->team->members[i].latency.n_values;
    assert_int_equal(n_timed, 5);
    assert_int_equal(stage->server.n_peers, 10);
    assert_int_equal(stage_failed(stage), 0);
    stage_close(stage);
    mem_free(stage);
}

static void who_fails_to_come_back_tries_again_as_often_as_allowed(void **state)
{
    const struct {
        uint64_t n_failures;
        size_t n_refusals;
        bool is_good;
    } rows[] = {{0, 1, false}, {1, 1, true}, {3, 3, true}, {2, 3, false}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stage *stage = storm(1, rows[i].n_failures, rows[i].n_refusals);

        while (stage_ready(stage) < 10 && stage_failed(stage) == 0)
            (void)stage_turn(stage);
        assert_int_equal(stage_failed(stage) == 0, rows[i].is_good);
        if (rows[i].is_good) {
            assert_int_equal(stage->server.n_peers, 10 + rows[i].n_refusals);
            assert_int_equal(stage->workers[0].counts.n_failures, rows[i].n_refusals);
        } else {
            assert_non_null(strstr(stage->team->members[0].failure, "503"));
        }
        stage_close(stage);
        mem_free(stage);
    }
}

/* One that is back and ends again is no attempt that failed. */
static void who_is_back_must_stay(void **state)
{
    struct stage *stage = storm(1, 100, 0);

    (void)state;
    while (stage_ready(stage) < 10)
        (void)stage_turn(stage);
    assert_int_equal(shutdown(stage->server.peers[7].fd, SHUT_RDWR), 0);
    while (stage_failed(stage) == 0)
        (void)stage_turn(stage);
    stage_close(stage);
    mem_free(stage);
}

static void who_comes_back_by_tls_resumes_when_told_to(void **state)
{
    char ca_file[] = "/tmp/worker_test.XXXXXX";
    int fd = mkstemp(ca_file);

    (void)state;
    assert_true(fd != -1);
    (void)close(fd);
    (void)signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < 4; i++) {
        struct stage *stage = mem_calloc(1, sizeof(*stage));
        size_t n_resumed = 0;

        stage->options.n_connections = 5;
        stage->options.is_resuming = i < 2;
        stage->options.ca_file = ca_file;
        stage->options.target = (struct target){.is_tls = true, .host = SLICE("localhost")};
        stage->server.tls = selfsigned_new(ca_file);
        stage_open(stage, OPTIONS_STORM, 1 + i % 2);
        stage_start(stage);
        while (stage_ready(stage) < 10)
            (void)stage_turn(stage);
        for (size_t k = 0; k < stage->n_workers; k++)
            n_resumed += stage->workers[k].counts.n_resumed;
        assert_int_equal(n_resumed, stage->options.is_resuming ? 5 : 0);
        stage_close(stage);
        mem_free(stage);
    }
    (void)unlink(ca_file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_of_a_server_is_found),
        cmocka_unit_test(a_message_of_another_destination_is_found),
        cmocka_unit_test(who_comes_and_goes_gets_nothing_wrong),
        cmocka_unit_test(what_a_server_may_do_is_no_fault),
        cmocka_unit_test(all_is_the_same_by_tls),
        cmocka_unit_test(compressed_messages_are_checked_like_others),
        cmocka_unit_test(what_was_not_agreed_on_ends_the_run),
        cmocka_unit_test(order_is_not_judged_when_any_will_do),
        cmocka_unit_test(probes_find_subscriptions_without_receipts),
        cmocka_unit_test(nothing_is_sent_past_the_window),
        cmocka_unit_test(a_schedule_is_kept_whole_and_dealt_in_turn),
        cmocka_unit_test(echoes_have_a_schedule_too),
        cmocka_unit_test(a_mixed_run_is_the_same_by_its_seed),
        cmocka_unit_test(some_come_and_go_while_others_lose_nothing),
        cmocka_unit_test(users_get_each_message_in_all_sessions),
        cmocka_unit_test(a_message_to_an_idle_connection_is_a_fault),
        cmocka_unit_test(a_ramp_starts_what_is_due_and_counts_from_then),
        cmocka_unit_test(all_come_back_after_a_storm),
        cmocka_unit_test(who_fails_to_come_back_tries_again_as_often_as_allowed),
        cmocka_unit_test(who_is_back_must_stay),
        cmocka_unit_test(who_comes_back_by_tls_resumes_when_told_to),
    };

    return cmocka_run_group_tests_name("bench/worker", tests, NULL, NULL);
}
