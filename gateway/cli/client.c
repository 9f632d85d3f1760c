#include "gateway/cli/client.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "base/mem.h"

enum {
    CLIENT_TIMEOUT_S = 10,
    CLIENT_ANSWER_MAX = 4 * 1024 * 1024,
    CLIENT_READ_SIZE = 16 * 1024,
};

struct url {
    char host[256];
    char port[8];
    struct slice authority; /* for the Host header */
    struct slice prefix;    /* path without a slash at its end */
};

static bool copy_text(struct slice from, char *out, size_t size)
{
    if (from.len == 0 || from.len >= size)
        return false;
    memcpy(out, from.base, from.len);
    out[from.len] = '\0';
    return true;
}

/** Header lines and the request line are made of these: no byte may end a line. */
static bool is_printable(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.base[i] <= ' ' || s.base[i] == 0x7f)
            return false;
    }
    return true;
}

static bool parse_url(struct slice text, struct url *out)
{
    static const struct slice scheme = SLICE("http://");
    struct slice rest, host, port = SLICE("80");
    size_t slash;

    if (!slice_starts_with(text, scheme) || !is_printable(text))
        return false;
    rest = slice_skip(text, scheme.len);
    slash = slice_find(rest, '/');
    out->authority = slice_take(rest, slash);
    out->prefix = slice_skip(rest, slash);
    while (slice_ends_with(out->prefix, (struct slice)SLICE("/")))
        out->prefix.len--;
    host = out->authority;
    if (slice_starts_with(host, (struct slice)SLICE("["))) {
        if (!slice_cut(slice_skip(host, 1), ']', &host, &rest))
            return false;
        if (rest.len != 0 && !slice_cut(rest, ':', &rest, &port))
            return false;
    } else {
        (void)slice_cut(host, ':', &host, &port);
    }
    return copy_text(host, out->host, sizeof(out->host)) &&
           copy_text(port, out->port, sizeof(out->port));
}

/** Returns a connected socket, or -1 with `*error` set. */
static int dial(const struct url *url, const char **error)
{
    static const struct timeval patience = {.tv_sec = CLIENT_TIMEOUT_S};
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int fd = -1, failure = getaddrinfo(url->host, url->port, &hints, &found);

    if (failure != 0) {
        *error = gai_strerror(failure);
        return -1;
    }
    for (const struct addrinfo *a = found; a != NULL && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0 ||
                        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0 ||
                        connect(fd, a->ai_addr, a->ai_addrlen) != 0)) {
            *error = errno == EINPROGRESS ? "no answer in time" : strerror(errno);
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    return fd;
}

static bool send_all(int fd, struct slice bytes)
{
    while (bytes.len != 0) {
        ssize_t n = send(fd, bytes.base, bytes.len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes = slice_skip(bytes, (size_t)n);
    }
    return true;
}

static void send_request(int fd, const struct url *url, const struct client_request *request)
{
    bool has_key = request->key.len != 0, has_body = strcmp(request->method, "POST") == 0;
    char *length =
        mem_printf("Content-Type: application/json\r\nContent-Length: %zu\r\n", request->body.len);
    char *head = mem_printf("%s %.*s%s HTTP/1.1\r\nHost: %.*s\r\nConnection: close\r\n"
                            "User-Agent: stompgate\r\n%s%.*s%s%s\r\n",
                            request->method, SLICE_FMT(url->prefix), request->path,
                            SLICE_FMT(url->authority), has_key ? "X-API-Key: " : "",
                            SLICE_FMT(request->key), has_key ? "\r\n" : "", has_body ? length : "");

    /* An answer may come although not all was taken: what it says is more than what send does. */
    if (send_all(fd, slice_str(head)) && has_body)
        (void)send_all(fd, request->body);
    mem_free(head);
    mem_free(length);
}

/** Reads to the end of the connection. Returns NULL or what went wrong. */
static const char *receive(int fd, struct buf *out)
{
    for (;;) {
        char *room = buf_reserve(out, CLIENT_READ_SIZE);
        ssize_t n;

        if (room == NULL)
            return "the answer is too long";
        n = recv(fd, room, CLIENT_READ_SIZE, 0);
        if (n > 0)
            buf_commit(out, (size_t)n);
        else if (n == 0 || out->len != 0)
            return NULL; /* a reset behind the answer is no failure; the length tells */
        else if (errno != EINTR)
            return errno == EAGAIN ? "no answer in time" : strerror(errno);
    }
}

static struct slice header_value(struct slice head, const char *name)
{
    struct slice line, field, value;

    while (slice_cut(head, '\n', &line, &head)) {
        if (slice_cut(line, ':', &field, &value) && slice_eq_nocase(field, slice_str(name))) {
            if (slice_ends_with(value, (struct slice)SLICE("\r")))
                value.len--;
            return slice_trim(value);
        }
    }
    return slice_of(NULL, 0);
}

static const char *parse_answer(struct slice bytes, struct client_answer *answer)
{
    static const struct slice version = SLICE("HTTP/1.");
    const char *end = memmem(bytes.base, bytes.len, "\r\n\r\n", 4);
    struct slice head, length;
    uint64_t n;

    if (end == NULL || !slice_starts_with(bytes, version) || bytes.len < sizeof("HTTP/1.1 200") ||
        !slice_to_u64(slice_take(slice_skip(bytes, sizeof("HTTP/1.1 ") - 1), 3), 999, &n))
        return "the answer is not HTTP";
    answer->status = (int)n;
    head = slice_of(bytes.base, (size_t)(end - bytes.base) + 4);
    answer->body = slice_skip(bytes, head.len);
    if (header_value(head, "Transfer-Encoding").base != NULL)
        return "the answer comes in chunks: this is no gateway's admin port";
    length = header_value(head, "Content-Length");
    if (length.base != NULL) {
        if (!slice_to_u64(length, CLIENT_ANSWER_MAX, &n) || n > answer->body.len)
            return "the answer is cut short";
        answer->body = slice_take(answer->body, (size_t)n);
    }
    return NULL;
}

const char *client_ask(const struct client_request *request, struct client_answer *answer)
{
    const char *error = NULL;
    struct url url;
    int fd;

    *answer = (struct client_answer){.status = 0};
    buf_init(&answer->buf, CLIENT_ANSWER_MAX);
    if (!parse_url(slice_str(request->url), &url))
        return "the URL is not like http://host:port (TLS is not supported here)";
    if (!is_printable(request->key))
        return "the API key holds a space or a control character";
    fd = dial(&url, &error);
    if (fd < 0)
        return error;
    send_request(fd, &url, request);
    error = receive(fd, &answer->buf);
    close(fd);
    return error == NULL ? parse_answer(buf_slice(&answer->buf), answer) : error;
}
