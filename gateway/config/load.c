#include "gateway/config/load.h"

#include <assert.h>
#include <stdatomic.h>
#include "base/mem.h"
#include "gateway/config/check.h"
#include "gateway/config/cpus.h"
#include "gateway/config/draft.h"
#include "gateway/config/env.h"
#include "gateway/config/file.h"
#include "gateway/config/flags.h"
#include "gateway/config/yaml.h"

struct snapshot {
    atomic_size_t n_refs;
    struct config config;
};

static struct snapshot *snapshot_of(const struct config *config)
{
    return (struct snapshot *)((char *)config - offsetof(struct snapshot, config));
}

const struct config *config_ref(const struct config *config)
{
    (void)atomic_fetch_add_explicit(&snapshot_of(config)->n_refs, 1, memory_order_relaxed);
    return config;
}

void config_unref(const struct config *config)
{
    struct snapshot *snapshot;

    if (config == NULL)
        return;
    snapshot = snapshot_of(config);
    if (atomic_fetch_sub_explicit(&snapshot->n_refs, 1, memory_order_acq_rel) != 1)
        return;
    draft_free_fields(&snapshot->config);
    mem_free(snapshot);
}

static void read_file(struct draft *d, const struct config_source *source)
{
    struct slice name = slice_str(source->path);
    struct config_origin origin = {.kind = CONFIG_ORIGIN_FILE, .name = name};
    struct slice bytes;
    const char *problem;

    if (source->bytes.base != NULL) {
        yaml_read(d, name, source->bytes);
        return;
    }
    if (source->path == NULL)
        return;
    /* One byte more than it may have: yaml_read says what is wrong then. */
    problem = file_read(source->path, YAML_MAX_BYTES + 1, &bytes);
    if (problem != NULL) {
        config_errors_add(d->errors, origin, slice_str(NULL), "cannot be read: %s", problem);
        d->is_unreadable = true;
        return;
    }
    yaml_read(d, name, bytes);
    file_wipe(bytes);
}

/** A list that nobody mentioned gets one item with this value. */
static void add_standard_item(struct draft *d, const char *name, const char *value)
{
    const struct setting *setting = setting_get(name);
    const struct setting_list *list = setting_list_of(setting);
    struct config_origin origin = {.kind = CONFIG_ORIGIN_DEFAULT};
    size_t index;

    if (draft_list(d, list)->mark.state != DRAFT_UNSET || draft_count(d, list) != 0)
        return;
    if (draft_add_item(d, list, origin, &index))
        draft_set(d, setting, index, (struct draft_value){slice_str(value), origin});
}

/** Spring's prefix may come without its slash at the end. */
static void end_with_slash(struct slice *prefix)
{
    char *with_slash;

    if (prefix->len == 0 || slice_ends_with(*prefix, slice_str("/")))
        return;
    with_slash = mem_printf("%.*s/", SLICE_FMT(*prefix));
    mem_free((char *)prefix->base);
    *prefix = slice_of(with_slash, prefix->len + 1);
}

/** What a route says about itself only between the lines. */
static void compute_route(struct draft *d, size_t i)
{
    static const char *const of_send[] = {
        "routes[].mode",      "routes[].send_to", "routes[].send_to_user",
        "routes[].broadcast", "routes[].prefix",  "routes[].copy_headers",
    };
    struct config_route *route = &d->config->routes[i];
    bool has_last_of =
        draft_mark(d, setting_get("routes[].on_subscribe.last_of"), i)->state == DRAFT_SET;

    route->on_subscribe.has_body =
        draft_mark(d, setting_get("routes[].on_subscribe.body"), i)->state == DRAFT_SET;
    route->is_for_subscribe_only = route->on_subscribe.has_body || has_last_of;
    for (size_t k = 0; k < sizeof(of_send) / sizeof(of_send[0]); k++) {
        if (draft_mark(d, setting_get(of_send[k]), i)->state != DRAFT_UNSET)
            route->is_for_subscribe_only = false;
    }
}

static void compute_error_destination(struct config *c)
{
    struct slice *destination = &c->broker.error_destination;
    char *text = mem_printf("%.*squeue/errors", SLICE_FMT(c->broker.user_destination_prefix));

    mem_free((char *)destination->base);
    *destination = slice_str(text);
}

/** The defaults that other settings or the machine decide. */
static void compute_defaults(struct draft *d)
{
    struct config *c = d->config;
    const struct setting *limit = setting_get("endpoints[].message_size_limit");
    const struct setting *algorithms = setting_get("auth.issuers[].algorithms");

    add_standard_item(d, "listeners[].address", "0.0.0.0:8080");
    add_standard_item(d, "endpoints[].path", "/ws");
    if (draft_mark(d, setting_get("workers"), 0)->state == DRAFT_UNSET)
        c->workers = cpus_allowed();
    for (size_t i = 0; i < c->n_endpoints; i++) {
        if (draft_mark(d, limit, i)->state == DRAFT_UNSET)
            c->endpoints[i].message_size_limit = c->transport.message_size_limit;
    }
    for (size_t i = 0; i < c->auth.n_issuers; i++) {
        if (draft_mark(d, algorithms, i)->state == DRAFT_UNSET)
            c->auth.issuers[i].algorithms =
                c->auth.issuers[i].secret.len != 0
                    ? 1U << CONFIG_ALGORITHM_HS256
                    : 1U << CONFIG_ALGORITHM_RS256 | 1U << CONFIG_ALGORITHM_ES256;
    }
    end_with_slash(&c->broker.user_destination_prefix);
    if (draft_mark(d, setting_get("broker.error_destination"), 0)->state == DRAFT_UNSET)
        compute_error_destination(c);
    for (size_t i = 0; i < c->n_routes; i++)
        compute_route(d, i);
}

struct config *config_load(const struct config_source *source, struct config_errors *errors)
{
    struct snapshot *snapshot = mem_calloc(1, sizeof(*snapshot));
    bool has_file = source->path != NULL || source->bytes.base != NULL;
    struct config_origin whole = {
        .kind = has_file ? CONFIG_ORIGIN_FILE : CONFIG_ORIGIN_DEFAULT,
        .name = slice_str(source->path),
        .line = 1,
        .column = 1,
    };
    struct draft draft;

    atomic_init(&snapshot->n_refs, 1);
    draft_init(&draft, &snapshot->config, errors, whole);
    read_file(&draft, source);
    env_read(&draft, source->envp);
    flags_read(&draft, source->overrides, source->n_overrides);
    /* A file that cannot be read to its end says nothing about what is missing. */
    if (!draft.is_unreadable) {
        compute_defaults(&draft);
        check_all(&draft);
    }
    draft_dispose(&draft);
    if (errors->total == 0)
        return &snapshot->config;
    config_errors_sort(errors);
    config_unref(&snapshot->config);
    return NULL;
}
