#ifndef TESTS_GATEWAY_BROKER_OFFICE_H
#define TESTS_GATEWAY_BROKER_OFFICE_H

#include "base/buf.h"
#include "gateway/broker/broker.h"

/*
 * Brokers and routers of several workers in one thread. What they send each other lies in a
 * worker's tray until the test delivers it, one piece at a time, so that every order between
 * workers can be had.
 */

enum { OFFICE_MAX_WORKERS = 4 };

struct parcel_in_tray {
    struct msg *msg; /* one of the two */
    struct errand *errand;
};

struct office_worker {
    struct office *office;
    unsigned index;
    struct router router;
    struct broker broker;
    struct parcel_in_tray *tray;
    size_t n_tray, tray_cap;
};

struct office {
    unsigned n_workers;
    struct chunk_account account;
    struct chunk_pool pool;
    struct interest interest;
    struct patterns patterns;
    struct metrics metrics; /* of all */
    struct broker_shared shared;
    struct office_worker workers[OFFICE_MAX_WORKERS];
    struct buf receipts; /* "slot:text;" for each that was called for */
    bool is_ending;
};

/** Rules of the policy are borrowed for the call. */
struct office *office_new(unsigned n_workers, const struct policy_rules *rules,
                          const struct broker_limits *limits);

/** All receivers must have left. Delivers what is in trays, and checks that nothing is left. */
void office_free(struct office *office);

/** Delivers the oldest piece in a worker's tray; false when it is empty. */
bool office_deliver(struct office *office, unsigned worker);

/** Until all trays are empty. */
void office_deliver_all(struct office *office);

/** A message with an id of that worker's router. */
struct msg *office_message(struct office *office, unsigned worker, const char *destination,
                           const char *body);

/** Takes all that waits for a receiver: its STOMP frames one behind the other, NUL as `^`. */
void office_hear(struct office *office, unsigned worker, struct receiver *receiver,
                 struct buf *out);

uint64_t office_metric(const struct office *office, enum metric metric);

#endif
