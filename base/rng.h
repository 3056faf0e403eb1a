/*
 * Seeded generator (xoshiro256**): the only randomness outside tls/, so that the simulator can
 * replay a run. Seed it from getrandom(2) in the program. Not for keys: secrets (ISN, cookies,
 * caches) are 128-bit values handed in by gateway/.
 */
#ifndef POSTERN_BASE_RNG_H
#define POSTERN_BASE_RNG_H

#include <stdint.h>

struct rng {
    uint64_t s[4];
};

void rng_seed(struct rng *r, uint64_t seed);
uint64_t rng_next(struct rng *r);
/* Uniform in [0, bound); bound > 0. */
uint64_t rng_below(struct rng *r, uint64_t bound);

#endif
