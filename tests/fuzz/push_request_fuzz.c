#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include "gateway/push/request.h"

/* What the router may rely on holds for whatever is taken, and a JSON body keeps its value. */

static void require(int claim)
{
    if (!claim)
        abort();
}

static int has_control(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.base[i] < 0x20)
            return 1;
    }
    return 0;
}

static void check_json_body(struct slice json, struct slice body)
{
    static const size_t flags =
        JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL | JSON_REJECT_DUPLICATES;
    json_t *root = json_loadb(json.base, json.len, flags, NULL);
    json_t *value = json_object_get(root, "body");

    require(root != NULL);
    if (value != NULL && !json_is_string(value)) {
        json_t *again = json_loadb(body.base, body.len, flags, NULL);

        require(again != NULL && json_equal(again, value));
        json_decref(again);
    }
    json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice json = slice_of((const char *)data, size);
    struct push_request request;
    struct push_error error;

    if (!push_request_parse(json, &request, &error)) {
        require(error.status == 400 && error.field != NULL && error.detail[0] != '\0');
        return 0;
    }
    require(request.destination.len != 0 && request.destination.base[0] == '/');
    require(!has_control(request.destination) && !has_control(request.content_type));
    require(request.content_type.len != 0);
    for (size_t i = 0; i < request.n_headers; i++) {
        require(request.headers[i].name.len != 0 && !has_control(request.headers[i].name));
        require(slice_find(request.headers[i].name, ':') == request.headers[i].name.len);
        require(!has_control(request.headers[i].value));
    }
    check_json_body(json, request.body);
    push_request_dispose(&request);
    return 0;
}
