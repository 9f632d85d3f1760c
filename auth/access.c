#include "auth/access.h"

#include "base/mem.h"

struct patterns {
    struct ant_pattern **list; /* none: everything */
    size_t n;
};

struct rule {
    unsigned operations;
    enum auth_allow allow;
    struct patterns paths;        /* for AUTH_CONNECT, with slashes */
    struct patterns destinations; /* the same text, for the other operations */
};

struct auth_access {
    char separator;
    struct rule *rules;
    size_t n_rules;
};

static void dispose(struct patterns *patterns)
{
    for (size_t i = 0; i < patterns->n; i++)
        ant_pattern_free(patterns->list[i]);
    mem_free(patterns->list);
}

/** Compiles one rule's patterns. Returns false with `*error`, and what was made so far in `out`. */
static bool compile(const struct auth_access_rule *rule, size_t number, char separator,
                    struct patterns *out, char **error)
{
    out->list = mem_calloc(rule->n_destinations, sizeof(struct ant_pattern *));
    for (size_t i = 0; i < rule->n_destinations; i++) {
        enum ant_status status = ant_pattern_new(rule->destinations[i], separator, &out->list[i]);

        if (status != ANT_OK) {
            *error = mem_printf("rule %zu, \"%.*s\": %s", number, SLICE_FMT(rule->destinations[i]),
                                ant_strstatus(status));
            return false;
        }
        out->n++;
    }
    return true;
}

struct auth_access *auth_access_new(const struct auth_access_rule *rules, size_t n_rules,
                                    char separator, char **error)
{
    struct auth_access *access = mem_calloc(1, sizeof(*access));

    access->separator = separator;
    access->rules = mem_calloc(n_rules, sizeof(access->rules[0]));
    access->n_rules = n_rules;
    for (size_t i = 0; i < n_rules; i++) {
        struct rule *rule = &access->rules[i];

        rule->operations = rules[i].operations;
        rule->allow = rules[i].allow;
        if (((rule->operations & AUTH_CONNECT) != 0 &&
             !compile(&rules[i], i + 1, '/', &rule->paths, error)) ||
            ((rule->operations & ~(unsigned)AUTH_CONNECT) != 0 &&
             !compile(&rules[i], i + 1, separator, &rule->destinations, error))) {
            auth_access_free(access);
            return NULL;
        }
    }
    return access;
}

void auth_access_free(struct auth_access *access)
{
    if (access == NULL)
        return;
    for (size_t i = 0; i < access->n_rules; i++) {
        dispose(&access->rules[i].paths);
        dispose(&access->rules[i].destinations);
    }
    mem_free(access->rules);
    mem_free(access);
}

static bool is_allowing(const struct rule *rule, bool is_authenticated)
{
    return rule->allow == AUTH_ALLOW_ALL ||
           (rule->allow == AUTH_ALLOW_AUTHENTICATED && is_authenticated);
}

/** Whether the rule decides: a limit of a pattern is for the side that denies. */
static bool decides(const struct patterns *patterns, struct slice text, bool allowing)
{
    for (size_t i = 0; i < patterns->n; i++) {
        if (allowing ? ant_pattern_match(patterns->list[i], text)
                     : ant_pattern_may_match(patterns->list[i], text))
            return true;
    }
    return patterns->n == 0;
}

static bool reaches(const struct patterns *patterns, const struct ant_pattern *asked)
{
    for (size_t i = 0; i < patterns->n; i++) {
        if (ant_pattern_intersects(patterns->list[i], asked))
            return true;
    }
    return patterns->n == 0;
}

static bool covers(const struct patterns *patterns, const struct ant_pattern *asked)
{
    for (size_t i = 0; i < patterns->n; i++) {
        if (ant_pattern_covers(patterns->list[i], asked))
            return true;
    }
    return patterns->n == 0;
}

/*
 * Every destination that the pattern matches would be allowed: the rules before the one that covers
 * it all either allow, or match none of it. A pattern that only several rules together cover is
 * denied: each of them is asked alone.
 */
static bool allows_pattern(const struct auth_access *access, const struct ant_pattern *asked,
                           bool is_authenticated)
{
    for (size_t i = 0; i < access->n_rules; i++) {
        const struct rule *rule = &access->rules[i];

        if ((rule->operations & AUTH_SUBSCRIBE) == 0)
            continue;
        if (!is_allowing(rule, is_authenticated)) {
            if (reaches(&rule->destinations, asked))
                return false;
        } else if (covers(&rule->destinations, asked)) {
            return true;
        }
    }
    return false;
}

bool auth_access_allows(const struct auth_access *access, enum auth_operation operation,
                        struct slice destination, bool is_authenticated)
{
    if (access->n_rules == 0)
        return true;
    if (operation == AUTH_SUBSCRIBE && ant_is_pattern(destination)) {
        struct ant_pattern *asked;
        bool allowed;

        if (ant_pattern_new(destination, access->separator, &asked) != ANT_OK)
            return false;
        allowed = allows_pattern(access, asked, is_authenticated);
        ant_pattern_free(asked);
        return allowed;
    }
    for (size_t i = 0; i < access->n_rules; i++) {
        const struct rule *rule = &access->rules[i];
        const struct patterns *patterns =
            operation == AUTH_CONNECT ? &rule->paths : &rule->destinations;
        bool allowing = is_allowing(rule, is_authenticated);

        if ((rule->operations & operation) != 0 && decides(patterns, destination, allowing))
            return allowing;
    }
    return false;
}
