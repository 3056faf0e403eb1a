/*
 * Failures on order: whatever can fail is run once for each n-th failure. A struct fault counts
 * calls down to the one that fails; a fault_pool puts one in front of a segment pool.
 *
 *     for (n = 1; ; n++) {
 *         fault_set(&pool.fault, n, 1);
 *         run the case; it must end well or in the named error, and leak nothing;
 *         if (!pool.fault.hit) break;
 *     }
 */
#ifndef POSTERN_TESTS_LIB_FAULT_H
#define POSTERN_TESTS_LIB_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/seg.h"

struct fault {
    uint64_t calls; /* since fault_set */
    uint64_t first; /* the call that fails first, from 1; 0: none */
    uint64_t count; /* how many calls fail from there on */
    bool hit;       /* a call has failed */
};

/* The first-th call from now on and the count - 1 after it fail; first 0: none. */
void fault_set(struct fault *f, uint64_t first, uint64_t count);
/* Counts a call; true: it is to fail. */
bool fault_now(struct fault *f);

/* Hand `pool` to the code under test. Segments come from `inner` and go home to it. */
struct fault_pool {
    struct seg_pool pool;
    struct seg_pool *inner;
    struct fault fault;
};

void fault_pool_init(struct fault_pool *p, struct seg_pool *inner);

#endif
