/*
 * Segments in ordinary memory: a pool object is the segment and its buffer behind it. Nobody below
 * reads the bytes after a call returns, so none is ever busy.
 */
#include <stdlib.h>

#include "base/assert.h"
#include "base/pool.h"
#include "base/seg.h"

/* Where the buffer begins in a pool object. */
#define BUFFER_OFFSET ((sizeof(struct seg) + 63) & ~(size_t)63)

struct seg_plain {
    struct seg_pool pool;
    struct pool *objects;
};

static struct seg *plain_alloc(struct seg_pool *pool)
{
    struct seg_plain *p = (struct seg_plain *)pool;
    struct seg *s = pool_get(p->objects);

    if (s == NULL)
        return NULL;
    *s = (struct seg){ .pool = pool, .ref = 1, .cap = pool->headroom + pool->room };
    list_node_init(&s->link);
    s->head = (uint8_t *)s + BUFFER_OFFSET;
    s->data = s->head + pool->headroom;
    return s;
}

static void plain_free(struct seg_pool *pool, struct seg *s)
{
    struct seg_plain *p = (struct seg_plain *)pool;

    ASSERT(s->pool == pool);
    ASSERT(!list_linked(&s->link));
    pool_put(p->objects, s);
}

static uint32_t plain_available(const struct seg_pool *pool)
{
    const struct seg_plain *p = (const struct seg_plain *)pool;

    return pool_count(p->objects) - pool_used(p->objects);
}

static bool plain_busy(const struct seg *s)
{
    (void)s;
    return false;
}

static const struct seg_pool_ops plain_ops = {
    .alloc = plain_alloc,
    .free = plain_free,
    .available = plain_available,
    .busy = plain_busy,
};

struct seg_pool *seg_plain_create(uint32_t count, uint32_t headroom, uint32_t room)
{
    struct seg_plain *p = calloc(1, sizeof(*p));

    if (p == NULL)
        return NULL;
    p->objects = pool_create("seg_plain", count, BUFFER_OFFSET + headroom + room);
    if (p->objects == NULL) {
        free(p);
        return NULL;
    }
    p->pool = (struct seg_pool){ .ops = &plain_ops, .headroom = headroom, .room = room };
    return &p->pool;
}

void seg_plain_destroy(struct seg_pool *pool)
{
    struct seg_plain *p = (struct seg_plain *)pool;

    if (p == NULL)
        return;
    pool_destroy(p->objects);
    free(p);
}
