#include "gateway/worker/send_batch.h"

#include <assert.h>
#include <errno.h>
#include <liburing.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"

struct send_batch {
    struct io_uring ring;
    size_t n;
    bool is_broken;
    struct send_result results[SEND_BATCH_MAX];
};

size_t send_batch_len(const struct send_batch *batch)
{
    return batch->n;
}

bool send_batch_is_broken(const struct send_batch *batch)
{
    return batch->is_broken;
}

void send_batch_add(struct send_batch *batch, int fd, struct slice bytes, void *owner)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&batch->ring);

    assert(sqe != NULL && batch->n < SEND_BATCH_MAX && bytes.len != 0);
    io_uring_prep_send(sqe, fd, bytes.base, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    sqe->user_data = batch->n;
    batch->results[batch->n++] = (struct send_result){owner, -EINTR};
}

/* Takes the results that are there; returns how many. */
static unsigned reap(struct send_batch *batch)
{
    struct io_uring_cqe *cqe;
    unsigned head, n = 0;

    io_uring_for_each_cqe(&batch->ring, head, cqe)
    {
        batch->results[cqe->user_data].n = cqe->res;
        n++;
    }
    io_uring_cq_advance(&batch->ring, n);
    return n;
}

const struct send_result *send_batch_run(struct send_batch *batch)
{
    unsigned n_left = (unsigned)batch->n;

    while (n_left != 0 && !batch->is_broken) {
        int n = io_uring_submit_and_wait(&batch->ring, n_left);

        /* What was submitted has been done: such a send never waits. */
        n_left -= reap(batch);
        batch->is_broken = n < 0 && n != -EINTR;
    }
    batch->n = 0;
    return batch->results;
}

/* One send that fits, and one to a socket whose peer has gone. */
static bool is_proven(struct send_batch *batch, const int pair[2])
{
    static const struct slice word = SLICE("trial");
    const struct send_result *results;
    char read_back[16];

    send_batch_add(batch, pair[0], word, NULL);
    results = send_batch_run(batch);
    if (results[0].n != (ssize_t)word.len ||
        recv(pair[1], read_back, sizeof(read_back), MSG_DONTWAIT) != (ssize_t)word.len ||
        memcmp(read_back, word.base, word.len) != 0 || shutdown(pair[0], SHUT_WR) != 0)
        return false;
    send_batch_add(batch, pair[0], word, NULL);
    results = send_batch_run(batch);
    return results[0].n == -EPIPE && !batch->is_broken;
}

struct send_batch *send_batch_new(const char **why)
{
    struct send_batch *batch = mem_calloc(1, sizeof(*batch));
    int pair[2], error;
    bool works;

    error = -io_uring_queue_init(SEND_BATCH_MAX, &batch->ring,
                                 IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                                     IORING_SETUP_SUBMIT_ALL);
    if (error != 0) {
        *why = "io_uring_setup";
        mem_free(batch);
        errno = error;
        return NULL;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        *why = "socketpair";
        error = errno;
        works = false;
    } else {
        *why = "the trial of a send";
        works = is_proven(batch, pair);
        close(pair[0]);
        close(pair[1]);
    }
    if (works)
        return batch;
    send_batch_free(batch);
    errno = error;
    return NULL;
}

void send_batch_free(struct send_batch *batch)
{
    if (batch == NULL)
        return;
    io_uring_queue_exit(&batch->ring);
    mem_free(batch);
}
