#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "gateway/websocket/deflate_negotiate.h"
#include "gateway/websocket/extensions.h"

/*
 * Input: one byte of flags, one of window sizes, then header lines with \n between. Must hold:
 * nothing is read outside a line (each has memory of exactly its size); several lines are what
 * they are joined by commas; what was understood, written anew, is understood the same; a
 * response is what the settings and one of the offers allow.
 *
 * The asserts are the test: this file is never compiled with NDEBUG.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_LINES = 16 };

static void append(struct buf *out, struct slice bytes)
{
    bool fits = buf_append(out, bytes);

    assert(fits);
}

/* Appends all that is understood in a form that is a header again. */
static enum ws_extensions_status write_anew(const struct slice *lines, size_t n_lines,
                                            struct buf *out)
{
    struct ws_extensions reading;
    struct ws_extension extension;
    enum ws_extensions_status status;

    ws_extensions_init(&reading, lines, n_lines);
    while ((status = ws_extensions_next(&reading, &extension)) == WS_EXTENSIONS_OK) {
        struct ws_extension_parameter parameter;

        assert(extension.name.len != 0);
        if (out->len != 0)
            append(out, slice_str(","));
        append(out, extension.name);
        while (ws_extension_parameter(&extension.parameters, &parameter)) {
            assert(parameter.name.len != 0);
            append(out, slice_str(";"));
            append(out, parameter.name);
            assert(parameter.value.base == NULL || parameter.value.len != 0);
            if (parameter.value.base != NULL)
                append(out, slice_str("="));
            append(out, parameter.value);
        }
        assert(extension.parameters.len == 0);
    }
    return status;
}

static enum ws_extensions_status check_lines(const struct slice *lines, size_t n_lines)
{
    struct buf anew, joined, again;
    enum ws_extensions_status status;
    struct slice line;

    buf_init(&anew, SIZE_MAX / 2);
    buf_init(&joined, SIZE_MAX / 2);
    buf_init(&again, SIZE_MAX / 2);
    status = write_anew(lines, n_lines, &anew);
    if (anew.len != 0) {
        enum ws_extensions_status second;

        line = buf_slice(&anew);
        second = write_anew(&line, 1, &again);
        assert(second == WS_EXTENSIONS_END);
        assert(slice_eq(line, buf_slice(&again)));
    }
    buf_consume(&again, again.len);
    for (size_t i = 0; i < n_lines; i++) {
        append(&joined, lines[i]);
        append(&joined, slice_str(","));
    }
    line = buf_slice(&joined);
    assert(write_anew(&line, 1, &again) == status);
    assert(slice_eq(buf_slice(&anew), buf_slice(&again)));
    buf_dispose(&anew);
    buf_dispose(&joined);
    buf_dispose(&again);
    return status;
}

/* A client that asks for exactly what the response says must be answered the same. */
static void check_response(const struct ws_deflate_settings *settings,
                           const struct ws_deflate_agreement *agreed,
                           const struct ws_deflate_response *response)
{
    struct slice line = slice_of(response->text, response->len);
    struct ws_deflate_agreement again;
    struct ws_deflate_response second;
    enum ws_deflate_verdict verdict;

    assert(response->len <= sizeof(response->text));
    assert(agreed->server_bits >= 9 && agreed->server_bits <= settings->server_max_bits);
    assert(agreed->client_bits >= 9 && agreed->client_bits <= 15);
    assert(settings->server_keeps_context || !agreed->server_keeps_context);
    assert(settings->client_keeps_context || !agreed->client_keeps_context);
    verdict = ws_deflate_negotiate(&line, 1, settings, &again, &second);
    assert(verdict == WS_DEFLATE_AGREED);
    assert(slice_eq(line, slice_of(second.text, second.len)));
    assert(again.server_bits == agreed->server_bits && again.client_bits == agreed->client_bits);
    assert(again.server_keeps_context == agreed->server_keeps_context);
    assert(again.client_keeps_context == agreed->client_keeps_context);
}

static void check_negotiation(const struct slice *lines, size_t n_lines, uint8_t flags,
                              uint8_t sizes, enum ws_extensions_status status)
{
    const struct ws_deflate_settings settings = {
        .is_enabled = (flags & 4) == 0,
        .server_keeps_context = (flags & 1) != 0,
        .client_keeps_context = (flags & 2) != 0,
        .server_max_bits = (uint8_t)(9 + (sizes & 15) % 7),
        .client_max_bits = (uint8_t)(9 + (sizes >> 4) % 7),
    };
    struct ws_deflate_agreement agreed;
    struct ws_deflate_response response;

    switch (ws_deflate_negotiate(lines, n_lines, &settings, &agreed, &response)) {
    case WS_DEFLATE_NONE:
        assert(!settings.is_enabled || status == WS_EXTENSIONS_END);
        break;
    case WS_DEFLATE_BAD:
        assert(settings.is_enabled && status == WS_EXTENSIONS_ERR_SYNTAX);
        break;
    case WS_DEFLATE_AGREED:
        assert(settings.is_enabled && status == WS_EXTENSIONS_END);
        check_response(&settings, &agreed, &response);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice lines[MAX_LINES], rest, line;
    enum ws_extensions_status status;
    size_t n_lines = 0;

    if (size < 2)
        return 0;
    rest = slice_of((const char *)data + 2, size - 2);
    while (n_lines < MAX_LINES && rest.len != 0) {
        char *copy;

        if (!slice_cut(rest, '\n', &line, &rest)) {
            line = rest;
            rest = slice_of("", 0);
        }
        copy = malloc(line.len == 0 ? 1 : line.len);
        assert(copy != NULL);
        if (line.len != 0)
            memcpy(copy, line.base, line.len);
        lines[n_lines++] = slice_of(copy, line.len);
    }
    if (n_lines != 0) {
        status = check_lines(lines, n_lines);
        check_negotiation(lines, n_lines, data[0], data[1], status);
    }
    for (size_t i = 0; i < n_lines; i++)
        free((void *)(uintptr_t)lines[i].base);
    return 0;
}
