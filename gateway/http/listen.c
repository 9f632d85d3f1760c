#include "gateway/http/listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EXIT_CANNOT_BIND = 69, /* EX_UNAVAILABLE */
    EXIT_BAD_CONFIG = 78,  /* EX_CONFIG */
    /* The kernel clips it to net.core.somaxconn. */
    LISTEN_BACKLOG = 65535,
    /* Unacknowledged data for so long ends a connection: a peer that vanished without a FIN. */
    LISTEN_USER_TIMEOUT_MS = 60000,
    LISTEN_DEFER_S = 5,
};

static void log_failure(const struct log *log, const char *setting, struct slice address,
                        const char *step, const char *why)
{
    log_event(log, LOG_LEVEL_ERROR, "listener.failed", log_cstr("setting", setting),
              log_str("address", address), log_cstr("step", step), log_cstr("error", why));
}

/** Splits "host:port" and "[v6]:port" into NUL-terminated texts; an empty host is any address. */
static bool split_address(struct slice address, char *host, size_t host_size, char *port,
                          size_t port_size)
{
    size_t colon = address.len;
    struct slice h, p;
    uint64_t number;
    bool is_bracketed;

    while (colon != 0 && address.base[colon - 1] != ':')
        colon--;
    if (colon == 0)
        return false;
    h = slice_take(address, colon - 1);
    p = slice_skip(address, colon);
    is_bracketed = h.len >= 2 && h.base[0] == '[' && h.base[h.len - 1] == ']';
    if (is_bracketed)
        h = slice_of(h.base + 1, h.len - 2);
    if (is_bracketed != (slice_find(h, ':') != h.len))
        return false; /* brackets are for IPv6, and IPv6 needs them */
    /* getaddrinfo takes the lower 16 bits of whatever number it is given. */
    if (!slice_to_u64(p, UINT16_MAX, &number) || h.len >= host_size || p.len >= port_size)
        return false;
    (void)snprintf(host, host_size, "%.*s", SLICE_FMT(h));
    (void)snprintf(port, port_size, "%.*s", SLICE_FMT(p));
    return true;
}

static struct addrinfo *resolve(struct slice address, const char *setting, const struct log *log)
{
    const struct addrinfo hints = {
        .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
    };
    char host[NI_MAXHOST], port[NI_MAXSERV];
    struct addrinfo *found = NULL;
    int failure;

    if (!split_address(address, host, sizeof(host), port, sizeof(port))) {
        log_failure(log, setting, address, "read", "expected host:port or [v6]:port");
        return NULL;
    }
    failure = getaddrinfo(host[0] == '\0' ? NULL : host, port, &hints, &found);
    if (failure != 0) {
        log_failure(log, setting, address, "resolve", gai_strerror(failure));
        return NULL;
    }
    return found;
}

static bool set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

/**
 * Opens one socket. `is_first` says that none of ours is bound there yet. Returns the descriptor,
 * or -1 with errno and `*step` set.
 */
static int open_socket(const struct sockaddr *address, socklen_t len, bool is_first,
                       const char **step)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int saved_errno;

    *step = "socket";
    if (fd < 0)
        return -1;
    *step = "option";
    if (!set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) ||
        !set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1) ||
        !set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, LISTEN_USER_TIMEOUT_MS) ||
        (address->sa_family == AF_INET6 && !set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) ||
        (!is_first && !set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1)))
        goto fail;
    *step = "bind";
    if (bind(fd, address, len) != 0)
        goto fail;
    *step = "listen";
    if ((is_first && !set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1)) ||
        listen(fd, LISTEN_BACKLOG) != 0)
        goto fail;
    return fd;

fail:
    saved_errno = errno;
    close(fd);
    errno = saved_errno;
    return -1;
}

static bool is_loopback_address(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;

        return ntohl(in->sin_addr.s_addr) >> 24 == 127;
    }
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

static void print_name(const struct sockaddr_storage *address, socklen_t len,
                       struct http_listen_name *name)
{
    char host[NI_MAXHOST], port[NI_MAXSERV];
    const char *format = address->ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s";

    if (getnameinfo((const struct sockaddr *)address, len, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        (void)snprintf(name->text, sizeof(name->text), "?");
    else
        (void)snprintf(name->text, sizeof(name->text), format, host, port);
}

int http_listen(struct slice address, const char *setting, int *fds, unsigned n_fds,
                struct http_listen_name *name, bool *is_loopback, const struct log *log)
{
    struct addrinfo *found = resolve(address, setting, log);
    struct sockaddr_storage bound;
    socklen_t len;
    const char *step = "";
    unsigned n_open = 0;

    if (found == NULL)
        return EXIT_BAD_CONFIG;
    len = found->ai_addrlen;
    memcpy(&bound, found->ai_addr, len);
    freeaddrinfo(found);
    for (; n_open < n_fds; n_open++) {
        fds[n_open] = open_socket((const struct sockaddr *)&bound, len, n_open == 0, &step);
        if (fds[n_open] < 0)
            goto fail;
        /* The others go where the kernel has put the first, also when that was asked for port 0. */
        if (n_open == 0 && getsockname(fds[0], (struct sockaddr *)&bound, &len) != 0) {
            step = "getsockname";
            n_open = 1;
            goto fail;
        }
    }
    print_name(&bound, len, name);
    *is_loopback = is_loopback_address(&bound);
    return 0;

fail:
    log_failure(log, setting, address, step, strerror(errno));
    while (n_open != 0)
        close(fds[--n_open]);
    return EXIT_CANNOT_BIND;
}

void http_listen_defer(const int *fds, unsigned n_fds)
{
    /* Without it all goes on as well: a kernel that refuses is none to give up for. */
    for (unsigned i = 0; i < n_fds; i++)
        (void)set_option(fds[i], IPPROTO_TCP, TCP_DEFER_ACCEPT, LISTEN_DEFER_S);
}
