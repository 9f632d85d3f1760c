#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/base64.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/client.h"
#include "gateway/cli/help.h"
#include "gateway/config/file.h"

enum {
    PUBLISH_BODY_MAX = 64 * 1024 * 1024,
    PUBLISH_KEY_MAX = 4096,
};

/* What the command line says. Texts are borrowed from argv. */
struct publish {
    const char *url;
    const char *key;
    const char *key_file;
    const char *content_type;
    bool is_json;
    json_t *headers; /* an object */
    const char *destination;
    const char *body; /* NULL: standard input */
};

static int complain(const char *what, const char *about)
{
    (void)fprintf(stderr, "stompgate publish: %s%s%s\n", about, about[0] == '\0' ? "" : ": ", what);
    return CLI_FAILURE;
}

static bool append_str(struct buf *out, const char *text)
{
    return buf_append(out, slice_str(text));
}

/** Appends `"name":"value"` with its escapes. */
static bool append_member(struct buf *out, const char *name, struct slice value)
{
    json_t *string = json_stringn(value.base, value.len);
    char *text = string == NULL ? NULL : json_dumps(string, JSON_ENCODE_ANY);
    bool fits = text != NULL && append_str(out, "\"") && append_str(out, name) &&
                append_str(out, "\":") && append_str(out, text);

    free(text);
    json_decref(string);
    return fits;
}

static bool append_base64(struct buf *out, struct slice body)
{
    size_t len = base64_encoded_len(BASE64_STANDARD, body.len);
    char *room;

    if (!append_str(out, "\"base64\":\""))
        return false;
    room = buf_reserve(out, len);
    if (room == NULL)
        return false;
    base64_encode(BASE64_STANDARD, body, room);
    buf_commit(out, len);
    return append_str(out, "\"");
}

static bool append_body(struct buf *out, struct slice body)
{
    if (utf8_is_valid(body)) /* JSON, too: it goes out byte for byte then */
        return append_member(out, "text", body);
    return append_base64(out, body);
}

static bool append_headers(struct buf *out, const json_t *headers)
{
    char *text;
    bool fits;

    if (json_object_size(headers) == 0)
        return true;
    text = json_dumps(headers, JSON_COMPACT);
    fits = append_str(out, ",\"headers\":") && append_str(out, text);
    free(text);
    return fits;
}

static bool print_request(struct buf *out, const struct publish *args, struct slice body)
{
    const char *type = args->content_type;

    if (type == NULL && args->is_json)
        type = "application/json";
    return append_str(out, "{") &&
           append_member(out, "destination", slice_str(args->destination)) &&
           append_str(out, ",") && append_body(out, body) &&
           (type == NULL ||
            (append_str(out, ",") && append_member(out, "content_type", slice_str(type)))) &&
           append_headers(out, args->headers) && append_str(out, "}");
}

static bool is_json(struct slice body)
{
    json_t *value = json_loadb(body.base, body.len,
                               JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL);
    bool is_fine = value != NULL;

    json_decref(value);
    return is_fine;
}

static int send_request(const struct publish *args, struct slice key, struct slice json)
{
    const struct client_request request = {
        .url = args->url, .method = "POST", .path = "/api/v1/publish", .key = key, .body = json};
    struct client_answer answer;
    const char *error = client_ask(&request, &answer);
    int code = CLI_FAILURE;

    if (error != NULL) {
        (void)complain(error, args->url);
    } else if (answer.status == 200) {
        (void)printf("%.*s\n", SLICE_FMT(answer.body));
        code = CLI_OK;
    } else {
        (void)fprintf(stderr, "stompgate publish: status %d: %.*s\n", answer.status,
                      SLICE_FMT(answer.body));
    }
    buf_dispose(&answer.buf);
    return code;
}

static int publish_body(const struct publish *args, struct slice key, struct slice body)
{
    struct buf json;
    int code;

    if (args->is_json && !is_json(body))
        return complain("the body is not JSON", "");
    buf_init(&json, (size_t)PUBLISH_BODY_MAX * 8);
    code = print_request(&json, args, body)
               ? send_request(args, key, buf_slice(&json))
               : complain("the message is too large, or a part of it is not UTF-8", "");
    buf_dispose(&json);
    return code;
}

/** Returns NULL or what went wrong. */
static const char *read_stdin(struct buf *out)
{
    for (;;) {
        enum { PIECE = 64 * 1024 };
        char *room = buf_reserve(out, PIECE);
        ssize_t n;

        if (room == NULL)
            return "the body is too large";
        n = read(STDIN_FILENO, room, PIECE);
        if (n < 0)
            return "standard input cannot be read";
        if (n == 0)
            return NULL;
        buf_commit(out, (size_t)n);
    }
}

static int publish_with_key(const struct publish *args, struct slice key)
{
    const char *error;
    struct buf input;
    int code;

    if (args->body != NULL)
        return publish_body(args, key, slice_str(args->body));
    buf_init(&input, PUBLISH_BODY_MAX);
    error = read_stdin(&input);
    code = error == NULL ? publish_body(args, key, buf_slice(&input)) : complain(error, "");
    buf_dispose(&input);
    return code;
}

static int publish(const struct publish *args)
{
    struct slice file, key;
    const char *error;
    int code;

    if (args->key_file == NULL)
        return publish_with_key(args, slice_str(args->key));
    error = file_read(args->key_file, PUBLISH_KEY_MAX, &file);
    if (error != NULL)
        return complain(error, args->key_file);
    key = file;
    if (slice_ends_with(key, (struct slice)SLICE("\n")))
        key.len--;
    code = publish_with_key(args, key);
    file_wipe(file);
    return code;
}

/** "name=value". Returns NULL or what is wrong. */
static const char *add_header(json_t *headers, const char *text)
{
    const char *equals = strchr(text, '=');
    size_t len = equals == NULL ? 0 : (size_t)(equals - text);

    if (len == 0)
        return "--header: expected NAME=TEXT";
    if (json_object_getn(headers, text, len) != NULL)
        return "--header: the same name twice";
    if (json_object_setn_new(headers, text, len, json_string(equals + 1)) != 0)
        return "--header: not UTF-8";
    return NULL;
}

/** Returns NULL or what is wrong. */
static const char *read_operands(int argc, char **argv, struct publish *args)
{
    if (argc == 0)
        return "the destination is missing";
    if (argc > 2)
        return "more than a destination and a body: quote the body";
    args->destination = argv[0];
    if (argc == 2 && strcmp(argv[1], "-") != 0)
        args->body = argv[1];
    if (args->key != NULL && args->key_file != NULL)
        return "--key and --key-file at once";
    return NULL;
}

enum { OPTION_URL = 256, OPTION_KEY, OPTION_KEY_FILE };

/** Returns -1 to go on, or an exit code. */
static int read_options(int argc, char **argv, struct publish *args)
{
    static const struct option options[] = {
        {"url", required_argument, NULL, OPTION_URL},
        {"key", required_argument, NULL, OPTION_KEY},
        {"key-file", required_argument, NULL, OPTION_KEY_FILE},
        {"json", no_argument, NULL, 'j'},
        {"content-type", required_argument, NULL, 't'},
        {"header", required_argument, NULL, 'H'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *wrong = NULL;
    int option;

    optind = 0; /* 0 makes glibc start afresh */
    while (wrong == NULL && (option = getopt_long(argc, argv, "jt:H:h", options, NULL)) != -1) {
        switch (option) {
        case OPTION_URL:
            args->url = optarg;
            break;
        case OPTION_KEY:
            args->key = optarg;
            break;
        case OPTION_KEY_FILE:
            args->key_file = optarg;
            break;
        case 'j':
            args->is_json = true;
            break;
        case 't':
            args->content_type = optarg;
            break;
        case 'H':
            wrong = add_header(args->headers, optarg);
            break;
        case 'h':
            return help_print("publish");
        default:
            return help_usage_error("publish", NULL);
        }
    }
    if (wrong == NULL)
        wrong = read_operands(argc - optind, argv + optind, args);
    return wrong == NULL ? -1 : help_usage_error("publish", wrong);
}

int cli_publish(int argc, char **argv)
{
    struct publish args = {.url = CLIENT_DEFAULT_URL, .headers = json_object()};
    int code = read_options(argc, argv, &args);

    if (code < 0)
        code = publish(&args);
    json_decref(args.headers);
    return code;
}
