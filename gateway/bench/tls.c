#include "gateway/bench/tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"

/* One recv() may bring several records. */
enum { READ_AHEAD_BYTES = 32 * 1024 };

struct tls {
    SSL_CTX *context;
    char *name;
    bool is_address; /* the name is one: it cannot be asked for */
    bool is_insecure;
    SSL_SESSION **sessions;
    size_t n_sessions;
};

/* OpenSSL's first word about what went wrong. */
static void report(const char *what, const char *about)
{
    unsigned long code = ERR_peek_error();
    const char *reason = ERR_reason_error_string(code);

    if (ERR_SYSTEM_ERROR(code))
        reason = strerror(ERR_GET_REASON(code));
    fprintf(stderr, "load: TLS: %s%s: %s\n", what, about, reason == NULL ? "failed" : reason);
    ERR_clear_error();
}

static bool is_address(const char *name)
{
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(name);

    ASN1_OCTET_STRING_free(address);
    return address != NULL;
}

/* The server has given a session, with TLS 1.3 at any time after the handshake. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    SSL_SESSION **kept = SSL_get_app_data(ssl);

    SSL_SESSION_free(*kept);
    *kept = session;
    return 1; /* it is ours now */
}

static bool trust(SSL_CTX *context, const struct tls_settings *settings)
{
    if (settings->is_insecure)
        return true;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (settings->ca_file == NULL)
        return SSL_CTX_set_default_verify_paths(context) == 1;
    return SSL_CTX_load_verify_file(context, settings->ca_file) == 1;
}

static bool set_up(SSL_CTX *context, const struct tls_settings *settings)
{
    static const unsigned char alpn[] = "\x08http/1.1";

    /* A rest of what is sent may have moved within its queue. */
    (void)SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                        SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, READ_AHEAD_BYTES);
    if (settings->n_sessions != 0) {
        (void)SSL_CTX_set_session_cache_mode(context,
                                             SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(context, keep_session);
    }
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_alpn_protos(context, alpn, sizeof(alpn) - 1) == 0;
}

struct tls *tls_new(const struct tls_settings *settings)
{
    struct tls *tls = mem_calloc(1, sizeof(*tls));

    tls->name = mem_printf("%.*s", SLICE_FMT(settings->name));
    tls->is_address = is_address(tls->name);
    tls->is_insecure = settings->is_insecure;
    tls->n_sessions = settings->n_sessions;
    tls->sessions = mem_calloc(settings->n_sessions, sizeof(*tls->sessions));
    tls->context = SSL_CTX_new(TLS_client_method());
    if (tls->context == NULL || !set_up(tls->context, settings)) {
        report("cannot be set up", "");
        goto fail;
    }
    if (!trust(tls->context, settings)) {
        report("nobody can be trusted by ",
               settings->ca_file == NULL ? "the system's files" : settings->ca_file);
        goto fail;
    }
    return tls;

fail:
    tls_free(tls);
    return NULL;
}

void tls_free(struct tls *tls)
{
    if (tls == NULL)
        return;
    for (size_t i = 0; i < tls->n_sessions; i++)
        SSL_SESSION_free(tls->sessions[i]);
    SSL_CTX_free(tls->context);
    mem_free(tls->sessions);
    mem_free(tls->name);
    mem_free(tls);
}

static bool name_server(const struct tls *tls, SSL *ssl)
{
    /* RFC 6066, section 3: no addresses in SNI. */
    if (!tls->is_address && SSL_set_tlsext_host_name(ssl, tls->name) != 1)
        return false;
    if (tls->is_insecure)
        return true;
    return tls->is_address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), tls->name) == 1
                           : SSL_set1_host(ssl, tls->name) == 1;
}

SSL *tls_open(struct tls *tls, int fd, size_t session)
{
    SSL *ssl = SSL_new(tls->context);

    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1 || !name_server(tls, ssl)) {
        report("a connection cannot be made", "");
        SSL_free(ssl);
        return NULL;
    }
    if (tls->n_sessions != 0) {
        SSL_SESSION **kept = &tls->sessions[session];

        SSL_set_app_data(ssl, kept);
        if (*kept != NULL && SSL_set_session(ssl, *kept) != 1)
            report("a session cannot be resumed", "");
    }
    SSL_set_connect_state(ssl);
    return ssl;
}

void tls_close(SSL *ssl)
{
    if (ssl == NULL)
        return;
    /* OpenSSL spoils the session of a connection that seems to have been cut off. */
    SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(ssl);
}
