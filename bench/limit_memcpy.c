/* memcpy in the cache, by size: what a copy costs beside the cipher that reads the same bytes. */
#include <x86intrin.h>

#include "bench/limit.h"

#define SIZES    3
#define BATCH_US 500

static const uint32_t sizes[SIZES] = { 64, 1400, 16384 };
static uint8_t from[16384], to[16384];

static uint64_t copy(void *arg, uint64_t count)
{
    uint32_t len = *(const uint32_t *)arg;
    uint64_t begin = __rdtsc();

    for (uint64_t i = 0; i < count; i++) {
        memcpy(to, from, len);
        __asm__ volatile("" ::: "memory"); /* or the compiler makes one copy of all */
    }
    return __rdtsc() - begin;
}

bool limit_memcpy_open(struct timing *t, const char *directory, struct buf *why)
{
    (void)directory;
    (void)why;
    for (unsigned i = 0; i < SIZES; i++) {
        struct timing_task task = {
            .bytes = sizes[i], .run = copy, .arg = (void *)&sizes[i], .batch_us = BATCH_US
        };

        snprintf(task.name, sizeof(task.name), "memcpy/%u", sizes[i]);
        timing_add(t, &task);
    }
    return true;
}

void limit_memcpy_close(void)
{
}
