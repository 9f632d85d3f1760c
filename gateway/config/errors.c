#include "gateway/config/errors.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "base/utf8.h"

void config_errors_init(struct config_errors *errors)
{
    *errors = (struct config_errors){.items = NULL};
}

void config_errors_dispose(struct config_errors *errors)
{
    for (size_t i = 0; i < errors->n; i++) {
        mem_free(errors->items[i].where);
        mem_free(errors->items[i].setting);
        mem_free(errors->items[i].text);
    }
    mem_free(errors->items);
    config_errors_init(errors);
}

/** The length of the character at the front when it can be shown as it is; else 0. */
static size_t showable(struct slice text)
{
    unsigned char c = (unsigned char)text.base[0];

    if (c < 0x80)
        return c >= 0x20 && c != 0x7f ? 1 : 0;
    for (size_t n = 2; n <= 4 && n <= text.len; n++) {
        /* U+0080 to U+009F are control characters as well: C2 80 to C2 9F. */
        if (utf8_is_valid(slice_take(text, n)))
            return c == 0xc2 && (unsigned char)text.base[1] < 0xa0 ? 0 : n;
    }
    return 0;
}

/** A name that may come from a file or a variable, safe on a terminal. */
static char *clean_name(struct slice name)
{
    char *copy = mem_alloc(name.len + 1);
    size_t at = 0;

    while (name.len != 0) {
        size_t n = showable(name);

        if (n == 0)
            copy[at] = '?';
        else
            memcpy(copy + at, name.base, n);
        at += n == 0 ? 1 : n;
        name = slice_skip(name, n == 0 ? 1 : n);
    }
    copy[at] = '\0';
    return copy;
}

void config_errors_add(struct config_errors *errors, struct config_origin origin,
                       struct slice setting, const char *format, ...)
{
    va_list args;
    char text[1024];

    errors->total++;
    if (errors->n == CONFIG_ERRORS_MAX)
        return;
    if (errors->items == NULL)
        errors->items = mem_calloc(CONFIG_ERRORS_MAX, sizeof(*errors->items));
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    errors->items[errors->n] = (struct config_error){
        .kind = origin.kind,
        .where = clean_name(slice_take(origin.name, 4096)),
        .line = origin.line,
        .column = origin.column,
        .setting = clean_name(slice_take(setting, 200)),
        .text = mem_strdup(text),
        .sequence = errors->n,
    };
    errors->n++;
}

static int compare(size_t a, size_t b)
{
    return a < b ? -1 : a > b;
}

static int by_place(const void *a_, const void *b_)
{
    const struct config_error *a = a_, *b = b_;
    int order = compare(a->kind, b->kind);

    if (order == 0)
        order = compare(a->line, b->line);
    if (order == 0)
        order = compare(a->column, b->column);
    return order != 0 ? order : compare(a->sequence, b->sequence);
}

void config_errors_sort(struct config_errors *errors)
{
    if (errors->n != 0)
        qsort(errors->items, errors->n, sizeof(*errors->items), by_place);
}

void config_errors_print(const struct config_errors *errors, FILE *out)
{
    for (size_t i = 0; i < errors->n; i++) {
        const struct config_error *error = &errors->items[i];

        switch (error->kind) {
        case CONFIG_ORIGIN_FILE:
            if (error->line == 0)
                fprintf(out, "%s: ", error->where);
            else
                fprintf(out, "%s:%zu:%zu: ", error->where, error->line, error->column);
            break;
        case CONFIG_ORIGIN_ENVIRONMENT:
            fprintf(out, "environment %s: ", error->where);
            break;
        case CONFIG_ORIGIN_FLAG:
            fprintf(out, "%s: ", error->where);
            break;
        case CONFIG_ORIGIN_DEFAULT:
            fprintf(out, "configuration: ");
            break;
        }
        if (error->setting[0] != '\0')
            fprintf(out, "%s: ", error->setting);
        fprintf(out, "%s\n", error->text);
    }
    if (errors->total > errors->n)
        fprintf(out, "and %zu more\n", errors->total - errors->n);
}

struct config_shown config_show(struct slice text)
{
    enum { TAIL = 5 }; /* dots, quote and NUL */
    struct config_shown out;
    size_t at = 0;

    out.text[at++] = '"';
    while (text.len != 0) {
        size_t n = showable(text);

        if (at + 4 + TAIL > sizeof(out.text) || at > 80) {
            memcpy(out.text + at, "...", 3);
            at += 3;
            break;
        }
        if (n != 0)
            memcpy(out.text + at, text.base, n);
        else
            (void)snprintf(out.text + at, sizeof(out.text) - at, "\\x%02x",
                           (unsigned)(unsigned char)text.base[0]);
        at += n == 0 ? 4 : n;
        text = slice_skip(text, n == 0 ? 1 : n);
    }
    out.text[at++] = '"';
    out.text[at] = '\0';
    return out;
}
