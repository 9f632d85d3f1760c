#include <inttypes.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/mem.h"
#include "gateway/router/router.h"

/*
 * What a router costs with few and with many subscriptions: a publish to one destination whose
 * subscribers stay the same, SUBSCRIBE, UNSUBSCRIBE and the end of a session, a publish to a
 * destination that was never seen, and the memory of a subscription. No sockets and no sessions:
 * the router alone, one worker.
 *
 *   subscriptions [MOST]    sizes 10, 1000, 100000, 1000000, up to MOST
 *
 * Times are printed and not judged. Ends with 1 when a subscription takes more than
 * MAX_BYTES of memory beside its destination: what malloc has given out for it, with malloc's own
 * overhead and its share of the tables.
 */

enum {
    MAX_BYTES = 150,
    MAX_DESTINATIONS = 10000,
    MAX_PATTERNS = 1000,
    PER_RECEIVER = 100, /* subscriptions of one client, when times are measured */
    LISTENERS = 5,      /* of what is published to, at every size */
    BATCHES = 21,
    BATCH = 500,
    NEW_RECEIVERS = 5, /* that come and go in one batch */
};

static const struct slice target = SLICE("/topic/target");
static const struct slice matched = SLICE("/topic/matched.one");

struct bench {
    struct chunk_account account;
    struct chunk_pool pool;
    struct interest interest;
    struct patterns patterns;
    struct metrics metrics;
    struct router router;
    struct receiver *receivers;
    size_t n_receivers;
    size_t n_destinations;
    size_t n_patterns;
    size_t n_subscriptions;
    size_t per_receiver;
    uint64_t n_unseen;
    bool own_ids;
};

static void ignore_mail(void *ctx, unsigned worker, struct msg *msg)
{
    (void)ctx;
    (void)worker;
    (void)msg;
}

static void ignore_wake(void *ctx)
{
    (void)ctx;
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
    qsort(values, n, sizeof(*values), by_value);
    return values[n / 2];
}

/* Hands out the log and forgets what is queued, as if it had been written. */
static void end_tick(struct bench *b)
{
    struct receiver *receiver;

    router_distribute(&b->router);
    while ((receiver = router_take_dirty(&b->router)) != NULL)
        outq_dispose(&receiver->outq);
}

/* --- subscriptions --- */

struct text {
    char bytes[64];
};

static struct slice print(struct text *out, const char *format, size_t a, size_t b)
{
    /* All formats of this file take two numbers. */
    int len = snprintf(out->bytes, sizeof(out->bytes), format, a, b);

    return slice_of(out->bytes, (size_t)len);
}

static void subscribe(struct bench *b, struct receiver *receiver, struct slice id,
                      struct slice destination, enum destination_kind kind)
{
    const struct router_subscribe asked = {.id = id, .destination = destination, .kind = kind};
    const char *why;

    if (router_subscribe_as(&b->router, receiver, &asked, NULL, &why) != ROUTER_OK)
        abort();
    b->n_subscriptions++;
}

/* Destination i is in room i % n_patterns, which a pattern may match. */
static struct slice destination_name(const struct bench *b, size_t i, struct text *out)
{
    return print(out, "/topic/room-%zu.%zu", i % b->n_patterns, i);
}

/* Which destination the k-th subscription of a receiver is to. There are several kinds of clients,
 * as there are screens of an application; those of one kind subscribe to the same in the same
 * order, so with stock ids the id of a destination is the same for all of them. */
static size_t destination_of(const struct bench *b, size_t receiver, size_t k)
{
    size_t n_kinds = b->n_destinations < b->per_receiver ? 1 : b->n_destinations / b->per_receiver;

    return (receiver % n_kinds * b->per_receiver + k) % b->n_destinations;
}

/* Stock clients count their ids from 0; with own ids no two subscriptions share one. */
static struct slice id_name(const struct bench *b, size_t receiver, size_t k, struct text *out)
{
    if (b->own_ids)
        return print(out, "s%zu-%zu", receiver, k);
    return print(out, "sub-%zu", k, 0);
}

static void subscribe_nth(struct bench *b, struct receiver *receiver, size_t number, size_t k)
{
    struct text id, name;

    subscribe(b, receiver, id_name(b, number, k, &id),
              destination_name(b, destination_of(b, number, k), &name), DESTINATION_EXACT);
}

static void add_listeners(struct bench *b)
{
    struct text id;

    for (size_t i = 0; i < LISTENERS; i++) {
        subscribe(b, &b->receivers[i], print(&id, "t%zu", 0, 0), target, DESTINATION_EXACT);
        subscribe(b, &b->receivers[i], print(&id, "m%zu", 0, 0),
                  (struct slice)SLICE("/topic/matched.*"), DESTINATION_PATTERN);
    }
}

/* One subscription for each destination and pattern, so that they are there. */
static void add_names(struct bench *b)
{
    struct text id, name;

    for (size_t i = 0; i < b->n_destinations; i++)
        subscribe(b, &b->receivers[i % b->n_receivers], print(&id, "d%zu", i, 0),
                  destination_name(b, i, &name), DESTINATION_EXACT);
    for (size_t i = 0; i < b->n_patterns; i++)
        subscribe(b, &b->receivers[i % b->n_receivers], print(&id, "p%zu", i, 0),
                  print(&name, "/topic/room-%zu.*", i, 0), DESTINATION_PATTERN);
}

/* The rest, up to `n` in all; returns how many that are. */
static size_t fill_up(struct bench *b, size_t n)
{
    size_t first = b->n_subscriptions;

    for (size_t i = 0; b->n_subscriptions < n; i++)
        subscribe_nth(b, &b->receivers[i / b->per_receiver], i / b->per_receiver,
                      i % b->per_receiver);
    return b->n_subscriptions - first;
}

/* --- times --- */

static struct msg *make_message(struct bench *b, struct slice destination)
{
    const struct msg_header header = {SLICE("destination"), destination};
    char id[64];

    return msg_new(destination, &header, 1, router_next_id(&b->router, id),
                   (struct slice)SLICE("{\"price\":17}"), false);
}

static double publish_ns(struct bench *b, struct slice destination)
{
    double costs[BATCHES];
    struct msg *msg = make_message(b, destination);

    for (size_t i = 0; i < BATCHES; i++) {
        uint64_t begin = now_ns();

        for (size_t k = 0; k < BATCH; k++)
            router_publish(&b->router, msg, NULL);
        costs[i] = (double)(now_ns() - begin) / BATCH;
        end_tick(b);
    }
    msg_unref(msg);
    return median(costs, BATCHES);
}

static double unseen_ns(struct bench *b)
{
    double costs[BATCHES];

    for (size_t i = 0; i < BATCHES; i++) {
        struct msg *messages[BATCH];
        struct text name;
        uint64_t begin;

        for (size_t k = 0; k < BATCH; k++)
            messages[k] = make_message(b, print(&name, "/topic/new-%zu", b->n_unseen++, 0));
        begin = now_ns();
        for (size_t k = 0; k < BATCH; k++)
            router_publish(&b->router, messages[k], NULL);
        costs[i] = (double)(now_ns() - begin) / BATCH;
        for (size_t k = 0; k < BATCH; k++)
            msg_unref(messages[k]);
        end_tick(b);
    }
    return median(costs, BATCHES);
}

struct coming_and_going {
    double subscribe_ns;
    double unsubscribe_ns;
    double end_ns; /* of a session, for each of its subscriptions */
};

static double subscribe_all(struct bench *b, struct receiver *receivers)
{
    uint64_t begin = now_ns();

    for (size_t r = 0; r < NEW_RECEIVERS; r++) {
        for (size_t k = 0; k < PER_RECEIVER; k++)
            subscribe_nth(b, &receivers[r], b->n_receivers + r, k);
    }
    b->n_subscriptions -= BATCH;
    return (double)(now_ns() - begin) / BATCH;
}

static double unsubscribe_all(struct bench *b, struct receiver *receivers)
{
    uint64_t begin = now_ns();

    for (size_t r = 0; r < NEW_RECEIVERS; r++) {
        for (size_t k = 0; k < PER_RECEIVER; k++) {
            struct text id;

            router_unsubscribe(&b->router, receiver_find(&receivers[r], &b->router,
                                                         id_name(b, b->n_receivers + r, k, &id)));
        }
    }
    return (double)(now_ns() - begin) / BATCH;
}

_Static_assert((int)BATCH == (int)NEW_RECEIVERS * (int)PER_RECEIVER, "a batch is what they have");

static struct coming_and_going come_and_go(struct bench *b)
{
    double came[2 * BATCHES], went[BATCHES], ended[BATCHES];
    struct receiver receivers[NEW_RECEIVERS];

    for (size_t i = 0; i < BATCHES; i++) {
        uint64_t begin;

        for (size_t r = 0; r < NEW_RECEIVERS; r++)
            receiver_init(&receivers[r], &b->router, WIRE_WEBSOCKET);
        came[2 * i] = subscribe_all(b, receivers);
        went[i] = unsubscribe_all(b, receivers);
        came[2 * i + 1] = subscribe_all(b, receivers);
        begin = now_ns();
        for (size_t r = 0; r < NEW_RECEIVERS; r++)
            receiver_leave(&receivers[r], &b->router);
        ended[i] = (double)(now_ns() - begin) / BATCH;
    }
    return (struct coming_and_going){
        .subscribe_ns = median(came, sizeof(came) / sizeof(came[0])),
        .unsubscribe_ns = median(went, BATCHES),
        .end_ns = median(ended, BATCHES),
    };
}

/* --- a router of one size --- */

static struct bench *bench_new(size_t n, size_t per_receiver, bool own_ids)
{
    const struct siphash_key key = {1, 2};
    const struct router_hooks hooks = {.mail = ignore_mail, .wake = ignore_wake};
    struct bench *b = mem_calloc(1, sizeof(*b));

    b->own_ids = own_ids;
    b->per_receiver = per_receiver;
    b->n_destinations = n / PER_RECEIVER < 1 ? 1 : n / PER_RECEIVER;
    if (b->n_destinations > MAX_DESTINATIONS)
        b->n_destinations = MAX_DESTINATIONS;
    b->n_patterns = b->n_destinations < MAX_PATTERNS ? b->n_destinations : MAX_PATTERNS;
    b->n_receivers = n / per_receiver + LISTENERS + 1;
    b->receivers = mem_calloc(b->n_receivers, sizeof(*b->receivers));
    chunk_pool_init(&b->pool, &b->account);
    interest_init(&b->interest, key);
    patterns_init(&b->patterns, 1, MAX_PATTERNS + 1, '/', key);
    router_init(&b->router, 0, &b->interest, &b->patterns, 10000, &b->pool, &b->metrics, key, 0xabc,
                hooks);
    for (size_t i = 0; i < b->n_receivers; i++)
        receiver_init(&b->receivers[i], &b->router, WIRE_WEBSOCKET);
    return b;
}

static void bench_free(struct bench *b)
{
    for (size_t i = 0; i < b->n_receivers; i++)
        receiver_leave(&b->receivers[i], &b->router);
    router_dispose(&b->router);
    patterns_dispose(&b->patterns);
    interest_dispose(&b->interest);
    chunk_pool_dispose(&b->pool);
    mem_free(b->receivers);
    mem_free(b);
}

static void print_times(size_t n, bool own_ids)
{
    struct bench *b = bench_new(n, PER_RECEIVER, own_ids);
    struct coming_and_going cost;
    double publish, by_pattern, unseen;

    add_listeners(b);
    add_names(b);
    (void)fill_up(b, n);
    publish = publish_ns(b, target);
    by_pattern = publish_ns(b, matched);
    unseen = unseen_ns(b);
    cost = come_and_go(b);
    printf("%9zu %12zu %8zu %10.0f %10.0f %10.0f %10.0f %12.0f %10.0f\n", b->n_subscriptions,
           b->n_destinations, b->n_patterns + 1, publish, by_pattern, unseen, cost.subscribe_ns,
           cost.unsubscribe_ns, cost.end_ns);
    (void)fflush(stdout);
    bench_free(b);
}

/* --- memory --- */

/* Large tables are mapped, and not among what comes from the heap. */
static size_t allocated_bytes(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

static size_t resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;

    if (file == NULL || fscanf(file, "%*u %lu", &pages) != 1)
        abort();
    (void)fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Returns whether they take no more than they may. */
static bool print_memory(size_t n, size_t per_receiver, bool own_ids)
{
    struct bench *b = bench_new(n, per_receiver, own_ids);
    size_t allocated, resident, n_groups;
    double n_added, bytes;

    for (size_t i = 0; i < b->n_receivers; i++) /* before, so that they are resident */
        receiver_init(&b->receivers[i], &b->router, WIRE_WEBSOCKET);
    add_names(b);
    n_groups = b->router.groups.n;
    allocated = allocated_bytes();
    resident = resident_bytes();
    n_added = (double)fill_up(b, n);
    bytes = (double)(allocated_bytes() - allocated) / n_added;
    printf("%9zu %12zu %12s %12.1f %12.1f %12.1f\n", n, per_receiver, own_ids ? "own" : "same",
           n_added / (double)(b->router.groups.n - n_groups), bytes,
           (double)(resident_bytes() - resident) / n_added);
    (void)fflush(stdout);
    bench_free(b);
    return bytes <= MAX_BYTES;
}

/* In a process of its own: what was freed before would be used again. */
static bool print_memory_afresh(size_t n, size_t per_receiver, bool own_ids)
{
    int status;
    pid_t child;

    (void)fflush(stdout); /* or it would be written twice */
    child = fork();
    if (child < 0)
        abort();
    if (child == 0)
        _exit(print_memory(n, per_receiver, own_ids) ? 0 : 1);
    if (waitpid(child, &status, 0) != child)
        abort();
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* --- all sizes --- */

static void print_all_times(size_t most, bool own_ids)
{
    static const size_t sizes[] = {10, 1000, 100000, 1000000};

    printf("%s\n", own_ids ? "\neach subscription with an id of its own"
                           : "ids as stock clients choose them, the same for all of a kind");
    printf("%9s %12s %8s %10s %10s %10s %10s %12s %10s\n", "subscr.", "destinations", "patterns",
           "publish", "by pattern", "unseen", "subscribe", "unsubscribe", "end");
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (sizes[i] <= most)
            print_times(sizes[i], own_ids);
    }
}

static bool print_all_memory(size_t most)
{
    static const struct {
        size_t n, per_receiver;
    } cases[] = {
        {70000, 70}, /* all tables have just grown to twice their size */
        {100000, 100},
        {1000000, 100},
        {1000000, 5},
    };
    bool is_small = true;

    printf("memory of one subscription beside its destination, in bytes\n");
    printf("%9s %12s %12s %12s %12s %12s\n", "subscr.", "of a client", "ids", "in a group",
           "allocated", "resident");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int own_ids = 0; own_ids < 2; own_ids++) {
            if (cases[i].n <= most &&
                !print_memory_afresh(cases[i].n, cases[i].per_receiver, own_ids != 0))
                is_small = false;
        }
    }
    return is_small;
}

int main(int argc, char **argv)
{
    size_t most = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
    bool is_small;

    /* First, while the heap is small and whole. */
    is_small = print_all_memory(most);
    printf("\nNanoseconds of one; medians of %d batches of %d. Publishes reach %d subscribers.\n\n",
           BATCHES, BATCH, LISTENERS);
    print_all_times(most, false);
    print_all_times(most, true);
    if (is_small)
        return 0;
    printf("a subscription takes more than %d bytes beside its destination\n", MAX_BYTES);
    return 1;
}
