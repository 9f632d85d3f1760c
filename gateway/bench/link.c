#include "gateway/bench/link.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What OpenSSL makes of the last call's return. */
static enum link_result judge(const struct link *link, int returned)
{
    switch (SSL_get_error(link->ssl, returned)) {
    case SSL_ERROR_NONE:
        return LINK_DONE;
    case SSL_ERROR_WANT_READ:
        return LINK_WANTS_READ;
    case SSL_ERROR_WANT_WRITE:
        return LINK_WANTS_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return LINK_CLOSED;
    default:
        return LINK_FAILED;
    }
}

enum link_result link_shake(struct link *link)
{
    if (link->ssl == NULL)
        return LINK_DONE;
    ERR_clear_error();
    errno = 0;
    return judge(link, SSL_do_handshake(link->ssl));
}

static int at_most_int(size_t n)
{
    return n > INT_MAX ? INT_MAX : (int)n;
}

/* As many records as are there: the socket's events tell nothing of those read ahead. */
static enum link_result read_tls(struct link *link, char *out, size_t size, size_t *n)
{
    *n = 0;
    while (*n < size) {
        int got;

        ERR_clear_error();
        errno = 0;
        got = SSL_read(link->ssl, out + *n, at_most_int(size - *n));
        if (got > 0) {
            *n += (size_t)got;
            continue;
        }
        if (*n == 0)
            return judge(link, got);
        /* An end is told by the next call. */
        return judge(link, got) == LINK_WANTS_READ ? LINK_DONE : LINK_MORE;
    }
    return LINK_MORE;
}

enum link_result link_read(struct link *link, char *out, size_t size, size_t *n)
{
    ssize_t got;

    if (link->ssl != NULL)
        return read_tls(link, out, size, n);
    got = recv(link->fd, out, size, 0);
    if (got > 0) {
        *n = (size_t)got;
        return LINK_DONE;
    }
    if (got == 0)
        return LINK_CLOSED;
    return errno == EAGAIN || errno == EINTR ? LINK_WANTS_READ : LINK_FAILED;
}

enum link_result link_write(struct link *link, const char *bytes, size_t len, size_t *n)
{
    ssize_t sent;

    if (link->ssl != NULL) {
        int written;

        ERR_clear_error();
        errno = 0;
        written = SSL_write(link->ssl, bytes, at_most_int(len));
        *n = written > 0 ? (size_t)written : 0;
        return judge(link, written);
    }
    do {
        sent = send(link->fd, bytes, len, MSG_NOSIGNAL);
    } while (sent == -1 && errno == EINTR);
    if (sent >= 0) {
        *n = (size_t)sent;
        return LINK_DONE;
    }
    return errno == EAGAIN ? LINK_WANTS_WRITE : LINK_FAILED;
}

bool link_is_resumed(const struct link *link)
{
    return link->ssl != NULL && SSL_session_reused(link->ssl) == 1;
}

void link_reason(const struct link *link, char *out, size_t size)
{
    int error = errno;
    unsigned long code = ERR_peek_error();
    const char *reason = ERR_reason_error_string(code);
    long verified = link->ssl == NULL ? X509_V_OK : SSL_get_verify_result(link->ssl);

    if (code != 0 && ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED)
        (void)snprintf(out, size, "the certificate: %s", X509_verify_cert_error_string(verified));
    else if (reason != NULL)
        (void)snprintf(out, size, "TLS: %s", reason);
    else if (error != 0)
        (void)snprintf(out, size, "%s", strerror(error));
    else
        (void)snprintf(out, size, "TLS: ended without a word");
    ERR_clear_error();
}

void link_close(struct link *link, bool is_aborted)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    tls_close(link->ssl);
    link->ssl = NULL;
    if (link->fd == -1)
        return;
    if (is_aborted)
        (void)setsockopt(link->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    (void)close(link->fd);
    link->fd = -1;
}
