#include "gateway/session/broker_setup.h"

#include "base/mem.h"
#include "base/template.h"

enum { PATTERN_MAX_BYTES = 65536 };

static const struct slice *any_value(const void *ctx, struct slice name)
{
    static const struct slice any = SLICE("*");

    (void)ctx;
    (void)name;
    return &any;
}

/* "/topic/price.{symbol}" keeps the last messages of "/topic/price.*". The text is the caller's. */
static struct slice kept_pattern(struct slice template)
{
    struct buf pattern;
    struct slice text;

    buf_init(&pattern, PATTERN_MAX_BYTES);
    if (!template_fill(template, any_value, NULL, &pattern))
        buf_dispose(&pattern); /* longer than any setting can be */
    text = mem_slice_dup(buf_slice(&pattern));
    buf_dispose(&pattern);
    return text;
}

/* Without copies. The array is the caller's. */
static struct policy_slow_rule *make_slow_rules(const struct config *config)
{
    static const enum policy_slow_mode modes[] = {
        [CONFIG_SLOW_DISCONNECT] = POLICY_SLOW_DISCONNECT,
        [CONFIG_SLOW_DROP_OLDEST] = POLICY_SLOW_DROP_OLDEST,
        [CONFIG_SLOW_LATEST] = POLICY_SLOW_LATEST,
    };
    struct policy_slow_rule *rules = mem_calloc(config->broker.n_slow_consumers, sizeof(*rules));

    for (size_t i = 0; i < config->broker.n_slow_consumers; i++) {
        const struct config_slow_consumers *from = &config->broker.slow_consumers[i];

        rules[i] = (struct policy_slow_rule){
            .destinations = {from->destinations.items, from->destinations.n},
            .slow =
                {
                    .mode = modes[from->policy],
                    .key_header = from->key_header,
                    .max_messages = (size_t)from->max_messages,
                    .max_bytes = (size_t)from->max_bytes,
                },
        };
    }
    return rules;
}

static struct policy *make_policy(const struct config *config, char **error)
{
    struct slice *kept = mem_calloc(config->n_routes, sizeof(*kept));
    struct policy_queues *queues = mem_calloc(config->broker.n_queues, sizeof(*queues));
    struct policy_slow_rule *slow = make_slow_rules(config);
    struct policy_rules rules = {
        .sequenced = {config->broker.sequence.items, config->broker.sequence.n},
        .queues = queues,
        .n_queues = config->broker.n_queues,
        .slow = slow,
        .n_slow = config->broker.n_slow_consumers,
        .user_prefix = config->broker.user_destination_prefix,
        .separator = config->broker.path_separator,
    };
    struct policy *policy;

    for (size_t i = 0; i < config->n_routes; i++) {
        struct slice template = config->routes[i].on_subscribe.last_of;

        if (template.len != 0)
            kept[rules.kept.n++] = kept_pattern(template);
    }
    rules.kept.items = kept;
    for (size_t i = 0; i < config->broker.n_queues; i++) {
        const struct config_queue *queue = &config->broker.queues[i];

        queues[i].destinations.items = queue->destinations.items;
        queues[i].destinations.n = queue->destinations.n;
        queues[i].is_competing = queue->mode == CONFIG_QUEUE_COMPETING;
    }
    policy = policy_new(&rules, error);
    for (size_t i = 0; i < rules.kept.n; i++)
        mem_free((void *)(uintptr_t)kept[i].base);
    mem_free(kept);
    mem_free(queues);
    mem_free(slow);
    return policy;
}

int broker_setup(struct broker_shared *shared, const struct config *config, unsigned n_workers,
                 struct siphash_key hash_key, uint64_t start_id, char **error)
{
    const struct broker_limits limits = {
        .last_messages = (size_t)config->broker.last_message_limit.messages,
        .last_bytes = (size_t)config->broker.last_message_limit.bytes,
        .queue =
            {
                .messages = (size_t)config->broker.queue_limit.messages,
                .bytes = (size_t)config->broker.queue_limit.bytes,
                .total_bytes = (size_t)config->transport.process_buffer_limit,
            },
    };
    struct policy *policy = make_policy(config, error);

    if (policy == NULL)
        return -1;
    broker_shared_init(shared, policy, &limits, n_workers, hash_key, start_id);
    return 0;
}

size_t broker_setup_sequence_limit(const struct config *config, unsigned n_workers)
{
    return (size_t)config->broker.sequence_limit / n_workers + 1;
}
