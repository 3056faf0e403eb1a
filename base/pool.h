/*
 * Objects of one size, all taken at creation, handed out and back in O(1): nothing is allocated on
 * a loop. Memory is mapped lazily by the kernel, and the last returned object goes out first, so an
 * object never used costs address space only. One pool belongs to one thread.
 */
#ifndef POSTERN_BASE_POOL_H
#define POSTERN_BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

struct pool;

/* `name` is kept (for counters), not copied. Objects are aligned to 64 bytes, smaller
 * ones to the next power of two, 16 at least. NULL: memory is short. */
struct pool *pool_create(const char *name, uint32_t count, size_t size);
/* Asserts that every object is home. */
void pool_destroy(struct pool *p);
/* Not cleared (the first word is reused by the pool); NULL: all out. */
void *pool_get(struct pool *p);
void pool_put(struct pool *p, void *object);
uint32_t pool_used(const struct pool *p);
uint32_t pool_count(const struct pool *p);
/* A stable number in [0, count) for an object, and back. */
uint32_t pool_index(const struct pool *p, const void *object);
void *pool_at(const struct pool *p, uint32_t index);

#endif
