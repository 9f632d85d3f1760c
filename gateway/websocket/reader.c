#include "gateway/websocket/reader.h"

#include <string.h>
#include "base/mem.h"
#include "gateway/websocket/writer.h"

/* RFC 6455, section 5.2: the first two bytes of a frame. */
enum {
    FIN_BIT = 0x80,
    RESERVED_BITS = 0x70,
    COMPRESSED_BIT = WS_RSV1,
    OPCODE_BITS = 0x0f,
    CONTROL_BIT = 0x08, /* within the opcode */
    MASK_BIT = 0x80,
    LENGTH_BITS = 0x7f,
    LENGTH_IN_2_BYTES = 126,
    LENGTH_IN_8_BYTES = 127,
};

enum { MASK_LEN = 4, START_LEN = 2 };

/* A vector of GCC and clang, whatever the processor has for it. */
enum { BLOCK = 16, STRIDE = 64 };
typedef uint64_t block __attribute__((vector_size(BLOCK)));
#define HIGH_BITS 0x8080808080808080U

void ws_reader_init(struct ws_reader *reader, uint64_t max_message_bytes)
{
    *reader = (struct ws_reader){.max_message_bytes = max_message_bytes};
}

void ws_reader_allow_compressed(struct ws_reader *reader)
{
    reader->allows_compressed = true;
}

void ws_reader_dispose(struct ws_reader *reader)
{
    mem_free(reader->control);
    reader->control = NULL;
}

static void fail(struct ws_reader *reader, struct ws_event *event, uint16_t code, const char *why)
{
    reader->is_over = true;
    *event = (struct ws_event){
        .type = WS_EVENT_ERROR,
        .close_code = code,
        .reason = slice_str(why),
    };
}

static void advance(struct slice *input, size_t n)
{
    if (n != 0) {
        input->base += n;
        input->len -= n;
    }
}

static size_t take_len(const struct ws_reader *reader, const struct slice *input)
{
    return reader->frame_left < input->len ? (size_t)reader->frame_left : input->len;
}

static inline block unmask_block(char *at, block mask)
{
    block bytes;

    memcpy(&bytes, at, sizeof(bytes));
    bytes ^= mask;
    memcpy(at, &bytes, sizeof(bytes));
    return bytes;
}

/*
 * In place. The mask is turned so that it begins with the byte that is next; all steps are
 * multiples of its length, so it never turns again. Returns whether what came out is ASCII, which
 * costs next to nothing here and saves text a second look.
 */
static bool unmask(char *bytes, size_t len, const uint8_t mask[MASK_LEN], size_t mask_at)
{
    uint8_t twice[2 * MASK_LEN];
    uint32_t turned;
    uint64_t mask_word, word, seen;
    block mask_block, all = {0, 0};
    size_t i = 0;

    memcpy(twice, mask, MASK_LEN);
    memcpy(twice + MASK_LEN, mask, MASK_LEN);
    memcpy(&turned, twice + mask_at, sizeof(turned));
    mask_word = (uint64_t)turned << 32 | turned;
    mask_block = (block){mask_word, mask_word};
    for (; len - i >= STRIDE; i += STRIDE) {
        all |= unmask_block(bytes + i, mask_block);
        all |= unmask_block(bytes + i + BLOCK, mask_block);
        all |= unmask_block(bytes + i + STRIDE / 2, mask_block);
        all |= unmask_block(bytes + i + STRIDE - BLOCK, mask_block);
    }
    for (; len - i >= BLOCK; i += BLOCK)
        all |= unmask_block(bytes + i, mask_block);
    seen = all[0] | all[1];
    if (len - i >= sizeof(word)) {
        memcpy(&word, bytes + i, sizeof(word));
        word ^= mask_word;
        memcpy(bytes + i, &word, sizeof(word));
        seen |= word;
        i += sizeof(word);
    }
    for (size_t k = 0; i < len; i++, k++) {
        bytes[i] = (char)(bytes[i] ^ twice[(mask_at + k) % MASK_LEN]);
        seen |= (unsigned char)bytes[i];
    }
    return (seen & HIGH_BITS) == 0;
}

/* Returns false when the input ends before the head has `want` bytes. */
static bool collect_head(struct ws_reader *reader, struct slice *input, size_t want)
{
    while (reader->head_len < want) {
        if (input->len == 0)
            return false;
        reader->head[reader->head_len++] = (uint8_t)input->base[0];
        advance(input, 1);
    }
    return true;
}

/* The first bytes of the head, at least so many: where they came in, or collected. NULL: MORE. */
static const uint8_t *look_at_head(struct ws_reader *reader, struct slice *input, size_t want)
{
    if (reader->head_len == 0 && input->len >= want)
        return (const uint8_t *)input->base;
    return collect_head(reader, input, want) ? reader->head : NULL;
}

/* The first `n` bytes of the head are done with. */
static void drop_head(struct ws_reader *reader, struct slice *input, size_t n)
{
    if (reader->head_len == 0)
        advance(input, n);
    reader->head_len = 0;
}

static size_t length_field_len(uint8_t second)
{
    switch (second & LENGTH_BITS) {
    case LENGTH_IN_2_BYTES:
        return 2;
    case LENGTH_IN_8_BYTES:
        return 8;
    default:
        return 0;
    }
}

static const char *check_control(uint8_t opcode, bool is_fin, uint8_t short_len)
{
    if (opcode > WS_PONG)
        return "reserved opcode";
    if (!is_fin)
        return "fragmented control frame";
    if (short_len > WS_MAX_CONTROL_PAYLOAD)
        return "control frame longer than 125 bytes";
    if (opcode == WS_CLOSE && short_len == 1)
        return "close frame with half a code";
    return NULL;
}

static const char *check_data(const struct ws_reader *reader, uint8_t opcode)
{
    bool is_in_message = reader->message_opcode != WS_CONTINUATION;

    if (opcode > WS_BINARY)
        return "reserved opcode";
    if (opcode == WS_CONTINUATION && !is_in_message)
        return "continuation of no message";
    if (opcode != WS_CONTINUATION && is_in_message)
        return "new message inside a fragmented one";
    return NULL;
}

/* RFC 7692, section 6: RSV1 stands on the first frame of a data message, and on no other. */
static bool reserved_bits_are_right(const struct ws_reader *reader, uint8_t first)
{
    uint8_t opcode = first & OPCODE_BITS;
    bool may_be_compressed =
        reader->allows_compressed && (opcode == WS_TEXT || opcode == WS_BINARY);

    return (first & RESERVED_BITS & ~(may_be_compressed ? COMPRESSED_BIT : 0)) == 0;
}

/* What the first two bytes of a frame show already. Returns what is wrong, or NULL. */
static const char *check_start(const struct ws_reader *reader, const uint8_t *head)
{
    uint8_t first = head[0], second = head[1];
    uint8_t opcode = first & OPCODE_BITS;

    if (!reserved_bits_are_right(reader, first))
        return "reserved bit set";
    if ((second & MASK_BIT) == 0)
        return "frame without mask";
    if ((opcode & CONTROL_BIT) != 0)
        return check_control(opcode, (first & FIN_BIT) != 0, second & LENGTH_BITS);
    return check_data(reader, opcode);
}

/* Section 5.2: the shortest of the three forms, and never above 63 bits. */
static const char *check_length(size_t field_len, uint64_t len)
{
    if ((field_len == 2 && len < LENGTH_IN_2_BYTES) || (field_len == 8 && len <= UINT16_MAX))
        return "length not in its shortest form";
    if (len > INT64_MAX)
        return "length above 63 bits";
    return NULL;
}

static uint64_t announced_len(const uint8_t *head, size_t field_len)
{
    uint64_t len = 0;

    if (field_len == 0)
        return head[1] & LENGTH_BITS;
    for (size_t i = 0; i < field_len; i++)
        len = len << 8 | head[START_LEN + i];
    return len;
}

/*
 * Of the bytes on the wire. What does not compress grows: by 5 bytes in 65535 at best, by an eighth
 * with encoders that only know the fixed code. The message itself is counted as it is inflated.
 */
static uint64_t message_limit(const struct ws_reader *reader)
{
    uint64_t max = reader->max_message_bytes;
    uint64_t more = max / 4 + 64;

    if (!reader->is_compressed)
        return max;
    return max > UINT64_MAX - more ? UINT64_MAX : max + more;
}

/* Returns false when a message with this frame would pass the limit. */
static bool count_data(struct ws_reader *reader, uint8_t first, uint64_t len)
{
    uint8_t opcode = first & OPCODE_BITS;

    if (opcode != WS_CONTINUATION) {
        reader->message_opcode = opcode;
        reader->is_compressed = (first & COMPRESSED_BIT) != 0;
        reader->message_bytes = 0;
        reader->is_first = true;
        reader->utf8 = (struct utf8_state){0};
    }
    if (len > message_limit(reader) - reader->message_bytes)
        return false;
    reader->message_bytes += len;
    return true;
}

/* Returns true when a frame has begun; false when the event, MORE or ERROR, stands. */
static bool read_head(struct ws_reader *reader, struct slice *input, struct ws_event *event)
{
    const uint8_t *head = look_at_head(reader, input, START_LEN);
    const char *wrong;
    size_t field_len, head_len;
    uint64_t len;
    uint8_t opcode;

    if (head == NULL)
        return false;
    wrong = check_start(reader, head);
    if (wrong != NULL) {
        drop_head(reader, input, START_LEN);
        fail(reader, event, 1002, wrong);
        return false;
    }
    field_len = length_field_len(head[1]);
    head_len = START_LEN + field_len + MASK_LEN;
    head = look_at_head(reader, input, head_len);
    if (head == NULL)
        return false;
    len = announced_len(head, field_len);
    opcode = head[0] & OPCODE_BITS;
    reader->is_fin = (head[0] & FIN_BIT) != 0;
    memcpy(reader->mask, head + START_LEN + field_len, MASK_LEN);
    drop_head(reader, input, head_len);
    wrong = check_length(field_len, len);
    if (wrong != NULL) {
        fail(reader, event, 1002, wrong);
        return false;
    }
    if ((opcode & CONTROL_BIT) == 0 && !count_data(reader, head[0], len)) {
        fail(reader, event, 1009, "message too big");
        return false;
    }
    reader->mask_at = 0;
    reader->frame_left = len;
    reader->frame_opcode = opcode;
    reader->is_in_frame = true;
    reader->control_len = 0;
    return true;
}

/* Whether a piece of text can stand behind what came before, and end there when it is the last. */
static bool check_text(struct utf8_state *utf8, struct slice piece, bool is_ascii, bool is_last)
{
    if (is_ascii && utf8_is_complete(utf8))
        return true;
    return utf8_feed(utf8, piece) && (!is_last || utf8_is_complete(utf8));
}

static void read_data(struct ws_reader *reader, struct slice *input, struct ws_event *event)
{
    size_t n = take_len(reader, input);
    struct slice piece = slice_of(input->base, n);
    bool is_last, is_ascii;

    if (n == 0 && reader->frame_left != 0)
        return;
    is_ascii = unmask((char *)piece.base, n, reader->mask, reader->mask_at);
    advance(input, n);
    reader->mask_at = (uint8_t)((reader->mask_at + n) % MASK_LEN);
    reader->frame_left -= n;
    reader->is_in_frame = reader->frame_left != 0;
    is_last = reader->is_fin && !reader->is_in_frame;
    if (reader->message_opcode == WS_TEXT && !reader->is_compressed &&
        !check_text(&reader->utf8, piece, is_ascii, is_last)) {
        fail(reader, event, 1007, "text that is not UTF-8");
        return;
    }
    *event = (struct ws_event){
        .type = WS_EVENT_DATA,
        .opcode = (enum ws_opcode)reader->message_opcode,
        .is_first = reader->is_first,
        .is_last = is_last,
        .is_compressed = reader->is_compressed,
        .payload = piece,
    };
    reader->is_first = false;
    if (is_last)
        reader->message_opcode = WS_CONTINUATION;
}

static void end_with_close(struct ws_reader *reader, struct slice payload, struct ws_event *event)
{
    uint16_t code = 1005; /* section 7.1.5: none was given */
    struct slice reason = {"", 0};

    if (payload.len != 0) {
        const unsigned char *bytes = (const unsigned char *)payload.base;

        code = (uint16_t)(bytes[0] << 8 | bytes[1]);
        reason = slice_skip(payload, 2);
        if (!ws_close_code_is_valid(code)) {
            fail(reader, event, 1002, "close code that may not be sent");
            return;
        }
        if (!utf8_is_valid(reason)) {
            fail(reader, event, 1007, "close reason that is not UTF-8");
            return;
        }
    }
    reader->is_over = true;
    *event = (struct ws_event){.type = WS_EVENT_CLOSE, .close_code = code, .reason = reason};
}

static void read_control(struct ws_reader *reader, struct slice *input, struct ws_event *event)
{
    size_t n = take_len(reader, input);
    bool is_whole = reader->control_len == 0 && n == reader->frame_left;
    struct slice payload = slice_of(input->base, n);

    if (!is_whole) {
        if (n == 0)
            return;
        /* Not a part of the struct: there is one for each idle client, and this is rare. */
        if (reader->control == NULL)
            reader->control = mem_alloc(WS_MAX_CONTROL_PAYLOAD);
        memcpy(reader->control + reader->control_len, input->base, n);
        reader->control_len = (uint8_t)(reader->control_len + n);
        payload = slice_of(reader->control, reader->control_len);
    }
    advance(input, n);
    reader->frame_left -= n;
    if (reader->frame_left != 0)
        return;
    reader->is_in_frame = false;
    (void)unmask((char *)payload.base, payload.len, reader->mask, 0);
    if (reader->frame_opcode == WS_CLOSE) {
        end_with_close(reader, payload, event);
        return;
    }
    *event = (struct ws_event){
        .type = reader->frame_opcode == WS_PING ? WS_EVENT_PING : WS_EVENT_PONG,
        .payload = payload,
    };
}

void ws_reader_next(struct ws_reader *reader, struct slice *input, struct ws_event *event)
{
    *event = (struct ws_event){.type = WS_EVENT_MORE};
    if (reader->is_over) {
        advance(input, input->len);
        return;
    }
    if (!reader->is_in_frame && !read_head(reader, input, event))
        return;
    if ((reader->frame_opcode & CONTROL_BIT) != 0)
        read_control(reader, input, event);
    else
        read_data(reader, input, event);
}
