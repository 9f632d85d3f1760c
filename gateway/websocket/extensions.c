#include "gateway/websocket/extensions.h"

/* RFC 2616, section 2.2, and the same in RFC 9110, 5.6.2: tchar. */
static bool is_token_char(char c)
{
    switch (c) {
    case '!':
    case '#':
    case '$':
    case '%':
    case '&':
    case '\'':
    case '*':
    case '+':
    case '-':
    case '.':
    case '^':
    case '_':
    case '`':
    case '|':
    case '~':
        return true;
    default:
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    }
}

static void skip_blanks(struct slice *rest)
{
    while (rest->len != 0 && (rest->base[0] == ' ' || rest->base[0] == '\t'))
        *rest = slice_skip(*rest, 1);
}

/* Takes `byte` and the blanks behind it. */
static bool take(struct slice *rest, char byte)
{
    if (rest->len == 0 || rest->base[0] != byte)
        return false;
    *rest = slice_skip(*rest, 1);
    skip_blanks(rest);
    return true;
}

/* Takes a token and the blanks behind it. */
static bool take_token(struct slice *rest, struct slice *token)
{
    size_t len = 0;

    while (len < rest->len && is_token_char(rest->base[len]))
        len++;
    *token = slice_take(*rest, len);
    *rest = slice_skip(*rest, len);
    skip_blanks(rest);
    return len != 0;
}

/*
 * Takes the rest of a quoted string, whose first quote is gone, and the blanks behind it. What is
 * quoted is a token: so a backslash only ever stands before a token's character, and one is escaped
 * when there is any.
 */
static bool take_quoted(struct slice *rest, struct ws_extension_parameter *out)
{
    const char *begin = rest->base;
    bool is_escaped = false;
    size_t n_chars = 0, at = 0;

    while (at < rest->len && rest->base[at] != '"') {
        if (rest->base[at] == '\\') {
            is_escaped = true;
            at++;
        }
        if (at == rest->len || !is_token_char(rest->base[at]))
            return false;
        if (n_chars < sizeof(out->room))
            out->room[n_chars++] = rest->base[at];
        at++;
    }
    if (at == rest->len || n_chars == 0)
        return false;
    out->value = is_escaped ? slice_of(out->room, n_chars) : slice_of(begin, at);
    *rest = slice_skip(*rest, at + 1);
    skip_blanks(rest);
    return true;
}

static bool take_parameter(struct slice *rest, struct ws_extension_parameter *out)
{
    out->value = slice_of(NULL, 0);
    if (!take_token(rest, &out->name))
        return false;
    if (!take(rest, '='))
        return true;
    if (rest->len != 0 && rest->base[0] == '"') {
        *rest = slice_skip(*rest, 1); /* not the blanks behind it */
        return take_quoted(rest, out);
    }
    return take_token(rest, &out->value);
}

bool ws_extension_parameter(struct slice *parameters, struct ws_extension_parameter *out)
{
    return take(parameters, ';') && take_parameter(parameters, out);
}

static bool take_extension(struct slice *rest, struct ws_extension *out)
{
    struct ws_extension_parameter parameter;
    struct slice begin;

    if (!take_token(rest, &out->name))
        return false;
    begin = *rest;
    while (take(rest, ';')) {
        if (!take_parameter(rest, &parameter))
            return false;
    }
    out->parameters = slice_take(begin, begin.len - rest->len);
    return true;
}

void ws_extensions_init(struct ws_extensions *reading, const struct slice *lines, size_t n_lines)
{
    *reading = (struct ws_extensions){.lines = lines, .n_lines = n_lines, .rest = {"", 0}};
    reading->has_some = n_lines == 0;
}

/*
 * Goes to the begin of the next element that is not empty, in this line or a later one: several
 * lines are one list. Returns END when there is none.
 */
static enum ws_extensions_status find_element(struct ws_extensions *reading)
{
    skip_blanks(&reading->rest);
    for (;;) {
        if (reading->rest.len == 0) {
            if (reading->n_lines == 0)
                return reading->has_some ? WS_EXTENSIONS_END : WS_EXTENSIONS_ERR_SYNTAX;
            reading->rest = *reading->lines++;
            reading->n_lines--;
            reading->is_behind = false;
            skip_blanks(&reading->rest);
        } else if (take(&reading->rest, ',')) {
            reading->is_behind = false;
        } else {
            return reading->is_behind ? WS_EXTENSIONS_ERR_SYNTAX : WS_EXTENSIONS_OK;
        }
    }
}

enum ws_extensions_status ws_extensions_next(struct ws_extensions *reading,
                                             struct ws_extension *out)
{
    enum ws_extensions_status status = find_element(reading);
    struct ws_extension extension;

    if (status != WS_EXTENSIONS_OK)
        return status;
    if (!take_extension(&reading->rest, &extension))
        return WS_EXTENSIONS_ERR_SYNTAX;
    reading->is_behind = true;
    reading->has_some = true;
    *out = extension;
    return WS_EXTENSIONS_OK;
}
