#include "gateway/websocket/writer.h"

#include <assert.h>
#include <string.h>

enum { FIN_BIT = 0x80, LENGTH_IN_2_BYTES = 126, LENGTH_IN_8_BYTES = 127, CLOSE_CODE_LEN = 2 };

size_t ws_head_len(uint64_t payload_len)
{
    if (payload_len < LENGTH_IN_2_BYTES)
        return 2;
    return payload_len <= UINT16_MAX ? 4 : 10;
}

static char *write_big_endian(char *out, uint64_t n, size_t n_bytes)
{
    for (size_t i = n_bytes; i-- != 0; n >>= 8)
        out[i] = (char)(n & 0xff);
    return out + n_bytes;
}

static char *write_head(char *out, unsigned first, uint64_t payload_len)
{
    assert(payload_len <= INT64_MAX);
    *out++ = (char)first;
    switch (ws_head_len(payload_len)) {
    case 2:
        *out++ = (char)payload_len;
        return out;
    case 4:
        *out++ = LENGTH_IN_2_BYTES;
        return write_big_endian(out, payload_len, 2);
    default:
        *out++ = LENGTH_IN_8_BYTES;
        return write_big_endian(out, payload_len, 8);
    }
}

char *ws_write_head(char *out, enum ws_opcode opcode, uint64_t payload_len)
{
    return write_head(out, FIN_BIT | (unsigned)opcode, payload_len);
}

char *ws_write_compressed_head(char *out, enum ws_opcode opcode, uint64_t payload_len)
{
    return write_head(out, FIN_BIT | WS_RSV1 | (unsigned)opcode, payload_len);
}

/* The most of `text` that fits without half a character at the end. */
static struct slice cut_at_character(struct slice text, size_t max)
{
    size_t len = max;

    if (text.len <= max)
        return text;
    while (len != 0 && ((unsigned char)text.base[len] & 0xc0) == 0x80)
        len--;
    return slice_take(text, len);
}

size_t ws_write_close(char *out, uint16_t code, struct slice reason)
{
    char *at;

    if (code == 1005)
        return (size_t)(ws_write_head(out, WS_CLOSE, 0) - out);
    assert(ws_close_code_is_valid(code));
    reason = cut_at_character(reason, WS_MAX_CONTROL_PAYLOAD - CLOSE_CODE_LEN);
    at = ws_write_head(out, WS_CLOSE, CLOSE_CODE_LEN + reason.len);
    at = write_big_endian(at, code, CLOSE_CODE_LEN);
    if (reason.len != 0)
        memcpy(at, reason.base, reason.len);
    return (size_t)(at - out) + reason.len;
}

bool ws_close_code_is_valid(uint16_t code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}
