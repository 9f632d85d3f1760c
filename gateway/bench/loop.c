#include "gateway/bench/loop.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "base/mem.h"
#include "gateway/bench/connection.h"
#include "gateway/bench/inflater.h"

enum { LARGEST_WINDOW_BITS = 15 };

int loop_init(struct loop *loop, int wake_fd, const struct connection_settings *settings,
              const struct connection_handler *handler, void *handler_self)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

    *loop = (struct loop){
        .epoll_fd = epoll_create1(EPOLL_CLOEXEC),
        .wake_fd = wake_fd,
        .buffer_size = settings->max_payload + CONNECTION_MAX_HEAD + LOOP_READ_BYTES,
        .random = loop_now_ns() | 1,
        .settings = settings,
        .handler = handler,
        .handler_self = handler_self,
    };
    if (loop->epoll_fd == -1 ||
        (wake_fd != -1 && epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, wake_fd, &event) != 0)) {
        fprintf(stderr, "load: epoll: %s\n", strerror(errno));
        return -1;
    }
    loop->buffer = mem_alloc(loop->buffer_size);
    if (settings->extension.has_deflate) {
        loop->inflater = inflater_new(LARGEST_WINDOW_BITS, false);
        loop->inflated_size = settings->max_payload + 1;
        loop->inflated = mem_alloc(loop->inflated_size);
    }
    return 0;
}

void loop_dispose(struct loop *loop)
{
    if (loop->epoll_fd != -1)
        (void)close(loop->epoll_fd);
    mem_free(loop->buffer);
    mem_free(loop->inflated);
    inflater_free(loop->inflater);
}

void loop_turn(struct loop *loop, uint64_t wait_ns)
{
    struct epoll_event events[LOOP_BATCH];
    struct timespec wait = {.tv_sec = (time_t)(wait_ns / 1000000000U),
                            .tv_nsec = (long)(wait_ns % 1000000000U)};
    int n = epoll_pwait2(loop->epoll_fd, events, LOOP_BATCH, &wait, NULL);

    for (int i = 0; i < n; i++) {
        uint64_t ignored;

        if (events[i].data.ptr != NULL)
            connection_on_event(events[i].data.ptr, events[i].events);
        else if (read(loop->wake_fd, &ignored, sizeof(ignored)) < 0 && errno != EAGAIN)
            fprintf(stderr, "load: eventfd: %s\n", strerror(errno));
    }
}

/* xorshift64 (Marsaglia). */
uint32_t loop_mask(struct loop *loop)
{
    loop->random ^= loop->random << 13;
    loop->random ^= loop->random >> 7;
    loop->random ^= loop->random << 17;
    return (uint32_t)(loop->random >> 32) | 1;
}
