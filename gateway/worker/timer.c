#include "gateway/worker/timer.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms)
{
    memset(wheel, 0, sizeof(*wheel));
    wheel->slot = now_ms / TIMER_SLOT_MS;
}

static unsigned index_of(uint64_t slot)
{
    return (unsigned)(slot % TIMER_N_SLOTS);
}

static void unlink_timer(struct timer_wheel *wheel, struct timer *timer)
{
    *timer->prev_next = timer->next;
    if (timer->next != NULL)
        timer->next->prev_next = timer->prev_next;
    timer->next = NULL;
    timer->prev_next = NULL;
    wheel->n_armed--;
}

void timer_cancel(struct timer_wheel *wheel, struct timer *timer)
{
    if (timer_is_armed(timer))
        unlink_timer(wheel, timer);
}

void timer_arm(struct timer_wheel *wheel, struct timer *timer, uint64_t deadline_ms,
               timer_callback callback)
{
    /* Rounded up, so that a slot is looked at when all in it are due; the past is due next. */
    uint64_t slot = (deadline_ms + TIMER_SLOT_MS - 1) / TIMER_SLOT_MS;
    unsigned index;

    timer_cancel(wheel, timer);
    if (slot < wheel->slot)
        slot = wheel->slot;
    index = index_of(slot);
    timer->deadline_ms = deadline_ms;
    timer->callback = callback;
    timer->next = wheel->slots[index];
    if (timer->next != NULL)
        timer->next->prev_next = &timer->next;
    timer->prev_next = &wheel->slots[index];
    wheel->slots[index] = timer;
    wheel->occupied[index / 64] |= UINT64_C(1) << (index % 64);
    wheel->n_armed++;
}

/* A slot may hold timers of later rounds: these stay. Callbacks may change the list at will, so
 * the due ones are moved to a list of their own first. */
static unsigned fire_slot(struct timer_wheel *wheel, unsigned index, uint64_t now_ms)
{
    struct timer *due = NULL, *timer = wheel->slots[index];
    unsigned n = 0;

    while (timer != NULL) {
        struct timer *next = timer->next;

        if (timer->deadline_ms <= now_ms) {
            unlink_timer(wheel, timer);
            timer->next = due;
            if (due != NULL)
                due->prev_next = &timer->next;
            timer->prev_next = &due;
            due = timer;
            wheel->n_armed++;
        }
        timer = next;
    }
    if (wheel->slots[index] == NULL)
        wheel->occupied[index / 64] &= ~(UINT64_C(1) << (index % 64));
    while (due != NULL) {
        struct timer *first = due;

        unlink_timer(wheel, first);
        n++;
        first->callback(first, now_ms);
    }
    return n;
}

unsigned timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_ms)
{
    uint64_t slot = wheel->slot, last = now_ms / TIMER_SLOT_MS;
    unsigned n = 0;

    if (slot > last)
        return 0;
    /* After a long pause one round sees every slot. */
    if (last - slot >= TIMER_N_SLOTS)
        slot = last - TIMER_N_SLOTS + 1;
    /* Before the first callback: what it arms in the past comes with the next call, else it would
     * fire again in every slot that is left. */
    wheel->slot = last + 1;
    for (; slot <= last; slot++) {
        unsigned index = index_of(slot);

        if (wheel->slots[index] != NULL)
            n += fire_slot(wheel, index, now_ms);
        else
            wheel->occupied[index / 64] &= ~(UINT64_C(1) << (index % 64));
    }
    return n;
}

uint32_t timer_wheel_wait_ms(const struct timer_wheel *wheel, uint64_t now_ms, uint32_t max_ms)
{
    /* From where advance has stopped, which may be behind `now_ms`. */
    uint64_t end = (now_ms + max_ms) / TIMER_SLOT_MS + 1;

    if (wheel->n_armed == 0)
        return max_ms;
    if (end > wheel->slot + TIMER_N_SLOTS)
        end = wheel->slot + TIMER_N_SLOTS;
    for (uint64_t slot = wheel->slot; slot < end; slot++) {
        unsigned index = index_of(slot);
        uint64_t at_ms;

        if ((wheel->occupied[index / 64] >> (index % 64) & 1) == 0)
            continue;
        at_ms = slot * TIMER_SLOT_MS;
        if (at_ms <= now_ms)
            return 0;
        return at_ms - now_ms < max_ms ? (uint32_t)(at_ms - now_ms) : max_ms;
    }
    return max_ms;
}
