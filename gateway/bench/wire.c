#include "gateway/bench/wire.h"

#include <string.h>

enum {
    FINAL = 0x80,
    COMPRESSED = 0x40,
    RESERVED = 0x30,
    MASKED = 0x80,
    LENGTH_16 = 126,
    LENGTH_64 = 127,
    MAX_CONTROL_PAYLOAD = 125,
};

static uint64_t load_be(const unsigned char *at, size_t n)
{
    uint64_t value = 0;

    for (size_t i = 0; i < n; i++)
        value = value << 8 | at[i];
    return value;
}

static enum load_status check_head(unsigned char first, unsigned char second)
{
    unsigned opcode = first & 0x0f;

    if ((first & RESERVED) != 0 ||
        ((first & COMPRESSED) != 0 && opcode != WIRE_TEXT && opcode != WIRE_BINARY))
        return LOAD_ERR_WS_RESERVED;
    if ((second & MASKED) != 0)
        return LOAD_ERR_WS_MASKED;
    if (opcode > WIRE_PONG || (opcode > WIRE_BINARY && opcode < WIRE_CLOSE))
        return LOAD_ERR_WS_OPCODE;
    if (opcode >= WIRE_CLOSE && ((first & FINAL) == 0 || second > MAX_CONTROL_PAYLOAD))
        return LOAD_ERR_WS_CONTROL;
    return LOAD_OK;
}

enum load_status wire_read(struct slice *input, size_t max_payload, struct wire_frame *frame)
{
    const unsigned char *at = (const unsigned char *)input->base;
    size_t head_len = 2;
    uint64_t len;
    enum load_status status;

    if (input->len < 2)
        return LOAD_MORE;
    status = check_head(at[0], at[1]);
    if (status != LOAD_OK)
        return status;
    len = at[1];
    if (len == LENGTH_16)
        head_len = 4;
    else if (len == LENGTH_64)
        head_len = 10;
    if (input->len < head_len)
        return LOAD_MORE;
    if (head_len != 2) {
        len = load_be(at + 2, head_len - 2);
        if (len < LENGTH_16 || (head_len == 10 && len <= UINT16_MAX))
            return LOAD_ERR_WS_LENGTH;
    }
    if (len > max_payload)
        return LOAD_ERR_WS_TOO_LARGE;
    if (input->len - head_len < len)
        return LOAD_MORE;
    frame->opcode = at[0] & 0x0f;
    frame->is_final = (at[0] & FINAL) != 0;
    frame->is_compressed = (at[0] & COMPRESSED) != 0;
    frame->payload = slice_of(input->base + head_len, (size_t)len);
    *input = slice_of(input->base + head_len + len, input->len - head_len - (size_t)len);
    return LOAD_OK;
}

static size_t head_len_of(size_t payload_len)
{
    if (payload_len < LENGTH_16)
        return 2;
    return payload_len <= UINT16_MAX ? 4 : 10;
}

size_t wire_len(size_t payload_len)
{
    return head_len_of(payload_len) + sizeof(uint32_t) + payload_len;
}

static void copy_masked(char *out, struct slice payload, uint32_t mask)
{
    uint64_t wide = (uint64_t)mask << 32 | mask, word;
    unsigned char key[sizeof(mask)];
    size_t i = 0;

    memcpy(key, &mask, sizeof(mask));
    for (; payload.len - i >= sizeof(word); i += sizeof(word)) {
        memcpy(&word, payload.base + i, sizeof(word));
        word ^= wide;
        memcpy(out + i, &word, sizeof(word));
    }
    for (; i < payload.len; i++)
        out[i] = (char)((unsigned char)payload.base[i] ^ key[i % sizeof(key)]);
}

void wire_write(char *out, enum wire_opcode opcode, uint32_t mask, struct slice payload)
{
    size_t head_len = head_len_of(payload.len);
    uint64_t len = payload.len;

    out[0] = (char)(FINAL | opcode);
    if (head_len == 2) {
        out[1] = (char)(MASKED | len);
    } else {
        out[1] = (char)(MASKED | (head_len == 4 ? LENGTH_16 : LENGTH_64));
        for (size_t i = head_len; i-- > 2; len >>= 8)
            out[i] = (char)(len & 0xff);
    }
    memcpy(out + head_len, &mask, sizeof(mask));
    out += head_len + sizeof(mask);
    if (mask != 0)
        copy_masked(out, payload, mask);
    else if (payload.len != 0)
        memcpy(out, payload.base, payload.len);
}
