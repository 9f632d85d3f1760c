#include "gateway/config/env.h"

#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "gateway/config/file.h"
#include "gateway/config/lookup.h"

enum { SECRET_FILE_MAX_BYTES = 65536 };

struct variable {
    struct slice name;
    struct slice value;
    const struct setting *setting;
    size_t index;
    bool is_file; /* the value names a file that holds the setting's */
    size_t order; /* in the environment */
};

static const struct slice file_suffix = SLICE("_FILE");

/* What scripts/test and the like are told by; not ours to judge. */
static const struct slice script_prefixes[] = {
    SLICE("STOMPGATE_TEST_"),
    SLICE("STOMPGATE_FUZZ_"),
    SLICE("STOMPGATE_BENCH_"),
};

static bool contains(struct slice text, struct slice part)
{
    return part.len == 0 || memmem(text.base, text.len, part.base, part.len) != NULL;
}

/**
 * A Kubernetes service (and a linked Docker container) called "stompgate" gives every neighbour
 * STOMPGATE_SERVICE_HOST, STOMPGATE_PORT=tcp://..., STOMPGATE_PORT_8080_TCP_ADDR and more.
 */
static bool is_service_link(struct slice name, struct slice value)
{
    const struct slice schemes[] = {SLICE("tcp://"), SLICE("udp://"), SLICE("sctp://")};
    const struct slice kinds[] = {SLICE("_TCP"), SLICE("_UDP"), SLICE("_SCTP")};

    if (slice_ends_with(name, (struct slice)SLICE("_SERVICE_HOST")) ||
        slice_ends_with(name, (struct slice)SLICE("_SERVICE_PORT")) ||
        contains(name, (struct slice)SLICE("_SERVICE_PORT_")))
        return true;
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (slice_ends_with(name, (struct slice)SLICE("_PORT")) &&
            slice_starts_with(value, schemes[i]))
            return true;
        if (contains(name, (struct slice)SLICE("_PORT_")) && contains(name, kinds[i]))
            return true;
    }
    return false;
}

static bool is_ours(struct slice name)
{
    if (!slice_starts_with(name, (struct slice)SLICE("STOMPGATE_")))
        return false;
    for (size_t i = 0; i < sizeof(script_prefixes) / sizeof(script_prefixes[0]); i++) {
        if (slice_starts_with(name, script_prefixes[i]))
            return false;
    }
    return true;
}

static struct config_origin origin_of(struct slice name)
{
    return (struct config_origin){.kind = CONFIG_ORIGIN_ENVIRONMENT, .name = name};
}

/** Finds the variable's setting; adds an error and returns false when there is none. */
static bool resolve(struct draft *d, struct variable *v)
{
    v->setting = lookup_variable(v->name, &v->index);
    if (v->setting == NULL && slice_ends_with(v->name, file_suffix)) {
        struct slice stem = slice_take(v->name, v->name.len - file_suffix.len);

        v->setting = lookup_variable(stem, &v->index);
        v->is_file = v->setting != NULL && lookup_has_file_variable(v->setting);
        if (!v->is_file)
            v->setting = NULL;
    }
    if (v->setting != NULL)
        return true;
    if (is_service_link(v->name, v->value))
        return false;
    if (lookup_variable_is_later(v->name))
        config_errors_add(d->errors, origin_of(v->name), slice_str(NULL),
                          "is not built in this version, expected it unset");
    else
        config_errors_add(d->errors, origin_of(v->name), slice_str(NULL), "%s",
                          lookup_unknown_variable(v->name).text);
    return false;
}

static int compare(size_t a, size_t b)
{
    return a < b ? -1 : a > b;
}

/** Items in the order of their indices, so that 0 makes room for 1, wherever they stand. */
static int by_index(const void *a_, const void *b_)
{
    const struct variable *a = a_, *b = b_;
    int order = compare(a->index, b->index);

    if (order == 0)
        order = compare(setting_index(a->setting), setting_index(b->setting));
    return order != 0 ? order : compare(a->order, b->order);
}

/** The value that the file holds, without the line break that editors put at the end. */
static void set_from_file(struct draft *d, const struct variable *v)
{
    struct slice bytes, text;
    const char *problem = file_read(v->value.base, SECRET_FILE_MAX_BYTES, &bytes);

    if (problem != NULL) {
        draft_error(d, v->setting, v->index, origin_of(v->name), "%s: %s, expected a file",
                    config_show(v->value).text, problem);
        return;
    }
    text = bytes;
    if (slice_ends_with(text, (struct slice)SLICE("\n")))
        text.len--;
    if (slice_ends_with(text, (struct slice)SLICE("\r")))
        text.len--;
    draft_set(d, v->setting, v->index, (struct draft_value){text, origin_of(v->name)});
    file_wipe(bytes);
}

static void apply(struct draft *d, const struct variable *v)
{
    if (!draft_reach(d, v->setting, v->index, origin_of(v->name)))
        return;
    if (v->is_file)
        set_from_file(d, v);
    else
        draft_set(d, v->setting, v->index, (struct draft_value){v->value, origin_of(v->name)});
}

static void apply_all(struct draft *d, struct variable *variables, size_t n)
{
    if (n != 0)
        qsort(variables, n, sizeof(*variables), by_index);
    for (size_t i = 0; i < n; i++) {
        const struct variable *v = &variables[i];

        if (i + 1 < n && v[1].setting == v->setting && v[1].index == v->index &&
            v[1].is_file != v->is_file) {
            config_errors_add(d->errors, origin_of(v->name),
                              slice_str(draft_name(v->setting->name, v->index).text),
                              "is set by this variable and by %s, expected one of them",
                              config_show(v[1].name).text);
            if (draft_reach(d, v->setting, v->index, origin_of(v->name)))
                draft_mark(d, v->setting, v->index)->state = DRAFT_BAD;
            i++;
            continue;
        }
        apply(d, v);
    }
}

void env_read(struct draft *draft, const char *const *envp)
{
    struct variable *variables = NULL;
    size_t n = 0;

    for (size_t i = 0; envp != NULL && envp[i] != NULL; i++) {
        struct variable v = {.order = i};

        if (!slice_cut(slice_str(envp[i]), '=', &v.name, &v.value) || !is_ours(v.name))
            continue;
        if (!resolve(draft, &v))
            continue;
        variables = mem_realloc(variables, (n + 1) * sizeof(*variables));
        variables[n++] = v;
    }
    apply_all(draft, variables, n);
    mem_free(variables);
}
