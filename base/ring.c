/*
 * Positions only grow; a slot is position & mask. Each side keeps an old copy of the other's
 * position and looks again only when the copy says full or empty, so that the shared cache lines
 * move seldom.
 */
#include "base/ring.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/assert.h"

struct ring {
    /* The producer's line. */
    _Alignas(64) _Atomic uint32_t head; /* next to write */
    uint32_t tail_seen;
    /* The consumer's line. */
    _Alignas(64) _Atomic uint32_t tail; /* next to read */
    uint32_t head_seen;
    /* Never written after creation. */
    _Alignas(64) uint32_t mask;
    void *slots[];
};

struct ring *ring_create(uint32_t size)
{
    struct ring *r;
    size_t bytes = sizeof(*r) + (size_t)size * sizeof(r->slots[0]);

    ASSERT(size > 0);
    ASSERT((size & (size - 1)) == 0);
    r = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
    if (r == NULL)
        return NULL;
    *r = (struct ring){ .mask = size - 1 };
    return r;
}

void ring_destroy(struct ring *r)
{
    free(r);
}

bool ring_push(struct ring *r, void *item)
{
    uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

    ASSERT(item != NULL);
    if (head - r->tail_seen > r->mask) {
        r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
        if (head - r->tail_seen > r->mask)
            return false;
    }
    r->slots[head & r->mask] = item;
    atomic_store_explicit(&r->head, head + 1, memory_order_release);
    return true;
}

void *ring_pop(struct ring *r)
{
    uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    void *item;

    if (tail == r->head_seen) {
        r->head_seen = atomic_load_explicit(&r->head, memory_order_acquire);
        if (tail == r->head_seen)
            return NULL;
    }
    item = r->slots[tail & r->mask];
    atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
    return item;
}

uint32_t ring_count(const struct ring *r)
{
    /* The tail first: it can only grow, so the difference is never negative. */
    uint32_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
    uint32_t head = atomic_load_explicit(&r->head, memory_order_acquire);
    uint32_t count = head - tail;

    return count <= r->mask + 1 ? count : r->mask + 1;
}
