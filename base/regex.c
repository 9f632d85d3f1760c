#include "base/regex.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"

struct regex {
    pcre2_code *code;
    uint32_t n_groups;
};

enum {
    GROUPS_MAX = 100, /* one within the other */

    /*
     * A class tests its members from U+0100 on one by one for each character, and PCRE2 does not
     * count that as a step. So their number is bounded.
     */
    WIDE_MEMBERS_MAX = 64,

    /*
     * PCRE2 counts the steps where it may have to come back, and each can run through the whole
     * subject. This is what steps times bytes may be, but for one step a byte and one to spare.
     */
    STEP_BYTES_MAX = 1 << 21,
    HEAP_MAX_KIB = 2048,
};

const char *regex_strstatus(enum regex_status status)
{
    switch (status) {
    case REGEX_OK:
        return "ok";
    case REGEX_ERR_SYNTAX:
        return "the regular expression is broken, or has a construct that is not supported";
    case REGEX_ERR_LENGTH:
        return "the regular expression is too long";
    }
    return "unknown status";
}

/** Reads Java's expression and writes PCRE2's. */
struct scan {
    struct slice text;
    size_t pos;
    struct buf out;
    size_t depth;       /* groups open */
    bool is_repeatable; /* something stands before, which a `*` could repeat */
    bool is_quoting;    /* a \Q without its \E, at the end */
};

static struct slice rest(const struct scan *scan)
{
    return slice_skip(scan->text, scan->pos);
}

static bool is_next(const struct scan *scan, const char *text)
{
    return slice_starts_with(rest(scan), slice_str(text));
}

/** The byte `ahead` of the current one; NUL behind the end, which is no syntax anywhere. */
static char peek(const struct scan *scan, size_t ahead)
{
    struct slice s = slice_skip(scan->text, scan->pos + ahead);

    if (s.len == 0)
        return '\0';
    return s.base[0];
}

static void put(struct scan *scan, struct slice bytes)
{
    bool ok = buf_append(&scan->out, bytes);

    assert(ok); /* no construct becomes more than six times as long */
    (void)ok;
}

/** Takes `n` bytes as they are. */
static void copy(struct scan *scan, size_t n)
{
    put(scan, slice_take(rest(scan), n));
    scan->pos += n;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_among(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/** One character that stands for itself, whatever it means elsewhere. */
static void put_literal(struct scan *scan, char byte)
{
    unsigned char c = (unsigned char)byte;

    if (c < 0x80 && !is_digit(byte) && !is_letter(byte))
        put(scan, (struct slice)SLICE("\\"));
    put(scan, slice_of(&byte, 1));
}

/** \Q...\E; the end of the expression closes it, too. */
static void scan_quotation(struct scan *scan)
{
    for (scan->pos += 2; scan->pos < scan->text.len; scan->pos++) {
        if (is_next(scan, "\\E")) {
            scan->pos += 2;
            return;
        }
        put_literal(scan, peek(scan, 0));
        scan->is_repeatable = true;
    }
    scan->is_quoting = true;
}

/** \uXXXX: a UTF-16 unit; two of them may make one character. */
static bool scan_unit(struct scan *scan, uint32_t *out)
{
    uint32_t unit = 0;

    if (!is_next(scan, "\\u"))
        return false;
    for (size_t i = 2; i < 6; i++) {
        char c = peek(scan, i);

        if (!is_hex(c))
            return false;
        unit = unit * 16 + (uint32_t)(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    scan->pos += 6;
    *out = unit;
    return true;
}

static bool scan_unicode(struct scan *scan)
{
    uint32_t high, low;

    if (!scan_unit(scan, &high))
        return false;
    if (high >= 0xd800 && high <= 0xdfff) {
        if (!scan_unit(scan, &low) || high >= 0xdc00 || low < 0xdc00 || low > 0xdfff)
            return false;
        high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    }
    return buf_printf(&scan->out, "\\x{%x}", high);
}

/** \xhh and \x{h...h}; PCRE2 checks what number it is. */
static bool scan_hex(struct scan *scan)
{
    size_t len = 3;

    if (is_hex(peek(scan, 2)) && is_hex(peek(scan, 3))) {
        copy(scan, 4);
        return true;
    }
    if (peek(scan, 2) != '{' || !is_hex(peek(scan, 3)))
        return false;
    while (is_hex(peek(scan, len)))
        len++;
    if (peek(scan, len) != '}')
        return false;
    copy(scan, len + 1);
    return true;
}

/*
 * \p{...}: Java's names for ASCII become PCRE2's classes of that kind. PCRE2 would take some of
 * them for the property of the same name, which goes beyond ASCII.
 */
static bool scan_property(struct scan *scan, bool in_class)
{
    static const char *const ascii[][2] = {
        {"Lower", "lower"}, {"Upper", "upper"}, {"ASCII", "ascii"}, {"Alpha", "alpha"},
        {"Digit", "digit"}, {"Alnum", "alnum"}, {"Punct", "punct"}, {"Graph", "graph"},
        {"Print", "print"}, {"Blank", "blank"}, {"Cntrl", "cntrl"}, {"XDigit", "xdigit"},
        {"Space", "space"},
    };
    static const char categories[] =
        " L M N P S Z C Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi "
        "Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co Cs Cn ";
    const char *inverse = peek(scan, 1) == 'P' ? "^" : "";
    struct slice name = slice_skip(rest(scan), 2);
    char padded[8];

    if (peek(scan, 2) != '{') {
        name = slice_take(name, 1);
        scan->pos += 3;
    } else if (slice_cut(slice_skip(name, 1), '}', &name, &(struct slice){0})) {
        scan->pos += 4 + name.len;
    } else {
        return false;
    }
    for (size_t i = 0; i < sizeof(ascii) / sizeof(ascii[0]); i++) {
        if (slice_eq(name, slice_str(ascii[i][0])))
            return buf_printf(&scan->out, in_class ? "[:%s%s:]" : "[[:%s%s:]]", inverse,
                              ascii[i][1]);
    }
    for (size_t i = 0; i < name.len; i++) {
        if (!is_letter(name.base[i]) && name.base[i] != '_')
            return false;
    }
    /* A script or a property wants its "Is", a category may have it. */
    if (slice_starts_with(name, slice_str("Is")) && name.len > 2)
        return buf_printf(&scan->out, "\\p{%s%.*s}", inverse, SLICE_FMT(slice_skip(name, 2)));
    if (name.len == 0 || name.len > 2)
        return false;
    (void)snprintf(padded, sizeof(padded), " %.*s ", SLICE_FMT(name));
    return strstr(categories, padded) != NULL &&
           buf_printf(&scan->out, "\\p{%s%.*s}", inverse, SLICE_FMT(name));
}

/** \k<name> */
static bool scan_named_reference(struct scan *scan)
{
    size_t len = 3;

    if (peek(scan, 2) != '<')
        return false;
    while (is_letter(peek(scan, len)) || is_digit(peek(scan, len)))
        len++;
    if (peek(scan, len) != '>')
        return false;
    copy(scan, len + 1);
    return true;
}

/** Everything that begins with a backslash, but for \Q. */
static bool scan_escape(struct scan *scan, bool in_class)
{
    char c = peek(scan, 1);

    if (scan->pos + 1 == scan->text.len)
        return false;
    scan->is_repeatable = true;
    if (c == 'u')
        return scan_unicode(scan);
    if (c == 'x')
        return scan_hex(scan);
    if (c == 'p' || c == 'P')
        return scan_property(scan, in_class);
    if (c == 'k' && !in_class)
        return scan_named_reference(scan);
    if (c == 'R' && !in_class) {
        /* PCRE2 never takes a CR LF apart again, Java does. */
        put(scan, (struct slice)SLICE("(?:\\r\\n|\\v)"));
        scan->pos += 2;
        return true;
    }
    if (is_digit(c)) {
        if (in_class || c == '0' || is_digit(peek(scan, 2)))
            return false;
    } else if (is_letter(c)) {
        if (!is_among(c, "tnrfaedDhHsSvVwW") && (in_class || !is_among(c, "bBAGZzX")))
            return false;
    } else {
        scan->pos++;
        put_literal(scan, c);
        scan->pos++;
        return true;
    }
    copy(scan, 2);
    return true;
}

static bool scan_class(struct scan *scan)
{
    size_t start, n_wide = 0;

    copy(scan, 1);
    if (peek(scan, 0) == '^')
        copy(scan, 1);
    /* A bracket that would close an empty class is a member. */
    for (start = scan->out.len; scan->pos < scan->text.len;) {
        char c = peek(scan, 0);

        if (c == ']' && scan->out.len != start) {
            copy(scan, 1);
            scan->is_repeatable = true;
            return true;
        }
        if (c == '[' || is_next(scan, "&&"))
            return false;
        n_wide += (unsigned char)c >= 0xc4 || is_next(scan, "\\u") || is_next(scan, "\\x{") ||
                  is_next(scan, "\\p") || is_next(scan, "\\P");
        if (n_wide > WIDE_MEMBERS_MAX)
            return false;
        if (is_next(scan, "\\Q")) {
            scan_quotation(scan);
        } else if (c == '\\') {
            if (!scan_escape(scan, true))
                return false;
        } else if (is_among(c, ":.=")) {
            put_literal(scan, c); /* not the beginning of [:name:] */
            scan->pos++;
        } else {
            copy(scan, 1);
        }
    }
    return false;
}

/** (?flags) and (?flags: */
static bool scan_flags(struct scan *scan)
{
    copy(scan, 2);
    for (; scan->pos < scan->text.len; scan->pos++) {
        char c = peek(scan, 0);

        if (c == ':' || c == ')') {
            copy(scan, 1);
            scan->depth += c == ':';
            return true;
        }
        /* Without u case is folded in ASCII only; PCRE2 always folds all. */
        if (c != 'u' && !is_among(c, "ims-"))
            return false;
        if (c != 'u')
            put(scan, slice_of(&c, 1));
    }
    return false;
}

static bool scan_group(struct scan *scan)
{
    static const char *const openings[] = {"(?:", "(?=", "(?!", "(?>", "(?<=", "(?<!"};
    size_t len = 0;

    scan->is_repeatable = false;
    for (size_t i = 0; i < sizeof(openings) / sizeof(openings[0]) && len == 0; i++)
        len = is_next(scan, openings[i]) ? strlen(openings[i]) : 0;
    if (len == 0 && is_next(scan, "(?<")) {
        if (!is_letter(peek(scan, 3)))
            return false;
        for (len = 4; is_letter(peek(scan, len)) || is_digit(peek(scan, len));)
            len++;
        if (peek(scan, len++) != '>')
            return false;
    }
    if (len == 0 && is_next(scan, "(?"))
        return scan_flags(scan);
    if (is_next(scan, "(*"))
        return false;
    copy(scan, len != 0 ? len : 1);
    scan->depth++;
    return true;
}

/** {n} {n,} {n,m}: any other brace would stand for itself, in PCRE2 only. */
static bool scan_braces(struct scan *scan)
{
    size_t len = 1;

    while (is_digit(peek(scan, len)))
        len++;
    if (len == 1)
        return false;
    if (peek(scan, len) == ',') {
        do
            len++;
        while (is_digit(peek(scan, len)));
    }
    if (peek(scan, len) != '}')
        return false;
    copy(scan, len + 1);
    return true;
}

static bool scan_repetition(struct scan *scan)
{
    if (!scan->is_repeatable)
        return false;
    scan->is_repeatable = false;
    if (peek(scan, 0) != '{')
        copy(scan, 1);
    else if (!scan_braces(scan))
        return false;
    if (is_among(peek(scan, 0), "?+"))
        copy(scan, 1);
    return true;
}

static bool scan_item(struct scan *scan)
{
    char c = peek(scan, 0);

    if (is_next(scan, "\\Q")) {
        scan_quotation(scan);
        return true;
    }
    if (c == '\\')
        return scan_escape(scan, false);
    if (c == '[')
        return scan_class(scan);
    if (c == '(')
        return scan->depth < GROUPS_MAX && scan_group(scan);
    if (is_among(c, "*+?{"))
        return scan_repetition(scan);
    if (c == ')') {
        if (scan->depth == 0)
            return false;
        scan->depth--;
    }
    copy(scan, 1);
    scan->is_repeatable = c != '|';
    return true;
}

/** Reads the whole expression; what it becomes is in `scan->out`, which the caller disposes of. */
static bool scan_all(struct scan *scan, struct slice text)
{
    *scan = (struct scan){.text = text};
    buf_init(&scan->out, 6 * text.len + 16);
    while (scan->pos < text.len) {
        if (!scan_item(scan))
            return false;
    }
    return scan->depth == 0;
}

bool regex_is_closed(struct slice text)
{
    struct scan scan;
    bool ok = scan_all(&scan, text) && !scan.is_quoting;

    buf_dispose(&scan.out);
    return ok;
}

/* PCRE2's memory comes from where all comes from. */
static void *allocate(size_t size, void *data)
{
    (void)data;
    return mem_alloc(size);
}

static void release(void *ptr, void *data)
{
    (void)data;
    mem_free(ptr);
}

static pcre2_code *compile(struct slice text)
{
    pcre2_general_context *memory = pcre2_general_context_create(allocate, release, NULL);
    pcre2_compile_context *context = pcre2_compile_context_create(memory);
    int error;
    PCRE2_SIZE offset;
    pcre2_code *code;

    (void)pcre2_set_newline(context, PCRE2_NEWLINE_ANY);
    (void)pcre2_set_parens_nest_limit(context, GROUPS_MAX + 1);
    code = pcre2_compile((PCRE2_SPTR)text.base, text.len,
                         PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_NEVER_BACKSLASH_C |
                             PCRE2_NEVER_UCP,
                         &error, &offset, context);
    pcre2_compile_context_free(context);
    pcre2_general_context_free(memory);
    return code;
}

enum regex_status regex_new(struct slice text, struct regex **out)
{
    struct scan scan;
    pcre2_code *code = NULL;
    struct regex *regex;
    size_t size;

    if (text.len > REGEX_TEXT_MAX)
        return REGEX_ERR_LENGTH;
    if (!utf8_is_valid(text))
        return REGEX_ERR_SYNTAX;
    if (scan_all(&scan, text)) {
        put(&scan, slice_of("", 1)); /* PCRE2 wants an address, also of nothing */
        code = compile(slice_of(scan.out.base, scan.out.len - 1));
    }
    buf_dispose(&scan.out);
    if (code == NULL)
        return REGEX_ERR_SYNTAX;
    (void)pcre2_pattern_info(code, PCRE2_INFO_SIZE, &size);
    if (size > REGEX_SIZE_MAX) {
        pcre2_code_free(code);
        return REGEX_ERR_LENGTH;
    }
    regex = mem_calloc(1, sizeof(*regex));
    regex->code = code;
    (void)pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &regex->n_groups);
    *out = regex;
    return REGEX_OK;
}

void regex_free(struct regex *regex)
{
    if (regex == NULL)
        return;
    pcre2_code_free(regex->code);
    mem_free(regex);
}

size_t regex_n_groups(const struct regex *regex)
{
    return regex->n_groups;
}

static uint32_t steps_for(size_t len)
{
    size_t steps = STEP_BYTES_MAX / (len + 64), least = 2 * len;

    return (uint32_t)(steps > least ? steps : least);
}

/** Returns PCRE2's code: above 0 for a match, whose groups are then in `data`. */
static int run(const struct regex *regex, struct slice subject, pcre2_match_data *data)
{
    pcre2_general_context *memory = pcre2_general_context_create(allocate, release, NULL);
    pcre2_match_context *context = pcre2_match_context_create(memory);
    uint32_t steps = steps_for(subject.len);
    int result;

    (void)pcre2_set_match_limit(context, steps);
    (void)pcre2_set_depth_limit(context, steps);
    (void)pcre2_set_heap_limit(context, HEAP_MAX_KIB);
    result = pcre2_match(regex->code, (PCRE2_SPTR)(subject.len != 0 ? subject.base : ""),
                         subject.len, 0, 0, data, context);
    pcre2_match_context_free(context);
    pcre2_general_context_free(memory);
    return result;
}

enum regex_answer regex_capture(const struct regex *regex, struct slice subject,
                                struct slice *groups, size_t n)
{
    pcre2_match_data *data;
    const PCRE2_SIZE *ends;
    int result;

    assert(n <= regex->n_groups);
    if (subject.len > REGEX_SUBJECT_MAX)
        return REGEX_UNKNOWN;
    data = pcre2_match_data_create_from_pattern(regex->code, NULL);
    result = run(regex, subject, data);
    ends = pcre2_get_ovector_pointer(data);
    for (size_t i = 0; result > 0 && i < n; i++) {
        PCRE2_SIZE start = ends[2 * i + 2], end = ends[2 * i + 3];

        groups[i] =
            start == PCRE2_UNSET ? slice_of(NULL, 0) : slice_of(subject.base + start, end - start);
    }
    pcre2_match_data_free(data);
    if (result == PCRE2_ERROR_NOMATCH)
        return REGEX_NO_MATCH;
    return result > 0 ? REGEX_MATCH : REGEX_UNKNOWN;
}

bool regex_match(const struct regex *regex, struct slice subject)
{
    return regex_capture(regex, subject, NULL, 0) == REGEX_MATCH;
}
