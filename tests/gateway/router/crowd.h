#ifndef TESTS_GATEWAY_ROUTER_CROWD_H
#define TESTS_GATEWAY_ROUTER_CROWD_H

#include "tests/gateway/router/harness.h"

/*
 * A hundred receivers of one router, what one of them is expected to get, and what it got: the
 * fixture of the router's tests. Receivers are named by their number.
 */

enum {
    CROWD_SIZE = 100,
    CROWD_MANY = 10,
    CROWD_FEW = 2, /* above so many members a group's messages go by the log */
};

struct crowd {
    struct harness *h;
    struct receiver receivers[CROWD_SIZE];
    struct buf expected, got;
};

int crowd_set_up(void **state);

/** All leave, and nothing at all is left behind. */
int crowd_tear_down(void **state);

#define CROWD_TEST(name) cmocka_unit_test_setup_teardown(name, crowd_set_up, crowd_tear_down)

/** Receiver `i` subscribes to an exact destination. */
void crowd_subscribe(struct crowd *f, size_t i, const char *id, struct slice destination);

/** The first `n` receivers do. */
void crowd_subscribe_first(struct crowd *f, size_t n, const char *id, struct slice destination);

/** Receiver `i` subscribes as asked; what it asks for is all right. */
struct subscription *crowd_subscribe_as(struct crowd *f, size_t i,
                                        const struct router_subscribe *asked);

/** Receiver `i` subscribes to a destination of that kind. */
struct subscription *crowd_subscribe_kind(struct crowd *f, size_t i, const char *id,
                                          enum destination_kind kind, const char *destination);

void crowd_unsubscribe(struct crowd *f, size_t i, const char *id);

/** Publishes a body; expects what a subscription of that id has to get, unless `id` is NULL. */
uint64_t crowd_publish(struct crowd *f, struct slice destination, const char *body,
                       const struct receiver *except, const char *id);

/** All that waits for receiver `i` is what was expected, which it still is; it is written. */
void crowd_assert_gets_expected(struct crowd *f, size_t i);

/** The same, and then nothing is expected any more. */
void crowd_assert_gets(struct crowd *f, size_t i);

/** How many WebSocket messages wait for receiver `i`; they are written. */
size_t crowd_count(struct crowd *f, size_t i);

void crowd_expect_nothing(struct crowd *f);
void crowd_take_all_dirty(struct crowd *f);

#endif
