#include "tests/gateway/worker/probe.h"

#include <stdlib.h>
#include <unistd.h>

static size_t on_input(struct stream *stream, struct slice input)
{
    struct probe *probe = (struct probe *)stream;
    size_t used = probe->on_input == NULL ? input.len : probe->on_input(probe, input);
    size_t room = sizeof(probe->input) - probe->n_bytes;

    probe->n_inputs++;
    if (probe->n_bytes < sizeof(probe->input))
        memcpy(probe->input + probe->n_bytes, input.base, used < room ? used : room);
    probe->n_bytes += used;
    return used;
}

static void on_end(struct stream *stream, enum stream_end how)
{
    struct probe *probe = (struct probe *)stream;

    probe->n_ends++;
    probe->how = how;
}

static void on_limit(struct stream *stream, enum stream_limit limit)
{
    struct probe *probe = (struct probe *)stream;

    probe->n_limits++;
    probe->limit = limit;
    stream_cut(stream);
    stream_finish(stream, false);
}

static void on_free(struct stream *stream)
{
    ((struct probe *)stream)->n_frees++;
}

static const struct stream_callbacks callbacks = {
    .on_input = on_input,
    .on_end = on_end,
    .on_limit = on_limit,
    .on_free = on_free,
};

static void open_task(struct worker *worker, void *ctx)
{
    struct probe *probe = ctx;

    stream_open(&probe->stream, worker, h2o_evloop_socket_create(worker->loop, probe->worker_fd, 0),
                false, WIRE_WEBSOCKET_RAW, &callbacks, &probe->limits);
    stream_resume(&probe->stream);
}

void probe_open(struct probe *probe, struct fleet *fleet, unsigned worker, int buffer_bytes)
{
    probe->fleet = fleet;
    probe->worker = worker;
    if (probe->limits.send_buffer_bytes == 0)
        probe->limits = (struct stream_limits){512 * 1024, 10000};
    probe->fd = fleet_socketpair(&probe->worker_fd, buffer_bytes);
    fleet_ask(fleet, worker, open_task, probe);
}

static bool is_freed(struct worker *worker, void *ctx)
{
    (void)worker;
    return ((const struct probe *)ctx)->n_frees != 0;
}

void probe_close(struct probe *probe)
{
    fleet_wait(probe->fleet, probe->worker, is_freed, probe);
    assert_int_equal(probe->n_ends, 1);
    assert_int_equal(probe->n_frees, 1);
    (void)close(probe->fd);
}

void probe_queue(struct probe *probe, char letter, size_t len)
{
    struct router *router = &probe->stream.worker->router;

    memset(router_queue_frame(router, &probe->stream.receiver, true, len), letter, len);
}

struct queueing {
    struct probe *probe;
    char letter;
    size_t len;
};

static void queue_task(struct worker *worker, void *ctx)
{
    const struct queueing *queueing = ctx;

    (void)worker;
    probe_queue(queueing->probe, queueing->letter, queueing->len);
}

void probe_ask_queue(struct probe *probe, char letter, size_t len)
{
    struct queueing queueing = {probe, letter, len};

    fleet_ask(probe->fleet, probe->worker, queue_task, &queueing);
}

void probe_expect(struct probe *probe, char letter, size_t len)
{
    unsigned char head[10];
    size_t head_len = len < 126 ? 2 : len < 65536 ? 4 : 10;
    char *payload = malloc(len + 1);

    assert_non_null(payload);
    fd_read(probe->fd, (char *)head, head_len);
    assert_int_equal(head[0], 0x82);
    fd_read(probe->fd, payload, len);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(payload[i], letter);
    free(payload);
}
