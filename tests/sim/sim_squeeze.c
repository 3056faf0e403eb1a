/* See sim_squeeze.h. */
#include "sim/sim_squeeze.h"

#include <stddef.h>

#include "base/limits.h"

void sim_squeeze_begin(struct sim_squeeze *q, struct seg_pool *pool, const struct clock *clock,
                       struct rng *rng)
{
    *q = (struct sim_squeeze){ .pool = pool, .clock = clock, .rng = rng };
    list_init(&q->taken);
    q->segs = pool->ops->available(pool);
    q->due_ns = clock->now_ns + rng_below(rng, 1000) * NS_PER_MS;
}

static void take(struct sim_squeeze *q)
{
    uint32_t share = (uint32_t)rng_below(q->rng, 2 * LIMIT_TCP_SHARE_SYNS);
    uint32_t leave = share < LIMIT_TCP_SHARE_SYNS ? q->segs * share / LIMIT_TCP_SHARES : share % 4;

    while (q->pool->ops->available(q->pool) > leave)
        list_append(&q->taken, &seg_alloc(q->pool)->link);
}

void sim_squeeze_turn(struct sim_squeeze *q)
{
    if (q->pool == NULL || q->clock->now_ns < q->due_ns)
        return;
    if (list_empty(&q->taken)) {
        take(q);
        q->due_ns = q->clock->now_ns + rng_below(q->rng, 500) * NS_PER_MS;
    } else {
        seg_release_all(&q->taken);
        q->due_ns = q->clock->now_ns + (2000 + rng_below(q->rng, 2000)) * NS_PER_MS;
    }
}

uint64_t sim_squeeze_next_ns(const struct sim_squeeze *q)
{
    return q->pool != NULL ? q->due_ns : UINT64_MAX;
}

void sim_squeeze_end(struct sim_squeeze *q)
{
    if (q->pool != NULL)
        seg_release_all(&q->taken);
    q->pool = NULL;
}
