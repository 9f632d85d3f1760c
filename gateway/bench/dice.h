#ifndef GATEWAY_BENCH_DICE_H
#define GATEWAY_BENCH_DICE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Numbers that look random and are the same for the same seed, everywhere: splitmix64 (Steele,
 * Lea, Flood: "Fast splittable pseudorandom number generators"). Pure. Owning thread only.
 */

struct dice {
    uint64_t state;
};

static inline uint64_t dice_roll(struct dice *dice)
{
    uint64_t z = dice->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/** Dice of their own for each `use` and `number`, all from the run's seed. */
static inline struct dice dice_of(uint64_t seed, uint64_t use, uint64_t number)
{
    struct dice dice = {seed};

    dice.state = dice_roll(&dice) ^ use;
    dice.state = dice_roll(&dice) ^ number;
    return (struct dice){dice_roll(&dice)};
}

/** A number from 0 to n - 1; `n` is not 0, and far below 2^64. */
static inline uint64_t dice_below(struct dice *dice, uint64_t n)
{
    return dice_roll(dice) % n;
}

#endif
