#include "gateway/push/problem.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

static const struct {
    int status;
    const char *title;
} titles[] = {
    {200, "OK"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
};

const char *problem_title(int status)
{
    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
        if (titles[i].status == status)
            return titles[i].title;
    }
    return "Error";
}

static void set(json_t *object, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0')
        (void)json_object_set_new(object, name, json_string(value));
}

void problem_print(int status, const char *detail, const char *field, struct buf *out)
{
    json_t *object = json_object();
    bool fits;
    char *text;

    set(object, "type", "about:blank");
    set(object, "title", problem_title(status));
    (void)json_object_set_new(object, "status", json_integer(status));
    set(object, "detail", detail);
    set(object, "field", field);
    text = json_dumps(object, JSON_COMPACT);
    assert(text != NULL);
    fits = buf_append(out, slice_str(text));
    assert(fits); /* a few hundred bytes: the caller has no such small buffer */
    (void)fits;
    free(text);
    json_decref(object);
}
