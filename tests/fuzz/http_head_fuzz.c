#include <stdint.h>
#include <stdlib.h>
#include "gateway/http/head.h"
#include "gateway/http/target.h"

/* Whatever the bytes are, what is found lies within them and holds no line end. */

static void require(int claim)
{
    if (!claim)
        abort();
}

static void check_value(struct slice value)
{
    require(value.base != NULL || value.len == 0);
    require(slice_find(value, '\n') == value.len);
    require(slice_eq(slice_trim(value), value));
}

static void check_target(struct slice bytes)
{
    struct http_target target = http_target_split(bytes);
    struct buf decoded;

    require(target.path.len != 0 && target.path.len + target.query.len <= bytes.len + 1);
    require(slice_find(target.path, '?') == target.path.len);
    buf_init(&decoded, 4096);
    if (http_percent_decode(target.path, &decoded))
        require(decoded.len <= target.path.len);
    buf_dispose(&decoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = slice_of((const char *)data, size);
    struct http_head head;

    if (http_head_parse(bytes, &head) == NULL) {
        check_value(head.host);
        check_value(head.origin);
        check_value(head.authorization);
        check_value(head.key);
        check_value(head.version);
        require(slice_find(head.upgrade, '\n') == head.upgrade.len);
        require(slice_find(head.connection, '\n') == head.connection.len);
        require(head.n_protocols <= HTTP_HEAD_PROTOCOLS_MAX);
        for (size_t i = 0; i < head.n_protocols; i++)
            check_value(head.protocols[i]);
    }
    http_head_dispose(&head);
    check_target(bytes);
    return 0;
}
