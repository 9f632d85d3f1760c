#include "stomp/heartbeat.h"

static bool parse_u32(struct slice text, uint32_t *out)
{
    uint64_t n;

    if (!slice_to_u64(slice_trim(text), UINT32_MAX, &n))
        return false;
    *out = (uint32_t)n;
    return true;
}

enum stomp_status stomp_heartbeat_parse(struct slice value, struct stomp_heartbeat *out)
{
    struct stomp_heartbeat offer = {0, 0};
    struct slice can_send, wants;

    if (slice_cut(value, ',', &can_send, &wants) &&
        (!parse_u32(can_send, &offer.can_send_ms) || !parse_u32(wants, &offer.wants_ms)))
        return STOMP_ERR_HEADER_VALUE;
    *out = offer;
    return STOMP_OK;
}

static uint32_t slower(uint32_t can_send_ms, uint32_t wants_ms)
{
    if (can_send_ms == 0 || wants_ms == 0)
        return 0;
    return can_send_ms > wants_ms ? can_send_ms : wants_ms;
}

struct stomp_heartbeat_plan stomp_heartbeat_negotiate(struct stomp_heartbeat server,
                                                      struct stomp_heartbeat client)
{
    return (struct stomp_heartbeat_plan){
        .write_ms = slower(server.can_send_ms, client.wants_ms),
        .read_ms = slower(client.can_send_ms, server.wants_ms),
    };
}
