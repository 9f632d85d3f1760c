#include "tests/gateway/http/harness.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"

enum { FIRST = 0, SECOND = 1 };

#define HANDSHAKE(host)                                                                            \
    "GET /ws HTTP/1.1\r\nHost: " host "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"          \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
#define LIVE "GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"

static struct config_endpoint endpoint = {.path = SLICE("/ws")};
static struct log nowhere = {.level = LOG_LEVEL_ERROR, .fd = -1};

/* ---- certificates, made here ---- */

struct files {
    char certificate[64];
    char key[64];
};

static void make_certificate(const char *folder, const char *name, struct files *files)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    char *names = mem_printf("DNS:%s", name);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
    FILE *out;

    (void)ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    (void)X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    (void)X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    (void)X509_set_pubkey(certificate, key);
    (void)X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                                     (const unsigned char *)name, -1, -1, 0);
    (void)X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    (void)X509_add_ext(certificate, extension, -1);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);

    (void)snprintf(files->certificate, sizeof(files->certificate), "%s/%s.crt", folder, name);
    out = fopen(files->certificate, "w");
    assert_non_null(out);
    assert_int_equal(PEM_write_X509(out, certificate), 1);
    (void)fclose(out);
    (void)snprintf(files->key, sizeof(files->key), "%s/%s.key", folder, name);
    out = fopen(files->key, "w");
    assert_non_null(out);
    assert_int_equal(PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), 1);
    (void)fclose(out);

    X509_EXTENSION_free(extension);
    mem_free(names);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static char folder[] = "/tmp/stompgate-test-XXXXXX";
static struct files a_files, b_files;

static int make_files(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    make_certificate(folder, "a.example", &a_files);
    make_certificate(folder, "b.example", &b_files);
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    (void)unlink(a_files.certificate);
    (void)unlink(a_files.key);
    (void)unlink(b_files.certificate);
    (void)unlink(b_files.key);
    return rmdir(folder);
}

/* ---- TLS ---- */

static struct harness *start_tls_with(bool is_proxied, uint32_t tickets_ms)
{
    static struct config_listener listener;
    static struct config_certificate certificates[2];
    static struct config config;

    listener = (struct config_listener){
        .address = SLICE("127.0.0.1:0"), .tls = true, .proxy_protocol = is_proxied};
    certificates[0] =
        (struct config_certificate){slice_str(a_files.certificate), slice_str(a_files.key)};
    certificates[1] =
        (struct config_certificate){slice_str(b_files.certificate), slice_str(b_files.key)};
    config = (struct config){
        .listeners = &listener,
        .n_listeners = 1,
        .endpoints = &endpoint,
        .n_endpoints = 1,
        .tls = {.certificates = certificates,
                .n_certificates = 2,
                .session_tickets = {.lifetime_ms = tickets_ms}},
    };
    return harness_start(&config);
}

static struct harness *start_tls(bool is_proxied)
{
    return start_tls_with(is_proxied, 3600000);
}

/** Connects; NULL when the handshake fails. `alpn` is in wire form, or NULL. */
static SSL *tls_connect(int fd, SSL_CTX *context, const char *name, const char *alpn)
{
    SSL *ssl = SSL_new(context);

    if (name != NULL)
        (void)SSL_set_tlsext_host_name(ssl, name);
    if (alpn != NULL)
        (void)SSL_set_alpn_protos(ssl, (const unsigned char *)alpn, (unsigned)strlen(alpn));
    (void)SSL_set_fd(ssl, fd);
    if (SSL_connect(ssl) == 1)
        return ssl;
    SSL_free(ssl);
    return NULL;
}

/** Sends a request and reads to the end into `out`, NUL-terminated. */
static void tls_exchange(SSL *ssl, const char *request, char *out, size_t size)
{
    size_t len = 0;
    int n;

    assert_true(SSL_write(ssl, request, (int)strlen(request)) > 0);
    while (len < size - 1 && (n = SSL_read(ssl, out + len, (int)(size - 1 - len))) > 0)
        len += (size_t)n;
    out[len] = '\0';
}

static void a_handshake_over_tls_knows_its_scheme(void **state)
{
    struct harness *h = start_tls(false);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    int fd = harness_connect(h, FIRST);
    SSL *ssl = tls_connect(fd, context, "a.example", "\x02h2\x08http/1.1");
    const unsigned char *alpn = NULL;
    unsigned alpn_len = 0;
    char text[4096];

    (void)state;
    assert_non_null(ssl);
    SSL_get0_alpn_selected(ssl, &alpn, &alpn_len);
    assert_slice(slice_of((const char *)alpn, alpn_len), "http/1.1");
    tls_exchange(ssl, HANDSHAKE("a.example") "Origin: https://a.example\r\n\r\nbehind", text,
                 sizeof(text));
    assert_true(strncmp(text, "HTTP/1.1 101 ", 13) == 0);
    assert_non_null(strstr(text, " tls=1 "));
    assert_non_null(strstr(text, " input=behind"));
    SSL_free(ssl);
    close(fd);
    SSL_CTX_free(context);
    harness_stop(h);
}

static void the_certificate_is_the_one_for_the_name(void **state)
{
    static const struct {
        const char *asked;
        const char *given;
    } cases[] = {
        {"a.example", "a.example"},
        {"b.example", "b.example"},
        {"other.example", "a.example"},
        {NULL, "a.example"},
    };
    struct harness *h = start_tls(false);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int fd = harness_connect(h, FIRST);
        SSL *ssl = tls_connect(fd, context, cases[i].asked, NULL);

        assert_non_null(ssl);
        assert_int_equal(
            X509_check_host(SSL_get0_peer_certificate(ssl), cases[i].given, 0, 0, NULL), 1);
        SSL_free(ssl);
        close(fd);
    }
    SSL_CTX_free(context);
    harness_stop(h);
}

static void old_versions_and_other_protocols_are_refused(void **state)
{
    struct harness *h = start_tls(false);
    SSL_CTX *old = SSL_CTX_new(TLS_client_method()), *any = SSL_CTX_new(TLS_client_method());
    SSL *ssl;
    int fd;

    (void)state;
    (void)SSL_CTX_set_cipher_list(old, "ALL:@SECLEVEL=0");
    (void)SSL_CTX_set_max_proto_version(old, TLS1_1_VERSION);
    fd = harness_connect(h, FIRST);
    assert_null(tls_connect(fd, old, NULL, NULL));
    close(fd);
    fd = harness_connect(h, FIRST);
    assert_null(tls_connect(fd, any, NULL, "\x02h2"));
    close(fd);
    (void)SSL_CTX_set_max_proto_version(any, TLS1_2_VERSION);
    fd = harness_connect(h, FIRST);
    ssl = tls_connect(fd, any, NULL, NULL);
    assert_non_null(ssl);
    SSL_free(ssl);
    close(fd);
    SSL_CTX_free(old);
    SSL_CTX_free(any);
    harness_stop(h);
}

/** Connects twice; whether the second one is spared the certificate. */
static bool is_resumed(struct harness *h, int version)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    int fd = harness_connect(h, FIRST);
    SSL_SESSION *session;
    bool was_reused;
    char text[4096];
    SSL *ssl;

    (void)SSL_CTX_set_max_proto_version(context, version);
    ssl = tls_connect(fd, context, "b.example", NULL);
    assert_non_null(ssl);
    tls_exchange(ssl, HANDSHAKE("b.example") "\r\n", text, sizeof(text));
    session = SSL_get1_session(ssl);
    (void)SSL_shutdown(ssl); /* one that is not closed in order is not used again */
    SSL_free(ssl);
    close(fd);
    fd = harness_connect(h, FIRST);
    ssl = SSL_new(context);
    (void)SSL_set_tlsext_host_name(ssl, "b.example");
    assert_int_equal(SSL_set_session(ssl, session), 1);
    (void)SSL_set_fd(ssl, fd);
    assert_int_equal(SSL_connect(ssl), 1);
    was_reused = SSL_session_reused(ssl) == 1;
    SSL_SESSION_free(session);
    SSL_free(ssl);
    close(fd);
    SSL_CTX_free(context);
    return was_reused;
}

static void a_session_is_resumed(void **state)
{
    struct harness *h = start_tls(false);

    (void)state;
    assert_true(is_resumed(h, TLS1_3_VERSION));
    assert_true(is_resumed(h, TLS1_2_VERSION));
    harness_stop(h);
}

static void without_a_lifetime_there_are_no_tickets(void **state)
{
    struct harness *h = start_tls_with(false, 0);

    (void)state;
    assert_false(is_resumed(h, TLS1_3_VERSION));
    assert_false(is_resumed(h, TLS1_2_VERSION));
    harness_stop(h);
}

static void without_room_there_is_no_tls_handshake(void **state)
{
    struct harness *h = start_tls(false);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl;
    int fd;

    (void)state;
    harness_set_room(h, false);
    fd = harness_connect(h, FIRST);
    assert_null(tls_connect(fd, context, NULL, NULL));
    close(fd);
    harness_wait_for_log(h, "connection.refused reason=no-room");
    assert_int_equal(harness_metric(h, METRIC_CONNECTIONS_REFUSED), 1);
    harness_set_room(h, true);
    fd = harness_connect(h, FIRST);
    ssl = tls_connect(fd, context, NULL, NULL);
    assert_non_null(ssl);
    SSL_free(ssl);
    close(fd);
    SSL_CTX_free(context);
    harness_stop(h);
}

static void plain_http_on_a_tls_port_ends(void **state)
{
    struct harness *h = start_tls(false);
    int fd = harness_connect(h, FIRST);

    (void)state;
    client_send(fd, LIVE);
    while (!client_at_end(fd))
        ; /* an alert may come first */
    close(fd);
    harness_stop(h);
}

/* ---- PROXY protocol ---- */

static void a_proxy_line_names_the_peer(void **state)
{
    static struct config_listener listener = {.address = SLICE("127.0.0.1:0"),
                                              .proxy_protocol = true};
    static struct config config = {
        .listeners = &listener, .n_listeners = 1, .endpoints = &endpoint, .n_endpoints = 1};
    struct harness *h = harness_start(&config);
    struct answer answer;

    (void)state;
    answer = ask(h, FIRST,
                 "PROXY TCP4 192.0.2.7 198.51.100.1 5555 80\r\n"
                 "GET /ws HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_status(answer, 400);
    harness_wait_for_log(h, "peer=192.0.2.7 ");
    answer = ask(h, FIRST, "PROXY TCP6 2001:db8::7 2001:db8::1 5555 80\r\n" HANDSHAKE("a") "\r\n");
    assert_status(answer, 101);
    answer = ask(h, FIRST, "PROXY UNKNOWN\r\n" HANDSHAKE("a") "\r\n");
    assert_status(answer, 101);
    /* Version 2 is binary: its signature is no request. */
    answer = ask(h, FIRST, "\r\n\r\n\001\r\nQUIT\n\x21\x11");
    assert_true(answer.status == 400 || answer.status == 0);
    harness_stop(h);
}

static void a_proxy_line_comes_before_tls(void **state)
{
    struct harness *h = start_tls(true);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    int fd = harness_connect(h, FIRST);
    char text[4096];
    SSL *ssl;

    (void)state;
    client_send(fd, "PROXY TCP4 192.0.2.8 198.51.100.1 5555 443\r\n");
    ssl = tls_connect(fd, context, NULL, NULL);
    assert_non_null(ssl);
    tls_exchange(ssl, "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", text,
                 sizeof(text));
    assert_true(strncmp(text, "HTTP/1.1 400 ", 13) == 0);
    harness_wait_for_log(h, "peer=192.0.2.8 ");
    SSL_free(ssl);
    close(fd);
    SSL_CTX_free(context);
    harness_stop(h);
}

/* ---- listeners ---- */

static int open_and_free(const struct config *config)
{
    int exit_code = -1;
    struct http_server *server = http_server_open(config, &nowhere, &exit_code);

    assert_int_equal(server == NULL, exit_code != 0);
    http_server_free(server);
    return exit_code;
}

static void what_cannot_be_bound_or_read_has_its_exit_code(void **state)
{
    struct config_listener listener = {.address = SLICE("127.0.0.1:0")};
    struct config_certificate certificate = {slice_str(a_files.certificate),
                                             slice_str(a_files.key)};
    struct config config = {.listeners = &listener,
                            .n_listeners = 1,
                            .workers = 3,
                            .endpoints = &endpoint,
                            .n_endpoints = 1,
                            .tls = {.certificates = &certificate}};
    struct http_server *server;
    int exit_code;

    (void)state;
    server = http_server_open(&config, &nowhere, &exit_code);
    assert_non_null(server);
    listener.address = slice_str(http_server_address(server, FIRST));
    assert_null(http_server_address(server, SECOND));
    assert_int_equal(open_and_free(&config), 69);
    config.admin.listen = listener.address;
    listener.address = (struct slice)SLICE("127.0.0.1:0");
    assert_int_equal(open_and_free(&config), 69);
    http_server_free(server);
    config.admin.listen = (struct slice)SLICE("nonsense");
    assert_int_equal(open_and_free(&config), 78);
    config.admin.listen = (struct slice)SLICE("127.0.0.1:0");
    assert_int_equal(open_and_free(&config), 0);

    listener.tls = true;
    assert_int_equal(open_and_free(&config), 78); /* no certificate */
    config.tls.n_certificates = 1;
    assert_int_equal(open_and_free(&config), 0);
    certificate.key = slice_str(b_files.key);
    assert_int_equal(open_and_free(&config), 78); /* another certificate's key */
    certificate.key = (struct slice)SLICE("/nowhere/key.pem");
    assert_int_equal(open_and_free(&config), 78);
    certificate.certificate = slice_str(a_files.key);
    assert_int_equal(open_and_free(&config), 78); /* no certificate in it */
}

static void a_bad_certificate_is_named(void **state)
{
    struct config_listener listener = {.address = SLICE("127.0.0.1:0"), .tls = true};
    struct config_certificate certificate = {SLICE("/nowhere/chain.pem"), SLICE("x")};
    struct config config = {.listeners = &listener,
                            .n_listeners = 1,
                            .workers = 1,
                            .tls = {.certificates = &certificate, .n_certificates = 1}};
    char line[1024] = "";
    int fds[2], exit_code;
    struct log log;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    log_init(&log, fds[1], LOG_LEVEL_INFO, false);
    assert_null(http_server_open(&config, &log, &exit_code));
    assert_true(read(fds[0], line, sizeof(line) - 1) > 0);
    assert_non_null(strstr(line, "error config.invalid setting=tls.certificates[0].certificate "
                                 "path=/nowhere/chain.pem error=\"No such file or directory\""));
    close(fds[0]);
    close(fds[1]);
}

static void ipv6_is_listened_on(void **state)
{
    static struct config_listener listener = {.address = SLICE("[::1]:0")};
    static struct config config = {
        .listeners = &listener, .n_listeners = 1, .endpoints = &endpoint, .n_endpoints = 1};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    bool has_ipv6 = fd >= 0 && bind(fd, (struct sockaddr *)&in6, sizeof(in6)) == 0;
    struct harness *h;

    (void)state;
    close(fd);
    if (!has_ipv6)
        skip(); /* a container without it */
    h = harness_start(&config);
    assert_true(strncmp(harness_address(h, FIRST), "[::1]:", 6) == 0);
    assert_int_equal(ask(h, FIRST, HANDSHAKE("a") "\r\n").status, 101);
    harness_stop(h);
}

static void without_descriptors_it_says_so_and_goes_on_later(void **state)
{
    static struct config config = {.endpoints = &endpoint, .n_endpoints = 1};
    struct harness *h = harness_start(&config);
    struct rlimit before, none;
    int fds[3], next;

    (void)state;
    /* Connecting needs descriptors, too: ours are there before the limit comes down on all. */
    for (size_t i = 0; i < 3; i++)
        fds[i] = harness_socket(h, FIRST);
    next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = (rlim_t)next;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    for (size_t i = 0; i < 3; i++) {
        harness_connect_socket(h, FIRST, fds[i]);
        client_send(fds[i], HANDSHAKE("a") "\r\n");
    }
    harness_wait_for_log(h, "listener.exhausted error=\"Too many open files\"");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(client_read(fds[i]).status, 101);
        close(fds[i]);
    }
    harness_stop(h);
}

static void connections_that_do_nothing_are_bounded(void **state)
{
    static struct config config = {.endpoints = &endpoint, .n_endpoints = 1};
    struct harness *h = harness_start(&config);
    int idle[256], waiting;

    (void)state;
    for (size_t i = 0; i < 256; i++)
        idle[i] = harness_connect(h, SECOND);
    /* All of them are in: one that asks is answered. */
    client_send(idle[255], LIVE);
    assert_int_equal(client_read(idle[255]).status, 200);
    waiting = harness_connect(h, SECOND);
    client_send(waiting, LIVE);
    assert_int_equal(poll(&(struct pollfd){.fd = waiting, .events = POLLIN}, 1, 50), 0);
    close(idle[0]);
    assert_int_equal(client_read(waiting).status, 200);
    /* The public side has its own bound. */
    assert_int_equal(ask(h, FIRST, HANDSHAKE("a") "\r\n").status, 101);
    for (size_t i = 1; i < 256; i++)
        close(idle[i]);
    close(waiting);
    harness_stop(h);
}

/* ---- the end ---- */

static void shutting_down_ends_idle_connections_at_once(void **state)
{
    static struct config config = {.endpoints = &endpoint, .n_endpoints = 1};
    struct harness *h = harness_start(&config);
    int idle = harness_connect(h, SECOND), asking = harness_connect(h, SECOND);
    struct answer answer;

    (void)state;
    client_send(idle, LIVE);
    assert_int_equal(client_read(idle).status, 200);
    client_send(asking, LIVE);
    assert_int_equal(client_read(asking).status, 200);
    client_send(asking, "GET /health/live HTTP/1.1\r\nHost:");
    harness_stop_accepting(h);
    harness_request_shutdown(h);
    assert_true(client_at_end(idle));
    /* A request of which a part has come is still answered, as the connection's last. */
    client_send(asking, " a\r\n\r\n");
    answer = client_read(asking);
    if (answer.status != 0) { /* the part may not have been read when the end was asked for */
        assert_int_equal(answer.status, 200);
        assert_slice(answer_header(&answer, "Connection"), "close");
    }
    close(idle);
    close(asking);
    harness_stop(h);
}

static void nobody_gets_in_after_accepting_has_stopped(void **state)
{
    static struct config config = {.endpoints = &endpoint, .n_endpoints = 1};
    struct harness *h = harness_start(&config);
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    in.sin_port = htons((uint16_t)strtoul(strrchr(harness_address(h, FIRST), ':') + 1, NULL, 10));
    harness_stop_accepting(h);
    assert_int_not_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
    close(fd);
    harness_stop(h);
}

static void listeners_are_logged_with_their_real_ports(void **state)
{
    struct config_listener listener = {.address = SLICE("127.0.0.1:0")};
    struct config config = {.listeners = &listener,
                            .n_listeners = 1,
                            .workers = 1,
                            .admin = {.listen = SLICE("127.0.0.1:0")}};
    char lines[2048] = "", expected[256];
    int fds[2], exit_code;
    struct http_server *server;
    struct log log;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    log_init(&log, fds[1], LOG_LEVEL_INFO, false);
    server = http_server_open(&config, &log, &exit_code);
    assert_non_null(server);
    http_server_log_listeners(server);
    close(fds[1]);
    for (size_t len = 0;;) {
        ssize_t n = read(fds[0], lines + len, sizeof(lines) - 1 - len);

        if (n <= 0)
            break;
        len += (size_t)n;
    }
    close(fds[0]);
    (void)snprintf(expected, sizeof(expected), "listener.open kind=public address=%s tls=false",
                   http_server_address(server, FIRST));
    assert_non_null(strstr(lines, expected));
    (void)snprintf(expected, sizeof(expected), "listener.open kind=admin address=%s tls=false",
                   http_server_address(server, SECOND));
    assert_non_null(strstr(lines, expected));
    http_server_free(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_over_tls_knows_its_scheme),
        cmocka_unit_test(the_certificate_is_the_one_for_the_name),
        cmocka_unit_test(old_versions_and_other_protocols_are_refused),
        cmocka_unit_test(a_session_is_resumed),
        cmocka_unit_test(without_a_lifetime_there_are_no_tickets),
        cmocka_unit_test(without_room_there_is_no_tls_handshake),
        cmocka_unit_test(plain_http_on_a_tls_port_ends),
        cmocka_unit_test(a_proxy_line_names_the_peer),
        cmocka_unit_test(a_proxy_line_comes_before_tls),
        cmocka_unit_test(what_cannot_be_bound_or_read_has_its_exit_code),
        cmocka_unit_test(a_bad_certificate_is_named),
        cmocka_unit_test(ipv6_is_listened_on),
        cmocka_unit_test(without_descriptors_it_says_so_and_goes_on_later),
        cmocka_unit_test(connections_that_do_nothing_are_bounded),
        cmocka_unit_test(shutting_down_ends_idle_connections_at_once),
        cmocka_unit_test(nobody_gets_in_after_accepting_has_stopped),
        cmocka_unit_test(listeners_are_logged_with_their_real_ports),
    };

    return cmocka_run_group_tests_name("gateway/http/server", tests, make_files, remove_files);
}
