/*
 * Takes segments out of a pool now and then, down to the last one, and gives them back half a
 * second later at most: everything that watermarks do happens, and is over before a client asks
 * again.
 */
#ifndef POSTERN_TESTS_SIM_SQUEEZE_H
#define POSTERN_TESTS_SIM_SQUEEZE_H

#include "base/clock.h"
#include "base/rng.h"
#include "base/seg.h"

struct sim_squeeze {
    struct seg_pool *pool; /* NULL: nothing is done */
    const struct clock *clock;
    struct rng *rng;
    struct list taken;
    uint32_t segs;   /* of the pool */
    uint64_t due_ns; /* when it takes, or gives back */
};

void sim_squeeze_begin(struct sim_squeeze *q, struct seg_pool *pool, const struct clock *clock,
                       struct rng *rng);
/* Does what is due. */
void sim_squeeze_turn(struct sim_squeeze *q);
uint64_t sim_squeeze_next_ns(const struct sim_squeeze *q);
/* Gives all back. */
void sim_squeeze_end(struct sim_squeeze *q);

#endif
