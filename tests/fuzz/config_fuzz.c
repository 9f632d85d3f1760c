#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "gateway/config/load.h"

/*
 * The configuration reader on any bytes. The first line's kind says where the rest goes: with
 * "ENV\n" or "SET\n" before it, each line is a variable or a flag; otherwise it is the file.
 * Either there is a snapshot and no error, or errors and no snapshot; the same input gives the same
 * again; and every error has a place and a text without control characters.
 */

enum { MAX_LINES = 64 };

static size_t split(char *text, const char *lines[MAX_LINES + 1])
{
    size_t n = 0;
    char *rest = text, *line;

    while (n < MAX_LINES && (line = strsep(&rest, "\n")) != NULL) {
        /* No variable of the fuzzer's makes us open files of this machine. */
        if (strstr(line, "_FILE") == NULL)
            lines[n++] = line;
    }
    lines[n] = NULL;
    return n;
}

static struct config *run(const char *data, size_t size, struct config_errors *errors)
{
    char *text = mem_alloc(size + 1);
    const char *lines[MAX_LINES + 1];
    struct config_source source = {.path = "fuzz.yaml"};
    struct config *config;

    if (size != 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (size >= 4 && memcmp(text, "ENV\n", 4) == 0) {
        (void)split(text + 4, lines);
        source.path = NULL;
        source.envp = lines;
    } else if (size >= 4 && memcmp(text, "SET\n", 4) == 0) {
        source.path = NULL;
        source.n_overrides = split(text + 4, lines);
        source.overrides = lines;
    } else {
        source.bytes = slice_of(text, size);
    }
    config_errors_init(errors);
    config = config_load(&source, errors);
    mem_free(text);
    return config;
}

static void check_errors(const struct config_errors *errors)
{
    for (size_t i = 0; i < errors->n; i++) {
        const struct config_error *error = &errors->items[i];

        assert(error->kind != CONFIG_ORIGIN_FILE || (error->line >= 1 && error->column >= 1));
        assert(error->text[0] != '\0');
        for (const char *c = error->text; *c != '\0'; c++)
            assert((unsigned char)*c >= 0x20 && *c != 0x7f);
        for (const char *c = error->setting; *c != '\0'; c++)
            assert((unsigned char)*c >= 0x20 && *c != 0x7f);
    }
}

static void check_config(const struct config *c)
{
    assert(c->n_listeners != 0 && c->n_endpoints != 0);
    assert(c->workers >= 1 && c->workers <= 64);
    for (size_t i = 0; i < c->n_endpoints; i++) {
        assert(c->endpoints[i].path.base[0] == '/');
        assert(c->endpoints[i].path.base[c->endpoints[i].path.len] == '\0');
        assert(c->endpoints[i].message_size_limit != 0);
    }
    for (size_t i = 0; i < c->auth.n_issuers; i++)
        assert(c->auth.issuers[i].algorithms != 0);
    for (size_t i = 0; i < c->n_access; i++)
        assert(c->access[i].operations != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config_errors first, second;
    struct config *a = run((const char *)data, size, &first);
    struct config *b = run((const char *)data, size, &second);

    assert((a == NULL) == (b == NULL) && first.total == second.total);
    assert((a == NULL) == (first.total != 0));
    check_errors(&first);
    for (size_t i = 0; i < first.n; i++)
        assert(strcmp(first.items[i].text, second.items[i].text) == 0);
    if (a != NULL)
        check_config(a);
    config_unref(a);
    config_unref(b);
    config_errors_dispose(&first);
    config_errors_dispose(&second);
    return 0;
}
