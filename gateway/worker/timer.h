#ifndef GATEWAY_WORKER_TIMER_H
#define GATEWAY_WORKER_TIMER_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A hashed timer wheel (Varghese and Lauck): arming and cancelling cost the same whatever the
 * number of timers. Time is a number that the caller passes in, monotonic milliseconds. A timer
 * fires never early, and late by at most one slot (16 ms). Pure. Owning worker only.
 */

enum { TIMER_SLOT_MS = 16, TIMER_N_SLOTS = 2048 };

struct timer;
typedef void (*timer_callback)(struct timer *timer, uint64_t now_ms);

/** Embed it; zeroed it is not armed. */
struct timer {
    struct timer *next;
    struct timer **prev_next; /* NULL: not armed */
    uint64_t deadline_ms;
    timer_callback callback;
};

struct timer_wheel {
    uint64_t slot; /* the slot that advance looks at next, counted from time 0 */
    uint64_t n_armed;
    uint64_t occupied[TIMER_N_SLOTS / 64];
    struct timer *slots[TIMER_N_SLOTS];
};

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms);

/** Arms or moves the timer: `callback` is called from timer_wheel_advance at `deadline_ms`. */
void timer_arm(struct timer_wheel *wheel, struct timer *timer, uint64_t deadline_ms,
               timer_callback callback);

/** Fine for a timer that is not armed. */
void timer_cancel(struct timer_wheel *wheel, struct timer *timer);

static inline bool timer_is_armed(const struct timer *timer)
{
    return timer->prev_next != 0;
}

/**
 * Fires what is due, each timer at most once and unarmed before its callback, which may arm and
 * cancel any timer and free its own. Returns how many were fired.
 */
unsigned timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_ms);

/** Milliseconds until advance should be called, at most `max_ms`. */
uint32_t timer_wheel_wait_ms(const struct timer_wheel *wheel, uint64_t now_ms, uint32_t max_ms);

#endif
