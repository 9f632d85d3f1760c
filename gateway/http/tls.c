#include "gateway/http/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "gateway/http/tickets.h"

struct http_tls {
    struct http_tickets *tickets; /* NULL: none are given */
    SSL_CTX **contexts;           /* one per certificate, in the configuration's order */
    size_t n_contexts;
};

/* Forward secrecy and authenticated encryption only; TLS 1.3 has its own, fixed list. */
static const char tls12_ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

/** A key file with a passphrase must fail instead of asking the terminal for it. */
static int no_passphrase(char *out, int size, int is_writing, void *arg)
{
    (void)out;
    (void)size;
    (void)is_writing;
    (void)arg;
    return 0;
}

/** "http/1.1" or no connection: what else a client may speak we do not. */
static int choose_alpn(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_len,
                       const unsigned char *offered, unsigned offered_len, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *found;

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&found, chosen_len, ours, sizeof(ours) - 1, offered, offered_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

/** Moves the connection to the first certificate that is for the name asked for. */
static int choose_certificate(SSL *ssl, int *alert, void *arg)
{
    const struct http_tls *tls = arg;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    (void)alert;
    if (name == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    for (size_t i = 0; i < tls->n_contexts; i++) {
        X509 *certificate = SSL_CTX_get0_certificate(tls->contexts[i]);

        if (X509_check_host(certificate, name, 0, 0, NULL) == 1) {
            (void)SSL_set_SSL_CTX(ssl, tls->contexts[i]);
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_NOACK; /* the first one stays: the client decides */
}

static bool log_bad_file(const struct log *log, size_t index, const char *field, struct slice path)
{
    unsigned long code = ERR_peek_error();
    const char *reason = ERR_reason_error_string(code);
    char setting[64];

    (void)snprintf(setting, sizeof(setting), "tls.certificates[%zu].%s", index, field);
    if (ERR_SYSTEM_ERROR(code))
        reason = strerror(ERR_GET_REASON(code));
    log_event(log, LOG_LEVEL_ERROR, "config.invalid", log_cstr("setting", setting),
              log_str("path", path), log_cstr("error", reason == NULL ? "unknown" : reason));
    ERR_clear_error();
    return false;
}

static bool load_files(SSL_CTX *context, const struct config_certificate *files, size_t index,
                       const struct log *log)
{
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context, files->certificate.base) != 1)
        return log_bad_file(log, index, "certificate", files->certificate);
    if (SSL_CTX_use_PrivateKey_file(context, files->key.base, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1)
        return log_bad_file(log, index, "key", files->key);
    return true;
}

static bool set_up(SSL_CTX *context, struct http_tls *tls)
{
    static const unsigned char session_context[] = "stompgate";

    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    SSL_CTX_set_alpn_select_cb(context, choose_alpn, NULL);
    (void)SSL_CTX_set_tlsext_servername_callback(context, choose_certificate);
    (void)SSL_CTX_set_tlsext_servername_arg(context, tls);
    /* Idle connections give their buffers back: there are many of them. */
    (void)SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    (void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                           SSL_OP_CIPHER_SERVER_PREFERENCE);
    /* Tickets resume sessions; a cache of our own would be one lock for all workers. */
    (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    if (tls->tickets != NULL) {
        http_tickets_use(tls->tickets, context);
    } else {
        (void)SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        (void)SSL_CTX_set_num_tickets(context, 0); /* else TLS 1.3 gives some that nobody keeps */
    }
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(context, tls12_ciphers) == 1 &&
           SSL_CTX_set_session_id_context(context, session_context, sizeof(session_context) - 1) ==
               1;
}

struct http_tls *http_tls_new(const struct config *config, uint64_t (*now_ms)(void),
                              const struct log *log)
{
    struct http_tls *tls = mem_calloc(1, sizeof(*tls));

    if (config->tls.n_certificates == 0) {
        log_event(log, LOG_LEVEL_ERROR, "config.invalid", log_cstr("setting", "tls.certificates"),
                  log_cstr("error", "a listener has tls: true, and there is no certificate"));
        goto fail;
    }
    if (config->tls.session_tickets.lifetime_ms != 0) {
        tls->tickets = http_tickets_new(config->tls.session_tickets.lifetime_ms,
                                        config->tls.session_tickets.key_file, now_ms, log);
        if (tls->tickets == NULL)
            goto fail;
    }
    tls->contexts = mem_calloc(config->tls.n_certificates, sizeof(SSL_CTX *));
    for (size_t i = 0; i < config->tls.n_certificates; i++) {
        SSL_CTX *context = SSL_CTX_new(TLS_server_method());

        if (context == NULL || !set_up(context, tls)) {
            log_event(log, LOG_LEVEL_ERROR, "tls.failed",
                      log_cstr("error", "OpenSSL cannot be set up"));
            SSL_CTX_free(context);
            goto fail;
        }
        tls->contexts[tls->n_contexts++] = context;
        if (!load_files(context, &config->tls.certificates[i], i, log))
            goto fail;
    }
    return tls;

fail:
    http_tls_free(tls);
    return NULL;
}

void http_tls_free(struct http_tls *tls)
{
    if (tls == NULL)
        return;
    for (size_t i = 0; i < tls->n_contexts; i++)
        SSL_CTX_free(tls->contexts[i]);
    mem_free(tls->contexts);
    http_tickets_free(tls->tickets);
    mem_free(tls);
}

SSL_CTX *http_tls_context(const struct http_tls *tls)
{
    return tls->contexts[0];
}
