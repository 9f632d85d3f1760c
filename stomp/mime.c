#include "stomp/mime.h"

#include <stdio.h>
#include "stomp/charset.h"
#include "stomp/quote.h"

/* No content-type of this world has more; without a bound the search for doubles is quadratic. */
enum { MAX_PARAMETERS = 32 };

struct parameter {
    struct slice name;
    struct slice value;
};

struct mime {
    struct slice type;
    struct slice subtype;
    struct parameter parameters[MAX_PARAMETERS];
    size_t n_parameters;
};

enum fault {
    FAULT_EMPTY,
    FAULT_NO_SLASH,
    FAULT_NO_TYPE,
    FAULT_NO_SUBTYPE,
    FAULT_WILDCARD,
    FAULT_NO_PARAMETER,
    FAULT_NO_VALUE,
    FAULT_PARAMETER_COUNT,
    FAULT_TOKEN,
    FAULT_CHARSET_NAME,
    FAULT_CHARSET_UNKNOWN,
};

/* What is wrong, and for the last three with what. */
struct problem {
    enum fault fault;
    struct slice text;
    struct slice character;
};

/* Spring's words; the last three it completes with what it met. */
static const char *const reasons[] = {
    [FAULT_EMPTY] = "'mimeType' must not be empty",
    [FAULT_NO_SLASH] = "does not contain '/'",
    [FAULT_NO_TYPE] = "'type' must not be empty",
    [FAULT_NO_SUBTYPE] = "does not contain subtype after '/'",
    [FAULT_WILDCARD] = "wildcard type is legal only in '*/*' (all mime types)",
    [FAULT_NO_PARAMETER] = "'parameter' must not be empty",
    [FAULT_NO_VALUE] = "'value' must not be empty",
    [FAULT_PARAMETER_COUNT] = "too many parameters",
    [FAULT_TOKEN] = "Invalid token character",
    [FAULT_CHARSET_NAME] = "illegal charset name",
    [FAULT_CHARSET_UNKNOWN] = "unsupported charset",
};

static bool fail(struct problem *problem, enum fault fault)
{
    *problem = (struct problem){.fault = fault};
    return false;
}

/* Java's String.trim: all control characters count as space. */
static struct slice trim(struct slice text)
{
    while (text.len != 0 && (unsigned char)text.base[0] <= ' ')
        text = slice_skip(text, 1);
    while (text.len != 0 && (unsigned char)text.base[text.len - 1] <= ' ')
        text.len--;
    return text;
}

#define BIT(c) (UINT64_C(1) << ((c)&63))

/* The tokens of RFC 2616: printable ASCII without the separators. */
static bool is_token_char(unsigned char c)
{
    static const uint64_t separators[2] = {
        BIT('"') | BIT('(') | BIT(')') | BIT(',') | BIT('/') | BIT(':') | BIT(';') | BIT('<') |
            BIT('=') | BIT('>') | BIT('?'),
        BIT('@') | BIT('[') | BIT('\\') | BIT(']') | BIT('{') | BIT('}') | BIT(0x7f),
    };

    return c > ' ' && c < 0x80 && (separators[c >> 6] & BIT(c)) == 0;
}

/* The whole character that begins at `at`, as far as it is there. */
static struct slice character_at(struct slice text, size_t at)
{
    size_t len = 1;

    while (at + len < text.len && ((unsigned char)text.base[at + len] & 0xc0) == 0x80)
        len++;
    return slice_take(slice_skip(text, at), len);
}

static bool check_token(struct slice token, struct problem *problem)
{
    for (size_t i = 0; i < token.len; i++) {
        if (!is_token_char((unsigned char)token.base[i])) {
            *problem = (struct problem){FAULT_TOKEN, token, character_at(token, i)};
            return false;
        }
    }
    return true;
}

static bool is_quoted(struct slice value)
{
    return value.len >= 2 && (value.base[0] == '"' || value.base[0] == '\'') &&
           value.base[value.len - 1] == value.base[0];
}

static bool check_charset(struct slice value, struct problem *problem)
{
    struct slice name = is_quoted(value) ? slice_of(value.base + 1, value.len - 2) : value;

    *problem = (struct problem){.text = name};
    if (!stomp_charset_is_legal(name)) {
        problem->fault = FAULT_CHARSET_NAME;
        return false;
    }
    problem->fault = FAULT_CHARSET_UNKNOWN;
    return stomp_charset_is_known(name);
}

static bool check_parameter(const struct parameter *parameter, struct problem *problem)
{
    if (parameter->name.len == 0)
        return fail(problem, FAULT_NO_PARAMETER);
    if (parameter->value.len == 0)
        return fail(problem, FAULT_NO_VALUE);
    if (!check_token(parameter->name, problem))
        return false;
    return is_quoted(parameter->value) || check_token(parameter->value, problem);
}

/* The end of the parameter that begins at `at`: a semicolon outside of double quotes, or the end.
 */
static size_t parameter_end(struct slice value, size_t at)
{
    bool is_quoted_part = false;

    for (; at < value.len; at++) {
        if (value.base[at] == '"' && value.base[at - 1] != '\\')
            is_quoted_part = !is_quoted_part;
        else if (value.base[at] == ';' && !is_quoted_part)
            break;
    }
    return at;
}

/* As in a map that keeps the order: the same name again changes the value in its old place. */
static bool put_parameter(struct mime *mime, struct slice name, struct slice value)
{
    for (size_t i = 0; i < mime->n_parameters; i++) {
        if (slice_eq(mime->parameters[i].name, name)) {
            mime->parameters[i].value = value;
            return true;
        }
    }
    if (mime->n_parameters == MAX_PARAMETERS)
        return false;
    mime->parameters[mime->n_parameters++] = (struct parameter){name, value};
    return true;
}

static bool split_parameters(struct slice value, size_t at, struct mime *mime)
{
    while (at < value.len) {
        size_t end = parameter_end(value, at + 1);
        struct slice text = slice_of(value.base + at + 1, end - at - 1), name, rest;

        /* What has no '=' is dropped, as there. */
        if (slice_cut(trim(text), '=', &name, &rest) &&
            !put_parameter(mime, trim(name), trim(rest)))
            return false;
        at = end;
    }
    return true;
}

/* Names that differ in case only: the later one stands, in its own place. */
static bool is_overridden(const struct mime *mime, size_t at)
{
    for (size_t i = at + 1; i < mime->n_parameters; i++) {
        if (slice_eq_nocase(mime->parameters[i].name, mime->parameters[at].name))
            return true;
    }
    return false;
}

/* Step by step what MimeTypeUtils.parseMimeType and the constructor of MimeType do. */
static bool parse(struct slice value, struct mime *mime, struct problem *problem)
{
    const struct slice star = SLICE("*"), all = SLICE("*/*"), charset = SLICE("charset");
    size_t end = slice_find(value, ';');
    struct slice full = trim(slice_take(value, end));

    mime->n_parameters = 0;
    if (full.len == 0)
        return fail(problem, FAULT_EMPTY);
    if (slice_eq(full, star)) /* which an old Java client sends */
        full = all;
    if (!slice_cut(full, '/', &mime->type, &mime->subtype))
        return fail(problem, FAULT_NO_SLASH);
    if (mime->subtype.len == 0)
        return fail(problem, FAULT_NO_SUBTYPE);
    if (slice_eq(mime->type, star) && !slice_eq(mime->subtype, star))
        return fail(problem, FAULT_WILDCARD);
    if (!split_parameters(value, end, mime))
        return fail(problem, FAULT_PARAMETER_COUNT);
    if (mime->type.len == 0)
        return fail(problem, FAULT_NO_TYPE);
    if (!check_token(mime->type, problem) || !check_token(mime->subtype, problem))
        return false;
    for (size_t i = 0; i < mime->n_parameters; i++) {
        if (!check_parameter(&mime->parameters[i], problem))
            return false;
    }
    for (size_t i = 0; i < mime->n_parameters; i++) {
        if (slice_eq_nocase(mime->parameters[i].name, charset) && !is_overridden(mime, i) &&
            !check_charset(mime->parameters[i].value, problem))
            return false;
    }
    return true;
}

static char *put(struct slice text, char *out)
{
    for (size_t i = 0; i < text.len; i++)
        *out++ = text.base[i];
    return out;
}

static char *put_lower(struct slice text, char *out)
{
    for (size_t i = 0; i < text.len; i++)
        *out++ = (char)(text.base[i] | (text.base[i] >= 'A' && text.base[i] <= 'Z' ? 0x20 : 0));
    return out;
}

static bool print(const struct mime *mime, size_t max_len, struct buf *printed)
{
    char *first = buf_reserve(printed, max_len), *out = first;

    if (first == NULL)
        return false;
    out = put_lower(mime->type, out);
    *out++ = '/';
    out = put_lower(mime->subtype, out);
    for (size_t i = 0; i < mime->n_parameters; i++) {
        if (is_overridden(mime, i))
            continue;
        *out++ = ';';
        out = put(mime->parameters[i].name, out);
        *out++ = '=';
        out = put(mime->parameters[i].value, out);
    }
    buf_commit(printed, (size_t)(out - first));
    return true;
}

enum stomp_status stomp_mime_parse(struct slice value, struct buf *printed, const char **reason)
{
    /* The print is never longer, but for a star alone that reads as two. */
    const size_t max_len = value.len + 2;
    struct mime mime;
    struct problem problem;

    if (!parse(value, &mime, &problem)) {
        if (reason != NULL)
            *reason = reasons[problem.fault];
        return STOMP_ERR_CONTENT_TYPE;
    }
    if (printed != NULL && !print(&mime, max_len, printed)) {
        if (reason != NULL)
            *reason = "too long";
        return STOMP_ERR_CONTENT_TYPE;
    }
    return STOMP_OK;
}

void stomp_mime_explain(struct slice value, char *text, size_t size)
{
    char quoted[64 + 4], character[8 + 4];
    struct mime mime;
    struct problem problem;

    if (parse(value, &mime, &problem)) {
        (void)snprintf(text, size, "valid");
        return;
    }
    stomp_quote(problem.text, 64, quoted);
    stomp_quote(problem.character, 8, character);
    switch (problem.fault) {
    case FAULT_TOKEN:
        (void)snprintf(text, size, "%s '%s' in token \"%s\"", reasons[FAULT_TOKEN], character,
                       quoted);
        break;
    case FAULT_CHARSET_NAME:
        (void)snprintf(text, size, "%s", quoted);
        break;
    case FAULT_CHARSET_UNKNOWN:
        (void)snprintf(text, size, "%s '%s'", reasons[FAULT_CHARSET_UNKNOWN], quoted);
        break;
    default:
        (void)snprintf(text, size, "%s", reasons[problem.fault]);
        break;
    }
}

bool stomp_mime_is_binary(struct slice value)
{
    const struct slice binary[] = {
        SLICE("application/octet-stream"),
        SLICE("application/*"),
        SLICE("application/*+octet-stream"),
        SLICE("*/*"),
        SLICE("*"),
    };
    struct slice full = trim(slice_take(value, slice_find(value, ';')));

    for (size_t i = 0; i < sizeof(binary) / sizeof(binary[0]); i++) {
        if (slice_eq_nocase(full, binary[i]))
            return true;
    }
    return false;
}
