#include "gateway/bench/target.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/mem.h"

enum {
    CONNECTIONS_PER_SOURCE = 20000, /* below the default range of local ports: 32768 to 60999 */
    MAX_SOURCES = 250,
};

bool target_parse(struct target *target, struct slice url)
{
    static const struct slice plain = SLICE("ws://"), secure = SLICE("wss://");
    struct slice rest, host, port, tail = SLICE("");
    uint64_t number;
    size_t slash, colon;

    target->is_tls = slice_starts_with(url, secure);
    if (!target->is_tls && !slice_starts_with(url, plain))
        return false;
    port = target->is_tls ? (struct slice)SLICE("443") : (struct slice)SLICE("80");
    rest = slice_skip(url, target->is_tls ? secure.len : plain.len);
    slash = slice_find(rest, '/');
    target->authority = slice_take(rest, slash);
    target->path = slash == rest.len ? (struct slice)SLICE("/") : slice_skip(rest, slash);
    host = target->authority;
    if (slice_starts_with(host, (struct slice)SLICE("["))) {
        if (!slice_cut(slice_skip(host, 1), ']', &host, &tail))
            return false;
    } else {
        colon = slice_find(host, ':');
        tail = slice_skip(host, colon);
        host = slice_take(host, colon);
    }
    if (tail.len != 0 && tail.base[0] == ':')
        port = slice_skip(tail, 1);
    else if (tail.len != 0)
        return false;
    if (host.len == 0 || port.len >= sizeof(target->port) ||
        !slice_to_u64(port, UINT16_MAX, &number) || number == 0)
        return false;
    memcpy(target->port, port.base, port.len);
    target->port[port.len] = '\0';
    target->host = host;
    return true;
}

int target_resolve(struct target *target)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char *host = mem_printf("%.*s", SLICE_FMT(target->host));
    struct addrinfo *found = NULL;
    int error = getaddrinfo(host, target->port, &hints, &found);
    if (error != 0) {
        fprintf(stderr, "load: no address for %s: %s\n", host, gai_strerror(error));
        mem_free(host);
        return -1;
    }
    memcpy(&target->address, found->ai_addr, found->ai_addrlen);
    target->address_len = found->ai_addrlen;
    freeaddrinfo(found);
    mem_free(host);
    return 0;
}

static bool is_loopback(const struct target *target)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&target->address;

    return target->address.ss_family == AF_INET && ntohl(in->sin_addr.s_addr) >> 24 == 127;
}

static int set_option(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value));
}

/* Without a port: it is chosen at connect(), by the whole quadruple. */
static int bind_source(int fd, size_t source)
{
    struct sockaddr_in from = {.sin_family = AF_INET};

    from.sin_addr.s_addr = htonl((uint32_t)(INADDR_LOOPBACK + source));
    if (set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1) != 0)
        return -1;
    return bind(fd, (const struct sockaddr *)&from, sizeof(from));
}

static int dial_from(const struct target *target, size_t source, bool has_small_buffer)
{
    int fd = socket(target->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd == -1)
        return -1;
    (void)set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (has_small_buffer)
        (void)set_option(fd, SOL_SOCKET, SO_RCVBUF, 1);
    if ((is_loopback(target) && bind_source(fd, source) != 0) ||
        (connect(fd, (const struct sockaddr *)&target->address, target->address_len) != 0 &&
         errno != EINPROGRESS)) {
        int error = errno;

        (void)close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

int target_dial(const struct target *target, size_t number, bool has_small_buffer)
{
    size_t first = number / CONNECTIONS_PER_SOURCE;

    for (size_t source = first; source < MAX_SOURCES; source++) {
        int fd = dial_from(target, source, has_small_buffer);

        if (fd != -1 || errno != EADDRNOTAVAIL || !is_loopback(target))
            return fd;
    }
    errno = EADDRNOTAVAIL;
    return -1;
}
