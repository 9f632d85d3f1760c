#include "tests/gateway/worker/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Workers: tasks, timers, the tick and its shares, mail between them. */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { LIMIT = 256 << 20 };

/* --- tasks and timers --- */

struct record {
    unsigned n;
    unsigned order[100];
    sem_t done;
};

struct entry {
    struct record *record;
    unsigned number;
};

static void note_entry(struct worker *worker, void *ctx)
{
    const struct entry *entry = ctx;
    struct record *record = entry->record;

    (void)worker;
    record->order[record->n++] = entry->number;
    if (record->n == COUNT(record->order))
        sem_post(&record->done);
}

static void tasks_run_in_the_order_in_which_they_were_asked(void **state)
{
    struct fleet fleet;
    struct record record = {.n = 0};
    struct entry entries[100];

    (void)state;
    sem_init(&record.done, 0, 0);
    fleet_start(&fleet, 1, LIMIT);
    for (unsigned i = 0; i < COUNT(entries); i++) {
        entries[i] = (struct entry){&record, i};
        worker_ask(fleet.workers[0], note_entry, &entries[i]);
    }
    while (sem_wait(&record.done) != 0)
        continue;
    for (unsigned i = 0; i < COUNT(entries); i++)
        assert_int_equal(record.order[i], i);
    fleet_stop(&fleet);
    sem_destroy(&record.done);
}

struct alarm {
    struct timer timer;
    uint64_t deadline_ms, fired_ms;
    sem_t done;
};

static void on_alarm(struct timer *timer, uint64_t now_ms)
{
    struct alarm *alarm = (struct alarm *)timer;

    alarm->fired_ms = now_ms;
    sem_post(&alarm->done);
}

static void set_alarm(struct worker *worker, void *ctx)
{
    struct alarm *alarm = ctx;

    alarm->deadline_ms = worker_now_ms(worker) + 40;
    timer_arm(&worker->timers, &alarm->timer, alarm->deadline_ms, on_alarm);
}

static void timers_fire_though_nothing_else_happens(void **state)
{
    struct fleet fleet;
    struct alarm alarm = {.fired_ms = 0};

    (void)state;
    sem_init(&alarm.done, 0, 0);
    fleet_start(&fleet, 1, LIMIT);
    for (int i = 0; i < 3; i++) {
        fleet_ask(&fleet, 0, set_alarm, &alarm);
        while (sem_wait(&alarm.done) != 0)
            continue;
        assert_true(alarm.fired_ms >= alarm.deadline_ms);
    }
    fleet_stop(&fleet);
    sem_destroy(&alarm.done);
}

/* --- the tick --- */

/* Takes a byte a tick and answers each; at the tenth the other stream gets something to read. */
struct crowd {
    struct probe busy, other;
    size_t busy_when_served;
};

static size_t take_one_and_answer(struct probe *probe, struct slice input)
{
    struct crowd *crowd = probe->ctx;

    probe_queue(probe, 'a', 1);
    if (probe->n_inputs == 10)
        assert_int_equal(write(crowd->other.fd, "x", 1), 1);
    if (input.len > 1)
        stream_yield(&probe->stream);
    return 1;
}

static size_t note_when_served(struct probe *probe, struct slice input)
{
    struct crowd *crowd = probe->ctx;

    crowd->busy_when_served = crowd->busy.n_inputs;
    return input.len;
}

static bool is_served(struct worker *worker, void *ctx)
{
    const struct crowd *crowd = ctx;

    (void)worker;
    return crowd->busy.n_inputs == 1000 && crowd->busy_when_served != 0;
}

static void another_stream_is_served_between_the_shares_of_a_busy_one(void **state)
{
    struct fleet fleet;
    struct crowd *crowd = calloc(1, sizeof(*crowd));
    char bytes[1000];

    (void)state;
    assert_non_null(crowd);
    memset(bytes, 'b', sizeof(bytes));
    crowd->busy.on_input = take_one_and_answer;
    crowd->other.on_input = note_when_served;
    crowd->busy.ctx = crowd->other.ctx = crowd;
    fleet_start(&fleet, 1, LIMIT);
    probe_open(&crowd->other, &fleet, 0, 0);
    probe_open(&crowd->busy, &fleet, 0, 0);
    fd_write(crowd->busy.fd, slice_of(bytes, sizeof(bytes)));
    fleet_wait(&fleet, 0, is_served, crowd);
    assert_in_range(crowd->busy_when_served, 10, 15);
    for (int i = 0; i < 1000; i++)
        probe_expect(&crowd->busy, 'a', 1);
    fleet_abort_streams(&fleet);
    probe_close(&crowd->busy);
    probe_close(&crowd->other);
    fleet_stop(&fleet);
    free(crowd);
}

static size_t take_nothing(struct probe *probe, struct slice input)
{
    (void)input;
    stream_yield(&probe->stream);
    return 0;
}

static void hold_input(struct worker *worker, void *ctx)
{
    worker->is_ending = *(const bool *)ctx;
}

static void a_congested_worker_waits_instead_of_spinning(void **state)
{
    struct fleet fleet;
    struct probe probe = {.on_input = take_nothing};
    struct alarm alarm = {.fired_ms = 0};
    bool is_held = true;
    size_t n_inputs;

    (void)state;
    sem_init(&alarm.done, 0, 0);
    fleet_start(&fleet, 1, LIMIT);
    fleet_ask(&fleet, 0, hold_input, &is_held);
    probe_open(&probe, &fleet, 0, 0);
    fd_write(probe.fd, slice_str("x"));
    fleet_ask(&fleet, 0, set_alarm, &alarm);
    while (sem_wait(&alarm.done) != 0)
        continue;
    fleet_abort_streams(&fleet);
    n_inputs = probe.n_inputs;
    /* Looked at about once a millisecond for 40 ms, however slow the machine is. */
    assert_in_range(n_inputs, 1, alarm.fired_ms - alarm.deadline_ms + 60);
    probe_close(&probe);
    fleet_stop(&fleet);
    sem_destroy(&alarm.done);
}

/* --- mail --- */

struct subscribing {
    struct probe *probe;
    const char *destination;
};

static void subscribe_task(struct worker *worker, void *ctx)
{
    const struct subscribing *subscribing = ctx;

    assert_true(router_subscribe(&worker->router, &subscribing->probe->stream.receiver,
                                 slice_str(""), slice_str(subscribing->destination)));
}

static void unsubscribe_task(struct worker *worker, void *ctx)
{
    struct receiver *receiver = &((struct probe *)ctx)->stream.receiver;

    router_unsubscribe(&worker->router, receiver_find(receiver, &worker->router, slice_str("")));
}

static void subscribe(struct probe *probe, const char *destination)
{
    struct subscribing subscribing = {probe, destination};

    fleet_ask(probe->fleet, probe->worker, subscribe_task, &subscribing);
}

struct publishing {
    const char *destination;
    char letter;
    size_t len;
    unsigned n;
    uint64_t n_subscriptions; /* as the last publish said */
};

static void publish_task(struct worker *worker, void *ctx)
{
    struct publishing *publishing = ctx;
    struct slice destination = slice_str(publishing->destination);
    char *body = malloc(publishing->len + 1);

    assert_non_null(body);
    memset(body, publishing->letter, publishing->len);
    for (unsigned i = 0; i < publishing->n; i++) {
        struct msg *msg =
            msg_new(destination, NULL, 0, slice_str("id"), slice_of(body, publishing->len), true);

        publishing->n_subscriptions = router_publish(&worker->router, msg, NULL);
        msg_unref(msg);
    }
    free(body);
}

static void publish(struct fleet *fleet, unsigned worker, struct publishing publishing)
{
    fleet_ask(fleet, worker, publish_task, &publishing);
}

static void what_one_worker_publishes_arrives_on_all_in_order(void **state)
{
    struct fleet fleet;
    struct probe probes[3];

    (void)state;
    memset(probes, 0, sizeof(probes));
    fleet_start(&fleet, 3, LIMIT);
    for (unsigned i = 0; i < 3; i++) {
        probe_open(&probes[i], &fleet, i, 0);
        subscribe(&probes[i], "/topic/a");
    }
    for (size_t n = 1; n <= 300; n++)
        publish(&fleet, 0, (struct publishing){"/topic/a", (char)('a' + n % 26), n, 3, 0});
    for (size_t n = 1; n <= 300; n++) {
        for (unsigned i = 0; i < 9; i++)
            probe_expect(&probes[i % 3], (char)('a' + n % 26), n);
    }
    assert_int_equal(fleet_metric(&fleet, METRIC_MAILED), 300 * 3 * 2);
    fleet_abort_streams(&fleet);
    for (unsigned i = 0; i < 3; i++)
        probe_close(&probes[i]);
    fleet_stop(&fleet);
}

static void a_subscription_on_one_worker_is_seen_by_the_next_publish_on_another(void **state)
{
    struct fleet fleet;
    struct probe probe = {.n_inputs = 0};
    char destination[32];

    (void)state;
    fleet_start(&fleet, 2, LIMIT);
    probe_open(&probe, &fleet, 0, 0);
    for (int i = 0; i < 300; i++) {
        struct publishing publishing = {destination, 'p', 3, 1, 0};

        (void)snprintf(destination, sizeof(destination), "/topic/%d", i % 7);
        subscribe(&probe, destination);
        fleet_ask(&fleet, 1, publish_task, &publishing);
        assert_int_equal(publishing.n_subscriptions, 1);
        probe_expect(&probe, 'p', 3);
        fleet_ask(&fleet, 0, unsubscribe_task, &probe);
        fleet_ask(&fleet, 1, publish_task, &publishing);
        assert_int_equal(publishing.n_subscriptions, 0);
    }
    fd_assert_silent(probe.fd);
    assert_int_equal(fleet_metric(&fleet, METRIC_MAILED), 300);
    fleet_abort_streams(&fleet);
    probe_close(&probe);
    fleet_stop(&fleet);
}

static void post_mail(struct worker *worker, void *ctx)
{
    (void)ctx;
    worker_post_mail(worker);
}

struct gate {
    sem_t entered, leave;
};

static void stand_still(struct worker *worker, void *ctx)
{
    struct gate *gate = ctx;

    (void)worker;
    sem_post(&gate->entered);
    while (sem_wait(&gate->leave) != 0)
        continue;
}

static void make_stand_still(struct fleet *fleet, unsigned worker, struct gate *gate)
{
    sem_init(&gate->entered, 0, 0);
    sem_init(&gate->leave, 0, 0);
    worker_ask(fleet->workers[worker], stand_still, gate);
    while (sem_wait(&gate->entered) != 0)
        continue;
}

static void let_go(struct gate *gate)
{
    sem_post(&gate->leave);
}

static void gate_close(struct gate *gate)
{
    sem_destroy(&gate->entered);
    sem_destroy(&gate->leave);
}

static size_t publish_as_well(struct probe *probe, struct slice input)
{
    struct publishing publishing = {"/topic/a", 's', 7, 1, 0};

    publish_task(probe->stream.worker, &publishing);
    return input.len;
}

/* Who knows of a publish and says something itself, to a worker that has both to look at. */
static void what_was_published_before_a_client_spoke_is_ahead_of_what_it_says(void **state)
{
    (void)state;
    for (int round = 0; round < 100; round++) {
        struct fleet fleet;
        struct gate gate;
        struct probe listener = {.n_inputs = 0}, speaker = {.on_input = publish_as_well};

        fleet_start(&fleet, 2, LIMIT);
        probe_open(&listener, &fleet, 1, 0);
        probe_open(&speaker, &fleet, 1, 0);
        subscribe(&listener, "/topic/a");
        make_stand_still(&fleet, 1, &gate);
        publish(&fleet, 0, (struct publishing){"/topic/a", 'p', 5, 1, 0});
        fleet_ask(&fleet, 0, post_mail, NULL);
        fd_write(speaker.fd, slice_str("x"));
        let_go(&gate);
        probe_expect(&listener, 'p', 5);
        probe_expect(&listener, 's', 7);
        fleet_abort_streams(&fleet);
        probe_close(&listener);
        probe_close(&speaker);
        fleet_stop(&fleet);
        gate_close(&gate);
    }
}

static bool is_congested(struct worker *worker, void *ctx)
{
    return worker_is_congested(worker) == *(const bool *)ctx;
}

static void a_full_mailbox_holds_the_publishers_of_the_others(void **state)
{
    struct fleet fleet;
    struct probe probe = {.limits = {64 << 20, 60000}};
    struct gate gate;
    bool yes = true, no = false;

    (void)state;
    fleet_start(&fleet, 2, LIMIT);
    probe_open(&probe, &fleet, 1, 0);
    subscribe(&probe, "/topic/a");
    make_stand_still(&fleet, 1, &gate);
    publish(&fleet, 0, (struct publishing){"/topic/a", 'm', 1000000, 8, 0});
    fleet_wait(&fleet, 0, is_congested, &no);
    publish(&fleet, 0, (struct publishing){"/topic/a", 'm', 1000000, 1, 0});
    fleet_wait(&fleet, 0, is_congested, &yes);
    /* Tasks and what is accepted already still pass. */
    publish(&fleet, 0, (struct publishing){"/topic/a", 'm', 1000000, 1, 0});
    let_go(&gate);
    for (int i = 0; i < 10; i++)
        probe_expect(&probe, 'm', 1000000);
    fleet_wait(&fleet, 0, is_congested, &no);
    assert_int_equal(atomic_load(&fleet.workers[1]->mailbox_bytes), 0);
    fleet_abort_streams(&fleet);
    probe_close(&probe);
    fleet_stop(&fleet);
    gate_close(&gate);
}

static void a_process_that_holds_too_much_holds_all_publishers(void **state)
{
    struct fleet fleet;
    struct probe probes[40];
    bool yes = true, no = false;

    (void)state;
    memset(probes, 0, sizeof(probes));
    fleet_start(&fleet, 2, 1 << 20);
    /* Queues below the size from which one is taken out. */
    for (size_t i = 0; i < COUNT(probes); i++) {
        probes[i].limits = (struct stream_limits){64 << 20, 60000};
        probe_open(&probes[i], &fleet, 0, 4096);
    }
    fleet_wait(&fleet, 1, is_congested, &no);
    for (size_t i = 0; i < COUNT(probes); i++)
        probe_ask_queue(&probes[i], 'm', 60000);
    fleet_wait(&fleet, 1, is_congested, &yes);
    for (size_t i = 0; i < COUNT(probes); i++)
        probe_expect(&probes[i], 'm', 60000);
    fleet_wait(&fleet, 1, is_congested, &no);
    fleet_abort_streams(&fleet);
    for (size_t i = 0; i < COUNT(probes); i++)
        probe_close(&probes[i]);
    fleet_stop(&fleet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_run_in_the_order_in_which_they_were_asked),
        cmocka_unit_test(timers_fire_though_nothing_else_happens),
        cmocka_unit_test(another_stream_is_served_between_the_shares_of_a_busy_one),
        cmocka_unit_test(a_congested_worker_waits_instead_of_spinning),
        cmocka_unit_test(what_one_worker_publishes_arrives_on_all_in_order),
        cmocka_unit_test(a_subscription_on_one_worker_is_seen_by_the_next_publish_on_another),
        cmocka_unit_test(what_was_published_before_a_client_spoke_is_ahead_of_what_it_says),
        cmocka_unit_test(a_full_mailbox_holds_the_publishers_of_the_others),
        cmocka_unit_test(a_process_that_holds_too_much_holds_all_publishers),
    };

    return cmocka_run_group_tests_name("gateway/worker/worker", tests, NULL, NULL);
}
