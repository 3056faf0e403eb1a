/* xoshiro256** (Blackman, Vigna 2018), its state filled by splitmix64, so that any seed will do. */
#include "base/rng.h"

#include "base/assert.h"

static uint64_t rotate_left(uint64_t v, unsigned n)
{
    return (v << n) | (v >> (64 - n));
}

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

void rng_seed(struct rng *r, uint64_t seed)
{
    for (unsigned i = 0; i < 4; i++)
        r->s[i] = splitmix(&seed);
}

uint64_t rng_next(struct rng *r)
{
    uint64_t result = rotate_left(r->s[1] * 5, 7) * 9;
    uint64_t t = r->s[1] << 17;

    r->s[2] ^= r->s[0];
    r->s[3] ^= r->s[1];
    r->s[1] ^= r->s[2];
    r->s[0] ^= r->s[3];
    r->s[2] ^= t;
    r->s[3] = rotate_left(r->s[3], 45);
    return result;
}

uint64_t rng_below(struct rng *r, uint64_t bound)
{
    uint64_t short_part; /* 2^64 mod bound: values below it would make small results more likely */
    uint64_t v;

    ASSERT(bound > 0);
    short_part = (0 - bound) % bound;
    do {
        v = rng_next(r);
    } while (v < short_part);
    return v % bound;
}
