#include "tests/test.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"
#include "gateway/http/tickets.h"

enum { LIFETIME_MS = 3600000, MINUTE_MS = 60000 };

static uint64_t clock_ms = 1000;

static uint64_t read_clock(void)
{
    return clock_ms;
}

/* ---- a server and a client that talk through memory ---- */

static EVP_PKEY *key;
static X509 *certificate;
static char folder[] = "/tmp/stompgate-tickets-XXXXXX";
static char path[64];
static int log_pipe[2];
static struct log events = {.level = LOG_LEVEL_INFO};

static int set_up(void **state)
{
    (void)state;
    key = EVP_EC_gen("P-256");
    certificate = X509_new();
    (void)X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    (void)X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    (void)X509_set_pubkey(certificate, key);
    if (X509_sign(certificate, key, EVP_sha256()) <= 0 || mkdtemp(folder) == NULL ||
        pipe2(log_pipe, O_NONBLOCK) != 0)
        return -1;
    (void)snprintf(path, sizeof(path), "%s/tickets", folder);
    events.fd = log_pipe[1];
    return 0;
}

static int clean_up(void **state)
{
    (void)state;
    X509_free(certificate);
    EVP_PKEY_free(key);
    close(log_pipe[0]);
    close(log_pipe[1]);
    (void)unlink(path);
    return rmdir(folder);
}

/** Whether the log, since this was asked the last time, has a line with this text. */
static bool log_has(const char *text)
{
    char lines[8192];
    ssize_t n = read(log_pipe[0], lines, sizeof(lines) - 1);

    lines[n < 0 ? 0 : n] = '\0';
    return strstr(lines, text) != NULL;
}

static SSL_CTX *server_context(struct http_tickets *tickets)
{
    static const unsigned char id[] = "test";
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    assert_int_equal(SSL_CTX_use_certificate(context, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
    (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_session_id_context(context, id, sizeof(id) - 1);
    http_tickets_use(tickets, context);
    return context;
}

/**
 * One connection in the given version. `*session` (NULL: none) is offered, and becomes the one for
 * the next time. Returns whether the server took it.
 */
static bool connect_once(struct http_tickets *tickets, int version, SSL_SESSION **session)
{
    SSL_CTX *ours = server_context(tickets), *theirs = SSL_CTX_new(TLS_client_method());
    SSL *server = SSL_new(ours), *client = SSL_new(theirs);
    BIO *server_bio, *client_bio;
    bool is_done = false, was_reused;
    char byte;

    assert_int_equal(BIO_new_bio_pair(&server_bio, 0, &client_bio, 0), 1);
    SSL_set_bio(server, server_bio, server_bio);
    SSL_set_bio(client, client_bio, client_bio);
    (void)SSL_set_max_proto_version(client, version);
    if (*session != NULL)
        assert_int_equal(SSL_set_session(client, *session), 1);
    SSL_set_accept_state(server);
    SSL_set_connect_state(client);
    for (int i = 0; i < 10 && !is_done; i++) {
        int c = SSL_do_handshake(client), s = SSL_do_handshake(server);

        is_done = c == 1 && s == 1;
    }
    assert_true(is_done);
    assert_int_equal(SSL_version(client), version);
    assert_int_equal(SSL_read(client, &byte, 1), -1); /* takes TLS 1.3's ticket in */
    was_reused = SSL_session_reused(server) == 1;
    assert_int_equal(SSL_session_reused(client), was_reused);
    SSL_SESSION_free(*session);
    *session = SSL_get1_session(client);
    (void)SSL_shutdown(client);
    (void)SSL_shutdown(server);
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(theirs);
    SSL_CTX_free(ours);
    return was_reused;
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* ---- random keys ---- */

static struct http_tickets *new_random(void)
{
    struct http_tickets *tickets =
        http_tickets_new(LIFETIME_MS, slice_str(""), read_clock, &events);

    assert_non_null(tickets);
    return tickets;
}

static void a_client_comes_back_by_ticket_to_any_context(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct http_tickets *tickets = new_random();
        SSL_SESSION *session = NULL;

        assert_false(connect_once(tickets, versions[i], &session));
        assert_true(connect_once(tickets, versions[i], &session));
        assert_true(connect_once(tickets, versions[i], &session));
        SSL_SESSION_free(session);
        http_tickets_free(tickets);
    }
}

static void each_return_by_tls_1_3_gives_a_new_ticket(void **state)
{
    struct http_tickets *tickets = new_random();
    SSL_SESSION *session = NULL, *before;
    const unsigned char *ticket[2];
    size_t len[2];

    (void)state;
    assert_false(connect_once(tickets, TLS1_3_VERSION, &session));
    before = SSL_SESSION_dup(session);
    assert_true(connect_once(tickets, TLS1_3_VERSION, &session));
    SSL_SESSION_get0_ticket(before, &ticket[0], &len[0]);
    SSL_SESSION_get0_ticket(session, &ticket[1], &len[1]);
    assert_false(slice_eq(slice_of((const char *)ticket[0], len[0]),
                          slice_of((const char *)ticket[1], len[1])));
    SSL_SESSION_free(before);
    SSL_SESSION_free(session);
    http_tickets_free(tickets);
}

static void tickets_of_another_process_are_not_read(void **state)
{
    struct http_tickets *one = new_random(), *other = new_random();
    SSL_SESSION *session = NULL;

    (void)state;
    assert_false(connect_once(one, TLS1_3_VERSION, &session));
    assert_false(connect_once(other, TLS1_3_VERSION, &session));
    SSL_SESSION_free(session);
    http_tickets_free(one);
    http_tickets_free(other);
}

static void a_key_is_used_for_a_lifetime_and_read_for_another(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct http_tickets *tickets = new_random();
        SSL_SESSION *old = NULL, *kept, *next = NULL;

        assert_false(connect_once(tickets, versions[i], &old));
        kept = SSL_SESSION_dup(old);
        clock_ms += LIFETIME_MS - 1;
        assert_true(connect_once(tickets, versions[i], &old)); /* still the key of before */
        clock_ms += 1;
        assert_false(connect_once(tickets, versions[i], &next)); /* a new key */
        assert_true(connect_once(tickets, versions[i], &old));   /* and a ticket by it */
        clock_ms += LIFETIME_MS - 1;
        assert_true(connect_once(tickets, versions[i], &next));
        clock_ms += 1;
        assert_false(connect_once(tickets, versions[i], &kept)); /* the first key is gone */
        assert_true(connect_once(tickets, versions[i], &old)); /* what it was replaced by is not */
        SSL_SESSION_free(old);
        SSL_SESSION_free(kept);
        SSL_SESSION_free(next);
        http_tickets_free(tickets);
    }
}

static void nothing_is_read_after_a_long_silence(void **state)
{
    struct http_tickets *tickets = new_random();
    SSL_SESSION *session = NULL;

    (void)state;
    assert_false(connect_once(tickets, TLS1_3_VERSION, &session));
    clock_ms += 2 * (uint64_t)LIFETIME_MS;
    assert_false(connect_once(tickets, TLS1_3_VERSION, &session));
    SSL_SESSION_free(session);
    http_tickets_free(tickets);
}

/* ---- keys from a file ---- */

/** A file of keys: each letter is one, 80 times that byte. A digit is as many bytes. */
static void write_keys(const char *letters)
{
    char *fresh = mem_printf("%s.new", path);
    FILE *out = fopen(fresh, "w");

    assert_non_null(out);
    for (const char *at = letters; *at != '\0'; at++) {
        bool is_digit = *at >= '0' && *at <= '9';

        for (int i = 0; i < (is_digit ? *at - '0' : HTTP_TICKETS_KEY_BYTES); i++)
            (void)fputc(*at, out);
    }
    (void)fclose(out);
    assert_int_equal(rename(fresh, path), 0);
    mem_free(fresh);
}

static struct http_tickets *open_file(void)
{
    return http_tickets_new(LIFETIME_MS, slice_str(path), read_clock, &events);
}

static void gateways_with_the_same_keys_read_each_others_tickets(void **state)
{
    struct http_tickets *one, *other;
    SSL_SESSION *session = NULL;

    (void)state;
    write_keys("ab");
    one = open_file();
    write_keys("cb");
    other = open_file();
    assert_false(connect_once(one, TLS1_3_VERSION, &session));
    assert_false(connect_once(other, TLS1_3_VERSION, &session)); /* "a" is not there */
    SSL_SESSION_free(session);
    http_tickets_free(other);

    write_keys("ca");
    other = open_file();
    session = NULL;
    assert_false(connect_once(one, TLS1_3_VERSION, &session));
    assert_true(connect_once(other, TLS1_3_VERSION, &session)); /* by "a", and one by "c" given */
    assert_false(connect_once(one, TLS1_3_VERSION, &session));
    SSL_SESSION_free(session);
    http_tickets_free(one);
    http_tickets_free(other);
}

static void a_changed_file_is_read_within_a_minute(void **state)
{
    struct http_tickets *tickets;
    SSL_SESSION *session = NULL, *old;

    (void)state;
    write_keys("a");
    tickets = open_file();
    assert_false(connect_once(tickets, TLS1_2_VERSION, &session));
    old = SSL_SESSION_dup(session);
    write_keys("bc");
    clock_ms += MINUTE_MS - 1;
    assert_true(connect_once(tickets, TLS1_2_VERSION, &session));
    clock_ms += 1;
    assert_false(connect_once(tickets, TLS1_2_VERSION, &old));
    assert_true(log_has("tls.ticket_keys_read"));
    clock_ms += MINUTE_MS;
    assert_true(connect_once(tickets, TLS1_2_VERSION, &old)); /* one by "b" */
    assert_false(log_has("tls.ticket_keys"));                 /* nothing has changed */
    SSL_SESSION_free(old);
    SSL_SESSION_free(session);
    http_tickets_free(tickets);
}

static void keys_stay_while_the_file_is_no_good(void **state)
{
    static const char *const bad[] = {"", "b7", NULL};
    struct http_tickets *tickets;
    SSL_SESSION *session = NULL;

    (void)state;
    write_keys("a");
    tickets = open_file();
    assert_false(connect_once(tickets, TLS1_3_VERSION, &session));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (bad[i] == NULL)
            assert_int_equal(unlink(path), 0);
        else
            write_keys(bad[i]);
        clock_ms += MINUTE_MS;
        assert_true(connect_once(tickets, TLS1_3_VERSION, &session));
        assert_true(log_has("tls.ticket_keys_failed"));
    }
    SSL_SESSION_free(session);
    http_tickets_free(tickets);
}

static void a_file_that_cannot_be_used_is_refused(void **state)
{
    static const char *const bad[] = {"", "7", "a1", "abcdefghijklmnopq", NULL};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (bad[i] == NULL)
            assert_int_equal(unlink(path), 0);
        else
            write_keys(bad[i]);
        assert_null(open_file());
        assert_true(log_has("tls.session_tickets.key_file"));
    }
    write_keys("abcdefghijklmnop");
    http_tickets_free(open_file());
    assert_false(log_has("failed"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_comes_back_by_ticket_to_any_context),
        cmocka_unit_test(each_return_by_tls_1_3_gives_a_new_ticket),
        cmocka_unit_test(tickets_of_another_process_are_not_read),
        cmocka_unit_test(a_key_is_used_for_a_lifetime_and_read_for_another),
        cmocka_unit_test(nothing_is_read_after_a_long_silence),
        cmocka_unit_test(gateways_with_the_same_keys_read_each_others_tickets),
        cmocka_unit_test(a_changed_file_is_read_within_a_minute),
        cmocka_unit_test(keys_stay_while_the_file_is_no_good),
        cmocka_unit_test(a_file_that_cannot_be_used_is_refused),
    };

    return cmocka_run_group_tests_name("gateway/http/tickets", tests, set_up, clean_up);
}
