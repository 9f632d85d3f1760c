#include "gateway/push/request.h"

#include <assert.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/base64.h"
#include "base/mem.h"

enum {
    PUSH_DESTINATION_MAX = 1024,
    PUSH_CONTENT_TYPE_MAX = 255,
    PUSH_HEADERS_MAX = 64,
    PUSH_HEADER_NAME_MAX = 255,
    PUSH_HEADER_VALUE_MAX = 8192,
};

/* What the slices of a request point into. */
struct push_owned {
    json_t *root;
    char *body; /* NULL when the body stands in `root` */
};

/* Headers that the broker writes itself, or that would forge what it says. */
static const struct slice reserved_names[] = {
    SLICE("destination"),  SLICE("subscription"), SLICE("message-id"),  SLICE("content-length"),
    SLICE("content-type"), SLICE("ack"),          SLICE("receipt"),     SLICE("receipt-id"),
    SLICE("transaction"),  SLICE("version"),      SLICE("session"),     SLICE("server"),
    SLICE("heart-beat"),   SLICE("user-name"),    SLICE("redelivered"), SLICE("x-delivery-count"),
};
static const struct slice reserved_prefixes[] = {SLICE("simp"), SLICE("x-seq"), SLICE("x-epoch")};

/** Fills in `error`; `name` is what the caller sent and may hold anything. */
static bool refuse(struct push_error *error, const char *prefix, struct slice name,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

static bool refuse(struct push_error *error, const char *prefix, struct slice name,
                   const char *format, ...)
{
    size_t used = strlen(prefix);
    va_list args;

    va_start(args, format);
    (void)vsnprintf(error->detail, sizeof(error->detail), format, args);
    va_end(args);
    error->status = 400;
    memcpy(error->field_name, prefix, used);
    for (size_t i = 0; i < name.len && used < sizeof(error->field_name) - 1; i++) {
        /* Printable ASCII only: cutting or quoting cannot break the text then. */
        bool is_plain = name.base[i] >= 0x20 && name.base[i] < 0x7f;

        error->field_name[used++] = (char)(is_plain ? name.base[i] : '?');
    }
    error->field_name[used] = '\0';
    error->field = error->field_name;
    return false;
}

static struct slice string_slice(const json_t *string)
{
    return slice_of(json_string_value(string), json_string_length(string));
}

static bool has_control(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.base[i];

        if (c < 0x20 || c == 0x7f)
            return true;
    }
    return false;
}

/* What stands between `near '"` and `"'`: jansson tells a repeated name only there. */
static struct slice name_in_error(const char *text)
{
    static const char before[] = "near '\"";
    const char *start = strstr(text, before);
    struct slice name = SLICE(""), rest;

    if (start != NULL && slice_cut(slice_str(start + sizeof(before) - 1), '"', &name, &rest))
        return name;
    return slice_of("", 0);
}

static const char *what_is_wrong(enum json_error_code code)
{
    switch (code) {
    case json_error_duplicate_key:
        return "a member is given twice";
    case json_error_numeric_overflow:
        return "a number is too large";
    case json_error_invalid_utf8:
        return "not valid UTF-8";
    case json_error_null_byte_in_key:
        return "a NUL in a name";
    case json_error_stack_overflow:
        return "nested too deep";
    default:
        return "not valid JSON";
    }
}

static json_t *load(struct slice json, struct push_error *error)
{
    json_error_t why;
    /* Numbers are only checked: a body goes out with the digits that came in. */
    json_t *root =
        json_loadb(json.base == NULL ? "" : json.base, json.len,
                   JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &why);

    if (root == NULL) {
        enum json_error_code code = json_error_code(&why);

        refuse(error, "",
               code == json_error_duplicate_key ? name_in_error(why.text) : slice_of("", 0),
               "%s (line %d, column %d)", what_is_wrong(code), why.line, why.column);
        return NULL;
    }
    if (!json_is_object(root)) {
        refuse(error, "", slice_of("", 0), "expected a JSON object");
        json_decref(root);
        return NULL;
    }
    return root;
}

static bool check_names(const json_t *root, struct push_error *error)
{
    static const char *const known[] = {"destination", "body",         "text",
                                        "base64",      "content_type", "headers"};
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)root, name, value)
    {
        bool is_known = false;

        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
            is_known = is_known || strcmp(name, known[i]) == 0;
        if (!is_known)
            return refuse(error, "", slice_str(name),
                          "unknown field: expected destination, one of body, text and base64, "
                          "and optionally content_type and headers");
    }
    return true;
}

static bool read_destination(const json_t *root, struct push_request *out, struct push_error *error)
{
    static const struct slice field = SLICE("destination");
    const json_t *value = json_object_get(root, "destination");

    if (value == NULL)
        return refuse(error, "", field, "missing");
    if (!json_is_string(value))
        return refuse(error, "", field, "expected a string");
    out->destination = string_slice(value);
    if (out->destination.len == 0 || out->destination.base[0] != '/')
        return refuse(error, "", field, "expected to start with a slash");
    if (out->destination.len > PUSH_DESTINATION_MAX)
        return refuse(error, "", field, "longer than %d bytes", PUSH_DESTINATION_MAX);
    if (has_control(out->destination))
        return refuse(error, "", field, "contains a control character");
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The next three walk JSON that jansson has accepted already: they find ends, they check nothing.
 */

static const char *skip_space(const char *p)
{
    while (is_space(*p))
        p++;
    return p;
}

/** Behind the string whose opening quote is at `p`. */
static const char *skip_string(const char *p)
{
    for (p++; *p != '"'; p++) {
        if (*p == '\\')
            p++;
    }
    return p + 1;
}

/** Behind the value that starts at `p`, whatever it is. */
static const char *skip_value(const char *p)
{
    size_t depth = 0;

    do {
        if (*p == '"') {
            p = skip_string(p);
            continue;
        }
        if (*p == '{' || *p == '[')
            depth++;
        else if (*p == '}' || *p == ']')
            depth--;
        else if (depth == 0 && !is_space(*p) && *p != ',') {
            while (!is_space(*p) && *p != ',' && *p != '}' && *p != ']')
                p++;
            break;
        }
        p++;
    } while (depth != 0);
    return p;
}

/** Whether a member's name, quotes and escapes and all, reads as "body". */
static bool is_body_name(struct slice quoted)
{
    json_t *name = json_loadb(quoted.base, quoted.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    bool is_body = name != NULL && slice_eq(string_slice(name), (struct slice)SLICE("body"));

    json_decref(name);
    return is_body;
}

/**
 * The text of the member "body" of the object `json`. It is taken from the text, not printed from
 * jansson's values, which would change numbers: 0.1 would become 0.10000000000000001.
 */
static struct slice find_body(struct slice json)
{
    const char *p = skip_space(json.base) + 1; /* behind the brace */

    for (;;) {
        const char *name = skip_space(p);
        const char *name_end = skip_string(name);
        const char *value = skip_space(skip_space(name_end) + 1); /* behind the colon */
        const char *end = skip_value(value);

        if (is_body_name(slice_of(name, (size_t)(name_end - name))))
            return slice_of(value, (size_t)(end - value));
        p = skip_space(end) + 1; /* behind the comma: the member is there, so it is one */
        assert((size_t)(p - json.base) < json.len);
    }
}

/** Copies a JSON text without the space between its tokens. The caller owns `*copy`. */
static struct slice compact(struct slice json, char **copy)
{
    const char *p = json.base, *end = json.base + json.len;
    size_t len = 0;

    *copy = mem_alloc(json.len);
    while (p < end) {
        const char *next = *p == '"' ? skip_string(p) : p + 1;

        if (!is_space(*p)) {
            memcpy(*copy + len, p, (size_t)(next - p));
            len += (size_t)(next - p);
        }
        p = next;
    }
    return slice_of(*copy, len);
}

static bool read_base64(const json_t *value, struct push_request *out, struct push_error *error)
{
    struct push_owned *owned = out->owned;
    struct slice text = string_slice(value);
    size_t len;

    owned->body = mem_alloc(base64_decoded_max(text.len));
    if (!base64_decode(BASE64_STANDARD, text, owned->body, &len))
        return refuse(error, "", (struct slice)SLICE("base64"),
                      "expected standard base64 with padding");
    out->body = slice_of(owned->body, len);
    out->content_type = (struct slice)SLICE("application/octet-stream");
    return true;
}

/** Reads the one of "body", "text" and "base64" that is there, and the type that goes with it. */
static bool read_body(struct slice json, const json_t *root, struct push_request *out,
                      struct push_error *error)
{
    const json_t *body = json_object_get(root, "body");
    const json_t *text = json_object_get(root, "text");
    const json_t *base64 = json_object_get(root, "base64");
    struct push_owned *owned = out->owned;

    if ((body != NULL) + (text != NULL) + (base64 != NULL) != 1)
        return refuse(error, "",
                      slice_str(base64 != NULL ? "base64"
                                : text != NULL ? "text"
                                               : "body"),
                      "expected exactly one of body, text and base64");
    if (text != NULL && !json_is_string(text))
        return refuse(error, "", (struct slice)SLICE("text"), "expected a string");
    if (base64 != NULL && !json_is_string(base64))
        return refuse(error, "", (struct slice)SLICE("base64"), "expected a string");
    if (base64 != NULL)
        return read_base64(base64, out, error);
    if (text != NULL || json_is_string(body)) {
        out->body = string_slice(text != NULL ? text : body);
        out->content_type = (struct slice)SLICE("text/plain;charset=UTF-8");
    } else {
        out->body = compact(find_body(json), &owned->body);
        out->content_type = (struct slice)SLICE("application/json");
    }
    return true;
}

/** RFC 9110's token. */
static bool is_token(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.base[i];

        if (c <= ' ' || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c) != NULL)
            return false;
    }
    return s.len != 0;
}

static bool read_content_type(const json_t *root, struct push_request *out,
                              struct push_error *error)
{
    static const struct slice field = SLICE("content_type");
    const json_t *value = json_object_get(root, "content_type");
    struct slice type, subtype, parameters;

    if (value == NULL)
        return true;
    if (!json_is_string(value))
        return refuse(error, "", field, "expected a string");
    out->content_type = string_slice(value);
    if (out->content_type.len > PUSH_CONTENT_TYPE_MAX)
        return refuse(error, "", field, "longer than %d bytes", PUSH_CONTENT_TYPE_MAX);
    if (has_control(out->content_type))
        return refuse(error, "", field, "contains a control character");
    if (!slice_cut(out->content_type, ';', &type, &parameters))
        type = out->content_type;
    if (!slice_cut(slice_trim(type), '/', &type, &subtype) || !is_token(type) || !is_token(subtype))
        return refuse(error, "", field, "expected a media type like text/plain");
    return true;
}

static bool is_reserved(struct slice name)
{
    for (size_t i = 0; i < sizeof(reserved_names) / sizeof(reserved_names[0]); i++) {
        if (slice_eq_nocase(name, reserved_names[i]))
            return true;
    }
    for (size_t i = 0; i < sizeof(reserved_prefixes) / sizeof(reserved_prefixes[0]); i++) {
        if (slice_eq_nocase(slice_take(name, reserved_prefixes[i].len), reserved_prefixes[i]))
            return true;
    }
    return false;
}

static bool read_header(struct slice name, const json_t *value, struct push_header *header,
                        struct push_error *error)
{
    static const char prefix[] = "headers.";

    if (name.len == 0 || name.len > PUSH_HEADER_NAME_MAX)
        return refuse(error, prefix, name, "expected a name of 1 to %d bytes",
                      PUSH_HEADER_NAME_MAX);
    if (has_control(name) || slice_find(name, ':') != name.len)
        return refuse(error, prefix, name, "a colon or a control character in the name");
    if (is_reserved(name))
        return refuse(error, prefix, name, "this header is the server's own");
    if (!json_is_string(value))
        return refuse(error, prefix, name, "expected a string");
    *header = (struct push_header){.name = name, .value = string_slice(value)};
    if (header->value.len > PUSH_HEADER_VALUE_MAX)
        return refuse(error, prefix, name, "longer than %d bytes", PUSH_HEADER_VALUE_MAX);
    if (has_control(header->value))
        return refuse(error, prefix, name, "a control character in the value");
    return true;
}

static bool read_headers(const json_t *root, struct push_request *out, struct push_error *error)
{
    static const struct slice field = SLICE("headers");
    json_t *headers = json_object_get(root, "headers"), *value;
    const char *name;

    if (headers == NULL)
        return true;
    if (!json_is_object(headers))
        return refuse(error, "", field, "expected an object");
    if (json_object_size(headers) > PUSH_HEADERS_MAX)
        return refuse(error, "", field, "more than %d headers", PUSH_HEADERS_MAX);
    out->headers = mem_calloc(json_object_size(headers), sizeof(*out->headers));
    json_object_foreach(headers, name, value)
    {
        if (!read_header(slice_str(name), value, &out->headers[out->n_headers], error))
            return false;
        out->n_headers++;
    }
    return true;
}

bool push_request_parse(struct slice json, struct push_request *out, struct push_error *error)
{
    struct push_request request = {.n_headers = 0};
    struct push_owned *owned;
    json_t *root = load(json, error);

    if (root == NULL)
        return false;
    owned = mem_calloc(1, sizeof(*owned));
    owned->root = root;
    request.owned = owned;
    if (!check_names(root, error) || !read_destination(root, &request, error) ||
        !read_body(json, root, &request, error) || !read_content_type(root, &request, error) ||
        !read_headers(root, &request, error)) {
        push_request_dispose(&request);
        return false;
    }
    *out = request;
    return true;
}

void push_request_dispose(struct push_request *request)
{
    struct push_owned *owned = request->owned;

    if (owned != NULL) {
        json_decref(owned->root);
        mem_free(owned->body);
        mem_free(owned);
    }
    mem_free(request->headers);
    *request = (struct push_request){.n_headers = 0};
}
