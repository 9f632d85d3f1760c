#include "tests/test.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>
#include "base/mem.h"
#include "tests/bench/selfsigned.h"
#include "tests/bench/verdict.h"
#include "tests/bench/worker.h"

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
    CUTS_DEFLATE,   /* the last byte of a compressed message */
    SENDS_DEFLATED, /* though it was not agreed on */
    /* From here on all is allowed. */
    FRAGMENTS,
    BEATS_AND_PINGS,
    ENDS_LINES, /* a line end behind the NUL */
    IS_BINARY,
};

enum { MAX_PEERS = 16, BODY = 100, WINDOW = 4, FAULT_AT = 25, ENOUGH = 300, QUIET = 5 };

#define HOUR_NS UINT64_C(3600000000000)

struct peer {
    int fd;
    SSL *ssl; /* NULL: plain */
    z_stream deflate;
    bool is_upgraded;
    bool is_held; /* deliveries wait in `held` */
    char *destination;
    char *id;
    struct buf in, held;
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
    size_t n_deliveries;
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
        mem_free(peer->destination);
        mem_free(peer->id);
        buf_dispose(&peer->in);
        buf_dispose(&peer->held);
    }
    buf_dispose(&server->late);
    SSL_CTX_free(server->tls);
}

static void write_bytes(struct peer *peer, struct slice bytes)
{
    ssize_t n;

    if (peer->is_held) {
        assert_true(buf_append(&peer->held, bytes));
        return;
    }
    /* What is in flight is far below a socket's buffer; the other side may be gone already. */
    n = peer->ssl != NULL ? SSL_write(peer->ssl, bytes.base, (int)bytes.len)
                          : send(peer->fd, bytes.base, bytes.len, MSG_NOSIGNAL);
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
    case SENDS_RECEIPT:
        write_text(peer, (struct slice)SLICE("RECEIPT\nreceipt-id:subscribed\n\n\0"));
        break;
    default:
        break;
    }
    write_message(server, peer, text);
}

static void deliver(struct server *server, struct peer *peer, struct slice sent_body)
{
    const char *id =
        server->fault == OTHER_SUBSCRIPTION && server->n_deliveries == 3 ? "sub-x" : peer->id;
    struct buf text;
    size_t body_at;
    char *body;

    buf_init(&text, 1 << 16);
    assert_true(buf_printf(&text,
                           "MESSAGE\ndestination:%s\nsubscription:%s\nmessage-id:%zu\n"
                           "content-length:%zu\n\n",
                           peer->destination, id, server->n_deliveries, sent_body.len));
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
    if (server->n_deliveries++ == (server->fault == SPOILS_FILLER ? 3 : FAULT_AT))
        commit_fault(server, peer, buf_slice(&text), body);
    else
        write_message(server, peer, buf_slice(&text));
    if (server->late_peer == peer && server->n_deliveries > FAULT_AT + 1) {
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

static void on_send(struct server *server, const char *text, size_t len)
{
    char *destination = header(text, "destination:");
    struct slice body = slice_of(text + len - 1 - BODY, BODY);

    server->n_sends++;
    for (size_t i = 0; i < server->n_peers; i++) {
        struct peer *peer = &server->peers[i];

        if (peer->destination != NULL && strcmp(peer->destination, destination) == 0)
            deliver(server, peer, body);
    }
    mem_free(destination);
}

static void on_client_frame(struct server *server, struct peer *peer, const char *text, size_t len)
{
    if (strncmp(text, "CONNECT\n", 8) == 0) {
        assert_non_null(strstr(text, "\nlogin:me\n"));
        assert_non_null(strstr(text, "\nhost:there\n"));
        assert_non_null(strstr(text, "\nheart-beat:0,5000\n"));
        write_text(peer, (struct slice)SLICE("CONNECTED\nversion:1.2\n\n\0"));
    } else if (strncmp(text, "SUBSCRIBE\n", 10) == 0) {
        peer->destination = header(text, "\ndestination:");
        peer->id = header(text, "\nid:");
        assert_int_equal(strstr(text, "\nreceipt:") != NULL, server->gives_receipts);
        if (server->gives_receipts)
            write_text(peer, (struct slice)SLICE("RECEIPT\nreceipt-id:subscribed\n\n\0"));
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

    if (end == NULL)
        return false;
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

        while ((n = read_bytes(peer, bytes, sizeof(bytes))) > 0) {
            assert_true(buf_append(&peer->in, slice_of(bytes, (size_t)n)));
            was_busy = true;
        }
        if (!peer->is_upgraded && !take_upgrade(server, peer))
            continue;
        while (take_client_frame(server, peer))
            ;
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
    stage->options.seconds_ns = stage->options.rate == 0 ? HOUR_NS : 30000000;
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

    while (stage->options.rate == 0 && stage->server.n_deliveries < ENOUGH &&
           stage_failed(stage) == 0 && n_quiet < QUIET)
        n_quiet = stage_turn(stage) ? 0 : n_quiet + 1;
    if (stage->options.rate == 0)
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
    verdict_judge(&stage->verdict, worker_mode(stage->options.mode)->n_receivers(&stage->options),
                  (enum options_order)stage->options.order);
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
    const enum options_mode modes[] = {OPTIONS_FANOUT, OPTIONS_ECHO};

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
        enum options_mode mode = modes[i % 2];
        const char *why = rows[i / 2].why;
        struct stage *stage = mem_alloc(sizeof(*stage));

        /* Echo knows what it has sent, and tells at once. */
        if (rows[i / 2].fault == SENDS_OWN && mode == OPTIONS_ECHO)
            why = "not sent in this run";
        *stage = mode == OPTIONS_FANOUT ? fanout : echo;
        stage->server.fault = rows[i / 2].fault;
        run(stage, mode, 1);
        if (strstr(stage->verdict.why, why) == NULL)
            print_error("fault %d, mode %d: '%s'\n", (int)rows[i / 2].fault, (int)mode,
                        stage->verdict.why);
        assert_non_null(strstr(stage->verdict.why, why));
        if (stage_failed(stage) == 0 && rows[i / 2].fault != SENDS_OWN) {
            assert_int_equal(stage->verdict.n_missing, rows[i / 2].n_missing);
            assert_int_equal(stage->verdict.counts.n_duplicates, rows[i / 2].n_duplicates);
            assert_int_equal(stage->verdict.counts.n_late, rows[i / 2].n_late);
        }
        stage_close(stage);
        mem_free(stage);
    }
}

static void what_a_server_may_do_is_no_fault(void **state)
{
    const enum fault allowed[] = {NOTHING, FRAGMENTS, BEATS_AND_PINGS, ENDS_LINES, IS_BINARY};

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(allowed) / sizeof(allowed[0]); i++) {
        struct stage *stage = mem_alloc(sizeof(*stage));

        *stage = i % 2 == 0 ? fanout : echo;
        stage->server.fault = allowed[i / 2];
        run(stage, i % 2 == 0 ? OPTIONS_FANOUT : OPTIONS_ECHO, 1);
        if (stage->verdict.has_failed)
            print_error("%s\n", stage->verdict.why);
        assert_false(stage->verdict.has_failed);
        assert_true(stage->verdict.counts.n_received > FAULT_AT);
        assert_int_equal(stage->verdict.counts.n_received, stage->server.n_deliveries);
        assert_int_equal(stage->server.n_pongs != 0,
                         allowed[i / 2] == FRAGMENTS || allowed[i / 2] == BEATS_AND_PINGS);
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
    for (size_t i = 0; i < 2; i++) {
        struct stage *stage = mem_alloc(sizeof(*stage));

        *stage = i == 0 ? fanout : echo;
        stage->options.confirm = CONFIRM_PROBE;
        run(stage, i == 0 ? OPTIONS_FANOUT : OPTIONS_ECHO, 2);
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
    while (peer->destination == NULL)
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
    deliver(&stage->server, &stage->server.peers[1], slice_of(body, sizeof(body)));
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
        cmocka_unit_test(what_a_server_may_do_is_no_fault),
        cmocka_unit_test(all_is_the_same_by_tls),
        cmocka_unit_test(compressed_messages_are_checked_like_others),
        cmocka_unit_test(what_was_not_agreed_on_ends_the_run),
        cmocka_unit_test(order_is_not_judged_when_any_will_do),
        cmocka_unit_test(probes_find_subscriptions_without_receipts),
        cmocka_unit_test(nothing_is_sent_past_the_window),
        cmocka_unit_test(a_schedule_is_kept_whole_and_dealt_in_turn),
        cmocka_unit_test(echoes_have_a_schedule_too),
        cmocka_unit_test(a_message_to_an_idle_connection_is_a_fault),
        cmocka_unit_test(a_ramp_starts_what_is_due_and_counts_from_then),
        cmocka_unit_test(all_come_back_after_a_storm),
        cmocka_unit_test(who_fails_to_come_back_tries_again_as_often_as_allowed),
        cmocka_unit_test(who_is_back_must_stay),
        cmocka_unit_test(who_comes_back_by_tls_resumes_when_told_to),
    };

    return cmocka_run_group_tests_name("bench/worker", tests, NULL, NULL);
}
