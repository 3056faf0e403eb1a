/*
 * A ring of pointers from one thread to one other (single producer, single consumer): the only way
 * between threads. Lock-free and wait-free; C11 acquire/release, so that TSan can see it is right.
 */
#ifndef POSTERN_BASE_RING_H
#define POSTERN_BASE_RING_H

#include <stdbool.h>
#include <stdint.h>

struct ring;

/* `size`: a power of two. NULL when memory is short. */
struct ring *ring_create(uint32_t size);
void ring_destroy(struct ring *r);
/* Producer only. False: full, and nothing was taken. */
bool ring_push(struct ring *r, void *item);
/* Consumer only. NULL: empty. */
void *ring_pop(struct ring *r);
/* Either side: a hint that may be old by the time it is used. */
uint32_t ring_count(const struct ring *r);

#endif
