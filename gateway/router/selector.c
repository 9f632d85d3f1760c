#include "gateway/router/selector.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include "base/mem.h"
#include "base/regex.h"
#include "gateway/router/selector_token.h"
#include "gateway/router/selector_value.h"

/*
 * The text becomes a list of steps for a machine with a stack of values, operands first. `and` and
 * `or` jump over their right side. A value stands on the stack only while the right side of its
 * relation is worked out, so that the stack is as deep as the parentheses and two more.
 */

enum step_kind {
    STEP_NULL,
    STEP_FALSE,
    STEP_TRUE,
    STEP_NUMBER,
    STEP_STRING,  /* `text` */
    STEP_HEADER,  /* the value of the header `text`; up to here: operands */
    STEP_BOOLEAN, /* of what it is on */
    STEP_NOT,
    STEP_AND, /* false: on to `target`; true: drops it */
    STEP_OR,  /* true: on to `target`; false: drops it */
    STEP_EQ,
    STEP_NE,
    STEP_LT,
    STEP_GT,
    STEP_LE,
    STEP_GE,
    STEP_MATCHES, /* `regex` */
};

struct step {
    enum step_kind kind;
    union {
        struct slice text;
        size_t target;
        struct regex *regex;
    };
};

enum { STACK_MAX = SELECTOR_DEPTH_MAX + 2 };

struct selector {
    _Atomic uint32_t refs;
    size_t n_steps;
    struct step *steps;
    size_t text_len;
    char bytes[]; /* the text, then room for its literals with their quotes undoubled */
};

const char *selector_strstatus(enum selector_status status)
{
    switch (status) {
    case SELECTOR_OK:
        return "no error";
    case SELECTOR_ERR_LENGTH:
        return "The selector is too long";
    case SELECTOR_ERR_SYNTAX:
        return "The selector has a syntax error";
    case SELECTOR_ERR_UNSUPPORTED:
        return "A selector may only compare headers.NAME with literals, by == != < > <= >= and "
               "matches, joined by and, or, not and parentheses";
    case SELECTOR_ERR_DEPTH:
        return "The selector is nested too deeply";
    case SELECTOR_ERR_STEPS:
        return "The selector has too many terms";
    case SELECTOR_ERR_REGEX:
        return "A regular expression of the selector is not valid";
    }
    return "unknown";
}

/* --- parser (Spring's InternalSpelExpressionParser) --- */

struct parser {
    struct slice rest; /* behind `token` */
    struct selector_token token;
    struct selector *selector;
    size_t pool_len; /* bytes used behind the text */
    size_t depth;
    size_t n_regexes;
    size_t n_steps;
    struct step steps[SELECTOR_STEPS_MAX];
};

/* What an operand is known to be before there is a message. */
enum operand { OPERAND_NUMBER, OPERAND_ANY };

static enum selector_status parse_or(struct parser *p, enum operand *operand);

static void advance(struct parser *p)
{
    p->token = selector_token_read(p->rest);
    p->rest = slice_skip(p->rest, (size_t)(p->token.text.base - p->rest.base) + p->token.text.len);
}

static bool is_word(const struct parser *p, const char *word)
{
    return p->token.is_word && slice_eq_nocase(p->token.text, slice_str(word));
}

static enum selector_status refuse(bool is_spring)
{
    return is_spring ? SELECTOR_ERR_UNSUPPORTED : SELECTOR_ERR_SYNTAX;
}

/* Outside of strings Spring takes letters, whatever their script; we have no table of them. */
static bool may_be_letter(const struct parser *p)
{
    return p->token.kind == SELECTOR_TOKEN_BAD && (unsigned char)p->token.text.base[0] >= 0x80;
}

/* Why the token cannot be the operand that must stand here. */
static enum selector_status refuse_start(const struct parser *p)
{
    switch (p->token.kind) {
    case SELECTOR_TOKEN_STRING:
    case SELECTOR_TOKEN_NUMBER:
    case SELECTOR_TOKEN_OPEN:
    case SELECTOR_TOKEN_DOT: /* Spring passes over it before `?:` */
    case SELECTOR_TOKEN_NOT:
    case SELECTOR_TOKEN_MINUS:
    case SELECTOR_TOKEN_PLUS:
    case SELECTOR_TOKEN_INFIX:
    case SELECTOR_TOKEN_PREFIX:
        return refuse(true);
    default:
        return refuse(p->token.is_word || may_be_letter(p));
    }
}

/* Why the token cannot stand behind a dot. */
static enum selector_status refuse_name(const struct parser *p)
{
    return refuse(p->token.kind == SELECTOR_TOKEN_INFIX || p->token.kind == SELECTOR_TOKEN_PREFIX ||
                  may_be_letter(p));
}

/* Why the token cannot stand behind an operand. */
static enum selector_status refuse_next(const struct parser *p)
{
    switch (p->token.kind) {
    case SELECTOR_TOKEN_DOT:
    case SELECTOR_TOKEN_MINUS:
    case SELECTOR_TOKEN_PLUS:
    case SELECTOR_TOKEN_INFIX:
        return refuse(true);
    default:
        return refuse(is_word(p, "between") || is_word(p, "instanceof") || may_be_letter(p));
    }
}

static enum selector_status emit(struct parser *p, struct step step)
{
    if (p->n_steps == SELECTOR_STEPS_MAX)
        return SELECTOR_ERR_STEPS;
    p->steps[p->n_steps++] = step;
    return SELECTOR_OK;
}

/* Into the selector's own memory: no more bytes than the token has. */
static struct slice keep(struct parser *p, struct slice bytes, char doubled)
{
    char *to = p->selector->bytes + p->selector->text_len + p->pool_len;
    size_t len = 0;

    for (size_t i = 0; i < bytes.len; i++) {
        to[len++] = bytes.base[i];
        if (doubled != '\0' && bytes.base[i] == doubled)
            i++;
    }
    p->pool_len += len;
    assert(p->pool_len <= p->selector->text_len);
    return slice_of(to, len);
}

/* The text of a string token, its quotes undoubled. */
static struct slice keep_string(struct parser *p)
{
    struct slice quoted = p->token.text;

    return keep(p, slice_of(quoted.base + 1, quoted.len - 2), quoted.base[0]);
}

/* Behind the word `headers`. */
static enum selector_status parse_header(struct parser *p)
{
    enum selector_status status;

    if (p->token.kind != SELECTOR_TOKEN_DOT)
        return SELECTOR_ERR_UNSUPPORTED;
    advance(p);
    if (!p->token.is_word)
        return refuse_name(p);
    status = emit(p, (struct step){.kind = STEP_HEADER, .text = keep(p, p->token.text, '\0')});
    if (status != SELECTOR_OK)
        return status;
    advance(p);
    return p->token.kind == SELECTOR_TOKEN_OPEN ? SELECTOR_ERR_UNSUPPORTED : SELECTOR_OK;
}

static enum selector_status parse_parentheses(struct parser *p, enum operand *operand)
{
    enum selector_status status = parse_or(p, operand);

    if (status != SELECTOR_OK)
        return status;
    if (p->token.kind != SELECTOR_TOKEN_CLOSE)
        return refuse_next(p);
    advance(p);
    return SELECTOR_OK;
}

static enum selector_status parse_word(struct parser *p)
{
    static const struct {
        const char *word;
        enum step_kind kind;
    } literals[] = {{"null", STEP_NULL}, {"true", STEP_TRUE}, {"false", STEP_FALSE}};

    for (size_t i = 0; i < sizeof(literals) / sizeof(literals[0]); i++) {
        if (is_word(p, literals[i].word)) {
            advance(p);
            return emit(p, (struct step){.kind = literals[i].kind});
        }
    }
    if (!slice_eq(p->token.text, slice_str("headers")))
        return SELECTOR_ERR_UNSUPPORTED;
    advance(p);
    return parse_header(p);
}

static enum selector_status parse_number(struct parser *p, enum operand *operand)
{
    if (p->token.kind == SELECTOR_TOKEN_MINUS || p->token.kind == SELECTOR_TOKEN_PLUS) {
        advance(p);
        if (p->token.kind != SELECTOR_TOKEN_NUMBER)
            return refuse_start(p);
    }
    advance(p);
    *operand = OPERAND_NUMBER;
    return emit(p, (struct step){.kind = STEP_NUMBER});
}

static enum selector_status parse_operand(struct parser *p, enum operand *operand)
{
    enum selector_status status;

    *operand = OPERAND_ANY;
    switch (p->token.kind) {
    case SELECTOR_TOKEN_OPEN:
        advance(p);
        return parse_parentheses(p, operand);
    case SELECTOR_TOKEN_STRING:
        status = emit(p, (struct step){.kind = STEP_STRING, .text = keep_string(p)});
        advance(p);
        return status;
    case SELECTOR_TOKEN_NUMBER:
    case SELECTOR_TOKEN_MINUS:
    case SELECTOR_TOKEN_PLUS:
        return parse_number(p, operand);
    case SELECTOR_TOKEN_WORD:
        return parse_word(p);
    default:
        return refuse_start(p);
    }
}

static enum selector_status parse_unary(struct parser *p, enum operand *operand)
{
    enum selector_status status;
    bool is_not = p->token.kind == SELECTOR_TOKEN_NOT;

    /* Nothing else nests, so this bounds the parser's own stack as well as the machine's. */
    if (p->depth == SELECTOR_DEPTH_MAX + 1)
        return SELECTOR_ERR_DEPTH;
    p->depth++;
    if (is_not) {
        advance(p);
        status = parse_unary(p, operand);
        *operand = OPERAND_ANY;
        if (status == SELECTOR_OK)
            status = emit(p, (struct step){.kind = STEP_NOT});
    } else {
        status = parse_operand(p, operand);
    }
    p->depth--;
    return status;
}

static enum selector_status parse_matches(struct parser *p, enum operand left)
{
    struct step step = {.kind = STEP_MATCHES};
    enum selector_status status;

    /* A number on the left would have to be written as Java does. */
    if (left == OPERAND_NUMBER)
        return SELECTOR_ERR_UNSUPPORTED;
    if (p->token.kind != SELECTOR_TOKEN_STRING)
        return refuse_start(p);
    if (p->n_regexes == SELECTOR_MATCHES_MAX)
        return SELECTOR_ERR_STEPS;
    if (regex_new(keep_string(p), &step.regex) != REGEX_OK)
        return SELECTOR_ERR_REGEX;
    status = emit(p, step);
    if (status != SELECTOR_OK) {
        regex_free(step.regex);
        return status;
    }
    p->n_regexes++;
    advance(p);
    return SELECTOR_OK;
}

static bool find_relation(enum selector_token_kind token, enum step_kind *step)
{
    static const struct {
        enum selector_token_kind token;
        enum step_kind step;
    } relations[] = {{SELECTOR_TOKEN_EQ, STEP_EQ}, {SELECTOR_TOKEN_NE, STEP_NE},
                     {SELECTOR_TOKEN_LT, STEP_LT}, {SELECTOR_TOKEN_GT, STEP_GT},
                     {SELECTOR_TOKEN_LE, STEP_LE}, {SELECTOR_TOKEN_GE, STEP_GE}};

    for (size_t i = 0; i < sizeof(relations) / sizeof(relations[0]); i++) {
        if (relations[i].token == token) {
            *step = relations[i].step;
            return true;
        }
    }
    return false;
}

/* One relation at most: `a == b == c` is no expression. */
static enum selector_status parse_relation(struct parser *p, enum operand *operand)
{
    enum selector_status status = parse_unary(p, operand);
    enum operand left = *operand, right;
    enum step_kind relation;

    if (status != SELECTOR_OK)
        return status;
    if (is_word(p, "matches")) {
        advance(p);
        *operand = OPERAND_ANY;
        return parse_matches(p, left);
    }
    if (!find_relation(p->token.kind, &relation))
        return SELECTOR_OK;
    advance(p);
    status = parse_unary(p, &right);
    if (status != SELECTOR_OK)
        return status;
    /* That says nothing of the message, and the number's value matters nowhere else. */
    if (left == OPERAND_NUMBER && right == OPERAND_NUMBER)
        return SELECTOR_ERR_UNSUPPORTED;
    *operand = OPERAND_ANY;
    return emit(p, (struct step){.kind = relation});
}

typedef enum selector_status (*parse_fn)(struct parser *p, enum operand *operand);

/* One or more of what `parse_side` takes with `token` between them. */
static enum selector_status parse_chain(struct parser *p, enum operand *operand,
                                        enum selector_token_kind token, enum step_kind jump,
                                        parse_fn parse_side)
{
    enum selector_status status = parse_side(p, operand);

    while (status == SELECTOR_OK && p->token.kind == token) {
        size_t at = p->n_steps;

        advance(p);
        status = emit(p, (struct step){.kind = jump});
        if (status == SELECTOR_OK)
            status = parse_side(p, operand);
        *operand = OPERAND_ANY;
        if (status == SELECTOR_OK)
            status = emit(p, (struct step){.kind = STEP_BOOLEAN});
        if (status == SELECTOR_OK)
            p->steps[at].target = p->n_steps;
    }
    return status;
}

static enum selector_status parse_and(struct parser *p, enum operand *operand)
{
    return parse_chain(p, operand, SELECTOR_TOKEN_AND, STEP_AND, parse_relation);
}

static enum selector_status parse_or(struct parser *p, enum operand *operand)
{
    return parse_chain(p, operand, SELECTOR_TOKEN_OR, STEP_OR, parse_and);
}

static void free_regexes(struct step *steps, size_t n_steps)
{
    for (size_t i = 0; i < n_steps; i++) {
        if (steps[i].kind == STEP_MATCHES)
            regex_free(steps[i].regex);
    }
}

enum selector_status selector_new(struct slice text, struct selector **out)
{
    struct parser p = {.rest = text};
    enum selector_status status;
    enum operand operand;

    if (text.len > SELECTOR_TEXT_MAX)
        return SELECTOR_ERR_LENGTH;
    p.selector = mem_alloc(sizeof(*p.selector) + 2 * text.len);
    atomic_init(&p.selector->refs, 1);
    p.selector->text_len = text.len;
    if (text.len != 0)
        memcpy(p.selector->bytes, text.base, text.len);
    advance(&p);
    status = parse_or(&p, &operand);
    if (status == SELECTOR_OK && p.token.kind != SELECTOR_TOKEN_END)
        status = refuse_next(&p);
    if (status != SELECTOR_OK) {
        free_regexes(p.steps, p.n_steps);
        mem_free(p.selector);
        return status;
    }
    p.selector->n_steps = p.n_steps;
    p.selector->steps = mem_alloc(p.n_steps * sizeof(*p.steps));
    memcpy(p.selector->steps, p.steps, p.n_steps * sizeof(*p.steps));
    *out = p.selector;
    return SELECTOR_OK;
}

struct selector *selector_ref(struct selector *selector)
{
    atomic_fetch_add_explicit(&selector->refs, 1, memory_order_relaxed);
    return selector;
}

void selector_unref(struct selector *selector)
{
    if (selector == NULL ||
        atomic_fetch_sub_explicit(&selector->refs, 1, memory_order_acq_rel) != 1)
        return;
    free_regexes(selector->steps, selector->n_steps);
    mem_free(selector->steps);
    mem_free(selector);
}

struct slice selector_text(const struct selector *selector)
{
    return slice_of(selector->bytes, selector->text_len);
}

/* --- evaluation --- */

/* Into `*a`. */
static bool relate(enum step_kind relation, struct selector_value *a,
                   const struct selector_value *b)
{
    int order = 0;

    if (relation == STEP_EQ || relation == STEP_NE) {
        *a = selector_value_of_bool(selector_value_eq(a, b) == (relation == STEP_EQ));
        return true;
    }
    if (!selector_value_cmp(a, b, &order))
        return false;
    *a = selector_value_of_bool(relation == STEP_LT   ? order < 0
                                : relation == STEP_GT ? order > 0
                                : relation == STEP_LE ? order <= 0
                                                      : order >= 0);
    return true;
}

/* Into `*value`, which Spring makes a string first. */
static bool match(const struct regex *regex, struct selector_value *value)
{
    enum regex_answer answer;

    assert(value->kind != SELECTOR_VALUE_NUMBER);
    if (value->kind == SELECTOR_VALUE_NULL)
        return false;
    if (value->kind == SELECTOR_VALUE_BOOLEAN)
        value->text = slice_str(value->is_true ? "true" : "false");
    answer = regex_capture(regex, value->text, NULL, 0);
    *value = selector_value_of_bool(answer == REGEX_MATCH);
    return answer != REGEX_UNKNOWN;
}

static struct selector_value load(const struct step *step, const struct selector_headers *headers)
{
    struct selector_value value = {.kind = SELECTOR_VALUE_NULL};

    switch (step->kind) {
    case STEP_FALSE:
    case STEP_TRUE:
        return selector_value_of_bool(step->kind == STEP_TRUE);
    case STEP_NUMBER:
        value.kind = SELECTOR_VALUE_NUMBER;
        break;
    case STEP_STRING:
        value.kind = SELECTOR_VALUE_STRING;
        value.text = step->text;
        break;
    case STEP_HEADER:
        if (headers->find(headers->ctx, step->text, &value.text))
            value.kind = SELECTOR_VALUE_STRING;
        break;
    default:
        break;
    }
    return value;
}

/* The step works on the boolean that `*top` is taken for. */
static bool is_logic(enum step_kind kind)
{
    return kind == STEP_BOOLEAN || kind == STEP_NOT || kind == STEP_AND || kind == STEP_OR;
}

bool selector_matches(const struct selector *selector, const struct selector_headers *headers)
{
    struct selector_value stack[STACK_MAX];
    size_t n = 0;
    bool is_true = false;

    for (size_t at = 0; at < selector->n_steps; at++) {
        const struct step *step = &selector->steps[at];

        assert(step->kind <= STEP_HEADER || n >= 1);
        if (step->kind <= STEP_HEADER) {
            assert(n < STACK_MAX);
            stack[n++] = load(step, headers);
        } else if (is_logic(step->kind)) {
            if (!selector_value_to_bool(&stack[n - 1], &is_true))
                return false;
            stack[n - 1] = selector_value_of_bool(is_true != (step->kind == STEP_NOT));
            if (step->kind == (is_true ? STEP_OR : STEP_AND))
                at = step->target - 1;
            else if (step->kind == STEP_OR || step->kind == STEP_AND)
                n--;
        } else if (step->kind == STEP_MATCHES) {
            if (!match(step->regex, &stack[n - 1]))
                return false;
        } else {
            n--;
            if (!relate(step->kind, &stack[n - 1], &stack[n]))
                return false;
        }
    }
    assert(n == 1);
    return selector_value_to_bool(&stack[0], &is_true) && is_true;
}
