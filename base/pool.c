/*
 * A mapping of count equal slots. Freed objects hang on a LIFO list through their first word; when
 * it is empty the next slot never used before is taken, so that untouched slots never become
 * resident. Large pools ask for huge pages: a million objects in 4 KB pages cost a miss of the
 * translation cache with each look. (Transparent ones, not those of hugetlbfs: an operator has set
 * those aside for DPDK, and they would be taken for objects that may never be used.)
 *
 * Failure modes: no address space (pool_create gives NULL); all out (pool_get gives NULL).
 */
#include "base/pool.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/assert.h"
#include "base/pool_poison.h"

#define ALIGN_LEAST 16
#define ALIGN_MOST  64 /* a line of the cache */
#define HUGE_BYTES  ((size_t)2 << 20)

struct pool {
    const char *name;
    uint8_t *slots;
    void *free; /* the object returned last; its first word is the next one */
    size_t stride;
    size_t mapped;
    uint32_t count;
    uint32_t used;
    uint32_t touched; /* slots from here on were never handed out */
};

static size_t align_of(size_t size)
{
    size_t align = ALIGN_LEAST;

    while (align < ALIGN_MOST && align < size)
        align *= 2;
    return align;
}

struct pool *pool_create(const char *name, uint32_t count, size_t size)
{
    struct pool *p;
    void *slots;
    size_t align = align_of(size);
    size_t stride = (size + align - 1) & ~(align - 1);
    size_t mapped;

    ASSERT(count > 0);
    ASSERT(size > 0);
    if (stride < size || __builtin_mul_overflow(stride, (size_t)count, &mapped))
        return NULL;
    slots = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                 -1, 0);
    if (slots == MAP_FAILED)
        return NULL;
    if (mapped >= HUGE_BYTES)
        (void)madvise(slots, mapped, MADV_HUGEPAGE); /* a kernel without them gives small ones */
    p = calloc(1, sizeof(*p));
    if (p == NULL) {
        munmap(slots, mapped);
        return NULL;
    }
    p->name = name;
    p->slots = slots;
    p->stride = stride;
    p->mapped = mapped;
    p->count = count;
    return p;
}

void pool_destroy(struct pool *p)
{
    if (p == NULL)
        return;
    ASSERT(p->used == 0);
    /* A later mapping at this place must not find old marks. */
    pool_unpoison(p->slots, p->touched * p->stride);
    munmap(p->slots, p->mapped);
    free(p);
}

void *pool_get(struct pool *p)
{
    void *object = p->free;

    if (object != NULL) {
        pool_unpoison(object, p->stride);
        memcpy(&p->free, object, sizeof(p->free));
    } else if (p->touched < p->count) {
        object = p->slots + p->touched * p->stride;
        p->touched++;
    } else {
        return NULL;
    }
    p->used++;
    return object;
}

void pool_put(struct pool *p, void *object)
{
    ASSERT(p->used > 0);
    ASSERT(pool_index(p, object) < p->touched);
    ASSERT(object != p->free); /* the commonest double free */
    memcpy(object, &p->free, sizeof(p->free));
    pool_poison(object, p->stride);
    p->free = object;
    p->used--;
}

uint32_t pool_used(const struct pool *p)
{
    return p->used;
}

uint32_t pool_count(const struct pool *p)
{
    return p->count;
}

uint32_t pool_index(const struct pool *p, const void *object)
{
    size_t offset = (size_t)((const uint8_t *)object - p->slots);

    ASSERT((const uint8_t *)object >= p->slots);
    ASSERT(offset < p->mapped);
    ASSERT(offset % p->stride == 0);
    return (uint32_t)(offset / p->stride);
}

void *pool_at(const struct pool *p, uint32_t index)
{
    ASSERT(index < p->count);
    return p->slots + index * p->stride;
}
