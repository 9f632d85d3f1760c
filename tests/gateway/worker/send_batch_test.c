#include "tests/test.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/mem.h"
#include "gateway/worker/send_batch.h"

/* Where this machine has no io_uring, what a batch does cannot be seen; what happens then can. */
static int set_up(void **state)
{
    const char *why = "";

    *state = send_batch_new(&why);
    if (*state == NULL)
        print_message("no io_uring here: %s: %s\n", why, strerror(errno));
    return 0;
}

static int tear_down(void **state)
{
    send_batch_free(*state);
    return 0;
}

static void make_pair(int pair[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
}

static void close_pair(const int pair[2])
{
    close(pair[0]);
    close(pair[1]);
}

/* Dealt out to several sockets: one would not take as many small messages. */
static void a_full_batch_is_sent_in_order_and_each_owner_gets_its_result(void **state)
{
    enum { PAIRS = 8, EACH = SEND_BATCH_MAX / PAIRS };
    struct send_batch *batch = *state;
    char bytes[SEND_BATCH_MAX], read_back[EACH + 1];
    int owners[SEND_BATCH_MAX], pairs[PAIRS][2];
    const struct send_result *results;

    if (batch == NULL)
        skip();
    for (int k = 0; k < PAIRS; k++)
        make_pair(pairs[k]);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(send_batch_len(batch), 0);
        for (int i = 0; i < SEND_BATCH_MAX; i++) {
            bytes[i] = (char)(i + round);
            send_batch_add(batch, pairs[i / EACH][0], slice_of(&bytes[i], 1), &owners[i]);
            assert_int_equal(send_batch_len(batch), i + 1);
        }
        results = send_batch_run(batch);
        for (int i = 0; i < SEND_BATCH_MAX; i++) {
            assert_ptr_equal(results[i].owner, &owners[i]);
            assert_int_equal(results[i].n, 1);
        }
        for (int k = 0; k < PAIRS; k++) {
            assert_int_equal(recv(pairs[k][1], read_back, sizeof(read_back), MSG_DONTWAIT), EACH);
            assert_memory_equal(read_back, &bytes[(ptrdiff_t)k * EACH], EACH);
        }
    }
    assert_false(send_batch_is_broken(batch));
    for (int k = 0; k < PAIRS; k++)
        close_pair(pairs[k]);
}

static void an_empty_batch_may_be_run(void **state)
{
    if (*state == NULL)
        skip();
    (void)send_batch_run(*state);
    assert_false(send_batch_is_broken(*state));
}

/* A TCP connection to itself: unlike a Unix socket it takes a part of what it gets. */
static void make_tcp_pair(int pair[2])
{
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    pair[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(pair[0], (struct sockaddr *)&address, len), 0);
    pair[1] = accept(listener, NULL, NULL);
    assert_true(pair[1] >= 0);
    close(listener);
}

static void what_does_not_fit_is_told_and_never_waited_for(void **state)
{
    struct send_batch *batch = *state;
    enum { LEN = 64 << 20 };
    char *bytes;
    const struct send_result *results;
    int pair[2];

    if (batch == NULL)
        skip();
    bytes = mem_calloc(1, LEN);
    make_tcp_pair(pair);
    send_batch_add(batch, pair[0], slice_of(bytes, LEN), NULL);
    send_batch_add(batch, pair[0], slice_of(bytes, 1), NULL);
    results = send_batch_run(batch);
    assert_in_range(results[0].n, 1, LEN - 1);
    assert_int_equal(results[1].n, -EAGAIN);
    close_pair(pair);
    mem_free(bytes);
}

static void a_broken_connection_fails_alone_and_without_a_signal(void **state)
{
    struct send_batch *batch = *state;
    int gone[2], there[2];
    const struct send_result *results;
    char byte;

    if (batch == NULL)
        skip();
    make_pair(gone);
    make_pair(there);
    close(gone[1]);
    send_batch_add(batch, gone[0], slice_str("x"), NULL);
    send_batch_add(batch, -1, slice_str("y"), NULL);
    send_batch_add(batch, there[0], slice_str("z"), NULL);
    results = send_batch_run(batch);
    assert_int_equal(results[0].n, -EPIPE);
    assert_int_equal(results[1].n, -EBADF);
    assert_int_equal(results[2].n, 1);
    assert_int_equal(recv(there[1], &byte, 1, MSG_DONTWAIT), 1);
    assert_int_equal(byte, 'z');
    assert_false(send_batch_is_broken(batch));
    close(gone[0]);
    close_pair(there);
}

/* --- where somebody forbids it --- */

/* From now on that system call fails with `error` in this process, as under a seccomp profile. */
static void forbid(unsigned call, int error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(100);
}

/* A child, since nobody can take a filter back. It returns 0 when all is as it should be. */
static void in_a_child(int (*run)(int argument), int argument)
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0)
        _exit(run(argument));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int make_without_leave(int error)
{
    const char *why = "";

    forbid(__NR_io_uring_setup, error);
    if (send_batch_new(&why) != NULL)
        return 1;
    if (errno != error)
        return 2;
    return strcmp(why, "io_uring_setup") == 0 ? 0 : 3;
}

static void without_leave_there_is_no_batch_and_the_reason_is_told(void **state)
{
    (void)state;
    in_a_child(make_without_leave, EPERM);  /* a seccomp profile, or the sysctl */
    in_a_child(make_without_leave, ENOSYS); /* a kernel without it */
}

static int try_without_leave(int error)
{
    const char *why = "";

    forbid(__NR_io_uring_enter, error);
    if (send_batch_new(&why) != NULL)
        return 1;
    return strcmp(why, "the trial of a send") == 0 ? 0 : 2;
}

static void the_trial_finds_what_is_forbidden_only_half(void **state)
{
    if (*state == NULL)
        skip();
    in_a_child(try_without_leave, EPERM);
}

static int lose_leave(int error)
{
    const char *why = "";
    struct send_batch *batch = send_batch_new(&why);
    const struct send_result *results;
    int pair[2];

    if (batch == NULL || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        return 1;
    forbid(__NR_io_uring_enter, error);
    send_batch_add(batch, pair[0], slice_str("a"), NULL);
    send_batch_add(batch, pair[0], slice_str("b"), NULL);
    results = send_batch_run(batch);
    if (results[0].n != -EINTR || results[1].n != -EINTR || !send_batch_is_broken(batch))
        return 2;
    send_batch_free(batch);
    return recv(pair[1], &pair[0], 1, MSG_DONTWAIT) == -1 && errno == EAGAIN ? 0 : 3;
}

static void a_batch_that_the_kernel_refuses_later_has_sent_nothing_and_says_so(void **state)
{
    if (*state == NULL)
        skip();
    in_a_child(lose_leave, EPERM);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_full_batch_is_sent_in_order_and_each_owner_gets_its_result),
        TEST(an_empty_batch_may_be_run),
        TEST(what_does_not_fit_is_told_and_never_waited_for),
        TEST(a_broken_connection_fails_alone_and_without_a_signal),
        TEST(without_leave_there_is_no_batch_and_the_reason_is_told),
        TEST(the_trial_finds_what_is_forbidden_only_half),
        TEST(a_batch_that_the_kernel_refuses_later_has_sent_nothing_and_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
