#include "tests/bench/micro_session.h"

#include <string.h>
#include <unistd.h>
#include "base/mem.h"
#include "gateway/session/broker_setup.h"
#include "gateway/session/session.h"
#include "gateway/websocket/reader.h"
#include "tests/bench/micro_world.h"

enum { SEGMENT_BYTES = 1448 }; /* what Ethernet leaves of 1,500 bytes */

static const struct slice topic = SLICE("/topic/prices");

/* One connected session, beside the one receiver of the world. */
struct desk {
    struct world *world;
    struct config_endpoint endpoint;
    struct config config;
    struct stomp_limits limits;
    struct broker_shared shared;
    struct broker broker;
    struct timer_wheel timers;
    struct log log;
    struct session_env env;
    struct receiver receiver;
    struct session session;
    struct ws_reader reader;
};

static uint64_t now_ms(void *ctx)
{
    (void)ctx;
    return 1000;
}

static bool is_congested(void *ctx)
{
    (void)ctx;
    return false;
}

static void ignore_errand(void *ctx, unsigned worker, struct errand *errand)
{
    (void)ctx;
    (void)worker;
    (void)errand;
}

static void ignore_close(struct session *session, uint16_t code, struct slice reason)
{
    (void)session;
    (void)code;
    (void)reason;
}

static void ignore(struct session *session)
{
    (void)session;
}

static bool is_held(const struct session *session)
{
    (void)session;
    return false;
}

static uint64_t last_ms(const struct session *session)
{
    (void)session;
    return 1000;
}

static const struct session_transport transport = {
    .close = ignore_close,
    .cut_and_close = ignore_close,
    .ping = ignore,
    .pause = ignore,
    .resume = ignore,
    .is_held = is_held,
    .last_read_ms = last_ms,
    .last_write_ms = last_ms,
};

/* As the connection does with what its stream reads. */
static void give(struct desk *desk, struct slice input)
{
    unsigned frames_left = 100;

    while (input.len != 0) {
        struct session_input piece = {.frames_left = &frames_left};
        struct ws_event event;

        ws_reader_next(&desk->reader, &input, &event);
        if (event.type == WS_EVENT_MORE)
            break;
        use(event.type == WS_EVENT_DATA);
        piece.is_binary = event.opcode == WS_BINARY;
        piece.is_first = event.is_first;
        piece.is_last = event.is_last;
        use(session_input(&desk->session, event.payload, &piece) == event.payload.len);
    }
}

/* One masked message, whose `bytes` the caller frees. */
static struct slice masked(struct slice text)
{
    static const unsigned char key[4] = {0x12, 0x34, 0x56, 0x78};
    size_t head = text.len < 126 ? 6 : 8;
    unsigned char *frame = mem_alloc(head + text.len);

    frame[0] = 0x81;
    frame[1] = (unsigned char)(0x80 | (text.len < 126 ? text.len : 126));
    if (text.len >= 126) {
        frame[2] = (unsigned char)(text.len >> 8);
        frame[3] = (unsigned char)text.len;
    }
    memcpy(frame + head - sizeof(key), key, sizeof(key));
    for (size_t i = 0; i < text.len; i++)
        frame[head + i] = (unsigned char)text.base[i] ^ key[i % sizeof(key)];
    return slice_of((const char *)frame, head + text.len);
}

static void say(struct desk *desk, struct slice text)
{
    struct slice frame = masked(text);

    give(desk, frame);
    mem_free((char *)(uintptr_t)frame.base);
}

static struct desk *desk_new(void)
{
    const struct siphash_key key = {1, 2};
    struct desk *desk = mem_calloc(1, sizeof(*desk));
    struct world *world = world_new(1);
    char *error = NULL;

    desk->world = world;
    desk->endpoint = (struct config_endpoint){.path = SLICE("/ws"), .message_size_limit = 65536};
    desk->config.endpoints = &desk->endpoint;
    desk->config.n_endpoints = 1;
    desk->config.auth.anonymous = true;
    desk->config.broker.path_separator = '/';
    desk->config.broker.user_destination_prefix = slice_str("/user/");
    desk->limits = (struct stomp_limits){
        .max_frame_bytes = 65536, .max_headers = 256, .max_header_bytes = 16384};
    log_init(&desk->log, STDERR_FILENO, LOG_LEVEL_WARN, false);
    timer_wheel_init(&desk->timers, 1000);
    use(broker_setup(&desk->shared, &desk->config, 1, key, 0xabc, &error) == 0);
    broker_init(&desk->broker, &desk->shared, 0, &world->router, &world->metrics, 100,
                (struct broker_hooks){.send = ignore_errand});
    desk->env = (struct session_env){
        .config = &desk->config,
        .routes = routes_new(&desk->config, key),
        .access = auth_access_new(NULL, 0, ANT_SEPARATOR, &error),
        .stomp_limits = &desk->limits,
        .router = &world->router,
        .broker = &desk->broker,
        .timers = &desk->timers,
        .metrics = &world->metrics,
        .log = &desk->log,
        .now_ms = now_ms,
        .is_congested = is_congested,
    };
    session_env_init(&desk->env);
    ws_reader_init(&desk->reader, 65536);
    receiver_init(&desk->receiver, &world->router, WIRE_WEBSOCKET);
    session_open(&desk->session, &desk->env, &transport, &desk->receiver, 0, NULL);
    say(desk, (struct slice)SLICE("CONNECT\naccept-version:1.2\nhost:x\n\n\0"));
    use(desk->session.state == SESSION_CONNECTED);
    use(router_subscribe(&world->router, &world->receivers[0], (struct slice)SLICE("sub-0"),
                         topic));
    world_end_tick(world);
    return desk;
}

static void desk_free(struct desk *desk)
{
    session_end(&desk->session);
    receiver_leave(&desk->receiver, &desk->world->router);
    world_end_tick(desk->world);
    session_env_dispose(&desk->env);
    routes_free((struct routes *)(uintptr_t)desk->env.routes);
    auth_access_free((struct auth_access *)(uintptr_t)desk->env.access);
    broker_dispose(&desk->broker);
    broker_shared_dispose(&desk->shared);
    world_free(desk->world);
    mem_free(desk);
}

/* A SEND with these header lines, masked. */
static struct slice send_frame(size_t size, const char *lines)
{
    char *body = filled(size, "{\"price\":17.25}");
    struct slice frame;
    struct buf text;

    buf_init(&text, SIZE_MAX);
    use(buf_printf(&text,
                   "SEND\ndestination:/topic/prices\ncontent-type:application/json\n"
                   "%scontent-length:%zu\n\n",
                   lines, size) &&
        buf_append(&text, slice_of(body, size)) && buf_append(&text, slice_of("", 1)));
    frame = masked(buf_slice(&text));
    buf_dispose(&text);
    mem_free(body);
    return frame;
}

/* One SEND and one tick for each. */
static void send_ticks(size_t n, struct slice frame, size_t step)
{
    struct desk *desk = desk_new();
    char *copy = mem_alloc(frame.len);

    count_from_here();
    while (n-- != 0) {
        memcpy(copy, frame.base, frame.len); /* it is unmasked in place */
        for (size_t at = 0; at < frame.len; at += step)
            give(desk, slice_take(slice_of(copy + at, frame.len - at), step));
        world_end_tick(desk->world);
    }
    mem_free(copy);
    mem_free((char *)(uintptr_t)frame.base);
    desk_free(desk);
}

void micro_send(size_t n, size_t size)
{
    send_ticks(n, send_frame(size, ""), SIZE_MAX);
}

void micro_send_headers(size_t n, size_t size)
{
    send_ticks(n,
               send_frame(size,
                          "receipt:message-12345\n"
                          "priority:4\npersistent:true\nexpires:0\ncorrelation-id:a-b-c-1\n"
                          "x-sender:alice\nx-room:42\nx-kind:price\nx-trace:00f067aa0ba902b7\n"),
               SIZE_MAX);
}

void micro_send_pieces(size_t n, size_t size)
{
    send_ticks(n, send_frame(size, ""), SEGMENT_BYTES);
}
