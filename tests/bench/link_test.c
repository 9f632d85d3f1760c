#include "tests/test.h"
#include <errno.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"
#include "gateway/bench/link.h"
#include "tests/bench/selfsigned.h"

/* Both ends of a link in one thread, over a socketpair; the server's is OpenSSL by itself. */

struct stage {
    SSL_CTX *server_context;
    char ca_file[32];
};

struct pair {
    struct link client;
    SSL *server; /* NULL: plain */
    int server_fd;
    char *asked_for; /* by SNI, as the server saw it */
};

static int set_up(void **state)
{
    struct stage *stage = mem_calloc(1, sizeof(*stage));
    int fd;

    (void)signal(SIGPIPE, SIG_IGN);
    (void)snprintf(stage->ca_file, sizeof(stage->ca_file), "/tmp/link_test.XXXXXX");
    fd = mkstemp(stage->ca_file);
    assert_true(fd != -1);
    (void)close(fd);
    stage->server_context = selfsigned_new(stage->ca_file);
    *state = stage;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *stage = *state;

    (void)unlink(stage->ca_file);
    SSL_CTX_free(stage->server_context);
    mem_free(stage);
    return 0;
}

static void pair_open(struct pair *pair, const struct stage *stage, struct tls *tls, size_t session)
{
    int fds[2];

    *pair = (struct pair){0};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    pair->client.fd = fds[0];
    pair->server_fd = fds[1];
    if (tls == NULL)
        return;
    pair->client.ssl = tls_open(tls, fds[0], session);
    assert_non_null(pair->client.ssl);
    pair->server = SSL_new(stage->server_context);
    assert_int_equal(SSL_set_fd(pair->server, fds[1]), 1);
    SSL_set_accept_state(pair->server);
}

static void pair_close(struct pair *pair)
{
    link_close(&pair->client, false);
    SSL_free(pair->server);
    (void)close(pair->server_fd);
    mem_free(pair->asked_for);
    ERR_clear_error();
}

static enum link_result pair_shake(struct pair *pair)
{
    enum link_result result;
    bool is_done = false;

    do {
        const char *name;

        result = link_shake(&pair->client);
        if (pair->server == NULL || result == LINK_FAILED)
            return result;
        ERR_clear_error();
        is_done = SSL_do_handshake(pair->server) == 1;
        name = SSL_get_servername(pair->server, TLSEXT_NAMETYPE_host_name);
        if (name != NULL && pair->asked_for == NULL)
            pair->asked_for = mem_strdup(name);
    } while (result != LINK_DONE || !is_done);
    return result;
}

static size_t server_write(struct pair *pair, const char *bytes, size_t len)
{
    size_t n = 0;

    ERR_clear_error();
    if (pair->server != NULL)
        return SSL_write_ex(pair->server, bytes, len, &n) == 1 ? n : 0;
    return (size_t)write(pair->server_fd, bytes, len);
}

static size_t server_read(struct pair *pair, char *out, size_t size)
{
    size_t n = 0;
    ssize_t got;

    ERR_clear_error();
    if (pair->server != NULL)
        return SSL_read_ex(pair->server, out, size, &n) == 1 ? n : 0;
    got = read(pair->server_fd, out, size);
    return got < 0 ? 0 : (size_t)got;
}

static struct tls *trusting(const struct stage *stage, const char *name, size_t n_sessions)
{
    const struct tls_settings settings = {
        .name = slice_str(name), .ca_file = stage->ca_file, .n_sessions = n_sessions};
    struct tls *tls = tls_new(&settings);

    assert_non_null(tls);
    return tls;
}

static void names_and_addresses_are_looked_for_in_the_certificate(void **state)
{
    const struct {
        const char *name, *asked_for, *refusal;
    } rows[] = {
        {"localhost", "localhost", NULL},
        {"127.0.0.1", NULL, NULL},
        {"elsewhere", "elsewhere", "hostname mismatch"},
        {"127.0.0.2", NULL, "IP address mismatch"},
        {"::1", NULL, "IP address mismatch"},
    };
    const struct stage *stage = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct tls *tls = trusting(stage, rows[i].name, 0);
        struct pair pair;
        char reason[120] = "";

        pair_open(&pair, stage, tls, 0);
        if (pair_shake(&pair) == LINK_FAILED)
            link_reason(&pair.client, reason, sizeof(reason));
        if (rows[i].refusal == NULL)
            assert_string_equal(reason, "");
        else
            assert_non_null(strstr(reason, rows[i].refusal));
        if (rows[i].asked_for == NULL)
            assert_null(pair.asked_for);
        else
            assert_string_equal(pair.asked_for, rows[i].asked_for);
        pair_close(&pair);
        tls_free(tls);
    }
}

static void who_is_not_trusted_is_refused_but_by_the_insecure(void **state)
{
    const struct stage *stage = *state;

    for (int is_insecure = 0; is_insecure < 2; is_insecure++) {
        const struct tls_settings settings = {.name = SLICE("elsewhere"),
                                              .is_insecure = is_insecure == 1};
        struct tls *tls = tls_new(&settings);
        struct pair pair;
        char reason[120] = "";

        assert_non_null(tls);
        pair_open(&pair, stage, tls, 0);
        if (pair_shake(&pair) == LINK_FAILED)
            link_reason(&pair.client, reason, sizeof(reason));
        assert_int_equal(strstr(reason, "self-signed") != NULL, is_insecure == 0);
        pair_close(&pair);
        tls_free(tls);
    }
}

static void a_file_without_certificates_trusts_nobody(void **state)
{
    const struct tls_settings settings = {.name = SLICE("a"), .ca_file = "/dev/null"};

    (void)state;
    assert_null(tls_new(&settings));
}

/* More than a record, in pieces that the reader's room does not fit. */
static void bytes_come_as_they_were_sent(void **state)
{
    enum { LEN = 100000, ROOM = 7000 };
    const struct stage *stage = *state;
    char *sent = mem_alloc(LEN), *got = mem_alloc(LEN);

    for (size_t i = 0; i < LEN; i++)
        sent[i] = (char)(i * 31 >> 3);
    for (int is_tls = 0; is_tls < 2; is_tls++) {
        struct tls *tls = is_tls == 1 ? trusting(stage, "localhost", 0) : NULL;
        struct pair pair;
        size_t n_sent = 0, n_got = 0, n;

        pair_open(&pair, stage, tls, 0);
        assert_int_equal(pair_shake(&pair), LINK_DONE);
        while (n_got < LEN) {
            enum link_result result = LINK_DONE;

            if (n_sent < LEN)
                n_sent += server_write(&pair, sent + n_sent, LEN - n_sent);
            while (n_got < LEN && (result == LINK_DONE || result == LINK_MORE)) {
                size_t room = LEN - n_got < ROOM ? LEN - n_got : ROOM;

                result = link_read(&pair.client, got + n_got, room, &n);
                if (result == LINK_DONE || result == LINK_MORE)
                    n_got += n;
            }
            assert_true(n_got == LEN || result == LINK_WANTS_READ);
        }
        assert_memory_equal(got, sent, LEN);
        for (n_sent = 0, n_got = 0; n_got < LEN;) {
            if (n_sent < LEN &&
                link_write(&pair.client, sent + n_sent, LEN - n_sent, &n) == LINK_DONE)
                n_sent += n;
            n_got += server_read(&pair, got + n_got, LEN - n_got);
        }
        assert_memory_equal(got, sent, LEN);
        pair_close(&pair);
        tls_free(tls);
    }
    mem_free(sent);
    mem_free(got);
}

static void all_that_was_read_ahead_is_handed_out_at_once(void **state)
{
    const struct stage *stage = *state;
    struct tls *tls = trusting(stage, "localhost", 0);
    struct pair pair;
    char got[64];
    size_t n;

    pair_open(&pair, stage, tls, 0);
    assert_int_equal(pair_shake(&pair), LINK_DONE);
    for (int i = 0; i < 4; i++)
        assert_int_equal(server_write(&pair, "0123456789", 10), 10);
    assert_int_equal(link_read(&pair.client, got, 25, &n), LINK_MORE);
    assert_int_equal(n, 25);
    assert_int_equal(link_read(&pair.client, got, sizeof(got), &n), LINK_DONE);
    assert_int_equal(n, 15);
    assert_int_equal(link_read(&pair.client, got, sizeof(got), &n), LINK_WANTS_READ);
    pair_close(&pair);
    tls_free(tls);
}

static void an_end_is_told_behind_the_last_bytes(void **state)
{
    const struct stage *stage = *state;

    for (int is_tls = 0; is_tls < 2; is_tls++) {
        struct tls *tls = is_tls == 1 ? trusting(stage, "localhost", 0) : NULL;
        struct pair pair;
        char got[8];
        size_t n;

        pair_open(&pair, stage, tls, 0);
        assert_int_equal(pair_shake(&pair), LINK_DONE);
        assert_int_equal(server_write(&pair, "last", 4), 4);
        if (is_tls == 1)
            (void)SSL_shutdown(pair.server);
        else
            assert_int_equal(shutdown(pair.server_fd, SHUT_WR), 0);
        /* Its own events would not tell of an end that was read ahead. */
        assert_int_equal(link_read(&pair.client, got, sizeof(got), &n),
                         is_tls == 1 ? LINK_MORE : LINK_DONE);
        assert_int_equal(n, 4);
        assert_int_equal(link_read(&pair.client, got, sizeof(got), &n), LINK_CLOSED);
        pair_close(&pair);
        tls_free(tls);
    }
}

static void a_connection_that_is_cut_off_says_so(void **state)
{
    const struct stage *stage = *state;
    struct tls *tls = trusting(stage, "localhost", 0);
    struct pair pair;
    char got[8], reason[120];
    size_t n;

    pair_open(&pair, stage, tls, 0);
    assert_int_equal(pair_shake(&pair), LINK_DONE);
    assert_int_equal(shutdown(pair.server_fd, SHUT_RDWR), 0);
    assert_int_equal(link_read(&pair.client, got, sizeof(got), &n), LINK_FAILED);
    link_reason(&pair.client, reason, sizeof(reason));
    assert_non_null(strstr(reason, "unexpected eof"));
    assert_int_equal(link_write(&pair.client, "x", 1, &n), LINK_FAILED);
    pair_close(&pair);
    tls_free(tls);
}

/* Connection by connection: it must have been read from for its session to be there (TLS 1.3). */
static void each_number_resumes_its_own_session(void **state)
{
    const struct stage *stage = *state;
    const struct {
        size_t n_sessions, session;
        bool is_resumed;
    } rows[] = {{2, 0, false}, {2, 1, false}, {2, 0, true}, {2, 1, true}, {2, 0, true}};
    const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

    for (size_t v = 0; v < 2; v++) {
        struct tls *tls = trusting(stage, "localhost", 2);
        struct tls *forgetful = trusting(stage, "localhost", 0);

        assert_int_equal(SSL_CTX_set_max_proto_version(stage->server_context, versions[v]), 1);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct pair pair;
            char got[8];
            size_t n;

            pair_open(&pair, stage, tls, rows[i].session);
            assert_int_equal(pair_shake(&pair), LINK_DONE);
            assert_int_equal(server_write(&pair, "x", 1), 1);
            assert_int_equal(link_read(&pair.client, got, sizeof(got), &n), LINK_DONE);
            assert_int_equal(link_is_resumed(&pair.client), rows[i].is_resumed);
            pair_close(&pair);
            pair_open(&pair, stage, forgetful, 0);
            assert_int_equal(pair_shake(&pair), LINK_DONE);
            assert_false(link_is_resumed(&pair.client));
            pair_close(&pair);
        }
        tls_free(tls);
        tls_free(forgetful);
    }
    assert_int_equal(SSL_CTX_set_max_proto_version(stage->server_context, 0), 1);
}

static void an_aborted_link_is_reset(void **state)
{
    (void)state;
    for (int is_aborted = 0; is_aborted < 2; is_aborted++) {
        struct sockaddr_storage address = {0};
        socklen_t len = sizeof(address);
        int listener = socket(AF_INET, SOCK_STREAM, 0), server;
        struct link client = {.fd = socket(AF_INET, SOCK_STREAM, 0)};
        char byte;

        assert_int_equal(listen(listener, 1), 0);
        assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
        assert_int_equal(connect(client.fd, (const struct sockaddr *)&address, len), 0);
        server = accept(listener, NULL, NULL);
        assert_true(server != -1);
        link_close(&client, is_aborted == 1);
        link_close(&client, is_aborted == 1); /* does nothing */
        errno = 0;
        assert_int_equal(recv(server, &byte, 1, 0), is_aborted == 1 ? -1 : 0);
        assert_int_equal(errno, is_aborted == 1 ? ECONNRESET : 0);
        (void)close(server);
        (void)close(listener);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_addresses_are_looked_for_in_the_certificate),
        cmocka_unit_test(who_is_not_trusted_is_refused_but_by_the_insecure),
        cmocka_unit_test(a_file_without_certificates_trusts_nobody),
        cmocka_unit_test(bytes_come_as_they_were_sent),
        cmocka_unit_test(all_that_was_read_ahead_is_handed_out_at_once),
        cmocka_unit_test(an_end_is_told_behind_the_last_bytes),
        cmocka_unit_test(a_connection_that_is_cut_off_says_so),
        cmocka_unit_test(each_number_resumes_its_own_session),
        cmocka_unit_test(an_aborted_link_is_reset),
    };

    return cmocka_run_group_tests_name("bench/link", tests, set_up, tear_down);
}
