#include "gateway/router/policy.h"

#include <stdint.h>
#include <string.h>
#include "base/ant.h"
#include "base/mem.h"
#include "base/table.h"

struct exact_rule {
    struct table_node node; /* its key is the destination, behind the struct */
    unsigned bits;
};

struct pattern_rule {
    struct ant_pattern *pattern;
    unsigned bits;
};

/* What a rule names. */
struct names {
    struct slice text;           /* a copy */
    struct ant_pattern *pattern; /* NULL: the text is the one destination */
};

struct queue_rule {
    struct names names;
    bool is_competing;
};

struct slow_rule {
    struct names names;
    struct policy_slow slow; /* its key_header is a copy */
};

struct policy {
    char separator;
    struct queue_rule *queues;
    size_t n_queues;
    bool has_competing;
    struct slow_rule *slow;
    size_t n_slow;
    bool has_slow;
    struct slice user_prefix; /* a copy, without the slash at its end */
    struct table exact;
    struct pattern_rule *patterns;
    size_t n_patterns;
};

static void add_exact(struct policy *policy, struct slice destination, unsigned bit)
{
    struct exact_rule *rule =
        TABLE_ENTRY(table_find(&policy->exact, destination), struct exact_rule, node);

    if (rule == NULL) {
        char *key;

        rule = mem_calloc(1, sizeof(*rule) + destination.len);
        key = (char *)(rule + 1);
        if (destination.len != 0)
            memcpy(key, destination.base, destination.len);
        rule->node.key = slice_of(key, destination.len);
        table_insert(&policy->exact, &rule->node);
    }
    rule->bits |= bit;
}

/** Returns NULL, or what is wrong with the pattern; the caller owns it. */
static char *compile(const struct policy *policy, struct slice text, struct ant_pattern **out)
{
    enum ant_status status = ant_pattern_new(text, policy->separator, out);

    if (status == ANT_OK)
        return NULL;
    return mem_printf("\"%.*s\": %s", SLICE_FMT(text), ant_strstatus(status));
}

static char *add_pattern(struct policy *policy, struct slice text, unsigned bit)
{
    struct ant_pattern *pattern;
    char *error;

    /* The same pattern in two lists is one rule. */
    for (size_t i = 0; i < policy->n_patterns; i++) {
        if (slice_eq(ant_pattern_text(policy->patterns[i].pattern), text)) {
            policy->patterns[i].bits |= bit;
            return NULL;
        }
    }
    error = compile(policy, text, &pattern);
    if (error != NULL)
        return error;
    policy->patterns[policy->n_patterns++] = (struct pattern_rule){pattern, bit};
    return NULL;
}

static char *add_rules(struct policy *policy, const struct policy_patterns *texts, unsigned bit)
{
    char *error = NULL;

    for (size_t i = 0; i < texts->n && error == NULL; i++) {
        if (ant_is_pattern(texts->items[i]))
            error = add_pattern(policy, texts->items[i], bit);
        else
            add_exact(policy, texts->items[i], bit);
    }
    return error;
}

static char *names_init(const struct policy *policy, struct slice text, struct names *out)
{
    char *error = ant_is_pattern(text) ? compile(policy, text, &out->pattern) : NULL;

    if (error == NULL)
        out->text = mem_slice_dup(text);
    return error;
}

static void free_slice(struct slice owned)
{
    mem_free((void *)(uintptr_t)owned.base);
}

static void names_dispose(struct names *names)
{
    ant_pattern_free(names->pattern);
    free_slice(names->text);
}

static bool names_match(const struct names *names, struct slice destination)
{
    return names->pattern == NULL ? slice_eq(names->text, destination)
                                  : ant_pattern_match(names->pattern, destination);
}

static char *add_queues(struct policy *policy, const struct policy_queues *queues)
{
    char *error = NULL;

    for (size_t i = 0; i < queues->destinations.n && error == NULL; i++) {
        struct queue_rule *rule = &policy->queues[policy->n_queues];

        error = names_init(policy, queues->destinations.items[i], &rule->names);
        if (error != NULL)
            break;
        rule->is_competing = queues->is_competing;
        policy->n_queues++;
        policy->has_competing |= rule->is_competing;
    }
    return error;
}

static char *add_slow(struct policy *policy, const struct policy_slow_rule *asked)
{
    char *error = NULL;

    for (size_t i = 0; i < asked->destinations.n && error == NULL; i++) {
        struct slow_rule *rule = &policy->slow[policy->n_slow];

        error = names_init(policy, asked->destinations.items[i], &rule->names);
        if (error != NULL)
            break;
        rule->slow = asked->slow;
        rule->slow.key_header = mem_slice_dup(asked->slow.key_header);
        policy->n_slow++;
        policy->has_slow |= rule->slow.mode != POLICY_SLOW_DISCONNECT;
    }
    return error;
}

struct policy *policy_new(const struct policy_rules *rules, char **error)
{
    /* What is in the table comes from the configuration, so nobody can aim for collisions. */
    static const struct siphash_key hash_key = {0, 0};
    struct policy *policy = mem_calloc(1, sizeof(*policy));
    size_t n_queue_texts = 0, n_slow_texts = 0, prefix_len = rules->user_prefix.len;
    char *text;

    for (size_t i = 0; i < rules->n_queues; i++)
        n_queue_texts += rules->queues[i].destinations.n;
    for (size_t i = 0; i < rules->n_slow; i++)
        n_slow_texts += rules->slow[i].destinations.n;
    if (prefix_len != 0 && rules->user_prefix.base[prefix_len - 1] == '/')
        prefix_len--;
    policy->user_prefix = mem_slice_dup(slice_take(rules->user_prefix, prefix_len));
    policy->separator = rules->separator;
    table_init(&policy->exact, hash_key);
    policy->queues = mem_calloc(n_queue_texts, sizeof(*policy->queues));
    policy->slow = mem_calloc(n_slow_texts, sizeof(*policy->slow));
    policy->patterns = mem_calloc(rules->sequenced.n + rules->kept.n, sizeof(*policy->patterns));
    text = add_rules(policy, &rules->sequenced, POLICY_SEQUENCED);
    if (text == NULL)
        text = add_rules(policy, &rules->kept, POLICY_KEPT);
    for (size_t i = 0; i < rules->n_queues && text == NULL; i++)
        text = add_queues(policy, &rules->queues[i]);
    for (size_t i = 0; i < rules->n_slow && text == NULL; i++)
        text = add_slow(policy, &rules->slow[i]);
    if (text != NULL) {
        policy_free(policy);
        *error = text;
        return NULL;
    }
    return policy;
}

void policy_free(struct policy *policy)
{
    struct table_node *node;

    if (policy == NULL)
        return;
    node = table_next(&policy->exact, NULL);
    while (node != NULL) {
        struct exact_rule *rule = TABLE_ENTRY(node, struct exact_rule, node);

        node = table_next(&policy->exact, node);
        table_remove(&policy->exact, &rule->node);
        mem_free(rule);
    }
    table_dispose(&policy->exact);
    for (size_t i = 0; i < policy->n_patterns; i++)
        ant_pattern_free(policy->patterns[i].pattern);
    for (size_t i = 0; i < policy->n_queues; i++)
        names_dispose(&policy->queues[i].names);
    for (size_t i = 0; i < policy->n_slow; i++) {
        names_dispose(&policy->slow[i].names);
        free_slice(policy->slow[i].slow.key_header);
    }
    mem_free(policy->queues);
    mem_free(policy->slow);
    free_slice(policy->user_prefix);
    mem_free(policy->patterns);
    mem_free(policy);
}

bool policy_has_competing(const struct policy *policy)
{
    return policy->has_competing;
}

static bool is_competing(const struct policy *policy, struct slice destination)
{
    if (!policy->has_competing)
        return false;
    for (size_t i = 0; i < policy->n_queues; i++) {
        if (names_match(&policy->queues[i].names, destination))
            return policy->queues[i].is_competing;
    }
    return false;
}

unsigned policy_of(const struct policy *policy, struct slice destination)
{
    struct exact_rule *rule =
        TABLE_ENTRY(table_find(&policy->exact, destination), struct exact_rule, node);
    unsigned bits = rule == NULL ? 0 : rule->bits;

    for (size_t i = 0; i < policy->n_patterns; i++) {
        const struct pattern_rule *p = &policy->patterns[i];

        if ((p->bits & ~bits) != 0 && ant_pattern_match(p->pattern, destination))
            bits |= p->bits;
    }
    if (is_competing(policy, destination))
        bits |= POLICY_COMPETING;
    return bits;
}

bool policy_has_slow(const struct policy *policy)
{
    return policy->has_slow;
}

const struct policy_slow *policy_slow_of(const struct policy *policy, struct slice destination)
{
    for (size_t i = 0; policy->has_slow && i < policy->n_slow; i++) {
        const struct slow_rule *rule = &policy->slow[i];

        if (names_match(&rule->names, destination))
            return rule->slow.mode == POLICY_SLOW_DISCONNECT ? NULL : &rule->slow;
    }
    return NULL;
}

const struct policy_slow *policy_slow_of_bound(const struct policy *policy, struct slice target)
{
    bool has_slash = slice_starts_with(target, (struct slice)SLICE("/"));
    const struct policy_slow *slow;
    char *name;

    if (!policy->has_slow)
        return NULL;
    name = mem_printf("%.*s%s%.*s", SLICE_FMT(policy->user_prefix), has_slash ? "" : "/",
                      SLICE_FMT(target));
    slow = policy_slow_of(policy, slice_str(name));
    mem_free(name);
    return slow;
}
