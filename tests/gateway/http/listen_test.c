#include "tests/test.h"
#include "gateway/http/listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static struct log nowhere = {.level = LOG_LEVEL_ERROR, .fd = -1};

static int open_at(const char *address, int *fds, unsigned n_fds, struct http_listen_name *name)
{
    bool is_loopback;

    return http_listen(slice_str(address), "listeners[0].address", fds, n_fds, name, &is_loopback,
                       &nowhere);
}

static uint16_t port_of(int fd)
{
    struct sockaddr_in in;
    socklen_t len = sizeof(in);

    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    return ntohs(in.sin_port);
}

static void all_sockets_share_the_port_that_the_kernel_chose(void **state)
{
    struct http_listen_name name;
    int fds[4];
    uint16_t port;

    (void)state;
    assert_int_equal(open_at("127.0.0.1:0", fds, 4, &name), 0);
    port = port_of(fds[0]);
    assert_true(strncmp(name.text, "127.0.0.1:", 10) == 0);
    assert_int_not_equal(port, 0);
    for (int i = 0; i < 4; i++) {
        int is_listening = 0;
        socklen_t len = sizeof(is_listening);

        assert_int_equal(port_of(fds[i]), port);
        assert_int_equal(getsockopt(fds[i], SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &len), 0);
        assert_int_equal(is_listening, 1);
        close(fds[i]);
    }
}

static void a_second_gateway_is_told_that_the_address_is_in_use(void **state)
{
    struct http_listen_name name, other;
    int fds[2], more[2];

    (void)state;
    assert_int_equal(open_at("127.0.0.1:0", fds, 2, &name), 0);
    assert_int_equal(open_at(name.text, more, 2, &other), 69);
    assert_int_equal(open_at(name.text, more, 1, &other), 69);
    close(fds[0]);
    close(fds[1]);
    assert_int_equal(open_at(name.text, more, 2, &other), 0);
    close(more[0]);
    close(more[1]);
}

static void a_deferred_listener_takes_who_speaks(void **state)
{
    struct http_listen_name name;
    struct pollfd readable = {.events = POLLIN};
    struct sockaddr_in address = {.sin_family = AF_INET};
    int client = socket(AF_INET, SOCK_STREAM, 0), accepted;

    (void)state;
    assert_int_equal(open_at("127.0.0.1:0", &readable.fd, 1, &name), 0);
    http_listen_defer(&readable.fd, 1);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port_of(readable.fd));
    assert_int_equal(connect(client, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(accept(readable.fd, NULL, NULL), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(send(client, "x", 1, 0), 1);
    assert_int_equal(poll(&readable, 1, 5000), 1);
    accepted = accept(readable.fd, NULL, NULL);
    assert_true(accepted >= 0);
    close(accepted);
    close(client);
    close(readable.fd);
}

static void what_is_no_address_is_a_bad_configuration(void **state)
{
    const char *const bad[] = {"",
                               "8080",
                               "127.0.0.1",
                               "127.0.0.1:",
                               "::1:0",
                               "[::1]",
                               "127.0.0.1:70000",
                               "127.0.0.1:http x",
                               "[127]:0",
                               "no.such.host.invalid:0"};
    struct http_listen_name name;
    int fd;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int code = open_at(bad[i], &fd, 1, &name);

        if (code != 78)
            fail_msg("%s gave %d", bad[i], code);
    }
}

static void an_address_of_somebody_else_cannot_be_bound(void **state)
{
    struct http_listen_name name;
    int fd;

    (void)state;
    assert_int_equal(open_at("192.0.2.1:0", &fd, 1, &name), 69);
}

static void loopback_is_told_from_the_rest(void **state)
{
    static const struct {
        const char *address;
        bool is_loopback;
    } cases[] = {{"127.0.0.1:0", true},
                 {"127.1.2.3:0", true},
                 {"0.0.0.0:0", false},
                 {":0", false},
                 {"localhost:0", true}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_listen_name name;
        bool is_loopback = !cases[i].is_loopback;
        int fd;

        assert_int_equal(http_listen(slice_str(cases[i].address), "admin.listen", &fd, 1, &name,
                                     &is_loopback, &nowhere),
                         0);
        assert_int_equal(is_loopback, cases[i].is_loopback);
        close(fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_sockets_share_the_port_that_the_kernel_chose),
        cmocka_unit_test(a_second_gateway_is_told_that_the_address_is_in_use),
        cmocka_unit_test(a_deferred_listener_takes_who_speaks),
        cmocka_unit_test(what_is_no_address_is_a_bad_configuration),
        cmocka_unit_test(an_address_of_somebody_else_cannot_be_bound),
        cmocka_unit_test(loopback_is_told_from_the_rest),
    };

    return cmocka_run_group_tests_name("gateway/http/listen", tests, NULL, NULL);
}
