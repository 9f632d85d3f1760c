#include "auth/access.h"

#include "base/mem.h"

struct rule {
    unsigned operations;
    enum auth_allow allow;
    struct ant_pattern **patterns; /* none: every destination */
    size_t n_patterns;
};

struct auth_access {
    struct rule *rules;
    size_t n_rules;
};

/** Compiles one rule's patterns. Returns false with `*error`, and what was made so far in `out`. */
static bool compile(const struct auth_access_rule *rule, size_t number, struct rule *out,
                    char **error)
{
    out->operations = rule->operations;
    out->allow = rule->allow;
    out->patterns = mem_calloc(rule->n_destinations, sizeof(struct ant_pattern *));
    for (size_t i = 0; i < rule->n_destinations; i++) {
        enum ant_status status = ant_pattern_new(rule->destinations[i], &out->patterns[i]);

        if (status != ANT_OK) {
            *error = mem_printf("rule %zu, \"%.*s\": %s", number, SLICE_FMT(rule->destinations[i]),
                                ant_strstatus(status));
            return false;
        }
        out->n_patterns++;
    }
    return true;
}

struct auth_access *auth_access_new(const struct auth_access_rule *rules, size_t n_rules,
                                    char **error)
{
    struct auth_access *access = mem_calloc(1, sizeof(*access));

    access->rules = mem_calloc(n_rules, sizeof(access->rules[0]));
    access->n_rules = n_rules;
    for (size_t i = 0; i < n_rules; i++) {
        if (!compile(&rules[i], i + 1, &access->rules[i], error)) {
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
        for (size_t k = 0; k < access->rules[i].n_patterns; k++)
            ant_pattern_free(access->rules[i].patterns[k]);
        mem_free(access->rules[i].patterns);
    }
    mem_free(access->rules);
    mem_free(access);
}

static bool is_allowing(const struct rule *rule, bool is_authenticated)
{
    return rule->allow == AUTH_ALLOW_ALL ||
           (rule->allow == AUTH_ALLOW_AUTHENTICATED && is_authenticated);
}

static bool matches(const struct rule *rule, struct slice destination)
{
    for (size_t i = 0; i < rule->n_patterns; i++) {
        if (ant_pattern_match(rule->patterns[i], destination))
            return true;
    }
    return rule->n_patterns == 0;
}

static bool reaches(const struct rule *rule, const struct ant_pattern *asked)
{
    for (size_t i = 0; i < rule->n_patterns; i++) {
        if (ant_pattern_intersects(rule->patterns[i], asked))
            return true;
    }
    return rule->n_patterns == 0;
}

static bool covers(const struct rule *rule, const struct ant_pattern *asked)
{
    for (size_t i = 0; i < rule->n_patterns; i++) {
        if (ant_pattern_covers(rule->patterns[i], asked))
            return true;
    }
    return rule->n_patterns == 0;
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
            if (reaches(rule, asked))
                return false;
        } else if (covers(rule, asked)) {
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

        if (ant_pattern_new(destination, &asked) != ANT_OK)
            return false;
        allowed = allows_pattern(access, asked, is_authenticated);
        ant_pattern_free(asked);
        return allowed;
    }
    for (size_t i = 0; i < access->n_rules; i++) {
        const struct rule *rule = &access->rules[i];

        if ((rule->operations & operation) != 0 && matches(rule, destination))
            return is_allowing(rule, is_authenticated);
    }
    return false;
}
