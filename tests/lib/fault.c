/* See fault.h. The pool does not foresee its failures: `available` is the inner pool's word. */
#include "lib/fault.h"

void fault_set(struct fault *f, uint64_t first, uint64_t count)
{
    *f = (struct fault){ .first = first, .count = count };
}

bool fault_now(struct fault *f)
{
    f->calls++;
    if (f->first == 0 || f->calls < f->first || f->calls - f->first >= f->count)
        return false;
    f->hit = true;
    return true;
}

static struct seg *pool_alloc(struct seg_pool *pool)
{
    struct fault_pool *p = (struct fault_pool *)pool;

    return fault_now(&p->fault) ? NULL : seg_alloc(p->inner);
}

static void pool_free(struct seg_pool *pool, struct seg *s)
{
    struct fault_pool *p = (struct fault_pool *)pool;

    p->inner->ops->free(p->inner, s);
}

static uint32_t pool_available(const struct seg_pool *pool)
{
    const struct fault_pool *p = (const struct fault_pool *)pool;

    return p->inner->ops->available(p->inner);
}

static bool pool_busy(const struct seg *s)
{
    return s->pool->ops->busy(s);
}

static const struct seg_pool_ops fault_ops = {
    .alloc = pool_alloc,
    .free = pool_free,
    .available = pool_available,
    .busy = pool_busy,
};

void fault_pool_init(struct fault_pool *p, struct seg_pool *inner)
{
    *p = (struct fault_pool){
        .pool = { .ops = &fault_ops, .headroom = inner->headroom, .room = inner->room },
        .inner = inner,
    };
}
